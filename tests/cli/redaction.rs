//! Tokens, secrets and keys in what is printed: none is shown, wherever it was typed or found.

use std::process::Output;

use serde_json::Value;

use crate::program::{AUDIT, NOW, Place, SECRET, code, good, rows, stderr, stdout, token};

#[test]
fn no_token_and_no_secret_is_shown_by_default() {
    let place = Place::new();
    let (good, forged) = (good(), token("other", r#"{"sub":"claim-of-a-forger"}"#));
    place.write("log", format!("{good}\n{forged}\n"));
    for format in ["text", "json", "ndjson"] {
        let output = place.audit(&["--format", format, "log"]);
        let printed = stdout(&output) + &stderr(&output);
        for hidden in [&good[..], &forged, SECRET, "claim-of-a-forger"] {
            assert!(!printed.contains(hidden), "{format}: {printed}");
        }
        let signature = good.rsplit('.').next().expect("a signature");
        assert!(!printed.contains(signature), "{format}: {printed}");
    }
    let output = place.audit(&["--format", "ndjson", "--show-tokens", "--quiet", "log"]);
    assert_eq!(rows(&stdout(&output))[1]["token"], *forged);
}

#[test]
fn a_token_in_the_wrong_place_is_not_repeated() {
    let place = Place::new();
    place.write("log", good());
    place.write("key", SECRET);
    let token = good();
    let token = token.trim();
    let key = ["audit", "--now", NOW, "--secret-file", "key"];
    for arguments in [
        [&key[..], &[token]].concat(),
        [&key[..], &["log", token, "--format", "json"]].concat(),
        vec!["audit", "--now", NOW, "--jwks", token, "log"],
        vec!["audit", "--now", NOW, "--key", token, "log"],
        vec!["audit", "--now", NOW, "--policy", token, "log"],
        vec!["audit", "--alg", token, "log"],
        vec!["inspect", token, token],
        vec![token],
    ] {
        let output = place.run(&arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        let printed = stdout(&output) + &stderr(&output);
        let (_, signature) = token.rsplit_once('.').expect("a signature");
        assert!(!printed.contains(signature), "{printed}");
        assert!(!printed.contains(&token[..20]), "{printed}");
        assert!(!printed.is_empty());
    }
    // A file may have any name.
    place.write(token, good());
    let output = place.run(&[&key[..], &[token]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

/// Everything that a run printed.
fn printed(output: &Output) -> String {
    stdout(output) + &stderr(output)
}

#[test]
fn a_token_is_masked_in_every_argument_and_in_the_report() {
    let place = Place::new();
    place.write("log", good());
    let good = good();
    for argument in [
        format!("Bearer {good}"),
        format!(" {good}"),
        format!("\"{good}\""),
        format!("token={good}"),
        format!("{good}\n{good}"),
        format!("https://example.com/?t={good}"),
    ] {
        for format in ["text", "json", "ndjson"] {
            let output = place.audit(&["--format", format, "log", &argument]);
            assert_eq!(code(&output), 2);
            assert!(!printed(&output).contains(&good), "{argument} {format}");
        }
        for arguments in [
            &["inspect", "--", "x", &argument][..],
            &["audit", "--jwks", &argument],
            &["audit", "--key", &argument],
            &["audit", "--policy", &argument],
            &["audit", "--secret-file", "secret", "--alg", &argument],
            &["audit", "--secret-file", "secret", "--now", &argument],
            &["keys", "--secret-file", &argument],
            &["gen", "--shape", &argument],
        ] {
            let output = place.run(arguments);
            assert_eq!(code(&output), 2, "{arguments:?}");
            assert!(!printed(&output).contains(&good), "{arguments:?}");
        }
    }
    let output = place.run(&["audit", &format!("--{good}")]);
    assert!(code(&output) == 2 && !printed(&output).contains(&good));
    let mut command = place.command(&[&AUDIT[..], &["log"]].concat());
    let output = command.env("JOTMILL_KERNEL", &good).output();
    let output = output.expect("jotmill runs");
    assert!(code(&output) == 2 && !printed(&output).contains(&good));
}

#[test]
fn a_key_in_the_place_of_a_path_is_masked() {
    let place = Place::new();
    place.write("log", good());
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    let jwk = r#"{"kty":"oct","k":"c2VjcmV0LXNlY3JldA"}"#;
    for (key, hidden) in [(pem, "MC4CAQAw"), (jwk, "c2VjcmV0LXNlY3JldA")] {
        for arguments in [
            ["--key", key, "log"],
            ["--jwks", key, "log"],
            ["--policy", key, "log"],
            ["--secret-file", "secret", key],
            ["--secret-env", key, "log"],
        ] {
            let output = place.run(&[&["audit", "--format", "json"], &arguments[..]].concat());
            assert_eq!(code(&output), 2, "{arguments:?}");
            assert!(!printed(&output).contains(hidden), "{}", printed(&output));
        }
    }
}

#[test]
fn a_token_inside_a_member_of_a_token_is_masked_in_rows_and_reports() {
    let place = Place::new();
    let inner = token("other", r#"{"sub":"inner"}"#);
    let claims = format!(r#"{{"iss":"{inner}","sub":"x {inner}","jti":"{inner}"}}"#);
    place.write("log", token(SECRET, &claims));
    for format in ["text", "json", "ndjson"] {
        let output = place.audit(&["--format", format, "log"]);
        assert_eq!(code(&output), 0);
        assert!(!printed(&output).contains(&inner), "{format}");
        if format == "ndjson" {
            let row = &rows(&stdout(&output))[0];
            assert_eq!(row["iss"], format!("{}…", &inner[..10]));
            assert_eq!(row["sub"], format!("x {}…", &inner[..10]));
        }
    }
    let output = place.audit(&["--format", "json", "log"]);
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["issuers"][format!("{}…", &inner[..10])]["valid"], 1);
}
