//! Keys and signatures: which were tried, which verified, and why others did not.

use jotmill::Encoding;

use super::*;

#[test]
fn a_token_made_with_the_placeholder_key_is_not_verified() {
    let forged = signed(r#"{"alg":"HS256"}"#, "{}", &[1; 64]);
    let forged = without_key(forged);
    assert_eq!(forged.outcome, Outcome::NotVerified);
    assert!(forged.json["key"].is_null());
    assert_eq!(forged.json["findings"], json!([]));
    assert!(!forged.says("weak") && !forged.says("authentic"));
}

#[test]
fn a_signature_that_does_not_hold_shows_what_was_tried() {
    let forged = explained(signed(HEADER, r#"{"admin":true}"#, b"guess"));
    assert_eq!(forged.codes(), ["signature-mismatch"]);
    forged.must_say(&[r#"1 key tried: "k1""#, "--secret-file base64:PATH"]);
    assert!(
        forged.page.contains("?     \"admin\": true"),
        "{}",
        forged.page
    );
    let good = token("{}");
    let short = explained(&good[..good.len() - 3]);
    short.must_say(&["it has 30 bytes; HS256 has 32; is it cut short?"]);
    explained(format!("{good}*")).must_say(&[r#"character 44 is "*", which is not in"#]);
    let unsigned = explained(good.rsplit_once('.').unwrap().0.to_owned() + ".");
    unsigned.must_say(&["it has 0 bytes; HS256 has 32; it is not signed at all"]);
}

#[test]
fn a_key_that_cannot_be_chosen_is_explained() {
    for (kid, code, words) in [
        (
            "nobody",
            "key-not-found",
            r#"kid "nobody" is the id of no key"#,
        ),
        (
            "other-alg",
            "key-mismatch",
            r#"key "other-alg" from "keys.json": it is a secret, bound to "HS512" by its alg"#,
        ),
        (
            "for-encryption",
            "key-mismatch",
            r#"it is a secret, for "enc" by its use (RFC 7517 section 4.2)"#,
        ),
        (
            "rsa",
            "key-mismatch",
            r#"keys[3] of "keys.json" is unusable: crv"#,
        ),
        (
            "broken",
            "key-unusable",
            r#"keys[4] of "keys.json" is unusable: k: the character at byte 0 is not"#,
        ),
    ] {
        let header = json!({"alg": "HS256", "kid": kid}).to_string();
        let rejected = explained(signed(header, "{}", SECRET));
        assert_eq!(rejected.codes(), [code]);
        rejected.must_say(&[words]);
    }
    let mut anonymous = KeySet::new();
    for secret in [b"one".as_slice(), b"two", SECRET] {
        anonymous
            .add_encoded_secret(secret, Encoding::Raw, "file")
            .unwrap();
    }
    let header = r#"{"alg":"HS256","kid":"x"}"#;
    let found = explain_by(
        signed(header, "{}", b"two").as_bytes(),
        &policy(),
        Some(anonymous),
    );
    assert_eq!(found.outcome, Outcome::Valid);
    found.must_say(&[
        r#"kid "x" is the id of no key; 3 keys without an id are tried: "secret-1", "secret-2""#,
        r#"holds under the key "secret-2" from "file""#,
        "weak-key: the secret is shorter than the 32 bytes",
    ]);
    let few = policy().max_key_tries(2).unwrap();
    let many = explain_by(
        signed(r#"{"alg":"HS256"}"#, "{}", SECRET).as_bytes(),
        &few,
        {
            let mut keys = KeySet::new();
            (0..3).for_each(|_| keys.add_secret(SECRET, "file").unwrap());
            Some(keys)
        },
    );
    assert_eq!(many.codes(), ["too-many-keys"]);
    many.must_say(&["3 keys fit HS256; the limit is 2"]);
}

#[test]
fn the_greater_s_of_ecdsa_is_shown_with_the_signature() {
    // RFC 7515 appendix A.3.
    let token = concat!(
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5d",
        "jxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    let key = concat!(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
        r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    );
    let mut keys = KeySet::new();
    keys.add_key(key.as_bytes(), "RFC 7515 A.3").unwrap();
    let found = explain_at(1_300_819_379, token.as_bytes(), &policy(), Some(keys));
    assert_eq!(found.outcome, Outcome::Valid);
    found.must_say(&["ecdsa-high-s: of the two signatures"]);
    let count = found.page.matches("ecdsa-high-s").count();
    assert_eq!(count, 1, "not with the header as well");
    let findings = found.json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["code"], "ecdsa-high-s");
}

/// Keys and certificates by OpenSSL, made for the tests under `tests/`.
macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/keyfiles/", $name))
    };
}

/// A token signed with the private key of `ec.pub` and `ec.crt`.
fn signed_by_ec(header: &str) -> String {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

    let pem = String::from_utf8_lossy(file!("ec.p8"));
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap();
    let input = format!("{}.{}", encode(header), encode("{}"));
    let random = aws_lc_rs::rand::SystemRandom::new();
    let signature = pair.sign(&random, input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature))
}

fn files(files: &[(&str, &[u8])]) -> KeySet {
    let mut keys = KeySet::new();
    for (name, file) in files {
        keys.add_key(file, name).unwrap();
    }
    keys
}

#[test]
fn the_public_key_that_verified_is_described() {
    let token = signed_by_ec(r#"{"alg":"ES256"}"#);
    let explain = |keys| explain_by(token.as_bytes(), &policy(), Some(keys));
    let keys = files(&[("ed.pub", file!("ed.pub")), ("ec.pub", file!("ec.pub"))]);
    let thumbprint = keys.get(1).unwrap().thumbprint().unwrap();
    let found = explain(keys);
    assert_eq!(found.outcome, Outcome::Valid);
    found.must_say(&[&format!(
        r#"ES256 holds under the key "{thumbprint}" from "ec.pub" it is an EC key on P-256"#
    )]);
    assert!(!found.says("certificate") && !found.says("its thumbprint"));
    let key = &found.json["key"];
    assert_eq!(
        (&key["kty"], &key["subtype"]),
        (&json!("EC"), &json!("P-256"))
    );
    assert_eq!(key["bits"], 256);
    assert_eq!(key["thumbprint"], *thumbprint);
    assert_eq!(
        (&key["validity"], &key["findings"]),
        (&Value::Null, &json!([]))
    );

    // NOW is before the certificate was made.
    let found = explain(files(&[("ec.crt", file!("ec.crt"))]));
    found.must_say(&[
        "its certificate is valid from 20",
        "certificate-not-yet-valid: its certificate is not valid yet",
    ]);
    let key = &found.json["key"];
    assert!(key["validity"]["not_after"].is_string());
    assert_eq!(key["findings"], json!(["certificate-not-yet-valid"]));

    let found = explain(files(&[("ec.p8", file!("ec.p8"))]));
    found.must_say(&["private-material: the file holds the private key"]);
}

#[test]
fn a_key_with_an_id_has_its_thumbprint_beside_it() {
    let numbers = files(&[("ec.pub", file!("ec.pub"))]);
    let thumbprint = numbers.get(0).unwrap().thumbprint().unwrap();
    let pem = String::from_utf8_lossy(file!("ec.crt"));
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut keys = KeySet::new();
    let jwk = json!({"kty": "EC", "kid": "k", "alg": "ES256", "x5c": [body]});
    keys.add_key(jwk.to_string().as_bytes(), "keys.json")
        .unwrap();
    let token = signed_by_ec(r#"{"alg":"ES256","kid":"k"}"#);
    let found = explain_by(token.as_bytes(), &policy(), Some(keys));
    found.must_say(&[
        r#"kid "k" names 1 key to try: "k""#,
        &format!("its thumbprint is {thumbprint} (RFC 7638)"),
    ]);
}

#[test]
fn a_public_key_that_does_not_fit_is_explained() {
    let rsa_n = "w".repeat(342);
    let set = json!({"keys": [
        {"kty": "oct", "kid": "oct", "k": encode(SECRET)},
        {"kty": "RSA", "kid": "short", "n": encode([0xff; 128]), "e": "AQAB"},
        {"kty": "RSA", "kid": "factor", "n": rsa_n, "e": "AQAB"},
        {"kty": "OKP", "kid": "low", "crv": "Ed25519", "x": encode([0; 32])},
    ]});
    let keys = |more: &[(&str, &[u8])]| {
        let mut keys = files(more);
        keys.add_key(set.to_string().as_bytes(), "keys.json")
            .unwrap();
        keys
    };
    let judge = |alg: &str, kid: Option<&str>, keys| {
        let mut header = json!({ "alg": alg });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let token = format!("{}.e30.{}", encode(header.to_string()), encode([1; 64]));
        explain_by(token.as_bytes(), &policy(), Some(keys))
    };
    let found = judge("ES256", Some("oct"), keys(&[]));
    assert_eq!(found.codes(), ["key-mismatch"]);
    found.must_say(&["it is a secret; ES256 takes an EC key on P-256 (RFC 7518 section 3.4)"]);
    for (kid, why) in [
        (
            "short",
            "n: 1024 bits; RFC 7518 section 3.3 asks for 2048 or more",
        ),
        ("low", "x: a point of low order"),
    ] {
        let found = judge("RS256", Some(kid), keys(&[]));
        assert_eq!(found.codes(), ["key-unusable"]);
        found.must_say(&[why]);
    }
    // A key on another curve, of another size of ML-DSA, of another curve of Edwards.
    let others: [(&str, &[u8]); 3] = [
        ("p384", file!("secp384r1.pub")),
        ("ed448", file!("ed448.pub")),
        ("rsa", file!("rsa.pub")),
    ];
    for kid in [None, Some("nobody")] {
        for (alg, words) in [
            (
                "ES256",
                "it is an EC key on P-384; ES256 takes an EC key on P-256",
            ),
            (
                "Ed25519",
                "it is an Ed448 key; Ed25519 takes an Ed25519 key",
            ),
            (
                "ML-DSA-44",
                "it is an RSA key of 2,048 bits; ML-DSA-44 takes an ML-DSA-44 key",
            ),
            (
                "HS256",
                "it is an RSA key of 2,048 bits; HS256 takes a secret",
            ),
        ] {
            let mut found = files(&others);
            if alg != "HS256" {
                found = keys(&others);
            }
            let found = judge(alg, kid, found);
            assert_eq!(found.codes(), ["key-not-found"], "{alg}");
            found.must_say(&[words]);
        }
    }
    // Without a kid any unusable key may be the missing one.
    judge("RS256", None, keys(&[]))
        .must_say(&["keys[1] of \"keys.json\" is unusable: n: 1024 bits"]);
    let bound = json!({"kty": "EC", "kid": "b", "alg": "ECDH-ES", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    for (member, value, words) in [
        (
            "alg",
            json!("ECDH-ES"),
            r#"it is an EC key on P-256, bound to "ECDH-ES" by its alg"#,
        ),
        (
            "use",
            json!("enc"),
            r#"it is an EC key on P-256, for "enc" by its use"#,
        ),
        (
            "key_ops",
            json!(["deriveKey"]),
            "its key_ops do not verify (RFC 7517 section 4.3)",
        ),
    ] {
        let mut jwk = bound.clone();
        jwk["alg"] = "ES256".into();
        jwk[member] = value;
        let mut keys = KeySet::new();
        keys.add_key(jwk.to_string().as_bytes(), "keys.json")
            .unwrap();
        let found = judge("ES256", Some("b"), keys);
        assert_eq!(found.codes(), ["key-mismatch"]);
        found.must_say(&[words]);
    }
}

#[test]
fn a_signature_of_pss_that_does_not_hold_may_have_another_salt() {
    let header = encode(r#"{"alg":"PS256"}"#);
    let token = format!("{header}.e30.{}", encode([1; 256]));
    let keys = files(&[("rsa.pub", file!("rsa.pub"))]);
    let found = explain_by(token.as_bytes(), &policy(), Some(keys));
    assert_eq!(found.codes(), ["signature-mismatch"]);
    found.must_say(&["or its salt is not as long as the hash (RFC 7518 section 3.5)"]);
    assert!(!found.says("--secret-file"));
    without_key(&token).must_say(&["give its public key or certificate (--key) or a key set"]);
    let hmac = without_key(signed(HEADER, "{}", SECRET));
    hmac.must_say(&["give the secret (--secret-file) or a key set (--jwks)"]);
}
