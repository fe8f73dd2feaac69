//! Errors: why jotmill could not judge.
//!
//! A bad token is data and never an [`Error`]; verdicts are left to `verdict.rs`. An `Error` says
//! what is wrong and where, and ends the command with exit code 2. It never holds a secret or a
//! token.

use std::fmt;
use std::io;

use crate::input::{Compression, UnpackProblem};
use crate::verdict::Verdict;

/// The largest window that can be allowed, in bytes.
const LARGEST_WINDOW: u64 = 2 << 30;

/// Why jotmill could not judge.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An input could not be opened.
    Open {
        /// The input's name, as given.
        input: String,
        /// The system's error.
        source: io::Error,
    },
    /// An input is a directory.
    Directory {
        /// The input's name, as given.
        input: String,
    },
    /// Reading an input failed.
    Read {
        /// The input's name, as given.
        input: String,
        /// The byte offset up to which the input was read.
        offset: u64,
        /// The system's error.
        source: io::Error,
    },
    /// A regular file became shorter while it was read.
    Shrunk {
        /// The input's name, as given.
        input: String,
        /// Its size in bytes when it was opened.
        expected: u64,
        /// The bytes that were there.
        found: u64,
    },
    /// A compressed input could not be unpacked to its end.
    Unpack {
        /// The input's name, as given.
        input: String,
        /// How it is compressed.
        compression: Compression,
        /// The offset in the compressed input, in bytes.
        offset: u64,
        /// How many bytes were unpacked before that.
        unpacked: u64,
        /// What is wrong.
        problem: UnpackProblem,
    },
    /// An input has a form that is not read.
    Form {
        /// The input's name, as given.
        input: String,
        /// The form.
        form: &'static str,
        /// The command that makes text of it.
        command: &'static str,
    },
    /// A text in UTF-16 ends with half a unit.
    HalfCharacter {
        /// The input's name, as given.
        input: String,
        /// The offset of its last byte.
        offset: u64,
    },
    /// Writing rows failed.
    Write {
        /// The cause; an [`OutputError`] inside it names the output.
        source: io::Error,
    },
    /// A worker panicked on a block of lines.
    Worker {
        /// The input's name, as given.
        input: String,
        /// The byte offset at which the block begins.
        offset: u64,
    },
    /// The workers went away before the end of the input.
    ChannelClosed,
    /// A MAC kernel computed wrong MACs on this processor.
    Kernel {
        /// The kernel's name.
        kernel: &'static str,
    },
    /// The workers could not be started.
    Threads {
        /// The thread pool's message.
        message: String,
    },
    /// The system clock is before 1970 or after 9999.
    Clock,
    /// A key file could not be used.
    Key(KeyError),
    /// The policy contradicts itself, holds a value out of range, or has no key.
    Policy {
        /// What is wrong, and what to do.
        message: String,
    },
}

/// Why a token gave no claims.
#[derive(Debug)]
#[non_exhaustive]
pub enum AcceptError {
    /// The token is not valid.
    Rejected(Verdict),
    /// The token is valid, but its claims do not deserialize into the caller's type.
    Claims(serde_json::Error),
    /// The system clock cannot be used.
    Clock(Error),
}

impl fmt::Display for AcceptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(verdict) => verdict.fmt(f),
            Self::Claims(error) => write!(f, "the claims do not fit: {error}"),
            Self::Clock(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AcceptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rejected(verdict) => Some(verdict),
            Self::Claims(error) => Some(error),
            Self::Clock(error) => Some(error),
        }
    }
}

impl From<Verdict> for AcceptError {
    fn from(verdict: Verdict) -> Self {
        Self::Rejected(verdict)
    }
}

/// Why keys could not be loaded.
#[derive(Debug)]
pub struct KeyError {
    /// Where the key comes from: a path, or the name of an environment variable.
    pub origin: String,
    /// What is wrong, and what to do. Never any part of the key.
    pub problem: String,
}

/// A failure to write to a named output. [`Error::Write`] shows the name where a writer's error
/// holds one of these.
///
/// ```
/// use std::io;
/// use jotmill::{Error, OutputError};
///
/// let full = io::Error::from(io::ErrorKind::StorageFull);
/// let source = OutputError { output: "rows.ndjson".to_owned(), source: full }.into();
/// let message = Error::Write { source }.to_string();
/// assert_eq!(message, "cannot write rows to rows.ndjson: no storage space");
/// ```
#[derive(Debug)]
pub struct OutputError {
    /// The output's name.
    pub output: String,
    /// The system's error.
    pub source: io::Error,
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.output, self.source)
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Keeps the [`io::ErrorKind`].
impl From<OutputError> for io::Error {
    fn from(error: OutputError) -> Self {
        Self::new(error.source.kind(), error)
    }
}

impl Error {
    /// Whether the reader of the rows closed its pipe (`EPIPE`), as with `| head`.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { source } if source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether a file could not be opened because too many others are open.
    #[cfg(unix)]
    pub(crate) fn is_out_of_descriptors(&self) -> bool {
        use rustix::io::Errno;
        let errno = match self {
            Self::Open { source, .. } => Errno::from_io_error(source),
            _ => None,
        };
        matches!(errno, Some(Errno::MFILE | Errno::NFILE))
    }

    #[cfg(not(unix))]
    pub(crate) fn is_out_of_descriptors(&self) -> bool {
        false
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open { input, source } => write!(f, "cannot open {input}: {source}"),
            Self::Directory { input } => {
                write!(
                    f,
                    "{input} is a directory; read the files in it with --recursive"
                )
            }
            Self::Read {
                input,
                offset,
                source,
            } => match offset {
                0 => write!(f, "cannot read {input}: {source}"),
                _ => write!(f, "cannot read {input} beyond byte {offset}: {source}"),
            },
            Self::Shrunk {
                input,
                expected,
                found,
            } => write!(
                f,
                "{input} shrank while it was read: {expected} bytes when it was opened, \
                 {found} bytes now; was it rotated or truncated? Audit a copy that does not change"
            ),
            Self::Unpack {
                input,
                compression,
                offset,
                unpacked,
                problem,
            } => {
                let form = compression.name();
                match problem {
                    UnpackProblem::Truncated => write!(
                        f,
                        "{input}: the {form} data ends in the middle, at byte {offset}"
                    )?,
                    UnpackProblem::Corrupt(detail) => write!(
                        f,
                        "{input}: the {form} data is corrupt at or before byte {offset} ({detail})"
                    )?,
                    UnpackProblem::TrailingData => write!(
                        f,
                        "{input}: the {form} data ends at byte {offset}, and something else follows"
                    )?,
                    UnpackProblem::Window { needed, limit } => {
                        write!(f, "{input}: the {form} data at byte {offset} takes ")?;
                        match needed {
                            Some(needed) => write!(f, "a window of {needed} bytes, ")?,
                            None => f.write_str("a dictionary of ")?,
                        }
                        write!(f, "more than {limit} bytes")?;
                    }
                }
                write!(
                    f,
                    "; {unpacked} bytes were unpacked, and their whole lines judged. "
                )?;
                match problem {
                    UnpackProblem::Window { needed, .. } => match needed {
                        Some(needed) if *needed <= LARGEST_WINDOW => {
                            write!(f, "Allow it with --max-window {needed}")
                        }
                        Some(_) => write!(f, "Unpack it with another tool"),
                        None => write!(f, "Allow more with --max-window"),
                    },
                    UnpackProblem::TrailingData => {
                        write!(f, "Cut the rest off, or audit it as a file of its own")
                    }
                    _ => write!(
                        f,
                        "Check it with {form} -t; was it copied before it was written to its end?"
                    ),
                }
            }
            Self::Form {
                input,
                form,
                command,
            } => write!(
                f,
                "{input} is {form}, which is not read; make text of it first: \
                 {command} | jotmill audit"
            ),
            Self::HalfCharacter { input, offset } => write!(
                f,
                "{input}: the text in UTF-16 ends with half a character, at byte {offset}; its \
                 whole lines were judged. Was it cut off?"
            ),
            Self::Write { source } => match source.get_ref() {
                Some(error) if error.is::<OutputError>() => {
                    write!(f, "cannot write rows to {error}")
                }
                _ => write!(f, "cannot write rows: {source}"),
            },
            Self::Worker { input, offset } => write!(
                f,
                "a worker panicked on the lines that begin at byte {offset} of {input}; \
                 nothing from there on was judged. This is a bug in jotmill: please report it"
            ),
            Self::ChannelClosed => f.write_str(
                "the workers stopped before the end of the input; nothing more was judged",
            ),
            Self::Kernel { kernel } => write!(
                f,
                "the kernel {kernel} fails its self-test on this processor; choose another with \
                 --kernel, and please report it"
            ),
            Self::Threads { message } => {
                write!(
                    f,
                    "cannot start the workers: {message}; try a smaller --threads"
                )
            }
            Self::Clock => {
                f.write_str("the system clock is before 1970 or after 9999; set it, or give --now")
            }
            Self::Key(error) => error.fmt(f),
            Self::Policy { message } => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open { source, .. } | Self::Read { source, .. } | Self::Write { source } => {
                Some(source)
            }
            _ => None,
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.problem)
    }
}

impl std::error::Error for KeyError {}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
