//! Regular files, read in sections: a section is the lines that *begin* in a range of bytes.
//!
//! Sections can be read in any order and by any thread, and together hold each line once. So each
//! worker reads its own lines, into a buffer that stays in its core's cache, and no single thread
//! reads every byte. The file is read by position and not mapped: if a log is truncated meanwhile,
//! the result is an error and not a crash.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::block::{BYTE_ORDER_MARK, Block, LineLimit, LineMeter};
use super::{Growth, PIECE};
use crate::error::Error;

/// How many bytes after a section are read at first, for the line that its end cuts; fewer if the
/// section itself is small.
const BEYOND: usize = 4 << 10;

/// A regular file, read up to the size that it had when it was opened.
#[derive(Debug)]
pub(crate) struct RegularFile {
    pub(super) name: String,
    pub(super) file: File,
    pub(super) size: u64,
}

impl RegularFile {
    /// The size in bytes when it was opened.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Its first bytes, `len` of them if it has so many; fewer where they cannot be read, which the
    /// sections will report.
    pub(crate) fn start(&self, len: usize) -> Vec<u8> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let mut start = vec![0; len.min(size)];
        let (filled, _) = self.read_at(&mut start, 0);
        start.truncate(filled);
        start
    }

    /// How it has grown since.
    pub(crate) fn growth(&self) -> Growth {
        Growth::of(&self.file, self.size)
    }

    /// Fills `buffer` from `offset` on; both lie within the file's size. Returns how many bytes
    /// were read, also before an error.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> (usize, Option<Error>) {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            match read_at(&self.file, &mut buffer[filled..], at) {
                Ok(0) => {
                    let fault = Error::Shrunk {
                        input: self.name.clone(),
                        expected: self.size,
                        found: at,
                    };
                    return (filled, Some(fault));
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    let fault = Error::Read {
                        input: self.name.clone(),
                        offset: at,
                        source,
                    };
                    return (filled, Some(fault));
                }
            }
        }
        (filled, None)
    }
}

#[cfg(unix)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// A range of bytes of a regular file: the lines that begin in it.
pub(crate) struct Section {
    file: Arc<RegularFile>,
    /// The index of the file among all inputs.
    input: usize,
    begin: u64,
    end: u64,
    /// Whether a line is known to begin at `begin`. Otherwise that depends on the byte before.
    begins_line: bool,
    /// Whether it reaches the end of the file.
    is_last: bool,
}

/// The outcome of [`Section::read`].
#[derive(Debug)]
pub(crate) enum SectionRead {
    /// The block has all remaining lines.
    All,
    /// The block has some of the lines; the next one begins where the block ends.
    Part,
    /// The block has the whole lines before the fault.
    Fault(Error),
    /// Stopped by the caller; the block is empty.
    Stopped,
}

impl Section {
    /// The lines that begin in `begin..end`, which is not empty and lies within the file's size.
    pub(crate) fn new(file: Arc<RegularFile>, input: usize, begin: u64, end: u64) -> Self {
        Self {
            is_last: end == file.size,
            file,
            input,
            begin,
            end,
            begins_line: begin == 0,
        }
    }

    /// The file.
    pub(crate) fn file(&self) -> &RegularFile {
        &self.file
    }

    /// Whether the section reaches the end of the file.
    pub(crate) const fn is_last(&self) -> bool {
        self.is_last
    }

    /// Shortens the section to its lines from `offset` on, which is the start of a line, or of a piece
    /// of a line that began in the section.
    pub(crate) fn resume(&mut self, offset: u64) {
        (self.begin, self.begins_line) = (offset, true);
        self.end = self.end.max(offset + 1);
    }

    /// Reads lines into `block`. A line that is skipped, and each piece of one that is cut, has the
    /// block to itself.
    pub(crate) fn read(
        &self,
        limit: LineLimit,
        stop: &AtomicBool,
        block: &mut Block<'_>,
    ) -> SectionRead {
        let line_limit = limit.line_bytes();
        let start = self.begin - u64::from(!self.begins_line);
        let whole = usize::try_from(self.end - start).unwrap_or(usize::MAX);
        block.clear(self.input, start);
        let beyond = BEYOND.min(whole.max(64));
        let mut fault = self.extend(block, whole.saturating_add(beyond));

        let has_mark = self.begin == 0 && block.bytes().starts_with(BYTE_ORDER_MARK);
        let first = if has_mark {
            // The line after the mark counts as beginning with it.
            BYTE_ORDER_MARK.len()
        } else if self.begins_line {
            0
        } else {
            match memchr::memchr(b'\n', block.bytes()) {
                Some(end) if end + 1 < whole => end + 1,
                _ => block.len,
            }
        };
        block.from = first.min(block.len);

        // Looks for the end of the line that covers the section's last byte.
        let mut searched = whole.saturating_sub(1).clamp(block.from, block.len);
        loop {
            if block.from == block.len {
                return fault.map_or(SectionRead::All, SectionRead::Fault);
            }
            if let Some(end) = memchr::memchr(b'\n', &block.buffer[searched..block.len]) {
                block.len = searched + end + 1;
                return SectionRead::All;
            }
            searched = block.len;
            let lines = memchr::memrchr(b'\n', block.bytes()).map_or(0, |end| end + 1);
            if let Some(fault) = fault {
                block.len = block.from + lines;
                return SectionRead::Fault(fault);
            }
            if block.read_to() == self.file.size {
                return SectionRead::All;
            }
            let length = block.bytes().len() - lines;
            if length >= line_limit {
                return match limit {
                    _ if lines > 0 => {
                        block.len = block.from + lines;
                        SectionRead::Part
                    }
                    LineLimit::Skip(limit) => {
                        block.len = block.from;
                        self.skip(limit, stop, block)
                    }
                    LineLimit::Cut(limit) => {
                        block.cut_line(limit);
                        SectionRead::Part
                    }
                };
            }
            let more = length.max(beyond).min(line_limit - length);
            fault = self.extend(block, block.len.saturating_add(more));
        }
    }

    /// Reads on until the block holds `len` bytes or the file ends.
    fn extend(&self, block: &mut Block<'_>, len: usize) -> Option<Error> {
        let left = self.file.size - block.read_to();
        let len = len.min(block.len + usize::try_from(left).unwrap_or(usize::MAX));
        if block.buffer.len() < len {
            block.buffer.resize(len, 0);
        }
        let offset = block.read_to();
        let (count, fault) = self.file.read_at(&mut block.buffer[block.len..len], offset);
        block.len += count;
        fault
    }

    /// Reads a line that is too long from its start to its end, and keeps none of it.
    fn skip(&self, limit: usize, stop: &AtomicBool, block: &mut Block<'_>) -> SectionRead {
        let begin = block.read_to();
        block.clear(self.input, begin);
        if let Some(fault) = self.extend(block, LineLimit::Skip(limit).line_bytes()) {
            block.clear(self.input, begin);
            return SectionRead::Fault(fault);
        }
        let mut meter = LineMeter::new(block.bytes(), limit, false);
        loop {
            if stop.load(Ordering::Relaxed) {
                block.clear(self.input, begin);
                return SectionRead::Stopped;
            }
            block.clear(self.input, begin + meter.line().length);
            let fault = self.extend(block, PIECE);
            if meter.add(block.bytes()).is_some() {
                break;
            }
            if let Some(fault) = fault {
                // A line cut by a fault is not judged, too long or not.
                block.clear(self.input, begin);
                return SectionRead::Fault(fault);
            }
            if block.read_to() == self.file.size {
                break;
            }
        }
        let line = meter.line();
        block.clear(self.input, begin);
        block.skipped = Some(line);
        if begin + line.consumed < self.end {
            SectionRead::Part
        } else {
            SectionRead::All
        }
    }
}
