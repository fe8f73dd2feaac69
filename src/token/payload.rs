//! Payloads in bulk: decoded into a worker's buffers and read by the scanner, or by `simd-json`
//! where the scanner gives up.
//!
//! [`Payload`] leads from authentic bytes to [`Claims`].

use super::claims::{Claims, Wanted};
use super::json::JsonScratch;
use super::scanner::{Layout, Layouts, PADDING, Scanner};
use crate::base64url;
use crate::signature::Authentic;
use crate::verdict::Reason;

/// The buffers of the fast path: one for the scanner, which only reads, and one for `simd-json`,
/// which modifies its input.
pub(crate) struct PayloadScratch {
    pub(super) scan: ScanScratch,
    pub(super) json: JsonScratch,
}

/// What the scanner needs: a buffer for a decoded payload, and the layouts of earlier payloads.
pub(super) struct ScanScratch {
    scanner: Scanner,
    layouts: Layouts,
    bytes: Vec<u8>,
    /// The length in bytes of the payload in `bytes`.
    len: usize,
}

impl PayloadScratch {
    pub(crate) fn new() -> Self {
        let scan = ScanScratch {
            scanner: Scanner::best(),
            layouts: Layouts::new(),
            bytes: Vec::new(),
            len: 0,
        };
        Self {
            scan,
            json: JsonScratch::new(),
        }
    }
}

impl PayloadScratch {
    /// The last payload that was decoded.
    pub(crate) fn decoded(&self) -> &[u8] {
        &self.scan.bytes[..self.scan.len]
    }
}

/// An authentic payload, decoded.
pub(crate) struct Payload<'a, 's> {
    authentic: Authentic<'a>,
    wanted: Wanted<'a>,
    decoded: Decoded<'s>,
    json: &'s mut JsonScratch,
}

impl<'a, 's> Payload<'a, 's> {
    /// Decodes the payload; `wanted` is what the policy needs from it.
    #[inline(always)]
    pub(crate) fn decode(
        authentic: Authentic<'a>,
        wanted: Wanted<'a>,
        scratch: &'s mut PayloadScratch,
    ) -> Result<Self, Reason> {
        Ok(Self {
            authentic,
            wanted,
            decoded: Decoded::new(authentic.payload(), wanted.extra, &mut scratch.scan)?,
            json: &mut scratch.json,
        })
    }

    /// Parses its claims into `claims`; after an error they are unspecified.
    ///
    /// They are written in place and not returned: a wide load that covers several recent small
    /// stores must wait until all of them are in the cache (no store forwarding).
    pub(crate) fn read(self, claims: &mut Claims<'s>) -> Result<(), Reason> {
        let Decoded { padded, len, .. } = self.decoded;
        match self.decoded.scan(self.wanted.extra, claims) {
            Some(()) => {
                claims.text = &padded[..len];
                Ok(())
            }
            None => claims.read(self.authentic, self.wanted, self.json),
        }
    }
}

/// A payload in the scanner's buffer.
pub(super) struct Decoded<'s> {
    scanner: Scanner,
    padded: &'s [u8],
    len: usize,
    laid_out: LaidOut<'s>,
}

/// Whether the layout of a payload is known from an earlier one.
enum LaidOut<'s> {
    /// It has this layout, and this is its text.
    Known(&'s Layout, &'s str),
    /// It has none of these layouts.
    New(&'s mut Layouts),
}

impl<'s> Decoded<'s> {
    #[inline(always)]
    pub(super) fn new(
        encoded: &[u8],
        extra: &[Box<str>],
        scratch: &'s mut ScanScratch,
    ) -> Result<Self, Reason> {
        let ScanScratch {
            scanner,
            layouts,
            bytes,
            len,
        } = scratch;
        let needed = base64url::decoded_len(encoded.len()) + PADDING;
        if bytes.len() < needed {
            bytes.resize(needed, 0);
        }
        *len = 0;
        *len = base64url::decode(encoded, &mut bytes[..needed])
            .map_err(|_| Reason::PayloadBase64url)?;
        let len = *len;
        let laid_out = match layouts.find(*scanner, bytes, len, extra) {
            Some((index, text)) => LaidOut::Known(layouts.at(index), text),
            None => LaidOut::New(layouts),
        };
        Ok(Self {
            scanner: *scanner,
            padded: bytes,
            len,
            laid_out,
        })
    }

    /// Parses its claims into `claims`; `None` if it is to be read by `simd-json` instead.
    #[inline]
    pub(super) fn scan(self, extra: &[Box<str>], claims: &mut Claims<'s>) -> Option<()> {
        let Self {
            scanner,
            padded,
            len,
            laid_out,
        } = self;
        match laid_out {
            LaidOut::Known(layout, text) => layout.read(text, claims),
            LaidOut::New(layouts) => {
                *claims = Claims::none();
                scanner.scan(padded, len, extra, claims)?;
                layouts.note(scanner, padded, len, extra, claims);
                Some(())
            }
        }
    }
}
