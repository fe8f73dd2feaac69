//! Payloads for properties: JSON objects of any members, valid for the most part, and what becomes
//! of them when a few bytes are changed.
//!
//! It owns the strategies, which know what a payload can look like, and judges nothing. The cases
//! are the same in every run, and one that fails is made smaller before it is shown.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;
use proptest::string::string_regex;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use proptest::{char, option};

/// Payloads as in tokens of today, and edge cases that random input rarely reaches.
const KNOWN: [&str; 7] = [
    r#"{"iss":"https://auth.example.com/","sub":"user-1","aud":"api","exp":1790003600,"nbf":1,"iat":2,"jti":"x"}"#,
    r#"{ "aud" : [ "a" , "api" ] , "exp" : 1790003600.5 , "x" : { "exp" : [ 1 , { } , null ] } }"#,
    r#"{"name":"Zo\u00eb \ud83d\ude00","iss":"a\/b","tenant":null,"n":-1.5e-3,"t":true,"f":false}"#,
    r#"{"groups":["a","b","c"],"realm_access":{"roles":["x"]},"iat":-0,"exp":18446744073709551615}"#,
    r#"{"exp":"1","nbf":null,"iat":[],"iss":1,"sub":{},"aud":["a",1],"jti":true,"tenant":0}"#,
    "{\"sub\":\"\u{e9}\u{1f600}\",\"exp\":1e400}",
    r#"{"exp":1,"exp":2}"#,
];

/// The claims that are registered, and how their values are meant.
const REGISTERED: [(&str, Meant); 7] = [
    ("iss", Meant::Text),
    ("sub", Meant::Text),
    ("aud", Meant::Audience),
    ("exp", Meant::Date),
    ("nbf", Meant::Date),
    ("iat", Meant::Date),
    ("jti", Meant::Text),
];

#[derive(Clone, Copy)]
enum Meant {
    Text,
    Date,
    Audience,
}

/// Other names: some are required by policies, some only look like a registered one.
const OTHERS: [&str; 12] = [
    "tenant",
    "scope",
    "name",
    "groups",
    "realm_access",
    "https://example.invalid/claim",
    "EXP",
    "exp ",
    "ex",
    "iss\\u0000",
    "n",
    "",
];

/// Texts that policies expect.
const EXPECTED: [&str; 6] = [
    "https://auth.example.com/",
    "joe",
    "user-1",
    "me",
    "api://orders",
    "api",
];

/// Numbers at which a representation ends, or that are written in an unusual way.
const NUMBERS: [&str; 18] = [
    "0",
    "-0",
    "0.0",
    "-0e-5",
    "1790000000.5",
    "1790000000E0",
    "179e7",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "9999999999999999999",
    "18446744073709551615",
    "18446744073709551616",
    "1.7976931348623157e308",
    "5e-324",
    "1e-400",
];

/// What looks like a number and is none, or is too large for a double.
const NOT_NUMBERS: [&str; 8] = [
    "1.7976931348623159e308",
    "1e400",
    "01",
    "-",
    "+1",
    ".5",
    "1.",
    "1e",
];

/// What a few bytes are changed into: they mean something to JSON or to UTF-8.
const SIGNIFICANT: &[u8] = b"\"\\{}[]:,0e.-+ntuE \t\n\x00\x1f\x7f\x80\xbf\xc3\xe2\xed\xf0\xff";

/// A payload, which is shown with escapes.
#[derive(Clone)]
struct Payload(Vec<u8>);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// Checks a property, which panics if it does not hold, on this many objects and on some
/// mutants of each.
pub fn hold(objects: u32, property: impl Fn(&[u8])) {
    let config = Config {
        cases: objects,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7),
        ..Config::default()
    };
    let held = TestRunner::new(config).run(&object_and_mutants(), |payloads| {
        payloads.iter().for_each(|Payload(bytes)| property(bytes));
        Ok(())
    });
    if let Err(failure) = held {
        panic!("{failure}");
    }
}

fn object_and_mutants() -> impl Strategy<Value = Vec<Payload>> {
    let base = prop_oneof![
        5 => one_of(&KNOWN),
        25 => object(),
        1 => value(),
    ];
    let edits = prop_oneof![3 => vec(edit(), 1), 1 => vec(edit(), 2..5)];
    let mutants = vec(edits, 0..7);
    (base, mutants).prop_map(|(base, mutants)| {
        let whole = Payload(base.into_bytes());
        let mutants = mutants.into_iter().map(|edits| {
            let mut bytes = whole.0.clone();
            edits.iter().for_each(|edit| edit.apply(&mut bytes));
            Payload(bytes)
        });
        let mutants: Vec<Payload> = mutants.collect();
        [vec![whole], mutants].concat()
    })
}

/// A change to a text.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Insert(Index, u8),
    Remove(Index, usize),
    Double(Index, usize),
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let byte = || prop_oneof![3 => select(SIGNIFICANT), 3 => b'0'..=b'z', 1 => any::<u8>()];
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), byte()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        3 => (at(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        3 => (at(), 1..5_usize).prop_map(|(at, count)| Edit::Remove(at, count)),
        2 => (at(), 1..20_usize).prop_map(|(at, count)| Edit::Double(at, count)),
        1 => at().prop_map(Edit::Cut),
    ]
}

impl Edit {
    fn apply(&self, text: &mut Vec<u8>) {
        // The place behind the last byte is one, too.
        let place = |at: &Index| at.index(text.len() + 1);
        match self {
            Self::Set(at, byte) => {
                let place = place(at);
                text.get_mut(place).into_iter().for_each(|old| *old = *byte);
            }
            Self::Insert(at, byte) => text.insert(place(at), *byte),
            Self::Remove(at, count) => {
                let place = place(at);
                let end = (place + count).min(text.len());
                text.drain(place..end);
            }
            Self::Double(at, count) => {
                let place = place(at);
                let end = (place + count).min(text.len());
                let again = text[place..end].to_vec();
                text.splice(place..place, again);
            }
            Self::Cut(at) => text.truncate(place(at)),
        }
    }
}

/// A piece of text. It is boxed, since the type of a strategy holds those of all its parts.
type Text = BoxedStrategy<String>;

/// The texts of a regular expression.
fn like(expression: &str) -> Text {
    let strategy = string_regex(expression);
    strategy.expect("a regular expression").boxed()
}

/// One of these texts.
fn one_of(texts: &'static [&'static str]) -> Text {
    select(texts).prop_map(str::to_owned).boxed()
}

/// White space where JSON allows it.
fn gap() -> Text {
    prop_oneof![12 => Just(String::new()), 1 => like("[ \t\r\n]{1,3}")].boxed()
}

/// The text between the quotes of a string.
fn content() -> Text {
    const ESCAPES: [&str; 12] = [
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\f",
        "\\n",
        "\\r\\t",
        "\\u0000",
        "\\u00e9",
        "\\uFFFF",
        "\\ud83d\\ude00",
        "\\uDBFF\\uDFFF",
    ];
    const WRONG: [&str; 7] = [
        "\\ud800",
        "\\udc00\\ud800",
        "\\ud83dx",
        "\\x41",
        "\\u12",
        "\t",
        "\0",
    ];
    let piece = prop_oneof![
        120 => like("[ !#-\\[\\]-~]{0,12}"),
        20 => one_of(&EXPECTED),
        // Longer than what is looked at in one step.
        10 => like("[a-z]{60,140}"),
        20 => char::range('\u{7f}', '\u{10ffff}').prop_map(String::from),
        10 => one_of(&ESCAPES),
        // One in thirty-two is half of a surrogate pair.
        2 => any::<u16>().prop_map(|unit| format!("\\u{unit:04x}")),
        1 => one_of(&WRONG),
    ];
    let pieces = vec(piece, 0..4);
    pieces.prop_map(|pieces| pieces.concat()).boxed()
}

fn string() -> Text {
    let quoted = content().prop_map(|content| format!("\"{content}\""));
    quoted.boxed()
}

fn number() -> Text {
    prop_oneof![
        120 => (1_789_990_000..1_790_010_000_i64).prop_map(|date| date.to_string()),
        20 => any::<i64>().prop_map(|number| number.to_string()),
        20 => any::<u64>().prop_map(|number| number.to_string()),
        20 => any::<f64>().prop_map(|number| format!("{number:e}")),
        40 => like("-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?"),
        40 => one_of(&NUMBERS),
        1 => one_of(&NOT_NUMBERS),
    ]
    .boxed()
}

/// Any value, nested here and there, up to the last level that is allowed and beyond.
fn value() -> Text {
    let literal = one_of(&["true", "false", "null"]);
    let deep = (1..67_usize).prop_map(|levels| "[".repeat(levels) + &"]".repeat(levels));
    let leaf = prop_oneof![8 => number(), 8 => string(), 4 => literal, 1 => deep];
    let (gap, name) = (gap(), string());
    let value = leaf.prop_recursive(3, 12, 4, move |inner| {
        let elements = vec((gap.clone(), inner.clone(), gap.clone()), 0..4);
        let array = elements.prop_map(|elements| {
            let elements = elements
                .iter()
                .map(|(a, value, b)| [&**a, value, b].concat());
            format!("[{}]", elements.collect::<Vec<_>>().join(","))
        });
        let members = vec(member(name.clone(), inner), 0..4);
        let object = members.prop_map(|members| format!("{{{}}}", members.join(",")));
        prop_oneof![array, object]
    });
    value.boxed()
}

/// A name in quotes, a colon and a value.
fn member(name: Text, value: Text) -> Text {
    let gap = gap();
    let parts = (gap.clone(), name, gap.clone(), gap.clone(), value, gap);
    let member = parts.prop_map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}"));
    member.boxed()
}

/// A name in quotes, with one of its characters escaped here and there: it is still that name.
fn spelled(name: &'static str) -> Text {
    let escaped = option::weighted(0.02, any::<Index>());
    let spelled = escaped.prop_map(move |escaped| match escaped {
        Some(at) if !name.is_empty() && !name.contains('\\') => {
            let at = at.index(name.len());
            let (before, after) = (&name[..at], &name[at + 1..]);
            format!("\"{before}\\u{:04x}{after}\"", name.as_bytes()[at])
        }
        _ => format!("\"{name}\""),
    });
    spelled.boxed()
}

/// The member of a registered name, mostly as it is meant.
fn registered((name, meant): (&'static str, Meant)) -> Text {
    let expected = select(&EXPECTED[..]).prop_map(|text| format!("\"{text}\""));
    let audiences = vec(prop_oneof![4 => string(), 1 => expected.clone()], 0..4);
    let audiences = audiences.prop_map(|strings| format!("[{}]", strings.join(" ,")));
    let meant = match meant {
        Meant::Date => number(),
        Meant::Text => prop_oneof![string(), expected].boxed(),
        Meant::Audience => prop_oneof![string(), expected, audiences].boxed(),
    };
    let value = prop_oneof![9 => meant, 1 => value()];
    member(spelled(name), value.boxed())
}

/// An object of any members in any order, one of them twice here and there.
fn object() -> Text {
    let registered = REGISTERED.map(|claim| option::weighted(0.6, registered(claim)));
    let others = OTHERS.map(|name| option::weighted(0.1, member(spelled(name), value())));
    let odd = vec(member(string(), value()), 0..2);
    // About as many as the scanner keeps apart.
    let many = option::weighted(0.03, 60..70_u32).prop_map(|count| {
        let numbers = 0..count.unwrap_or_default();
        numbers
            .map(|number| format!("\"claim-{number}\":{number}"))
            .collect::<Vec<_>>()
    });
    let again = option::weighted(0.05, any::<Index>());
    let members = (registered, others, odd, many, again);
    let members = members.prop_map(|(registered, others, odd, many, again)| {
        let members = registered.into_iter().chain(others).flatten();
        let mut members: Vec<String> = members.chain(odd).chain(many).collect();
        if let Some(at) = again
            && !members.is_empty()
        {
            members.push(at.get(&members).clone());
        }
        members
    });
    let object = (gap(), members.prop_shuffle(), gap());
    let object = object
        .prop_map(|(before, members, after)| format!("{before}{{{}}}{after}", members.join(",")));
    object.boxed()
}
