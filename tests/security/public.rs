//! Asymmetric signatures: none at all, in another spelling, of numbers that a careless
//! verifier takes, or under keys with which anyone can sign.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jotmill::Finding;
use serde_json::{Value, json};

use super::{judges_with, plain};
use crate::judges::{Judges, audit};
use crate::public_keys::{Signer, shared_signers, signers};
use crate::token_maker::{ALGORITHMS, TokenMaker, encode};

/// Judges who know one public key, by the id `k`.
fn judges_of(signer: &Signer) -> Judges {
    Judges::new(plain(), &signer.jwks(json!({"kid": "k"})))
}

const KID: &str = r#","kid":"k""#;

/// The signing input of a token, and its signature.
fn split(token: &str) -> (&str, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').expect("a signature");
    (input, URL_SAFE_NO_PAD.decode(signature).expect("base64url"))
}

/// Those for ECDSA alone, with the order of each curve.
fn ecdsa() -> Vec<(&'static Signer, Vec<u8>)> {
    let orders = [
        (
            "P-256",
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ),
        (
            "P-384",
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
             581a0db248b0a77aecec196accc52973",
        ),
        (
            "P-521",
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
             a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        ),
        (
            "secp256k1",
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        ),
    ];
    let of = |signer: &'static Signer| {
        let crv = signer.jwk["crv"].as_str()?;
        let order = orders
            .iter()
            .find_map(|(name, order)| (*name == crv).then_some(*order))?;
        let bytes = (0..order.len() / 2).map(|at| u8::from_str_radix(&order[2 * at..][..2], 16));
        let order = bytes.collect::<Result<_, _>>().expect("hexadecimal digits");
        Some((signer, order))
    };
    shared_signers().iter().filter_map(of).collect()
}

/// `minuend - subtrahend`, big-endian and of one length.
fn difference(minuend: &[u8], subtrahend: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = Vec::new();
    for (large, small) in minuend.iter().zip(subtrahend).rev() {
        let digit = i16::from(*large) - i16::from(*small) - borrow;
        borrow = i16::from(digit < 0);
        digits.push(u8::try_from(digit.rem_euclid(256)).expect("a byte"));
    }
    digits.reverse();
    digits
}

/// CVE-2020-28042 once more, where there is a key that fits.
#[test]
fn an_empty_signature_is_refused_under_every_type_of_key() {
    for signer in shared_signers() {
        let judges = judges_of(signer);
        for alg in &signer.algs {
            let token = signer.token(alg, KID);
            assert_eq!(judges.codes(&token), "", "{alg}");
            let (input, _) = split(&token);
            for (signature, code) in [
                ("", "signature-length"),
                ("AA", "signature-length"),
                ("A", "signature-base64url"),
                (" ", "signature-length"),
                ("=", "signature-base64url"),
            ] {
                assert_eq!(judges.codes(format!("{input}.{signature}")), code, "{alg}");
            }
            assert_eq!(judges.codes(input), "segment-count", "{alg}");
        }
    }
}

/// Algorithm confusion with keys of every type, also in the form of their files: neither the text
/// of a key, its DER, its numbers nor nothing at all is an HMAC secret (CVE-2016-10555,
/// CVE-2026-34950, CVE-2026-44699, CVE-2026-48526).
#[test]
fn a_public_key_of_any_type_is_never_an_hmac_secret() {
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    macro_rules! files {
        ($($name:literal)*) => {
            $(files.push(($name, include_bytes!(concat!("../keyfiles/", $name))));)*
        };
    }
    files!("rsa.pub" "rsa.p1" "rsa.pem" "ec.pub" "ec.crt" "ec.p8" "ed.pub" "ed.crt" "ed448.pub"
        "secp384r1.pub" "secp521r1.pub" "secp256k1.pub");
    for (name, file) in files {
        let text = String::from_utf8_lossy(file).into_owned();
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(&body).expect("base64");
        for key in [file, &der] {
            let mut keys = jotmill::KeySet::new();
            keys.add_key(key, name).expect("a usable key");
            let now = jotmill::UnixTime::new(1_790_000_000, 0).expect("a time");
            let validator =
                jotmill::Validator::new(jotmill::Policy::new(), keys).expect("a validator");
            for secret in [
                file.to_vec(),
                file.trim_ascii_end().to_vec(),
                [b" ", file].concat(),
                text.replace('\n', "\r\n").into_bytes(),
                body.clone().into_bytes(),
                der.clone(),
                der[der.len() - 32..].to_vec(),
                vec![],
                vec![0; 64],
            ] {
                for (alg, _) in ALGORITHMS {
                    let header = format!(r#"{{"alg":"{alg}"}}"#);
                    let made = TokenMaker::new()
                        .header(header)
                        .alg(alg)
                        .secret(&secret[..]);
                    let verdict = validator.validate_at(&made.sign(), now);
                    let codes: Vec<_> = verdict.reasons.iter().map(|r| r.code()).collect();
                    assert_eq!(codes, ["key-not-found"], "{name}");
                }
            }
        }
    }
    for signer in shared_signers() {
        let jwks = signer.jwks(json!({"kid": "k"}));
        let judges = Judges::new(plain(), &jwks);
        let jwk = signer.jwk.to_string();
        let numbers = ["n", "x", "y", "pub"].map(|name| signer.jwk[name].as_str());
        let texts = numbers.into_iter().flatten().map(str::to_owned);
        let mut secrets: Vec<Vec<u8>> = texts.clone().map(String::into_bytes).collect();
        secrets.extend(texts.filter_map(|text| URL_SAFE_NO_PAD.decode(text).ok()));
        secrets.extend([jwk.into_bytes(), jwks.into_bytes(), vec![]]);
        for secret in secrets {
            for (alg, _) in ALGORITHMS {
                for (kid, code) in [(KID, "key-mismatch"), ("", "key-not-found")] {
                    let header = format!(r#"{{"alg":"{alg}"{kid}}}"#);
                    let made = TokenMaker::new().header(header).alg(alg);
                    assert_eq!(judges.codes(made.secret(&secret[..]).sign()), code);
                }
            }
        }
    }
}

/// CVE-2022-21449: r and s are from one to below the order, on every curve, and never in DER.
#[test]
fn a_psychic_signature_is_refused_on_every_curve() {
    for (signer, order) in ecdsa() {
        let judges = judges_of(signer);
        let alg = signer.algs[0];
        let token = signer.token(alg, KID);
        let (input, good) = split(&token);
        let (r, s) = good.split_at(good.len() / 2);
        let judge = |parts: &[&[u8]]| judges.codes(format!("{input}.{}", encode(parts.concat())));
        let zero = vec![0; r.len()];
        let mut one = zero.clone();
        one[r.len() - 1] = 1;
        let most = vec![0xff; r.len()];
        let last = difference(&order, &one);
        for odd in [&zero, &one, &last, &order, &most] {
            for (r, s) in [(&odd[..], s), (r, odd), (odd, odd)] {
                assert_eq!(judge(&[r, s]), "signature-mismatch", "{alg}");
            }
        }
        assert_eq!(judge(&[s, r]), "signature-mismatch", "{alg}");
        // As X.509 has them, and with leading zeros.
        let len = u8::try_from(r.len()).expect("short");
        let der = [&[0x30, 0x81, 2 * (len + 2)], &[2, len][..], r, &[2, len], s];
        for longer in [&der[..], &[&[0], r, &[0], s], &[r, s, &[0]], &[&[0], r, s]] {
            assert_eq!(judge(longer), "signature-length", "{alg}");
        }
        assert_eq!(judge(&[&r[1..], s]), "signature-length", "{alg}");
    }
}

/// RFC 7518 section 3.4 has no rule for the greater of the two s, nor has RFC 8812: both are good,
/// and all judges say which is which.
#[test]
fn both_signatures_of_an_ecdsa_pair_are_good_and_the_greater_is_found() {
    for (signer, order) in ecdsa() {
        let judges = judges_of(signer);
        let alg = signer.algs[0];
        let mut log = Vec::new();
        for number in 0..8 {
            // The signer takes another nonce each time, and either s comes of it.
            let token = signer.token(alg, &format!(r#"{KID},"n":{number}"#));
            let (input, good) = split(&token);
            let (r, s) = good.split_at(good.len() / 2);
            let mirrored = difference(&order, s);
            for (s, other) in [(s, &mirrored[..]), (&mirrored, s)] {
                let line = format!("{input}.{}", encode([r, s].concat()));
                let judged = judges.judge(line.as_bytes()).expect("a token");
                assert_eq!(judged.codes, [""; 0], "{alg}");
                let expected: &[&str] = if s > other { &["ecdsa-high-s"] } else { &[] };
                assert_eq!(judged.findings(), expected, "{alg}");
                log.push(line);
            }
        }
        // Repeated tokens have the same finding: with a cache and without, in the same block and in
        // a later one.
        let log = [log.join("\n"), log.join("\n"), log.join("\n")].join("\n");
        for (cache_bytes, block_bytes) in [(0, 1 << 18), (1 << 20, 1 << 18), (1 << 20, 6000)] {
            let options = judges
                .options()
                .cache_bytes(cache_bytes)
                .block_bytes(block_bytes);
            let (_, finished) = audit(&judges.validator, log.as_bytes(), &options);
            let found = finished.report.tally.findings[Finding::EcdsaHighS as usize];
            assert_eq!(found, 3 * 8, "{alg}");
            assert_eq!(finished.repeated > 0, cache_bytes > 0, "{alg}");
        }
        // One that does not hold has none, nor has a good signature of another type.
        let token = signer.token(alg, KID);
        let (input, _) = split(&token);
        let forged = format!("{input}.{}", encode(vec![0xff; 2 * order.len()]));
        let judged = judges.judge(forged.as_bytes()).expect("a token");
        assert_eq!(judged.findings(), [""; 0], "{alg}");
    }
    for signer in shared_signers()
        .iter()
        .filter(|signer| signer.jwk["kty"] != "EC")
    {
        let judged = judges_of(signer).judge(signer.token(signer.algs[0], KID).as_bytes());
        assert_eq!(judged.expect("a token").findings(), [""; 0]);
    }
}

/// A stack buffer was too short for what an ECDSA signature became in DER.
#[test]
fn a_signature_of_tens_of_thousands_of_characters_is_only_too_long() {
    for signer in shared_signers() {
        let judges = judges_of(signer);
        let alg = signer.algs[0];
        let token = signer.token(alg, KID);
        let (input, _) = split(&token);
        for (len, code) in [
            (21_828, "signature-length"),
            (21_829, "signature-base64url"),
            (21_830, "signature-length"),
            (1 << 20, "signature-length"),
        ] {
            let line = format!("{input}.{}", "A".repeat(len));
            assert_eq!(judges.codes(line), code, "{alg}, {len}");
        }
    }
}

/// Two texts of one signature are two tokens, and a list of revoked tokens knows one of them.
#[test]
fn a_signature_of_every_algorithm_has_one_spelling() {
    for signer in shared_signers() {
        let judges = judges_of(signer);
        for alg in &signer.algs {
            let token = signer.token(alg, KID);
            let (input, bytes) = split(&token);
            let text = encode(&bytes);
            let mut others = vec![
                format!("{text}="),
                format!("{text}=="),
                format!("{text}\r"),
                format!("{} {}", &text[..40], &text[40..]),
                format!("{}\u{0}", text),
                format!("%{}", &text[1..]),
                text.replacen(['-', '_'], "+", 1) + "/",
                STANDARD.encode(&bytes) + "/",
            ];
            // The bits behind the last byte.
            if text.len() % 4 > 0 {
                let (start, last) = text.split_at(text.len() - 1);
                let spare: u8 = if text.len() % 4 == 2 { 16 } else { 4 };
                let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                let value = alphabet.iter().position(|byte| *byte == last.as_bytes()[0]);
                let value = value.expect("of the alphabet");
                for loose in 1..usize::from(spare) {
                    others.push(format!("{start}{}", char::from(alphabet[value + loose])));
                }
            }
            for other in others {
                // A CR and a NUL count where no line ends.
                let line = format!("{input}.{other}\r");
                let codes = judges.codes(line);
                assert_eq!(codes, "signature-base64url", "{alg} {other:?}");
            }
            for bytes in [[&[0], &bytes[..]].concat(), [&bytes[..], &[0]].concat()] {
                let line = format!("{input}.{}", encode(bytes));
                assert_eq!(judges.codes(line), "signature-length", "{alg}");
            }
        }
    }
}

/// RFC 8032 sections 5.1.7 and 5.2.7: S is below the order, or every signature has a second one.
/// In RSA the number is below the modulus (RFC 8017 section 5.2.2).
#[test]
fn a_number_that_is_not_reduced_makes_no_second_signature() {
    // Little-endian, as S is.
    let ed25519: Vec<u8> = [
        &[
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
        ][..],
        &[0xde, 0x14],
        &[0; 15],
        &[0x10],
    ]
    .concat();
    let add = |digits: &mut dyn Iterator<Item = (&mut u8, &u8)>| -> u16 {
        digits.fold(0, |carry, (digit, more)| {
            let sum = u16::from(*digit) + u16::from(*more) + carry;
            *digit = u8::try_from(sum & 0xff).expect("a byte");
            sum >> 8
        })
    };
    let mut seen = 0;
    for signer in shared_signers() {
        let judges = judges_of(signer);
        let is_ed25519 = signer.jwk["crv"] == "Ed25519";
        let modulus = signer.jwk["n"].as_str();
        let modulus = modulus.map(|n| URL_SAFE_NO_PAD.decode(n).expect("base64url"));
        // An RSA signature plus the modulus has the length of a modulus in one case of a few.
        for number in 0..20 {
            let alg = signer.algs[0];
            let token = signer.token(alg, &format!(r#"{KID},"n":{number}"#));
            let (input, mut signature) = split(&token);
            let carry = match &modulus {
                Some(modulus) => add(&mut signature.iter_mut().zip(modulus).rev()),
                None if is_ed25519 => add(&mut signature[32..].iter_mut().zip(&ed25519)),
                None => continue,
            };
            if carry == 0 {
                seen += 1;
                let line = format!("{input}.{}", encode(signature));
                assert_eq!(judges.codes(line), "signature-mismatch", "{alg}");
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

/// A token that brings the key that signed it (CVE-2018-0114, CVE-2026-27962).
#[test]
fn a_public_key_in_the_header_is_never_used() {
    let trusted = signers();
    for signer in shared_signers() {
        let alg = signer.algs[0];
        // Whoever is trusted has a key of the same type, or none.
        let mut others = trusted.iter();
        let other = others.find(|other| other.algs == signer.algs);
        for trusted in [other.map(|other| other.jwks(json!({"kid": "k"}))), None] {
            let judges = match &trusted {
                Some(jwks) => Judges::new(plain(), jwks),
                None => judges_with(""),
            };
            let mut jwk = signer.jwk.clone();
            jwk["kid"] = "k".into();
            for (name, value, finding) in [
                ("jwk", jwk, "jwk-header"),
                ("x5c", json!(["MIIB"]), "x5c-header"),
                (
                    "jku",
                    json!("https://example.com.invalid/keys"),
                    "jku-header",
                ),
                ("x5u", json!("https://example.com.invalid/x"), "x5u-header"),
            ] {
                for (kid, code) in [
                    (KID, ["signature-mismatch", "key-not-found"]),
                    ("", ["signature-mismatch", "key-not-found"]),
                    (r#","kid":"mine""#, ["key-not-found", "key-not-found"]),
                ] {
                    let token = signer.token(alg, &format!(r#"{kid},"{name}":{value}"#));
                    let judged = judges.judge(token.as_bytes()).expect("not blank");
                    let code = code[usize::from(trusted.is_none())];
                    let is_other_size = judged.codes == ["signature-length"];
                    assert!(
                        judged.codes == [code] || is_other_size,
                        "{alg}: {:?}",
                        judged.codes
                    );
                    assert_eq!(judged.findings(), [finding], "{alg}");
                }
            }
        }
    }
}

/// Wycheproof's invalid points, exponents of one and moduli of ROCA; points of low order. Each of
/// these tokens is "signed" as anyone could sign it.
#[test]
fn a_key_with_which_anyone_can_sign_verifies_nothing() {
    let sound = shared_signers();
    let key = |crv: &str| sound.iter().find(|signer| signer.jwk["crv"] == crv);
    let p256 = &key("P-256").expect("one of them").jwk;
    let mut off_curve = p256.clone();
    off_curve["y"] = off_curve["x"].clone();
    let origin = json!({"kty": "EC", "crv": "P-256", "x": encode([0; 32]), "y": encode([0; 32])});
    let rsa = |n: Value, e: &[u8]| json!({"kty": "RSA", "n": n, "e": encode(e)});
    let n = sound[0].jwk["n"].clone();
    let point = |len: usize| [&[1][..], &vec![0; len - 1]].concat();
    let okp = |crv: &str, x: Vec<u8>| json!({"kty": "OKP", "crv": crv, "x": encode(x)});
    // 65537 to the 128th power, which has the fingerprint of ROCA: binomial coefficients by rows.
    let mut power = vec![1_u32];
    for _ in 0..128 {
        let mut next = vec![0; power.len() + 2];
        for (at, digit) in power.iter().enumerate() {
            next[at] += digit;
            next[at + 2] += digit;
        }
        let mut carry = 0;
        for digit in &mut next {
            carry += *digit;
            *digit = carry & 0xff;
            carry >>= 8;
        }
        next.extend((carry > 0).then_some(carry));
        power = next;
    }
    let roca: Vec<u8> = power
        .iter()
        .rev()
        .map(|digit| u8::try_from(*digit).expect("a byte"))
        .collect();
    let roca = roca[roca.iter().position(|digit| *digit > 0).expect("not zero")..].to_vec();
    for (jwk, alg, signature) in [
        (off_curve, "ES256", vec![1; 64]),
        (origin, "ES256", vec![0; 64]),
        (rsa(n.clone(), &[1]), "RS256", vec![1; 256]),
        (rsa(n.clone(), &[]), "PS256", vec![1; 256]),
        (rsa(n.clone(), &[2]), "RS256", vec![1; 256]),
        (
            rsa(encode([0xa5; 128]).into(), &[1, 0, 1]),
            "RS256",
            vec![1; 128],
        ),
        (
            rsa(encode([0xff; 256]).into(), &[1, 0, 1]),
            "RS256",
            vec![1; 256],
        ),
        (
            rsa(encode([0xa6; 256]).into(), &[1, 0, 1]),
            "RS256",
            vec![1; 256],
        ),
        (
            rsa(encode(&roca).into(), &[1, 0, 1]),
            "RS256",
            vec![1; roca.len()],
        ),
        // The neutral element as the key and as R, and S zero: good for every message.
        (
            okp("Ed25519", point(32)),
            "EdDSA",
            [point(32), vec![0; 32]].concat(),
        ),
        (
            okp("Ed25519", vec![0; 32]),
            "Ed25519",
            [point(32), vec![0; 32]].concat(),
        ),
        (
            okp("Ed448", point(57)),
            "Ed448",
            [point(57), vec![0; 57]].concat(),
        ),
    ] {
        let mut jwk = jwk;
        jwk["kid"] = "k".into();
        let judges = judges_with(&jwk.to_string());
        for (kid, code) in [(KID, "key-unusable"), ("", "key-not-found")] {
            let input = format!("{}.e30", encode(format!(r#"{{"alg":"{alg}"{kid}}}"#)));
            let line = format!("{input}.{}", encode(&signature));
            assert_eq!(judges.codes(line), code, "{jwk}");
        }
    }
}

/// Five segments, whatever is in them: encrypted to a key that only verifies (CVE-2023-51774), or
/// around a token that nobody signed (CVE-2026-29000). Nothing is decrypted, so nothing can inflate
/// or be made to count to billions (CVE-2024-28176, CVE-2022-36083).
#[test]
fn an_encrypted_token_is_rejected_and_never_opened() {
    for signer in shared_signers() {
        let judges = judges_of(signer);
        for header in [
            json!({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "k", "cty": "JWT"}),
            json!({"alg": "dir", "enc": "A128CBC-HS256", "zip": "DEF"}),
            json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2_147_483_647}),
            json!({"alg": signer.algs[0], "kid": "k"}),
        ] {
            let of_jwe = match header.get("enc") {
                Some(_) => "encrypted",
                None => "segment-count",
            };
            let header = encode(header.to_string());
            let token = signer.token(signer.algs[0], KID);
            for (line, code) in [
                (format!("{header}....{header}"), of_jwe),
                (format!("{header}.e30.e30.e30.e30"), of_jwe),
                (format!("{token}.{header}.e30"), "segment-count"),
            ] {
                assert_eq!(judges.codes(line), code);
            }
        }
    }
}
