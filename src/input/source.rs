//! One input: a file, a pipe, standard input, or the caller's reader or text in memory.
//!
//! A regular file is read to the size it had when it was opened, also if it was empty: growth is
//! noted, and a file that became shorter is an error. By path it is read in sections; on standard
//! input it is read from front to back, like everything else, and so is a file that is compressed
//! or UTF-16. A stream is read to its end. Each
//! read returns within a moment, so that an interrupt takes effect while a pipe is silent.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Growth;
use super::compression::{self, Detected, Origin, Unpack};
use super::peek::{Chunk, Peek, ReadChunk};
use super::raw::{Kind, Raw};
use super::section::RegularFile;
use super::utf16::{Encoding, Text};
use crate::error::Error;
use crate::redact::redacted;

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

    /// Opens the input. `max_window` limits the memory for unpacking it, in bytes.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Directory`] for a directory, or [`Error::Form`] for a file in a
    /// form that is not read.
    pub(crate) fn open(self, max_window: u64) -> Result<Opened<'a>, Error> {
        let name = self.name();
        let failed = |source| Error::Open {
            input: name.clone(),
            source,
        };
        let (file, has_path) = match self {
            Self::Reader { name, reader } => {
                let kind = Kind::Reader(reader);
                return Ok(Opened::Stream(Source::new(&name, kind, max_window)));
            }
            Self::Bytes { bytes, .. } => {
                if is_plain(bytes) {
                    return Ok(Opened::Bytes(bytes));
                }
                let kind = Kind::Reader(Box::new(bytes));
                return Ok(Opened::Stream(Source::new(&name, kind, max_window)));
            }
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
                let file = RegularFile { name, file, size };
                if is_plain(&file.start(START)) {
                    return Ok(Opened::File(file));
                }
                let RegularFile { name, file, size } = file;
                let kind = Kind::File {
                    file,
                    begin: 0,
                    size,
                };
                return Ok(Opened::Stream(Source::new(&name, kind, max_window)));
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
        Ok(Opened::Stream(Source::new(&name, kind, max_window)))
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

/// How many bytes decide whether a file is plain text.
const START: usize = 16;

/// Whether a text that begins with these bytes is read as it is.
fn is_plain(start: &[u8]) -> bool {
    compression::detect(start, true) == Some(Detected::Plain)
        && Encoding::detect(start, true) == Some(Ok(Encoding::Bytes))
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

/// An open input, read from front to back: unpacked, and as UTF-8 if it was UTF-16.
pub struct Source<'a>(Box<Peek<Text<Unpack<Raw<'a>>>>>);

impl<'a> Source<'a> {
    fn new(name: &str, kind: Kind<'a>, max_window: u64) -> Self {
        let raw = Peek::new(Raw::new(name.to_owned(), kind));
        let unpacked = Peek::new(Unpack::new(name.to_owned(), raw, max_window));
        Self(Box::new(Peek::new(Text::new(name.to_owned(), unpacked))))
    }

    /// Reads into `buffer`, which is not empty. With `wait`, waits for a silent input for a moment.
    pub(crate) fn read(&mut self, buffer: &mut [u8], wait: bool) -> Result<Chunk, Error> {
        self.0.read(buffer, wait)
    }

    /// The next bytes, which are still to be read: at least `want` of them, or all up to the end of
    /// the input or an error, which the reads after them return. `None` while the input is silent.
    pub(crate) fn peek(&mut self, want: usize, wait: bool) -> Option<&[u8]> {
        self.0.peek(want, wait)
    }

    fn unpack(&self) -> &Unpack<Raw<'a>> {
        self.0.inner().inner().inner()
    }

    fn raw(&self) -> &Raw<'a> {
        self.unpack().inner().inner()
    }

    /// The encoding of the original, which places refer to.
    pub(crate) fn encoding(&self) -> Encoding {
        self.0.inner().encoding()
    }

    /// What is known of the input itself so far.
    pub(crate) fn origin(&self) -> Origin {
        Origin {
            compression: self.unpack().compression(),
            encoding: self.encoding().name(),
            bytes: self.raw().offset(),
        }
    }

    /// How a regular file has grown since it was opened.
    pub(crate) fn growth(&self) -> Growth {
        let growth = self.raw().growth();
        let is_text = self.origin().compression.is_none() && !self.encoding().is_utf16();
        Growth {
            // The last byte is that of a line in plain text alone.
            cuts_line: growth.cuts_line && is_text,
            ..growth
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::DEFAULT_MAX_WINDOW;
    use std::io::Write;

    fn read_all(source: &mut Source<'_>) -> Vec<u8> {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 100]);
        while let Chunk::Bytes(count) = source.read(&mut buffer, true).unwrap() {
            bytes.extend_from_slice(&buffer[..count]);
        }
        bytes
    }

    fn open_stream(path: &Path) -> Source<'static> {
        match Input::Path(path.to_owned())
            .open(DEFAULT_MAX_WINDOW)
            .unwrap()
        {
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
