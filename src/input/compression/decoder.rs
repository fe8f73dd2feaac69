//! One step of one member, by the library of each format.

use bzip2::Decompress as Bzip2;
use flate2::{Decompress as Gzip, FlushDecompress};
use liblzma::stream::{Action, Error as XzError, Status as XzStatus, Stream as Xz};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::{Compression, UnpackProblem};

/// 2^15 bytes is the largest window of DEFLATE, which any member may use.
const GZIP_WINDOW_BITS: u8 = 15;
/// What xz needs besides its dictionary, in bytes, rounded up.
const XZ_BASE: u64 = 1 << 20;
/// `ZSTD_error_frameParameter_windowTooLarge`, as zstd returns it.
const WINDOW_TOO_LARGE: usize = 16_usize.wrapping_neg();
/// The sizes of windows that zstd can be limited to, as powers of two.
const WINDOW_LOGS: std::ops::RangeInclusive<u32> = 10..=if usize::BITS == 64 { 31 } else { 30 };

/// What [`Decoder::step`] did.
pub(super) struct Step {
    pub(super) consumed: usize,
    pub(super) produced: usize,
    /// The end of the member, or what is wrong after the bytes that were produced.
    pub(super) end: Option<Result<(), UnpackProblem>>,
}

/// A decoder of one format.
pub(super) struct Decoder {
    max_window: u64,
    format: Format,
}

enum Format {
    /// No member was begun, or there was no memory for it.
    Idle(Compression),
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Bzip2(Box<Bzip2>),
    Xz(Box<Xz>),
}

impl Decoder {
    pub(super) const fn new(compression: Compression, max_window: u64) -> Self {
        Self {
            max_window,
            format: Format::Idle(compression),
        }
    }

    /// Prepares for a member.
    pub(super) fn begin(&mut self) -> Result<(), UnpackProblem> {
        let compression = match &self.format {
            Format::Idle(compression) => *compression,
            Format::Gzip(_) => Compression::Gzip,
            // It is ready for the next frame.
            Format::Zstd(_) => return Ok(()),
            Format::Bzip2(_) => Compression::Bzip2,
            Format::Xz(_) => Compression::Xz,
        };
        self.format = match compression {
            Compression::Gzip => Format::Gzip(Box::new(Gzip::new_gzip(GZIP_WINDOW_BITS))),
            Compression::Zstd => Format::Zstd(Box::new(Zstd::new(self.max_window)?)),
            Compression::Bzip2 => Format::Bzip2(Box::new(Bzip2::new(false))),
            Compression::Xz => {
                let limit = self.max_window.saturating_add(XZ_BASE);
                let flags = liblzma::stream::TELL_UNSUPPORTED_CHECK;
                let stream = Xz::new_stream_decoder(limit, flags);
                Format::Xz(Box::new(stream.map_err(|it| corrupt(&it))?))
            }
        };
        Ok(())
    }

    /// Unpacks some of `packed` into `buffer`. `is_full` says that the last step filled its buffer.
    pub(super) fn step(&mut self, packed: &[u8], buffer: &mut [u8], is_full: bool) -> Step {
        match &mut self.format {
            Format::Idle(_) => Step {
                consumed: 0,
                produced: 0,
                end: None,
            },
            Format::Zstd(zstd) => zstd.step(packed, buffer, is_full, self.max_window),
            Format::Gzip(gzip) => {
                let before = (gzip.total_in(), gzip.total_out());
                let end = match gzip.decompress(packed, buffer, FlushDecompress::None) {
                    Ok(flate2::Status::StreamEnd) => Some(Ok(())),
                    Ok(_) => None,
                    Err(error) => Some(Err(corrupt(&error.message().unwrap_or("not gzip")))),
                };
                Step::between(before, (gzip.total_in(), gzip.total_out()), end)
            }
            Format::Bzip2(bzip2) => {
                let before = (bzip2.total_in(), bzip2.total_out());
                let end = match bzip2.decompress(packed, buffer) {
                    Ok(bzip2::Status::StreamEnd) => Some(Ok(())),
                    Ok(_) => None,
                    Err(error) => Some(Err(corrupt(&error))),
                };
                Step::between(before, (bzip2.total_in(), bzip2.total_out()), end)
            }
            Format::Xz(xz) => {
                let before = (xz.total_in(), xz.total_out());
                let end = match xz.process(packed, buffer, Action::Run) {
                    Ok(XzStatus::StreamEnd) => Some(Ok(())),
                    Ok(_) => None,
                    Err(XzError::MemLimit) => Some(Err(UnpackProblem::Window {
                        needed: None,
                        limit: self.max_window,
                    })),
                    Err(error) => Some(Err(corrupt(&error))),
                };
                Step::between(before, (xz.total_in(), xz.total_out()), end)
            }
        }
    }
}

impl Step {
    /// From the totals before and after.
    fn between(
        (packed, unpacked): (u64, u64),
        (packed_now, unpacked_now): (u64, u64),
        end: Option<Result<(), UnpackProblem>>,
    ) -> Self {
        let count = |from, to: u64| usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        Self {
            consumed: count(packed, packed_now),
            produced: count(unpacked, unpacked_now),
            end,
        }
    }
}

fn corrupt(detail: &(impl ToString + ?Sized)) -> UnpackProblem {
    UnpackProblem::Corrupt(detail.to_string())
}

/// A decoder of zstd frames.
struct Zstd {
    context: DCtx<'static>,
    /// How many bytes zstd takes next, by its own hint; 0 before a frame.
    wanted: usize,
    /// The first bytes of the frame, which say how large a window it needs.
    head: [u8; 18],
    head_len: usize,
}

impl Zstd {
    fn new(max_window: u64) -> Result<Self, UnpackProblem> {
        let log = max_window.max(1).next_power_of_two().ilog2();
        let log = log.clamp(*WINDOW_LOGS.start(), *WINDOW_LOGS.end());
        let mut context = DCtx::try_create().ok_or_else(|| corrupt("out of memory"))?;
        context
            .set_parameter(DParameter::WindowLogMax(log))
            .map_err(|code| corrupt(zstd_safe::get_error_name(code)))?;
        Ok(Self {
            context,
            wanted: 0,
            head: [0; 18],
            head_len: 0,
        })
    }

    fn step(&mut self, packed: &[u8], buffer: &mut [u8], is_full: bool, max_window: u64) -> Step {
        // zstd returns an error without the bytes that it unpacked in the same call. So a call gets
        // a block or the header of the next one, never both, and nothing while output is left.
        let wanted = match self.wanted {
            _ if is_full => 0,
            0 => 5,
            wanted @ 1..=3 => wanted,
            wanted => wanted - 3,
        };
        let piece = &packed[..packed.len().min(wanted)];
        if self.wanted == 0 && !is_full {
            self.head_len = 0;
        }
        let head = piece.len().min(self.head.len() - self.head_len);
        self.head[self.head_len..self.head_len + head].copy_from_slice(&piece[..head]);
        self.head_len += head;

        let (mut input, mut output) = (InBuffer::around(piece), OutBuffer::around(buffer));
        let result = self.context.decompress_stream(&mut output, &mut input);
        let (consumed, produced) = (input.pos(), output.pos());
        let end = match result {
            Ok(0) => Some(Ok(())),
            Ok(_) => None,
            Err(WINDOW_TOO_LARGE) => Some(Err(UnpackProblem::Window {
                needed: window(&self.head[..self.head_len]),
                limit: max_window,
            })),
            Err(code) => Some(Err(corrupt(zstd_safe::get_error_name(code)))),
        };
        self.wanted = result.unwrap_or(0);
        Step {
            consumed,
            produced,
            end,
        }
    }
}

/// The window that a frame needs, by its header (RFC 8878 section 3.1.1.1).
fn window(head: &[u8]) -> Option<u64> {
    let descriptor = *head.get(4)?;
    if descriptor & 0x20 == 0 {
        let byte = *head.get(5)?;
        let base = 1_u64 << (10 + (byte >> 3));
        return Some(base + base / 8 * u64::from(byte & 7));
    }
    // A frame of a single segment: the window is the content.
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let length = [1, 2, 4, 8][usize::from(descriptor >> 6)];
    let field = head.get(5 + dictionary..5 + dictionary + length)?;
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(field);
    let size = u64::from_le_bytes(bytes);
    Some(if length == 2 { size + 256 } else { size })
}
