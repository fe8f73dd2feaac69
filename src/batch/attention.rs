//! Whether it pays to look for tokens that come again: an account of what looking costs and saves,
//! and rests while it does not pay.

/// Over how many blocks an account is kept.
const WINDOW: u32 = 16;
/// For how many blocks a stream is looked at, at its beginning, to see whether it repeats.
const FIRST_PROBE: u32 = 4;
/// The longest time without a look, in blocks.
const LONGEST_REST: u32 = 256;

/// What it costs to remember a token, in looks at one; a look takes some ten nanoseconds.
const STORING: u64 = 6;
/// What a hit saves, in looks: a header, a MAC, a payload and its claims, less the walk back to them.
const MAC: u64 = 12;
/// The same where the signature is by a private key: sixteen microseconds, and more.
const PUBLIC: u64 = 1000;

/// The account of one memory.
pub(super) struct Attention {
    state: State,
    /// For how many blocks to rest the next time that it does not pay.
    next_rest: u32,
    /// Since the state began: how many tokens were looked for, how many of them had come before, and
    /// what that cost and saved, in looks.
    looked: u64,
    again: u64,
    cost: u64,
    saved: u64,
}

enum State {
    /// Looks, to see whether a closer look is worth it; so many blocks are left.
    Probing(u32),
    /// Looks at every block; so many are left until it is asked whether that pays.
    Looking(u32),
    /// Looks at nothing for so many blocks.
    Resting(u32),
}

impl Attention {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Probing(FIRST_PROBE),
            next_rest: WINDOW,
            looked: 0,
            again: 0,
            cost: 0,
            saved: 0,
        }
    }

    /// A token is looked for.
    #[inline]
    pub(super) const fn look(&mut self) {
        self.looked += 1;
        self.cost += 1;
    }

    /// A token that had only been noted before comes again.
    pub(super) const fn see_again(&mut self) {
        self.again += 1;
    }

    /// A token is remembered from now on.
    pub(super) const fn store(&mut self) {
        self.cost += STORING;
    }

    /// A token is found.
    #[inline]
    pub(super) const fn hit(&mut self, is_mac: bool) {
        self.again += 1;
        self.saved += if is_mac { MAC } else { PUBLIC };
    }

    /// Whether to look at the next block.
    pub(super) fn next_block(&mut self) -> bool {
        let (is_sign, pays) = (self.is_sign(), self.pays());
        match &mut self.state {
            State::Probing(0) if is_sign => self.begin(State::Looking(WINDOW - 1)),
            State::Looking(0) if pays => {
                self.next_rest = WINDOW;
                self.begin(State::Looking(WINDOW - 1))
            }
            State::Probing(0) | State::Looking(0) => {
                let rest = self.next_rest;
                self.next_rest = (2 * rest).min(LONGEST_REST);
                self.begin(State::Resting(rest - 1))
            }
            State::Resting(0) => self.begin(State::Probing(0)),
            State::Probing(left) | State::Looking(left) => {
                *left -= 1;
                true
            }
            State::Resting(left) => {
                *left -= 1;
                false
            }
        }
    }

    /// In a probe most tokens had no chance to be seen before, and one in fifty is a sign.
    const fn is_sign(&self) -> bool {
        self.again > 0 && (self.again >= self.looked / 50 || self.pays())
    }

    const fn pays(&self) -> bool {
        self.saved >= self.cost
    }

    fn begin(&mut self, state: State) -> bool {
        self.state = state;
        (self.looked, self.again, self.cost, self.saved) = (0, 0, 0, 0);
        !matches!(self.state, State::Resting(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many blocks are looked at, with a hundred tokens in each, of which so many
    /// are found.
    fn looks(attention: &mut Attention, blocks: u32, found: u32, is_mac: bool) -> u32 {
        let mut looks = 0;
        for _ in 0..blocks {
            if attention.next_block() {
                looks += 1;
                (0..100).for_each(|_| attention.look());
                (0..found).for_each(|_| attention.hit(is_mac));
                (found..100).for_each(|_| attention.store());
            }
        }
        looks
    }

    #[test]
    fn it_looks_while_hits_pay_for_the_rest() {
        let mut attention = Attention::new();
        assert_eq!(looks(&mut attention, 1000, 50, true), 1000);
        // A hit on a public key pays for much more.
        assert_eq!(looks(&mut attention, 1000, 1, false), 1000);
        let few = looks(&mut attention, 10_000, 1, true);
        assert!((10..2000).contains(&few), "{few}");
        let none = looks(&mut attention, 10_000, 0, true);
        assert!((10..200).contains(&none), "{none}");
    }

    #[test]
    fn it_wakes_within_its_longest_rest() {
        let mut attention = Attention::new();
        looks(&mut attention, 10_000, 0, false);
        let rest = LONGEST_REST + 1;
        assert!(looks(&mut attention, 1000 + rest, 1, false) >= 1000);
    }
}
