//! Reading in layers: each layer of an input reads from the one below, and can look ahead.
//!
//! This file owns looking ahead. What the bytes mean is left to the layers: `raw`, `compression`
//! and `utf16`.

use super::PIECE;
use crate::error::Error;

/// The outcome of one attempt to read.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// This number of bytes, at least one.
    Bytes(usize),
    /// The input is silent at the moment, or gave no bytes for a while.
    Idle,
    /// The end of the input.
    End,
}

/// A layer of an input.
pub(super) trait ReadChunk {
    /// Reads into `buffer`, which is not empty. With `wait`, waits for a silent input for a moment.
    fn read(&mut self, buffer: &mut [u8], wait: bool) -> Result<Chunk, Error>;
}

/// A layer whose next bytes can be looked at before they are read.
pub(super) struct Peek<R> {
    inner: R,
    /// Bytes from `at` on were looked at and not read.
    ahead: Vec<u8>,
    at: usize,
    /// Why nothing follows `ahead`: the end of the input, or an error.
    over: Option<Result<(), Error>>,
}

impl<R: ReadChunk> Peek<R> {
    pub(super) const fn new(inner: R) -> Self {
        Self {
            inner,
            ahead: Vec::new(),
            at: 0,
            over: None,
        }
    }

    pub(super) const fn inner(&self) -> &R {
        &self.inner
    }

    /// The bytes that were looked at and not read.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.ahead[self.at..]
    }

    /// The next bytes: at least `want`, or all that there are before the end or an error. `None` if
    /// the input is silent before that.
    pub(super) fn peek(&mut self, want: usize, wait: bool) -> Option<&[u8]> {
        while self.ahead().len() < want && self.over.is_none() {
            self.ahead.drain(..std::mem::take(&mut self.at));
            let filled = self.ahead.len();
            self.ahead.resize(want.max(filled + PIECE), 0);
            let outcome = self.inner.read(&mut self.ahead[filled..], wait);
            let count = match outcome {
                Ok(Chunk::Bytes(count)) => count,
                _ => 0,
            };
            self.ahead.truncate(filled + count);
            match outcome {
                Ok(Chunk::Bytes(_)) => {}
                Ok(Chunk::Idle) => return None,
                Ok(Chunk::End) => self.over = Some(Ok(())),
                Err(error) => self.over = Some(Err(error)),
            }
        }
        Some(self.ahead())
    }

    /// Skips bytes that were looked at.
    pub(super) fn consume(&mut self, count: usize) {
        self.at = self.ahead.len().min(self.at + count);
    }

    /// The end of the input, or the error that is in its place. The error is returned once.
    pub(super) fn end(&mut self) -> Result<Chunk, Error> {
        match self.over.replace(Ok(())) {
            Some(Err(error)) => Err(error),
            _ => Ok(Chunk::End),
        }
    }

    /// What the first bytes show, from as few of them as decide it; `None` while the input is
    /// silent. `decide` also learns whether the input has no further bytes.
    pub(super) fn sniff<T>(
        &mut self,
        wait: bool,
        undecided: T,
        decide: impl Fn(&[u8], bool) -> Option<T>,
    ) -> Option<T> {
        let mut want = 1;
        loop {
            let start = self.peek(want, wait)?;
            let is_all = start.len() < want;
            let found = decide(&start[..start.len().min(want)], is_all);
            if found.is_some() {
                return found;
            }
            if is_all {
                return Some(undecided);
            }
            want += 1;
        }
    }
}

impl<R: ReadChunk> ReadChunk for Peek<R> {
    fn read(&mut self, buffer: &mut [u8], wait: bool) -> Result<Chunk, Error> {
        let ahead = &self.ahead[self.at..];
        if !ahead.is_empty() {
            let count = ahead.len().min(buffer.len());
            buffer[..count].copy_from_slice(&ahead[..count]);
            self.at += count;
            if self.at == self.ahead.len() {
                (self.ahead, self.at) = (Vec::new(), 0);
            }
            return Ok(Chunk::Bytes(count));
        }
        if self.over.is_some() {
            return self.end();
        }
        self.inner.read(buffer, wait)
    }
}
