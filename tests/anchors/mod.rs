//! Tokens that bring a certificate chain: the key of its first certificate verifies where the chain
//! leads to a given anchor by all its rules, and never otherwise. Every token is judged by the
//! validator, by a `Judge` and in a run, which have to agree.

mod certificates;

use jotmill::{ChainError, Finding, Judge, KeySet, Policy, RunOptions, UnixTime, Validator};
use serde_json::{Value, json};

use self::certificates::{
    BASIC_CONSTRAINTS, Certificate, EXTENDED_KEY_USAGE, KEY_USAGE, NAME_CONSTRAINTS, NOW, Pair,
    SUBJECT_ALT_NAME, base64, pem, token, token_of, x5c,
};
use crate::der::{sequence, tlv};
use crate::judges::{Row, audit};
use crate::token_maker::{TokenMaker, encode};

const DNS: &str = "signer.example.com";

/// A root, an authority below it, and a signer below that, each with its key.
struct Chain {
    root_key: Pair,
    middle_key: Pair,
    leaf_key: Pair,
    root: Vec<u8>,
    middle: Vec<u8>,
    leaf: Vec<u8>,
}

impl Chain {
    fn of(pair: fn() -> Pair) -> Self {
        let (root_key, middle_key, leaf_key) = (pair(), pair(), pair());
        Self {
            root: Certificate::authority("root").issue(&root_key, "root", &root_key),
            middle: Certificate::authority("middle").issue(&middle_key, "root", &root_key),
            leaf: Certificate::signer("leaf", DNS).issue(&leaf_key, "middle", &middle_key),
            root_key,
            middle_key,
            leaf_key,
        }
    }

    fn new() -> Self {
        Self::of(Pair::p256)
    }

    /// The validator that has the root as its anchor, for these names.
    fn validator(&self, names: &[&str]) -> Validator {
        validator(&self.root, names)
    }

    /// The leaf in place of its own.
    fn leaf(&self, leaf: &Certificate) -> Vec<u8> {
        leaf.issue(&self.leaf_key, "middle", &self.middle_key)
    }

    /// A token of this chain.
    fn token(&self, chain: &[&[u8]]) -> String {
        token(&x5c(chain), &json!({"sub": "me"}), &self.leaf_key)
    }

    /// The token of the chain as it should be.
    fn good(&self) -> String {
        self.token(&[&self.leaf, &self.middle, &self.root])
    }
}

fn keys(root: &[u8], names: &[&str]) -> KeySet {
    let mut keys = KeySet::new();
    keys.add_anchor(root, names, "root.cer").expect("an anchor");
    keys
}

fn validator(root: &[u8], names: &[&str]) -> Validator {
    Validator::new(Policy::new(), keys(root, names)).expect("a validator")
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::new(seconds, 0).expect("an instant")
}

fn now() -> UnixTime {
    at(NOW)
}

/// The codes of a token, on which all ways of judging agree; empty if it is valid.
fn codes_at(validator: &Validator, token: &str, now: UnixTime) -> String {
    let bytes = token.as_bytes();
    let verdict = validator.validate_at(bytes, now);
    let mut judge = Judge::new(validator).expect("a kernel");
    for _ in 0..3 {
        assert_eq!(judge.validate_all_at(&[bytes, bytes], now), [verdict; 2]);
    }
    assert_eq!(judge.payload_at(bytes, now).is_ok(), verdict.is_valid());
    let all = vec![bytes; 3];
    let parallel = validator.validate_all_at(&all, now).expect("a kernel");
    assert_eq!(parallel, [verdict; 3]);
    for threads in [1, 3] {
        let options = RunOptions::new(now).threads(threads);
        let log = format!("{token}\n{token}\n");
        let (rows, finished) = audit(validator, log.as_bytes(), &options);
        assert_eq!(rows.lines().count(), 2);
        for row in rows.lines() {
            let row: Row = serde_json::from_str(row).expect("a row");
            let codes: Vec<&str> = verdict.reasons.iter().map(|it| it.code()).collect();
            let expected = if codes.is_empty() {
                Value::Null
            } else {
                json!(codes)
            };
            assert_eq!(row.get("reasons").cloned().unwrap_or_default(), expected);
            assert_eq!(row.contains_key("key"), verdict.key.is_some());
        }
        let found = finished.report.tally.findings[Finding::X5cHeader as usize];
        let is_found = verdict.findings.contains(Finding::X5cHeader);
        assert_eq!(found, 2 * u64::from(is_found));
    }
    let codes: Vec<&str> = verdict.reasons.iter().map(|it| it.code()).collect();
    codes.join(" ")
}

fn codes(validator: &Validator, token: &str) -> String {
    codes_at(validator, token, now())
}

/// Why the chain of a token gives no key.
fn refusal(validator: &Validator, token: &str) -> ChainError {
    let chain = validator
        .chain_at(token.as_bytes(), now())
        .expect("a chain");
    chain.expect_err("a refusal")
}

/// A token is rejected, for its chain, and this is said of that.
fn assert_refused(validator: &Validator, token: &str, why: &str) {
    assert_eq!(codes(validator, token), "chain-invalid", "{why}");
    let text = refusal(validator, token).to_string();
    assert!(text.contains(why), "{why}: {text}");
}

#[test]
fn a_chain_that_leads_to_an_anchor_gives_the_key_of_its_leaf() {
    for chain in [Chain::new(), Chain::of(Pair::ed25519)] {
        for root in [chain.root.clone(), pem(&chain.root).into_bytes()] {
            let validator = validator(&root, &["other.example.com", DNS]);
            let short = chain.token(&[&chain.leaf, &chain.middle]);
            for token in [chain.good(), short] {
                assert_eq!(codes(&validator, &token), "");
                let verdict = validator.validate_at(token.as_bytes(), now());
                let key = verdict.key.and_then(|key| validator.keys().get(key));
                let key = key.expect("the anchor");
                assert_eq!((key.name(), key.is_anchor()), ("anchor-1", true));
                // It says that a chain is not trusted.
                assert!(!verdict.findings.contains(Finding::X5cHeader));
            }
        }
        // Directly below the root.
        let leaf = Certificate::signer("leaf", DNS);
        let leaf = leaf.issue(&chain.leaf_key, "root", &chain.root_key);
        let validator = chain.validator(&[DNS]);
        assert_eq!(codes(&validator, &chain.token(&[&leaf, &chain.root])), "");
        assert_eq!(codes(&validator, &chain.token(&[&leaf])), "");
    }
}

#[test]
fn without_an_anchor_no_certificate_of_a_header_is_looked_at() {
    let (chain, other) = (Chain::new(), Chain::new());
    let mut keys = KeySet::new();
    keys.add_secret(b"a secret of thirty-two bytes, ok", "secret")
        .expect("a key");
    let validator = Validator::new(Policy::new(), keys).expect("a validator");
    assert_eq!(codes(&validator, &chain.good()), "key-not-found");
    assert_eq!(validator.chain_at(chain.good().as_bytes(), now()), None);
    // As a key, the root verifies what it signed alone.
    let mut keys = KeySet::new();
    keys.add_key(&chain.root, "root.cer").expect("a key");
    let validator = Validator::new(Policy::new(), keys).expect("a validator");
    assert_eq!(codes(&validator, &chain.good()), "signature-mismatch");
    assert_refused(&other.validator(&[DNS]), &chain.good(), "no valid path");
}

#[test]
fn a_key_in_a_header_is_never_trusted_beside_an_anchor() {
    let (chain, other) = (Chain::new(), Chain::new());
    let validator = chain.validator(&[DNS]);
    let claims = json!({"sub": "me"});
    // The chain of another root, and its own root as well.
    for own in [
        &[&other.leaf[..], &other.middle, &other.root][..],
        &[&other.leaf, &other.middle],
    ] {
        let token = token(&x5c(own), &claims, &other.leaf_key);
        assert_refused(&validator, &token, "no valid path");
    }
    // The good chain, with the signature of another key.
    let good = x5c(&[&chain.leaf, &chain.middle, &chain.root]);
    for key in [&other.leaf_key, &chain.middle_key, &chain.root_key] {
        assert_eq!(
            codes(&validator, &token(&good, &claims, key)),
            "signature-mismatch"
        );
    }
    // Keys beside it, and in other members.
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": "", "y": ""});
    for (name, value) in [("x5u", json!("https://example.com/")), ("jwk", jwk)] {
        let header = json!({"alg": "ES256", name: value});
        assert_eq!(
            codes(&validator, &token_of(&header, &claims, &other.leaf_key)),
            "key-not-found"
        );
        let header = json!({"alg": "ES256", name: header[name], "x5c": good});
        let token = token_of(&header, &claims, &other.leaf_key);
        assert_eq!(codes(&validator, &token), "signature-mismatch");
    }
}

#[test]
fn the_key_of_a_chain_serves_no_other_algorithm() {
    let chain = Chain::new();
    let validator = chain.validator(&[DNS]);
    let good = x5c(&[&chain.leaf, &chain.middle, &chain.root]);
    for alg in ["HS256", "HS512"] {
        for secret in [&chain.leaf[..], pem(&chain.leaf).as_bytes(), b""] {
            let header = json!({"alg": alg, "x5c": good}).to_string();
            let maker = TokenMaker::new().header(header).alg(alg).secret(secret);
            let token = String::from_utf8(maker.sign()).expect("text");
            assert_eq!(codes(&validator, &token), "key-not-found", "{alg}");
        }
    }
    for (alg, expected) in [
        ("ES384", "key-not-found"),
        ("EdDSA", "key-not-found"),
        ("PS256", "key-not-found"),
        ("none", "alg-none"),
        ("ES1", "alg-unsupported"),
    ] {
        let header = json!({"alg": alg, "x5c": good});
        let token = token_of(&header, &json!({}), &chain.leaf_key);
        assert_eq!(codes(&validator, &token), expected, "{alg}");
    }
    // The policy decides as of any token.
    let policy = Policy::new().algorithms([jotmill::Algorithm::Rs256].into_iter().collect());
    let strict = Validator::new(policy, keys(&chain.root, &[DNS])).expect("a validator");
    assert_eq!(codes(&strict, &chain.good()), "alg-not-allowed");
    let strict = Policy::new().subject("you");
    let strict = Validator::new(strict, keys(&chain.root, &[DNS])).expect("a validator");
    assert_eq!(codes(&strict, &chain.good()), "subject-mismatch");
}

#[test]
fn a_chain_is_validated_at_the_instant_of_the_token() {
    let chain = Chain::new();
    let good = |leaf: &[u8]| chain.token(&[leaf, &chain.middle, &chain.root]);
    // From 2026-09-21T14:13:20Z to the same second, and on either side of it.
    let mut short = Certificate::signer("leaf", DNS);
    (short.from, short.to) = ("260921141320Z", "260921141322Z");
    let token = good(&chain.leaf(&short));
    let validator = chain.validator(&[DNS]);
    let expected = |seconds: u64| match seconds {
        NOW..=1_790_000_002 => "",
        _ => "chain-invalid",
    };
    // In any order, so that each instant meets what the cache has of another.
    for seconds in [NOW, NOW - 1, NOW + 2, NOW + 3, NOW + 1, NOW - 1, NOW] {
        assert_eq!(codes_at(&validator, &token, at(seconds)), expected(seconds));
    }
    let timed: Vec<(&str, UnixTime)> = (NOW - 3..NOW + 6)
        .map(|it| (token.as_str(), at(it)))
        .collect();
    let verdicts = validator.validate_each_at(&timed).expect("a kernel");
    let mut judge = Judge::new(&validator).expect("a kernel");
    for _ in 0..3 {
        assert_eq!(judge.validate_each_at(&timed), verdicts);
    }
    for ((_, at), verdict) in timed.iter().zip(verdicts) {
        assert_eq!(
            verdict.is_valid(),
            expected(at.seconds()).is_empty(),
            "{at}"
        );
    }
    // An issuer and an anchor that are not valid then.
    let mut middle = Certificate::authority("middle");
    middle.to = "260921141319Z";
    let middle = middle.issue(&chain.middle_key, "root", &chain.root_key);
    let token = chain.token(&[&chain.leaf, &middle, &chain.root]);
    assert_refused(&validator, &token, "had expired");
    assert_eq!(codes_at(&validator, &token, at(NOW - 1)), "");
    let mut root = Certificate::authority("root");
    root.to = "260921141319Z";
    let root = root.issue(&chain.root_key, "root", &chain.root_key);
    let validator = self::validator(&root, &[DNS]);
    assert_refused(&validator, &chain.good(), "the anchor's own certificate");
    assert_eq!(codes_at(&validator, &chain.good(), at(NOW - 1)), "");
}

#[test]
fn every_issuer_of_a_chain_is_an_authority() {
    let chain = Chain::new();
    let validator = chain.validator(&[DNS]);
    let with = |middle: Certificate| {
        let middle = middle.issue(&chain.middle_key, "root", &chain.root_key);
        chain.token(&[&chain.leaf, &middle, &chain.root])
    };
    let middle = || Certificate::authority("middle");
    let no = sequence(&[]);
    assert_refused(
        &validator,
        &with(middle().without(BASIC_CONSTRAINTS)),
        "no authority's",
    );
    assert_refused(
        &validator,
        &with(middle().with(BASIC_CONSTRAINTS, &no)),
        "no authority's",
    );
    let signs = middle().with(KEY_USAGE, &tlv(3, &[7, 0x80]));
    assert_refused(&validator, &with(signs), "lacks keyCertSign");
    let crl = middle().with(KEY_USAGE, &tlv(3, &[1, 0x02]));
    assert_refused(&validator, &with(crl), "lacks keyCertSign");
    assert_eq!(codes(&validator, &with(middle().without(KEY_USAGE))), "");
    // A signer issues another signer.
    let lower = Pair::p256();
    let below = Certificate::signer("below", DNS).issue(&lower, "leaf", &chain.leaf_key);
    let own = x5c(&[&below, &chain.leaf, &chain.middle, &chain.root]);
    let token = token(&own, &json!({}), &lower);
    assert_refused(&validator, &token, "no authority's");
}

#[test]
fn the_leaf_may_sign_and_is_no_authority() {
    let chain = Chain::new();
    let validator = chain.validator(&[DNS, "CN=root"]);
    let with = |leaf: Certificate| chain.token(&[&chain.leaf(&leaf), &chain.middle, &chain.root]);
    let signer = || Certificate::signer("leaf", DNS);
    let ca = signer().with(BASIC_CONSTRAINTS, &sequence(&[tlv(1, &[0xff])]));
    assert_refused(&validator, &with(ca), "that of an authority");
    assert_refused(
        &validator,
        &with(signer().without(KEY_USAGE)),
        "lacks digitalSignature",
    );
    for bits in [0x40, 0x20, 0x06] {
        let other = signer().with(KEY_USAGE, &tlv(3, &[1, bits]));
        assert_refused(&validator, &with(other), "lacks digitalSignature");
    }
    let empty = signer().with(KEY_USAGE, &tlv(3, &[0]));
    assert_refused(&validator, &with(empty), "lacks digitalSignature");
    let both = signer().with(KEY_USAGE, &tlv(3, &[6, 0xc0]));
    assert_eq!(codes(&validator, &with(both)), "");
    let no = signer().with(BASIC_CONSTRAINTS, &sequence(&[]));
    assert_eq!(codes(&validator, &with(no)), "");
    // The root as its own leaf, and a certificate that is signed by itself.
    for own in [
        &[&chain.root[..]][..],
        &[&chain.root, &chain.root],
        &[&chain.middle, &chain.root],
    ] {
        let token = token(&x5c(own), &json!({}), &chain.root_key);
        assert_refused(&validator, &token, "that of an authority");
    }
    let own = Certificate::signer("root", DNS).issue(&chain.leaf_key, "root", &chain.leaf_key);
    assert_refused(&validator, &chain.token(&[&own]), "does not hold");
    assert_refused(
        &validator,
        &chain.token(&[&own, &chain.root]),
        "does not hold",
    );
}

#[test]
fn a_critical_extension_that_is_not_known_is_refused_in_every_certificate() {
    let chain = Chain::new();
    let validator = chain.validator(&[DNS]);
    let leaf = chain.leaf(&Certificate::signer("leaf", DNS).with_unknown());
    let middle = Certificate::authority("middle").with_unknown();
    let middle = middle.issue(&chain.middle_key, "root", &chain.root_key);
    for own in [[&leaf, &chain.middle], [&chain.leaf, &middle]] {
        let token = chain.token(&[own[0], own[1]]);
        assert_refused(&validator, &token, "a critical extension is not understood");
    }
}

#[test]
fn the_leaf_has_a_given_name_byte_by_byte() {
    let chain = Chain::new();
    let san = |tag: u8, text: &str| sequence(&[tlv(tag, text.as_bytes())]);
    for (tag, text, name, is_own) in [
        (0x82, DNS, DNS, true),
        (0x82, "Signer.example.com", DNS, false),
        (0x82, "signer.example.com.", DNS, false),
        (0x82, "signer.example.com.evil.example", DNS, false),
        (0x82, "a.signer.example.com", DNS, false),
        (0x82, "*.example.com", DNS, false),
        (
            0x86,
            "spiffe://example.org/a",
            "spiffe://example.org/a",
            true,
        ),
        (
            0x86,
            "spiffe://example.org/a/",
            "spiffe://example.org/a",
            false,
        ),
        (
            0x86,
            "spiffe://example.org/A",
            "spiffe://example.org/a",
            false,
        ),
        (0x81, "signer@example.com", "signer@example.com", true),
        (0x81, "xsigner@example.com", "signer@example.com", false),
        // Of another type than its text looks like.
        (0x81, DNS, DNS, false),
        (0x86, DNS, DNS, false),
        (0x82, "signer@example.com", "signer@example.com", false),
        (
            0x82,
            "spiffe://example.org/a",
            "spiffe://example.org/a",
            false,
        ),
        (0x82, "CN=signer", "CN=signer", false),
        (0x86, "CN=signer", "CN=signer", false),
        (0x82, DNS, "CN=leaf", true),
        (0x82, DNS, "CN=Leaf", false),
        (0x82, DNS, "CN=leaf,O=Example", false),
        (0x82, DNS, "leaf", false),
    ] {
        let validator = chain.validator(&[name]);
        let leaf = Certificate::signer("leaf", "x").with(SUBJECT_ALT_NAME, &san(tag, text));
        let token = chain.token(&[&chain.leaf(&leaf), &chain.middle, &chain.root]);
        match is_own {
            true => assert_eq!(codes(&validator, &token), "", "{text}"),
            false => assert_refused(&validator, &token, "none of the names"),
        }
    }
    // Without any name but its subject, in which nothing is left to be escaped.
    for subject in ["leaf", "leaf,O=Bank", "a+CN=b"] {
        let leaf = Certificate::signer(subject, "x").without(SUBJECT_ALT_NAME);
        let token = chain.token(&[&chain.leaf(&leaf), &chain.middle]);
        let validator = chain.validator(&["CN=leaf", "CN=b", "O=Bank", "CN=leaf,O=Bank"]);
        match subject {
            "leaf" => assert_eq!(codes(&validator, &token), ""),
            _ => assert_refused(&validator, &token, "none of the names"),
        }
    }
}

#[test]
fn name_constraints_of_issuers_and_anchors_hold() {
    let chain = Chain::new();
    let subtree = |tag: u8, kind: u8, text: &str| {
        sequence(&[tlv(tag, &sequence(&[tlv(kind, text.as_bytes())]))])
    };
    let token = |constraints: &[u8]| {
        let middle = Certificate::authority("middle").with(NAME_CONSTRAINTS, constraints);
        let middle = middle.issue(&chain.middle_key, "root", &chain.root_key);
        chain.token(&[&chain.leaf, &middle, &chain.root])
    };
    let validator = chain.validator(&[DNS]);
    assert_eq!(
        codes(&validator, &token(&subtree(0xa0, 0x82, "example.com"))),
        ""
    );
    for constraints in [
        subtree(0xa0, 0x82, "example.org"),
        subtree(0xa1, 0x82, "example.com"),
        subtree(0xa1, 0x82, DNS),
    ] {
        assert_refused(&validator, &token(&constraints), "nameConstraints");
        let root = Certificate::authority("root").with(NAME_CONSTRAINTS, &constraints);
        let root = root.issue(&chain.root_key, "root", &chain.root_key);
        assert_refused(
            &self::validator(&root, &[DNS]),
            &chain.good(),
            "nameConstraints",
        );
    }
}

#[test]
fn the_certificates_of_a_chain_are_the_path_in_order() {
    let (chain, other) = (Chain::new(), Chain::new());
    let validator = chain.validator(&[DNS]);
    let (leaf, middle, root) = (&chain.leaf[..], &chain.middle[..], &chain.root[..]);
    for wrong in [
        &[leaf, root, middle][..],
        &[leaf, middle, middle],
        &[leaf, middle, middle, root],
        &[leaf, leaf, middle, root],
        &[leaf, middle, root, root],
        &[leaf, middle, root, middle],
        &[leaf, middle, &other.root],
        &[leaf, &other.middle, middle, root],
        &[leaf, middle, root, &other.root],
    ] {
        assert_refused(&validator, &chain.token(wrong), "in order");
    }
    for incomplete in [&[leaf][..], &[leaf, root], &[leaf, &other.middle, root]] {
        assert_eq!(codes(&validator, &chain.token(incomplete)), "chain-invalid");
    }
    for upside_down in [&[root, middle, leaf][..], &[middle, leaf, root]] {
        assert_refused(
            &validator,
            &chain.token(upside_down),
            "that of an authority",
        );
    }
}

#[test]
fn x5c_of_another_form_gives_no_key() {
    let chain = Chain::new();
    let validator = chain.validator(&[DNS]);
    let good = x5c(&[&chain.leaf, &chain.middle, &chain.root]);
    let text = good[0].as_str().expect("text").to_owned();
    let rest = |first: Value| json!([first, good[1], good[2]]);
    let url_safe = text.replace('+', "-").replace('/', "_");
    let spaced = format!("{} {}", &text[..64], &text[64..]);
    let line = format!("{text}\n");
    let mut forms = vec![
        (Value::Null, "not an array"),
        (json!(text), "not an array"),
        (json!({"0": text}), "not an array"),
        (json!([]), "not an array"),
        (json!([text, 1]), "not an array"),
        (json!([[text]]), "not an array"),
        (rest(json!(spaced)), "certificate 1 of x5c is not base64"),
        (rest(json!(line)), "certificate 1 of x5c is not base64"),
        (rest(json!("")), "certificate 1 of x5c is not a cert"),
        (
            rest(json!(pem(&chain.leaf))),
            "certificate 1 of x5c is not base64",
        ),
        (
            json!([text, "*", good[2]]),
            "certificate 2 of x5c is not base64",
        ),
        (rest(base64(b"0")), "certificate 1 of x5c is not a cert"),
        (
            rest(base64(&[&chain.leaf[..], b"\0"].concat())),
            "certificate 1 of x5c is not a cert",
        ),
        (json!(vec![&good[0]; 9]), "more than jotmill reads"),
        (
            json!(["A".repeat((64 << 10) + 4)]),
            "more than jotmill reads",
        ),
    ];
    if url_safe != text {
        forms.push((rest(json!(url_safe)), "certificate 1 of x5c is not base64"));
    }
    for (form, why) in forms {
        let token = token(&form, &json!({}), &chain.leaf_key);
        assert_refused(&validator, &token, why);
    }
    // The same member written otherwise is the same member.
    let header = json!({"alg": "ES256", "x5c": good}).to_string();
    let header = header.replace("x5c", "\\u00785c");
    let input = format!("{}.{}", encode(header), encode("{}"));
    assert_eq!(
        codes(&validator, &format!("{input}.AA")),
        "signature-length"
    );
}

#[test]
fn an_anchor_belongs_to_the_issuer_that_it_is_given_for() {
    let (ours, theirs) = (Chain::new(), Chain::new());
    let policy = |iss: &str| Policy::new().issuer(iss);
    let validator = Validator::with_issuers([
        (policy("https://one.example/"), keys(&ours.root, &[DNS])),
        (policy("https://two.example/"), keys(&theirs.root, &[DNS])),
    ])
    .expect("policies");
    let token = |chain: &Chain, iss: &str| {
        let own = x5c(&[&chain.leaf, &chain.middle, &chain.root]);
        token(&own, &json!({"iss": iss}), &chain.leaf_key)
    };
    for (chain, own, name) in [
        (&ours, "https://one.example/", "anchor-1"),
        (&theirs, "https://two.example/", "anchor-2"),
    ] {
        for iss in ["https://one.example/", "https://two.example/"] {
            let token = token(chain, iss);
            let expected = if iss == own { "" } else { "chain-invalid" };
            assert_eq!(codes(&validator, &token), expected);
            let key = validator.validate_at(token.as_bytes(), now()).key;
            let key = key.and_then(|key| validator.keys().get(key));
            assert_eq!(key.map(|key| key.name()), (iss == own).then_some(name));
        }
        let unknown = token(chain, "https://three.example/");
        assert_eq!(codes(&validator, &unknown), "issuer-unknown");
    }
}

#[test]
fn given_keys_verify_first_and_reasons_of_theirs_stay() {
    let chain = Chain::new();
    let key = Pair::p256();
    let own = Certificate::signer("given", "x").issue(&key, "given", &key);
    let mut given = keys(&chain.root, &[DNS]);
    given.add_key(&own, "given.crt").expect("a key");
    let validator = Validator::new(Policy::new(), given).expect("a validator");
    let claims = json!({});
    let good = x5c(&[&chain.leaf, &chain.middle, &chain.root]);
    let bad = x5c(&[&chain.leaf]);
    for x5c in [&good, &bad] {
        let token = token(x5c, &claims, &key);
        assert_eq!(codes(&validator, &token), "");
        let verdict = validator.validate_at(token.as_bytes(), now());
        let key = verdict.key.and_then(|key| validator.keys().get(key));
        assert!(!key.expect("a key").is_anchor());
        assert!(verdict.findings.contains(Finding::X5cHeader));
    }
    assert_eq!(
        codes(&validator, &token(&good, &claims, &chain.leaf_key)),
        ""
    );
    assert_eq!(
        codes(&validator, &token(&bad, &claims, &chain.leaf_key)),
        "signature-mismatch"
    );
    // A kid is the id of no key, as it is in every such token.
    for kid in ["", "leaf"] {
        let header = json!({"alg": "ES256", "kid": kid, "x5c": good});
        assert_eq!(
            codes(&validator, &token_of(&header, &claims, &chain.leaf_key)),
            ""
        );
    }
}

#[test]
fn many_chains_are_judged_within_the_bound_of_the_cache() {
    let chain = Chain::new();
    let validator = chain.validator(&[DNS]);
    let mut log = String::new();
    for number in 0..1100 {
        let mut leaf = chain.leaf.clone();
        // Another signature, which does not hold.
        let last = leaf.len() - 1 - number % 8;
        leaf[last] ^= 1 << (number / 8 % 8) | u8::from(number >= 64) << (number / 64 % 8);
        let token = chain.token(&[&leaf, &chain.middle]);
        log += &format!(
            "{token}\n{}\n",
            if number % 100 == 0 {
                chain.good()
            } else {
                token.clone()
            }
        );
    }
    let (_, finished) = audit(&validator, log.as_bytes(), &RunOptions::new(now()));
    let tokens = finished.report.tally.tokens;
    assert_eq!((tokens.valid, tokens.total()), (11, 2200));
}

#[test]
fn extended_key_usages_are_allowed_and_counted() {
    let chain = Chain::new();
    let oid = |last: u8| tlv(6, &[0x2b, 6, 1, 5, 5, 7, 3, last]);
    let with = |purposes: &[Vec<u8>]| {
        let leaf = Certificate::signer("leaf", DNS);
        let leaf = chain.leaf(&leaf.with(EXTENDED_KEY_USAGE, &sequence(purposes)));
        chain.token(&[&leaf, &chain.middle])
    };
    let tokens = [
        with(&[oid(1)]),
        with(&[oid(3), oid(1), oid(3)]),
        chain.good(),
    ];
    let validator = chain.validator(&[DNS]);
    for token in &tokens {
        assert_eq!(codes(&validator, token), "");
    }
    let expired = chain.token(&[&chain.leaf]);
    let log = [&tokens[..], &[expired]].concat().join("\n");
    for threads in [1, 3] {
        let options = RunOptions::new(now()).threads(threads);
        let (_, finished) = audit(&validator, log.as_bytes(), &options);
        let purposes = finished.report.tally.purposes.sorted();
        let purposes: Vec<_> = purposes
            .iter()
            .map(|(name, it)| (*name, it.valid))
            .collect();
        let expected = [
            ("1.3.6.1.5.5.7.3.1", 2),
            ("1.3.6.1.5.5.7.3.3", 1),
            ("none", 1),
        ];
        assert_eq!(purposes, expected);
    }
}

#[test]
fn an_anchor_is_the_certificate_of_an_authority_with_names() {
    let chain = Chain::new();
    let add = |file: &[u8], names: &[&str]| {
        let added = KeySet::new().add_anchor(file, names, "root.cer");
        added.map_err(|error| error.to_string())
    };
    assert_eq!(add(&chain.root, &[DNS]), Ok(()));
    let both = pem(&chain.root) + &pem(&chain.middle);
    assert_eq!(add(both.as_bytes(), &[DNS]), Ok(()));
    let (root, leaf) = (&chain.root[..], &chain.leaf[..]);
    let public = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        "AAAA"
    );
    for (file, names, why) in [
        (root, &[][..], "no name"),
        (root, &[""], "empty"),
        (root, &["*.example.com"], "give each in full"),
        (leaf, &[DNS], "may not issue certificates"),
        (b"", &[DNS], "the file is empty"),
        (b"x", &[DNS], "neither PEM, DER nor a JWK Set"),
        (public.as_bytes(), &[DNS], "not a SubjectPublicKeyInfo"),
        (
            &root[..root.len() - 1],
            &[DNS],
            "its length is not that of the file",
        ),
    ] {
        let error = add(file, names).expect_err(why);
        assert!(error.contains(why) && error.contains("root.cer"), "{error}");
    }
}

/// A chain to the certificate of a given key explains a rejected token, and verifies none: whatever
/// its algorithm and length, and where that certificate is unusable as a key beside others.
#[test]
fn a_chain_to_a_certificate_given_as_a_key_is_a_finding_and_gives_no_key() {
    let found = |keys: KeySet, token: &str, seconds: u64| {
        let validator = Validator::new(Policy::new(), keys).expect("a validator");
        assert_ne!(codes_at(&validator, token, at(seconds)), "");
        let verdict = validator.validate_at(token.as_bytes(), at(seconds));
        assert_eq!(verdict.key, None);
        verdict.findings.contains(Finding::X5cChainToGivenRoot)
    };
    let key = |certificate: &[u8]| {
        let mut keys = KeySet::new();
        keys.add_key(certificate, "root.cer").expect("a key");
        keys
    };
    for chain in [Chain::new(), Chain::of(Pair::ed25519)] {
        let (leaf, middle, root) = (&chain.leaf[..], &chain.middle[..], &chain.root[..]);
        for part in [&[leaf, middle, root][..], &[leaf, middle]] {
            assert!(found(key(root), &chain.token(part), NOW));
            assert!(found(key(pem(root).as_bytes()), &chain.token(part), NOW));
        }
        // The authority in the middle as a key, and the root in a folder, where it is unusable.
        assert!(found(key(middle), &chain.token(&[leaf, middle]), NOW));
        let other = Certificate::signer("other", DNS).issue(&Pair::p256(), "x", &Pair::p256());
        let mut folder = KeySet::new();
        folder
            .add_key_of_folder(&other, "other.cer")
            .expect("a key");
        let _ = folder.add_key_of_folder(root, "root.cer");
        assert!(found(folder, &chain.good(), NOW));
        // No path, the wrong order, another root, another time, and no algorithm of a certificate.
        assert!(!found(key(root), &chain.token(&[leaf, root]), NOW));
        assert!(!found(key(root), &chain.token(&[leaf, root, middle]), NOW));
        assert!(!found(key(&Chain::new().root), &chain.good(), NOW));
        assert!(!found(key(root), &chain.good(), NOW + 100 * 365 * 86_400));
        assert!(!found(key(&other), &chain.good(), NOW));
        let header = json!({"alg": "HS256", "x5c": x5c(&[leaf, middle])}).to_string();
        let made = TokenMaker::new()
            .header(&header)
            .payload("{}")
            .secret("s")
            .sign();
        let made = String::from_utf8(made).expect("text");
        assert!(!found(key(root), &made, NOW));
        // An authority as the leaf, which may not sign.
        assert!(!found(key(root), &chain.token(&[middle, root]), NOW));
    }
}
