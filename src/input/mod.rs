//! Bytes in: files, pipes and standard input, cut into blocks of whole lines.
//!
//! This module knows files, line ends and dots. It does not know what a token is.

mod block;
mod lines;
mod section;
mod slice;
mod source;
mod stream;

#[cfg(test)]
mod tests;

pub(crate) use block::Block;
pub use block::DEFAULT_BLOCK_BYTES;
pub(crate) use lines::{Lines, leading_blanks, lines};
pub(crate) use section::{RegularFile, Section, SectionRead};
pub(crate) use slice::SliceReader;
pub use source::Input;
pub(crate) use source::Opened;
pub(crate) use stream::{Fill, StreamReader};

/// How many bytes of a line that is skipped are read at a time.
const PIECE: usize = 64 << 10;
