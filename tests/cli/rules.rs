//! Rules beyond the registered claims, as their user meets them: options, policy file, the printed
//! policy, the report, and what `inspect` says.

use std::process::Output;

use serde_json::{Value, json};

use crate::program::{Place, assert_cannot, code, stderr, stdout, token};
use crate::token_maker::{TokenMaker, encode};

const SECRET: &str = "a secret of thirty-two bytes, ok";
const RULES: [&str; 5] = ["--secret-file", "secret", "--now", "1790000000", "--quiet"];

fn signed(header: &str, payload: &str) -> String {
    let made = TokenMaker::new()
        .header(header)
        .payload(payload)
        .secret(SECRET);
    String::from_utf8(made.sign()).expect("a token is text")
}

/// The rows of an audit of these tokens, with these options.
fn rows(place: &Place, tokens: &[String], options: &[&str]) -> Vec<Value> {
    place.write("log", tokens.join("\n"));
    let output = place.run(
        &[
            &["audit"],
            &RULES[..],
            options,
            &["--format", "ndjson", "log"],
        ]
        .concat(),
    );
    assert!(code(&output) < 2, "{}", stderr(&output));
    let rows = stdout(&output);
    rows.lines()
        .map(|row| serde_json::from_str(row).expect("a row is JSON"))
        .collect()
}

fn reasons(rows: &[Value]) -> Vec<Value> {
    rows.iter().map(|row| row["reasons"].clone()).collect()
}

fn inspect(place: &Place, token: &str, options: &[&str]) -> Output {
    place.run(&[&["inspect"], &RULES[..4], options, &[token]].concat())
}

#[test]
fn a_claim_is_compared_with_its_expected_values() {
    let place = Place::new();
    let tokens = [
        token(SECRET, r#"{"client_id":"app1","level":3.0}"#),
        token(SECRET, r#"{"client_id":"app2","level":3}"#),
        token(SECRET, r#"{"client_id":"app3","level":3}"#),
        token(SECRET, r#"{"level":4}"#),
    ];
    let options = [
        "--claim",
        "client_id=app1",
        "--claim",
        "client_id=app2",
        "--claim",
        "level:=3",
    ];
    let rows = rows(&place, &tokens, &options);
    assert_eq!(
        reasons(&rows),
        [
            Value::Null,
            Value::Null,
            json!(["claim-mismatch"]),
            json!(["missing-claim", "claim-mismatch"])
        ]
    );
    assert_eq!(rows[3]["missing"], json!(["client_id"]));
    let page = stdout(&inspect(&place, &tokens[2], &options));
    for hint in [
        "claim-mismatch",
        r#""client_id" is "app3""#,
        r#""client_id=app2""#,
    ] {
        assert!(page.contains(hint), "{hint}: {page}");
    }
    assert!(!page.contains("level:=3"), "that claim is right: {page}");
}

#[test]
fn what_an_option_does_not_take_is_refused_with_what_to_write() {
    let place = Place::new();
    for (option, value, hint) in [
        ("--require", "client_id=app1", "--claim NAME=TEXT"),
        ("--require", "exp,level:=3", "--claim NAME=TEXT"),
        ("--typ", "JWT,at+jwt", "repeat --typ"),
        ("--typ", "", "a media type is missing"),
        ("--claim", "client_id", "--require NAME"),
        ("--claim", "level:=null", "counts as absent"),
        ("--claim", "level:=\"three\"", "NAME=TEXT"),
        ("--claim", "level:=[3]", "JSON Pointer"),
        ("--claim", "=x", "empty name"),
        ("--claim", "/a~=x", "RFC 6901"),
        (
            "--issuer",
            "https://{a}{b}/",
            "one at most between two slashes",
        ),
        ("--issuer", "https://{}/", "{tid}"),
        ("--scope", " ", "read write"),
        ("--crit", "b64", "b64-unsupported"),
        ("--crit", "alg", "registered"),
        ("--max-key-tries", "0", "at least one key"),
        (
            "--max-key-tries",
            "18446744073709551615",
            "at least one key",
        ),
    ] {
        let output = place.run(&[&["audit"], &RULES[..], &[option, value, "log"]].concat());
        assert_cannot(&output, &[option, hint]);
    }
    // The advice is right.
    let tokens = [token(SECRET, r#"{"client_id":"app1","roles":["admin"]}"#)];
    let advised = rows(
        &place,
        &tokens,
        &[
            "--claim",
            "client_id=app1",
            "--require",
            "client_id",
            "--claim",
            "/roles/0=admin",
        ],
    );
    assert_eq!(reasons(&advised), [Value::Null]);
}

#[test]
fn an_extension_in_crit_is_accepted_by_its_name() {
    let place = Place::new();
    let tokens = [
        signed(r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, "{}"),
        signed(
            r#"{"alg":"HS256","crit":["urn:x:iat"],"urn:x:iat":1}"#,
            "{}",
        ),
    ];
    let unsupported = json!(["crit-unsupported"]);
    assert_eq!(
        reasons(&rows(&place, &tokens, &[])),
        [unsupported.clone(), unsupported.clone()]
    );
    let allowed = rows(&place, &tokens, &["--crit", "urn:x:iat"]);
    assert_eq!(reasons(&allowed), [unsupported, Value::Null]);
    let page = stdout(&inspect(&place, &tokens[1], &[]));
    for hint in ["not understood: \"urn:x:iat\"", "--crit NAME"] {
        assert!(page.contains(hint), "{page}");
    }
}

#[test]
fn scopes_and_placeholders_are_checked_and_explained() {
    let place = Place::new();
    let good = r#"{"scope":"read write","iss":"https://login.example.com/t-1/v2.0","tid":"t-1"}"#;
    let tokens = [
        token(SECRET, good),
        token(SECRET, &good.replace(" write", "")),
        token(SECRET, &good.replace(r#""tid":"t-1""#, r#""tid":"t-2""#)),
        token(SECRET, &good.replace("scope", "scopes")),
    ];
    let options = [
        "--scope",
        "read",
        "--scope",
        "write",
        "--issuer",
        "https://login.example.com/{tid}/v2.0",
    ];
    let rows = rows(&place, &tokens, &options);
    let expected = [
        Value::Null,
        json!(["claim-mismatch"]),
        json!(["issuer-mismatch"]),
        json!(["missing-claim"]),
    ];
    assert_eq!(reasons(&rows), expected);
    for (token, hint) in [
        (&tokens[1], "--scope expects \"read\" and \"write\""),
        (&tokens[2], "\"tid\" is \"t-2\""),
        (&tokens[3], "neither scope nor scp"),
    ] {
        let page = stdout(&inspect(&place, token, &options))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(page.contains(hint), "{hint}: {page}");
    }
}

#[test]
fn padding_is_accepted_by_option_and_by_policy_file() {
    let place = Place::new();
    let pad = |text: &str| text.to_owned() + &"=".repeat((4 - text.len() % 4) % 4);
    let made = TokenMaker::new()
        .secret(SECRET)
        .header_segment(pad(&encode(r#"{"alg":"HS256"}"#)))
        .payload_segment(pad(&encode(r#"{"a":1}"#)));
    let tokens = [String::from_utf8(made.with_signature(pad(&encode(made.mac())))).expect("text")];
    assert_eq!(
        reasons(&rows(&place, &tokens, &[])),
        [json!(["signature-base64url"])]
    );
    assert_eq!(
        reasons(&rows(&place, &tokens, &["--accept-padding"])),
        [Value::Null]
    );
    let page = inspect(&place, &tokens[0], &["--accept-padding"]);
    assert_eq!(code(&page), 0, "{}", stdout(&page));
    assert!(!stdout(&page).contains("no padding"), "{}", stdout(&page));
    let issuer = "[[issuer]]\nsecret_file = \"secret\"\n";
    for (file, option, expected) in [
        (format!("accept_padding = true\n{issuer}"), None, 0),
        (issuer.to_owned(), Some("--accept-padding"), 0),
        (issuer.to_owned(), None, 1),
    ] {
        place.write("policy.toml", file);
        let args = ["audit", "--policy", "policy.toml", "--quiet", "log"].into_iter();
        let output = place.run(&args.chain(option).collect::<Vec<_>>());
        assert_eq!(code(&output), expected, "{}", stderr(&output));
    }
}

#[test]
fn five_segments_are_encrypted_only_behind_the_header_of_a_jwe() {
    let place = Place::new();
    let token = token(SECRET, "{}");
    let lines = [
        format!("{}.AA.AA.AA.AA", encode(r#"{"alg":"dir","enc":"A128GCM"}"#)),
        format!("{token}~WyJhIl0~{token}"),
        format!("{token} {token}"),
        "10.9.8.7.6".to_owned(),
        format!("https://a.b.example.com/?t={token}").replacen("a.b.", "", 1),
    ];
    let segment_count = json!(["segment-count"]);
    let mut expected = vec![segment_count; 5];
    expected[0] = json!(["encrypted"]);
    let as_lines = ["--input", "tokens"];
    assert_eq!(reasons(&rows(&place, &lines, &as_lines)), expected);
    for (line, hint) in [
        (&lines[1], "SD-JWT"),
        (&lines[2], "the first of 2 tokens"),
        (
            &"aa.bb.cc dd.ee.ff".to_owned(),
            "white space or a comma within",
        ),
        (&lines[3], "4 dots"),
        (&lines[4], "a URL"),
    ] {
        let page = stdout(&inspect(&place, line, &[]));
        assert!(page.contains(hint), "{hint}: {page}");
        assert!(!page.contains("encrypted"), "{page}");
    }
    // What the hint says to do: the token in front of the first ~ is judged.
    let front = lines[1].split('~').next().expect("a token");
    assert_eq!(code(&inspect(&place, front, &[])), 0);
}

#[test]
fn issuers_of_a_policy_file_that_can_match_one_name_are_refused() {
    let place = Place::new();
    let file = |one: &str, two: &str| {
        let issuer = |iss| format!("[[issuer]]\niss = \"{iss}\"\nsecret_file = \"secret\"\n");
        place.write("policy.toml", issuer(one) + &issuer(two));
        place.write("log", "x");
        let audit = ["audit", "--input", "tokens", "--policy", "policy.toml"];
        place.run(&[&audit[..], &["--quiet", "log"]].concat())
    };
    for (one, two) in [
        ("https://a.example/{tid}/", "https://a.example/x/"),
        (
            "https://a.example/{tid}/v{n}",
            "https://a.example/x{tid}/v2",
        ),
        ("https://{org}.example/", "https://a.{org}/"),
    ] {
        assert_cannot(&file(one, two), &["can match the same name", one, two]);
    }
    assert_eq!(
        code(&file(
            "https://a.example/{tid}/v1",
            "https://a.example/{tid}/v2"
        )),
        1
    );
}

/// Every option that a policy has, with texts that a careless writer of TOML would break.
#[test]
fn the_printed_policy_of_strange_texts_reads_back() {
    const STRANGE: [&str; 12] = [
        "\"",
        "\\",
        "'''",
        "\"\"\"",
        "a\nb",
        "\u{1}\u{7f}\u{9f}",
        "\u{202e}",
        " ",
        "é😀",
        "#x",
        "[[issuer]]",
        "a\r\tb",
    ];
    let place = Place::new();
    let print = |args: &[String]| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = place.run(&[&["audit"], &args[..], &["--print-policy"]].concat());
        assert_eq!(code(&output), 0, "{args:?}: {}", stderr(&output));
        stdout(&output)
    };
    let common = "--secret-file secret --alg HS256 --leeway 5 --max-age 0 --max-lifetime 7d \
                  --max-token-bytes 1G --max-key-tries 9223372036854775807 --kid-hint \
                  --accept-padding --typ JWT --typ at+jwt --scope r --claim n:=-1.50e+1 \
                  --claim b:=true --claim /a~0~1/0=x --issuer https://{t}.example/{u}/v2";
    let common: Vec<String> = common.split_whitespace().map(str::to_owned).collect();
    let mut all = common.clone();
    for (number, text) in STRANGE.into_iter().enumerate() {
        let mut own = common.clone();
        for option in [
            "--issuer",
            "--audience",
            "--subject",
            "--require",
            "--typ",
            "--crit",
        ] {
            // A policy has at most eight of these, and `all` has those of every text.
            if option != "--crit" || number < 8 {
                own.extend([option.to_owned(), text.to_owned()]);
            }
        }
        if !text.contains(char::is_control) && text != " " {
            own.extend(["--scope".to_owned(), text.to_owned()]);
        }
        own.extend(["--claim".to_owned(), format!("{text}={text}=")]);
        own.extend(["--claim".to_owned(), format!("/{text}/{text}={text}")]);
        own.extend(["--claim".to_owned(), format!("empty{text}=")]);
        let printed = print(&own);
        place.write("printed.toml", &printed);
        let again = print(&["--policy".to_owned(), "printed.toml".to_owned()]);
        assert_eq!(again, printed, "{text:?}");
        // The two say the same of a token, by their reports.
        place.write("log", "a.b.c");
        let report = |args: Vec<String>| {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let rest = ["--now", "1790000000", "--quiet", "--format", "json", "log"];
            let output = place.run(&[&["audit"], &args[..], &rest].concat());
            let report: Value = serde_json::from_str(&stdout(&output)).expect("a report");
            report["policy"].clone()
        };
        let by_file = report(vec!["--policy".to_owned(), "printed.toml".to_owned()]);
        assert_eq!(by_file, report(own.clone()), "{text:?}");
        all.extend(own.split_off(common.len()));
    }
    place.write("printed.toml", print(&all));
    print(&["--policy".to_owned(), "printed.toml".to_owned()]);
}

#[test]
fn the_report_lists_the_rules_it_judged_by() {
    let place = Place::new();
    place.write("log", token(SECRET, "{}"));
    let options = [
        "--claim",
        "client_id=app1",
        "--claim",
        "level:=3",
        "--scope",
        "read",
        "--typ",
        "JWT",
        "--typ",
        "at+jwt",
        "--crit",
        "x",
        "--accept-padding",
        "--issuer",
        "https://{org}.example/",
    ];
    let run = |format: &str| {
        let output = place.run(
            &[
                &["audit"],
                &RULES[..],
                &options,
                &["--format", format, "log"],
            ]
            .concat(),
        );
        stdout(&output)
    };
    let report: Value = serde_json::from_str(&run("json")).expect("a report");
    let policy = &report["policy"];
    assert_eq!(policy["claims"], json!(["client_id=app1", "level:=3"]));
    assert_eq!(policy["scopes"], json!(["read"]));
    assert_eq!(policy["typ"], "JWT");
    assert_eq!(policy["typs"], json!(["JWT", "at+jwt"]));
    assert_eq!(policy["crit"], json!(["x"]));
    assert_eq!(policy["accept_padding"], true);
    assert_eq!(policy["issuers"], json!(["https://{org}.example/"]));
    let text = run("text").split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "claim client_id=app1, level:=3",
        "scope read",
        "typ JWT or at+jwt",
        "crit understood: x",
        "padding accepted",
        "issuer https://{org}.example/",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let plain = place.run(&[&["audit"], &RULES[..], &["--format", "json", "log"]].concat());
    let plain: Value = serde_json::from_str(&stdout(&plain)).expect("a report");
    for name in ["claims", "scopes", "typs", "crit", "accept_padding"] {
        assert_eq!(plain["policy"].get(name), None, "{name}");
    }
}
