//! UTF-16 with a byte order mark, transcoded to UTF-8.
//!
//! Places are in bytes of the original. [`width`] finds them again from the UTF-8 text, since a
//! character of one UTF-16 unit has up to three bytes there, and one of two units has four.

use super::PIECE;
use super::compression::{Detected, Unpack, compressed_twice, detect};
use super::peek::{Chunk, Peek, ReadChunk};
use crate::error::Error;

/// The encoding of an input's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, or any bytes: they are not changed.
    Bytes,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// The encoding's name if it is not UTF-8.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Bytes => None,
            Self::Utf16Le => Some("UTF-16LE"),
            Self::Utf16Be => Some("UTF-16BE"),
        }
    }

    pub(crate) fn is_utf16(self) -> bool {
        self != Self::Bytes
    }

    /// By a byte order mark at the start; `None` if further bytes are needed.
    pub(super) fn detect(start: &[u8], is_all: bool) -> Option<Result<Self, &'static str>> {
        Some(match start {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err("UTF-32"),
            [0xff, 0xfe] | [0xff, 0xfe, 0] if !is_all => return None,
            [] | [0xff] | [0xfe] | [0] | [0, 0] | [0, 0, 0xfe] if !is_all => return None,
            [0xff, 0xfe, ..] => Ok(Self::Utf16Le),
            [0xfe, 0xff, ..] => Ok(Self::Utf16Be),
            _ => Ok(Self::Bytes),
        })
    }
}

/// The length in UTF-16 of a piece of UTF-8 text, in bytes. Pieces may cut a character.
pub(super) fn width(text: &[u8]) -> u64 {
    let starts = text.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    let pairs = text.iter().filter(|byte| **byte >= 0xf0).count();
    2 * (starts + pairs) as u64
}

/// A layer that transcodes UTF-16 and passes everything else on. The byte order mark stays, as
/// UTF-8.
pub(super) struct Text<R> {
    name: String,
    inner: Peek<R>,
    /// `None` until it was detected.
    encoding: Option<Encoding>,
    /// Transcoded text; it is read from `at` on.
    ready: String,
    at: usize,
    /// How many bytes of the original were transcoded.
    offset: u64,
}

impl<R: ReadChunk> Text<R> {
    pub(super) const fn new(name: String, inner: Peek<R>) -> Self {
        Self {
            name,
            inner,
            encoding: None,
            ready: String::new(),
            at: 0,
            offset: 0,
        }
    }

    pub(super) const fn inner(&self) -> &Peek<R> {
        &self.inner
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding.unwrap_or(Encoding::Bytes)
    }

    /// Transcodes the next units: all that are there, except the first half of a pair.
    fn transcode(&mut self, encoding: Encoding, wait: bool) -> Result<Chunk, Error> {
        let is_half = |unit: u16| (0xd800..0xdc00).contains(&unit);
        let unit = |pair: &[u8]| match (pair, encoding) {
            ([high, low], Encoding::Utf16Be) => u16::from_be_bytes([*high, *low]),
            ([low, high], _) => u16::from_le_bytes([*low, *high]),
            _ => 0,
        };
        let mut want = 2;
        loop {
            let Some(bytes) = self.inner.peek(want, wait) else {
                return Ok(Chunk::Idle);
            };
            let is_all = bytes.len() < want;
            let mut len = bytes.len().min(PIECE) & !1;
            if len >= 2 && is_half(unit(&bytes[len - 2..len])) && !is_all {
                len -= 2;
                if len == 0 {
                    want = 4;
                    continue;
                }
            }
            if len == 0 {
                if is_all && bytes.len() == 1 {
                    self.inner.consume(1);
                    // An error below takes precedence: it explains the missing byte.
                    self.inner.end()?;
                    return Err(Error::HalfCharacter {
                        input: self.name.clone(),
                        offset: self.offset,
                    });
                }
                return self.inner.end();
            }
            let units = bytes[..len].chunks_exact(2).map(unit);
            let chars = char::decode_utf16(units);
            self.ready.clear();
            self.at = 0;
            let replaced = chars.map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER));
            self.ready.extend(replaced);
            self.inner.consume(len);
            self.offset += len as u64;
            return Ok(Chunk::Bytes(self.ready.len()));
        }
    }
}

impl<R: ReadChunk> ReadChunk for Text<Unpack<R>> {
    fn read(&mut self, buffer: &mut [u8], wait: bool) -> Result<Chunk, Error> {
        let encoding = match self.encoding {
            Some(encoding) => encoding,
            None => {
                let plain = Ok(Encoding::Bytes);
                let Some(found) = self.inner.sniff(wait, plain, Encoding::detect) else {
                    return Ok(Chunk::Idle);
                };
                // Whoever unpacks the outer form has a stream that is read.
                if let Some(outer) = self.inner.inner().compression() {
                    let Some(inner) = self.inner.sniff(wait, Detected::Plain, detect) else {
                        return Ok(Chunk::Idle);
                    };
                    if inner != Detected::Plain {
                        return Err(compressed_twice(&self.name, outer));
                    }
                }
                let encoding = found.map_err(|form| Error::Form {
                    input: self.name.clone(),
                    form,
                    command: "iconv -f UTF-32 -t UTF-8",
                })?;
                self.encoding = Some(encoding);
                encoding
            }
        };
        if !encoding.is_utf16() {
            return self.inner.read(buffer, wait);
        }
        if self.at == self.ready.len() {
            match self.transcode(encoding, wait)? {
                Chunk::Bytes(_) => {}
                other => return Ok(other),
            }
        }
        let ready = &self.ready.as_bytes()[self.at..];
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.at += count;
        Ok(Chunk::Bytes(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::Drip;
    use crate::input::{
        Block, DEFAULT_MAX_WINDOW, Fill, Input, LineLimit, Opened, StreamReader, lines,
    };

    /// The offset and text of a line, or the length of one that is too long.
    type Seen = (u64, Result<String, u64>);

    fn seen(bytes: &[u8], drip: usize, target: usize, limit: usize) -> (Vec<Seen>, Option<Error>) {
        let input = Input::Reader {
            name: "text".to_owned(),
            reader: Box::new(Drip(bytes, drip, false)),
        };
        let Ok(Opened::Stream(source)) = input.open(DEFAULT_MAX_WINDOW) else {
            panic!("a reader is a stream");
        };
        let mut reader = StreamReader::new(source, 0, LineLimit::Skip(limit));
        let (mut block, mut seen, mut offset) = (Block::default(), Vec::new(), 2);
        loop {
            match reader.fill(&mut block, target) {
                Ok(Fill::Idle) => continue,
                Ok(Fill::Block) => {}
                Ok(Fill::End) => return (seen, None),
                Err(error) => return (seen, Some(error)),
            }
            assert_eq!(block.offset(), offset, "the first byte after the mark");
            if let Some(line) = block.skipped {
                let begin = block.offset_of(line.blanks);
                seen.push((begin, Err(line.length)));
            }
            // Some of the lines at a time, as a worker takes a block with many.
            loop {
                let mut some = lines(block.bytes());
                for line in some.by_ref().take(2) {
                    let end = line.begin + line.length;
                    seen.push(if line.length > limit {
                        let length = block.length_of(line.begin..end);
                        (block.offset_of(line.start), Err(length))
                    } else {
                        let text = String::from_utf8(line.token.to_vec()).unwrap();
                        (block.offset_of(line.start), Ok(text))
                    });
                }
                let consumed = some.position();
                offset = block.end_of(consumed);
                if block.bytes().is_empty() {
                    break;
                }
                block.resume(consumed);
            }
        }
    }

    /// The same, unit by unit. Lines end with LF and begin with no blank.
    fn naive(units: &[u16], limit: usize) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut begin = 0;
        for line in units.split_inclusive(|unit| *unit == 10) {
            let text = String::from_utf16_lossy(line);
            let text = text.trim_end_matches('\n');
            let length = 2 * line.iter().filter(|unit| **unit != 10).count() as u64;
            let is_long = text.len() > limit;
            let found = if is_long {
                Err(length)
            } else {
                Ok(text.to_owned())
            };
            seen.push((2 + 2 * begin as u64, found));
            begin += line.len();
        }
        seen
    }

    fn encode(units: &[u16], mark: [u8; 2]) -> Vec<u8> {
        let unit = |unit: &u16| match mark {
            [0xff, _] => unit.to_le_bytes(),
            _ => unit.to_be_bytes(),
        };
        mark.into_iter()
            .chain(units.iter().flat_map(unit))
            .collect()
    }

    const MARKS: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

    #[test]
    fn lines_and_places_are_those_of_the_original_whatever_the_reads() {
        let mut units: Vec<u16> = "a.b.c\n\nü\u{1f600}x.y\n\u{feff}\u{4e00}.b\n"
            .encode_utf16()
            .collect();
        for lone in [
            &[0xd800, 0x61][..],
            &[0xdc00],
            &[0xd83d, 0xd83d, 0xde00],
            &[0xde00, 0xd83d],
        ] {
            units.extend_from_slice(lone);
            units.push(10);
        }
        units.extend("long\u{1f600}".repeat(9).encode_utf16());
        units.extend("\nlast".encode_utf16());
        let mut cut_pair = units.clone();
        cut_pair.push(0xd83d);
        let long = 9 * "long\u{1f600}".len();
        for units in [&units, &cut_pair, &vec![], &vec![10], &vec![0xd83d]] {
            for mark in MARKS {
                let bytes = encode(units, mark);
                for limit in [long - 1, long] {
                    let expected = naive(units, limit);
                    for drip in (1..=70).chain([1 << 20]) {
                        for target in [1, 3, 40, 1 << 16] {
                            let (found, error) = seen(&bytes, drip, target, limit);
                            assert!(error.is_none(), "{error:?}");
                            assert_eq!(found, expected, "{drip} {target} {limit}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn half_a_unit_at_the_end_is_an_error_after_the_lines_before_it() {
        for mark in MARKS {
            for text in ["a\nb", "", "a\n"] {
                let units: Vec<u16> = text.encode_utf16().collect();
                let mut bytes = encode(&units, mark);
                bytes.push(0x61);
                for drip in [1, 2, 3, 100] {
                    let (found, error) = seen(&bytes, drip, 1 << 16, 100);
                    let lines = units.iter().filter(|unit| **unit == 10).count();
                    assert_eq!(found, naive(&units, 100)[..lines]);
                    let Some(Error::HalfCharacter { offset, .. }) = error else {
                        panic!("{error:?}");
                    };
                    assert_eq!(offset, bytes.len() as u64 - 1);
                }
            }
        }
    }

    #[test]
    fn utf32_is_named() {
        for bytes in [&b"\xff\xfe\0\0e\0\0\0"[..], b"\0\0\xfe\xff\0\0\0e"] {
            for drip in [1, 100] {
                let (found, error) = seen(bytes, drip, 100, 100);
                assert!(found.is_empty());
                let text = error.unwrap().to_string();
                assert!(text.contains("UTF-32") && text.contains("iconv"), "{text}");
            }
        }
    }
}
