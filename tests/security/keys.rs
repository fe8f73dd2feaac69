//! Keys: what may serve as a secret, what a token may say about its key, and which key is tried.

use std::io::ErrorKind;
use std::net::TcpListener;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jotmill::{Encoding, Finding, KeyFinding, KeySet, UnixTime};
use serde_json::json;

use super::{judges, judges_with, plain};
use crate::judges::{Judges, audit};
use crate::token_maker::{ALGORITHMS, SECRET, TokenMaker, encode};

const RSA: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAjTMVZcRgs9W6YkvsXh9f
LAn/Xm/MV7snQ764H9x/eZP6m5SHdeXJ9JM4rihJKhQMQXbAOqXvJRKbbPWZcqr1
T8dU4sQSnFbgjihFwQQt24H+o9N8RN9cHPKLU8/6ozheWMBrh3Xw/UodkmDaB5sz
6EMDP8UvE55a4gD7OS3QjPEiZkURgP3M6oNPvFF6JdcYLsxSoN9OyaRJoHrFs7Jr
F4AWaSyYI0lHPfgezh28nr16bD5YYZcqrWcRnYJWaDEml0bhXDyh4Kh8ZvRsy3Nk
q8WXRZcojw0HyUnoX1exZiKdr7r3rKWwFekvD5KDTKIpg4n+AGTBb0aPXmCWBri8
twIDAQAB
-----END PUBLIC KEY-----
";
const EC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKiXDBR6FbTeUkixmLq39ShMVQEWY
0mv+uGkp3OyIarArjYEOTLHqp4jNKD3Avk/g2hutbN17ileCiGHAx+cs8w==
-----END PUBLIC KEY-----
";
const ED: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAcoO0e9hP1VlAisEgOoLeF+1XJVV4lNOIrBRIIXfPydU=
-----END PUBLIC KEY-----
";

fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).expect("base64")
}

/// The modulus of [`RSA`], behind the headers of SubjectPublicKeyInfo and RSAPublicKey; the
/// exponent is 65537.
fn modulus() -> Vec<u8> {
    der(RSA)[33..289].to_vec()
}

fn rsa_jwk(more: &str) -> String {
    format!(
        r#"{{"kty":"RSA","kid":"rsa","n":"{}","e":"AQAB"{more}}}"#,
        encode(modulus())
    )
}

fn ec_jwk() -> String {
    let der = der(EC);
    let point = &der[der.len() - 64..];
    let (x, y) = (encode(&point[..32]), encode(&point[32..]));
    format!(r#"{{"kty":"EC","kid":"ec","crv":"P-256","x":"{x}","y":"{y}"}}"#)
}

fn ed_jwk() -> String {
    let der = der(ED);
    let x = encode(&der[der.len() - 32..]);
    format!(r#"{{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"{x}"}}"#)
}

/// The wire form of an SSH key (RFC 4253 section 6.6): strings with their lengths in front.
fn ssh_line(kind: &str, parts: &[&[u8]]) -> String {
    let mut wire = Vec::new();
    for part in [&[kind.as_bytes()], parts].concat() {
        wire.extend_from_slice(&u32::try_from(part.len()).expect("short").to_be_bytes());
        wire.extend_from_slice(part);
    }
    format!("{kind} {}", STANDARD.encode(wire))
}

/// Every form of the public keys, as bytes that could be taken for a secret.
fn public_forms() -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for pem in [RSA, EC, ED] {
        let (der, bare) = (der(pem), pem.trim_end());
        for text in [
            pem.to_owned(),
            bare.to_owned(),
            // What defeats a check for "begins with -----BEGIN" (CVE-2026-34950).
            format!(" {pem}"),
            format!("\n{pem}"),
            format!("\t\r\n{pem}"),
            format!("\u{feff}{pem}"),
            format!("{pem}\n"),
            format!("{bare} "),
            pem.replace('\n', "\r\n"),
            bare.replace('\n', "\r\n"),
            bare.replace('\n', ""),
            pem.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
            pem.replace("PUBLIC KEY", "CERTIFICATE"),
            pem.replace("PUBLIC KEY", "public key"),
            STANDARD.encode(&der),
            encode(&der),
        ] {
            forms.push(text.into_bytes());
        }
        forms.push(der);
    }
    let (rsa, ec, ed) = (der(RSA), der(EC), der(ED));
    let n = modulus();
    // PKCS #1, the modulus with and without its sign byte and as text, the points.
    forms.extend([rsa[24..].to_vec(), n.clone(), [&[0][..], &n].concat()]);
    forms.extend([encode(&n).into_bytes(), STANDARD.encode(&n).into_bytes()]);
    forms.extend([ec[ec.len() - 65..].to_vec(), ec[ec.len() - 64..].to_vec()]);
    forms.extend([
        ec[ec.len() - 64..][..32].to_vec(),
        ed[ed.len() - 32..].to_vec(),
    ]);
    let point = &ec[ec.len() - 65..];
    for line in [
        ssh_line("ssh-rsa", &[&[1, 0, 1], &[&[0][..], &n].concat()]),
        ssh_line("ecdsa-sha2-nistp256", &[b"nistp256", point]),
        ssh_line("ssh-ed25519", &[&ed[ed.len() - 32..]]),
    ] {
        forms.push(format!("{line} user@host\n").into_bytes());
        forms.push(line.into_bytes());
    }
    for jwk in [rsa_jwk(""), ec_jwk(), ed_jwk()] {
        let value: serde_json::Value = serde_json::from_str(&jwk).expect("JSON");
        forms.push(value.to_string().into_bytes());
        forms.push(serde_json::to_vec_pretty(&value).expect("JSON"));
        forms.push(format!(r#"{{"keys":[{jwk}]}}"#).into_bytes());
        forms.push(jwk.into_bytes());
    }
    forms
}

/// RS/HS confusion: a token signed with HMAC, the public key for its secret (CVE-2015-9235,
/// CVE-2016-10555, CVE-2022-29217, CVE-2023-48223, CVE-2024-37568, CVE-2026-34950, CVE-2026-48526).
/// A key has the type that its set gives it, and no text makes a secret of it.
#[test]
fn a_public_key_in_any_form_is_never_an_hmac_secret() {
    let public = [rsa_jwk(""), ec_jwk(), ed_jwk()].join(",");
    let judges = judges_with(&public);
    let forms = public_forms();
    assert!(forms.len() > 60);
    for secret in &forms {
        let made = TokenMaker::new().secret(&secret[..]);
        for (alg, _) in ALGORITHMS {
            let codes = |kid: &str| {
                let header = format!(r#"{{"alg":"{alg}"{kid}}}"#);
                judges.codes(made.clone().header(header).alg(alg).sign())
            };
            let name = String::from_utf8_lossy(secret);
            for kid in ["rsa", "ec", "ed"] {
                assert_eq!(
                    codes(&format!(r#","kid":"{kid}""#)),
                    "key-mismatch",
                    "{alg}, {name}"
                );
            }
            assert_eq!(codes(""), "signature-mismatch", "{alg}, {name}");
            assert_eq!(
                codes(r#","kid":"main""#),
                "signature-mismatch",
                "{alg}, {name}"
            );
            assert_eq!(codes(r#","kid":"x""#), "key-not-found", "{alg}, {name}");
        }
    }
    // The same bytes sign well where they are a secret: it is the type that decides.
    let judges = Judges::of_secret(plain(), RSA.as_bytes());
    assert_eq!(judges.codes(TokenMaker::new().secret(RSA).sign()), "");
}

/// A key file is a JWK Set or a JWK, and nothing else is guessed to be one.
#[test]
fn a_file_of_public_keys_gives_no_secret() {
    for form in public_forms() {
        let shown = String::from_utf8_lossy(&form).into_owned();
        let mut keys = KeySet::new();
        let _ = keys.add_key(&form, "keys");
        assert!(keys.iter().all(|key| key.kty() != "oct"), "{shown}");
    }
}

/// An RSA JWK without `alg` became an empty HMAC key (libjwt, CVE-2026-44699); one without `alg`
/// took whatever the token said (CVE-2026-22817).
#[test]
fn a_key_of_another_type_is_never_an_hmac_key_whatever_its_members_say() {
    let secret = encode(SECRET);
    let k = format!(r#","k":"{secret}""#);
    for jwk in [
        rsa_jwk(""),
        rsa_jwk(r#","alg":"HS256""#),
        rsa_jwk(r#","alg":"RS256""#),
        rsa_jwk(r#","k":"""#),
        rsa_jwk(&k),
        rsa_jwk(&format!(
            r#","alg":"HS256","use":"sig","key_ops":["verify"]{k}"#
        )),
        rsa_jwk("").replace(&encode(modulus()), ""),
        rsa_jwk("").replace("RSA", "rsa"),
        format!(r#"{{"kty":"EC","kid":"rsa"{k}}}"#),
        format!(r#"{{"kty":"OKP","kid":"rsa"{k}}}"#),
        format!(r#"{{"kty":"OCT","kid":"rsa"{k}}}"#),
        format!(r#"{{"kty":"","kid":"rsa"{k}}}"#),
        format!(r#"{{"kty":"octet","kid":"rsa"{k}}}"#),
    ] {
        let judges = judges_with(&jwk);
        // A key without its numbers is broken, and one of another type is not.
        let has_numbers = jwk.contains(&encode(modulus()));
        let is_known = ["RSA", "EC", "OKP"]
            .iter()
            .any(|kty| jwk.contains(&format!(r#""kty":"{kty}""#)));
        let expected = if is_known && !has_numbers {
            "key-unusable"
        } else {
            "key-mismatch"
        };
        for (alg, len) in ALGORITHMS {
            for key in [
                Vec::new(),
                vec![0],
                vec![0; len],
                SECRET.to_vec(),
                modulus(),
            ] {
                let header = format!(r#"{{"alg":"{alg}","kid":"rsa"}}"#);
                let line = TokenMaker::new().header(header).alg(alg).secret(key).sign();
                assert_eq!(judges.codes(line), expected, "{alg} {jwk}");
            }
            let header = format!(r#"{{"alg":"{alg}"}}"#);
            let line = TokenMaker::new()
                .header(header)
                .alg(alg)
                .secret(*b"")
                .sign();
            assert_eq!(judges.codes(line), "signature-mismatch", "{alg} {jwk}");
        }
        let set = format!(r#"{{"keys":[{jwk}]}}"#);
        for text in [&set, &jwk] {
            let mut keys = KeySet::new();
            let _ = keys.add_key(text.as_bytes(), "set");
            let mut algorithms = keys.iter().flat_map(|key| key.algorithms().iter());
            assert!(!algorithms.any(jotmill::Algorithm::is_hmac), "{jwk}");
        }
    }
}

/// Empty secrets (CVE-2026-45363, CVE-2019-20933): whoever has none must not be verified with
/// nothing.
#[test]
fn an_empty_secret_is_refused_from_every_source() {
    for (encoding, text) in [
        (Encoding::Raw, ""),
        (Encoding::Hex, ""),
        (Encoding::Hex, "\n"),
        (Encoding::Base64, ""),
        (Encoding::Base64, "\r\n"),
        (Encoding::Base64url, " "),
    ] {
        let outcome = KeySet::new().add_encoded_secret(text.as_bytes(), encoding, "secret");
        assert!(outcome.is_err(), "{encoding:?} {text:?}");
    }
    for k in [
        r#","k":"""#,
        "",
        r#","k":null"#,
        r#","k":" ""#,
        r#","k":"=""#,
        r#","k":[]"#,
    ] {
        let jwk = format!(r#"{{"kty":"oct","kid":"empty"{k}}}"#);
        assert!(
            KeySet::new().add_key(jwk.as_bytes(), "key").is_err(),
            "{jwk}"
        );
        let judges = judges_with(&jwk);
        for (alg, _) in ALGORITHMS {
            let codes = |kid: &str| {
                let header = format!(r#"{{"alg":"{alg}"{kid}}}"#);
                judges.codes(
                    TokenMaker::new()
                        .header(header)
                        .alg(alg)
                        .secret(*b"")
                        .sign(),
                )
            };
            assert_eq!(codes(r#","kid":"empty""#), "key-unusable", "{jwk}");
            assert_eq!(codes(r#","kid":"main""#), "signature-mismatch", "{jwk}");
            assert_eq!(codes(""), "signature-mismatch", "{jwk}");
        }
    }
}

/// A secret of zero bytes, as from a buffer that nobody filled, is the key of an empty secret: HMAC
/// fills up a key with zeros to a block (RFC 2104 section 2). An auditor must see which tokens it
/// signed, so it verifies them, and is reported as a secret that attackers try first.
#[test]
fn a_secret_of_zero_bytes_verifies_and_is_reported_as_weak() {
    let now = UnixTime::new(0, 0).expect("a time");
    for (encoding, text) in [
        (Encoding::Raw, "\0"),
        (Encoding::Raw, &"\0".repeat(64)),
        (Encoding::Hex, &"00".repeat(64)),
        (Encoding::Hex, "00\n"),
        (Encoding::Base64, "AAAA"),
        (Encoding::Base64, "AA=="),
        (Encoding::Base64url, "AAAA"),
    ] {
        let mut keys = KeySet::new();
        let outcome = keys.add_encoded_secret(text.as_bytes(), encoding, "secret");
        assert!(outcome.is_ok(), "{encoding:?} {text:?}");
        let key = keys.iter().next().expect("a key");
        let findings = keys.findings(key, now);
        let is_notorious = findings.contains(&KeyFinding::NotoriousSecret);
        assert!(is_notorious, "{encoding:?} {text:?}");
    }
    for (alg, len) in ALGORITHMS {
        let block = if alg == "HS256" { 64 } else { 128 };
        for secret_len in [1, len - 1, len, block, block + 1] {
            let zeros = vec![0; secret_len];
            let jwk = format!(r#"{{"kty":"oct","kid":"zeros","k":"{}"}}"#, encode(&zeros));
            let judges = judges_with(&jwk);
            let key = judges
                .validator
                .keys()
                .iter()
                .find(|key| key.name() == "zeros");
            let findings = judges
                .validator
                .key_findings(key.expect("the key of zeros"), now);
            assert!(findings.contains(&KeyFinding::NotoriousSecret));
            let codes = |secret: &[u8], kid: &str| {
                let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
                let made = TokenMaker::new().header(header).alg(alg);
                judges.codes(made.secret(secret).sign())
            };
            assert_eq!(codes(&zeros, "zeros"), "", "{alg}, {secret_len} bytes");
            // A longer secret is hashed first, which makes another key of it.
            let expected = if secret_len <= block {
                ""
            } else {
                "signature-mismatch"
            };
            assert_eq!(codes(b"", "zeros"), expected, "{alg}, {secret_len} bytes");
            assert_eq!(codes(&zeros, "main"), "signature-mismatch", "{alg}");
            assert_eq!(codes(SECRET, "zeros"), "signature-mismatch", "{alg}");
        }
    }
}

/// RFC 7518 section 3.2: a secret is at least as long as the hash. A shorter one verifies, since
/// the tokens are what they are, and is reported.
#[test]
fn a_secret_shorter_than_the_hash_is_reported_as_weak() {
    for (alg, len) in ALGORITHMS {
        for secret_len in [1, len - 1, len, len + 1, 200] {
            let secret = vec![0xa5; secret_len];
            let judges = Judges::of_secret(plain(), &secret);
            let made = TokenMaker::new()
                .header(format!(r#"{{"alg":"{alg}"}}"#))
                .alg(alg);
            let judged = judges.judge(&made.clone().secret(secret).sign()).unwrap();
            assert!(judged.verdict.is_valid());
            let expected: &[&str] = if secret_len < len { &["weak-key"] } else { &[] };
            assert_eq!(judged.findings(), expected, "{alg}, {secret_len} bytes");
            // A signature that did not hold says nothing of the key.
            let judged = judges.judge(&made.sign()).unwrap();
            assert_eq!(judged.findings(), [""; 0]);
        }
    }
}

/// A token that brings the key that it is verified with (CVE-2018-0114, CVE-2026-27962).
#[test]
fn a_key_in_the_header_is_never_used() {
    let attacker = b"the attacker's own secret, of a good length for everything there is....";
    let k = encode(attacker);
    let judges = judges_with("");
    let key = json!({"kty": "oct", "k": k, "kid": "attacker", "alg": "HS256"});
    let header = |kid: Option<&str>, jwk: &serde_json::Value| {
        let mut header = json!({"alg": "HS256", "jwk": jwk});
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        header.to_string()
    };
    for jwk in [
        key.clone(),
        json!({"keys": [key]}),
        json!([key]),
        json!(key.to_string()),
        json!(null),
        json!({}),
        json!({"kty": "oct", "k": "", "kid": "main"}),
    ] {
        for (kid, code) in [
            (None, "signature-mismatch"),
            (Some("main"), "signature-mismatch"),
            (Some("attacker"), "key-not-found"),
        ] {
            let made = TokenMaker::new().header(header(kid, &jwk));
            for secret in [&attacker[..], b""] {
                let judged = judges.judge(&made.clone().secret(secret).sign()).unwrap();
                assert_eq!(judged.codes, [code], "{jwk}");
                assert_eq!(judged.findings(), ["jwk-header"], "{jwk}");
            }
        }
        // It does not harm a token that a known key signed, and is found all the same.
        let judged = judges
            .judge(&TokenMaker::new().header(header(None, &jwk)).sign())
            .unwrap();
        assert!(judged.verdict.is_valid(), "{jwk}");
        assert_eq!(judged.findings(), ["jwk-header"], "{jwk}");
        assert_eq!(judged.row["key"], "main");
    }
}

/// `jku`, `x5u` and `x5c` (RFC 8725 section 3.10): a validator that fetches what a token points to
/// can be sent anywhere.
#[test]
fn urls_in_a_header_are_never_fetched_and_always_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let judges = judges_with("");
    let mut lines = Vec::new();
    for (member, finding) in [
        ("jku", "jku-header"),
        ("x5u", "x5u-header"),
        ("x5c", "x5c-header"),
    ] {
        for value in [
            json!(format!("http://{address}/jwks.json")),
            json!(format!("https://{address}/jwks.json")),
            json!([format!("http://{address}/")]),
            // Look-alikes of a host that might be trusted.
            json!(format!("https://auth.example.com@{address}/")),
            json!("https://auth.example.com.evil.example/jwks.json"),
            json!("https://auth.example.com%2f.evil.example/"),
            json!("https://auth.example.com#@evil.example/"),
            json!("https://auth.example.com\\@evil.example/"),
            json!("//evil.example/"),
            json!("file:///etc/passwd"),
            json!("file:///dev/stdin"),
            json!("/dev/null"),
            json!("data:application/json,{\"keys\":[]}"),
            json!("gopher://127.0.0.1:6379/_FLUSHALL"),
            json!(""),
            json!(null),
            json!(7),
            json!([]),
            json!({}),
        ] {
            let made = TokenMaker::new()
                .header(json!({"alg": "HS256", "kid": "main", (member): value}).to_string());
            let judged = judges
                .judge(&made.clone().secret(*b"guess").sign())
                .unwrap();
            assert_eq!(judged.codes, ["signature-mismatch"], "{member} {value}");
            assert_eq!(judged.findings(), [finding], "{member} {value}");
            let judged = judges.judge(&made.sign()).unwrap();
            assert!(judged.verdict.is_valid(), "{member} {value}");
            assert_eq!(judged.findings(), [finding], "{member} {value}");
            lines.push(made.sign());
        }
    }
    let (_, finished) = audit(
        &judges.validator,
        &lines.join(&b"\n"[..])[..],
        &judges.options(),
    );
    let tally = &finished.report.tally;
    let found = |finding: Finding| tally.findings[finding as usize];
    assert_eq!(found(Finding::JkuHeader), lines.len() as u64 / 3);
    assert_eq!(found(Finding::X5uHeader), lines.len() as u64 / 3);
    assert_eq!(found(Finding::X5cHeader), lines.len() as u64 / 3);
    // There was no connection.
    let visit = listener.accept().err().map(|error| error.kind());
    assert_eq!(visit, Some(ErrorKind::WouldBlock));
    // All of them at once, with a key that does not exist, are all found.
    let header = r#"{"alg":"HS256","kid":"x","jwk":{},"jku":"","x5c":[],"x5u":""}"#;
    let judged = judges
        .judge(&TokenMaker::new().header(header).sign())
        .unwrap();
    assert_eq!(
        judged.findings(),
        ["jwk-header", "jku-header", "x5c-header", "x5u-header"]
    );
}

/// `kid` as a path, a query or a command (RFC 8725 section 3.10): it is a name to look up, byte by
/// byte.
#[test]
fn a_kid_is_compared_byte_by_byte_and_used_for_nothing_else() {
    let named = judges_with("");
    let anonymous = judges();
    let long = "A".repeat(1 << 20);
    for kid in [
        "../../../../../../dev/null",
        "/dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "file:///dev/null",
        "http://127.0.0.1/main",
        "main' OR '1'='1",
        "x' UNION SELECT 'guess' --",
        "\"; DROP TABLE keys; --",
        "$(id)",
        "`id`",
        "| id",
        "main;id",
        "main\0",
        "\0main",
        "main\n",
        " main",
        "main ",
        "Main",
        "MAIN",
        "mai",
        "maine",
        "./main",
        "main/",
        "m\u{430}in",
        "main\u{301}",
        "\u{202e}niam",
        "%6dain",
        "*",
        "m?in",
        "__proto__",
        "constructor",
        "0",
        "secret-1",
        "",
        &long,
    ] {
        let header = json!({"alg": "HS256", "kid": kid}).to_string();
        let made = TokenMaker::new().header(header);
        // What is found under such a name might be an empty file, or the attacker's text.
        for secret in [&b""[..], b"\0", b"guess", b"2\n", SECRET] {
            let line = made.clone().secret(secret).sign();
            let judged = named.judge(&line).unwrap();
            assert_eq!(judged.codes, ["key-not-found"], "{kid:.40}");
            // A kid that is no key's leaves the keys without an id, and these hold or do not.
            let expected: &[&str] = if secret == SECRET {
                &[]
            } else {
                &["signature-mismatch"]
            };
            assert_eq!(anonymous.judge(&line).unwrap().codes, expected, "{kid:.40}");
            // Whatever it is, it does not break the row that shows it.
            assert_eq!(judged.row_text.lines().count(), 1, "{kid:.40}");
            assert!(judged.row_text.len() < 2000);
            let deceives = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!judged.row_text.contains(deceives), "{}", judged.row_text);
        }
    }
    for kid in [
        "0",
        "1.5",
        "null",
        "true",
        "[]",
        r#"["main"]"#,
        r#"{"main":1}"#,
    ] {
        let line = TokenMaker::new()
            .header(format!(r#"{{"alg":"HS256","kid":{kid}}}"#))
            .sign();
        assert_eq!(named.codes(&line), "kid-type", "{kid}");
        assert_eq!(anonymous.codes(&line), "kid-type", "{kid}");
    }
    // The escaped spelling of an id is the id.
    let line = TokenMaker::new()
        .header(r#"{"alg":"HS256","kid":"m\u0061in"}"#)
        .sign();
    assert_eq!(named.codes(line), "");
}

/// A `kid` that names a key means that key: another one that would verify is not tried.
#[test]
fn the_key_that_a_token_names_is_the_only_one_that_is_tried() {
    let second = encode(b"another secret, of thirty-two bytes or more");
    let judges = judges_with(&format!(
        r#"{{"kty":"oct","kid":"second","k":"{second}"}},{{"kty":"oct","k":"{second}"}}"#
    ));
    let codes = |kid: &str| {
        judges.codes(
            TokenMaker::new()
                .header(format!(r#"{{"alg":"HS256"{kid}}}"#))
                .sign(),
        )
    };
    assert_eq!(codes(r#","kid":"main""#), "");
    assert_eq!(codes(r#","kid":"second""#), "signature-mismatch");
    assert_eq!(codes(r#","kid":"third""#), "signature-mismatch");
    assert_eq!(codes(""), "");
}
