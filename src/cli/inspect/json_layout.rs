//! JSON laid out for reading, within a limit of columns and lines.

use super::columns::{columns, fold};
use super::escape::push_escaped;
use super::json_text::Pieces;

/// How many lines one member may take.
const MAX_FOLDS: usize = 8;

/// Lays a text out with a member or element to a line, in at most `width` columns and `max_lines`
/// lines, and says whether that is all. Arrays of scalars stay on one line where they fit. A long
/// string is folded, and cut where it would take too many lines; either is marked.
pub(super) fn layout(text: &str, width: usize, max_lines: usize) -> (Vec<String>, bool) {
    let mut lines = Vec::new();
    let mut pieces = Pieces::new(text);
    // The line that is being written, without its indent.
    let (mut line, mut indent, mut is_all) = (String::new(), 0, true);
    let mut end_line = |line: &mut String, indent: usize| {
        if !line.is_empty() {
            let folded = fold(line, width.saturating_sub(indent), MAX_FOLDS);
            lines.extend(folded.iter().map(|part| format!("{:indent$}{part}", "")));
            line.clear();
        }
        lines.len()
    };
    while let Some(piece) = pieces.next() {
        if line.is_empty() || piece.closes() {
            if end_line(&mut line, indent) >= max_lines {
                is_all = false;
                break;
            }
            // Deep nesting is not indented out of the page.
            indent = (piece.depth * 2).min(width / 2);
        }
        if piece.opens() {
            let room = width.saturating_sub(indent + columns(&line) + 1);
            if let Some((inline, after)) = inline(piece.text, &pieces, room) {
                line.push_str(&inline);
                pieces = after;
                continue;
            }
        }
        push_escaped(&mut line, piece.text);
        match piece.text {
            ":" => line.push(' '),
            "{" | "[" | "," => drop(end_line(&mut line, indent)),
            _ => {}
        }
    }
    end_line(&mut line, indent);
    is_all &= lines.len() <= max_lines;
    lines.truncate(max_lines);
    (lines, is_all)
}

/// An empty object or array, or an array of scalars that fits into `room`, on one line; and the
/// pieces after it.
fn inline<'t>(open: &str, inside: &Pieces<'t>, room: usize) -> Option<(String, Pieces<'t>)> {
    let mut pieces = inside.clone();
    let mut line = open.to_owned();
    while let Some(piece) = pieces.next() {
        match piece.text {
            "," => line.push_str(", "),
            "}" | "]" => {
                line.push_str(piece.text);
                return (columns(&line) <= room).then_some((line, pieces));
            }
            // An escape takes six columns at most.
            scalar if open == "[" && !piece.opens() && scalar.len() <= room * 6 => {
                push_escaped(&mut line, scalar);
            }
            _ => return None,
        }
        if columns(&line) > room {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<String> {
        layout(text, width, 100).0
    }

    #[test]
    fn order_duplicates_and_spelling_are_kept() {
        let text = r#"{"b":1e2 ,"a" : -0.0,"b":"\u0041\/","c":{"d":[1,[]],"e":{}},"f":[1, 2]}"#;
        assert_eq!(
            lines(text, 40),
            [
                "{",
                r#"  "b": 1e2,"#,
                r#"  "a": -0.0,"#,
                r#"  "b": "\u0041\/","#,
                r#"  "c": {"#,
                r#"    "d": ["#,
                "      1,",
                "      []",
                "    ],",
                r#"    "e": {}"#,
                "  },",
                r#"  "f": [1, 2]"#,
                "}"
            ]
        );
    }

    #[test]
    fn a_layout_reads_back_as_the_same_value() {
        for text in [
            "{}",
            "[]",
            "7",
            r#""x""#,
            r#"[{},[],[[]],{"a":[]}]"#,
            r#"{"a":"{[,:\"\\","b":[true,null,"]"]}"#,
            " {\n\t\"a\" : [ 1 , 2 ] }\r\n",
        ] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let again = lines(text, 200).join("\n");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&again).unwrap(),
                value,
                "{text}"
            );
            let compact = crate::cli::inspect::json_text::JsonText::read(text.as_bytes())
                .ok()
                .unwrap()
                .compact();
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&compact).unwrap(),
                value
            );
        }
    }

    #[test]
    fn lines_keep_within_the_width_and_escapes_are_not_broken() {
        let long = format!(
            r#"{{"name":"{}","n":{}1}}"#,
            "\u{202e}é漢".repeat(40),
            "[".repeat(0)
        );
        for width in 30..60 {
            let lines = lines(&long, width);
            assert!(lines.len() > 4);
            for line in &lines {
                assert!(columns(line) <= width, "{width} {line}");
                assert_eq!(
                    line.matches('\\').count(),
                    line.matches("\\u202e").count(),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn a_long_layout_is_cut() {
        let text = format!("[{}]", "{},".repeat(1000).trim_end_matches(','));
        let cut = layout(&text, 80, 10);
        assert_eq!((cut.0.len(), cut.1), (10, false));
        assert!(layout("{\"a\":1}", 80, 3).1);
    }
}
