use super::*;
use crate::key::document::read;

/// The key of a text that holds one.
fn key(text: &str) -> Result<ParsedKey, Fault> {
    let mut keys = read(text.as_bytes(), "here").ok().unwrap().keys;
    keys.remove(0).key
}

fn only_key(members: &str) -> Result<Vec<&'static str>, (&'static str, bool)> {
    let jwk = format!(r#"{{"kty":"oct","k":"c2VjcmV0"{members}}}"#);
    match key(&jwk) {
        Ok(key) => Ok(key.algorithms.iter().map(Algorithm::name).collect()),
        Err(fault) => Err((fault.member.unwrap(), fault.is_other_type)),
    }
}

#[test]
fn alg_use_and_key_ops_bind_a_key() {
    let all = ["HS256", "HS384", "HS512"];
    for (members, expected) in [
        ("", Ok(&all[..])),
        (r#","alg":"HS384""#, Ok(&["HS384"])),
        (r#","alg":"A256KW""#, Ok(&[])),
        (r#","alg":1"#, Err(("alg", false))),
        (r#","use":"sig""#, Ok(&all)),
        (r#","use":"enc""#, Ok(&[])),
        (r#","use":"jwt-svid""#, Ok(&all)),
        (r#","use":"wit-svid""#, Ok(&all)),
        (r#","use":"x509-svid""#, Ok(&[])),
        (r#","use":"SIG""#, Ok(&[])),
        (r#","use":"""#, Ok(&[])),
        (r#","use":7"#, Err(("use", false))),
        (r#","use":["sig"]"#, Err(("use", false))),
        (r#","key_ops":["verify"]"#, Ok(&all)),
        (r#","key_ops":["sign"],"use":"sig""#, Ok(&all)),
        (r#","key_ops":["deriveKey"]"#, Ok(&[])),
        (r#","key_ops":[""]"#, Ok(&[])),
        (r#","key_ops":[null]"#, Err(("key_ops", false))),
        (r#","key_ops":"verify""#, Err(("key_ops", false))),
        (r#","key_ops":["verify",1]"#, Err(("key_ops", false))),
        // Malformed, though its use rules it out as well.
        (
            r#","use":"enc","key_ops":"verify""#,
            Err(("key_ops", false)),
        ),
        (r#","kid":1"#, Err(("kid", false))),
    ] {
        let found = only_key(members);
        assert_eq!(found.as_deref().map_err(|e| *e), expected, "{members}");
    }
}

#[test]
fn a_secret_of_zero_bytes_is_a_key() {
    let text = r#"{"kty":"oct","k":"AAAA"}"#;
    let key = read(text.as_bytes(), "here").ok().unwrap().keys.remove(0);
    assert!(key.key.is_ok());
}

#[test]
fn malformed_members_are_named() {
    for (jwk, member, is_other_type) in [
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "n", false),
        (r#"{"kty":"RSA","e":"AQAB"}"#, "n", false),
        (r#"{"kty":"RSA","n":"AAEAAQ","e":"AQAB"}"#, "n", false),
        (r#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#, "n", false),
        (r#"{"kty":"RSA","n":null,"e":"AQAB"}"#, "n", false),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQ\u00e9B"}"#, "e", false),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB="}"#, "e", false),
        (
            r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}"#,
            "x",
            false,
        ),
        (
            r#"{"kty":"EC","crv":"P-192","x":"AQ","y":"AQ"}"#,
            "crv",
            true,
        ),
        (r#"{"kty":"EC","x":"AQ","y":"AQ"}"#, "crv", false),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#, "x", false),
        (r#"{"kty":"OKP","crv":"X25519","x":"AQ"}"#, "crv", true),
        (r#"{"kty":"AKP","pub":"AQ"}"#, "alg", false),
        (
            r#"{"kty":"AKP","pub":"AQ","alg":"ML-DSA-44"}"#,
            "pub",
            false,
        ),
        (r#"{"kty":"AKP","pub":"AQ","alg":"SLH-DSA"}"#, "alg", true),
        (r#"{"kty":"unheard-of"}"#, "kty", true),
        (r#"{"kty":1}"#, "kty", false),
        (r#"{"kty":"oct"}"#, "k", false),
        (r#"{"kty":"oct","k":""}"#, "k", false),
        (r#"{"kty":"oct","k":null}"#, "k", false),
        (r#"{"kty":null,"k":"c2VjcmV0"}"#, "kty", false),
        (r#"{"kty":"oct","k":"c2VjcmV0="}"#, "k", false),
        (r#"{"kty":"oct","k":"c2Vjcm=V0"}"#, "k", false),
        (r#"{"kty":"oct","k":"c2Vjcm?V0"}"#, "k", false),
        (r#"{"kty":"oct","k":["c2VjcmV0"]}"#, "k", false),
        (r#"{"kty":"oct","k":"\ufeffc2VjcmV0"}"#, "k", false),
    ] {
        let mut keys = read(jwk.as_bytes(), "here").ok().unwrap().keys;
        let fault = keys.remove(0).key.err().unwrap();
        assert_eq!(
            (fault.member, fault.is_other_type),
            (Some(member), is_other_type),
            "{jwk}"
        );
        assert!(!fault.why.contains("c2Vj"), "{}", fault.why);
    }
}

/// What is unusual about a key: an empty member, a value that is not canonical, private material.
fn unusual(members: &str) -> [bool; 3] {
    let text = format!("{{{members}}}");
    let key = key(&text);
    let key = key.ok().unwrap();
    [key.has_empty_member, !key.is_canonical, key.is_private]
}

#[test]
fn empty_members_count_as_absent_and_are_found() {
    let secret = r#""kty":"oct","k":"c2VjcmV0""#;
    assert_eq!(unusual(secret), [false; 3]);
    for member in [
        r#""kid":null"#,
        r#""use":null"#,
        r#""alg":null"#,
        r#""key_ops":null"#,
        r#""key_ops":[]"#,
        r#""x5c":null"#,
        r#""x5c":[]"#,
        r#""oth":[]"#,
        r#""x5t":null"#,
        r#""exp":null"#,
    ] {
        let found = unusual(&format!("{secret},{member}"));
        assert_eq!(found, [true, false, false], "{member}");
    }
    // These say something.
    for member in [r#""kid":"""#, r#""x5t":"""#, r#""ext":[]"#, r#""ext":{}"#] {
        let found = unusual(&format!("{secret},{member}"));
        assert_eq!(found, [false; 3], "{member}");
    }
}

#[test]
fn a_key_is_private_where_there_is_private_material() {
    let public = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    for (member, is_empty, is_private) in [
        (r#""d":null"#, true, false),
        (r#""priv":null"#, true, false),
        (r#""d":"""#, false, false),
        (r#""oth":[]"#, true, false),
        (r#""oth":null"#, true, false),
        (r#""oth":{}"#, false, false),
        (r#""d":7"#, false, false),
        (r#""d":"AQ""#, false, true),
        (r#""dq":"AQ""#, false, true),
        (r#""oth":[{"r":"AQ"}]"#, false, true),
    ] {
        let found = unusual(&format!("{public},{member}"));
        assert_eq!(found, [is_empty, false, is_private], "{member}");
    }
    // An empty d is no right to sign.
    for d in ["null", r#""""#] {
        let text = format!(r#"{{{public},"d":{d},"key_ops":["sign"]}}"#);
        let key = key(&text);
        assert!(key.ok().unwrap().algorithms.is_empty(), "{d}");
    }
}

#[test]
fn a_member_that_cannot_be_read_spoils_its_key_and_no_other() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for member in [
        r#""x":"\ud800""#,
        r#""x":1e999"#,
        r#""x":{"y":["\udfff"]}"#,
        r#""\ud800":1,"k":1e999"#,
        &format!(r#""x":{deep}"#),
    ] {
        let bad = format!(r#"{{"kty":"oct","k":"YQ","kid":"bad",{member}}}"#);
        let text = format!(r#"{{"keys":[{bad},{{"kty":"oct","k":"YQ"}}],{member}}}"#);
        let keys = read(text.as_bytes(), "here").ok().unwrap().keys;
        let usable: Vec<_> = keys.iter().map(|key| key.key.is_ok()).collect();
        assert_eq!(usable, [false, true], "{member:.40}");
        assert_eq!(keys[0].id.as_deref(), Some("bad"), "{member:.40}");
    }
    let text = r#"{"keys":[{"kty":"oct","k":"YQ","kid":"\ud800"},{"kty":"oct","k":"YQ"}]}"#;
    let keys = read(text.as_bytes(), "here").ok().unwrap().keys;
    let fault = keys[0].key.as_ref().err().unwrap();
    assert_eq!((fault.member, keys[0].id.is_none()), (Some("kid"), true));
    assert!(keys[1].key.is_ok());
}

#[test]
fn values_that_rule_a_key_out_are_told() {
    for (member, value) in [
        (r#""use":"enc""#, "\"enc\" is for encryption"),
        (r#""use":"x509-svid""#, "never for tokens"),
        (r#""use":"signature""#, "\"signature\" is no registered use"),
        (
            r#""alg":"RSA-OAEP""#,
            "\"RSA-OAEP\" is an algorithm that jotmill does not verify",
        ),
        (r#""alg":"hs256""#, "\"hs256\" is no registered algorithm"),
        (r#""alg":"ES256""#, "\"ES256\" is for keys of another type"),
        (
            r#""key_ops":["deriveKey","wrapKey"]"#,
            "[\"deriveKey\", \"wrapKey\"]",
        ),
        // It may be the secret in the wrong place.
        (
            r#""alg":"0123456789abcdef0123456789abcdef""#,
            "a value of 32 bytes, not shown",
        ),
    ] {
        let text = format!(r#"{{"kty":"oct","k":"YQ",{member}}}"#);
        let key = key(&text);
        let why = key.ok().unwrap().ruled_out.unwrap().why;
        assert!(why.contains(value), "{why}");
    }
}

#[test]
fn what_is_no_key_file_is_an_error_that_helps() {
    for (text, hint) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1", "not JSON"),
        ("{}", "kty"),
        (r#"{"keys":{}}"#, "neither an array nor an object"),
    ] {
        let problem = read(text.as_bytes(), "here").err().unwrap().problem;
        assert!(problem.contains(hint), "{problem}");
    }
}

#[test]
fn a_member_twice_at_the_top_is_an_error_with_its_place() {
    for (text, hint) in [
        (
            "{\"keys\":[],\n \"keys\":[{\"kty\":\"oct\",\"k\":\"YQ\"}]}",
            "the member \"keys\" occurs twice at line 2 column 7",
        ),
        (
            r#"{"kty":"oct","k":"YQ","\u006b":"Yg"}"#,
            "the member \"k\" occurs twice at line 1",
        ),
        // It might be a secret in the wrong place.
        (
            r#"{"S3cr3t":1,"kty":"oct","S3cr3t":2}"#,
            "a member occurs twice at line 1",
        ),
    ] {
        let problem = read(text.as_bytes(), "here").err().unwrap().problem;
        assert!(problem.contains(hint), "{problem}");
        assert!(!problem.contains("S3cr3t"), "{problem}");
    }
    let below = r#"{"kty":"oct","k":"YQ","x":{"y":1,"y":1}}"#;
    let key = read(below.as_bytes(), "here").ok().unwrap().keys.remove(0);
    assert!(key.key.is_err());
}

#[test]
fn what_has_keys_is_a_set_whatever_else_it_has() {
    for text in [
        r#"{"kty":"oct","k":"YQ","keys":[]}"#,
        r#"{"keys":[],"x":{"y":1,"y":1}}"#,
        "[]",
    ] {
        let document = read(text.as_bytes(), "here").ok().unwrap();
        assert!(document.is_set && document.keys.is_empty(), "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_ignored() {
    let text = "\u{feff}{\"keys\":[{\"kty\":\"oct\",\"k\":\"YQ\"}]}";
    assert_eq!(read(text.as_bytes(), "here").ok().unwrap().keys.len(), 1);
    assert!(read("\u{feff}\u{feff}{}".as_bytes(), "here").is_err());
}
