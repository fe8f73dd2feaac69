//! A message as a row of blocks: its own bytes as far as they fill blocks, then padding.
//!
//! Owns the padding of FIPS 180-4, section 5.1. Leaves to the kernels what is done with a block,
//! and how many streams they follow at a time.

use super::{Job, Word};

/// A buffer for the end of one message: two blocks, and one before them that [`Stream::new`] writes
/// to and nobody reads.
#[derive(Clone, Copy)]
pub(super) struct Tail<const B: usize>([[u8; B]; 3]);

impl<const B: usize> Tail<B> {
    pub(super) const fn new() -> Self {
        Self([[0; B]; 3])
    }

    /// The `1` bit that ends a message, then zeros.
    const MARK: [u8; B] = {
        let mut mark = [0; B];
        mark[0] = 0x80;
        mark
    };
}

/// The blocks that HMAC's inner hash reads for one message, the key's block left out.
///
/// Blocks that lie wholly in the message are borrowed from it; only its end is copied. Bytes of a
/// block are `B`: 64 for SHA-256, 128 for SHA-512.
#[derive(Clone, Copy)]
pub(super) struct Stream<'a, const B: usize> {
    whole: &'a [[u8; B]],
    end: &'a [[u8; B]],
}

impl<'a, const B: usize> Stream<'a, B> {
    /// The length field at the very end of the padding: 64 bits in SHA-256, 128 in SHA-512.
    const FIELD: usize = B / 8;

    /// How many blocks the inner hash reads for a message of `bytes` bytes.
    #[inline]
    pub(super) fn count(bytes: usize) -> usize {
        // At least the mark and the length field are added. This cannot overflow, since a slice has
        // at most `isize::MAX` bytes.
        (bytes + Self::FIELD) / B + 1
    }

    /// The blocks of `message`; `tail` takes its end.
    #[inline(always)]
    pub(super) fn new(message: &'a [u8], tail: &'a mut Tail<B>) -> Self {
        let (whole, rest) = message.as_chunks::<B>();
        let blocks = Self::count(message.len()) - whole.len();
        let bytes = tail.0.as_flattened_mut();
        // Every copy has a constant length, so that none becomes a call: a whole block that *ends*
        // where the message ends, its superfluous front in the block that nobody reads. After the
        // mark comes one block of zeros, whether the tail has one block or two.
        if let Some(last) = message.last_chunk::<B>() {
            bytes[rest.len()..][..B].copy_from_slice(last);
        } else {
            bytes[B..][..rest.len()].copy_from_slice(rest);
        }
        bytes[B + rest.len()..][..B].copy_from_slice(&Tail::<B>::MARK);
        // The key's block counts as well. A `u64` counts the bits of 2^61 bytes, more than any
        // message has, so the upper half of the field of SHA-512 is zero.
        let bits = 8 * (message.len() as u64 + B as u64);
        bytes[B * (1 + blocks) - Self::FIELD..][..Self::FIELD - 8].fill(0);
        bytes[B * (1 + blocks) - 8..][..8].copy_from_slice(&bits.to_be_bytes());
        Self {
            whole,
            end: &tail.0[1..=blocks],
        }
    }

    /// The blocks of the messages of several jobs.
    ///
    /// Without `target_feature`: a closure in a function that has it cannot be inlined into the
    /// standard library's `map`.
    #[inline(always)]
    pub(super) fn each<W: Word, const N: usize>(
        jobs: &[&Job<'a, W>; N],
        tails: &'a mut [Tail<B>; N],
    ) -> [Self; N] {
        let mut streams = [Self {
            whole: &[],
            end: &[],
        }; N];
        for ((stream, job), tail) in streams.iter_mut().zip(jobs).zip(tails) {
            *stream = Self::new(job.message, tail);
        }
        streams
    }

    /// Block `index` of each of several streams.
    #[inline(always)]
    pub(super) fn blocks_at<const N: usize>(streams: &[Self; N], index: usize) -> [&'a [u8; B]; N] {
        let mut blocks = [&[0; B]; N];
        for (block, stream) in blocks.iter_mut().zip(streams) {
            *block = stream.block(index);
        }
        blocks
    }

    /// Number of blocks.
    #[inline(always)]
    pub(super) fn blocks(&self) -> usize {
        self.whole.len() + self.end.len()
    }

    /// Block `index`, or the last one if there are fewer, for lanes that wait for others.
    #[inline(always)]
    pub(super) fn block(&self, index: usize) -> &'a [u8; B] {
        match self.whole.get(index) {
            Some(block) => block,
            None => &self.end[(index - self.whole.len()).min(self.end.len() - 1)],
        }
    }

    /// All blocks from `index` on: those in the message, then those of its end.
    #[inline]
    pub(super) fn from(&self, index: usize) -> [&'a [[u8; B]]; 2] {
        let passed = index.saturating_sub(self.whole.len());
        [
            self.whole.get(index..).unwrap_or(&[]),
            self.end.get(passed..).unwrap_or(&[]),
        ]
    }
}
