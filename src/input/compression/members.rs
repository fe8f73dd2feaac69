//! The members of a compressed input, one after the other.

use super::decoder::Decoder;
use super::{Compression, Match, UnpackProblem};
use crate::error::Error;
use crate::input::peek::{Chunk, Peek, ReadChunk};

/// The longest magic number, in bytes.
const MAGIC: usize = 10;
/// After so many steps without output control returns to the caller: an input of empty members has
/// none.
const MAX_STEPS: usize = 64;

/// Unpacks the members of an input. Zeros between and after them are padding.
pub(super) struct Members {
    pub(super) compression: Compression,
    decoder: Decoder,
    /// Whether the decoder is within a member.
    is_within: bool,
    /// Whether the last output was all that there was room for, so that the decoder may have more.
    is_full: bool,
    /// The offset in the compressed input.
    offset: u64,
    /// How many bytes were unpacked.
    unpacked: u64,
    /// What ends the input after the bytes before it.
    problem: Option<UnpackProblem>,
    is_over: bool,
}

impl Members {
    pub(super) fn new(compression: Compression, max_window: u64) -> Self {
        Self {
            compression,
            decoder: Decoder::new(compression, max_window),
            is_within: false,
            is_full: false,
            offset: 0,
            unpacked: 0,
            problem: None,
            is_over: false,
        }
    }

    /// Unpacks the next bytes of `packed` into `buffer`.
    pub(super) fn read<R: ReadChunk>(
        &mut self,
        name: &str,
        packed: &mut Peek<R>,
        buffer: &mut [u8],
        wait: bool,
    ) -> Result<Chunk, Error> {
        for _ in 0..MAX_STEPS {
            if self.is_over {
                return Ok(Chunk::End);
            }
            if let Some(problem) = self.problem.take() {
                self.is_over = true;
                return Err(Error::Unpack {
                    input: name.to_owned(),
                    compression: self.compression,
                    offset: self.offset,
                    unpacked: self.unpacked,
                    problem,
                });
            }
            if !self.is_within {
                match self.begin(packed, wait) {
                    Some(true) => continue,
                    Some(false) => return packed.end(),
                    None => return Ok(Chunk::Idle),
                }
            }
            let piece = if self.is_full {
                packed.ahead()
            } else {
                match packed.peek(1, wait) {
                    Some(piece) => piece,
                    None => return Ok(Chunk::Idle),
                }
            };
            let is_end = piece.is_empty() && !self.is_full;
            let step = self.decoder.step(piece, buffer, self.is_full);
            packed.consume(step.consumed);
            self.offset += step.consumed as u64;
            self.unpacked += step.produced as u64;
            self.is_full = step.produced == buffer.len();
            match step.end {
                None if is_end && step.produced == 0 => {
                    // An error below explains the missing bytes.
                    packed.end()?;
                    self.problem = Some(UnpackProblem::Truncated);
                }
                None => {}
                Some(Ok(())) => (self.is_within, self.is_full) = (false, false),
                Some(Err(problem)) => self.problem = Some(problem),
            }
            if step.produced > 0 {
                return Ok(Chunk::Bytes(step.produced));
            }
        }
        Ok(Chunk::Idle)
    }

    /// Begins the next member: true if there is one, or padding, or a problem; false at the end of
    /// the input; `None` while it is silent.
    fn begin<R: ReadChunk>(&mut self, packed: &mut Peek<R>, wait: bool) -> Option<bool> {
        let start = packed.peek(MAGIC, wait)?;
        if start.is_empty() {
            return Some(false);
        }
        let zeros = start.iter().take_while(|byte| **byte == 0).count();
        if zeros > 0 {
            packed.consume(zeros);
            self.offset += zeros as u64;
            return Some(true);
        }
        match self.compression.begins(start) {
            Match::Whole => match self.decoder.begin() {
                Ok(()) => self.is_within = true,
                Err(problem) => self.problem = Some(problem),
            },
            Match::Part => self.problem = Some(UnpackProblem::Truncated),
            Match::No => self.problem = Some(UnpackProblem::TrailingData),
        }
        Some(true)
    }
}
