//! Payloads, decoded into a worker's buffers and read by the scanner where it takes them on itself.
//!
//! [`Payload`] is the way from authentic bytes to [`Claims`] in bulk.

use super::claims::{Claims, Wanted};
use super::json::JsonScratch;
use super::scanner::{Layout, Layouts, PADDING, Scanner};
use crate::base64url;
use crate::signature::Authentic;
use crate::verdict::Reason;

/// The buffers of the fast path: one for the scanner, which only looks, and one for `simd-json`,
/// which rewrites what it reads.
pub(crate) struct PayloadScratch {
    pub(super) scan: ScanScratch,
    pub(super) json: JsonScratch,
}

/// What the scanner needs: a buffer for a decoded payload, and what it knows of payloads before.
pub(super) struct ScanScratch {
    scanner: Scanner,
    layouts: Layouts,
    bytes: Vec<u8>,
    /// How long the payload in it is.
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
    /// The payload that was decoded last.
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
    /// Decodes the payload of a token whose policy wants this to be read.
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

    /// Its claims, put into `claims`; after an error they mean nothing.
    ///
    /// Claims are written where they are to be read: what is put together from many small pieces
    /// is slow to copy in a few wide ones, which have to wait for all of them.
    pub(crate) fn read(self, claims: &mut Claims<'s>) -> Result<(), Reason> {
        match self.decoded.scan(self.wanted.extra, claims) {
            Some(()) => Ok(()),
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

/// Whether a payload is laid out as one before it.
enum LaidOut<'s> {
    /// It is, and this is its text.
    As(&'s Layout, &'s str),
    /// As none of these.
    Anew(&'s mut Layouts),
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
            Some((index, text)) => LaidOut::As(layouts.at(index), text),
            None => LaidOut::Anew(layouts),
        };
        Ok(Self {
            scanner: *scanner,
            padded: bytes,
            len,
            laid_out,
        })
    }

    /// Its claims, put into `claims`; None where the scanner does not take it on itself.
    #[inline]
    pub(super) fn scan(self, extra: &[Box<str>], claims: &mut Claims<'s>) -> Option<()> {
        let Self {
            scanner,
            padded,
            len,
            laid_out,
        } = self;
        match laid_out {
            LaidOut::As(layout, text) => layout.read(text, claims),
            LaidOut::Anew(layouts) => {
                *claims = Claims::none();
                scanner.scan(padded, len, extra, claims)?;
                layouts.note(scanner, padded, len, extra, claims);
                Some(())
            }
        }
    }
}
