//! A sample of the tokens: between the extractor and the stages that judge.
//!
//! A token is in the sample by its hash alone, so that it is in it wherever, and however often, it
//! occurs.

use std::num::NonZero;

use crate::extract::Found;
use crate::report::distinct::hash;

/// The tokens of an extractor, or a sample of them.
pub(super) struct Sampled<'c, I> {
    tokens: I,
    one_in: Option<NonZero<u64>>,
    left_out: &'c mut u64,
}

impl<'c, I> Sampled<'c, I> {
    /// One token in `one_in`; adds to `left_out` how many are not in the sample.
    pub(super) fn new(tokens: I, one_in: Option<NonZero<u64>>, left_out: &'c mut u64) -> Self {
        Self {
            tokens,
            one_in,
            left_out,
        }
    }
}

impl<'b, I: Iterator<Item = Found<'b>>> Iterator for Sampled<'_, I> {
    type Item = Found<'b>;

    #[inline]
    fn next(&mut self) -> Option<Found<'b>> {
        loop {
            let found = self.tokens.next()?;
            if self
                .one_in
                .is_none_or(|one_in| is_in_sample(&found, one_in))
            {
                return Some(found);
            }
            *self.left_out += 1;
        }
    }
}

/// Whether a token is in the sample. Those whose bytes may be skipped are.
#[inline(never)] // so that a run of all tokens is as fast as without it
fn is_in_sample(found: &Found<'_>, one_in: NonZero<u64>) -> bool {
    // The lower bits: the estimate of distinct tokens takes the upper ones.
    let bytes = found.content.bytes();
    bytes.is_none_or(|bytes| hash(bytes).is_multiple_of(one_in.get()))
}
