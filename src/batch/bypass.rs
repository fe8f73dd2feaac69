//! Adaptive cache bypass: whether the next batch looks up its tokens in the cache.
//!
//! A lookup costs some ten nanoseconds, and most logs repeat nothing. Where the hits of a window of
//! batches did not pay for the lookups, these are off for a while, twice as long each time.

/// Batches between two decisions.
const WINDOW: u32 = 16;
/// Batches of the first probe; of later ones one, since the cache is no longer empty.
const FIRST_PROBE: u32 = 4;
/// The longest pause, in batches.
const MAX_PAUSE: u32 = 256;

/// What a hit saves where the signature is a MAC, in lookups.
const MAC: u64 = 12;
/// What a hit saves where it is an asymmetric signature: 16 microseconds and more.
const ASYMMETRIC: u64 = 1000;

pub(super) struct Bypass {
    mode: Mode,
    /// Batches left in this mode.
    left: u32,
    /// The length of the next pause.
    pause: u32,
    lookups: u64,
    /// What hits saved, in lookups.
    saved: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Probe,
    On,
    Off,
}

impl Bypass {
    pub(super) const fn new() -> Self {
        Self {
            mode: Mode::Probe,
            left: FIRST_PROBE,
            pause: WINDOW,
            lookups: 0,
            saved: 0,
        }
    }

    /// Lookups that are always on: batches of single tokens say nothing about a log.
    pub(super) const fn never() -> Self {
        let (mode, left) = (Mode::On, u32::MAX);
        Self {
            mode,
            left,
            ..Self::new()
        }
    }

    #[inline]
    pub(super) const fn count_lookup(&mut self) {
        self.lookups += 1;
    }

    /// A token that was noted is seen for the second time. In a probe most tokens had no chance to be
    /// seen before, so that one in 50 is a sign.
    pub(super) fn count_second(&mut self) {
        if self.mode == Mode::Probe {
            self.saved += 50;
        }
    }

    #[inline]
    pub(super) const fn count_hit(&mut self, is_mac: bool) {
        self.saved += if is_mac { MAC } else { ASYMMETRIC };
    }

    /// Whether lookups are on for the next batch.
    pub(super) fn next_batch(&mut self) -> bool {
        if self.left == 0 {
            let pays = self.saved > self.lookups;
            (self.mode, self.left) = match self.mode {
                Mode::Off => (Mode::Probe, 1),
                Mode::On if pays => {
                    self.pause = WINDOW;
                    (Mode::On, WINDOW)
                }
                Mode::Probe if pays => (Mode::On, WINDOW),
                Mode::On | Mode::Probe => {
                    let pause = self.pause;
                    self.pause = (2 * pause).min(MAX_PAUSE);
                    (Mode::Off, pause)
                }
            };
            (self.lookups, self.saved) = (0, 0);
        }
        self.left -= 1;
        self.mode != Mode::Off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `batches` look up their tokens, of which each has 100, `hits` of them cached.
    fn active(bypass: &mut Bypass, batches: u32, hits: u32, is_mac: bool) -> u32 {
        let mut active = 0;
        for _ in 0..batches {
            if bypass.next_batch() {
                active += 1;
                (0..100).for_each(|_| bypass.count_lookup());
                (0..hits).for_each(|_| bypass.count_hit(is_mac));
            }
        }
        active
    }

    #[test]
    fn lookups_stay_on_while_hits_pay_for_them() {
        let mut bypass = Bypass::new();
        assert_eq!(active(&mut bypass, 1000, 50, true), 1000);
        // One hit on an asymmetric signature pays for much more.
        assert_eq!(active(&mut bypass, 1000, 1, false), 1000);
        let few = active(&mut bypass, 10_000, 1, true);
        assert!((10..2000).contains(&few), "{few}");
        let none = active(&mut bypass, 10_000, 0, true);
        assert!((10..200).contains(&none), "{none}");
    }

    #[test]
    fn lookups_are_on_again_after_the_longest_pause() {
        let mut bypass = Bypass::new();
        active(&mut bypass, 10_000, 0, false);
        let pause = MAX_PAUSE + 1;
        assert!(active(&mut bypass, 1000 + pause, 1, false) >= 1000);
    }
}
