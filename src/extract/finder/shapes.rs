//! The shapes in which tokens stand in logs, what is found in each, and what a regular expression
//! like those of the well-known scanners finds.

use super::tests::{check, encode};

/// What takes the places of names in a shape: `H` is a header, `N` one with `alg` none, `E` that of
/// a JWE, `X` an object that is no header, `P` a payload, `S` a signature.
fn fill(shape: &str) -> String {
    let values = [
        ("H", encode(r#"{"alg":"HS256","typ":"JWT"}"#)),
        ("N", encode(r#"{"alg":"none"}"#)),
        ("E", encode(r#"{"alg":"dir","enc":"A128GCM"}"#)),
        ("W", encode("{\r\n \"alg\":\"HS256\"}")),
        ("X", encode(r#"{"typ":"JWT","kid":"alg"}"#)),
        ("P", encode(r#"{"sub":"user-1","exp":1790000000}"#)),
        (
            "S",
            "q2M1X_dVw-3Ck0mZb7nQ9yR4tL6pA8sD1fG2hJ5kE0U".to_owned(),
        ),
    ];
    let mut text = shape.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("${name}"), &value);
    }
    text
}

/// Whether a text has what
/// `\bey[A-Za-z0-9_-]{17,}\.ey[A-Za-z0-9/_-]{17,}\.[A-Za-z0-9/_-]{10,}={0,2}` is for.
fn is_found_by_expression(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
    let part = |at: usize, least: usize| {
        let length = bytes
            .get(at..)?
            .iter()
            .take_while(|byte| is_part(**byte))
            .count();
        (length >= least).then_some(at + length)
    };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = |at: usize| bytes.get(at..).is_some_and(|rest| rest.starts_with(b"ey"));
    let dot = |at: usize| (bytes.get(at) == Some(&b'.')).then_some(at + 1);
    (0..bytes.len()).any(|at| {
        let is_boundary = at == 0 || !is_word(bytes[at - 1]);
        let payload = (begins(at) && is_boundary)
            .then(|| part(at, 19).and_then(dot))
            .flatten();
        let signature = payload
            .filter(|at| begins(*at))
            .and_then(|at| part(at, 19))
            .and_then(dot);
        signature.and_then(|at| part(at, 10)).is_some()
    })
}

/// A text, the finds in it, and whether the expression finds a token.
type Shape = (&'static str, &'static [(&'static str, &'static str)], bool);

#[test]
fn tokens_are_found_in_every_shape() {
    let shapes: [Shape; 66] = [
        ("$H.$P.$S", &[("token", "$H.$P.$S")], true),
        (
            "Authorization: Bearer $H.$P.$S",
            &[("token", "$H.$P.$S")],
            true,
        ),
        (
            "authorization=bearer%20$H.$P.$S",
            &[("token", "$H.$P.$S")],
            false,
        ),
        (
            "Cookie: a=1; session=$H.$P.$S; b=2",
            &[("token", "$H.$P.$S")],
            true,
        ),
        (
            "GET /x?token=$H.$P.$S&x=1 HTTP/1.1",
            &[("token", "$H.$P.$S")],
            true,
        ),
        (
            "https://a.example/cb#id_token=$H.$P.$S",
            &[("token", "$H.$P.$S")],
            true,
        ),
        (
            "https://a.example/t/$H.$P.$S/x",
            &[("token", "$H.$P.$S")],
            true,
        ),
        ("{\"t\":\"$H.$P.$S\"}", &[("token", "$H.$P.$S")], true),
        ("'$H.$P.$S'", &[("token", "$H.$P.$S")], true),
        ("`$H.$P.$S`", &[("token", "$H.$P.$S")], true),
        ("[$H.$P.$S]", &[("token", "$H.$P.$S")], true),
        ("(see $H.$P.$S)", &[("token", "$H.$P.$S")], true),
        ("<t>$H.$P.$S</t>", &[("token", "$H.$P.$S")], true),
        ("a,$H.$P.$S,b", &[("token", "$H.$P.$S")], true),
        ("$H.$P.$S;", &[("token", "$H.$P.$S")], true),
        ("It was $H.$P.$S. Then", &[("token", "$H.$P.$S")], true),
        ("It was $N.$P.. Then", &[("token", "$N.$P.")], false),
        ("token$H.$P.$S", &[("token", "$H.$P.$S")], false),
        ("token_$H.$P.$S", &[("token", "$H.$P.$S")], false),
        ("eyJ$H.$P.$S", &[("token", "$H.$P.$S")], true),
        ("key$H.$P.$S", &[("token", "$H.$P.$S")], false),
        ("v2.$H.$P.$S", &[("token", "$H.$P.$S")], true),
        ("t%3D$H.$P.$S%26x", &[("token", "$H.$P.$S")], false),
        ("t%3d$H%2E$P%2E$S", &[("token", "$H.$P.$S")], false),
        ("$H%2e$P%2e$S", &[("token", "$H.$P.$S")], false),
        ("$H%252E$P%252e$S", &[("token", "$H.$P.$S")], false),
        ("$H.$P.a%2Db%5Fc", &[("token", "$H.$P.a-b_c")], false),
        ("$H\\u002e$P\\u002E$S", &[("token", "$H.$P.$S")], false),
        (
            "\\\"$H\\\\u002e$P\\\\u002e$S\\\"",
            &[("token", "$H.$P.$S")],
            false,
        ),
        ("$H\\x2e$P\\x2e$S\\x22", &[("token", "$H.$P.$S")], false),
        (
            "https:\\/\\/a\\/$H.$P.$S\\/",
            &[("token", "$H.$P.$S")],
            true,
        ),
        (
            "{\\\"t\\\":\\\"$H.$P.$S\\\"}",
            &[("token", "$H.$P.$S")],
            true,
        ),
        ("line\\n$H.$P.$S\\n", &[("token", "$H.$P.$S")], false),
        ("$H=.$P==.$S=", &[("token", "$H=.$P==.$S=")], false),
        ("$H.$P.$S%3D&", &[("token", "$H.$P.$S=")], true),
        ("$N.$P.", &[("token", "$N.$P.")], false),
        ("$H.$P.", &[("token", "$H.$P.")], false),
        ("\"$N.$P.\"", &[("token", "$N.$P.")], false),
        ("$H..$S", &[("token", "$H..$S")], false),
        ("$E..aXY.Y3Q.dGFn", &[("token", "$E..aXY.Y3Q.dGFn")], false),
        (
            "$E.a2V5.aXY.Y3Q.dGFn.",
            &[("token", "$E.a2V5.aXY.Y3Q.dGFn")],
            false,
        ),
        ("$H.$P.$S~WyJhIl0~", &[("sd-jwt", "$H.$P.$S")], true),
        ("$H.$P.$S%7EWyJhIl0", &[("sd-jwt", "$H.$P.$S")], true),
        ("$W.$P.$S", &[("token", "$W.$P.$S")], false),
        (
            "$H.$P.$S $N.$P. $H.$P.$S",
            &[
                ("token", "$H.$P.$S"),
                ("token", "$N.$P."),
                ("token", "$H.$P.$S"),
            ],
            true,
        ),
        (
            "$H.$P.$S.$H.$P.$S",
            &[("token", "$H.$P.$S"), ("token", "$H.$P.$S")],
            true,
        ),
        ("$H.$P.$S\0\u{fffd}", &[("token", "$H.$P.$S")], true),
        ("$H.$P", &[("cut", "")], false),
        ("$H.", &[("cut", "")], false),
        ("$H.\nnext", &[("cut", "")], false),
        ("$H.$P\r\nnext", &[("cut", "")], false),
        ("$H.$P...", &[("cut", "")], false),
        ("$H.$P\u{2026}", &[("cut", "")], false),
        ("$H.$P.$S...", &[("cut", "")], true),
        ("$H.$P.abc\\u2026", &[("cut", "")], false),
        ("\"$H.eyJz\"", &[("cut", "")], false),
        ("$E.a2V5.aXY.Y3Q", &[("cut", "")], false),
        ("Bearer 0123456789abcdef", &[("other", "")], false),
        ("bearer%20ya29.a0AfH6SMBx-1234", &[("other", "")], false),
        ("the bearer of this letter is authorised", &[], false),
        ("WWW-Authenticate: Bearer realm=\"a1\"", &[], false),
        ("$X.$P.$S", &[], true),
        (
            "host-7.internal.example.com options.some.thing 1.2.3",
            &[],
            false,
        ),
        ("the header is $H. It", &[], false),
        (
            "eyJhbGciOiJIUzI1NiJ9 eyJ.eyJ.eyJ keyId.newObject.review",
            &[],
            false,
        ),
        ("ZXlKaGJHY2lPaUpJVXpJMU5pSjkuZTMwLmMybG4=", &[], false),
    ];
    let mut missed = 0;
    for (shape, expected, by_expression) in shapes {
        let text = fill(shape);
        let found: Vec<(&str, String)> = check(text.as_bytes(), 1 << 10)
            .into_iter()
            .map(|(_, _, kind, bytes)| (kind, String::from_utf8(bytes).unwrap()))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(kind, shape)| (*kind, fill(shape)))
            .collect();
        assert_eq!(found, expected, "{shape}");
        assert_eq!(is_found_by_expression(&text), by_expression, "{shape}");
        let has_token = expected
            .iter()
            .any(|(kind, _)| matches!(*kind, "token" | "sd-jwt"));
        missed += usize::from(has_token && !by_expression);
    }
    assert!(missed > 20, "{missed}");
}
