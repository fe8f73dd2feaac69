//! Rules beyond the registered claims: values of claims, scopes, issuers with placeholders,
//! extensions in `crit`, and padding. Each case is judged by all judges; a log of random payloads
//! tries what the cases do not.

use serde_json::json;

use crate::differential::agree_on;
use crate::judges::Judges;
use crate::oracle::{Policy, Rules, Wanted};
use crate::token_maker::{HEADER, SECRET, TokenMaker, encode, token};
use jotmill_test_support::rng::Rng;

const NOW: i64 = 1_790_000_000;

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn text(name: &str, value: &str) -> (String, Wanted) {
    (name.to_owned(), Wanted::Text(value.to_owned()))
}

fn number(name: &str, value: &str) -> (String, Wanted) {
    (name.to_owned(), Wanted::Json(value.to_owned()))
}

fn policy(rules: Rules) -> Policy {
    Policy {
        now: (NOW, 0),
        rules,
        ..Policy::default()
    }
}

fn judges(rules: Rules) -> Judges {
    Judges::of_secret(policy(rules), SECRET)
}

fn expecting(claims: &[(String, Wanted)]) -> Judges {
    judges(Rules {
        claims: claims.to_vec(),
        ..Rules::default()
    })
}

/// The codes of tokens with these payloads.
fn assert_codes(judges: &Judges, cases: &[(&str, &str)]) {
    for (payload, expected) in cases {
        assert_eq!(judges.codes(token(HEADER, payload)), *expected, "{payload}");
    }
}

#[test]
fn a_claim_must_be_one_of_the_expected_strings_exactly() {
    let judges = expecting(&[text("client_id", "app1"), text("client_id", "é\"\0")]);
    assert_codes(
        &judges,
        &[
            (r#"{"client_id":"app1"}"#, ""),
            (r#"{"client_id":"\u0061pp1"}"#, ""),
            (r#"{"client\u005fid":"app1"}"#, ""),
            (r#"{"client_id":"\u00e9\"\u0000"}"#, ""),
            (r#"{"client_id":"APP1"}"#, "claim-mismatch"),
            (r#"{"client_id":"app1 "}"#, "claim-mismatch"),
            (r#"{"client_id":""}"#, "claim-mismatch"),
            (r#"{"client_id":["app1"]}"#, "claim-mismatch"),
            (r#"{"client_id":{"app1":1}}"#, "claim-mismatch"),
            (r#"{"client_id":1}"#, "claim-mismatch"),
            (r#"{"client_id":true}"#, "claim-mismatch"),
            (r#"{"client_id":null}"#, "missing-claim"),
            (r#"{"x":{"client_id":"app1"}}"#, "missing-claim"),
            ("{}", "missing-claim"),
        ],
    );
    let judged = judges.judge(&token(HEADER, "{}")).expect("a token");
    assert_eq!(judged.row["missing"], json!(["client_id"]));
}

#[test]
fn numbers_are_equal_where_their_decimal_values_are() {
    let judges = expecting(&[
        number("n", "1"),
        number("n", "9007199254740993"),
        number("n", "1.5e-3"),
    ]);
    assert_codes(
        &judges,
        &[
            (r#"{"n":1}"#, ""),
            (r#"{"n":1.0}"#, ""),
            (r#"{"n":1e0}"#, ""),
            (r#"{"n":10e-1}"#, ""),
            (r#"{"n":0.0001E+4}"#, ""),
            (r#"{"n":9007199254740993}"#, ""),
            (r#"{"n":9007199254740993.0}"#, ""),
            (r#"{"n":0.0015}"#, ""),
            (r#"{"n":9007199254740992}"#, "claim-mismatch"),
            (r#"{"n":1.0000000000000000001}"#, "claim-mismatch"),
            (r#"{"n":-1}"#, "claim-mismatch"),
            (r#"{"n":0}"#, "claim-mismatch"),
            (r#"{"n":1e-400}"#, "claim-mismatch"),
            (r#"{"n":1e-99999999999999999999}"#, "claim-mismatch"),
            (r#"{"n":"1"}"#, "claim-mismatch"),
            (r#"{"n":true}"#, "claim-mismatch"),
            (r#"{"n":[1]}"#, "claim-mismatch"),
            (r#"{"n":1e400}"#, "payload-json"),
        ],
    );
    let judges = expecting(&[number("n", "0.0"), number("b", "true")]);
    assert_codes(
        &judges,
        &[
            (r#"{"n":-0,"b":true}"#, ""),
            (r#"{"n":0e99999999999999999999,"b":true}"#, ""),
            (r#"{"n":0,"b":false}"#, "claim-mismatch"),
            (r#"{"n":0,"b":"true"}"#, "claim-mismatch"),
            (r#"{"n":0,"b":1}"#, "claim-mismatch"),
            (r#"{"n":0}"#, "missing-claim"),
            (r#"{"n":1}"#, "missing-claim claim-mismatch"),
        ],
    );
}

#[test]
fn a_name_that_begins_with_a_slash_is_a_json_pointer() {
    let judges = expecting(&[
        text("/realm/a~1b~0c/1", "x"),
        text("/https:~1~1example.com~1role", "admin"),
        number("/", "1"),
    ]);
    let with =
        |realm: &str| format!(r#"{{"":1,"https://example.com/role":"admin","realm":{realm}}}"#);
    for (realm, expected) in [
        (r#"{"a/b~c":["y","x"]}"#, ""),
        (r#"{"a\/b\u007ec":["y","\u0078"]}"#, ""),
        (r#"{"a/b~c":{"1":"x"}}"#, ""),
        (r#"{"a/b~c":["x","y"]}"#, "claim-mismatch"),
        (r#"{"a/b~c":["y",["x"]]}"#, "claim-mismatch"),
        (r#"{"a/b~c":["y"]}"#, "missing-claim"),
        (r#"{"a/b~c":["y",null]}"#, "missing-claim"),
        (r#"{"a/b~c":{"01":"x"}}"#, "missing-claim"),
        (r#"{"a/b~c":"x"}"#, "missing-claim"),
        (r#"{"a~1b~0c":["y","x"]}"#, "missing-claim"),
        ("[]", "missing-claim"),
        ("null", "missing-claim"),
        // Which of two members a parser takes is anyone's guess.
        (r#"{"a/b~c":["y","x"],"a/b~c":["y","x"]}"#, "claim-mismatch"),
        (r#"{"a/b~c":["y","x"],"z":1,"\u007a":2}"#, "claim-mismatch"),
        (r#"{"a/b~c":["y","x"],"z":{"z":1,"z":2}}"#, ""),
    ] {
        assert_eq!(
            judges.codes(token(HEADER, with(realm))),
            expected,
            "{realm}"
        );
    }
    let judged = judges
        .judge(&token(HEADER, r#"{"realm":{}}"#))
        .expect("a token");
    let names = json!(["https://example.com/role", "/realm/a~1b~0c/1", "/"]);
    assert_eq!(judged.row["missing"], names);
    // Leading zeros and signs are no index, and the end of an array is nothing.
    for pointer in [
        "/a/00",
        "/a/01",
        "/a/-",
        "/a/+1",
        "/a/-1",
        "/a/2",
        "/a/18446744073709551616",
    ] {
        let judges = expecting(&[text(pointer, "x")]);
        assert_eq!(
            judges.codes(token(HEADER, r#"{"a":["x","x"]}"#)),
            "missing-claim",
            "{pointer}"
        );
    }
}

#[test]
fn an_expected_value_of_a_registered_claim_adds_to_its_other_rules() {
    let judges = expecting(&[
        text("sub", "me"),
        text("/jti", "1"),
        number("exp", "1790000600.0"),
    ]);
    assert_codes(
        &judges,
        &[
            (r#"{"sub":"me","jti":"1","exp":1790000600}"#, ""),
            (
                r#"{"sub":"me","jti":"2","exp":1790000600}"#,
                "claim-mismatch",
            ),
            (
                r#"{"sub":"me","jti":"1","exp":1790000601}"#,
                "claim-mismatch",
            ),
            (
                r#"{"sub":"me","jti":"1","exp":1}"#,
                "expired claim-mismatch",
            ),
            (r#"{"sub":1,"jti":"1","exp":"x"}"#, "exp-type sub-type"),
            (r#"{"sub":null,"jti":"1","exp":1790000600}"#, "sub-type"),
            ("{}", "missing-sub missing-exp missing-jti"),
        ],
    );
}

#[test]
fn every_scope_must_be_in_scope_or_scp() {
    let judges = judges(Rules {
        scopes: strings(&["read", "write"]),
        ..Rules::default()
    });
    assert_codes(
        &judges,
        &[
            (r#"{"scope":"read write"}"#, ""),
            (r#"{"scope":"  write x  read"}"#, ""),
            (r#"{"scp":["write","read"]}"#, ""),
            (r#"{"scp":"read\u0020write"}"#, ""),
            (r#"{"scope":["read","write"],"scp":"write read"}"#, ""),
            (r#"{"scope":"read write","scp":null}"#, ""),
            (r#"{"scope":"read"}"#, "claim-mismatch"),
            (r#"{"scope":"read\twrite"}"#, "claim-mismatch"),
            (r#"{"scope":"READ WRITE"}"#, "claim-mismatch"),
            (r#"{"scope":["read write"]}"#, "claim-mismatch"),
            (r#"{"scope":["read","write",1]}"#, "claim-mismatch"),
            (r#"{"scope":""}"#, "claim-mismatch"),
            (r#"{"scope":[]}"#, "claim-mismatch"),
            (r#"{"scope":{"read":1,"write":1}}"#, "claim-mismatch"),
            // Each that is there must have all.
            (r#"{"scope":"read","scp":"write"}"#, "claim-mismatch"),
            (r#"{"scope":"read write","scp":[]}"#, "claim-mismatch"),
            (r#"{"scope":1,"scp":"read write"}"#, "claim-mismatch"),
            (r#"{"scope":null,"scp":null}"#, "missing-claim"),
            ("{}", "missing-claim"),
        ],
    );
    let judged = judges.judge(&token(HEADER, "{}")).expect("a token");
    assert_eq!(judged.row["missing"], json!(["scope"]));
}

#[test]
fn a_placeholder_of_an_issuer_is_bound_to_its_claim() {
    let judges = Judges::of_secret(
        Policy {
            issuers: strings(&["https://old.example.com/"]),
            ..policy(Rules {
                issuers: strings(&[
                    "https://login.example.com/{tid}/v2.0",
                    "https://{org}.example.com/realms/r-{realm}",
                ]),
                ..Rules::default()
            })
        },
        SECRET,
    );
    assert_codes(
        &judges,
        &[
            (
                r#"{"iss":"https://login.example.com/t-1/v2.0","tid":"t-1"}"#,
                "",
            ),
            (
                r#"{"iss":"https://login.example.com/t-1/v2.0","tid":"\u0074-1"}"#,
                "",
            ),
            (
                r#"{"iss":"https://a.example.com/realms/r-1","org":"a","realm":"1"}"#,
                "",
            ),
            (r#"{"iss":"https://old.example.com/"}"#, ""),
            (
                r#"{"iss":"https://login.example.com/t-1/v2.0","tid":"t-2"}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://login.example.com/t-1/v2.0","tid":["t-1"]}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://login.example.com/1/v2.0","tid":1}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://login.example.com/t-1/v2.0"}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://login.example.com//v2.0","tid":""}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://login.example.com/a/b/v2.0","tid":"a/b"}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://login.example.com/t-1/v2.0/","tid":"t-1"}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://login.example.com/{tid}/v2.0"}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":"https://a.example.com/realms/r-1","org":"a","realm":"r-1"}"#,
                "issuer-mismatch",
            ),
            (
                r#"{"iss":["https://login.example.com/t-1/v2.0"],"tid":"t-1"}"#,
                "iss-type",
            ),
            (r#"{"tid":"t-1"}"#, "missing-iss"),
        ],
    );
}

/// Two issuers with templates, each with keys of its own.
fn two_issuers(accept_padding: bool) -> Judges {
    let of = |issuer: &str, secret: &str| {
        let jwks = format!(r#"{{"kty":"oct","k":"{}"}}"#, encode(secret));
        let rules = Rules {
            issuers: strings(&[issuer]),
            accept_padding,
            ..Rules::default()
        };
        (policy(rules), jwks)
    };
    Judges::of_issuers([
        of(
            "https://one.example/{tid}/",
            "the secret of one, of 32 bytes ok",
        ),
        of(
            "https://two.example/{tid}/",
            "the secret of two, of 32 bytes ok",
        ),
    ])
}

#[test]
fn a_template_chooses_the_keys_and_its_claim_is_checked_once_they_verified() {
    let judges = two_issuers(false);
    let sign =
        |secret: &str, payload: &str| TokenMaker::new().secret(secret).payload(payload).sign();
    let (one, two) = (
        "the secret of one, of 32 bytes ok",
        "the secret of two, of 32 bytes ok",
    );
    for (secret, payload, expected) in [
        (one, r#"{"iss":"https://one.example/a/","tid":"a"}"#, ""),
        (two, r#"{"iss":"https://two.example/a/","tid":"a"}"#, ""),
        (
            two,
            r#"{"iss":"https://one.example/a/","tid":"a"}"#,
            "signature-mismatch",
        ),
        (
            one,
            r#"{"iss":"https://one.example/a/","tid":"b"}"#,
            "issuer-mismatch",
        ),
        (
            one,
            r#"{"iss":"https://one.example/a/"}"#,
            "issuer-mismatch",
        ),
        (
            one,
            r#"{"iss":"https://one.example//","tid":""}"#,
            "issuer-unknown",
        ),
        (
            one,
            r#"{"iss":"https://three.example/a/","tid":"a"}"#,
            "issuer-unknown",
        ),
        (
            one,
            r#"{"iss":"https://one.example/{tid}/"}"#,
            "issuer-mismatch",
        ),
    ] {
        assert_eq!(judges.codes(sign(secret, payload)), expected, "{payload}");
    }
}

#[test]
fn an_extension_in_crit_is_accepted_by_name_alone() {
    let judges = judges(Rules {
        crit: strings(&["http://openbanking.org.uk/iat", "é"]),
        ..Rules::default()
    });
    for (header, expected) in [
        (
            r#"{"alg":"HS256","crit":["http://openbanking.org.uk/iat"],"http://openbanking.org.uk/iat":1}"#,
            "",
        ),
        (
            r#"{"alg":"HS256","crit":["\u00e9","b64"],"é":1,"b64":true}"#,
            "",
        ),
        (
            r#"{"alg":"HS256","crit":["é","exp"],"é":1,"exp":1}"#,
            "crit-unsupported",
        ),
        (r#"{"alg":"HS256","crit":["É"],"É":1}"#, "crit-unsupported"),
        (r#"{"alg":"HS256","crit":["é"]}"#, "crit-invalid"),
        (r#"{"alg":"HS256","crit":["é","é"],"é":1}"#, "crit-invalid"),
        (
            r#"{"alg":"HS256","crit":["é","alg"],"é":1}"#,
            "crit-invalid",
        ),
        (
            r#"{"alg":"HS256","crit":["é"],"é":1,"b64":false}"#,
            "b64-unsupported",
        ),
        (r#"{"alg":"HS256","é":1}"#, ""),
    ] {
        assert_eq!(judges.codes(token(header, "{}")), expected, "{header}");
    }
}

/// A segment with the padding that base64 gives it.
fn padded(segment: &str) -> String {
    segment.to_owned() + &"=".repeat((4 - segment.len() % 4) % 4)
}

/// The spellings of one token, and what each comes to where padding is accepted and where not.
fn spellings() -> Vec<(Vec<u8>, &'static str, &'static str)> {
    // 20, 21 and 16 bytes, so that the segments need one, none and two signs.
    let (header, payload) = (r#"{"alg":"HS256"  }  "#, r#"{"jti":"12345678"}  "#);
    let (h, p) = (encode(header), encode(payload));
    assert_eq!((h.len() % 4, p.len() % 4), (2, 3));
    let made = |h: &str, p: &str| TokenMaker::new().header_segment(h).payload_segment(p);
    let all = made(&padded(&h), &padded(&p));
    let signature = encode(all.mac());
    vec![
        (made(&h, &p).sign(), "", ""),
        (
            all.with_signature(padded(&signature)),
            "",
            "header-base64url",
        ),
        (
            all.with_signature(&signature),
            "header-base64url",
            "header-base64url",
        ),
        (
            all.with_signature(padded(&signature) + "===="),
            "header-base64url",
            "header-base64url",
        ),
        (
            made(&h, &padded(&p)).sign(),
            "payload-base64url",
            "payload-base64url",
        ),
        (
            made(&format!("{h}="), &padded(&p)).sign(),
            "header-base64url",
            "header-base64url",
        ),
        // Padded after it was signed: the signature is over other bytes.
        (
            all.with_signature(padded(&encode(made(&h, &p).mac()))),
            "signature-mismatch",
            "header-base64url",
        ),
        // Padded exactly, and not canonical otherwise.
        (
            made(&format!("{}R==", &h[..h.len() - 1]), &padded(&p)).sign(),
            "header-base64url",
            "header-base64url",
        ),
        (
            all.with_signature(padded(&signature).replace(['-', '_'], "+")),
            if signature.contains(['-', '_']) {
                "signature-base64url"
            } else {
                ""
            },
            "header-base64url",
        ),
    ]
}

#[test]
fn padding_is_accepted_where_every_segment_is_padded_exactly() {
    let accepting = judges(Rules {
        accept_padding: true,
        ..Rules::default()
    });
    let strict = judges(Rules::default());
    for (line, expected, otherwise) in spellings() {
        let shown = String::from_utf8_lossy(&line).into_owned();
        assert_eq!(accepting.codes(&line), expected, "{shown}");
        assert_eq!(strict.codes(&line), otherwise, "{shown}");
    }
    // The issuer is read from a padded payload as well.
    let payload = r#"{"iss":"https://two.example/a/","tid":"a"}"#;
    let made = TokenMaker::new()
        .secret("the secret of two, of 32 bytes ok")
        .header_segment(padded(&encode(HEADER)))
        .payload_segment(padded(&encode(payload)));
    let line = made.with_signature(padded(&encode(made.mac())));
    assert_eq!(two_issuers(true).codes(&line), "");
    assert_ne!(two_issuers(false).codes(&line), "");
}

#[test]
fn a_token_may_have_any_of_several_types() {
    let judges = Judges::of_secret(
        Policy {
            typ: strings(&["at+jwt", "application/logout+JWT"]),
            ..policy(Rules::default())
        },
        SECRET,
    );
    for (typ, expected) in [
        ("AT+jwt", ""),
        ("logout+jwt", ""),
        ("jwt", "typ-mismatch"),
        ("at+jwt,logout+jwt", "typ-mismatch"),
    ] {
        let header = json!({"alg": "HS256", "typ": typ}).to_string();
        assert_eq!(judges.codes(token(header, "{}")), expected, "{typ}");
    }
}

/// Members that meet the rules of the test below, nearly, or not at all.
fn hostile_payload(rng: &mut Rng) -> String {
    const NAMES: [&str; 14] = [
        "n",
        "\\u006e",
        "client_id",
        "client\\u005fid",
        "a",
        "a/b",
        "a\\/b~",
        "scope",
        "scp",
        "tid",
        "iss",
        "sub",
        "0",
        "",
    ];
    const VALUES: [&str; 40] = [
        "1",
        "1.0",
        "1e0",
        "10e-1",
        "100E-2",
        "0.1e1",
        "-1",
        "0",
        "-0.0",
        "9007199254740993",
        "9007199254740992",
        "9007199254740993.0",
        "1e-400",
        "1e-99999999999999999999",
        "true",
        "false",
        "null",
        r#""app1""#,
        r#""\u0061pp1""#,
        r#""app1\u0000""#,
        r#""1""#,
        r#""read write""#,
        r#""read""#,
        r#"["read","write"]"#,
        r#"["read",["write"]]"#,
        r#"["x","app1"]"#,
        r#"{"0":"app1","1":"app1"}"#,
        r#"{"a/b~":{"1":1}}"#,
        r#"{"a/b~":[0,1]}"#,
        r#"{"a/b~":[0,1.0],"x":1,"x":2}"#,
        r#"{"a\/b\u007e":[0,1e0]}"#,
        r#"{"a/b~":[{}],"a/b~":[0,1]}"#,
        "[]",
        "{}",
        r#""""#,
        r#""https://login.example.com/t/v2.0""#,
        r#""https://login.example.com/u/v2.0""#,
        r#""t""#,
        r#""\u0074""#,
        r#""\ud83d\ude00""#,
    ];
    let count = rng.below(9);
    let members: Vec<String> = (0..count)
        .map(|_| {
            // Half of the members have the value that their rule asks for.
            let good = [
                (r#""n""#, "1e0"),
                (r#""client_id""#, r#""app1""#),
                (r#""a""#, r#"{"a/b~":[0,1]}"#),
                (r#""scope""#, r#""read write""#),
                (r#""tid""#, r#""t""#),
                (r#""iss""#, r#""https://login.example.com/t/v2.0""#),
            ];
            if rng.one_in(2) {
                let (name, value) = good[rng.below(good.len())];
                return format!("{name}:{value}");
            }
            let space = ["", " ", "\n"][rng.below(3)];
            format!(
                r#""{}"{space}:{space}{}"#,
                rng.pick(&NAMES),
                rng.pick(&VALUES)
            )
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn every_judge_agrees_on_the_rules_for_random_payloads() {
    let of = |claims: Vec<(String, Wanted)>, scopes: &[&str], issuers: &[&str]| {
        judges(Rules {
            claims,
            scopes: strings(scopes),
            issuers: strings(issuers),
            accept_padding: true,
            ..Rules::default()
        })
    };
    let n = || {
        vec![
            number("n", "1"),
            number("n", "9007199254740993"),
            number("n", "false"),
        ]
    };
    let issuer = "https://login.example.com/{tid}/v2.0";
    let pointer = || {
        vec![
            number("/a/a~1b~0/1", "1"),
            text("/client_id", "app1"),
            text("/0/0", "app1"),
        ]
    };
    for (seed, judges, codes) in [
        (
            17,
            of(n(), &[], &[]),
            &["", "missing-claim", "claim-mismatch"][..],
        ),
        (
            18,
            of(pointer(), &[], &[]),
            &["missing-claim", "missing-claim claim-mismatch"],
        ),
        (
            19,
            of(vec![], &["read", "write"], &[]),
            &["", "missing-claim", "claim-mismatch"],
        ),
        (
            20,
            of(vec![], &[], &[issuer]),
            &["", "issuer-mismatch", "missing-iss", "iss-type"],
        ),
        (
            21,
            of(
                [n(), vec![text("sub", "t"), text("a", "1")]].concat(),
                &["read"],
                &[issuer],
            ),
            &[
                "missing-iss missing-sub missing-claim",
                "payload-duplicate-member",
            ],
        ),
    ] {
        let mut rng = Rng::new(seed);
        let lines = std::iter::repeat_with(|| token(HEADER, hostile_payload(&mut rng)));
        let agreed = agree_on(lines, 20_000, &judges);
        for code in codes {
            assert!(
                agreed.codes.get(*code).is_some_and(|count| *count > 50),
                "{code}: {agreed:?}"
            );
        }
    }
}
