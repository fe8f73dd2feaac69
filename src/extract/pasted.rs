//! The tokens in a text in memory, for whoever has a text and no audit: [`find_tokens`].
//!
//! What is a token is left to [`finder`](super::finder), and whether it is valid to a
//! [`Validator`](crate::Validator).

use std::borrow::Cow;

use super::finder::{FindKind, Finder, Spelled};

/// A token in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundToken<'t> {
    /// The offset of its first byte in the text.
    pub offset: usize,
    /// How many bytes of the text it takes, as it is written there.
    pub length: usize,
    /// The token. It is borrowed from the text, unless it is escaped there.
    pub token: Cow<'t, [u8]>,
}

/// Finds the tokens in a text, in order: in headers, cookies, URLs, JSON, or anything else.
///
/// A token is three segments of base64url with dots between them, of which the first decodes to a
/// JSON object with `alg`, or five, of which it decodes to one with `enc`. Percent-encoded characters
/// and JSON escapes in it are decoded. It may have any length; nothing is verified. Takes time linear
/// in the text.
///
/// ```
/// use jotmill::find_tokens;
///
/// let text = br#"{"url":"https:\/\/example.com\/#id_token=eyJhbGciOiJub25lIn0.e30\u002e"}"#;
/// let tokens = find_tokens(text);
/// assert_eq!(tokens.len(), 1);
/// assert_eq!(*tokens[0].token, *b"eyJhbGciOiJub25lIn0.e30.");
/// assert_eq!(&text[tokens[0].offset..][..tokens[0].length], br"eyJhbGciOiJub25lIn0.e30\u002e");
/// ```
#[must_use]
pub fn find_tokens(text: &[u8]) -> Vec<FoundToken<'_>> {
    let mut finder = Finder::new(text, text.len(), false);
    let mut tokens = Vec::new();
    let mut scratch = Vec::new();
    while let Some(find) = finder.next(&mut scratch) {
        let FindKind::Token { spelled, .. } = find.kind else {
            continue;
        };
        tokens.push(FoundToken {
            offset: find.start,
            length: find.end - find.start,
            token: match spelled {
                Spelled::AsIs => Cow::Borrowed(&text[find.start..find.end]),
                Spelled::Unescaped(range) => Cow::Owned(scratch[range].to_vec()),
            },
        });
        scratch.clear();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_a_text_are_given_in_order_as_they_are_without_escapes() {
        let token = "eyJhbGciOiJub25lIn0.e30.c2ln";
        let escaped = token.replace('.', "%2E");
        let text = format!("Bearer {token}\n?t={escaped}&u={token}, {}", &token[..22]);
        let found = find_tokens(text.as_bytes());
        assert_eq!(found.len(), 3);
        for (found, written) in found.iter().zip([token, &escaped, token]) {
            assert_eq!(&text[found.offset..][..found.length], written);
            assert_eq!(*found.token, *token.as_bytes());
        }
        assert!(matches!(found[0].token, Cow::Borrowed(_)));
        for none in [
            "",
            "a.b.c",
            "Bearer opaque-credential-12345",
            "eyJhbGciOiJub25lIn0",
        ] {
            assert_eq!(find_tokens(none.as_bytes()), [], "{none}");
        }
    }
}
