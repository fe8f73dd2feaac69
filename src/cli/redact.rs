//! Tokens on the command line, where they do not belong: no message repeats one in full.

use std::ffi::OsStr;

/// How much of a token is shown, in characters: of most, `{"alg":`.
const SHOWN: usize = 10;

/// Whether this looks like a token in compact serialization: a JSON object in base64url, and two
/// dots at least.
pub(crate) fn is_like_a_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.starts_with("eyJ")
        && text.bytes().all(is_part)
        && text.bytes().filter(|byte| *byte == b'.').count() >= 2
}

/// A message in which every token of this command line is cut.
pub(crate) fn without_tokens(message: &str) -> String {
    cut(message, std::env::args_os())
}

fn cut(message: &str, typed: impl Iterator<Item = impl AsRef<OsStr>>) -> String {
    let mut message = message.to_owned();
    for argument in typed {
        let argument = argument.as_ref().to_string_lossy();
        // A value may follow its flag, and an encoding come before it.
        let value = argument.rsplit(['=', ':']).next().unwrap_or_default();
        if is_like_a_token(value) {
            message = message.replace(value, &format!("{}…", &value[..SHOWN]));
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";

    #[test]
    fn a_token_is_distinguished_from_a_file_name() {
        assert!(is_like_a_token(TOKEN));
        assert!(is_like_a_token("eyJhbGciOi.."));
        for name in ["", "eyJ", "tokens.txt", "a.b.c", "eyJhbGciOi.txt", "eyJ/.."] {
            assert!(!is_like_a_token(name), "{name}");
        }
    }

    #[test]
    fn a_message_shows_the_beginning_of_a_token_and_no_more() {
        let cut_from = |argument: &str| cut(&format!("no {TOKEN} here"), [argument].into_iter());
        for argument in [
            TOKEN.to_owned(),
            format!("--key={TOKEN}"),
            format!("hex:{TOKEN}"),
        ] {
            assert_eq!(cut_from(&argument), "no eyJhbGciOi… here");
        }
        assert_eq!(cut_from("here"), format!("no {TOKEN} here"));
    }
}
