//! File names in commands that messages give as advice.

/// The command with the file of this name in place of each `FILE`, as a POSIX shell reads it. In
/// `FILE.pem`, the name gets that ending.
pub(super) fn with_file(command: &str, file: &str) -> String {
    let mut pieces = command.split("FILE");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let is_ending = |c: char| c == '.' || c.is_ascii_lowercase();
        let rest = match piece.starts_with('.') {
            true => piece.trim_start_matches(is_ending),
            false => piece,
        };
        let ending = &piece[..piece.len() - rest.len()];
        text.push_str(&name(file, ending));
        text.push_str(rest);
    }
    text
}

/// The file of this name, or a new one beside it with another ending. Standard input (`-`) is a file
/// of its own.
pub(super) fn name(file: &str, ending: &str) -> String {
    match (file, ending) {
        ("-", "") => "/dev/stdin".to_owned(),
        ("-", ending) => format!("key{ending}"),
        (file, ending) => quoted(&format!("{file}{ending}")),
    }
}

/// A word of a shell that means this text. A name that begins with a dash is no option.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    let text = if text.starts_with('-') {
        format!("./{text}")
    } else {
        text.to_owned()
    };
    if !text.is_empty() && text.chars().all(is_plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_one_word_of_the_shell_and_no_option() {
        for (name, word) in [
            ("keys/a.pem", "keys/a.pem"),
            ("my key.pem", "'my key.pem'"),
            ("it's", r"'it'\''s'"),
            ("$(id);`id`", "'$(id);`id`'"),
            ("-inform", "./-inform"),
            ("clé", "'clé'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(name), word);
        }
        let command = with_file("a < FILE > FILE.pem", "my FILE");
        assert_eq!(command, "a < 'my FILE' > 'my FILE.pem'");
    }
}
