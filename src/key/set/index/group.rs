//! The keys that share an id, or that have none, by algorithm. Which group a token selects from is
//! left to the index.

use crate::signature::{Algorithm, AlgorithmSet, Candidate};

/// Keys that share an id, or that have none.
#[derive(Clone, Default)]
pub(super) struct Group {
    keys: Keys,
    /// Whether any key of the group is sound, even if it verifies nothing.
    pub(super) has_sound: bool,
}

const _: () = assert!(size_of::<Group>() <= 24);

/// Nearly every id has one key. So a single key is stored in place and not behind a pointer: a set of
/// ten thousand ids stays small, and a look-up has one cache miss.
#[derive(Clone, Default)]
enum Keys {
    #[default]
    Empty,
    One(Candidate, AlgorithmSet),
    Several(Box<ByAlgorithm>),
}

/// For each algorithm, the keys that may verify it, in the order given.
type ByAlgorithm = [Vec<Candidate>; Algorithm::ALL.len()];

impl Group {
    /// The keys that may verify this algorithm, in the order given.
    pub(super) fn fitting(&self, algorithm: Algorithm) -> &[Candidate] {
        match &self.keys {
            Keys::One(key, algorithms) if algorithms.contains(algorithm) => {
                std::slice::from_ref(key)
            }
            Keys::Empty | Keys::One(..) => &[],
            Keys::Several(fitting) => &fitting[algorithm as usize],
        }
    }

    /// Whether the group has more than one key.
    pub(super) const fn has_several(&self) -> bool {
        matches!(self.keys, Keys::Several(_))
    }

    /// Adds a sound key that may verify these algorithms, which may be none.
    pub(super) fn add(&mut self, key: Candidate, algorithms: AlgorithmSet) {
        self.has_sound = true;
        let mut fitting = match std::mem::take(&mut self.keys) {
            Keys::Empty => {
                self.keys = Keys::One(key, algorithms);
                return;
            }
            Keys::One(first, its_algorithms) => {
                let mut fitting = Box::<ByAlgorithm>::default();
                list(&mut fitting, first, its_algorithms);
                fitting
            }
            Keys::Several(fitting) => fitting,
        };
        list(&mut fitting, key, algorithms);
        self.keys = Keys::Several(fitting);
    }

    /// Keeps the entries for which `keep` holds.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut Candidate) -> bool) {
        match &mut self.keys {
            Keys::Empty => {}
            Keys::One(key, _) => {
                if !keep(key) {
                    self.keys = Keys::Empty;
                }
            }
            Keys::Several(fitting) => fitting
                .iter_mut()
                .for_each(|keys| keys.retain_mut(&mut keep)),
        }
    }

    /// Every entry of every key.
    pub(super) fn candidates_mut(&mut self) -> impl Iterator<Item = &mut Candidate> {
        let (one, several) = match &mut self.keys {
            Keys::Empty => (&mut [][..], &mut [][..]),
            Keys::One(key, _) => (std::slice::from_mut(key), &mut [][..]),
            Keys::Several(fitting) => (&mut [][..], &mut fitting[..]),
        };
        one.iter_mut().chain(several.iter_mut().flatten())
    }
}

fn list(fitting: &mut ByAlgorithm, key: Candidate, algorithms: AlgorithmSet) {
    for algorithm in algorithms.iter() {
        fitting[algorithm as usize].push(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a group has, it lists what lists of all its keys would, in the order given.
    #[test]
    fn a_group_lists_the_keys_that_fit_in_the_order_given() {
        let key = |number| Candidate {
            key: number,
            states: None,
        };
        let sets = [
            AlgorithmSet::HMAC,
            AlgorithmSet::EMPTY,
            [Algorithm::Hs256].into_iter().collect(),
            [Algorithm::Es256, Algorithm::EdDsa].into_iter().collect(),
            AlgorithmSet::ALL,
        ];
        let given = (0..).zip(sets.iter().cycle());
        for first in 0..sets.len() {
            for count in 0..=sets.len() {
                let given: Vec<_> = given.clone().skip(first).take(count).collect();
                let mut group = Group::default();
                for (number, algorithms) in &given {
                    group.add(key(*number), **algorithms);
                }
                assert_eq!(group.has_sound, count > 0);
                assert_eq!(group.has_several(), count > 1);
                let check = |group: &Group, shift| {
                    for &algorithm in Algorithm::ALL {
                        let fits = given.iter().filter(|(_, set)| set.contains(algorithm));
                        let wanted: Vec<_> = fits.map(|(number, _)| key(number + shift)).collect();
                        assert_eq!(group.fitting(algorithm), wanted, "{first} {count}");
                    }
                };
                check(&group, 0);
                // Moved behind a hundred other keys, wherever they are listed.
                group.candidates_mut().for_each(|it| it.key += 100);
                check(&group, 100);
            }
        }
    }
}
