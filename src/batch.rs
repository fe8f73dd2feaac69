//! One block of lines at a time: the path that is fast.
//!
//! [`BatchJudge`] is a worker's own: it borrows the [`Validator`], owns every buffer that judging
//! needs, and gives the same verdicts as the validator gives one by one. What it saves is work that
//! a log repeats. A log holds millions of tokens and a handful of headers, so what a header
//! decides, up to the choice of keys, is remembered by the header's bytes.

use std::sync::atomic::AtomicBool;

use crate::input::{Block, Line, leading_blanks, lines};
use crate::key::Selection;
use crate::report::rows::{self, RowOptions, Rows, Subject};
use crate::report::tally::{SAMPLES, Sample, Tally};
use crate::signature::{BatchVerifier, Kernel, Pending};
use crate::token::{Claims, Header, JsonScratch, PayloadScratch, Token};
use crate::validator::{Judged, Validator};
use crate::verdict::{FindingSet, Reason};

/// What came of a block: bounded by the block's lines, and reused with it.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) rows: Rows,
    /// How many lines were judged.
    pub(crate) lines: u64,
    /// How many bytes of the block they are.
    pub(crate) bytes: usize,
    /// The run was stopped in the middle of the block, and nothing above counts.
    pub(crate) was_stopped: bool,
}

/// The most lines that are judged at a time, since each of them may become a row.
pub(crate) const MAX_LINES: usize = 8192;

impl Outcome {
    pub(crate) fn new(validator: &Validator) -> Self {
        Self {
            tally: Tally::new(validator.policy(), validator.keys()),
            rows: Rows::default(),
            lines: 0,
            bytes: 0,
            was_stopped: false,
        }
    }
}

/// Judges blocks under one validator.
///
/// A block goes through stage by stage, and what a stage leaves is in the buffers here: lines and
/// dots and headers first, then all signatures at once, then payload, claims and the record of
/// each token in the order of the lines.
pub(crate) struct BatchJudge<'v> {
    validator: &'v Validator,
    rows: Option<RowOptions>,
    stop: &'v AtomicBool,
    headers: HeaderMemo,
    lines: Vec<Judging>,
    pending: Vec<Pending<'static>>,
    verifier: BatchVerifier,
    payload: PayloadScratch,
    /// How many places of each reason this judge has given. Its blocks come in order, so that
    /// once it has given enough, no later place of its own can be among the first.
    sampled: [usize; Reason::COUNT],
}

/// A line that is not blank, on its way through the stages.
struct Judging {
    /// The number of the line in the block, from 1.
    number: u64,
    line: LineAt,
    /// Its header in the memo, if it has one.
    header: Option<u32>,
    standing: Standing,
}

/// Where a line stands in its block.
#[derive(Clone, Copy)]
struct LineAt {
    start: usize,
    end: usize,
}

/// How far a token has come.
#[derive(Clone, Copy)]
enum Standing {
    /// The line is too long, and so many bytes long.
    TooLong(u64),
    Rejected(Reason),
    /// Its signature is the one of this number among those pending.
    Pending(usize),
}

impl<'v> BatchJudge<'v> {
    /// A judge that renders rows if `rows` says how, and gives up once `stop` turns true.
    pub(crate) fn new(
        validator: &'v Validator,
        rows: Option<RowOptions>,
        kernel: Kernel,
        stop: &'v AtomicBool,
    ) -> Self {
        Self {
            validator,
            rows,
            stop,
            headers: HeaderMemo::new(),
            lines: Vec::new(),
            pending: Vec::new(),
            verifier: BatchVerifier::new(kernel),
            payload: PayloadScratch::new(),
            sampled: [0; Reason::COUNT],
        }
    }

    /// Judges the lines of a block, the first [`MAX_LINES`] of them. `outcome` is one that was
    /// drained.
    pub(crate) fn judge(&mut self, block: &Block, outcome: &mut Outcome) {
        outcome.rows.clear();
        (outcome.lines, outcome.bytes) = (0, 0);
        let mut pending = recycle(std::mem::take(&mut self.pending));
        self.split(block, &mut pending, outcome);
        let keys = self.validator.keys();
        let is_done = self
            .verifier
            .verify(&mut pending, |key| keys.mac(key), self.stop);
        outcome.was_stopped = !is_done;
        if is_done {
            self.record(block, &pending, outcome);
        }
        self.pending = recycle(pending);
    }

    /// Lines, dots, headers, choice of keys: what can be said before a signature is verified.
    fn split<'b>(&mut self, block: &'b Block, pending: &mut Vec<Pending<'b>>, outcome: &mut Outcome)
    where
        'v: 'b,
    {
        self.lines.clear();
        self.headers.begin_block();
        let limit = self.validator.policy().token_limit();
        if let Some(line) = block.passed_over {
            outcome.lines = 1;
            let line_at = LineAt {
                start: line.blanks,
                end: line.blanks,
            };
            let standing = Standing::TooLong(line.length);
            self.lines.push(Judging {
                number: 1,
                line: line_at,
                header: None,
                standing,
            });
        }
        for line in lines(block.bytes()) {
            if outcome.lines == MAX_LINES as u64 {
                outcome.bytes = line.begin;
                return;
            }
            outcome.lines += 1;
            let mut judging = Judging {
                number: outcome.lines,
                line: LineAt {
                    start: line.start,
                    end: line.start + line.token.len(),
                },
                header: None,
                standing: Standing::TooLong(line.length as u64),
            };
            if line.length > limit {
                let blanks = leading_blanks(&block.bytes()[line.begin..], limit);
                judging.line.start = line.begin + blanks;
            } else if line.token.is_empty() {
                outcome.tally.blank_lines += 1;
                continue;
            } else {
                judging.standing = match split(&line) {
                    Err(reason) => Standing::Rejected(reason),
                    Ok(token) => {
                        let (index, header) = self.headers.get(self.validator, token.header());
                        judging.header = Some(index);
                        match header.selection {
                            Err(reason) => Standing::Rejected(reason),
                            Ok(selection) => {
                                pending.push(Pending::new(
                                    token.signing_input(),
                                    token.signature(),
                                    selection.algorithm(),
                                    self.validator.keys().fitting(selection),
                                ));
                                Standing::Pending(pending.len() - 1)
                            }
                        }
                    }
                };
            }
            self.lines.push(judging);
        }
        outcome.bytes = block.bytes().len();
    }

    /// Payloads, claims, and the record of every line, in order.
    fn record(&mut self, block: &Block, pending: &[Pending<'_>], outcome: &mut Outcome) {
        let validator = self.validator;
        let mut record = Record {
            validator,
            rows: self.rows,
            input: block.input,
            sampled: &mut self.sampled,
        };
        for judging in &self.lines {
            let unsigned = match judging.header {
                Some(index) => {
                    let header = self.headers.at(index);
                    Judged::unsigned(header.alg.get(), header.kid.get(), header.findings)
                }
                None => Judged::unsigned(None, None, FindingSet::EMPTY),
            };
            let mut claims = Claims::NONE;
            let LineAt { start, end } = judging.line;
            let mut subject = Subject::Token(block.bytes().get(start..end).unwrap_or_default());
            let judged = match judging.standing {
                Standing::TooLong(length) => {
                    subject = Subject::TooLong(length);
                    Judged::rejected(Reason::TooLong)
                }
                Standing::Rejected(reason) => unsigned.with(reason),
                Standing::Pending(index) => match pending[index].outcome() {
                    Err(reason) => unsigned.with(reason),
                    Ok(authentic) => validator.judge_payload(
                        authentic,
                        unsigned,
                        &mut claims,
                        |claims, authentic| {
                            claims.scan(authentic, validator.policy(), &mut self.payload)
                        },
                    ),
                },
            };
            let offset = block.offset() + start as u64;
            record.add(judging.number, offset, &subject, &judged, outcome);
        }
    }
}

/// The token of a line that is not blank.
fn split<'b>(line: &Line<'b>) -> Result<Token<'b>, Reason> {
    // Blanks are no dots, so those of the line are those of its token. Where there are not two of
    // them, their places mean nothing.
    let places = line.dots.first_two.map(|dot| dot.wrapping_sub(line.start));
    Token::from_dots(line.token, line.dots.count, places)
}

/// Empties a vector and gives its memory to elements of another lifetime: the iterator is empty,
/// and collecting in place keeps the allocation.
fn recycle<'a>(mut pending: Vec<Pending<'_>>) -> Vec<Pending<'a>> {
    pending.clear();
    pending.into_iter().map_while(|_| None).collect()
}

/// Puts what was judged on record: counts, places, a row.
struct Record<'r> {
    validator: &'r Validator,
    rows: Option<RowOptions>,
    input: usize,
    sampled: &'r mut [usize; Reason::COUNT],
}

impl Record<'_> {
    fn add(
        &mut self,
        line: u64,
        offset: u64,
        subject: &Subject<'_>,
        judged: &Judged<'_>,
        outcome: &mut Outcome,
    ) {
        outcome.tally.count(judged);
        for reason in judged.verdict.reasons.iter() {
            if self.sampled[reason.index()] == SAMPLES {
                continue;
            }
            self.sampled[reason.index()] += 1;
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
///
/// Within a block a header keeps its index. Between blocks everything is forgotten once there is
/// much of it, so that a log in which every header differs costs time and no memory.
struct HeaderMemo {
    /// The first `used` are known; the others lend their buffers.
    known: Vec<KnownHeader>,
    used: usize,
    /// Open addressing with linear probing: 1 + the index of a header, 0 where there is none.
    slots: Vec<u32>,
    /// The header that was asked for last: logs have runs of one header.
    last: u32,
    scratch: JsonScratch,
}

impl HeaderMemo {
    /// Enough for a block of lines that all differ, after what is kept from earlier blocks, at a
    /// load of less than two thirds; a power of two.
    const SLOTS: usize = 16_384;
    /// How many headers are kept from block to block: a set of a thousand keys, and some.
    const KEPT: usize = 2048;
    /// How many bytes of headers are kept from block to block.
    const KEPT_BYTES: usize = 256 << 10;

    fn new() -> Self {
        Self {
            known: Vec::new(),
            used: 0,
            slots: vec![0; Self::SLOTS],
            last: 0,
            scratch: JsonScratch::new(),
        }
    }

    /// Forgets, if there is much to forget.
    fn begin_block(&mut self) {
        let known = &self.known[..self.used];
        let bytes = || {
            known
                .iter()
                .map(|header| header.encoded.len())
                .sum::<usize>()
        };
        if self.used > Self::KEPT || bytes() > Self::KEPT_BYTES {
            self.used = 0;
            self.known.truncate(Self::KEPT);
            self.known
                .retain(|header| header.encoded.capacity() <= 1024);
            self.slots.fill(0);
        }
    }

    fn at(&self, index: u32) -> &KnownHeader {
        &self.known[index as usize]
    }

    fn get(&mut self, validator: &Validator, encoded: &[u8]) -> (u32, &KnownHeader) {
        if (self.last as usize) < self.used && self.at(self.last).encoded == encoded {
            return (self.last, self.at(self.last));
        }
        let mut slot = slot_of(encoded) % Self::SLOTS;
        let index = loop {
            match self.slots[slot] {
                0 => break self.insert(validator, encoded, slot),
                // A hit is a comparison in full.
                taken if self.at(taken - 1).encoded == encoded => break taken - 1,
                _ => slot = (slot + 1) % Self::SLOTS,
            }
        };
        self.last = index;
        (index, self.at(index))
    }

    fn insert(&mut self, validator: &Validator, encoded: &[u8], slot: usize) -> u32 {
        if self.used == self.known.len() {
            self.known.push(KnownHeader::new());
        }
        let known = &mut self.known[self.used];
        known.encoded.clear();
        known.encoded.extend_from_slice(encoded);
        known.read(validator, encoded, &mut self.scratch);
        self.used += 1;
        // A block has at most 8,192 lines, so this is far from a u32's end.
        let taken = u32::try_from(self.used).unwrap_or(u32::MAX);
        self.slots[slot] = taken;
        taken - 1
    }
}

/// Spreads headers over slots. Headers that collide cost time and nothing else.
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
