//! An extractor whose tokens are no slices of the block.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::batch::{BatchJudge, Cached, GroupId, Sink};
use crate::input::{Block, SliceReader};
use crate::report::fixture::{OCTOBER, bare_policy, claims, mint, named_keys, now};
use crate::signature::Kernel;
use crate::stage::NoClock;
use crate::validator::{Judged, Validator};
use crate::verdict::Verdict;

/// One percent-encoded token per line. Those with an escape are decoded into `scratch`, which is as
/// long as the block: decoding makes nothing longer.
struct PercentTokens<'b> {
    lines: LineTokens<'b>,
    scratch: &'b mut [u8],
}

impl<'b> Iterator for PercentTokens<'b> {
    type Item = Found<'b>;

    fn next(&mut self) -> Option<Found<'b>> {
        let found = self.lines.next()?;
        let Some(escaped) = found.content.bytes().filter(|it| it.contains(&b'%')) else {
            return Some(found);
        };
        let (own, rest) = std::mem::take(&mut self.scratch).split_at_mut(escaped.len());
        self.scratch = rest;
        let bytes = decode(escaped, own);
        let content = match Token::split(bytes) {
            Ok(token) => Content::Token(token),
            Err(reason) => Content::Malformed(bytes, reason),
        };
        Some(Found { content, ..found })
    }
}

fn decode<'s>(escaped: &[u8], into: &'s mut [u8]) -> &'s [u8] {
    let (mut rest, mut len) = (escaped, 0);
    while let Some((byte, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *byte == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        into[len] = decoded.unwrap_or(*byte);
        rest = if decoded.is_some() {
            &behind[2..]
        } else {
            behind
        };
        len += 1;
    }
    &into[..len]
}

fn encode(token: &str) -> String {
    let bytes = token.bytes().enumerate();
    let encoded = bytes.map(|(at, byte)| match at % 3 == 0 || byte == b'.' {
        true => format!("%{byte:02X}"),
        false => char::from(byte).to_string(),
    });
    encoded.collect()
}

/// Verdicts with the line and the offset of their tokens.
#[derive(Default)]
struct Places(Vec<(u32, u64, Verdict)>);

impl Sink for Places {
    fn take_cached(&mut self, found: &Found<'_>, verdict: &Verdict, _: &Cached) -> bool {
        self.0.push((found.line, found.offset, *verdict));
        true
    }

    fn take(&mut self, found: &Found<'_>, judged: &Judged<'_>, _: bool) -> Option<GroupId> {
        self.0.push((found.line, found.offset, judged.verdict));
        None
    }
}

#[test]
fn a_token_may_have_bytes_of_its_own() {
    let validator = Validator::new(bare_policy(), named_keys()).unwrap();
    let [one, other, late] = [(90, 1), (90, 2), (-90, 3)]
        .map(|(ahead, number)| mint(r#"{"alg":"HS256"}"#, &claims("one", ahead, number), OCTOBER));
    let forged = format!("{}AA", &one[..one.len() - 2]);
    // What is in the log, and the token that it is.
    let lines = [
        (one.clone(), one.clone()),
        (encode(&one), one),
        (encode(&forged), forged),
        (other.clone(), other.clone()),
        (encode(&other), other),
        (encode(&late), late),
        (encode("a.b"), "a.b".to_owned()),
        ("a.b.%zz".to_owned(), "a.b.%zz".to_owned()),
    ];
    let (mut text, mut expected) = (String::new(), Vec::new());
    for ((line, token), number) in lines.iter().zip(1..) {
        let offset = text.len() as u64 + 2;
        expected.push((
            number,
            offset,
            validator.validate_at(token.as_bytes(), now()),
        ));
        text += &format!("  {line}\r\n");
    }
    let valid = expected.iter().filter(|(.., verdict)| verdict.is_valid());
    assert_eq!(valid.count(), 4);
    let mut block = Block::default();
    assert!(SliceReader::new(text.as_bytes(), 0).fill(&mut block, usize::MAX));
    let judge = BatchJudge::new(validator, Kernel::best(), 1 << 20, false);
    let (mut judge, mut scratch) = (judge.always_look_up(), vec![0; text.len()]);
    // From the second batch on the tokens are in the cache, whether they are escaped or not.
    for repeated in [0, 4, 6, 6] {
        let mut places = Places::default();
        let mut tokens = PercentTokens {
            lines: LineTokens::new(&block, 1 << 20, now()),
            scratch: &mut scratch,
        };
        let never = AtomicBool::new(false);
        assert!(judge.judge(&mut tokens, &never, &mut places, &mut NoClock));
        places.0.sort_by_key(|(line, ..)| *line);
        assert_eq!(places.0, expected);
        assert_eq!(judge.repeated(), repeated);
        scratch.fill(b'x');
    }
}
