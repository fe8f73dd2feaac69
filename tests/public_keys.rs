//! Asymmetric signatures: every algorithm with keys generated here, every form of a key, and the
//! faults of signatures and keys.
//!
//! `keyfiles/` was written by OpenSSL 3.0. Its keys were made for these tests and protect nothing.

use std::sync::LazyLock;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair,
    PqdsaSigningAlgorithm, RsaEncoding,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use jotmill::{KeyFinding, KeySet, Policy, Reason, RunOptions, UnixTime, Validator};
use jotmill_datasets::{Algorithm, Dataset, Defect, Share, Spec};
use serde_json::json;

use crate::ground_truth;
use crate::judges::audit;
use crate::token_maker::{TokenMaker, encode};

/// Between the ends of the certificates in `keyfiles`.
const NOW: u64 = 1_800_000_000;

fn now() -> UnixTime {
    UnixTime::new(NOW, 0).expect("a time")
}

fn validator(jwks: &str) -> Validator {
    validator_with(Policy::new(), jwks)
}

fn validator_with(policy: Policy, jwks: &str) -> Validator {
    let mut keys = KeySet::new();
    keys.add_key(jwks.as_bytes(), "the test's keys")
        .expect("usable keys");
    Validator::new(policy, keys).expect("a validator")
}

/// The codes of a token; the validator and a run must agree on them and on the key.
pub fn codes(validator: &Validator, token: &str) -> String {
    let verdict = validator.validate_at(token.as_bytes(), now());
    let (rows, finished) = audit(validator, token.as_bytes(), &RunOptions::new(now()));
    for reason in Reason::ALL {
        let count = u64::from(verdict.reasons.contains(*reason));
        let found = finished.report.tally.reasons[reason.index()];
        assert_eq!(found, count, "{reason}: {rows}");
    }
    let row: serde_json::Value = serde_json::from_str(&rows).expect("a row");
    let name = verdict.key.and_then(|key| validator.keys().get(key));
    assert_eq!(row["key"].as_str(), name.map(jotmill::Key::name));
    assert_eq!(verdict.is_valid(), verdict.reasons.is_empty());
    let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code()).collect();
    codes.join(" ")
}

/// Signs a message by the algorithm of this name.
pub type Sign = dyn Fn(&str, &[u8]) -> Vec<u8> + Send + Sync;

/// A private key, its public half as a JWK without `alg` or `kid`, and how it signs.
pub struct Signer {
    pub jwk: serde_json::Value,
    pub algs: Vec<&'static str>,
    pub sign: Box<Sign>,
}

impl Signer {
    pub fn token(&self, alg: &str, more: &str) -> String {
        let header = format!(r#"{{"alg":"{alg}"{more}}}"#);
        let input = format!("{}.{}", encode(header), encode(r#"{"sub":"me"}"#));
        let signature = (self.sign)(alg, input.as_bytes());
        format!("{input}.{}", encode(signature))
    }

    pub fn jwks(&self, more: serde_json::Value) -> String {
        let mut jwk = self.jwk.clone();
        for (name, value) in more.as_object().expect("members") {
            jwk[name] = value.clone();
        }
        json!({ "keys": [jwk] }).to_string()
    }
}

fn rsa(size: KeySize) -> Signer {
    let pair = RsaKeyPair::generate(size).expect("a key");
    let public = numbers(&pair);
    Signer {
        jwk: json!({"kty": "RSA", "n": encode(&public.0), "e": encode(&public.1)}),
        algs: vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        sign: Box::new(move |alg, message| {
            let padding: &'static dyn RsaEncoding = match alg {
                "RS256" => &signature::RSA_PKCS1_SHA256,
                "RS384" => &signature::RSA_PKCS1_SHA384,
                "RS512" => &signature::RSA_PKCS1_SHA512,
                "PS256" => &signature::RSA_PSS_SHA256,
                "PS384" => &signature::RSA_PSS_SHA384,
                "PS512" => &signature::RSA_PSS_SHA512,
                // A salt as long as it can be, which PyJWT's and golang-jwt's old tokens have.
                _ => {
                    const {
                        &signature::RSA_PSS_SHA256
                            .with_pss_salt_length(signature::RsaPssSaltLength::Max)
                    }
                }
            };
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature)
                .expect("a signature");
            signature
        }),
    }
}

/// Modulus and exponent, out of the RSAPublicKey that the library gives.
fn numbers(pair: &RsaKeyPair) -> (Vec<u8>, Vec<u8>) {
    let der = pair.public_key().as_ref();
    let n_len = pair.public_modulus_len();
    // The exponent is 65537: a tag, a length and three bytes at the end, and before it the modulus.
    let (before, e) = der.split_at(der.len() - 3);
    (
        before[before.len() - 2 - n_len..before.len() - 2].to_vec(),
        e.to_vec(),
    )
}

fn ecdsa(alg: &'static str, curve: &str, algorithm: &'static EcdsaSigningAlgorithm) -> Signer {
    let pair = EcdsaKeyPair::generate(algorithm).expect("a key");
    let point = pair.public_key().as_ref()[1..].to_vec();
    let (x, y) = point.split_at(point.len() / 2);
    Signer {
        jwk: json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)}),
        algs: vec![alg],
        sign: Box::new(move |_, message| {
            let signature = pair.sign(&SystemRandom::new(), message);
            signature.expect("a signature").as_ref().to_vec()
        }),
    }
}

fn ed25519() -> Signer {
    let pair = Ed25519KeyPair::generate().expect("a key");
    Signer {
        jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())}),
        algs: vec!["EdDSA", "Ed25519"],
        sign: Box::new(move |_, message| pair.sign(message).as_ref().to_vec()),
    }
}

fn ed448() -> Signer {
    let mut seed = [0; 57];
    SystemRandom::new().fill(&mut seed).expect("chance");
    let key = crrl::ed448::PrivateKey::from_seed(&seed);
    Signer {
        jwk: json!({"kty": "OKP", "crv": "Ed448", "x": encode(key.public_key.encode())}),
        algs: vec!["EdDSA", "Ed448"],
        sign: Box::new(move |_, message| key.sign_raw(message).to_vec()),
    }
}

fn ml_dsa(alg: &'static str, algorithm: &'static PqdsaSigningAlgorithm) -> Signer {
    let pair = PqdsaKeyPair::generate(algorithm).expect("a key");
    Signer {
        jwk: json!({"kty": "AKP", "alg": alg, "pub": encode(pair.public_key())}),
        algs: vec![alg],
        sign: Box::new(move |_, message| {
            let mut signature = vec![0; pair.algorithm().signature_len()];
            pair.sign(message, &mut signature).expect("a signature");
            signature
        }),
    }
}

/// A signer of each type, shared by all tests, since RSA keys are slow to generate.
pub fn shared_signers() -> &'static [Signer] {
    static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(signers);
    &SIGNERS
}

pub fn signers() -> Vec<Signer> {
    vec![
        rsa(KeySize::Rsa2048),
        rsa(KeySize::Rsa4096),
        ecdsa(
            "ES256",
            "P-256",
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        ),
        ecdsa(
            "ES384",
            "P-384",
            &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        ),
        ecdsa(
            "ES512",
            "P-521",
            &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        ),
        ecdsa(
            "ES256K",
            "secp256k1",
            &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
        ),
        ed25519(),
        ed448(),
        ml_dsa("ML-DSA-44", &signature::ML_DSA_44_SIGNING),
        ml_dsa("ML-DSA-65", &signature::ML_DSA_65_SIGNING),
        ml_dsa("ML-DSA-87", &signature::ML_DSA_87_SIGNING),
    ]
}

#[test]
fn every_algorithm_verifies_its_own_signatures_whole_and_no_other() {
    let signers = shared_signers();
    for (index, signer) in signers.iter().enumerate() {
        let validator = validator(&signer.jwks(json!({"kid": "k"})));
        for alg in &signer.algs {
            let token = signer.token(alg, r#","kid":"k""#);
            assert_eq!(codes(&validator, &token), "", "{alg}");
            let (input, signature) = token.rsplit_once('.').expect("a signature");
            let whole = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
            let longer = [&whole[..], &[0]].concat();
            for (wrong, code) in [
                (String::new(), "signature-length"),
                ("A".to_owned(), "signature-base64url"),
                (format!("{signature}="), "signature-base64url"),
                (encode(longer), "signature-length"),
                (encode(&whole[..whole.len() - 1]), "signature-length"),
                (encode(vec![0; whole.len()]), "signature-mismatch"),
                (encode(vec![0xff; whole.len()]), "signature-mismatch"),
            ] {
                let token = format!("{input}.{wrong}");
                assert_eq!(codes(&validator, &token), code, "{alg} {wrong}");
            }
            let moved = token.replace(".", "A.").replacen("A.", ".", 1);
            assert_ne!(codes(&validator, &moved), "", "{alg}");
            // Another key of any type never takes it.
            for (other, signer) in signers.iter().enumerate().filter(|(n, _)| *n != index) {
                let others = self::validator(&signer.jwks(json!({"kid": "k"})));
                let found = codes(&others, &token);
                let fits = signer.algs.contains(alg);
                let expected: &[&str] = if fits {
                    &["signature-length", "signature-mismatch"]
                } else {
                    &["key-mismatch"]
                };
                assert!(expected.contains(&&*found), "{alg} under {other}: {found}");
            }
        }
    }
}

/// RFC 9864: `EdDSA` and the full names are different algorithms, and `alg` binds a key to one.
#[test]
fn a_key_bound_to_eddsa_does_not_verify_ed25519_nor_the_reverse() {
    for (signer, full) in [(ed25519(), "Ed25519"), (ed448(), "Ed448")] {
        for (bound, named) in [("EdDSA", full), (full, "EdDSA")] {
            let validator = validator(&signer.jwks(json!({"kid": "k", "alg": bound})));
            let token = |alg: &str| signer.token(alg, r#","kid":"k""#);
            assert_eq!(codes(&validator, &token(bound)), "");
            assert_eq!(codes(&validator, &token(named)), "key-mismatch");
        }
    }
}

/// RFC 7518 section 3.5: the salt is as long as the hash.
#[test]
fn a_salt_of_another_length_is_refused() {
    let signer = rsa(KeySize::Rsa2048);
    let validator = validator(&signer.jwks(json!({})));
    let input = format!("{}.{}", encode(r#"{"alg":"PS256"}"#), encode("{}"));
    let token = |salt: &str| {
        let signature = (signer.sign)(salt, input.as_bytes());
        format!("{input}.{}", encode(signature))
    };
    assert_eq!(codes(&validator, &token("PS256")), "");
    assert_eq!(
        codes(&validator, &token("the longest salt")),
        "signature-mismatch"
    );
    assert_eq!(codes(&validator, &token("RS256")), "signature-mismatch");
}

/// Psychic signatures (CVE-2022-21449), numbers beyond the order, and DER where r and s belong.
#[test]
fn ecdsa_signatures_have_r_and_s_from_one_to_below_the_order() {
    let signer = ecdsa(
        "ES256",
        "P-256",
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    );
    let validator = validator(&signer.jwks(json!({})));
    let input = format!("{}.{}", encode(r#"{"alg":"ES256"}"#), encode("{}"));
    let good = (signer.sign)("ES256", input.as_bytes());
    let (r, s) = good.split_at(32);
    let zero = [0; 32];
    let one = [&[0; 31][..], &[1]].concat();
    let order: Vec<u8> = (0..32)
        .map(|at| {
            let text = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
            u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")
        })
        .collect();
    let judge = |signature: &[u8]| codes(&validator, &format!("{input}.{}", encode(signature)));
    assert_eq!(judge(&good), "");
    for (r, s) in [
        (&zero[..], &zero[..]),
        (&zero, s),
        (r, &zero),
        (&order, s),
        (r, &order),
        (&order, &order),
        (&[0xff; 32], s),
        (r, &[0xff; 32]),
        (&one, &one),
        (s, r),
    ] {
        assert_eq!(judge(&[r, s].concat()), "signature-mismatch");
    }
    // RFC 7518 does not require the lower of the two s: n - s is valid as well.
    let mut high = order.clone();
    let mut borrow = 0;
    for (digit, s) in high.iter_mut().zip(s).rev() {
        let difference = i16::from(*digit) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *digit = u8::try_from(difference.rem_euclid(256)).expect("a byte");
    }
    assert_eq!(judge(&[r, &high].concat()), "");
    let der = [&[0x30, 68, 2, 32][..], r, &[2, 32], s].concat();
    assert_eq!(judge(&der), "signature-length");
}

/// PyJWT 2.11 had to learn it: the curve is a part of the algorithm.
#[test]
fn a_key_on_another_curve_is_a_mismatch() {
    let p384 = ecdsa(
        "ES384",
        "P-384",
        &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
    );
    for more in [json!({"kid": "k"}), json!({"kid": "k", "alg": "ES256"})] {
        let validator = validator(&p384.jwks(more));
        assert_eq!(
            codes(&validator, &p384.token("ES256", r#","kid":"k""#)),
            "key-mismatch"
        );
    }
}

#[test]
fn the_use_members_of_a_jwk_bind_a_public_key() {
    let signer = ed25519();
    for (more, code) in [
        (json!({"use": "sig"}), ""),
        (json!({"use": "enc"}), "key-mismatch"),
        (json!({"key_ops": ["verify"]}), ""),
        (json!({"key_ops": ["sign"]}), "key-mismatch"),
        (json!({"key_ops": ["sign"], "d": "AAAA"}), ""),
        // No right to sign, and so none to verify.
        (json!({"key_ops": ["sign"], "d": ""}), "key-mismatch"),
        (json!({"key_ops": ["sign"], "d": null}), "key-mismatch"),
        (json!({"key_ops": ["sign"], "oth": []}), "key-mismatch"),
        (json!({"key_ops": []}), ""),
        (json!({"key_ops": null, "use": null, "alg": null}), ""),
        (json!({"use": "jwt-svid"}), ""),
        (json!({"use": "wit-svid"}), ""),
        (json!({"use": "x509-svid"}), "key-mismatch"),
    ] {
        let mut members = more.clone();
        members["kid"] = "k".into();
        let token = signer.token("EdDSA", r#","kid":"k""#);
        assert_eq!(
            codes(&validator(&signer.jwks(members)), &token),
            code,
            "{more}"
        );
    }
}

#[test]
fn broken_keys_are_never_used_and_make_their_tokens_unusable() {
    let sound = ed25519();
    let signer = ecdsa(
        "ES256",
        "P-256",
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    );
    let mut off_curve = signer.jwk.clone();
    off_curve["y"] = off_curve["x"].clone();
    let short = json!({"kty": "RSA", "e": "AQAB", "n": encode([0xa5; 128])});
    let even = json!({"kty": "RSA", "e": "AQAB", "n": encode([0xa6; 256])});
    let factor = json!({"kty": "RSA", "e": "AQAB", "n": encode([0xff; 256])});
    let mut low = [0; 32];
    low[0] = 1;
    let low = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(low)});
    for (mut jwk, alg, why) in [
        (off_curve, "ES256", "not a point on its curve"),
        (short, "RS256", "1024 bits"),
        (even, "RS256", "even modulus"),
        (factor, "RS256", "divisible by 3"),
        (low, "EdDSA", "low order"),
    ] {
        jwk["kid"] = "broken".into();
        let set = json!({"keys": [sound.jwk, jwk]}).to_string();
        let validator = validator(&set);
        let header = encode(format!(r#"{{"alg":"{alg}","kid":"broken"}}"#));
        let token = format!("{header}.e30.{}", "A".repeat(86));
        assert_eq!(codes(&validator, &token), "key-unusable", "{why}");
        let aside = validator.keys().unusable_keys();
        assert!(aside[0].problem().contains(why), "{}", aside[0].problem());
    }
}

macro_rules! file {
    ($name:literal) => {
        ($name, &include_bytes!(concat!("keyfiles/", $name))[..])
    };
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    for (forms, private) in [
        (
            vec![
                file!("rsa.pub"),
                file!("rsa.p1"),
                file!("rsa.pem"),
                file!("rsa.trad"),
            ],
            2,
        ),
        (
            vec![
                file!("ec.pub"),
                file!("ec.crt"),
                file!("ec.p8"),
                file!("ec.sec1"),
            ],
            2,
        ),
        (vec![file!("ed.pub"), file!("ed.crt"), file!("ed.pem")], 2),
        (vec![file!("ed448.pub"), file!("ed448.pem")], 1),
        (vec![file!("secp384r1.pub"), file!("secp384r1.sec1")], 1),
        (vec![file!("secp521r1.pub"), file!("secp521r1.sec1")], 1),
        (vec![file!("secp256k1.pub"), file!("secp256k1.sec1")], 1),
    ] {
        let mut thumbprints = Vec::new();
        for (place, (name, pem)) in forms.iter().enumerate() {
            let bom = [b"\xef\xbb\xbf", *pem].concat();
            let crlf = String::from_utf8_lossy(pem)
                .replace('\n', "\r\n")
                .into_bytes();
            let chatty = [b"subject=/CN=x\n", *pem, b"\nnothing\n"].concat();
            let mut ways = vec![pem.to_vec(), bom, crlf, chatty];
            let text = String::from_utf8_lossy(pem);
            let body: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
            if text.matches("BEGIN").count() == 1 {
                let der = STANDARD.decode(body.concat());
                ways.push(der.expect("base64"));
            }
            for way in ways {
                let mut keys = KeySet::new();
                keys.add_key(&way, name).expect("a usable key");
                assert_eq!(keys.len(), 1, "{name}");
                let key = keys.iter().next().expect("a key");
                assert_eq!(key.name(), key.thumbprint().expect("a public key"));
                thumbprints.push(key.thumbprint());
                let now = UnixTime::new(NOW, 0).expect("a time");
                let is_private = place >= private;
                let findings = keys.findings(key, now);
                assert_eq!(
                    findings,
                    if is_private {
                        vec![KeyFinding::PrivateMaterial]
                    } else {
                        vec![]
                    },
                    "{name}"
                );
                assert_eq!(key.validity().is_some(), name.ends_with(".crt"));
                if key.validity().is_some() {
                    for (now, finding) in [
                        (1_790_000_000, KeyFinding::CertificateNotYetValid),
                        (2_200_000_000, KeyFinding::CertificateExpired),
                    ] {
                        let now = UnixTime::new(now, 0).expect("a time");
                        assert_eq!(keys.findings(key, now), [finding]);
                    }
                }
            }
        }
        thumbprints.dedup();
        assert_eq!(thumbprints.len(), 1, "{:?}", forms[0].0);
    }
}

/// RFC 5280 section 4.1.2.5: a certificate is valid from notBefore through notAfter, inclusive.
#[test]
fn a_certificate_is_valid_on_its_first_second_and_on_its_last() {
    use KeyFinding::{CertificateExpired, CertificateNotYetValid};
    let mut keys = KeySet::new();
    keys.add_key(file!("ec.crt").1, "file")
        .expect("a usable key");
    let key = keys.iter().next().expect("a key");
    // As `openssl x509 -dates` has it: 2026-11-23 23:02:44 and 2036-11-20 23:02:44 GMT.
    let (first, last) = (1_795_474_964, 2_110_834_964);
    let validity = key.validity().expect("a certificate");
    assert_eq!((validity.not_before, validity.not_after), (first, last));
    for (seconds, nanoseconds, finding) in [
        (first - 1, 0, Some(CertificateNotYetValid)),
        (first - 1, 999_999_999, Some(CertificateNotYetValid)),
        (first, 0, None),
        (last, 0, None),
        // Its ends are whole seconds: the last one lasts until the next.
        (last, 999_999_999, None),
        (last + 1, 0, Some(CertificateExpired)),
    ] {
        let now = u64::try_from(seconds).expect("after 1970");
        let now = UnixTime::new(now, nanoseconds).expect("a time");
        let found = keys.findings(key, now);
        assert_eq!(found, Vec::from_iter(finding), "{seconds}.{nanoseconds}");
    }
}

#[test]
fn files_without_a_usable_key_are_errors_that_say_why() {
    let cut = &file!("ec.pub").1[..100];
    let relabelled = String::from_utf8_lossy(file!("ec.pub").1).replace("PUBLIC", "RSA PUBLIC");
    for (file, why) in [
        (&b""[..], "neither PEM, DER nor a JWK Set"),
        (b"hello", "neither PEM, DER nor a JWK Set"),
        (b"\x30\x00", "neither a public key"),
        (b"\x30\x82\xff", "not DER"),
        (file!("ec.comp").1, "compressed"),
        (file!("ec.enc").1, "encrypted private key"),
        (file!("x.pub").1, "key agreement"),
        (cut, "without an end"),
        (
            relabelled.as_bytes(),
            "labelled RSA PUBLIC KEY, but it is a SubjectPublicKeyInfo",
        ),
        (b"{}", "neither a JWK Set"),
    ] {
        let error = KeySet::new().add_key(file, "file").expect_err("no key");
        assert!(error.problem.contains(why), "{}", error.problem);
    }
    // Of several, the others are used.
    let both = [file!("ec.comp").1, file!("ed.pub").1].concat();
    let mut keys = KeySet::new();
    keys.add_key(&both, "file").expect("one usable key");
    assert_eq!((keys.len(), keys.unusable_keys().len()), (1, 1));
}

/// A bundle whose first key was cut short somewhere: the next one is still there.
#[test]
fn a_pem_block_without_an_end_takes_no_other_key_with_it() {
    let (ed, ec) = (file!("ed.pub").1, file!("ec.pub").1);
    let text = String::from_utf8_lossy(ed).into_owned();
    let end = text.find("-----END").expect("an end line");
    for (cut, says) in [
        // Without its end line, with half of it, and with nothing but its first line.
        (&text[..end], "line 3: a PEM block without an end line"),
        (&text[..end + 12], "line 3: a PEM block without an end line"),
        (&text[..27], "line 3: a PEM block without an end line"),
        (&text.replace("MCow", "M?ow"), "line 3: not well-formed PEM"),
        // The end line of another block is no end of this one.
        (
            &text.replace("-----END PUBLIC", "-----END PRIVATE"),
            "line 3: not well-formed PEM",
        ),
    ] {
        for eol in ["\n", "\r\n"] {
            let cut = format!("\nOurs.\n{cut}\n").replace('\n', eol);
            let bundle = [cut.as_bytes(), ec, b"\ntheirs\n", ed].concat();
            let mut keys = KeySet::new();
            keys.add_key(&bundle, "bundle").expect("two usable keys");
            let types: Vec<_> = keys.iter().map(jotmill::Key::subtype).collect();
            assert_eq!(types, [Some("P-256"), Some("Ed25519")], "{cut}");
            let [aside] = keys.unusable_keys() else {
                panic!("{:?}", keys.unusable_keys());
            };
            assert_eq!(aside.index, Some(0));
            assert!(aside.why.starts_with(says), "{}", aside.why);
        }
    }
    let last = [ec, &ed[..60]].concat();
    let mut keys = KeySet::new();
    keys.add_key(&last, "bundle").expect("one usable key");
    let line = format!(
        "line {}: a PEM block",
        String::from_utf8_lossy(ec).lines().count() + 1
    );
    assert!(
        keys.unusable_keys()[0].why.starts_with(&line),
        "{:?}",
        keys.unusable_keys()
    );
}

/// RFC 7468 section 2: white space says nothing, wherever a tool or an editor has put it.
#[test]
fn pem_is_read_with_white_space_of_any_kind_and_refused_for_nothing_else() {
    let (name, pem) = file!("rsa.pub");
    let text = String::from_utf8_lossy(pem).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let [first, body @ .., last] = &lines[..] else {
        panic!("lines");
    };
    let thumbprint = |text: &str| {
        let mut keys = KeySet::new();
        keys.add_key(text.as_bytes(), name)
            .map(|()| keys.iter().next().and_then(jotmill::Key::thumbprint))
            .map_err(|error| error.problem)
    };
    let expected = thumbprint(&text).expect("a usable key");
    let (half, line) = (body.len() / 2, body.concat());
    for text in [
        format!("{first}\n{line}\n{last}\n"),
        format!("{first}{line}{last}"),
        format!("{first}\n{}\n{last}", body.join(" ")),
        format!("{first} \n{} \t\n{last}\n", body.join(" \n")),
        format!("{first}\n\n  {}\n\n  {last}", body.join("\n\n  ")),
        format!("{first}\r\n{}\n{last}\r\n", body.join("\n")),
        format!(
            "{first}\n{}\r\n{}\r{last}",
            body[..half].join("\n"),
            body[half..].join("\r"),
        ),
        format!("{first}\n{}\n\u{b}\u{c}{last}", body.join("\n")),
        // How a line end is written where there is none.
        text.replace('\n', "\\n"),
        // Lines of 76 characters, as MIME has them.
        line.as_bytes()
            .chunks(76)
            .fold(format!("{first}\n"), |text, line| {
                format!("{text}{}\n", String::from_utf8_lossy(line))
            })
            + last,
    ] {
        assert_eq!(thumbprint(&text).as_ref(), Ok(&expected), "{text}");
    }
    for (text, why) in [
        (text.replacen("AQ8A", "AQ?A", 1), "not base64"),
        (text.replacen("AQ8A", "AQ_A", 1), "not base64"),
        (text.replacen("AQ8A", "AQ\u{a0}8A", 1), "not base64"),
        (text.replacen("AQ8A", "AQ8", 1), "not base64"),
        (text.replace("END PUBLIC", "END PRIVATE"), "another label"),
        (
            text.replace("PUBLIC KEY", "PUBLIC  KEY"),
            "no well-formed label",
        ),
        (
            text.replacen("KEY-----", "KEY--", 1),
            "no well-formed label",
        ),
        (
            text.replacen('\n', "\nComment: ours\n\n", 1),
            "headers (RFC 1421)",
        ),
        (
            text.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n\n", 1),
            "encrypted private key",
        ),
    ] {
        let problem = thumbprint(&text).expect_err("no key");
        assert!(problem.contains(why), "{problem}\n{text}");
    }
}

/// A token that a private key on P-256 in PKCS #8 signs.
pub fn signed_by(pem: &[u8]) -> String {
    let text = String::from_utf8_lossy(pem);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).expect("base64");
    let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &der);
    let input = format!("{}.{}", encode(r#"{"alg":"ES256"}"#), encode("{}"));
    let signature = (pair.expect("a key")).sign(&SystemRandom::new(), input.as_bytes());
    format!("{input}.{}", encode(signature.expect("a signature")))
}

/// Servers have their certificate and those of its authorities in one file, `fullchain.pem`.
#[test]
fn a_certificate_that_issued_another_of_its_file_is_no_key() {
    let chain = String::from_utf8_lossy(file!("chain.crt").1);
    let certificates: Vec<&str> = chain.split_inclusive("END CERTIFICATE-----\n").collect();
    let [leaf, authority, root] = certificates[..] else {
        panic!("three certificates");
    };
    let (by_leaf, by_authority) = (
        signed_by(file!("chain.p8").1),
        signed_by(file!("chain.ca.p8").1),
    );
    let read = |texts: &[&str]| {
        let mut keys = KeySet::new();
        keys.add_key(texts.concat().as_bytes(), "file")
            .map(|()| Validator::new(Policy::new(), keys).expect("a validator"))
    };
    for (texts, aside) in [
        (vec![leaf, authority, root], vec![1, 2]),
        (vec![root, authority, leaf], vec![0, 1]),
        (vec![leaf, authority], vec![1]),
    ] {
        let validator = read(&texts).expect("one usable key");
        assert_eq!(validator.keys().len(), 1);
        assert_eq!(codes(&validator, &by_leaf), "");
        assert_eq!(codes(&validator, &by_authority), "signature-mismatch");
        let found: Vec<_> = validator.keys().unusable_keys().iter().collect();
        let indices: Vec<_> = found.iter().filter_map(|key| key.index).collect();
        assert_eq!(indices, aside);
        for key in found {
            assert!(key.why.contains("issued another"), "{}", key.why);
            assert!(key.why.contains("file of its own"), "{}", key.why);
        }
    }
    // An unusable certificate still names its issuer.
    let refused = leaf.replace("CERTIFICATE", "X509 CERTIFICATE");
    assert!(read(&[&refused, authority]).is_err());
    // Given by itself, or beside a certificate that it did not issue, it is meant as a key.
    for texts in [&[authority][..], &[root, root], &[leaf, root]] {
        let validator = read(texts).expect("usable keys");
        assert_eq!(validator.keys().len(), texts.len());
    }
    // Two that a signer issued for itself under one name, the old and the new.
    let rolled = [file!("ec.crt").1, file!("ed.crt").1].concat();
    let rolled = String::from_utf8_lossy(&rolled);
    assert_eq!(read(&[&*rolled]).expect("usable keys").keys().len(), 2);
}

/// The JWK of a key on P-256 in PEM: its last 64 bytes are the coordinates.
fn keys_jwk(pem: &[u8]) -> serde_json::Value {
    let text = String::from_utf8_lossy(pem);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(body).expect("base64");
    let (x, y) = der[der.len() - 64..].split_at(32);
    json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
}

fn expected_thumbprint(pem: &[u8]) -> Option<String> {
    let mut keys = KeySet::new();
    keys.add_key(pem, "file").expect("a key");
    keys.iter().next().and_then(jotmill::Key::thumbprint)
}

/// A number has one reading, whoever wrote it: Java with a sign byte, an old library without the
/// zeros in front, others in another alphabet, with padding or white space.
#[test]
fn a_number_with_one_reading_is_a_key_and_is_found() {
    let good = keys_jwk(file!("ec.pub").1);
    let rsa = shared_signers()
        .iter()
        .find(|signer| signer.jwk["kty"] == "RSA");
    let rsa = rsa.expect("an RSA key").jwk.clone();
    let thumbprint_of = |jwk: &serde_json::Value| {
        let mut keys = KeySet::new();
        keys.add_key(jwk.to_string().as_bytes(), "jwk")
            .map_err(|error| error.problem)?;
        let key = keys.iter().next().expect("a key");
        let is_found = keys
            .findings(key, now())
            .contains(&KeyFinding::NotCanonical);
        Ok::<_, String>((key.thumbprint(), is_found))
    };
    let decoded = |jwk: &serde_json::Value, name: &str| {
        let text = jwk[name].as_str().expect("a number");
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    };
    for jwk in [&good, &rsa] {
        let (thumbprint, is_found) = thumbprint_of(jwk).expect("a key");
        assert!(!is_found);
        for name in ["n", "e", "x", "y"] {
            if jwk.get(name).is_none() {
                continue;
            }
            let bytes = decoded(jwk, name);
            let padded = URL_SAFE.encode(&bytes);
            let mut ways = vec![
                encode([&[0][..], &bytes].concat()),
                encode([&[0; 7][..], &bytes].concat()),
                STANDARD.encode([&[0, 0][..], &bytes].concat()),
                format!(" {}", encode(&bytes)),
                format!("{}\n", encode(&bytes)),
            ];
            if padded.ends_with('=') {
                ways.push(padded);
            }
            for way in ways {
                let mut other = jwk.clone();
                other[name] = way.clone().into();
                assert_eq!(
                    thumbprint_of(&other),
                    Ok((thumbprint.clone(), true)),
                    "{name} {way}"
                );
            }
            for (wrong, why) in [
                (encode([&[1][..], &bytes].concat()), ""),
                (String::new(), "empty"),
                (format!("{}*", encode(&bytes)), "'*' at byte"),
                (
                    format!("\u{e9}{}", encode(&bytes)),
                    "the character at byte 0",
                ),
            ] {
                let mut other = jwk.clone();
                other[name] = wrong.clone().into();
                match thumbprint_of(&other) {
                    Err(problem) => assert!(problem.contains(why), "{problem}"),
                    // Of RSA another number may be a key.
                    Ok(found) => assert_ne!(found.0, thumbprint, "{name} {wrong}"),
                }
            }
        }
    }
    // A point of which both coordinates are short, by a byte and by more.
    let mut short = good.clone();
    short["x"] = encode([0; 0]).into();
    assert!(thumbprint_of(&short).is_err_and(|problem| problem.contains("x: empty")));
    for kid in [r#""AQ""#, "7", "[]", "{}", "true"] {
        let text = format!(r#"{{"kty":"EC","crv":"P-256","x":{kid},"y":{kid}}}"#);
        assert!(
            KeySet::new().add_key(text.as_bytes(), "jwk").is_err(),
            "{kid}"
        );
    }
}

/// RFC 7517 section 4.7.
#[test]
fn a_certificate_in_a_jwk_is_its_key_or_agrees_with_it() {
    let body = |pem: &[u8]| -> String {
        let text = String::from_utf8_lossy(pem).into_owned();
        text.lines().filter(|line| !line.starts_with('-')).collect()
    };
    let mut keys = KeySet::new();
    keys.add_key(file!("ec.pub").1, "file").expect("a key");
    let expected = keys.iter().next().and_then(jotmill::Key::thumbprint);
    let x5c = json!([body(file!("ec.crt").1)]);
    let read = |jwk: serde_json::Value| {
        let mut keys = KeySet::new();
        keys.add_key(jwk.to_string().as_bytes(), "jwk")
            .map(|()| keys)
    };
    for jwk in [
        json!({"kty": "EC", "x5c": x5c}),
        json!({"kty": "EC", "crv": "P-256", "x5c": x5c, "kid": "k"}),
    ] {
        let keys = read(jwk).expect("a usable key");
        let key = keys.iter().next().expect("a key");
        assert_eq!(key.thumbprint(), expected);
        assert!(key.validity().is_some());
    }
    let other = ecdsa(
        "ES256",
        "P-256",
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    );
    let mut disagreeing = other.jwk.clone();
    disagreeing["x5c"] = x5c.clone();
    let mut unreadable = other.jwk.clone();
    unreadable["x5c"] = json!(["AAAA"]);
    let keys = read(unreadable).expect("the numbers suffice");
    let now = UnixTime::new(NOW, 0).expect("a time");
    let key = keys.iter().next().expect("a key");
    assert_eq!(keys.findings(key, now), [KeyFinding::CertificateUnreadable]);
    let pem = body(file!("ec.crt").1);
    let mut mine = keys_jwk(file!("ec.pub").1);
    // Whatever is wrong with a certificate, sound numbers are a key.
    for x5c in [
        json!(pem),
        json!(""),
        json!({}),
        json!(7),
        json!([7]),
        json!([null]),
        json!([""]),
        json!([[pem]]),
        json!([pem[4..]]),
        json!([pem.replace('M', "*")]),
        json!(["MA=="]),
    ] {
        mine["x5c"] = x5c.clone();
        let keys = read(mine.clone()).expect("the numbers suffice");
        let key = keys.iter().next().expect("a key");
        let findings = keys.findings(key, now);
        assert_eq!(findings, [KeyFinding::CertificateUnreadable], "{x5c}");
        assert!(read(json!({"kty": "EC", "x5c": x5c})).is_err(), "{x5c}");
    }
    // A certificate has one reading with white space, in base64url, and without padding.
    let wrapped = format!("{}\r\n{}\n", &pem[..64], &pem[64..]);
    let url = pem.replace('+', "-").replace('/', "_").replace('=', "");
    for (text, is_canonical) in [(&pem, true), (&wrapped, false), (&url, false)] {
        for mut jwk in [keys_jwk(file!("ec.pub").1), json!({"kty": "EC"})] {
            jwk["x5c"] = json!([text]);
            let keys = read(jwk).expect("a usable key");
            let key = keys.iter().next().expect("a key");
            let now = UnixTime::new(1_900_000_000, 0).expect("a time");
            let found = keys.findings(key, now);
            let expected: &[_] = if is_canonical {
                &[]
            } else {
                &[KeyFinding::NotCanonical]
            };
            assert_eq!(found, expected, "{text:.70}");
            assert_eq!(key.thumbprint(), expected_thumbprint(file!("ec.pub").1));
        }
    }
    for (jwk, why) in [
        (disagreeing, "for another key"),
        (json!({"kty": "RSA", "x5c": x5c}), "another type"),
        (
            json!({"kty": "EC", "crv": "P-384", "x5c": x5c}),
            "another type",
        ),
        (json!({"kty": "EC", "x5c": []}), "array of certificates"),
        (json!({"kty": "EC", "x5c": "AAAA"}), "array of certificates"),
        (json!({"kty": "EC", "x5c": ["AAAA"]}), "x5c"),
    ] {
        let error = read(jwk).expect_err("no usable key");
        assert!(error.problem.contains(why), "{}", error.problem);
    }
}

#[test]
fn a_private_jwk_is_used_for_its_public_half_and_found() {
    let signer = ed25519();
    let mut jwk = signer.jwk.clone();
    jwk["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".into();
    let validator = validator(&jwk.to_string());
    assert_eq!(codes(&validator, &signer.token("EdDSA", "")), "");
    let key = validator.keys().get(0).expect("a key");
    let findings = validator.keys().findings(key, now());
    assert_eq!(findings, [KeyFinding::PrivateMaterial]);
}

#[test]
fn a_kid_is_a_rule_and_with_a_hint_it_is_a_hint() {
    let (one, two) = (ed25519(), ed25519());
    let (mut first, mut second) = (one.jwk.clone(), two.jwk.clone());
    first["kid"] = "one".into();
    second["kid"] = "two".into();
    let set = json!({"keys": [first, second]}).to_string();
    let strict = validator(&set);
    let lenient = validator_with(Policy::new().kid_as_hint(), &set);
    let scarce = Policy::new()
        .kid_as_hint()
        .max_key_tries(1)
        .expect("a limit");
    let scarce = validator_with(scarce, &set);
    let finding = |validator: &Validator, token: &str| {
        let verdict = validator.validate_at(token.as_bytes(), now());
        verdict
            .findings
            .iter()
            .map(|f| f.code())
            .collect::<Vec<_>>()
            .join(" ")
    };
    for (kid, under_rule, under_hint, under_limit, found) in [
        (r#","kid":"one""#, "", "", "", ""),
        (
            r#","kid":"two""#,
            "signature-mismatch",
            "",
            "too-many-keys",
            "kid-of-another-key",
        ),
        (
            r#","kid":"three""#,
            "key-not-found",
            "",
            "too-many-keys",
            "kid-of-another-key",
        ),
        ("", "", "", "too-many-keys", ""),
    ] {
        let token = one.token("EdDSA", kid);
        assert_eq!(codes(&strict, &token), under_rule, "{kid}");
        assert_eq!(codes(&lenient, &token), under_hint, "{kid}");
        assert_eq!(codes(&scarce, &token), under_limit, "{kid}");
        assert_eq!(finding(&lenient, &token), found, "{kid}");
        let forged = token.replace("eyJzdWIiOiJtZSJ9", "eyJzdWIiOiJJIn0");
        assert_ne!(codes(&lenient, &forged), "", "{kid}");
    }
}

/// Grouping by key changes the order of the work and nothing else.
#[test]
fn a_log_of_every_algorithm_is_judged_as_its_tokens_are_one_by_one() {
    let signers = shared_signers();
    let mut members = vec![json!({"kty": "oct", "kid": "oct", "k": encode([3; 64])})];
    let mut tokens = Vec::new();
    for (number, signer) in signers.iter().enumerate() {
        let mut jwk = signer.jwk.clone();
        if number % 3 > 0 {
            jwk["kid"] = format!("key-{number}").into();
        }
        members.push(jwk);
        for alg in &signer.algs {
            for more in [String::new(), format!(r#","kid":"key-{number}""#)] {
                let token = signer.token(alg, &more);
                tokens.push(format!("{token}A"));
                tokens.push(token.replace("eyJzdWIiOiJtZSJ9", "eyJzdWIiOiJJIn0"));
                tokens.push(token);
            }
        }
    }
    let mac = TokenMaker::new().secret([3; 64]).sign();
    tokens.push(String::from_utf8(mac).expect("ASCII"));
    // An order in which no two of a key are adjacent.
    let count = tokens.len();
    let mixed: Vec<&str> = (0..count).map(|at| &*tokens[at * 37 % count]).collect();
    let validator = validator(&json!({ "keys": members }).to_string());
    for (threads, block_bytes) in [(1, 1 << 20), (2, 4096)] {
        let options = RunOptions::new(now())
            .threads(threads)
            .block_bytes(block_bytes);
        let (rows, _) = audit(&validator, mixed.join("\n").as_bytes(), &options);
        assert_eq!(rows.lines().count(), count);
        for (row, token) in rows.lines().zip(&mixed) {
            let row: serde_json::Value = serde_json::from_str(row).expect("a row");
            let verdict = validator.validate_at(token.as_bytes(), now());
            let expected: Vec<&str> = verdict.reasons.iter().map(|r| r.code()).collect();
            assert_eq!(row["verdict"] == "valid", verdict.is_valid(), "{row}");
            if !expected.is_empty() {
                assert_eq!(row["reasons"], json!(expected), "{row}");
            }
            let key = verdict.key.and_then(|key| validator.keys().get(key));
            assert_eq!(row["key"].as_str(), key.map(jotmill::Key::name), "{row}");
        }
    }
}

#[test]
fn a_token_that_occurs_three_times_is_verified_once() {
    for algorithm in Algorithm::ALL {
        if algorithm.is_hmac() {
            continue;
        }
        let dataset = Dataset::new(Spec {
            count: 20,
            algorithms: vec![*algorithm],
            keys: 1,
            defects: vec![(Defect::SignatureMismatch, share("30%"))],
            edges: share("0%"),
            ..Spec::default()
        })
        .expect("a data set");
        let validator = ground_truth::validator(&dataset);
        let mut log = Vec::new();
        dataset.write(&mut log, None, |_| ()).expect("in memory");
        let log = log.repeat(3);
        let options = RunOptions::new(ground_truth::now(&dataset));
        let (rows, finished) = audit(&validator, &*log, &options);
        assert_eq!(finished.repeated, 40, "{algorithm:?}");
        let one_by_one = options.cache_bytes(0);
        assert!(audit(&validator, &*log, &one_by_one).0 == rows);
        assert_eq!(finished.report.tally.tokens.rejected, 18);
    }
}

fn share(text: &str) -> Share {
    text.parse().expect("a share")
}
