use super::*;
use crate::time::UnixTime;

/// RFC 7515 appendix A.1: HS256, with the key as a JWK.
const RFC_7515_A1: &str = concat!(
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
);
const RFC_7515_A1_KEY: &str = concat!(
    r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"#,
    r#"aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
);

fn validator() -> Validator {
    let mut keys = KeySet::new();
    keys.add_key(RFC_7515_A1_KEY.as_bytes(), "RFC 7515 A.1")
        .unwrap();
    Validator::new(Policy::new(), keys).unwrap()
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::new(seconds, 0).unwrap()
}

#[test]
fn the_token_of_rfc_7515_is_valid_until_it_expires() {
    let verdict = validator().validate_at(RFC_7515_A1.as_bytes(), at(1_300_819_379));
    assert!(verdict.is_valid());
    assert_eq!(verdict.key, Some(0));
    let verdict = validator().validate_at(RFC_7515_A1.as_bytes(), at(1_300_819_380));
    assert_eq!(verdict.reasons, Reason::Expired.into());
    assert_eq!(verdict.key, Some(0), "the signature held all the same");
}

#[test]
fn the_payload_is_returned_as_it_was_signed() {
    let payload = validator()
        .payload_at(RFC_7515_A1.as_bytes(), at(0))
        .unwrap();
    let expected = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \
                    \"http://example.com/is_root\":true}";
    assert_eq!(std::str::from_utf8(&payload).unwrap(), expected);
    let verdict = validator()
        .payload_at(RFC_7515_A1.as_bytes(), at(1 << 31))
        .unwrap_err();
    assert_eq!(verdict.reasons, Reason::Expired.into());
}

#[test]
fn every_single_change_to_a_token_is_noticed() {
    let validator = validator();
    for position in 0..RFC_7515_A1.len() {
        let mut token = RFC_7515_A1.as_bytes().to_vec();
        token[position] ^= 1;
        assert!(
            !validator.validate_at(&token, at(0)).is_valid(),
            "{position}"
        );
        token[position] ^= 1;
        token.remove(position);
        assert!(
            !validator.validate_at(&token, at(0)).is_valid(),
            "{position} removed"
        );
    }
}

fn keys(secret: &[u8]) -> KeySet {
    let mut keys = KeySet::new();
    keys.add_secret(secret, "test").unwrap();
    keys
}

#[test]
fn several_policies_must_differ_in_issuer_and_share_the_token_limit() {
    let policy = Policy::new;
    let validator = |second: Policy| {
        let first = (policy().issuer("a").issuer("b"), keys(b"first"));
        Validator::with_issuers([first, (second, keys(b"second"))])
    };
    let good = validator(policy().issuer("c").leeway(9).unwrap()).unwrap();
    let names: Vec<_> = good.keys().iter().map(|key| key.name()).collect();
    assert_eq!(names, ["secret-1", "secret-2"]);
    let of: Vec<_> = good.keys().iter().map(|key| key.policy_index()).collect();
    assert_eq!(of, [0, 1]);
    for (second, hint) in [
        (policy(), "must expect an issuer"),
        (policy().issuer("b"), "expect the issuer \"b\""),
        (
            policy().issuer("c").max_token_bytes(9).unwrap(),
            "maximal token length",
        ),
    ] {
        let error = validator(second).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    }
    let without_key = (policy().issuer("c"), KeySet::new());
    let with_key = (policy().issuer("a"), keys(b"first"));
    assert!(Validator::with_issuers([with_key, without_key]).is_err());
    assert!(Validator::with_issuers([]).is_err());
    let one = Validator::with_issuers([(policy(), keys(b"first"))]).unwrap();
    assert_eq!(one.policy_index(b"whatever"), Some(0));
}

#[test]
fn a_validator_without_keys_is_an_error() {
    assert!(Validator::new(Policy::new(), KeySet::new()).is_err());
}
