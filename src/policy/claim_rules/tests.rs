//! What the builder methods refuse, and that a message says what to do.

use super::*;

fn refused(policy: Result<Policy, Error>) -> String {
    policy
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[test]
fn a_value_that_no_claim_can_equal_is_refused_with_what_to_write() {
    for (json, hint) in [
        ("null", "counts as absent"),
        (r#""text""#, "NAME=TEXT"),
        ("text", "NAME=TEXT"),
        ("", "NAME=TEXT"),
        ("[1]", "JSON Pointer"),
        ("{}", "JSON Pointer"),
        ("1e400", "no number"),
        ("1e-99999999999999999999", "no number"),
        ("01", "no number"),
        ("True", "no number"),
        ("1 2", "no number"),
    ] {
        let message = refused(Policy::new().claim_json("n", json));
        assert!(message.contains(hint), "{json}: {message}");
    }
    for json in ["1", " 1 ", "-0", "1E5", "true", "false", "9007199254740993"] {
        assert!(Policy::new().claim_json("n", json).is_ok(), "{json}");
    }
}

#[test]
fn a_name_is_a_claim_or_a_pointer() {
    for name in ["", "/a~", "/~2", "/a~b/c", "/~"] {
        assert!(
            !refused(Policy::new().claim(name, "x")).is_empty(),
            "{name}"
        );
    }
    for (name, names) in [
        ("a", &["a"][..]),
        ("a/b", &["a/b"]),
        ("https://example.com/role", &["https://example.com/role"]),
        ("/a", &["a"]),
        ("/a~1b~0c", &["a/b~c"]),
        ("/~01", &["~1"]),
        ("/a/b", &[]),
        ("/", &[]),
        ("/a/", &[]),
    ] {
        let policy = Policy::new().claim(name, "x").unwrap();
        assert!(policy.required_names().eq(names.iter().copied()), "{name}");
        assert_eq!(policy.expected_claims(), [format!("{name}=x")]);
    }
    // A registered claim is required as ever.
    let policy = Policy::new().claim("/sub", "x").unwrap();
    assert!(policy.required_names().eq(["sub"]) && policy.extra_names().is_empty());
}

#[test]
fn values_of_one_claim_are_alternatives_and_equal_ones_are_one() {
    let policy = Policy::new()
        .claim("a", "x")
        .and_then(|it| it.claim_json("n", "1.0"))
        .and_then(|it| it.claim("/a", "y"))
        .and_then(|it| it.claim("a", "x"))
        .and_then(|it| it.claim_json("n", "2"));
    assert_eq!(
        policy.unwrap().expected_claims(),
        ["a=x", "a=y", "n:=1.0", "n:=2"]
    );
}

#[test]
fn the_number_of_claims_is_limited() {
    let mut policy = Policy::new();
    for number in 0..MAX_EXTRA_CLAIMS {
        policy = policy.claim(&format!("/a/{number}"), "x").unwrap();
    }
    assert!(policy.clone().claim("/a/0", "y").is_ok());
    assert!(refused(policy.claim("/a/b", "x")).contains("more than 64"));
}

#[test]
fn scopes_are_split_at_spaces() {
    let policy = Policy::new()
        .scope("read  write")
        .unwrap()
        .scope("write x")
        .unwrap();
    assert!(policy.expected_scopes().eq(["read", "write", "x"]));
    for scopes in ["", " ", "a\tb", "a\n"] {
        let message = refused(Policy::new().scope(scopes));
        assert!(message.contains("spaces between"), "{message}");
    }
}

#[test]
fn an_issuer_with_braces_is_a_template_or_refused() {
    let policy = Policy::new().issuer_template("https://a.example/").unwrap();
    assert_eq!(policy.issuers(), ["https://a.example/"]);
    let policy = policy.issuer_template("https://{x}.example/").unwrap();
    assert!(
        policy
            .issuer_names()
            .eq(["https://a.example/", "https://{x}.example/"])
    );
    assert!(policy.required_names().eq(["iss"]));
    assert!(
        !Policy::new()
            .issuer_template("{x}")
            .unwrap()
            .unchecked()
            .contains(&"issuer")
    );
    for template in ["a{", "{}", "{a}{b}", "{a}/{a}", "{iss}"] {
        let message = refused(Policy::new().issuer_template(template));
        assert!(
            message.contains("https://login.example.com/{tid}/v2.0"),
            "{message}"
        );
    }
}

#[test]
fn a_name_that_crit_may_not_list_is_refused() {
    for name in [
        "", "b64", "alg", "kid", "enc", "zip", "x5t#S256", "p2c", "crit",
    ] {
        assert!(!refused(Policy::new().crit(name)).is_empty(), "{name}");
    }
    let mut policy = Policy::new();
    for number in 0..crate::policy::MAX_CRIT {
        policy = policy.crit(&format!("x{number}")).unwrap();
    }
    assert!(policy.clone().crit("x0").is_ok());
    assert!(refused(policy.crit("y")).contains("more than 8"));
}
