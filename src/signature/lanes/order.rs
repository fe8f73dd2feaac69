//! The order in which the jobs of a batch are hashed: most blocks first.
//!
//! Owns the sorting and its memory. Neighbours in this order have the same number of blocks, or
//! nearly, so lanes that start together end together. The long ones are first, so the rest at the end
//! is short.

use core::cmp::Reverse;

use super::{Job, Word, stream::Stream};

/// Block counts below this have a bucket each in the counting sort; longer messages share one, and are
/// sorted within it by comparison. So memory does not grow with a message.
const CLASSES: usize = 64;

/// Reusable memory for a batch; it grows to the largest batch. It holds positions, and no key, message
/// or tag.
#[derive(Debug, Default)]
pub struct Scratch {
    order: Vec<u32>,
}

impl Scratch {
    /// Empty: the first batch allocates.
    #[must_use]
    pub const fn new() -> Self {
        Self { order: Vec::new() }
    }

    /// The positions of the jobs, those with the most blocks first. Equal counts keep their order, so
    /// that memory is read forwards.
    ///
    /// # Panics
    ///
    /// If there are more than `u32::MAX` jobs.
    pub(super) fn by_blocks<W: Word, const B: usize>(&mut self, jobs: &[Job<'_, W>]) -> &[u32] {
        self.by(jobs.len(), |job| {
            Stream::<B>::count(jobs[job].message.len())
        })
    }

    /// The positions of `jobs` jobs, in their own order.
    ///
    /// # Panics
    ///
    /// If there are more than `u32::MAX` jobs.
    pub(super) fn as_given(&mut self, jobs: usize) -> &[u32] {
        self.order.clear();
        self.order.extend(0..number(jobs));
        &self.order
    }

    /// [`by_blocks`](Self::by_blocks), where `blocks` gives the count of a job, at least 1.
    fn by(&mut self, jobs: usize, blocks: impl Fn(usize) -> usize) -> &[u32] {
        if jobs < 2 {
            return self.as_given(jobs);
        }
        let end = number(jobs);
        let class = |job| CLASSES - blocks(job).min(CLASSES);
        let mut next = [0_u32; CLASSES];
        for job in 0..jobs {
            next[class(job)] += 1;
        }
        let long = next[0] as usize;
        if long == 0 && next.contains(&end) {
            // All equal, as in a log whose tokens have one length.
            return self.as_given(jobs);
        }
        let mut start = 0;
        for place in &mut next {
            start += core::mem::replace(place, start);
        }
        self.order.clear();
        self.order.resize(jobs, 0);
        for job in 0..end {
            let place = &mut next[class(job as usize)];
            self.order[*place as usize] = job;
            *place += 1;
        }
        self.order[..long].sort_unstable_by_key(|&job| (Reverse(blocks(job as usize)), job));
        &self.order
    }
}

fn number(jobs: usize) -> u32 {
    u32::try_from(jobs).expect("a batch has fewer than 2^32 jobs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_first_and_equals_in_their_own_order() {
        // 63, 64 and 65: the last class of its own, the first shared one, and one within that.
        let cases: [&[usize]; 6] = [
            &[],
            &[1],
            &[7, 7, 7, 7],
            &[1, 2, 1, 2, 3],
            &[64, 63, 65, 64, 63, 1, 16_384, 65],
            &[100, 100, 200],
        ];
        let mut scratch = Scratch::new();
        for counts in cases {
            let mut expected: Vec<u32> = (0..counts.len() as u32).collect();
            expected.sort_by_key(|&job| Reverse(counts[job as usize]));
            assert_eq!(
                scratch.by(counts.len(), |job| counts[job]),
                expected,
                "{counts:?}"
            );
        }
    }
}
