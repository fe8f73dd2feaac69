//! The bytes of one input as they are stored: a file, a pipe, or the caller's reader.
//!
//! Owns reading and waiting. What the bytes mean is left to the layers above.

use std::fs::File;
use std::io::{self, Read};
use std::time::Duration;

use super::Growth;
use super::peek::{Chunk, ReadChunk};
use crate::error::Error;

/// How long to wait for a silent pipe before control returns to the caller.
const PATIENCE: Duration = Duration::from_millis(50);

/// An open input, read from front to back.
pub(super) struct Raw<'a> {
    name: String,
    kind: Kind<'a>,
    offset: u64,
}

pub(super) enum Kind<'a> {
    File {
        file: File,
        begin: u64,
        size: u64,
    },
    /// A regular file of size 0 when it was opened. Files that the system generates as they are
    /// read (/proc) have this size too, and still have it after they have given bytes, which
    /// distinguishes them from a file that grew, on any file system.
    Empty {
        file: File,
    },
    Stream {
        file: File,
    },
    Reader(Box<dyn Read + 'a>),
}

impl<'a> Raw<'a> {
    pub(super) const fn new(name: String, kind: Kind<'a>) -> Self {
        Self {
            name,
            kind,
            offset: 0,
        }
    }

    /// How many bytes were read.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// How a regular file has grown since it was opened.
    pub(super) fn growth(&self) -> Growth {
        match &self.kind {
            Kind::File { file, begin, size } => Growth::of(file, begin + size),
            Kind::Empty { file } => Growth::of(file, 0),
            Kind::Stream { .. } | Kind::Reader(_) => Growth::default(),
        }
    }
}

impl ReadChunk for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8], wait: bool) -> Result<Chunk, Error> {
        loop {
            let outcome = match &mut self.kind {
                Kind::File { file, size, .. } => {
                    let left = usize::try_from(*size - self.offset).unwrap_or(usize::MAX);
                    if left == 0 {
                        return Ok(Chunk::End);
                    }
                    let wanted = buffer.len().min(left);
                    file.read(&mut buffer[..wanted])
                }
                Kind::Empty { file } => match file.read(buffer) {
                    Ok(count) if count > 0 && file.metadata().is_ok_and(|m| m.len() > 0) => {
                        // The file grew after it was opened: growth is noted and not read.
                        return Ok(Chunk::End);
                    }
                    outcome => outcome,
                },
                Kind::Stream { file } => {
                    if !is_ready(file, wait) {
                        return Ok(Chunk::Idle);
                    }
                    file.read(buffer)
                }
                Kind::Reader(reader) => reader.read(buffer),
            };
            match outcome {
                Ok(0) => {
                    return match self.kind {
                        Kind::File { size, .. } => Err(Error::Shrunk {
                            input: self.name.clone(),
                            expected: size,
                            found: self.offset,
                        }),
                        _ => Ok(Chunk::End),
                    };
                }
                Ok(count) => {
                    self.offset += count as u64;
                    return Ok(Chunk::Bytes(count));
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // Someone else made the descriptor non-blocking.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Chunk::Idle),
                Err(source) => {
                    return Err(Error::Read {
                        input: self.name.clone(),
                        offset: self.offset,
                        source,
                    });
                }
            }
        }
    }
}

/// Whether a read would return at once, with bytes or at the end.
#[cfg(unix)]
fn is_ready(file: &File, wait: bool) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let patience = if wait { PATIENCE } else { Duration::ZERO };
    let limit = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(patience.subsec_nanos()),
    };
    let mut descriptors = [PollFd::new(file, PollFlags::IN)];
    match poll(&mut descriptors, Some(&limit)) {
        Ok(count) => count > 0,
        // Interrupted by a signal: return to the caller. Any other error: the read will report it.
        Err(error) => error != rustix::io::Errno::INTR,
    }
}

#[cfg(not(unix))]
fn is_ready(_file: &File, _wait: bool) -> bool {
    true
}
