//! One message after another through `sha2`: the reference, and the kernel of last resort.
//!
//! It is simple on purpose: every other back end is tested against what `sha2` and `hmac` compute. It
//! runs everywhere and has no `unsafe`; `sha2` itself uses the processor's SHA instructions where it
//! finds them. It is faster than a loop over the `hmac` crate, which copies its state and has a buffer
//! and counters for the general case.

use sha2::block_api::{compress256, compress512};

use super::{
    Job, Word,
    stream::{Stream, Tail},
};

/// A back end for few messages, which would leave wide lanes mostly empty.
///
/// A trait object, so that the wide ones are compiled once and not once for each companion.
pub(super) trait Few<W: Word, const B: usize, T> {
    /// Absorbs the blocks of each stream from `from` on into its state. The longest stream is first.
    fn absorb(&self, states: &mut [[W; 8]], streams: &[Stream<'_, B>], from: usize);

    /// The tags of the jobs in `order`, longest first.
    fn hmac(&self, jobs: &[Job<'_, W>], order: &[u32], tags: &mut [T]);
}

/// The kernel `portable`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Portable;

macro_rules! portable {
    ($word:ty, $block:literal, $tag:literal, $compress:ident) => {
        impl Few<$word, $block, [u8; $tag]> for Portable {
            fn absorb(
                &self,
                states: &mut [[$word; 8]],
                streams: &[Stream<'_, $block>],
                from: usize,
            ) {
                for (state, stream) in states.iter_mut().zip(streams) {
                    for blocks in stream.from(from) {
                        $compress(state, blocks);
                    }
                }
            }

            fn hmac(&self, jobs: &[Job<'_, $word>], order: &[u32], tags: &mut [[u8; $tag]]) {
                let mut tail = Tail::new();
                for &at in order {
                    let job = &jobs[at as usize];
                    let stream = Stream::new(job.message, &mut tail);
                    let mut state = *job.key.inner();
                    self.absorb(core::slice::from_mut(&mut state), &[stream], 0);
                    // The outer hash reads one block: digest, mark, zeros and length.
                    let seam = job.key.seam();
                    let mut words = [0; 16];
                    words[..8].copy_from_slice(&state);
                    words[6] = (words[6] & seam.keep) | seam.six;
                    words[7] &= seam.keep;
                    words[8] = seam.eight;
                    words[15] = seam.bits;
                    state = *job.key.outer();
                    $compress(&mut state, &[bytes(&words)]);
                    tags[at as usize] = bytes(&state);
                }

                fn bytes<const N: usize>(words: &[$word]) -> [u8; N] {
                    let mut bytes = [0; N];
                    let (chunks, _) = bytes.as_chunks_mut();
                    for (chunk, word) in chunks.iter_mut().zip(words) {
                        *chunk = word.to_be_bytes();
                    }
                    bytes
                }
            }
        }
    };
}

portable!(u32, 64, 32, compress256);
portable!(u64, 128, 64, compress512);
