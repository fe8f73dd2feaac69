//! Bytes in: files, pipes and standard input, cut into blocks of whole lines.
//!
//! This room knows files, line ends and dots. It does not know what a token is.

mod block;
mod lines;
mod section;
mod source;

pub use block::DEFAULT_BLOCK_BYTES;
pub(crate) use block::{Block, BlockReader, Fill, Stretches};
pub(crate) use lines::{Lines, leading_blanks, lines};
pub(crate) use section::{RegularFile, Section, SectionRead};
pub use source::Input;
pub(crate) use source::Opened;
