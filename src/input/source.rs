//! One input: a file, a pipe, standard input, or the caller's reader or text in memory.
//!
//! A regular file is read to the size it had when it was opened, also if it was empty: growth is
//! noted, and a file that became shorter is an error. By path it is read in sections; on standard
//! input it is read from front to back, like everything else. A stream is read to its end. Each
//! read returns within [`PATIENCE`], so that an interrupt takes effect while a pipe is silent.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Growth;
use super::section::RegularFile;
use crate::error::Error;
use crate::redact::redacted;

/// How long to wait for a silent pipe before control returns to the caller.
const PATIENCE: Duration = Duration::from_millis(50);

/// An input that is not open yet.
pub enum Input<'a> {
    /// A file, a pipe or a device by path.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// Any reader.
    Reader {
        /// The name in reports.
        name: String,
        /// The source of the bytes.
        reader: Box<dyn Read + 'a>,
    },
    /// A text in memory. It is validated in place, without a copy.
    Bytes {
        /// The name in reports.
        name: String,
        /// The text.
        bytes: &'a [u8],
    },
}

impl<'a> Input<'a> {
    /// The name in rows, reports and messages. A token or a key in it is masked.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => redacted(&path.to_string_lossy()).into_owned(),
            Self::Stdin => "-".to_owned(),
            Self::Reader { name, .. } | Self::Bytes { name, .. } => redacted(name).into_owned(),
        }
    }

    /// Opens the input.
    ///
    /// # Errors
    /// [`Error::Open`], or [`Error::Directory`] for a directory.
    pub(crate) fn open(self) -> Result<Opened<'a>, Error> {
        let name = self.name();
        let failed = |source| Error::Open {
            input: name.clone(),
            source,
        };
        let (file, has_path) = match self {
            Self::Reader { name, reader } => {
                return Ok(Opened::Stream(Source {
                    name,
                    kind: Kind::Reader(reader),
                    offset: 0,
                }));
            }
            Self::Bytes { bytes, .. } => return Ok(Opened::Bytes(bytes)),
            Self::Path(path) => (open(&path).map_err(failed)?, true),
            Self::Stdin => (stdin().map_err(failed)?, false),
        };
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(Error::Directory { input: name });
        }
        let kind = if metadata.is_file() && metadata.len() == 0 {
            Kind::Empty { file }
        } else if metadata.is_file() {
            if has_path {
                let size = metadata.len();
                return Ok(Opened::File(RegularFile { name, file, size }));
            }
            // Someone else may have read a part of the file before.
            let begin = position(&file).map_err(failed)?;
            Kind::File {
                file,
                begin,
                size: metadata.len().saturating_sub(begin),
            }
        } else {
            Kind::Stream { file }
        };
        Ok(Opened::Stream(Source {
            name,
            kind,
            offset: 0,
        }))
    }
}

/// An input that is open.
pub(crate) enum Opened<'a> {
    /// Read from front to back.
    Stream(Source<'a>),
    /// Can be read at any position.
    File(RegularFile),
    /// Already in memory.
    Bytes(&'a [u8]),
}

/// Where the next read of a file begins.
fn position(mut file: &File) -> io::Result<u64> {
    io::Seek::stream_position(&mut file)
}

/// Opens a path without waiting for the other end of a named pipe.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Standard input without the standard library's buffer.
#[cfg(unix)]
fn stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

#[cfg(windows)]
fn stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// An open input, read from front to back.
pub struct Source<'a> {
    name: String,
    kind: Kind<'a>,
    offset: u64,
}

enum Kind<'a> {
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

/// The outcome of one attempt to read.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// This number of bytes, at least one.
    Bytes(usize),
    /// The input is silent at the moment.
    Idle,
    /// The end of the input.
    End,
}

impl Source<'_> {
    /// Reads into `buffer`, which is not empty. With `wait`, waits for a silent input for a moment.
    pub(crate) fn read(&mut self, buffer: &mut [u8], wait: bool) -> Result<Chunk, Error> {
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

    /// How a regular file has grown since it was opened.
    pub(crate) fn growth(&self) -> Growth {
        match &self.kind {
            Kind::File { file, begin, size } => Growth::of(file, begin + size),
            Kind::Empty { file } => Growth::of(file, 0),
            Kind::Stream { .. } | Kind::Reader(_) => Growth::default(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read_all(source: &mut Source<'_>) -> Vec<u8> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 100]);
        while let Chunk::Bytes(count) = source.read(&mut buffer, true).unwrap() {
            bytes.extend_from_slice(&buffer[..count]);
        }
        bytes
    }

    fn open_stream(path: &Path) -> Source<'static> {
        match Input::Path(path.to_owned()).open().unwrap() {
            Opened::Stream(source) => source,
            _ => panic!("{path:?} is not a stream"),
        }
    }

    #[test]
    fn growth_of_an_empty_file_is_noted_and_not_read() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut source = open_stream(file.path());
        assert_eq!(source.growth(), Growth::default());
        file.write_all(b"after").unwrap();
        assert_eq!(read_all(&mut source), b"");
        assert_eq!(source.growth().bytes, 5);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_generated_file_of_size_zero_is_read_to_its_end() {
        let mut source = open_stream(Path::new("/proc/self/status"));
        let text = String::from_utf8(read_all(&mut source)).unwrap();
        assert!(text.starts_with("Name:") && text.lines().count() > 10);
        assert_eq!(source.growth(), Growth::default());
    }
}
