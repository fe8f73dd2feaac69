//! Segments, headers and payloads that cannot be read or are rejected.

use jotmill::Algorithm;

use super::*;

#[test]
fn every_fault_of_a_header_is_explained() {
    let only_hs512 = [Algorithm::Hs512].into_iter().collect();
    let strict = policy().typ("at+jwt");
    for (policy, header, code, words) in [
        (
            policy(),
            r#"{"alg":"none"}"#,
            "alg-none",
            "anyone can write such a token",
        ),
        (
            policy(),
            r#"{"alg":"RSA1_5"}"#,
            "alg-unsupported",
            "encrypted with RSA",
        ),
        (
            policy(),
            r#"{"alg":"hs256"}"#,
            "alg-unsupported",
            "are case-sensitive: HS256",
        ),
        (
            policy(),
            r#"{}"#,
            "alg-missing",
            "the header names no algorithm",
        ),
        (
            policy(),
            r#"{"alg":["HS256"]}"#,
            "alg-type",
            r#"alg is an array: ["HS256"]"#,
        ),
        (
            policy().algorithms(only_hs512),
            HEADER,
            "alg-not-allowed",
            "--alg allows HS512",
        ),
        (
            policy(),
            r#"{"alg":"HS256","kid":7}"#,
            "kid-type",
            "kid is a number: 7",
        ),
        (
            strict.clone(),
            HEADER,
            "typ-mismatch",
            r#"typ is "JWT"; --typ expects "at+jwt""#,
        ),
        (
            strict,
            r#"{"alg":"HS256"}"#,
            "typ-mismatch",
            "there is no typ; --typ expects",
        ),
        (
            policy(),
            r#"{"alg":"HS256","crit":["x"]}"#,
            "crit-invalid",
            r#"crit is ["x"]"#,
        ),
        (
            policy(),
            r#"{"alg":"HS256","b64":false}"#,
            "b64-unsupported",
            "b64 is false",
        ),
        (
            policy(),
            r#"{"alg":"HS256","x":1,"crit":["x"]}"#,
            "crit-unsupported",
            "crit is",
        ),
        (
            policy(),
            r#"{"alg":"HS256","alg":"none"}"#,
            "header-duplicate-member",
            r#""alg" occurs 2 times: "HS256" and "none""#,
        ),
        (
            policy(),
            r#"{"alg":"HS256",}"#,
            "header-json",
            "at line 1 column 16",
        ),
        (
            policy(),
            r#"["HS256"]"#,
            "header-not-object",
            "it is an array",
        ),
    ] {
        let rejected = explain_by(
            signed(header, "{}", SECRET).as_bytes(),
            &policy,
            Some(keys()),
        );
        assert_eq!(rejected.codes(), [code], "{header}");
        rejected.must_say(&[words]);
    }
}

#[test]
fn a_header_that_brings_a_key_is_a_finding() {
    let header = r#"{"alg":"HS256","kid":"k1","jwk":{},"jku":"u","x5c":[],"x5u":"u"}"#;
    let found = explained(signed(header, "{}", SECRET));
    assert_eq!(found.outcome, Outcome::Valid);
    for code in ["jwk-header", "jku-header", "x5c-header", "x5u-header"] {
        found.must_say(&[code]);
    }
    assert_eq!(found.json["findings"].as_array().unwrap().len(), 4);
}

#[test]
fn what_explains_a_token_is_a_finding() {
    let good = token("{}");
    let (covered, signature) = good.rsplit_once('.').unwrap();
    let header = covered.split('.').next().unwrap();
    let date = r#"{"exp":1790003600123}"#;
    for (token, code) in [
        (
            signed(r#"{"alg":"HS256","nonce":"n"}"#, "{}", SECRET),
            "nonce-header",
        ),
        (
            signed(r#"{"alg":"HS256","zip":"DEF"}"#, "{}", SECRET),
            "compressed",
        ),
        (format!("{header}..{signature}"), "detached"),
        (format!("{covered}.{signature}="), "padded"),
        (format!("{good}~WyJhIl0~"), "sd-jwt"),
        (format!("bearer {good}"), "bearer-or-quoted"),
        (format!("'{good}'"), "bearer-or-quoted"),
        (token(date), "date-in-milliseconds"),
    ] {
        let found = explained(&token);
        let codes: Vec<_> = (found.json["findings"].as_array().unwrap().iter())
            .map(|finding| finding["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, [code], "{token}");
        found.must_say(&[&format!("{code}:")]);
        if code != "date-in-milliseconds" {
            // What needs no key is found without one.
            let found = explain_by(token.as_bytes(), &Policy::new(), None);
            assert_eq!(found.json["findings"][0]["code"], code, "{token}");
        }
    }
}

/// That a token was changed is said only where nothing else explains its signature.
#[test]
fn a_token_with_an_explanation_is_not_called_changed() {
    for header in [
        r#"{"alg":"HS256","kid":"k1","nonce":"n"}"#,
        r#"{"alg":"HS256","kid":"k1","x5c":["MIIB"]}"#,
        r#"{"alg":"HS256","kid":"k1","jwk":{}}"#,
    ] {
        let found = explained(signed(header, "{}", b"another secret of thirty-two byte"));
        assert_eq!(found.codes(), ["signature-mismatch"], "{header}");
        assert!(!found.says("was changed"), "{}", found.page);
    }
    let detached = token("{}")
        .split('.')
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let found = explained(format!("{}..{}", detached[0], detached[2]));
    assert_eq!(found.codes(), ["signature-mismatch"]);
    found.must_say(&["detached: the payload is detached", "this may be why"]);
    assert!(!found.says("was changed"), "{}", found.page);
    let header = r#"{"alg":"HS256","kid":"k1","zip":"DEF"}"#;
    for header in [r#"{"alg":"HS256","kid":"k1"}"#, header] {
        let found = explained(signed(header, "{}", b"another secret of thirty-two byte"));
        found.must_say(&["the token was changed"]);
    }
}

#[test]
fn a_compressed_payload_is_named_as_the_reason_why_it_is_no_json() {
    for zip in ["DEF", "GZIP"] {
        let header = format!(r#"{{"alg":"HS256","zip":"{zip}"}}"#);
        let why = "and jotmill does not unpack it; this may be why";
        let found = explained(signed(&header, "\u{1f}\u{8b}", SECRET));
        assert_eq!(found.codes(), ["payload-json"]);
        found.must_say(&["compressed: the header has a zip", why]);
        let found = explained(signed(&header, "{}", SECRET));
        assert!(!found.says(why), "{}", found.page);
    }
}

#[test]
fn the_wrong_number_of_segments_is_counted() {
    let good = token(r#"{"sub":"me"}"#);
    let two = explained(good.rsplit_once('.').unwrap().0);
    two.must_say(&["there is 1 dot; the signature is missing", r#""sub": "me""#]);
    explained("opaque").must_say(&["there is no dot at all"]);
    explained(format!("{good}.x")).must_say(&["there are 3 dots"]);
    let many = explained(".".repeat(1000));
    many.must_say(&["there are 1,000 dots", "and 995 segments more"]);
    assert!(many.page.lines().count() < 60);
    let jwe = explained(format!(
        "{}.a.b.c.d",
        encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)
    ));
    assert_eq!(jwe.codes(), ["encrypted"]);
    jwe.must_say(&[
        r#"alg "RSA-OAEP""#,
        r#"enc "A256GCM""#,
        "authentication tag",
        "encrypted",
    ]);
    assert!(jwe.json["payload"].is_null());
}

#[test]
fn bad_base64url_has_a_place_and_is_shown_as_far_as_it_goes() {
    let good = token(r#"{"sub":"me"}"#);
    let (header, rest) = good.split_once('.').unwrap();
    let padded = explained(format!("{header}=.{rest}"));
    assert_eq!(padded.codes(), ["header-base64url"]);
    padded.must_say(&[
        &format!(
            "character {} is \"=\": base64url in a token has no padding",
            header.len() + 1
        ),
        "decoded in spite of that, for display only",
        r#""alg": "HS256""#,
    ]);
    let broken = explained(format!("{}*{}.{rest}", &header[..20], &header[20..]));
    broken.must_say(&["character 21 is \"*\"", "begins with:", r#"{"alg":"HS256""#]);
    let bearer = explained(format!("bEaReR {good}"));
    assert_eq!(bearer.codes(), ["header-base64url"]);
    bearer.must_say(&["drop the word Bearer"]);
    explained(format!("\"{good}\"")).must_say(&["drop the quotes"]);
    // In the payload it is found after the signature only.
    let payload = signed(HEADER, "{}", SECRET).replace(&encode("{}"), "e30=");
    explained(payload).must_say(&["base64url: character 4 is \"=\""]);
}

#[test]
fn bad_json_has_a_place() {
    let bad = explained(token("{\"a\":1,\n \"exp\":tru}"));
    assert_eq!(bad.codes(), ["payload-json"]);
    bad.must_say(&["at line 2 column 11", "\"exp\":tru}"]);
    explained(token(b"\xff\xfe")).must_say(&["byte 1 is not UTF-8", "2 bytes that are no text"]);
    explained(token("")).must_say(&["there is nothing"]);
    explained(token("\u{feff}{}")).must_say(&["byte order mark"]);
    explained(token("[1]")).must_say(&["it is an array"]);
    for levels in [64, 65, 100, 127, 128, 200, 100_000] {
        let deep = format!(
            "{{\"a\":{}{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        );
        let deep = explained(token(deep));
        assert_eq!(deep.outcome == Outcome::Valid, levels == 64, "{levels}");
        assert!(deep.page.lines().count() < 200);
        if (65..128).contains(&levels) {
            deep.must_say(&["it is nested deeper than 64 levels, at line 1 column 69"]);
        }
    }
}

#[test]
fn a_member_that_occurs_twice_is_named_and_no_value_is_taken_for_it() {
    let twice = explained(token(r#"{"exp":1,"\u0065xp":1790003600}"#));
    assert_eq!(twice.codes(), ["payload-duplicate-member"]);
    twice.must_say(&[
        r#""exp" occurs 2 times, once written with escapes: 1 and 1790003600"#,
        r#"a name is written with escapes: it is "exp""#,
        "expired 56 years ago",
        "in 1 hour",
    ]);
    assert!(twice.json["times"]["exp"].is_null());
    assert_eq!(
        twice.json["payload_problems"],
        json!(["a member occurs twice: exp"])
    );
}
