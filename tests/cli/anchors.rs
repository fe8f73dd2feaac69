//! Anchors as their user meets them: options, policy file, the printed policy, report, `inspect`.

use serde_json::{Value, json};

use crate::program::{Place, assert_cannot, code, stderr, stdout};

/// A root, and a token whose `x5c` is the chain of CN=leaf and this root, both from 2026 to 2036.
const ROOT: &[u8] = include_bytes!("../keyfiles/anchor.cer");
const TOKEN: &str = include_str!("../keyfiles/anchored.jwt");
const NOW: [&str; 2] = ["--now", "1790000000"];
const ANCHOR: [&str; 4] = ["--anchor", "root.cer", "--anchor-name", "CN=leaf"];

fn place() -> Place {
    let place = Place::new();
    place.write("root.cer", ROOT);
    place.write("log", TOKEN);
    place
}

fn report(place: &Place, options: &[&str]) -> Value {
    let output = place.run(&[&["audit", "--format", "json"], options, &NOW, &["log"]].concat());
    assert!(code(&output) < 2, "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).expect("a report")
}

#[test]
fn an_anchor_and_a_name_make_the_tokens_of_its_chains_valid() {
    let place = place();
    let found = report(&place, &ANCHOR);
    assert_eq!(
        (&found["valid"], &found["rejected"]),
        (&json!(1), &json!(0))
    );
    let key = json!({"valid": 1, "rejected": 0, "anchor_names": ["CN=leaf"]});
    assert_eq!(found["keys"], json!({"anchor-1": key}));
    assert_eq!(found["extended_key_usages"], json!({"none": 1}));
    assert!(
        found["unchecked"]
            .as_array()
            .expect("names")
            .contains(&json!("revocation"))
    );
    let output = place.run(&[&["audit"], &ANCHOR[..], &NOW, &["log"]].concat());
    let text = stdout(&output);
    for part in [
        "anchor-1, root.cer: the chains of CN=leaf",
        "the revocation of certificates is not checked",
        "extended key usage of their signers: none (1 token)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Another name, another time, or the root as a key.
    for (options, reason) in [
        (
            &["--anchor", "root.cer", "--anchor-name", "CN=Leaf"][..],
            "chain-invalid",
        ),
        (&["--key", "root.cer"], "signature-mismatch"),
    ] {
        assert_eq!(
            report(&place, options)["reasons"],
            json!({reason: 1}),
            "{options:?}"
        );
    }
}

#[test]
fn the_printed_policy_has_the_anchors_and_says_the_same() {
    let place = place();
    let names = ["--anchor-name", "signer.example.com"];
    let output = place.run(&[&["audit", "--print-policy"], &ANCHOR[..], &names].concat());
    let policy = stdout(&output);
    assert!(
        policy.contains(r#"anchor_name = ["CN=leaf", "signer.example.com"]"#),
        "{policy}"
    );
    place.write("policy.toml", &policy);
    let again = stdout(&place.run(&["audit", "--print-policy", "--policy", "policy.toml"]));
    assert_eq!(policy, again);
    assert_eq!(report(&place, &["--policy", "policy.toml"])["valid"], 1);
    for (members, why) in [
        (
            "anchor = \"root.cer\"",
            "policy.toml:2:10: an anchor without anchor_name",
        ),
        (
            "anchor_name = \"CN=leaf\"",
            "policy.toml:2:15: anchor_name without an anchor",
        ),
        (
            "anchor = \"root.cer\"\nanchor_name = \"*.b\"",
            "policy.toml:2:10: ./root.cer: the anchor cannot",
        ),
    ] {
        place.write("policy.toml", format!("[[issuer]]\n{members}\n"));
        let output = place.run(&["audit", "--policy", "policy.toml", "log"]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

#[test]
fn options_for_anchors_belong_together() {
    let place = place();
    for (options, why) in [
        (&["--anchor", "root.cer"][..], "--anchor-name"),
        (&["--anchor-name", "CN=leaf"], "--anchor"),
        (
            &["--anchor", "none.cer", "--anchor-name", "x"],
            "cannot read the anchor none.cer",
        ),
        (
            &["--anchor", "log", "--anchor-name", "x"],
            "neither PEM nor DER",
        ),
        (
            &[
                "--alg",
                "HS256",
                "--anchor",
                "root.cer",
                "--anchor-name",
                "x",
            ],
            "no key can verify",
        ),
    ] {
        let output = place.run(&[&["audit"], options, &["log"]].concat());
        assert_cannot(&output, &[why]);
    }
    // An anchor is never overwritten.
    let output = place.run(&[&["audit", "-o", "root.cer"], &ANCHOR[..], &["log"]].concat());
    assert_eq!(code(&output), 2, "{}", stdout(&output));
    let kept = std::fs::read(place.path("root.cer"));
    assert_eq!(kept.expect("a file"), ROOT);
}

#[test]
fn inspect_says_where_a_chain_leads() {
    let place = place();
    let page = |options: &[&str]| {
        let output = place.run(&[&["inspect"], options, &NOW, &[TOKEN.trim()]].concat());
        // Lines are wrapped.
        stdout(&output)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let valid = page(&ANCHOR);
    for part in [
        "VALID",
        r#"its certificate chain leads to the anchor "anchor-1" from "root.cer""#,
        "revocation is not checked",
        "ES256 holds under the key of the first certificate of x5c",
    ] {
        assert!(valid.contains(part), "{part}: {valid}");
    }
    let refused = page(&["--anchor", "root.cer", "--anchor-name", "leaf"]);
    assert!(refused.contains("REJECTED: chain-invalid"), "{refused}");
    assert!(refused.contains("has none of the names"), "{refused}");
    let keys = stdout(&place.run(&[&["keys"], &ANCHOR[..]].concat()));
    assert!(keys.contains("none (anchor of CN=leaf)"), "{keys}");
}
