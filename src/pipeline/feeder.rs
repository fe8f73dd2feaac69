//! Turns all inputs into pieces of work, in order.

use std::path::PathBuf;
use std::sync::Arc;

use super::worker::{Work, line_limit};
use super::{MIN_BYTES, RunOptions};
use crate::error::Error;
use crate::input::{
    Fill, FormChoice, Growth, Input, InputForm, Opened, Origin, RegularFile, Section, SliceReader,
    Source, StreamReader,
};
use crate::validator::Validator;

/// The remaining inputs, and the one that is being read.
pub(super) struct Feeder<'a> {
    inputs: std::iter::Enumerate<std::vec::IntoIter<Input<'a>>>,
    /// A file for which there was no descriptor.
    postponed: Option<(usize, PathBuf)>,
    /// The input that is being read: its index, and how tokens lie in it.
    current: Option<(usize, InputForm, Current<'a>)>,
    form: InputForm,
    max_token_bytes: usize,
    max_window: u64,
    threads: usize,
    sequence: u64,
}

/// The input that is being read.
enum Current<'a> {
    /// A stream whose form is still to be found out.
    Unseen(Source<'a>),
    Stream(StreamReader<'a>),
    /// A file, and the offset of its next section.
    File(Arc<RegularFile>, u64),
    Bytes(SliceReader<'a>),
}

impl Current<'_> {
    /// How many bytes remain, if that is known.
    fn rest(&self) -> Option<u64> {
        match self {
            Self::Unseen(_) | Self::Stream(_) => None,
            Self::File(file, begin) => Some(file.size() - begin),
            Self::Bytes(reader) => Some(reader.rest() as u64),
        }
    }
}

/// The outcome of [`Feeder::feed`].
pub(super) enum Fed {
    Work,
    /// An input was opened, or its form was found out.
    Opened(usize, Option<FormChoice>),
    /// The input is silent, or within a line that is skipped, or cannot be opened before another file
    /// is closed.
    Idle,
    /// A stream or text ended, or an input failed.
    InputOver(usize, InputEnd),
    End,
}

/// The end of an input.
#[derive(Default)]
pub(super) struct InputEnd {
    /// Why it was not read to its end.
    pub(super) error: Option<Error>,
    pub(super) growth: Growth,
    /// Of a stream: what is known of it.
    pub(super) origin: Option<Origin>,
}

impl From<Error> for InputEnd {
    fn from(error: Error) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }
}

impl From<Growth> for InputEnd {
    fn from(growth: Growth) -> Self {
        Self {
            growth,
            ..Self::default()
        }
    }
}

impl<'a> Feeder<'a> {
    pub(super) fn new(validator: &Validator, inputs: Vec<Input<'a>>, options: &RunOptions) -> Self {
        Self {
            inputs: inputs.into_iter().enumerate(),
            postponed: None,
            current: None,
            form: options.form,
            max_token_bytes: validator.policy().token_limit(),
            max_window: options.max_window,
            threads: options.threads.max(1),
            sequence: 0,
        }
    }

    /// The size of the next piece in bytes: `target`, and less towards the end of the input, so
    /// that all threads finish at about the same time.
    fn portion(&self, target: usize) -> usize {
        match self
            .current
            .as_ref()
            .and_then(|(_, _, current)| current.rest())
        {
            Some(rest) if self.threads > 1 => {
                let fair = usize::try_from(rest).unwrap_or(usize::MAX) / (2 * self.threads);
                target.min(fair.max(MIN_BYTES))
            }
            _ => target,
        }
    }

    /// Fills `work` with about `target` bytes. `can_wait` says whether other work is in flight, so that
    /// its files will be closed.
    pub(super) fn feed(&mut self, work: &mut Work<'a>, target: usize, can_wait: bool) -> Fed {
        let target = self.portion(target);
        let Some((input, form, current)) = &mut self.current else {
            return self.open_next(can_wait);
        };
        let input = *input;
        work.form = *form;
        work.sequence = self.sequence;
        work.origin = None;
        match current {
            Current::Unseen(source) => {
                let Some(start) = source.peek(self.form.wanted_bytes(), true) else {
                    return Fed::Idle;
                };
                let choice = self.form.choose(start);
                return self.read_stream(input, choice);
            }
            Current::File(file, begin) => {
                let end = begin.saturating_add(target as u64).min(file.size());
                work.section = Some(Section::new(Arc::clone(file), input, *begin, end));
                // If the worker panics, the error names this place.
                (work.input, work.begin) = (input, *begin);
                if end == file.size() {
                    self.current = None;
                } else {
                    *begin = end;
                }
            }
            Current::Bytes(reader) => {
                work.section = None;
                if !reader.fill(&mut work.block, target) {
                    self.current = None;
                    return Fed::InputOver(input, InputEnd::default());
                }
                (work.input, work.begin) = (input, work.block.offset());
            }
            Current::Stream(reader) => {
                work.section = None;
                match reader.fill(&mut work.block, target) {
                    Ok(Fill::Block) => {
                        (work.input, work.begin) = (input, work.block.offset());
                        work.origin = Some(reader.source().origin());
                    }
                    Ok(Fill::Idle) => return Fed::Idle,
                    Ok(Fill::End) => {
                        let end = InputEnd {
                            error: None,
                            growth: reader.source().growth(),
                            origin: Some(reader.source().origin()),
                        };
                        self.current = None;
                        return Fed::InputOver(input, end);
                    }
                    Err(error) => {
                        let end = InputEnd {
                            origin: Some(reader.source().origin()),
                            ..error.into()
                        };
                        self.current = None;
                        return Fed::InputOver(input, end);
                    }
                }
            }
        }
        self.sequence += 1;
        Fed::Work
    }

    fn open_next(&mut self, can_wait: bool) -> Fed {
        let postponed = self.postponed.take();
        let postponed = postponed.map(|(index, path)| (index, Input::Path(path)));
        let Some((index, input)) = postponed.or_else(|| self.inputs.next()) else {
            return Fed::End;
        };
        let path = match &input {
            Input::Path(path) if can_wait => Some(path.clone()),
            _ => None,
        };
        let (choice, current) = match input.open(self.max_window) {
            Ok(Opened::Stream(source)) => {
                self.current = Some((index, self.form, Current::Unseen(source)));
                return match self.form {
                    InputForm::Auto => Fed::Opened(index, None),
                    form => self.read_stream(index, form.choose(&[])),
                };
            }
            Ok(Opened::File(file)) => {
                let choice = self.form.choose(&file.start(self.form.wanted_bytes()));
                (choice, Current::File(Arc::new(file), 0))
            }
            Ok(Opened::Bytes(text)) => {
                let choice = self.form.choose(text);
                (choice, Current::Bytes(SliceReader::new(text, index)))
            }
            Err(error) => {
                if let Some(path) = path
                    && error.is_out_of_descriptors()
                {
                    self.postponed = Some((index, path));
                    return Fed::Idle;
                }
                return Fed::InputOver(index, error.into());
            }
        };
        self.current = Some((index, choice.form, current));
        Fed::Opened(index, Some(choice))
    }

    /// Begins to read the stream that is open, in this form.
    fn read_stream(&mut self, index: usize, choice: FormChoice) -> Fed {
        if let Some((.., Current::Unseen(source))) = self.current.take() {
            let limit = line_limit(choice.form, self.max_token_bytes);
            let reader = StreamReader::new(source, index, limit);
            self.current = Some((index, choice.form, Current::Stream(reader)));
        }
        Fed::Opened(index, Some(choice))
    }

    /// Skips the rest of an input that failed.
    pub(super) fn skip(&mut self, input: usize) {
        if self
            .current
            .as_ref()
            .is_some_and(|(index, ..)| *index == input)
        {
            self.current = None;
        }
    }
}
