//! A cache of payload layouts: an issuer writes the same members in the same order again and again,
//! with values of the same length, so the next payload can be read like an earlier one.
//!
//! Owns which layouts are kept, and how often one is made. What a layout is, [`layout`] says.

mod layout;
#[cfg(test)]
mod tests;

pub(crate) use layout::Layout;

use super::Scanner;
use crate::token::claims::Claims;

/// Sets of the cache; a power of two. The length of a payload chooses its set.
const SETS: usize = 32;
/// Layouts in a set: two issuers may write tokens of the same length.
const WAYS: usize = 2;
/// Making a layout costs about as much as this many walks.
const MAKING: u32 = 10;
/// Misses between two layouts that are made, at least.
const SHORTEST_PAUSE: u32 = 16;
/// The same at most, where layouts do not pay.
const LONGEST_PAUSE: u32 = 4096;

/// The cache. It belongs to one worker.
pub(crate) struct Layouts {
    sets: Vec<[Layout; WAYS]>,
    /// Misses until the next layout is made.
    left: u32,
    /// The same for the one after that.
    pause: u32,
}

impl Layouts {
    pub(crate) fn new() -> Self {
        Self {
            sets: (0..SETS)
                .map(|_| std::array::from_fn(|_| Layout::with_room()))
                .collect(),
            left: 0,
            pause: SHORTEST_PAUSE,
        }
    }

    /// Looks up the layout of a payload: on a hit, where it is, and the payload as text. The
    /// arguments are those of [`Scanner::scan`].
    #[inline]
    pub(crate) fn find<'s>(
        &mut self,
        scanner: Scanner,
        padded: &'s [u8],
        len: usize,
        extra: &[Box<str>],
    ) -> Option<((usize, usize), &'s str)> {
        let set = len % SETS;
        for (way, layout) in self.sets[set].iter_mut().enumerate() {
            if let Some(text) = layout.matching(scanner, padded, len, extra) {
                layout.hits = layout.hits.saturating_add(1);
                return Some(((set, way), text));
            }
        }
        None
    }

    /// The layout at a place that [`find`](Self::find) gave.
    #[inline]
    pub(crate) fn at(&self, (set, way): (usize, usize)) -> &Layout {
        &self.sets[set][way]
    }

    /// Counts a miss, of a payload that the scanner accepted with these claims, and makes its layout
    /// if it is time.
    #[inline]
    pub(crate) fn note(
        &mut self,
        scanner: Scanner,
        padded: &[u8],
        len: usize,
        extra: &[Box<str>],
        claims: &Claims<'_>,
    ) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.admit(scanner, padded, len, extra, claims),
        }
    }

    /// Makes the layout of a payload, and evicts the one of its set that had fewer hits.
    #[cold]
    fn admit(
        &mut self,
        scanner: Scanner,
        padded: &[u8],
        len: usize,
        extra: &[Box<str>],
        claims: &Claims<'_>,
    ) {
        let ways = &mut self.sets[len % SETS];
        let [one, other] = ways;
        let layout = if one.hits <= other.hits { one } else { other };
        let (evicts, hits) = (!layout.is_empty(), layout.hits);
        let is_usual = layout.make(scanner, padded, len, extra, claims);
        // One that saved as many walks as its making cost has paid. Where too many layouts share a
        // set few do, and they are made more rarely.
        if !is_usual || evicts && hits < MAKING {
            self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        } else if evicts {
            self.pause = (self.pause / 2).max(SHORTEST_PAUSE);
        }
        self.left = self.pause;
        ways.iter_mut().for_each(|layout| layout.hits /= 2);
    }
}
