//! One block of lines at a time: the path that is fast.
//!
//! [`BatchJudge`] is a worker's own: it borrows the [`Validator`], owns every buffer that judging
//! needs, and gives the same verdicts as the validator gives one by one. What it saves is work that
//! a log repeats. A log holds millions of tokens and a handful of headers, so what a header
//! decides, up to the choice of keys, is remembered by the header's bytes.

use crate::input::{Block, Line, leading_blanks, lines};
use crate::key::Selection;
use crate::report::rows::{self, RowOptions, Rows, Subject};
use crate::report::tally::{SAMPLES, Sample, Tally};
use crate::token::{Header, JsonScratch, Token};
use crate::validator::{Judged, Validator};
use crate::verdict::{FindingSet, Reason};

/// What came of a block: bounded by the block's lines, and reused with it.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) rows: Rows,
    /// How many lines the block has.
    pub(crate) lines: u64,
}

impl Outcome {
    pub(crate) fn new(validator: &Validator) -> Self {
        Self {
            tally: Tally::new(validator.policy(), validator.keys()),
            rows: Rows::default(),
            lines: 0,
        }
    }
}

/// Judges blocks under one validator.
pub(crate) struct BatchJudge<'v> {
    validator: &'v Validator,
    rows: Option<RowOptions>,
    headers: HeaderMemo,
    payload: JsonScratch,
    /// How many places of each reason this judge has given. Its blocks come in order, so that
    /// once it has given enough, no later place of its own can be among the first.
    sampled: [usize; Reason::COUNT],
}

impl<'v> BatchJudge<'v> {
    /// A judge that renders rows if `rows` says how.
    pub(crate) fn new(validator: &'v Validator, rows: Option<RowOptions>) -> Self {
        Self {
            validator,
            rows,
            headers: HeaderMemo::new(),
            payload: JsonScratch::new(),
            sampled: [0; Reason::COUNT],
        }
    }

    /// Judges every line of a block. `outcome` is one that was drained.
    pub(crate) fn judge(&mut self, block: &Block, outcome: &mut Outcome) {
        outcome.rows.clear();
        outcome.lines = 0;
        if let Some(line) = block.passed_over {
            outcome.lines = 1;
            let offset = block.offset + line.blanks as u64;
            let judged = Judged::rejected(Reason::TooLong);
            let subject = Subject::TooLong(line.length);
            let record = Record {
                validator: self.validator,
                rows: self.rows,
                input: block.input,
            };
            record.add(1, offset, &subject, &judged, &mut self.sampled, outcome);
            return;
        }
        for line in lines(block.bytes()) {
            outcome.lines += 1;
            self.judge_line(block, line, outcome);
        }
    }

    fn judge_line(&mut self, block: &Block, line: Line<'_>, outcome: &mut Outcome) {
        let limit = self.validator.policy().token_limit();
        let record = Record {
            validator: self.validator,
            rows: self.rows,
            input: block.input,
        };
        let number = outcome.lines;
        if line.length > limit {
            let blanks = leading_blanks(&block.bytes()[line.begin..], limit);
            let offset = block.offset + (line.begin + blanks) as u64;
            let judged = Judged::rejected(Reason::TooLong);
            let subject = Subject::TooLong(line.length as u64);
            return record.add(
                number,
                offset,
                &subject,
                &judged,
                &mut self.sampled,
                outcome,
            );
        }
        if line.token.is_empty() {
            outcome.tally.blank_lines += 1;
            return;
        }
        let judged = match Token::split(line.token) {
            Ok(token) => {
                let header = self.headers.get(self.validator, token.header());
                let judged = Judged::unsigned(header.alg.get(), header.kid.get(), header.findings);
                self.validator.judge_from_signature(
                    token,
                    header.selection,
                    judged,
                    &mut self.payload,
                )
            }
            Err(reason) => Judged::rejected(reason),
        };
        let offset = block.offset + line.start as u64;
        let subject = Subject::Token(line.token);
        record.add(
            number,
            offset,
            &subject,
            &judged,
            &mut self.sampled,
            outcome,
        );
    }
}

/// Puts what was judged on record: counts, places, a row.
struct Record<'v> {
    validator: &'v Validator,
    rows: Option<RowOptions>,
    input: usize,
}

impl Record<'_> {
    fn add(
        &self,
        line: u64,
        offset: u64,
        subject: &Subject<'_>,
        judged: &Judged<'_>,
        sampled: &mut [usize; Reason::COUNT],
        outcome: &mut Outcome,
    ) {
        outcome.tally.count(judged);
        for reason in judged.verdict.reasons.iter() {
            if sampled[reason.index()] == SAMPLES {
                continue;
            }
            sampled[reason.index()] += 1;
            let sha256 = match subject {
                Subject::Token(token) => Some(rows::digest(token)),
                Subject::TooLong(_) => None,
            };
            outcome.tally.add_sample(
                reason,
                Sample {
                    input: self.input,
                    line,
                    offset,
                    sha256,
                },
            );
        }
        if let Some(options) = &self.rows
            && options.wants(&judged.verdict)
        {
            let context = (self.validator.policy(), self.validator.keys(), options);
            outcome.rows.push(line, offset, subject, judged, context);
        }
    }
}

/// What a header decides, and what rows tell of it.
struct KnownHeader {
    /// The encoded header. A hit is a comparison in full, never of a hash.
    encoded: Vec<u8>,
    selection: Result<Selection, Reason>,
    alg: OptionalText,
    kid: OptionalText,
    findings: FindingSet,
}

/// An optional string that keeps its buffer.
#[derive(Default)]
struct OptionalText {
    text: String,
    is_set: bool,
}

impl OptionalText {
    fn set(&mut self, value: Option<&str>) {
        self.text.clear();
        self.text.push_str(value.unwrap_or_default());
        self.is_set = value.is_some();
    }

    fn get(&self) -> Option<&str> {
        self.is_set.then_some(&self.text)
    }
}

impl KnownHeader {
    fn new() -> Self {
        Self {
            encoded: Vec::new(),
            selection: Err(Reason::HeaderBase64url),
            alg: OptionalText::default(),
            kid: OptionalText::default(),
            findings: FindingSet::EMPTY,
        }
    }

    fn read(&mut self, validator: &Validator, encoded: &[u8], scratch: &mut JsonScratch) {
        let (selection, header) = match Header::read(encoded, scratch) {
            Ok(header) => (validator.select(&header), header),
            Err(reason) => (Err(reason), Header::default()),
        };
        self.selection = selection;
        self.alg.set(header.alg.value());
        self.kid.set(header.kid.value());
        self.findings = header.findings;
    }
}

/// The headers seen lately, by their bytes. It belongs to one judge and so to one validator.
struct HeaderMemo {
    slots: Vec<Option<Box<KnownHeader>>>,
    /// For a header that is too long to be remembered.
    spare: KnownHeader,
    scratch: JsonScratch,
}

impl HeaderMemo {
    /// Enough for a set of a thousand keys; a power of two.
    const SLOTS: usize = 4096;
    /// The longest header that is remembered, in encoded bytes.
    const LONGEST: usize = 512;

    fn new() -> Self {
        Self {
            slots: std::iter::repeat_with(|| None).take(Self::SLOTS).collect(),
            spare: KnownHeader::new(),
            scratch: JsonScratch::new(),
        }
    }

    fn get(&mut self, validator: &Validator, encoded: &[u8]) -> &KnownHeader {
        if encoded.len() > Self::LONGEST {
            self.spare.read(validator, encoded, &mut self.scratch);
            return &self.spare;
        }
        let slot = &mut self.slots[slot_of(encoded) % Self::SLOTS];
        // An empty slot holds no header; the empty header is one like any other.
        let is_new = slot.is_none();
        let known = slot.get_or_insert_with(|| Box::new(KnownHeader::new()));
        if is_new || known.encoded != encoded {
            known.encoded.clear();
            known.encoded.extend_from_slice(encoded);
            known.read(validator, encoded, &mut self.scratch);
        }
        known
    }
}

/// Spreads headers over slots. Two headers of one slot cost time and nothing else.
fn slot_of(encoded: &[u8]) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 over the golden ratio
    let (words, rest) = encoded.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mixed = words
        .iter()
        .chain([&last])
        .fold(encoded.len() as u64, |mixed, word| {
            (mixed ^ u64::from_le_bytes(*word))
                .wrapping_mul(ODD)
                .rotate_left(29)
        });
    usize::try_from(mixed.wrapping_mul(ODD) >> 40).unwrap_or(0)
}
