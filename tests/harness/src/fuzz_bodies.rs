//! The bodies of the fuzz targets: each takes any bytes, and panics where two ways of answering
//! one question differ.
//!
//! What differs is found by [`Judges`], which hold the validator, a run and the oracle against each
//! other down to the row, or, for `split`, by a splitter that is written here in the obvious way.
//! `times` finds times, and so does an oracle of its own. `keys` loads keys, and states what must hold of any file of them.
//! Each body returns the codes that it saw, so that a test over the seeds can check that
//! they reach what they are for.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::LazyLock;

use jotmill::{
    Algorithm, Encoding, Key, KeyError, KeyFinding, KeySet, LogZone, TimeForm, TimeReader,
    UnixTime, UnusableKey, Validator, Verdict,
};
use jotmill_test_support::log_times::{self, Assumed};
use serde_json::Value;

use crate::judges::{Judges, Row, audit, comparable};
use crate::oracle::{self, Policy, Rules, Wanted};
use crate::token_maker::{ALGORITHMS, SECRET, TokenMaker, encode};

/// The codes that a body saw, and `valid`; for keys also what they are.
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
        typ: vec!["JWT".to_owned()],
        algs: Some(strings(&["HS256", "HS512"])),
        max_token_bytes: 1500,
        max_key_tries: 1,
        rules: Rules {
            claims: ["t", "t-1"]
                .map(|tenant| ("tenant".to_owned(), Wanted::Text(tenant.to_owned())))
                .into(),
            scopes: strings(&["s"]),
            crit: strings(&["x"]),
            ..Rules::default()
        },
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

/// A token of this payload, under a header that both policies accept.
fn with_payload(payload: &[u8]) -> Vec<u8> {
    let header = r#"{"alg":"HS256","kid":"main","typ":"JWT"}"#;
    TokenMaker::new().header(header).payload(payload).sign()
}

/// Rows as the oracle's are.
fn read_rows(text: &str) -> Vec<Row> {
    text.lines()
        .map(|row| comparable(serde_json::from_str(row).expect("rows are JSON")))
        .collect()
}

/// The data as a payload.
pub fn claims(data: &[u8]) -> Seen {
    judge(&with_payload(data))
}

/// The data as payloads that are laid out alike: one, up to a zero byte, and what becomes of it by
/// each of the edits behind that, which are three bytes long: where, and by which byte. They are
/// one log, so that each is judged with the caches that those before it filled.
pub fn layouts(data: &[u8]) -> Seen {
    let end = data.iter().position(|byte| *byte == 0);
    let (first, edits) = data.split_at(end.unwrap_or(data.len()));
    let edited = edits.get(1..).unwrap_or_default().chunks_exact(3);
    let edited = edited.take(64).map(|edit| {
        let mut payload = first.to_vec();
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % payload.len().max(1);
        payload
            .iter_mut()
            .skip(at)
            .take(1)
            .for_each(|byte| *byte = edit[2]);
        payload
    });
    let lines: Vec<Vec<u8>> = std::iter::once(first.to_vec())
        .chain(edited)
        .map(|payload| with_payload(&payload))
        .collect();
    let mut seen = Seen::new();
    for judges in &*JUDGES {
        let (mut offset, mut expected) = (0, Vec::new());
        for (index, line) in lines.iter().enumerate() {
            let (judgement, row) = judges.expected((index + 1, offset), line).expect("a token");
            if judgement.codes.is_empty() {
                seen.insert("valid");
            }
            seen.extend(judgement.codes);
            expected.push(row);
            offset += line.len() + 1;
        }
        let log = lines.join(&b'\n');
        let (text, _) = audit(&judges.validator, &*log, &judges.options());
        assert_eq!(read_rows(&text), expected);
    }
    seen
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
        let options = judges.options().threads(threads).block_bytes(block_bytes);
        let (text, finished) = audit(&judges.validator, reader, &options);
        let cut = format!("{threads} threads, blocks of {block_bytes}, reads of {most} bytes");
        match &first_rows {
            None => {
                assert_eq!(read_rows(&text), expected);
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

/// The instants at which keys are looked at: before and after every certificate of the seeds.
const KEY_TIMES: [u64; 2] = [1_790_000_000, 2_200_000_000];
/// So many characters of base64 in a row are no word of a message, and would be a part of a key.
const REVEALING: usize = 24;
/// The longest message about a file, in bytes, whatever its size: a URL of at most 512 and a command.
const LONGEST_MESSAGE: usize = 2048;

/// The data as a file of keys in any form, and as a secret in each encoding. What is loaded is
/// loaded again alike, and in UTF-16 as in UTF-8; it has a name of its own, verifies what its secret
/// signs and nothing else; what is unusable verifies nothing; and every message is short and does not
/// quote what it is about. As anchors, the same file holds certificates alone or is an error.
pub fn keys(data: &[u8]) -> Seen {
    let mut seen = Seen::new();
    let is_json = data
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(data)
        .trim_ascii_start()
        .starts_with(b"{");
    let document: Option<Value> = serde_json::from_slice(data).ok();
    let mut texts = vec![data.to_vec()];
    document.iter().for_each(|value| strings(value, &mut texts));

    let loaded = Loaded::by(|keys| keys.add_key(data, FILE));
    assert_eq!(
        loaded.description(),
        Loaded::by(|keys| keys.add_key(data, FILE)).description()
    );
    for encoding in ["raw", "base64", "base64url", "hex"] {
        let encoding = Encoding::from_name(encoding).expect("an encoding");
        let secret = Loaded::by(|keys| keys.add_encoded_secret(data, encoding, FILE));
        secret.check(&texts);
        assert_eq!(secret.keys.len(), usize::from(secret.problem.is_none()));
        if encoding == Encoding::Raw {
            assert_eq!(secret.problem.is_some(), data.is_empty());
        }
    }
    seen.extend(loaded.check(&texts));
    if document.is_none() {
        // Of a key without an id, nothing that its file holds is shown, however it is wrapped.
        for key in loaded.keys.iter().filter(|key| key.id().is_none()) {
            let line = loaded.describe(key);
            assert!(!quotes(&line, &texts), "{line} quotes the file");
        }
    }
    let anchors = Loaded::by(|keys| keys.add_anchor(data, &["CN=leaf"], FILE));
    seen.extend(anchors.check_anchors(&texts, &loaded));
    if let Ok(text) = std::str::from_utf8(data)
        && !text.contains('\0')
    {
        same_in_utf16(text, &loaded, &anchors);
        seen.insert("utf-16");
    }
    if loaded.keys.is_empty() {
        return seen;
    }
    let validator = Validator::new(jotmill::Policy::new(), loaded.keys).expect("a key");
    seen.extend(nobody_signs(&validator));
    if is_json && let Some(document) = document {
        seen.extend(secrets_sign(&validator, &document));
    }
    seen
}

/// A text says the same in UTF-16, of either order: the same keys and anchors, the same faults.
fn same_in_utf16(text: &str, keys: &Loaded, anchors: &Loaded) {
    for encode in [u16::to_le_bytes, u16::to_be_bytes] {
        let units = ['\u{feff}'].into_iter().chain(text.chars());
        let units = units.flat_map(|c| {
            let mut buffer = [0; 2];
            c.encode_utf16(&mut buffer).to_vec()
        });
        let utf16: Vec<u8> = units.flat_map(encode).collect();
        let own = Loaded::by(|keys| keys.add_key(&utf16, FILE));
        keys.assert_same(&own);
        let own = Loaded::by(|keys| keys.add_anchor(&utf16, &["CN=leaf"], FILE));
        anchors.assert_same(&own);
    }
}

/// Where keys are said to come from.
const FILE: &str = "keys";

/// What came of a file.
struct Loaded {
    keys: KeySet,
    problem: Option<String>,
}

impl Loaded {
    fn by(load: impl Fn(&mut KeySet) -> Result<(), KeyError>) -> Self {
        let mut keys = KeySet::new();
        let problem = load(&mut keys).err().map(|error| error.to_string());
        Self { keys, problem }
    }

    /// All that it shows, to be compared.
    fn description(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.keys.iter().map(|key| self.describe(key)).collect();
        lines.extend(
            self.keys
                .unusable_keys()
                .iter()
                .map(|key| format!("{key:?}")),
        );
        lines.extend(self.problem.clone());
        lines
    }

    fn describe(&self, key: &Key) -> String {
        let findings = KEY_TIMES.map(|now| {
            let now = UnixTime::new(now, 0).expect("a time");
            self.keys.findings(key, now)
        });
        let algorithms: Vec<&str> = key.algorithms().iter().map(Algorithm::name).collect();
        let (id, kty, subtype, thumbprint) = (key.id(), key.kty(), key.subtype(), key.thumbprint());
        let bits = key.bits();
        format!(
            "{key:?} {id:?} {kty} {subtype:?} {bits} {thumbprint:?} {algorithms:?} {findings:?}"
        )
    }

    /// The same but for commands: a file in UTF-16 has to be converted before all else.
    fn assert_same(&self, utf16: &Self) {
        const COMMAND: &str = "iconv -f UTF-16 -t UTF-8 keys > keys.txt";
        let (own, other) = (self.description(), utf16.description());
        assert_eq!(own.len(), other.len());
        for (own, other) in own.iter().zip(&other) {
            match other.split_once(COMMAND) {
                Some((start, _)) => assert!(own.starts_with(start), "{own} {other}"),
                None => assert_eq!(own, other),
            }
        }
    }

    /// What holds of every file of anchors: each is a certificate that a key option reads too, and
    /// has no private half.
    fn check_anchors(&self, texts: &[Vec<u8>], keys: &Self) -> Seen {
        let seen = self.check(texts);
        if seen.contains("error") {
            return ["anchor-error"].into();
        }
        let certificates = keys.keys.len() + keys.keys.unusable_keys().len();
        // A key option refuses a single certificate as a whole where its key verifies no JWS.
        assert!(certificates == self.keys.len() || keys.problem.is_some());
        for key in self.keys.iter() {
            assert!(key.is_anchor() && key.algorithms().is_empty());
        }
        for key in keys.keys.iter() {
            let findings = KEY_TIMES.map(|now| {
                let now = UnixTime::new(now, 0).expect("a time");
                keys.keys.findings(key, now)
            });
            let is_private = |found: &KeyFinding| *found == KeyFinding::PrivateMaterial;
            assert!(!findings.iter().flatten().any(is_private));
        }
        ["anchor"].into()
    }

    /// What holds of every file; gives what was seen in this one.
    fn check(&self, texts: &[Vec<u8>]) -> Seen {
        let mut seen = Seen::new();
        if self.problem.is_some() {
            seen.insert("error");
            assert!(self.keys.is_empty(), "an error leaves no key");
        } else {
            assert!(!self.keys.is_empty(), "no key and no error");
        }
        let mut names = BTreeSet::new();
        for key in self.keys.iter() {
            assert!(!key.name().is_empty());
            assert!(names.insert(key.name()), "two keys of one name");
            assert!(key.bits() > 0);
            assert_eq!(key.kty() == "oct", key.thumbprint().is_none());
            seen.extend([key.kty()].into_iter().chain(key.subtype()));
            for now in KEY_TIMES {
                let now = UnixTime::new(now, 0).expect("a time");
                let findings = self.keys.findings(key, now);
                seen.extend(findings.into_iter().map(|finding| finding.code()));
            }
        }
        let aside = self.keys.unusable_keys().iter();
        if !self.keys.unusable_keys().is_empty() {
            seen.insert("unusable-key");
        }
        let messages = aside.map(UnusableKey::problem).chain(self.problem.clone());
        for message in messages {
            assert!(!message.is_empty());
            // The address of the keys is all that is quoted of a file that only names it.
            let message = message
                .split("curl -fsSL -o keys.")
                .next()
                .unwrap_or_default();
            assert!(message.len() <= LONGEST_MESSAGE, "{message}");
            assert!(!quotes(message, texts), "{message} quotes the file");
        }
        seen
    }
}

/// Whether a text has so much base64 of one of these texts that it may be a part of a key.
fn quotes(text: &str, of: &[Vec<u8>]) -> bool {
    let is_quoted = |piece: &[u8]| {
        let has = |text: &Vec<u8>| text.windows(REVEALING).any(|own| own == piece);
        piece.iter().all(|byte| is_base64(*byte)) && of.iter().any(has)
    };
    text.as_bytes().windows(REVEALING).any(is_quoted)
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// Every string of a document, as it is after unescaping.
fn strings(value: &Value, all: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => all.push(text.clone().into_bytes()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, all)),
        Value::Object(members) => members.values().for_each(|value| strings(value, all)),
        _ => {}
    }
}

/// A header with this `alg`, and with this `kid` where there is one.
fn key_header(alg: &str, kid: Option<&str>) -> String {
    let kid = kid.map(|kid| format!(r#","kid":{}"#, Value::from(kid)));
    format!(r#"{{"alg":"{alg}"{}}}"#, kid.unwrap_or_default())
}

/// The verdict at the first of [`KEY_TIMES`].
fn validate(validator: &Validator, token: &[u8]) -> Verdict {
    let now = UnixTime::new(KEY_TIMES[0], 0).expect("a time");
    validator.validate_at(token, now)
}

/// No key takes a signature that nobody made, under any of its algorithms.
fn nobody_signs(validator: &Validator) -> Seen {
    let mut seen = Seen::new();
    for key in validator.keys().iter().take(8) {
        for algorithm in key.algorithms().iter() {
            let len = key.signature_len(algorithm).expect("its algorithm");
            let made = TokenMaker::new().header(key_header(algorithm.name(), key.id()));
            for filling in [0, 1, 0xff] {
                let verdict = validate(validator, &made.with_signature(encode(vec![filling; len])));
                assert!(!verdict.is_valid() && verdict.key.is_none(), "{key:?}");
                seen.extend(verdict.reasons.iter().map(|reason| reason.code()));
            }
        }
    }
    seen
}

/// Secrets of a key set verify what they sign, unless they are unusable: then nothing that names
/// them verifies.
fn secrets_sign(validator: &Validator, document: &Value) -> Seen {
    let mut seen = Seen::new();
    let members = match &document["keys"] {
        Value::Array(members) => members.iter().take(8).collect(),
        _ => vec![document],
    };
    let secret = |member: &Value| {
        let k = member["k"].as_str()?;
        oracle::decode_member(k)
    };
    let judge = |alg: &str, kid: Option<&str>, secret: &[u8]| {
        let made = TokenMaker::new().header(key_header(alg, kid)).alg(alg);
        validate(validator, &made.secret(secret).sign())
    };
    let aside = validator.keys().unusable_keys();
    for (index, member) in members.iter().enumerate() {
        let is_plain = ["alg", "use", "key_ops"]
            .iter()
            .all(|name| member.get(name).is_none());
        let is_aside = aside.iter().any(|key| key.index == Some(index));
        if member["kty"] != "oct" || !is_plain || is_aside {
            continue;
        }
        let secret = secret(member).expect("it is used, so that it can be read");
        for (alg, _) in ALGORITHMS {
            let verdict = judge(alg, member["kid"].as_str(), &secret);
            assert!(verdict.is_valid(), "{alg}: {member}");
            seen.insert("valid");
        }
    }
    for key in aside.iter().take(8) {
        let Some(kid) = &key.kid else { continue };
        if validator.keys().iter().any(|key| key.id() == Some(kid)) {
            continue;
        }
        let secrets = members.iter().filter_map(|member| secret(member));
        for secret in secrets.chain([SECRET.to_vec()]) {
            for (alg, _) in ALGORITHMS {
                let verdict = judge(alg, Some(kid), &secret);
                let codes: Vec<&str> = verdict.reasons.iter().map(|r| r.code()).collect();
                assert!(
                    codes == ["key-unusable"] || codes == ["key-mismatch"],
                    "{codes:?}"
                );
                seen.extend(verdict.reasons.iter().map(|reason| reason.code()));
            }
        }
    }
    seen
}

/// The data as a text with times, by two zones; what is found is then read as a field. The forms that
/// can be named must find times within the text.
pub fn times(data: &[u8]) -> Seen {
    let mut seen = Seen::new();
    let now = UnixTime::new(NOW.unsigned_abs(), 0).expect("before 9999");
    for (zone, offset) in [("UTC", 0), ("-05:45", -20_700)] {
        let zone: LogZone = zone.parse().expect("a zone");
        let reader = TimeReader::new(None, zone.clone(), now);
        let assumed = Assumed {
            offset,
            now: (NOW, 0),
        };
        let expected = log_times::first_in(data, assumed);
        let found = reader.first_in(data);
        let comparable = found.clone().map(|(range, time)| log_times::Found {
            start: range.start,
            end: range.end,
            seconds: time.at.seconds().cast_signed(),
            nanos: time.at.subsec_nanos(),
            assumed_zone: time.assumed_zone,
            assumed_year: time.assumed_year,
        });
        assert_eq!(comparable, expected);
        seen.insert(match found {
            None => "none",
            Some((_, time)) if time.assumed_year => "assumed-year",
            Some((_, time)) if time.assumed_zone => "assumed-zone",
            Some((ref range, _)) if !data[range.clone()].contains(&b':') => "number",
            Some(_) => "exact",
        });
        if let Some((range, time)) = found {
            assert_eq!(reader.parse(&data[range]), Some(time));
        }
        for form in TimeForm::ALL.iter().copied() {
            let reader = TimeReader::new(Some(form), zone.clone(), now);
            if reader.parse(data).is_some() {
                seen.insert("field");
            }
            if let Some((range, _)) = reader.first_in(data) {
                assert!(reader.parse(&data[range]).is_some(), "{form}");
                seen.insert(form.name());
            }
        }
    }
    seen
}
