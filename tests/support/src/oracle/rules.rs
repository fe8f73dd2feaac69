//! Rules beyond the registered claims: values of claims, scopes, and issuers with placeholders. It
//! reads the payload by a parser of its own, which keeps numbers as they are written and members
//! that occur twice.

use super::Members;

/// What is expected of claims beyond the registered ones.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Names or JSON Pointers, each with a value; those of one claim are alternatives.
    pub claims: Vec<(String, Wanted)>,
    /// All of them must be in `scope` and `scp`, whichever are there.
    pub scopes: Vec<String>,
    /// Expected `iss` with placeholders, beside those of the policy.
    pub issuers: Vec<String>,
    /// The extensions that `crit` may name.
    pub crit: Vec<String>,
    /// Whether a token may be padded.
    pub accept_padding: bool,
}

/// A value that a claim may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// This string.
    Text(String),
    /// This number or boolean, in JSON.
    Json(String),
}

/// A JSON value as it is written.
#[derive(Debug, Clone, PartialEq)]
enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What the rules say of a payload.
pub(super) struct Findings {
    /// The names of claims that are absent and have no reason of their own.
    pub(super) missing: Vec<String>,
    pub(super) claim_mismatch: bool,
}

/// Where a pointer leads.
enum Place {
    Nowhere,
    Twice,
    At(Json),
}

/// Checks values and scopes. `mistyped` says which registered claims have the wrong type.
pub(super) fn check(text: &str, rules: &Rules, mistyped: impl Fn(&str) -> bool) -> Findings {
    let payload = read(text);
    let mut found = Findings {
        missing: Vec::new(),
        claim_mismatch: false,
    };
    let mut done: Vec<Vec<String>> = Vec::new();
    for (name, _) in &rules.claims {
        let steps = steps(name);
        if done.contains(&steps) {
            continue;
        }
        let wanted = rules
            .claims
            .iter()
            .filter(|(other, _)| self::steps(other) == steps);
        let wanted: Vec<&Wanted> = wanted.map(|(_, wanted)| wanted).collect();
        match walk(&payload, &steps) {
            Place::Nowhere | Place::At(Json::Null) => {
                // Those of the top level are required, which is checked elsewhere.
                if steps.len() > 1 || steps[0].is_empty() {
                    found.missing.push(name.clone());
                }
            }
            Place::Twice => found.claim_mismatch = true,
            Place::At(_) if steps.len() == 1 && mistyped(&steps[0]) => {}
            Place::At(value) => {
                found.claim_mismatch |= !wanted.iter().any(|wanted| is(&value, wanted));
            }
        }
        done.push(steps);
    }
    if !rules.scopes.is_empty() {
        let places = ["scope", "scp"].map(|name| walk(&payload, &[name.to_owned()]));
        let mut is_there = false;
        for place in places {
            let Place::At(value) = place else { continue };
            let named: Vec<String> = match value {
                Json::Null => continue,
                Json::Text(text) => text.split(' ').map(str::to_owned).collect(),
                Json::Array(values) if values.iter().all(|one| matches!(one, Json::Text(_))) => {
                    let text = |value| match value {
                        Json::Text(text) => text,
                        _ => String::new(),
                    };
                    values.into_iter().map(text).collect()
                }
                _ => Vec::new(),
            };
            is_there = true;
            found.claim_mismatch |= !rules.scopes.iter().all(|scope| named.contains(scope));
        }
        if !is_there {
            found.missing.push("scope".to_owned());
        }
    }
    found
}

/// The top-level claims whose values are expected, which are required by that.
pub(super) fn required(rules: &Rules) -> Vec<String> {
    let names = rules.claims.iter().map(|(name, _)| steps(name));
    let top = names.filter(|steps| steps.len() == 1 && !steps[0].is_empty());
    top.map(|mut steps| steps.remove(0)).collect()
}

/// Whether an issuer matches a template. With a payload, its claims must be what the placeholders
/// stand for.
pub(super) fn matches(template: &str, issuer: &str, payload: Option<&Members>) -> bool {
    let (own, other): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), issuer.split('/').collect());
    own.len() == other.len()
        && own.iter().zip(other).all(|(own, other)| {
            let (Some(open), Some(close)) = (own.find('{'), own.find('}')) else {
                return *own == other;
            };
            let (before, name, behind) = (&own[..open], &own[open + 1..close], &own[close + 1..]);
            let len = before.len() + behind.len();
            other.len() > len
                && other.starts_with(before)
                && other.ends_with(behind)
                && payload.is_none_or(|payload| {
                    let value = &other[before.len()..other.len() - behind.len()];
                    payload.get(name).and_then(|claim| claim.as_str()) == Some(value)
                })
        })
}

/// The names on the way to a claim.
fn steps(name: &str) -> Vec<String> {
    match name.starts_with('/') {
        true => {
            let tokens = name[1..].split('/');
            tokens
                .map(|token| token.replace("~1", "/").replace("~0", "~"))
                .collect()
        }
        false => vec![name.to_owned()],
    }
}

fn walk(payload: &Json, steps: &[String]) -> Place {
    let mut value = payload.clone();
    for (depth, step) in steps.iter().enumerate() {
        value = match value {
            Json::Object(members) => {
                let mut names: Vec<&String> = members.iter().map(|(name, _)| name).collect();
                names.sort();
                if depth > 0 && names.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Place::Twice;
                }
                match members.into_iter().find(|(name, _)| name == step) {
                    Some((_, value)) => value,
                    None => return Place::Nowhere,
                }
            }
            Json::Array(values) => {
                let index = step
                    .parse::<usize>()
                    .ok()
                    .filter(|index| index.to_string() == *step);
                match index.and_then(|index| values.into_iter().nth(index)) {
                    Some(value) => value,
                    None => return Place::Nowhere,
                }
            }
            _ => return Place::Nowhere,
        };
    }
    Place::At(value)
}

fn is(value: &Json, wanted: &Wanted) -> bool {
    match (value, wanted) {
        (Json::Text(text), Wanted::Text(wanted)) => text == wanted,
        (Json::Bool(value), Wanted::Json(wanted)) => *wanted == value.to_string(),
        (Json::Number(number), Wanted::Json(wanted))
            if wanted.contains(|c: char| c.is_ascii_digit()) =>
        {
            same_number(number, wanted)
        }
        _ => false,
    }
}

/// Whether two numbers in decimal have the same sign, the same place of their first digit, and the
/// same digits from there on.
fn same_number(one: &str, other: &str) -> bool {
    let (one, other) = (first_and_digits(one), first_and_digits(other));
    let same_digits = |a: &[u8], b: &[u8]| {
        (0..a.len().max(b.len())).all(|at| a.get(at).unwrap_or(&b'0') == b.get(at).unwrap_or(&b'0'))
    };
    match (one, other) {
        (None, None) => true,
        (Some((negative, Some(place), digits)), Some((is_negative, Some(at), more))) => {
            negative == is_negative && place == at && same_digits(&digits, &more)
        }
        _ => false,
    }
}

/// The sign, the power of ten of the first digit that is not zero (none beyond 128 bits), and the
/// digits from there on; `None` for zero.
fn first_and_digits(number: &str) -> Option<(bool, Option<i128>, Vec<u8>)> {
    let bare = number.trim_start_matches('-');
    let lower = bare.to_ascii_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let point = mantissa.find('.').unwrap_or(mantissa.len());
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let first = digits.iter().position(|digit| *digit != b'0')?;
    let place = exponent.parse::<i128>().ok().and_then(|exponent| {
        let point = i128::try_from(point).ok()?;
        exponent.checked_add(point - i128::try_from(first).ok()?)
    });
    Some((bare.len() < number.len(), place, digits[first..].to_vec()))
}

/// Reads a text that is known to be JSON of at most 64 levels.
fn read(text: &str) -> Json {
    let mut reader = Reader { text, at: 0 };
    reader.value()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    /// The next character that is no white space.
    fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        let blank = rest
            .iter()
            .take_while(|byte| b" \t\r\n".contains(byte))
            .count();
        self.at += blank;
        rest[blank]
    }

    fn value(&mut self) -> Json {
        match self.peek() {
            b'{' => {
                let mut members = Vec::new();
                self.list(b'}', |reader| {
                    let name = reader.string();
                    assert_eq!(reader.peek(), b':', "the text is JSON");
                    reader.at += 1;
                    members.push((name, reader.value()));
                });
                Json::Object(members)
            }
            b'[' => {
                let mut values = Vec::new();
                self.list(b']', |reader| values.push(reader.value()));
                Json::Array(values)
            }
            b'"' => Json::Text(self.string()),
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find([',', '}', ']', ' ', '\t', '\r', '\n']);
                let word = &rest[..end.unwrap_or(rest.len())];
                self.at += word.len();
                match word {
                    "null" => Json::Null,
                    "true" => Json::Bool(true),
                    "false" => Json::Bool(false),
                    number => Json::Number(number.to_owned()),
                }
            }
        }
    }

    fn list(&mut self, close: u8, mut item: impl FnMut(&mut Self)) {
        self.at += 1;
        while self.peek() != close {
            if self.peek() == b',' {
                self.at += 1;
            }
            item(self);
        }
        self.at += 1;
    }

    fn string(&mut self) -> String {
        assert_eq!(self.peek(), b'"', "the text is JSON");
        let start = self.at;
        let mut end = self.at + 1;
        while self.text.as_bytes()[end] != b'"' {
            end += if self.text.as_bytes()[end] == b'\\' {
                2
            } else {
                1
            };
        }
        self.at = end + 1;
        let quoted = &self.text[start..self.at];
        serde_json::from_str(quoted).expect("a string of JSON")
    }
}
