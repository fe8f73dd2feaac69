use super::*;

fn set(keys: &str) -> KeySet {
    let mut set = KeySet::new();
    set.add_key(format!(r#"{{"keys":[{keys}]}}"#).as_bytes(), "here")
        .unwrap();
    set
}

fn chosen(set: &KeySet, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<u32>, Reason> {
    let policy = Policy::new().max_key_tries(3).unwrap();
    let selection = set.select(0, kid, algorithm, &policy)?;
    Ok(set.candidates(selection).keys().collect())
}

#[test]
fn a_kid_selects_its_keys_alone_and_the_anonymous_ones_otherwise() {
    let set = set(r#"{"kty":"oct","k":"YQ","kid":"a"}, {"kty":"oct","k":"Yg"},
           {"kty":"oct","k":"Yw","kid":"a"}, {"kty":"oct","k":"ZA","kid":"","alg":"HS512"}"#);
    let hs256 = Algorithm::Hs256;
    assert_eq!(chosen(&set, Some("a"), hs256), Ok(vec![0, 2]));
    assert_eq!(chosen(&set, Some("b"), hs256), Ok(vec![1]));
    assert_eq!(chosen(&set, Some(""), hs256), Err(Reason::KeyMismatch));
    assert_eq!(chosen(&set, Some(""), Algorithm::Hs512), Ok(vec![3]));
    assert_eq!(chosen(&set, None, hs256), Ok(vec![0, 1, 2]));
    assert_eq!(
        chosen(&set, None, Algorithm::Hs512),
        Err(Reason::TooManyKeys)
    );
    assert_eq!(set.duplicate_ids(), ["a"]);
    let names: Vec<_> = set.iter().map(Key::name).collect();
    assert_eq!(names, ["a", "secret-1", "a#2", "secret-2"]);
}

#[test]
fn every_key_has_a_name_of_its_own() {
    let mut keys = KeySet::new();
    keys.add_secret(b"first", "file").unwrap();
    let key = |kid: &str| format!(r#"{{"kty":"oct","k":"YQ","kid":"{kid}"}}"#);
    let long = "é".repeat(200);
    let kids = [
        "secret-1", "secret-2", "a", "a", "a#3", "a", "a#3", "", "", &long, &long,
    ];
    let set = kids.map(key).join(",");
    keys.add_key(format!(r#"{{"keys":[{set}]}}"#).as_bytes(), "set")
        .unwrap();
    keys.add_secret(b"second", "file").unwrap();
    let names: Vec<_> = keys.iter().map(Key::name).collect();
    let cut = format!("{}…", "é".repeat(128));
    let expected = [
        "secret-1",
        "secret-1#2",
        "secret-2",
        "a",
        "a#2",
        "a#3",
        "a#4",
        "a#3#2",
        "secret-3",
        "secret-4",
        &cut,
        &format!("{cut}#2"),
        "secret-5",
    ];
    assert_eq!(names, expected);
    // Ids are what the set says, whatever the name; an empty one is no name.
    let ids: Vec<_> = keys.iter().filter_map(Key::id).collect();
    assert_eq!(ids, kids);
}

#[test]
fn a_jwk_with_a_member_name_twice_is_unusable_keys() {
    let set = set(r#"{"kty":"oct","k":"YQ","kid":"a"},
           {"kty":"oct","k":"YQ","k":"Yg","kid":"b"},
           {"kty":"oct","k":"YQ","kid":"x","k\u0069d":"c"},
           {"kty":"oct","k":"YQ","kid":"d","x":[{"y":1,"y":1}]},
           {"kty":"oct","k":"YQ","kid":"e","key_ops":["verify",{"y":1,"y":1}]},
           {"kty":"RSA","kid":"f","n":"AQAB","n":"AQAB","e":"AQAB"},
           {"kty":"oct","k":"YQ","kid":"g","x":{"k":1,"y":{"k":1}}}"#);
    let unusable = Err(Reason::KeyUnusable);
    for (kid, expected) in [
        ("a", Ok(vec![0])),
        ("b", unusable.clone()),
        // Of two, the last is the one that parsers take (RFC 7517 section 4).
        ("x", Err(Reason::KeyNotFound)),
        ("c", unusable.clone()),
        ("d", unusable.clone()),
        ("e", unusable.clone()),
        ("f", unusable),
        ("g", Ok(vec![1])),
    ] {
        assert_eq!(chosen(&set, Some(kid), Algorithm::Hs256), expected, "{kid}");
    }
    let problems: Vec<_> = set
        .unusable_keys()
        .iter()
        .map(UnusableKey::problem)
        .collect();
    let expected = [
        "k: occurs twice",
        "kid: occurs twice",
        "x: a member name occurs twice in it",
        "key_ops: a member name occurs twice in it",
        "n: occurs twice",
    ]
    .map(|problem| format!("{problem} (RFC 7517 section 4)"));
    assert_eq!(problems, expected);
}

#[test]
fn unusable_keys_keep_their_id_taken() {
    let set = set(
        r#"{"kty":"oct","k":"YQ","kid":"a"}, {"kty":"oct","k":"?","kid":"broken"},
           {"kty":"OKP","crv":"X25519","kid":"rsa","x":"AQ"}, {"kty":"oct","k":"!","kid":"a"}, 7"#,
    );
    assert_eq!(
        chosen(&set, Some("broken"), Algorithm::Hs256),
        Err(Reason::KeyUnusable)
    );
    assert_eq!(
        chosen(&set, Some("rsa"), Algorithm::Hs256),
        Err(Reason::KeyMismatch)
    );
    assert_eq!(chosen(&set, Some("a"), Algorithm::Hs256), Ok(vec![0]));
    assert_eq!(
        chosen(&set, Some("else"), Algorithm::Hs256),
        Err(Reason::KeyNotFound)
    );
    let unusable: Vec<_> = set
        .unusable_keys()
        .iter()
        .map(|key| (key.index, key.member))
        .collect();
    let expected = [(1, Some("k")), (2, Some("crv")), (3, Some("k")), (4, None)];
    let expected = expected.map(|(index, member)| (Some(index), member));
    assert_eq!(unusable, expected);
    assert_eq!(
        set.unusable_keys()[3].problem(),
        "the member is not an object"
    );
}

#[test]
fn a_set_without_a_usable_key_and_a_lone_malformed_key_are_errors() {
    for text in [
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"RSA"}]}"#,
        r#"{"kty":"oct","k":"?"}"#,
        r#"{"kty":"RSA"}"#,
        r#"{"kty":"unheard-of"}"#,
    ] {
        let error = KeySet::new().add_key(text.as_bytes(), "here").unwrap_err();
        assert_eq!(error.origin, "here");
    }
}

#[test]
fn a_key_prints_its_name_and_nothing_else() {
    let mut set = set(r#"{"kty":"oct","k":"c2VjcmV0","kid":"k1"}"#);
    set.add_secret(b"secret", "file").unwrap();
    assert_eq!(format!("{set:?}"), "[Key(k1, oct), Key(secret-1, oct)]");
    assert!(set.iter().all(Key::is_weak));
}
