//! What `inspect` finds in a text that is pasted, and that a token alone is explained as ever.

use std::process::Output;

use serde_json::Value;

use crate::program::{NOW, Place, SECRET, assert_cannot, code, good, stderr, stdout, token};

fn inspect(place: &Place, options: &[&str], text: &str) -> Output {
    let input = std::fs::File::open(place.write("input", text)).expect("the input");
    let args = ["inspect", "--secret-file", "secret", "--now", NOW];
    let mut command = place.command(&[&args[..], options].concat());
    command.stdin(input).output().expect("jotmill runs")
}

/// A page with every line break as a space.
fn words(output: &Output) -> String {
    stdout(output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn inspect_finds_the_token_in_what_is_pasted_and_says_where() {
    let place = Place::new();
    let good = good();
    let escaped = good.replace('.', "\\u002e");
    let encoded = good.replace('.', "%2E");
    for (before, written, behind, what) in [
        (
            "Authorization: Bearer ",
            &good,
            "\r\n",
            "the header Authorization",
        ),
        ("Bearer ", &good, "", "a text, behind Bearer"),
        ("Cookie: theme=dark; id=", &good, "; x=y", "the cookie id"),
        (
            "https://x.example/cb#a=b&id_token=",
            &encoded,
            "&state=1",
            "the parameter id_token of a URL",
        ),
        (
            "{\n \"token\": \"",
            &escaped,
            "\"\n}",
            "the member token of a JSON document",
        ),
        ("'", &good, "'", "quotes"),
        ("2026-01-01 login of bob (", &good, ").", "a text"),
    ] {
        let text = format!("{before}{written}{behind}");
        let output = inspect(&place, &[], &text);
        assert_eq!(code(&output), 0, "{text}: {}", stdout(&output));
        let page = words(&output);
        let line = before.matches('\n').count() + 1;
        let found = format!(
            "Found in {what}: line {line}, byte {} of the text.",
            before.len()
        );
        assert!(page.contains(&found), "{page}");
        let json: Value =
            serde_json::from_str(&stdout(&inspect(&place, &["--format", "json"], &text)))
                .expect("JSON");
        let found = serde_json::json!({
            "in": what, "line": line, "offset": before.len(), "length": written.len(),
            "other_offsets": [],
        });
        assert_eq!(
            (&json["found"], &json["verdict"]),
            (&found, &"valid".into())
        );
        assert_eq!(json["bytes"], good.len());
        // As an argument as well.
        let args = ["inspect", "--secret-file", "secret", "--now", NOW, &text];
        assert_eq!(stdout(&place.run(&args)), stdout(&output));
        assert!(!stdout(&output).contains(written.as_str()));
    }
}

#[test]
fn of_several_tokens_inspect_takes_the_first_and_says_how_many_there_are() {
    let place = Place::new();
    let (good, other) = (good(), token("another", "{}"));
    let cookies = format!("Cookie: a={good}; b={other}; c={good}");
    let output = inspect(&place, &[], &cookies);
    assert_eq!(code(&output), 0);
    let second = cookies.find(&other).expect("the second");
    let third = cookies.rfind(&good).expect("the third");
    let several = format!("the first of 3 tokens; the others are at byte {second}, {third}.");
    assert!(words(&output).contains(&several), "{}", words(&output));
    let many = format!("{other}\n").repeat(1000);
    let output = inspect(&place, &[], &many);
    assert_eq!(code(&output), 1, "that of the first");
    let page = words(&output);
    assert!(
        page.contains("first of 1,000 tokens") && page.contains("994 more"),
        "{page}"
    );
}

#[test]
fn a_token_alone_and_a_text_without_one_are_explained_as_ever() {
    let place = Place::new();
    let good = good();
    let alone = inspect(&place, &[], &good);
    assert_eq!(code(&alone), 0);
    assert!(!stdout(&alone).contains("Found in"));
    for text in [format!("  {good}\r\n\n"), format!("\u{feff}{good}")] {
        assert_eq!(stdout(&inspect(&place, &[], &text)), stdout(&alone));
    }
    let (head, tail) = good.split_at(good.len() - 5);
    for (text, explained) in [
        (format!("{head}\n{tail}"), "more than one line"),
        (format!("{good}.e30"), "segment"),
        (
            "Bearer opaque-1234567890".to_owned(),
            "drop the word Bearer",
        ),
        ("https://example.com/".to_owned(), "this is a URL"),
        (format!("Bearer {}", &good[..30]), "drop the word Bearer"),
    ] {
        let output = inspect(&place, &[], &text);
        assert_eq!(code(&output), 1, "{text}");
        let page = words(&output);
        assert!(
            page.contains(explained) && !page.contains("Found in"),
            "{page}"
        );
    }
    assert_cannot(&inspect(&place, &[], " \n"), &["no token"]);
    let output = inspect(&place, &[], &format!("{SECRET} {good} {SECRET}"));
    assert!(!stdout(&output).contains(SECRET) && stderr(&output).is_empty());
}
