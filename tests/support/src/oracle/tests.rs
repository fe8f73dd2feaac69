//! The oracle's own tests: each code, and each rule of the contract on which implementations
//! differ. The expectations are written by hand from the contract.

mod claims;
mod json;

use super::*;

const NOW: (i64, u32) = (1_790_000_000, 500_000_000);
const SECRET: &[u8] = b"a secret of at least thirty-two bytes";
const HEADER: &str = r#"{"alg":"HS256"}"#;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signed_input(input: &str, secret: &[u8]) -> String {
    format!("{input}.{}", encode(mac("HS256", secret, input.as_bytes())))
}

fn token(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    signed_input(&format!("{}.{}", encode(header), encode(payload)), SECRET)
}

fn policy() -> Policy {
    // Room for the deepest nesting that is tried here.
    Policy {
        now: NOW,
        max_token_bytes: 1 << 24,
        ..Policy::default()
    }
}

fn secret_key() -> Key {
    Key::secret(SECRET)
}

fn judgement(line: impl AsRef<[u8]>, policy: &Policy) -> Judgement {
    judge(line.as_ref(), policy, &[secret_key()]).expect("not a blank line")
}

/// The codes of one line under the plain policy and the one secret, joined by spaces.
fn codes(line: impl AsRef<[u8]>) -> String {
    judgement(line, &policy()).codes.join(" ")
}

fn header_codes(header: impl AsRef<[u8]>) -> String {
    codes(token(header, "{}"))
}

fn payload_codes(payload: impl AsRef<[u8]>) -> String {
    codes(token(HEADER, payload))
}

fn claim_codes(policy: &Policy, payload: &str) -> String {
    judgement(token(HEADER, payload), policy).codes.join(" ")
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn the_table_names_each_code_once() {
    let distinct: std::collections::BTreeSet<_> = CODES.iter().collect();
    assert_eq!(distinct.len(), CODES.len());
}

#[test]
fn a_signed_token_is_valid_and_shown() {
    let payload = r#"{"iss":"i","sub":"s","jti":"j","exp":1790000100,"nbf":1.5,"iat":-0}"#;
    let header = r#"{"alg":"HS256","kid":"unknown","typ":"JWT"}"#;
    let seen = judgement(token(header, payload), &policy());
    assert_eq!(seen.codes, [""; 0]);
    assert_eq!(seen.key, Some(0));
    assert_eq!(
        (seen.alg.as_deref(), seen.kid.as_deref()),
        (Some("HS256"), Some("unknown"))
    );
    assert_eq!(
        (seen.iss.as_deref(), seen.sub.as_deref()),
        (Some("i"), Some("s"))
    );
    assert_eq!(seen.jti.as_deref(), Some("j"));
    assert_eq!(seen.exp.unwrap().as_u64(), Some(1_790_000_100));
    assert_eq!(seen.nbf.unwrap().as_f64(), Some(1.5));
    assert_eq!(seen.iat.unwrap().as_f64(), Some(0.0));
}

#[test]
fn the_example_of_rfc_7515_a1_is_judged_by_its_own_key() {
    let line = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
                eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQog\
                Imh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
                dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let keys = keys_from_jwks(concat!(
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj"#,
        r#"0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
    ));
    assert_eq!(
        judge(line.as_bytes(), &policy(), &keys).unwrap().codes,
        ["expired"]
    );
    let then = Policy {
        now: (1_300_819_379, 999_999_999),
        ..policy()
    };
    assert_eq!(judge(line.as_bytes(), &then, &keys).unwrap().codes, [""; 0]);
}

#[test]
fn each_algorithm_verifies_with_its_own_length_only() {
    for (alg, length) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let input = format!(
            "{}.{}",
            encode(format!(r#"{{"alg":"{alg}"}}"#)),
            encode("{}")
        );
        let signature = mac(alg, SECRET, input.as_bytes());
        assert_eq!(signature.len(), length);
        assert_eq!(codes(format!("{input}.{}", encode(&signature))), "");
        for wrong in [0, 1, 31, 32, 33, 47, 48, 49, 63, 64, 65] {
            let line = format!("{input}.{}", encode(vec![0; wrong]));
            let expected = if wrong == length {
                "signature-mismatch"
            } else {
                "signature-length"
            };
            assert_eq!(codes(line), expected, "{alg} {wrong}");
        }
    }
}

#[test]
fn a_line_is_measured_without_its_ending_and_before_it_is_trimmed() {
    let token = token(HEADER, "{}");
    let short = Policy {
        max_token_bytes: token.len(),
        ..policy()
    };
    assert_eq!(judgement(&token, &short).codes, [""; 0]);
    assert_eq!(judgement(format!("{token}\r"), &short).codes, [""; 0]);
    assert_eq!(judgement(format!("{token} "), &short).codes, ["too-long"]);
    assert_eq!(
        judgement(format!("{token}\r\r"), &short).codes,
        ["too-long"]
    );
    let blank = " ".repeat(token.len());
    assert_eq!(judge(blank.as_bytes(), &short, &[]), None);
    assert_eq!(judgement(blank + " ", &short).codes, ["too-long"]);
    assert_eq!(judgement(&token, &short).kid, None);
}

#[test]
fn spaces_tabs_and_one_cr_are_not_part_of_a_token() {
    for blank in ["", "\r", " ", "\t \t", " \r"] {
        assert_eq!(
            judge(blank.as_bytes(), &policy(), &[secret_key()]),
            None,
            "{blank:?}"
        );
    }
    let token = token(HEADER, "{}");
    assert_eq!(codes(format!(" \t{token}\t \r")), "");
    assert_eq!(codes(format!("{token}\r\r")), "signature-base64url");
    assert_eq!(codes(format!("{token}\u{b}")), "signature-base64url");
    assert_eq!(codes(format!("\r{token}")), "header-base64url");
    assert_eq!(codes("\r\r"), "segment-count");
}

#[test]
fn dots_decide_the_structure() {
    for (line, code) in [
        ("e", "segment-count"),
        (".", "segment-count"),
        ("..", "header-json"),
        ("...", "segment-count"),
        ("....", "segment-count"),
        ("eyJlbmMiOjF9....", "encrypted"),
        ("eyJlbmMiOjF9.a.b.c.d.e", "segment-count"),
        ("eyJlbmMiOjF9=....", "segment-count"),
        (".....", "segment-count"),
        ("a.b.c.d.e", "segment-count"),
    ] {
        assert_eq!(codes(line), code, "{line}");
    }
    assert_eq!(codes(".".repeat(1_000_000)), "segment-count");
}

#[test]
fn base64url_is_canonical_in_every_segment() {
    // One, two and three bytes after the last full group, so that each tail is met.
    for payload in ["{}", "{} ", "{}  "] {
        let good = token(HEADER, payload);
        let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
            unreachable!("three segments were written");
        };
        // In the middle and at the end, but no white space at the end of the line, where it is
        // trimmed.
        for bad in ["=", "==", "+", "/", " ", "\t", "\u{e9}", "\0", "\n", "%41"] {
            let spoiled = |text: &str| {
                let (start, end) = text.split_at(text.len() / 2);
                [
                    format!("{bad}{text}"),
                    format!("{start}{bad}{end}"),
                    format!("{text}{bad}"),
                ]
            };
            for header in spoiled(header) {
                if !header.starts_with([' ', '\t']) {
                    assert_eq!(
                        codes(format!("{header}.{payload}.{signature}")),
                        "header-base64url"
                    );
                }
            }
            for payload in spoiled(payload) {
                let line = signed_input(&format!("{header}.{payload}"), SECRET);
                assert_eq!(codes(line), "payload-base64url");
            }
            for signature in spoiled(signature) {
                if !signature.ends_with([' ', '\t']) {
                    let line = format!("{header}.{payload}.{signature}");
                    assert_eq!(codes(line), "signature-base64url");
                }
            }
        }
        // A length of 1 mod 4 has no reading, whatever its last character.
        let odd = "AAAA".repeat(8) + "A";
        assert_eq!(
            codes(format!("{odd}.{payload}.{signature}")),
            "header-base64url"
        );
        assert_eq!(
            codes(signed_input(&format!("{header}.{odd}"), SECRET)),
            "payload-base64url"
        );
        assert_eq!(
            codes(format!("{header}.{payload}.{odd}")),
            "signature-base64url"
        );
    }
}

#[test]
fn unused_bits_of_the_last_character_are_zero() {
    // `e30` is `{}`: sixteen bits in eighteen, so four characters would read the same.
    for (payload, code) in [
        ("e30", ""),
        ("e31", "payload-base64url"),
        ("e32", "payload-base64url"),
        ("e33", "payload-base64url"),
    ] {
        let line = signed_input(&format!("{}.{payload}", encode(HEADER)), SECRET);
        assert_eq!(codes(line), code, "{payload}");
    }
    // The 32 bytes of a signature leave two unused bits as well.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut line = token(HEADER, "{}");
    let at = alphabet.find(line.pop().unwrap()).unwrap();
    assert_eq!(at % 4, 0);
    for other in &alphabet.as_bytes()[at + 1..at + 4] {
        assert_eq!(
            codes(format!("{line}{}", char::from(*other))),
            "signature-base64url"
        );
    }
}

#[test]
fn alg_is_a_known_string_and_allowed() {
    assert_eq!(header_codes("{}"), "alg-missing");
    for bad in ["null", "1", "true", "[]", "{}", "[\"HS256\"]"] {
        assert_eq!(
            header_codes(format!("{{\"alg\":{bad}}}")),
            "alg-type",
            "{bad}"
        );
    }
    for none in ["none", "None", "nOnE", "NONE", "\\u006eone"] {
        assert_eq!(
            header_codes(format!("{{\"alg\":\"{none}\"}}")),
            "alg-none",
            "{none}"
        );
    }
    for other in [
        "",
        "hs256",
        "Hs256",
        "HS256 ",
        " HS256",
        "HS256\\u0000",
        "HS2",
        "HS2567",
        "HS1",
        "RS1",
        "rs256",
        "A128KW",
        "dir",
        "none ",
        "non",
        "no\u{131}ne",
    ] {
        assert_eq!(
            header_codes(format!("{{\"alg\":\"{other}\"}}")),
            "alg-unsupported",
            "{other}"
        );
    }
    assert_eq!(header_codes(r#"{"\u0061lg":"HS\u003256"}"#), "");
    let allow = |algs: &[&str]| Policy {
        algs: Some(strings(algs)),
        ..policy()
    };
    assert_eq!(
        judgement(token(HEADER, "{}"), &allow(&["HS512", "HS256"])).codes,
        [""; 0]
    );
    for list in [&["HS384"][..], &["hs256"], &[]] {
        assert_eq!(
            judgement(token(HEADER, "{}"), &allow(list)).codes,
            ["alg-not-allowed"]
        );
    }
    let none = token(r#"{"alg":"none"}"#, "{}");
    assert_eq!(judgement(&none, &allow(&["none"])).codes, ["alg-none"]);
    assert_eq!(
        judgement(&none, &allow(&["none"])).alg.as_deref(),
        Some("none")
    );
}

#[test]
fn the_first_flaw_of_a_header_wins_in_table_order() {
    // Each step mends the flaw that was reported.
    let mut header =
        String::from(r#"{"alg":1,"kid":1,"typ":1,"cty":1,"crit":[],"b64":false,"x":1}"#);
    let strict = Policy {
        typ: vec!["JWT".into()],
        algs: Some(strings(&["HS256"])),
        ..policy()
    };
    for (code, from, to) in [
        ("alg-type", r#""alg":1"#, r#""alg":"NONE""#),
        ("alg-none", "NONE", "HS1"),
        ("alg-unsupported", "HS1", "HS512"),
        ("alg-not-allowed", "HS512", "HS256"),
        ("kid-type", r#""kid":1"#, r#""kid":"k""#),
        ("typ-type", r#""typ":1"#, r#""typ":"at+jwt""#),
        ("cty-type", r#""cty":1"#, r#""cty":"JWT""#),
        ("typ-mismatch", "at+jwt", "jwt"),
        ("crit-invalid", r#""crit":[]"#, r#""crit":["x"]"#),
        ("b64-unsupported", r#""b64":false"#, r#""b64":true"#),
        ("crit-unsupported", r#"["x"]"#, r#"["b64"]"#),
        ("", "", ""),
    ] {
        assert_eq!(
            judgement(token(&header, "{}"), &strict).codes.join(" "),
            code,
            "{header}"
        );
        header = header.replace(from, to);
    }
}

#[test]
fn kid_typ_and_cty_are_strings_where_present() {
    for name in ["kid", "typ", "cty"] {
        for bad in ["null", "0", "false", "[]", "{}", "[\"a\"]"] {
            let header = format!(r#"{{"alg":"HS256","{name}":{bad}}}"#);
            assert_eq!(header_codes(&header), format!("{name}-type"), "{header}");
        }
        assert_eq!(
            header_codes(format!(r#"{{"alg":"HS256","{name}":""}}"#)),
            ""
        );
    }
}

#[test]
fn typ_is_compared_as_a_media_type() {
    let of = |expected: &str, header: &str| {
        let policy = Policy {
            typ: vec![expected.to_owned()],
            ..policy()
        };
        judgement(token(header, "{}"), &policy).codes.join(" ")
    };
    for (expected, typ, matches) in [
        ("JWT", "JWT", true),
        ("JWT", "jwt", true),
        ("jwt", "application/JWT", true),
        ("Application/JWT", "jwT", true),
        ("at+jwt", "application/at+jwt", true),
        ("text/plain", "TEXT/plain", true),
        ("plain", "text/plain", false),
        ("JWT", "at+jwt", false),
        ("JWT", "", false),
        ("JWT", " JWT", false),
        ("JWT", "/JWT", false),
        ("JWT", "application/application/JWT", false),
        // Folding is of ASCII only: U+212A is not a k.
        ("k", "\u{212a}", false),
    ] {
        let code = if matches { "" } else { "typ-mismatch" };
        assert_eq!(
            of(expected, &format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#)),
            code,
            "{typ}"
        );
    }
    assert_eq!(of("JWT", HEADER), "typ-mismatch");
    assert_eq!(of("JWT", r#"{"alg":"HS256","typ":null}"#), "typ-type");
    assert_eq!(header_codes(r#"{"alg":"HS256","typ":"anything"}"#), "");
}

#[test]
fn crit_names_members_that_are_there_and_understood() {
    for (rest, code) in [
        (r#""crit":[]"#, "crit-invalid"),
        (r#""crit":null"#, "crit-invalid"),
        (r#""crit":{}"#, "crit-invalid"),
        (r#""crit":"b64","b64":true"#, "crit-invalid"),
        (r#""crit":["b64"]"#, "crit-invalid"),
        (r#""crit":["b64","b64"],"b64":true"#, "crit-invalid"),
        (r#""crit":["b64","\u00624"],"b64":true"#, "crit-invalid"),
        (r#""crit":["b64","\u006264"],"b64":true"#, "crit-invalid"),
        (r#""crit":["b64",1],"b64":true"#, "crit-invalid"),
        (r#""crit":["b64",null],"b64":true"#, "crit-invalid"),
        (r#""crit":[["b64"]],"b64":true"#, "crit-invalid"),
        (r#""crit":[""],"":1"#, "crit-invalid"),
        (r#""crit":["x","absent"],"x":1"#, "crit-invalid"),
        (r#""crit":["crit"]"#, "crit-invalid"),
        (r#""crit":["exp"],"exp":1"#, "crit-unsupported"),
        (r#""crit":["x"],"x":null"#, "crit-unsupported"),
        (r#""crit":["X"],"x":null"#, "crit-invalid"),
        (r#""crit":["b64","x"],"b64":true,"x":1"#, "crit-unsupported"),
        (r#""crit":["x","b64"],"b64":false,"x":1"#, "b64-unsupported"),
        (r#""crit":["b64"],"b64":true"#, ""),
        (r#""crit":["\u006264"],"b64":true"#, ""),
        (r#""b64":true"#, ""),
        (r#""b64":false"#, "b64-unsupported"),
        (r#""b64":null"#, "b64-unsupported"),
        (r#""b64":"true""#, "b64-unsupported"),
        (r#""b64":1"#, "b64-unsupported"),
        (r#""crit":["b64"],"b64":false"#, "b64-unsupported"),
    ] {
        assert_eq!(
            header_codes(format!(r#"{{"alg":"HS256",{rest}}}"#)),
            code,
            "{rest}"
        );
    }
    for name in REGISTERED_HEADER_NAMES {
        let member = match name {
            "alg" | "crit" => String::new(),
            _ => format!(r#","{name}":"""#),
        };
        let header = format!(r#"{{"alg":"HS256","crit":["{name}"]{member}}}"#);
        assert_eq!(header_codes(&header), "crit-invalid", "{header}");
    }
}

#[test]
fn what_a_header_embeds_is_not_trusted() {
    let own = br"the attacker's own secret, of some length";
    let header = format!(
        r#"{{"alg":"HS256","jwk":{{"kty":"oct","k":"{}"}},"jku":"https://e.example/","x5u":"a"}}"#,
        encode(own)
    );
    let line = signed_input(&format!("{}.{}", encode(&header), encode("{}")), own);
    assert_eq!(codes(line), "signature-mismatch");
    assert_eq!(header_codes(&header), "");
}

/// Judges a token of the given `alg`, `kid` and signing secret.
fn by_keys(alg: &str, kid: Option<&str>, secret: &[u8], tries: usize, keys: &[Key]) -> Judgement {
    let kid = kid
        .map(|kid| format!(r#","kid":"{kid}""#))
        .unwrap_or_default();
    let input = format!(
        "{}.{}",
        encode(format!(r#"{{"alg":"{alg}"{kid}}}"#)),
        encode("{}")
    );
    let line = format!("{input}.{}", encode(mac(alg, secret, input.as_bytes())));
    let policy = Policy {
        max_key_tries: tries,
        ..policy()
    };
    judge(line.as_bytes(), &policy, keys).unwrap()
}

fn jwks(members: &[&str]) -> Vec<Key> {
    keys_from_jwks(&format!(r#"{{"keys":[{}]}}"#, members.join(",")))
}

// The secrets `one`, `two` and `three`.
const ONE: &str = r#"{"kty":"oct","kid":"1","k":"b25l"}"#;
const TWO_UNDER_1: &str = r#"{"kty":"oct","kid":"1","k":"dHdv"}"#;
const THREE_ANONYMOUS: &str = r#"{"kty":"oct","k":"dGhyZWU"}"#;

#[test]
fn a_known_kid_selects_its_keys_alone() {
    let keys = jwks(&[THREE_ANONYMOUS, ONE, TWO_UNDER_1]);
    let of = |kid, secret: &[u8]| by_keys("HS256", kid, secret, 1000, &keys);
    assert_eq!(of(Some("1"), b"one").key, Some(1));
    assert_eq!(of(Some("1"), b"two").key, Some(2));
    assert_eq!(of(Some("1"), b"three").codes, ["signature-mismatch"]);
    assert_eq!(of(Some("2"), b"three").key, Some(0));
    assert_eq!(of(Some("2"), b"one").codes, ["signature-mismatch"]);
    assert_eq!(of(None, b"one").key, Some(1));
    assert_eq!(of(None, b"three").key, Some(0));
    assert_eq!(of(Some("\\u0031"), b"one").key, Some(1));
    assert_eq!(of(Some("1 "), b"one").codes, ["signature-mismatch"]);
    // Of two equal keys the first is reported.
    assert_eq!(
        by_keys("HS256", None, b"one", 1000, &jwks(&[ONE, ONE])).key,
        Some(0)
    );
}

#[test]
fn without_a_key_to_try_the_code_says_why() {
    let of = |alg, kid, members: &[&str]| {
        by_keys(alg, kid, b"one", 1000, &jwks(members))
            .codes
            .join(" ")
    };
    let bound = r#"{"kty":"oct","kid":"1","k":"b25l","alg":"HS512"}"#;
    let bound_anonymous = r#"{"kty":"oct","k":"b25l","alg":"HS512"}"#;
    let broken = r#"{"kty":"oct","kid":"1","k":"b25l="}"#;
    let empty = r#"{"kty":"oct","kid":"1","k":""}"#;
    let no_k = r#"{"kty":"oct","kid":"1"}"#;
    let no_kty = r#"{"kid":"1","k":"b25l"}"#;
    let rsa = r#"{"kty":"OKP","kid":"1","crv":"X25519","x":"AQAB"}"#;
    let encrypts = r#"{"kty":"oct","kid":"1","k":"b25l","use":"enc"}"#;
    let wraps = r#"{"kty":"oct","kid":"1","k":"b25l","key_ops":["wrapKey"]}"#;
    assert_eq!(of("HS256", Some("1"), &[]), "key-not-found");
    assert_eq!(of("HS256", None, &[]), "key-not-found");
    assert_eq!(of("HS256", Some("2"), &[ONE]), "key-not-found");
    assert_eq!(
        of("HS256", Some("2"), &[ONE, bound_anonymous]),
        "key-not-found"
    );
    assert_eq!(of("HS512", Some("2"), &[ONE, bound_anonymous]), "");
    for other in [bound, rsa, encrypts, wraps] {
        assert_eq!(of("HS256", Some("1"), &[other]), "key-mismatch", "{other}");
        assert_eq!(
            of("HS256", Some("1"), &[broken, other]),
            "key-mismatch",
            "{other}"
        );
        assert_eq!(of("HS256", Some("1"), &[other, ONE]), "");
        // The keys without an id are no way out for a kid that is known.
        assert_eq!(
            of("HS256", Some("1"), &[other, THREE_ANONYMOUS]),
            "key-mismatch"
        );
        assert_eq!(of("HS256", None, &[other]), "key-not-found");
    }
    for unusable in [broken, empty, no_k, no_kty] {
        assert_eq!(
            of("HS256", Some("1"), &[unusable]),
            "key-unusable",
            "{unusable}"
        );
        assert_eq!(of("HS256", Some("1"), &[unusable, ONE]), "");
        assert_eq!(of("HS256", None, &[unusable]), "key-not-found");
    }
    assert_eq!(of("HS512", Some("1"), &[bound]), "");
}

#[test]
fn too_many_keys_is_never_a_mismatch() {
    let keys: Vec<Key> = (0..5).map(|n| Key::secret([n + 1])).collect();
    let of = |kid, tries, keys: &[Key]| by_keys("HS256", kid, &[1], tries, keys).codes.join(" ");
    assert_eq!(of(None, 5, &keys), "");
    assert_eq!(of(None, 4, &keys), "too-many-keys");
    assert_eq!(of(Some("x"), 4, &keys), "too-many-keys");
    assert_eq!(of(None, 0, &keys[..0]), "key-not-found");
    // Keys that do not fit are not counted.
    let mut bound = keys;
    bound[4].alg = Some("HS384".to_owned());
    assert_eq!(of(None, 4, &bound), "");
}

#[test]
fn a_jwk_set_is_read_member_by_member() {
    let keys = keys_from_jwks(
        r#"{"keys":[
            {"kty":"oct","k":"b25l"},
            {"kty":"oct","k":"b25l","kid":"a","alg":"HS256","use":"sig","key_ops":["verify"]},
            {"kty":"oct","k":"b25l","key_ops":["sign"]},
            {"kty":"oct","k":"b25l","key_ops":[]},
            {"kty":"oct","k":"b25l","use":"enc","key_ops":["verify"]},
            {"kty":"oct","k":"b25l","use":"sig","key_ops":["encrypt"]},
            {"kty":"oct","k":"b25m"},
            {"kty":"oct","k":"b25l\u0020"},
            {"kty":"oct","k":5,"kid":"b"},
            {"kty":"OKP","crv":"X25519","x":"AQ","kid":"c"},
            {"kty":"OCT","k":"b25l"},
            {"kty":1,"k":"b25l"},
            {"kty":"oct","k":"b25l","kid":7},
            {"kty":"oct","k":"b25l","alg":null},
            {"kty":"oct","k":"b25l","use":[]},
            {"kty":"oct","k":"b25l","key_ops":"verify"},
            5
        ]}"#,
    );
    let broken: Vec<bool> = keys.iter().map(|key| key.broken).collect();
    let flaws = [8, 11, 12, 14, 15, 16];
    assert_eq!(
        broken,
        (0..17)
            .map(|index| flaws.contains(&index))
            .collect::<Vec<_>>()
    );
    let verifies: Vec<bool> = keys[..7].iter().map(|key| key.verifies).collect();
    assert_eq!(verifies, [true, true, true, true, false, false, true]);
    assert_eq!(
        (keys[1].id.as_deref(), keys[1].alg.as_deref()),
        (Some("a"), Some("HS256"))
    );
    assert_eq!(keys[8].id.as_deref(), Some("b"));
    assert!(matches!(&keys[0].kind, Kind::Secret(bytes) if bytes == b"one"));
    assert!(matches!(keys[9].kind, Kind::Other));
    assert!(matches!(keys[10].kind, Kind::Other));
    assert_eq!(keys_from_jwks(r#"{"kty":"oct","k":"b25l"}"#).len(), 1);
    assert!(keys_from_jwks("no JSON").is_empty());
    assert!(Key::secret([]).broken);
}

#[test]
fn a_signature_fits_or_not() {
    let good = token(HEADER, "{}");
    let (input, signature) = good.rsplit_once('.').unwrap();
    assert_eq!(codes(format!("{input}.")), "signature-length");
    let cut = encode(&decode(signature.as_bytes(), false).unwrap()[..31]);
    assert_eq!(codes(format!("{input}.{cut}")), "signature-length");
    assert_eq!(codes(format!("{input}.{signature}A")), "signature-length");
    assert_eq!(
        codes(format!("{input}.{}", encode([0; 32]))),
        "signature-mismatch"
    );
    assert_eq!(
        codes(signed_input(input, b"another secret")),
        "signature-mismatch"
    );
    // The MAC covers the encoded text: the same payload with more white space is another.
    let other = format!("{}.{}.{signature}", encode(HEADER), encode("{ }"));
    assert_eq!(codes(other), "signature-mismatch");
}

#[test]
fn the_payload_is_not_read_before_the_signature_is_verified() {
    for payload in ["!", "", "bm90IGpzb24", &encode(r#"{"exp":1}"#)] {
        let line = format!("{}.{payload}.{}", encode(HEADER), encode([0; 32]));
        let seen = judgement(line, &policy());
        assert_eq!(seen.codes, ["signature-mismatch"]);
        assert_eq!((seen.key, seen.exp), (None, None));
    }
    let empty = signed_input(&format!("{}.", encode(HEADER)), SECRET);
    assert_eq!(codes(empty), "payload-json");
    let kept = judgement(token(HEADER, "[]"), &policy());
    assert_eq!(kept.key, Some(0));
}
