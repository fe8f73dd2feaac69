//! Bytes in: files, pipes and standard input, unpacked and transcoded to UTF-8, and cut into blocks
//! of whole lines.
//!
//! This module knows files, line ends and dots. It does not know what a token is.

mod block;
mod compression;
mod form;
mod lines;
mod peek;
mod raw;
mod section;
mod slice;
mod source;
mod stream;
mod utf16;

#[cfg(test)]
mod tests;

pub(crate) use block::Block;
pub use block::DEFAULT_BLOCK_BYTES;
pub(crate) use block::{LineLimit, piece_end};
pub use compression::{Compression, UnpackProblem};
pub(crate) use compression::{DEFAULT_MAX_WINDOW, Origin};
pub use form::{FormChoice, InputForm, SNIFFED_BYTES};
pub(crate) use lines::{Lines, leading_blanks, lines};
pub(crate) use section::{RegularFile, Section, SectionRead};
pub(crate) use slice::SliceReader;
pub use source::Input;
pub(crate) use source::{Opened, Source};
pub(crate) use stream::{Fill, StreamReader};

/// What happened to a file after it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Growth {
    /// How many bytes were added. They are not read.
    pub(crate) bytes: u64,
    /// Whether the last line had no ending yet, so that only its beginning was read.
    pub(crate) cuts_line: bool,
}

impl Growth {
    /// The growth of a file that was read up to `end`.
    fn of(file: &std::fs::File, end: u64) -> Self {
        let now = file.metadata().map_or(0, |metadata| metadata.len());
        let bytes = now.saturating_sub(end);
        let mut last = [b'\n'];
        if bytes > 0 && end > 0 {
            // Where it cannot be read, no line is known to be cut.
            let _ = section::read_at(file, &mut last, end - 1);
        }
        Self {
            bytes,
            cuts_line: last != [b'\n'],
        }
    }
}

/// How many bytes of a line that is skipped are read at a time.
const PIECE: usize = 64 << 10;
