//! Counts by names that tokens choose, such as issuers: bounded, and the same for any order of the
//! tokens. Cutting the names is left to the caller.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::tally::Counts;

/// How many names have counts of their own.
pub const MAX_NAMES: usize = 16_384;

/// Counts by name.
///
/// Up to [`MAX_NAMES`] names are counted exactly. Beyond that the names with the smallest SHA-256
/// keep their exact counts, and the others are summed. A name that is among the smallest at the end
/// always was, so no order or partition of the tokens changes a count. (The bottom-k rule of Cohen
/// and Kaplan, "Summarizing data using bottom-k sketches", 2007, with exact counts.)
#[derive(Clone, Debug, Default)]
pub struct NameCounts {
    entries: Vec<(Box<str>, Counts)>,
    index: HashMap<Box<str>, usize>,
    /// The entry of the last token: logs have runs of one name.
    last: usize,
    /// In the counts of a block, the entries that are not zero.
    touched: Vec<usize>,
    overflow: Option<Box<Overflow>>,
}

/// The counts once there are more than [`MAX_NAMES`] names.
#[derive(Clone, Debug, Default)]
struct Overflow {
    kept: BTreeMap<[u8; 32], (Box<str>, Counts)>,
    /// Names with this digest or a larger one are summed in `rest`.
    bound: Option<[u8; 32]>,
    rest: Counts,
}

impl NameCounts {
    /// Counts tokens of this name.
    #[inline]
    pub(crate) fn add(&mut self, name: &str, counts: Counts) {
        let is_last = |(last, _): &(Box<str>, Counts)| **last == *name;
        if !self.entries.get(self.last).is_some_and(is_last) {
            match self.find(name) {
                Some(position) => self.last = position,
                None => return self.overflow.get_or_insert_default().add(name, counts),
            }
        }
        let entry = &mut self.entries[self.last].1;
        if entry.total() == 0 {
            self.touched.push(self.last);
        }
        entry.add(counts);
    }

    /// Finds or inserts the entry of a name. With too many names there are no entries: all move to
    /// the overflow.
    #[inline(never)]
    fn find(&mut self, name: &str) -> Option<usize> {
        if self.overflow.is_some() {
            return None;
        }
        if let Some(position) = self.index.get(name) {
            return Some(*position);
        }
        if self.entries.len() == MAX_NAMES {
            let overflow = self.overflow.insert(Box::default());
            for (name, counts) in self.entries.drain(..) {
                overflow.add(&name, counts);
            }
            (self.index, self.touched) = (HashMap::new(), Vec::new());
            return None;
        }
        self.index.insert(name.into(), self.entries.len());
        self.entries.push((name.into(), Counts::default()));
        Some(self.entries.len() - 1)
    }

    /// Moves the counts of a block into these. The block keeps its names, so that each is allocated
    /// once and not once a block.
    pub(crate) fn drain(&mut self, block: &mut Self) {
        for position in block.touched.drain(..) {
            let (name, counts) = &mut block.entries[position];
            self.add(name, std::mem::take(counts));
        }
        if block.entries.len() > MAX_NAMES / 8 || block.overflow.is_some() {
            if let Some(overflow) = block.overflow.take() {
                self.merge_overflow(*overflow);
            }
            *block = Self::default();
        }
    }

    /// Adds other counts; their order does not matter.
    pub fn merge(&mut self, other: &Self) {
        for (name, counts) in &other.entries {
            self.add(name, *counts);
        }
        if let Some(overflow) = &other.overflow {
            self.merge_overflow((**overflow).clone());
        }
    }

    fn merge_overflow(&mut self, other: Overflow) {
        let mut own = match self.overflow.take() {
            Some(own) => *own,
            None => {
                let mut own = Overflow::default();
                for (name, counts) in self.entries.drain(..) {
                    own.add(&name, counts);
                }
                (self.index, self.touched) = (HashMap::new(), Vec::new());
                own
            }
        };
        own.rest.add(other.rest);
        if let Some(bound) = other.bound {
            own.lower(bound);
        }
        for (name, counts) in other.kept.into_values() {
            own.add(&name, counts);
        }
        self.overflow = Some(Box::new(own));
    }

    /// The names and their counts, sorted by name.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, Counts)> {
        let mut all: Vec<(&str, Counts)> = match &self.overflow {
            Some(overflow) => overflow
                .kept
                .values()
                .map(|(name, counts)| (&**name, *counts))
                .collect(),
            None => self
                .entries
                .iter()
                .map(|(name, counts)| (&**name, *counts))
                .collect(),
        };
        all.retain(|(_, counts)| counts.total() > 0);
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }

    /// The sum over the names without counts of their own, if there are any.
    #[must_use]
    pub fn rest(&self) -> Option<Counts> {
        self.overflow
            .as_ref()
            .map(|overflow| overflow.rest)
            .filter(|rest| rest.total() > 0)
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.overflow.is_none() && self.entries.iter().all(|(_, counts)| counts.total() == 0)
    }
}

impl Overflow {
    fn add(&mut self, name: &str, counts: Counts) {
        let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
        if self.bound.is_some_and(|bound| digest >= bound) {
            self.rest.add(counts);
            return;
        }
        let entry = self
            .kept
            .entry(digest)
            .or_insert_with(|| (name.into(), Counts::default()));
        entry.1.add(counts);
        if self.kept.len() > MAX_NAMES
            && let Some((bound, (_, counts))) = self.kept.pop_last()
        {
            self.bound = Some(bound);
            self.rest.add(counts);
        }
    }

    /// Lowers the bound to that of another overflow.
    fn lower(&mut self, bound: [u8; 32]) {
        if self.bound.is_none_or(|own| bound < own) {
            self.bound = Some(bound);
        }
        while let Some(last) = self.kept.last_entry()
            && self.bound.is_some_and(|bound| *last.key() >= bound)
        {
            let (_, counts) = last.remove();
            self.rest.add(counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: usize) -> String {
        format!("https://{n}.example.com/")
    }

    #[test]
    fn few_names_are_counted_exactly() {
        let mut counts = NameCounts::default();
        for n in [3, 1, 1, 2, 3, 3] {
            counts.add(&name(n), Counts::one(n != 2));
        }
        let found: Vec<_> = counts
            .sorted()
            .iter()
            .map(|(_, counts)| (counts.valid, counts.rejected))
            .collect();
        assert_eq!(found, [(2, 0), (0, 1), (3, 0)]);
        assert_eq!(counts.rest(), None);
    }

    #[test]
    fn too_many_names_give_the_same_counts_in_any_order_and_any_parts() {
        let total = MAX_NAMES * 2;
        let mut forwards = NameCounts::default();
        let mut backwards = NameCounts::default();
        let mut parts: Vec<NameCounts> = vec![NameCounts::default(); 3];
        for n in 0..total {
            for _ in 0..=n % 3 {
                forwards.add(&name(n), Counts::one(true));
                parts[n % 3].add(&name(n), Counts::one(true));
            }
        }
        for n in (0..total).rev() {
            for _ in 0..=n % 3 {
                backwards.add(&name(n), Counts::one(true));
            }
        }
        let mut merged = NameCounts::default();
        parts.iter().rev().for_each(|part| merged.merge(part));
        let mut drained = NameCounts::default();
        let mut block = NameCounts::default();
        for n in 0..total {
            (0..=n % 3).for_each(|_| block.add(&name(n), Counts::one(true)));
            if n % 100 == 99 {
                drained.drain(&mut block);
            }
        }
        drained.drain(&mut block);
        assert_eq!(forwards.sorted().len(), MAX_NAMES);
        let sum: u64 = forwards
            .sorted()
            .iter()
            .map(|(_, counts)| counts.total())
            .sum();
        let all: usize = (0..total).map(|n| 1 + n % 3).sum();
        assert_eq!(sum + forwards.rest().unwrap().total(), all as u64);
        for other in [&backwards, &merged, &drained] {
            assert_eq!(forwards.sorted(), other.sorted());
            assert_eq!(forwards.rest(), other.rest());
        }
    }
}
