//! Claims, times and the leeway.

use super::*;

#[test]
fn all_failing_claims_are_shown_and_by_how_much_each_fails() {
    let payload = json!({
        "iss": "https://A", "sub": "me", "aud": "z", "nbf": NOW + 300, "iat": NOW - 7200,
        "exp": NOW - 3 * 86_400, "jti": 5, "role": null,
    });
    let policy = policy()
        .issuer("https://a/")
        .audience("y")
        .leeway(60)
        .unwrap()
        .max_age(3600)
        .unwrap()
        .require("role")
        .unwrap();
    let expired = explain_by(token(payload.to_string()).as_bytes(), &policy, Some(keys()));
    assert_eq!(expired.outcome, Outcome::Rejected);
    let codes = [
        "jti-type",
        "expired",
        "not-yet-valid",
        "too-old",
        "issuer-mismatch",
        "audience-mismatch",
        "missing-claim",
    ];
    assert_eq!(expired.codes(), codes);
    expired.must_say(&[
        "expired: now is on or after exp (RFC 7519 section 4.1.4)",
        "it expired 3 days ago; the leeway of 1 minute does not reach",
        "it becomes valid in 5 minutes",
        "it was issued 2 hours ago; --max-age is 1 hour",
        r#"iss is "https://A"; expected "https://a/""#,
        "they differ only in case, a final slash or white space",
        r#"aud is "z"; expected "y""#,
        "jti is a number: 5",
        r#""role" is null"#,
    ]);
    assert!(!expired.page.contains("\n?"), "the signature holds");
}

#[test]
fn a_lifetime_and_a_missing_claim_name_their_option() {
    let policy = policy()
        .max_lifetime(60)
        .unwrap()
        .subject("me")
        .require("nbf")
        .unwrap();
    let payload = json!({"iat": NOW, "exp": NOW + 3600});
    let long = explain_by(token(payload.to_string()).as_bytes(), &policy, Some(keys()));
    assert_eq!(
        long.codes(),
        ["lifetime-too-long", "missing-sub", "missing-nbf"]
    );
    long.must_say(&[
        "exp is 1 hour after iat; --max-lifetime is 1 minute",
        "--subject asks for it",
        "--require asks for it",
    ]);
}

#[test]
fn the_leeway_is_shown_where_it_matters() {
    let payload = json!({"exp": NOW - 20, "iat": NOW + 20}).to_string();
    let policy = policy().leeway(60).unwrap();
    let valid = explain_by(token(&payload).as_bytes(), &policy, Some(keys()));
    assert_eq!(valid.outcome, Outcome::Valid);
    valid.must_say(&[
        "expired 20 seconds ago, within the leeway",
        "in 20 seconds, within the leeway",
        "the leeway is 1 minute",
    ]);
    assert!(!explained(token(&payload)).says("within the leeway"));
    assert!(!explain_by(token(&payload).as_bytes(), &policy, None).says("within the leeway"));
}

#[test]
fn times_far_away_are_shown_and_never_wrap() {
    let payload = r#"{"exp":1e308,"nbf":-1e308,"iat":-0.5,"auth_time":1790003600123,
        "updated_at":123456789012345678901234567890123456789012345678901234567890123456789.5}"#;
    let far = explained(token(payload));
    assert_eq!(far.outcome, Outcome::Valid);
    far.must_say(&[
        "exp 1e308 after 9999 in more than a million years",
        "nbf -1e308 before 1970 more than a million years ago",
        "iat -0.5 before 1970 56 years ago",
        "in milliseconds? That would be 2026-09-21T15:13:20.123Z",
    ]);
    assert_eq!(far.json["times"]["exp"]["seconds_from_now"], 1e308);
    let fractional = explained(token(r#"{"exp":1790000000.25}"#));
    fractional.must_say(&["2026-09-21T14:13:20.25Z", "in 0.25 seconds"]);
    explained(token(r#"{"exp":1790000000}"#)).must_say(&["it expires right now", "expires now"]);
    explained(token(r#"{"exp":-1e308}"#)).must_say(&["it expired more than a million years ago"]);
}
