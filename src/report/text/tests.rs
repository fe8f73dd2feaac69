use std::time::Duration;

use super::*;
use crate::display::is_deceptive;
use crate::key::KeySet;
use crate::policy::Policy;
use crate::report::fixture::{
    bare_policy, claims, example_report, judged, lenient_validator, log, mint, named_keys, options,
    two_issuers, validator,
};
use crate::validator::Validator;

fn text_of(report: &Report, color: bool, width: usize) -> String {
    let mut out = Vec::new();
    let options = TextOptions { color, width };
    report.write_text(&mut out, &options).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain_text(report: &Report) -> String {
    text_of(report, false, 80)
}

/// Removes the sequences that set colours.
fn without_color(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (sequence, rest) = piece.split_once('m').unwrap();
        let is_color = |c: char| c.is_ascii_digit() || c == ';';
        assert!(sequence.strip_prefix('[').unwrap().chars().all(is_color));
        plain.push_str(rest);
    }
    plain
}

fn assert_fits(text: &str, width: usize) {
    for line in text.lines() {
        assert!(layout::length(line) <= width, "over {width}: {line}");
        assert!(!line.ends_with(' '), "trailing blank: {line:?}");
        assert!(!line.chars().any(is_deceptive), "{line:?}");
    }
}

/// A report with long and hostile names wherever a name can be.
fn hostile_report(validator: &Validator) -> Report {
    let hostile = [
        "\\u001b[2J\\u001b]0;owned\\u0007".to_owned(),
        "\\u202egnp.exe\\u2066\\u200b".to_owned(),
        "line\\nline\\r\\u2028line\\u0085".to_owned(),
        "x".repeat(300),
        "é ".repeat(150),
        String::new(),
        "  ".to_owned(),
    ];
    let mut log = String::new();
    for name in &hostile {
        let header = format!(r#"{{"alg":"HS256","kid":"{name}"}}"#);
        log += &(mint(&header, "{}", b"-") + "\n");
        log += &(mint(r#"{"alg":"HS256"}"#, &claims(name, 60, 0), b"password") + "\n");
    }
    let name = "dir\n\u{1b}[31m\u{202e}/".to_owned() + &"long".repeat(60);
    let mut report = judged(validator, &[(&name, &log), ("-", "x")], &options());
    report.complete = false;
    report.inputs[0].error = Some(format!("cannot read {name}: \u{1b}[0m"));
    report.inputs[1].error = Some("gone".to_owned());
    report.inputs[1].grown = 7;
    report
}

/// Keys with a hostile id; one of them verifies tokens without a `kid`.
fn hostile_keys() -> KeySet {
    let kid = "\\u001b[1m\\u202e".to_owned() + &"kid".repeat(99);
    let set = format!(
        r#"{{"keys":[{{"kty":"oct","k":"cGFzc3dvcmQ","kid":"{kid}"}},
            {{"kty":"oct","k":"YQ","kid":"{kid}"}},
            {{"kty":"oct","k":"?","kid":"{kid}"}}]}}"#
    );
    let mut keys = KeySet::new();
    keys.add_key(set.as_bytes(), "\u{1b}c/keys\n.json").unwrap();
    keys
}

fn hostile_policy() -> Policy {
    bare_policy()
        .issuer("https://\u{202e}moc.elpmaxe/".to_owned() + &"i".repeat(300))
        .typ("\u{7}")
        .require("\u{1b}[8m")
        .unwrap()
}

#[test]
fn the_report_reads_as_in_the_golden_file() {
    let expected = include_str!("golden.txt").replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(plain_text(&example_report(&validator())), expected);
}

#[test]
fn no_line_is_wider_than_the_page() {
    let (strict, lenient) = (validator(), lenient_validator());
    let policies = [bare_policy(), hostile_policy()];
    let hostile = policies.map(|policy| Validator::new(policy, hostile_keys()).unwrap());
    let log = log(1000);
    let inputs = [("tokens.txt", &*log)];
    for report in [
        judged(&strict, &inputs, &options()),
        judged(&lenient, &inputs, &options()),
        hostile_report(&hostile[0]),
        hostile_report(&hostile[1]),
    ] {
        for width in [60, 80, 100, 200] {
            assert_fits(&text_of(&report, false, width), width);
        }
        assert_eq!(text_of(&report, false, 0), text_of(&report, false, 60));
    }
}

#[test]
fn colour_adds_escape_sequences_and_nothing_else() {
    let strict = validator();
    let hostile = Validator::new(bare_policy(), hostile_keys()).unwrap();
    for report in [example_report(&strict), hostile_report(&hostile)] {
        let (plain, colored) = (plain_text(&report), text_of(&report, true, 80));
        assert!(!plain.contains('\u{1b}'));
        assert!(colored.contains('\u{1b}'));
        assert_eq!(without_color(&colored), plain);
    }
}

#[test]
fn hostile_names_are_escaped_and_shortened() {
    let validator = Validator::new(bare_policy(), hostile_keys()).unwrap();
    let text = plain_text(&hostile_report(&validator));
    for shown in [
        r"\u001b[2J\u001b]0;owned\u0007",
        r"\u202egnp.exe\u2066\u200b",
        r"line\u000aline\u000d\u2028line\u0085",
        "\"\"",
        "xxx…xxx",
        r"unusable key: keys[2]",
        r"(\u001b[1m\u202ekid",
        r"\u001bc/keys\u000a.json",
    ] {
        assert!(text.contains(shown), "{shown} is not in\n{text}");
    }
    for section in ["unknown kid\n", "issuer of", "  weak for HS256\n"] {
        assert!(text.contains(section), "{section} is not in\n{text}");
    }
    let validator = Validator::new(hostile_policy(), hostile_keys()).unwrap();
    let text = plain_text(&hostile_report(&validator));
    assert!(text.contains(r"https://\u202emoc.elpmax…iii"), "{text}");
    assert!(text.contains(r"typ \u0007;"), "{text}");
}

#[test]
fn elapsed_time_and_speed_share_one_line() {
    let validator = validator();
    let mut report = example_report(&validator);
    let first = plain_text(&report);
    for elapsed in [Duration::ZERO, Duration::MAX, Duration::from_secs(3)] {
        report.elapsed = elapsed;
        let other = plain_text(&report);
        let differ = first.lines().zip(other.lines()).filter(|(a, b)| a != b);
        assert_eq!(differ.count(), 1, "{other}");
        assert_eq!(first.lines().count(), other.lines().count());
    }
}

#[test]
fn the_first_line_is_the_verdict() {
    let validator = lenient_validator();
    let valid = mint(r#"{"alg":"HS256"}"#, "{}", b"password");
    let headline = |log: &str| {
        let report = judged(&validator, &[("-", log)], &options());
        let text = plain_text(&report);
        assert_fits(&text, 80);
        assert!(text.contains("from standard input\n"), "{text}");
        text.lines().next().unwrap().to_owned()
    };
    assert_eq!(headline(""), "no tokens: the input is empty");
    assert_eq!(headline("\n \n"), "no tokens: only blank lines");
    assert_eq!(headline(&valid), "1 token, valid");
    assert_eq!(headline("x"), "1 token, rejected");
    assert_eq!(
        headline(&format!("{valid}\n{valid}")),
        "2 tokens, all valid"
    );
    assert_eq!(headline("x\ny"), "2 tokens, all rejected");
    assert_eq!(
        headline(&format!("{valid}\nx\nx")),
        "3 tokens: 1 valid (33.3%), 2 rejected (66.7%)"
    );
}

#[test]
fn an_incomplete_report_says_so_first_and_why() {
    let validator = validator();
    let mut report = example_report(&validator);
    report.complete = false;
    let text = plain_text(&report);
    let expected = "INCOMPLETE: the run ended before the end of its input\n\
                    Until then, 10 tokens: 4 valid (40.0%), 6 rejected (60.0%)\n";
    assert!(text.starts_with(expected), "{text}");

    report.inputs[0].error = Some("cannot open a.log: not there".to_owned());
    let text = plain_text(&report);
    assert!(
        text.starts_with("INCOMPLETE: cannot open a.log: not there\n"),
        "{text}"
    );
    assert!(text.contains("a.log  not judged to its end\n"), "{text}");

    report.inputs[1].error = Some("b.log is a directory".to_owned());
    let text = plain_text(&report);
    let expected = "INCOMPLETE: 2 of 2 inputs were not judged to their end (see below)\n";
    assert!(text.starts_with(expected), "{text}");
    let (_, not_judged) = text.split_once("not judged\n").unwrap();
    assert!(
        not_judged.contains("cannot open a.log: not there\n"),
        "{text}"
    );
    assert!(not_judged.contains("b.log is a directory\n"), "{text}");
}

#[test]
fn the_growth_of_a_file_is_shown() {
    let validator = lenient_validator();
    let mut report = judged(&validator, &[("a.log", "x")], &options());
    report.inputs[0].grown = 1234;
    let text = plain_text(&report);
    assert!(text.contains("a.log  grew during the run\n"), "{text}");
    let expected = "1,234 bytes added to a.log after it was opened\n";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn many_names_are_ranked_and_the_rest_is_summed() {
    let mut keys = named_keys();
    for number in 0..30 {
        keys.add_secret(format!("{number:032}").as_bytes(), "here")
            .unwrap();
    }
    let validator = Validator::new(bare_policy(), keys).unwrap();
    let mut inputs = Vec::new();
    for number in 0..15_u64 {
        let secret = format!("{number:032}");
        let payload = claims(&format!("issuer-{number:02}"), 60, number);
        let mut log = mint(r#"{"alg":"HS256"}"#, &payload, secret.as_bytes()) + "\n";
        for _ in 0..=number {
            log += &(mint(&format!(r#"{{"alg":"HS1","kid":"{number}"}}"#), "{}", b"-") + "\n");
            log += &mint(
                &format!(r#"{{"alg":"HS512","kid":"{number}"}}"#),
                "{}",
                secret.as_bytes(),
            );
            log += "\n";
        }
        inputs.push((format!("{number}.log"), log));
    }
    let inputs: Vec<(&str, &str)> = inputs.iter().map(|(name, log)| (&**name, &**log)).collect();
    let mut report = judged(&validator, &inputs, &options());
    report.inputs[0].error = Some("failed".to_owned());
    let text = plain_text(&report);
    assert_fits(&text, 80);
    for line in [
        "        3     ",
        "0.log  not judged to its end\n",
        "5 more inputs\n",
        "5 more keys\n",
        "19 keys unused: 2026-09, 2026-10, 2026-11 and 16 more\n",
        "        5          0  5 more issuers\n",
        "       16          0  secret-15  weak for HS512\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(
        !text.contains("issuer-10"),
        "ties stay in the order of names\n{text}"
    );
}

#[test]
fn unknown_kids_are_ranked_and_the_rest_is_summed() {
    let validator = Validator::new(bare_policy(), named_keys()).unwrap();
    let mut log = String::new();
    for number in 0..9 {
        for _ in 0..=number {
            log += &(mint(
                &format!(r#"{{"alg":"HS256","kid":"k{number}"}}"#),
                "{}",
                b"-",
            ) + "\n");
        }
    }
    let text = plain_text(&judged(&validator, &[("-", &log)], &options()));
    assert!(text.contains("        9      20.0%  k8\n"), "{text}");
    assert!(
        text.contains("       10      22.2%  4 more kids\n"),
        "{text}"
    );
}

#[test]
fn several_policies_are_listed_one_by_one() {
    let two = two_issuers();
    let text = plain_text(&example_report(&two));
    assert_fits(&text, 80);
    let expected = "
policy   issuer https://auth.example.com/; audience api://orders; required iss,
         aud, exp; leeway 1 min
         issuer https://other.example/; required iss; no leeway
";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("issuer-unknown"), "{text}");
    let many = (0..12).map(|number| (bare_policy().issuer(number.to_string()), named_keys()));
    let many = Validator::with_issuers(many).unwrap();
    let text = plain_text(&example_report(&many));
    assert!(text.contains("and 2 more issuers, each with"), "{text}");
}

#[test]
fn the_policy_is_summarized_in_a_sentence() {
    let mut policy = bare_policy()
        .subject("me")
        .typ("at+jwt")
        .algorithms(crate::AlgorithmSet::HMAC)
        .max_age(86_400)
        .and_then(|policy| policy.max_lifetime(5400))
        .and_then(|policy| policy.max_token_bytes(4096))
        .and_then(|policy| policy.max_key_tries(3))
        .unwrap();
    for number in 0..5 {
        policy = policy.audience(format!("api-{number}"));
    }
    let validator = Validator::new(policy, named_keys()).unwrap();
    let text = plain_text(&judged(&validator, &[("-", "x")], &options()));
    let expected = "
as of    2026-09-21T14:13:20Z, by jotmill VERSION
policy   subject me; audience api-0 or api-1 or api-2 and 2 more; typ at+jwt;
         algorithms HS256, HS384, HS512; required sub, aud, exp, iat; max age 1
         d; max lifetime 90 min; at most 4,096 bytes a token; at most 3 keys
         tried a token; no leeway
";
    let expected = expected.replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&expected), "{text}");
}
