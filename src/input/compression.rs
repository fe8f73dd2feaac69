//! Compressed inputs: which form a file has by its first bytes, and unpacking it as it is read.
//!
//! Owns members, what may follow them, and the places of faults. The formats themselves are left to
//! their libraries, behind [`decoder`]. Memory does not depend on what an input unpacks to.

#[cfg(feature = "compression")]
mod decoder;
#[cfg(feature = "compression")]
mod members;

#[cfg(feature = "compression")]
use members::Members;

use super::peek::{Chunk, Peek, ReadChunk};
use crate::error::Error;

/// The default of the largest window of zstd and dictionary of xz, in bytes: what `zstd -d` allows.
pub(crate) const DEFAULT_MAX_WINDOW: u64 = 128 << 20;

/// A form of compression that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// gzip (RFC 1952), of one or several members.
    Gzip,
    /// Zstandard (RFC 8878), of one or several frames.
    Zstd,
    /// bzip2, of one or several streams.
    Bzip2,
    /// xz, of one or several streams.
    Xz,
}

/// After a byte from `1` to `9`, a bzip2 stream has one of these.
const BZIP2_BLOCKS: [&[u8]; 2] = [b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"];

impl Compression {
    const ALL: [Self; 4] = [Self::Gzip, Self::Zstd, Self::Bzip2, Self::Xz];

    /// The name of the format, which is also that of the tool.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    /// The command that unpacks it to standard output.
    const fn command(self) -> &'static str {
        match self {
            Self::Gzip => "gzip -dc FILE",
            Self::Zstd => "zstd -dc FILE",
            Self::Bzip2 => "bzip2 -dc FILE",
            Self::Xz => "xz -dc FILE",
        }
    }

    /// Whether a member begins with these bytes.
    fn begins(self, start: &[u8]) -> Match {
        match self {
            Self::Gzip => Match::of(start, b"\x1f\x8b"),
            Self::Zstd => match start.first() {
                // Skippable frames: the low four bits are free.
                Some(first @ 0x50..=0x5f) => Match::of(start, &[*first, 0x2a, 0x4d, 0x18]),
                _ => Match::of(start, b"\x28\xb5\x2f\xfd"),
            },
            Self::Bzip2 => match start {
                [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] => {
                    let blocks = BZIP2_BLOCKS.map(|block| Match::of(rest, block));
                    blocks[0].max(blocks[1])
                }
                _ => match Match::of(start, b"BZh1") {
                    Match::Whole => Match::Part,
                    found => found,
                },
            },
            Self::Xz => Match::of(start, b"\xfd7zXZ\0"),
        }
    }
}

/// Whether bytes begin with a magic number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    No,
    /// They end within it.
    Part,
    Whole,
}

impl Match {
    fn of(start: &[u8], magic: &[u8]) -> Self {
        if start.starts_with(magic) {
            Self::Whole
        } else if magic.starts_with(start) {
            Self::Part
        } else {
            Self::No
        }
    }
}

/// Forms that are not read: first bytes, name, and the command that unpacks them.
const NOT_READ: [(&[u8], &str, &str); 6] = [
    (b"PK\x03\x04", "a ZIP archive", "unzip -p FILE"),
    (b"PK\x05\x06", "an empty ZIP archive", "unzip -p FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x -so FILE"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc FILE"),
    (b"\x1f\x9d", "compress (.Z)", "gzip -dc FILE"),
    (b"LZIP\x01", "lzip", "lzip -dc FILE"),
];

const fn is_text(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte.is_ascii_whitespace()
}

/// What the first bytes of an input show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detected {
    Plain,
    Compressed(Compression),
    /// Its name, and the command that unpacks it.
    NotRead(&'static str, &'static str),
}

/// Detects the form of an input by its first bytes; `None` if further bytes are needed. `is_all`
/// says that there are none.
pub(super) fn detect(start: &[u8], is_all: bool) -> Option<Detected> {
    let forms = Compression::ALL.map(|form| (form.begins(start), Detected::Compressed(form)));
    let others = NOT_READ.map(|(magic, name, command)| {
        let found = Match::of(start, magic);
        (found, Detected::NotRead(name, command))
    });
    let all = || forms.iter().chain(&others);
    if let Some((_, detected)) = all().find(|(found, _)| *found == Match::Whole) {
        return Some(*detected);
    }
    let part = all().find(|(found, _)| *found == Match::Part);
    match part {
        None => Some(Detected::Plain),
        Some(_) if !is_all => None,
        // Cut within the magic number. Where that is text it may as well be text.
        Some((_, detected)) if start.iter().any(|byte| !is_text(*byte)) => Some(*detected),
        // Four bytes, as no text begins with them.
        Some((_, detected)) if start.starts_with(b"BZh") && start.len() > 4 => Some(*detected),
        Some(_) => Some(Detected::Plain),
    }
}

/// Why a compressed input could not be unpacked to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnpackProblem {
    /// It ends within a member.
    Truncated,
    /// The data contradicts itself or its checksum; the library's message.
    Corrupt(String),
    /// After a member there is neither another one nor zeros nor the end.
    TrailingData,
    /// A window or dictionary needs more memory than allowed.
    Window {
        /// What it needs in bytes, if that is known.
        needed: Option<u64>,
        /// The limit in bytes.
        limit: u64,
    },
}

/// What a run reports of an input besides its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) compression: Option<Compression>,
    /// The name of the encoding, if the text was transcoded.
    pub(crate) encoding: Option<&'static str>,
    /// How many bytes were read of the input itself.
    pub(crate) bytes: u64,
}

/// A layer that unpacks a compressed input and passes everything else on.
pub(super) struct Unpack<R> {
    name: String,
    inner: Peek<R>,
    state: State,
    #[cfg_attr(
        not(feature = "compression"),
        expect(dead_code, reason = "nothing is unpacked")
    )]
    max_window: u64,
}

enum State {
    Start,
    Plain,
    #[cfg(feature = "compression")]
    Unpacking(Members),
}

impl<R: ReadChunk> Unpack<R> {
    pub(super) const fn new(name: String, inner: Peek<R>, max_window: u64) -> Self {
        Self {
            name,
            inner,
            state: State::Start,
            max_window,
        }
    }

    pub(super) const fn inner(&self) -> &Peek<R> {
        &self.inner
    }

    /// The form, once it was detected.
    pub(super) const fn compression(&self) -> Option<Compression> {
        match &self.state {
            State::Start | State::Plain => None,
            #[cfg(feature = "compression")]
            State::Unpacking(members) => Some(members.compression),
        }
    }

    /// Detects the form; `None` while the input is silent.
    fn begin(&mut self, wait: bool) -> Result<Option<()>, Error> {
        let Some(detected) = self.inner.sniff(wait, Detected::Plain, detect) else {
            return Ok(None);
        };
        self.state = match detected {
            Detected::Plain => State::Plain,
            #[cfg(feature = "compression")]
            Detected::Compressed(compression) => {
                State::Unpacking(Members::new(compression, self.max_window))
            }
            other => return Err(not_read(&self.name, other)),
        };
        Ok(Some(()))
    }
}

/// The error for an input whose unpacked bytes are packed again.
pub(super) fn compressed_twice(name: &str, outer: Compression) -> Error {
    Error::Form {
        input: name.to_owned(),
        form: "compressed more than once",
        command: outer.command(),
    }
}

/// The error for a form that is not read.
fn not_read(name: &str, detected: Detected) -> Error {
    let (form, command) = match detected {
        Detected::NotRead(form, command) => (form, command),
        Detected::Compressed(compression) => (compression.name(), compression.command()),
        Detected::Plain => ("text", "cat"),
    };
    Error::Form {
        input: name.to_owned(),
        form,
        command,
    }
}

impl<R: ReadChunk> ReadChunk for Unpack<R> {
    fn read(&mut self, buffer: &mut [u8], wait: bool) -> Result<Chunk, Error> {
        if matches!(self.state, State::Start) && self.begin(wait)?.is_none() {
            return Ok(Chunk::Idle);
        }
        match &mut self.state {
            State::Start | State::Plain => self.inner.read(buffer, wait),
            #[cfg(feature = "compression")]
            State::Unpacking(members) => members.read(&self.name, &mut self.inner, buffer, wait),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "compression")]
mod tests;
