//! Gives the work of all inputs, in order.

use std::sync::Arc;

use super::MIN_BYTES;
use super::worker::Work;
use crate::error::Error;
use crate::input::{BlockReader, Fill, Input, Opened, RegularFile, Section, Stretches};
use crate::validator::Validator;

/// The inputs that are still to be read, and the one that is being read.
pub(super) struct Feeder<'a> {
    inputs: std::iter::Enumerate<std::vec::IntoIter<Input<'a>>>,
    current: Option<(usize, Current<'a>)>,
    max_token_bytes: usize,
    threads: usize,
    sequence: u64,
}

/// The input that is being read.
enum Current<'a> {
    Stream(BlockReader<'a>),
    /// A file, and how far it has been given out.
    File(Arc<RegularFile>, u64),
    Bytes(Stretches<'a>),
}

impl Current<'_> {
    /// How many bytes are still to be given out, where anyone knows.
    fn rest(&self) -> Option<u64> {
        match self {
            Self::Stream(_) => None,
            Self::File(file, begin) => Some(file.size() - begin),
            Self::Bytes(stretches) => Some(stretches.rest() as u64),
        }
    }
}

/// What became of an attempt to feed.
pub(super) enum Fed {
    Work,
    Opened,
    /// The input is silent, or in the middle of a line that is passed over.
    Idle,
    /// A stream is over, for this reason if it is not its end; or a file could not be opened.
    InputOver(usize, Option<Error>, u64),
    End,
}

impl<'a> Feeder<'a> {
    pub(super) fn new(validator: &Validator, inputs: Vec<Input<'a>>, threads: usize) -> Self {
        Self {
            inputs: inputs.into_iter().enumerate(),
            current: None,
            max_token_bytes: validator.policy().token_limit(),
            threads,
            sequence: 0,
        }
    }

    /// About how many bytes to give out: `target`, and less towards the end, so that no thread is
    /// left with much work when the others have none.
    fn portion(&self, target: usize) -> usize {
        match self
            .current
            .as_ref()
            .and_then(|(_, current)| current.rest())
        {
            Some(rest) if self.threads > 1 => {
                let fair = usize::try_from(rest).unwrap_or(usize::MAX) / (2 * self.threads);
                target.min(fair.max(MIN_BYTES))
            }
            _ => target,
        }
    }

    /// Makes `work` of about `target` bytes.
    pub(super) fn feed(&mut self, work: &mut Work<'a>, target: usize) -> Fed {
        let target = self.portion(target);
        let Some((input, current)) = &mut self.current else {
            return self.open_next();
        };
        let input = *input;
        work.sequence = self.sequence;
        match current {
            Current::File(file, begin) => {
                let end = begin.saturating_add(target as u64).min(file.size());
                work.section = Some(Section::new(Arc::clone(file), input, *begin, end));
                // What a panic would leave unjudged.
                (work.input, work.begin) = (input, *begin);
                if end == file.size() {
                    self.current = None;
                } else {
                    *begin = end;
                }
            }
            Current::Bytes(stretches) => {
                work.section = None;
                if !stretches.fill(&mut work.block, target) {
                    self.current = None;
                    return Fed::InputOver(input, None, 0);
                }
                (work.input, work.begin) = (input, work.block.offset());
            }
            Current::Stream(reader) => {
                work.section = None;
                match reader.fill(&mut work.block, target) {
                    Ok(Fill::Block) => {
                        (work.input, work.begin) = (input, work.block.offset());
                    }
                    Ok(Fill::Idle) => return Fed::Idle,
                    Ok(Fill::End) => {
                        let growth = reader.source().growth();
                        self.current = None;
                        return Fed::InputOver(input, None, growth);
                    }
                    Err(error) => {
                        self.current = None;
                        return Fed::InputOver(input, Some(error), 0);
                    }
                }
            }
        }
        self.sequence += 1;
        Fed::Work
    }

    fn open_next(&mut self) -> Fed {
        let Some((index, input)) = self.inputs.next() else {
            return Fed::End;
        };
        let current = match input.open() {
            Ok(Opened::Stream(source)) => {
                Current::Stream(BlockReader::new(source, index, self.max_token_bytes))
            }
            Ok(Opened::File(file)) => Current::File(Arc::new(file), 0),
            Ok(Opened::Bytes(text)) => Current::Bytes(Stretches::new(text, index)),
            Err(error) => return Fed::InputOver(index, Some(error), 0),
        };
        self.current = Some((index, current));
        Fed::Opened
    }

    /// Gives no more of an input that failed.
    pub(super) fn skip(&mut self, input: usize) {
        if self
            .current
            .as_ref()
            .is_some_and(|(index, _)| *index == input)
        {
            self.current = None;
        }
    }
}
