//! Inputs that are no lines of tokens: which form a file has of which no line had a header.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// How much of a file is looked at, in bytes.
const START: u64 = 4096;

/// What a regular file is, and what to do, judged by its first bytes; `None` for lines of text.
pub(crate) fn named(path: &Path) -> Option<&'static str> {
    let is_file = path.metadata().is_ok_and(|it| it.is_file());
    if !is_file {
        return None;
    }
    let start = || -> io::Result<Vec<u8>> {
        let mut start = Vec::new();
        File::open(path)?.take(START).read_to_end(&mut start)?;
        Ok(start)
    };
    form(&start().ok()?)
}

fn form(start: &[u8]) -> Option<&'static str> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = text.trim_ascii_start();
    let holds = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    Some(match start {
        [1..=0x7f, 0, 1..=0x7f, 0, ..] => {
            "UTF-16 without a byte order mark; convert it with iconv -f UTF-16LE -t UTF-8"
        }
        [0, 1..=0x7f, 0, 1..=0x7f, ..] => {
            "UTF-16 without a byte order mark; convert it with iconv -f UTF-16BE -t UTF-8"
        }
        _ => match text.split_first()? {
            (b'{', rest) if rest.trim_ascii_start().starts_with(b"\"log\"") => {
                "an HTTP archive (HAR); take the tokens out of it, one a line"
            }
            (b'{' | b'[', rest) if matches!(rest.trim_ascii_start(), [b'"' | b'{' | b'[', ..]) => {
                "JSON; take the tokens out of it, one a line (jq -r)"
            }
            _ if !holds(b"\n") && holds(b"\r") => {
                "text whose lines end with CR alone; convert it with tr '\\r' '\\n'"
            }
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lines_of_tokens_is_named_by_its_first_bytes() {
        for (start, name) in [
            (&b"e\0y\0J\0"[..], Some("UTF-16LE")),
            (b"\0e\0y\0J", Some("UTF-16BE")),
            (b"{\"log\":{\"entries\":[", Some("HAR")),
            (b"[\"eyJ\"", Some("JSON")),
            (b"\xef\xbb\xbf [ {\"token\":", Some("JSON")),
            (b"{\"access_token\":", Some("JSON")),
            (b"a.b.c\rd.e.f\r", Some("CR")),
            (b"a.b.c\r\nd", None),
            (b"{}", None),
            (b"a.b.c", None),
            (b"", None),
        ] {
            let found = form(start);
            assert_eq!(found.is_some(), name.is_some(), "{start:?}");
            assert!(
                found.is_none_or(|it| it.contains(name.unwrap())),
                "{found:?}"
            );
        }
    }
}
