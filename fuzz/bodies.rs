//! The bodies of the fuzz targets: each takes any bytes, and panics where two ways of answering
//! one question differ.
//!
//! What differs is found by [`Judges`], which hold the validator, a run and the oracle against each
//! other down to the row, or, for `split`, by a splitter that is written here in the obvious way.
//! Each body returns the codes that it saw, so that whoever runs it over seeds can tell that
//! they reach what they are for.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::LazyLock;

use jotmill::RunOptions;

use crate::judges::{Judges, Row, audit, comparable};
use crate::oracle::{self, Policy};
use crate::token_maker::{SECRET, TokenMaker, encode};

/// The codes that a body saw, and `valid`.
pub type Seen = BTreeSet<&'static str>;

const NOW: i64 = 1_790_000_000;
/// Another secret than [`SECRET`], shorter than the hash of any algorithm.
const WEAK: &[u8] = b"weak";
/// The ids of the keys, and the secret that each of them signs with; see [`jwks`].
const NAMED: [(&str, &[u8]); 3] = [("main", SECRET), ("weak", WEAK), ("bound", SECRET)];

/// Keys of every kind that makes a difference.
fn jwks() -> String {
    let (k, weak) = (encode(SECRET), encode(WEAK));
    format!(
        r#"{{"keys":[
            {{"kty":"oct","kid":"main","k":"{k}"}},
            {{"kty":"oct","kid":"weak","k":"{weak}"}},
            {{"kty":"oct","kid":"bound","alg":"HS512","k":"{k}"}},
            {{"kty":"oct","kid":"enc","use":"enc","k":"{k}"}},
            {{"kty":"oct","kid":"broken","k":"{k}="}},
            {{"kty":"OKP","kid":"rsa","crv":"X25519","x":"{k}"}},
            {{"kty":"oct","kid":"twins","k":"{weak}"}},
            {{"kty":"oct","kid":"twins","k":"{k}"}},
            {{"kty":"oct","alg":"HS256","k":"{k}"}}
        ]}}"#
    )
}

/// Nothing is expected but times that fit.
fn plain() -> Policy {
    Policy {
        now: (NOW, 500_000_000),
        ..Policy::default()
    }
}

/// Everything is expected that can be.
fn strict() -> Policy {
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Policy {
        now: (NOW, 0),
        leeway: 30,
        max_age: Some(3600),
        max_lifetime: Some(7200),
        issuers: strings(&["https://auth.example.com/", "joe"]),
        audiences: strings(&["api://orders", "api"]),
        subjects: strings(&["user-1", "me"]),
        require: strings(&["exp", "nbf", "iat", "jti", "tenant", "scope"]),
        typ: Some("JWT".to_owned()),
        algs: Some(strings(&["HS256", "HS512"])),
        max_token_bytes: 1500,
        max_key_tries: 1,
    }
}

static JUDGES: LazyLock<[Judges; 2]> =
    LazyLock::new(|| [plain(), strict()].map(|policy| Judges::new(policy, &jwks())));

/// Lines are short for the splitter's sake: the shortest token takes 68 bytes, and a few more are
/// too long.
const SPLIT_LIMIT: usize = 72;

static SPLIT_JUDGES: LazyLock<Judges> = LazyLock::new(|| {
    let policy = Policy {
        max_token_bytes: SPLIT_LIMIT,
        ..plain()
    };
    Judges::of_secret(policy, SECRET)
});

/// Judges a line under both policies.
fn judge(line: &[u8]) -> Seen {
    let mut seen = Seen::new();
    for judges in &*JUDGES {
        if let Some(judged) = judges.judge(line) {
            if judged.verdict.is_valid() {
                seen.insert("valid");
            }
            seen.extend(judged.codes);
        }
    }
    seen
}

/// The first line of the data, whatever it holds.
pub fn token(data: &[u8]) -> Seen {
    let line = data.split(|byte| *byte == b'\n').next();
    judge(line.unwrap_or_default())
}

/// The data as a header. It is signed by the key and the algorithm that it names, so that it is
/// the header that decides.
pub fn header(data: &[u8]) -> Seen {
    // The payload meets the strict policy.
    let made = TokenMaker::new().header(data).payload(
        r#"{"iss":"joe","sub":"me","aud":"api","exp":1790000100,"nbf":1790000000,
            "iat":1790000000,"jti":"1","tenant":"t","scope":"s"}"#,
    );
    // What it names is the oracle's reading of it.
    let read = oracle::judge(&made.sign(), &plain(), &[]).unwrap_or_default();
    let kid = read.kid.unwrap_or_default();
    let named = NAMED.iter().find(|(id, _)| *id == kid);
    let secret = named.map_or(SECRET, |(_, secret)| secret);
    let alg = read.alg.unwrap_or_default();
    judge(&made.alg(&alg).secret(secret).sign())
}

/// The data as a payload, under a header that both policies accept.
pub fn claims(data: &[u8]) -> Seen {
    let header = r#"{"alg":"HS256","kid":"main","typ":"JWT"}"#;
    judge(&TokenMaker::new().header(header).payload(data).sign())
}

/// How a run is cut: threads, bytes of a block, and the most bytes that a read gives.
const CUTS: [(usize, usize, usize); 4] =
    [(1, 1 << 18, usize::MAX), (1, 1, 1), (1, 7, 3), (1, 80, 100)];
/// The same with several threads, which cost a hundred times as much to start as a short log takes
/// to judge: one log in eight is cut like this.
const THREADED_CUTS: [(usize, usize, usize); 2] = [(2, 16, 5), (3, 200, usize::MAX)];

/// The data as a log: every way of cutting it gives the rows and counts of the naive splitter.
pub fn split(data: &[u8]) -> Seen {
    let judges = &*SPLIT_JUDGES;
    let mut seen = Seen::new();
    let (mut expected, mut blank, mut rejected, mut count) = (Vec::new(), 0, 0, 0);
    for (index, (offset, line)) in naive_lines(data).into_iter().enumerate() {
        count += 1;
        match judges.expected((index + 1, offset), &line) {
            Some((judgement, row)) => {
                rejected += u64::from(!judgement.codes.is_empty());
                if judgement.codes.is_empty() {
                    seen.insert("valid");
                }
                seen.extend(judgement.codes);
                expected.push(row);
            }
            None => blank += 1,
        }
    }
    let mut first_rows = None;
    let threaded = match data.len() % 8 {
        0 => &THREADED_CUTS[..],
        _ => &[],
    };
    for (threads, block_bytes, most) in CUTS.iter().chain(threaded).copied() {
        let reader = Pieces {
            rest: data,
            most,
            reads: 0,
        };
        let options = RunOptions {
            threads,
            block_bytes,
            ..RunOptions::default()
        };
        let (text, finished) = audit(&judges.validator, reader, &options);
        let cut = format!("{threads} threads, blocks of {block_bytes}, reads of {most} bytes");
        match &first_rows {
            None => {
                let rows: Vec<Row> = text
                    .lines()
                    .map(|row| comparable(serde_json::from_str(row).expect("rows are JSON")))
                    .collect();
                assert_eq!(rows, expected);
                first_rows = Some(text);
            }
            Some(first) => assert_eq!(&text, first, "{cut}"),
        }
        let tally = &finished.report.tally;
        assert_eq!(tally.tokens.rejected, rejected, "{cut}");
        assert_eq!(tally.tokens.total(), expected.len() as u64, "{cut}");
        assert_eq!(tally.blank_lines, blank, "{cut}");
        let input = &finished.report.inputs[0];
        assert_eq!(input.lines, count, "{cut}");
        // Nothing of a log that is a byte order mark and no more is judged.
        let bytes = if count == 0 { 0 } else { data.len() as u64 };
        assert_eq!(input.bytes, bytes, "{cut}");
    }
    seen
}

/// The lines of a log and where each begins: cut at LF and nothing else, without a byte order mark
/// at the very start, and no line behind the last LF. A line is given without its LF, and as if it
/// had one: a CR that the end of the log leaves bare is doubled, since one belongs to the ending.
fn naive_lines(log: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let mut lines = Vec::new();
    let mut offset = if log.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let mut pieces = log[offset..].split(|byte| *byte == b'\n').peekable();
    while let Some(piece) = pieces.next() {
        let mut line = piece.to_vec();
        if pieces.peek().is_none() {
            if line.is_empty() {
                break;
            }
            if line.ends_with(b"\r") {
                line.push(b'\r');
            }
        }
        lines.push((offset, line));
        offset += piece.len() + 1;
    }
    lines
}

/// A reader that gives a little at a time, and is interrupted now and then.
struct Pieces<'d> {
    rest: &'d [u8],
    most: usize,
    reads: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = buffer.len().min(self.most).min(self.rest.len());
        let (now, later) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.rest = later;
        Ok(count)
    }
}
