//! SHA-2 with one message in each lane of a vector register: the part that all instruction sets and
//! both word sizes share.
//!
//! ```text
//! states = the inner keys, transposed: one vector for each of eight words, a message in each lane
//! for each block, as long as any message has one:
//!     words = one block of each message, transposed and byte-swapped
//!     64 or 80 rounds; then states += the result, in the lanes whose message has this block
//!     if few lanes are live, another back end finishes their messages
//! once more for the outer hash: words = states, mark, zeros, length; states = the outer keys
//! tags = states, byte-swapped and transposed back
//! ```
//!
//! Owns the rounds, and the order of blocks. Leaves to the modules that use the macro what an
//! addition, a rotation or a load is on their instruction set.
//!
//! It is a macro and not a generic function over a trait because a function may be safe and have
//! `target_feature` only outside of traits: written this way, all of the arithmetic is safe code.
//!
//! Such a module names its vector `V` and has functions, safe wherever its features are:
//! - `splat(word) -> V`, `add(V, V) -> V`, `and(V, V) -> V`;
//! - `big0`, `big1`, `small0`, `small1`: FIPS 180-4's Σ₀ Σ₁ σ₀ σ₁; `ch` and `maj`;
//! - `swap(V) -> V`: the bytes of each word reversed, since SHA-2 is big-endian;
//! - `select(live, new, old) -> V`: of `new` the first `live` lanes, of `old` the others;
//! - `gather_square(rows, part) -> [V; SQUARE]`: of a row of bytes for each lane the sixteen from
//!   `16 * part` on, as a vector for each word in them; `scatter_square([V; SQUARE]) -> [__m128i;
//!   LANES]`, the opposite.
//!
//! Words are transposed in squares of sixteen bytes, within the quarters of a register: that takes
//! half the shuffles of whole rows.

/// Defines `batch` on top of the functions named above.
macro_rules! vector_batch {
    (
        features: $features:literal, word: $word:ty, lanes: $lanes:literal,
        block: $block:literal, tag: $tag:literal, constants: $constants:expr,
    ) => {
        use super::super::{
            Job,
            midstate::Seam,
            picked,
            portable::Few,
            stream::{Stream, Tail},
        };

        /// Messages at a time.
        const LANES: usize = $lanes;
        /// Words in sixteen bytes.
        const SQUARE: usize = 16 / size_of::<$word>();

        /// All jobs of `order`, as many at a time as there are lanes.
        ///
        /// `below` is the number of lanes for which `few` is the faster: it takes such a rest.
        #[target_feature(enable = $features)]
        pub(super) fn batch(
            jobs: &[Job<'_, $word>],
            order: &[u32],
            tags: &mut [[u8; $tag]],
            few: &dyn Few<$word, $block, [u8; $tag]>,
            below: usize,
        ) {
            let mut tails = [Tail::new(); LANES];
            let (full, rest) = order.as_chunks::<LANES>();
            for picks in full {
                group(jobs, picks, tags, &mut tails, few, below);
            }
            if let Some(&last) = rest.last() {
                if rest.len() < below {
                    few.hmac(jobs, rest, tags);
                } else {
                    // Lanes without a job repeat the shortest: they end first, and write the same
                    // tag again.
                    let mut picks = [last; LANES];
                    picks[..rest.len()].copy_from_slice(rest);
                    group(jobs, &picks, tags, &mut tails, few, below);
                }
            }
        }

        /// The jobs `picks`, which come longest first.
        #[target_feature(enable = $features)]
        fn group(
            jobs: &[Job<'_, $word>],
            picks: &[u32; LANES],
            tags: &mut [[u8; $tag]],
            tails: &mut [Tail<$block>; LANES],
            few: &dyn Few<$word, $block, [u8; $tag]>,
            below: usize,
        ) {
            let picked = picked(jobs, picks);
            let streams = Stream::each(&picked, tails);
            let mut keys = [picked[0].key.inner(); LANES];
            for lane in 0..LANES {
                keys[lane] = picked[lane].key.inner();
            }
            let mut states = gather(&keys);

            // Lanes whose stream has ended wait for the longer ones, which come before them.
            let mut live = LANES;
            let mut at = 0;
            // The outer hash is the last pass of the same loop, so that the rounds are compiled once:
            // a function of that size is not inlined, and its arguments pass through memory.
            loop {
                let last = live == 0;
                let mut w = if last {
                    let words = outer_block(&states, &picked);
                    for lane in 0..LANES {
                        keys[lane] = picked[lane].key.outer();
                    }
                    states = gather(&keys);
                    live = LANES;
                    words
                } else {
                    load(&Stream::blocks_at(&streams, at))
                };
                let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = states;
                // Names rotate instead of values: `h` becomes the new `a` and `d` the new `e` in place,
                // and the next round calls them so.
                macro_rules! round {
                    (
                        $k:ident $i:literal
                        [$a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident]
                    ) => {
                        let sum = add(add(w[$i], splat($k[$i])), add(big1($e), ch($e, $f, $g)));
                        let sum = add($h, sum);
                        $d = add($d, sum);
                        $h = add(sum, add(big0($a), maj($a, $b, $c)));
                    };
                }
                // After the first sixteen rounds, a word of the schedule replaces the one of sixteen
                // rounds before when it is needed.
                macro_rules! schedule_round {
                    ($k:ident $i:literal $names:tt) => {
                        w[$i] = add(
                            add(w[$i], small0(w[($i + 1) % 16])),
                            add(w[($i + 9) % 16], small1(w[($i + 14) % 16])),
                        );
                        round!($k $i $names);
                    };
                }
                macro_rules! turn {
                    ($round:ident, $k:ident) => {
                        $round!($k 0 [a b c d e f g h]);
                        $round!($k 1 [h a b c d e f g]);
                        $round!($k 2 [g h a b c d e f]);
                        $round!($k 3 [f g h a b c d e]);
                        $round!($k 4 [e f g h a b c d]);
                        $round!($k 5 [d e f g h a b c]);
                        $round!($k 6 [c d e f g h a b]);
                        $round!($k 7 [b c d e f g h a]);
                        $round!($k 8 [a b c d e f g h]);
                        $round!($k 9 [h a b c d e f g]);
                        $round!($k 10 [g h a b c d e f]);
                        $round!($k 11 [f g h a b c d e]);
                        $round!($k 12 [e f g h a b c d]);
                        $round!($k 13 [d e f g h a b c]);
                        $round!($k 14 [c d e f g h a b]);
                        $round!($k 15 [b c d e f g h a]);
                    };
                }
                let [first, later @ ..] = &$constants;
                turn!(round, first);
                for k in later {
                    turn!(schedule_round, k);
                }
                let mut i = 0;
                for word in [a, b, c, d, e, f, g, h] {
                    states[i] = select(live, add(states[i], word), states[i]);
                    i += 1;
                }
                if last {
                    break;
                }
                at += 1;
                while live > 0 && streams[live - 1].blocks() == at {
                    live -= 1;
                }
                if 0 < live && live < below {
                    let mut rest = scatter(&states);
                    few.absorb(&mut rest[..live], &streams[..live], at);
                    states = gather(&rest.each_ref());
                    live = 0;
                }
            }
            scatter_tags(&states, tags, picks);
        }

        /// The one block that HMAC's outer hash reads after the key's: the inner digest, the mark,
        /// zeros, and the length of both in bits. The digest is all words of the states, or the first
        /// six.
        #[inline]
        #[target_feature(enable = $features)]
        fn outer_block(inner: &[V; 8], jobs: &[&Job<'_, $word>; LANES]) -> [V; 16] {
            let mut words = [splat(0); 16];
            words[..8].copy_from_slice(inner);
            if size_of::<$word>() == 4 {
                words[8] = splat(Seam::<$word>::EIGHT.eight);
                words[15] = splat(Seam::<$word>::EIGHT.bits);
            } else {
                let mut seams = [[0; LANES]; 4];
                for lane in 0..LANES {
                    let seam = jobs[lane].key.seam();
                    seams[0][lane] = seam.keep;
                    seams[1][lane] = seam.six;
                    seams[2][lane] = seam.eight;
                    seams[3][lane] = seam.bits;
                }
                let keep = row(&seams[0]);
                words[6] = add(and(words[6], keep), row(&seams[1]));
                words[7] = and(words[7], keep);
                words[8] = row(&seams[2]);
                words[15] = row(&seams[3]);
            }
            words
        }

        /// A word for each lane.
        #[inline]
        #[target_feature(enable = $features)]
        fn row(words: &[$word; LANES]) -> V {
            const { assert!(size_of::<V>() == size_of::<[$word; LANES]>()) };
            // SAFETY: a vector has as many bytes as the array, all of them are readable, any bytes
            // are a vector, and the load needs no alignment.
            unsafe { words.as_ptr().cast::<V>().read_unaligned() }
        }

        /// The words of a block of each message.
        #[inline]
        #[target_feature(enable = $features)]
        fn load(blocks: &[&[u8; $block]; LANES]) -> [V; 16] {
            let mut words = [splat(0); 16];
            for part in 0..16 / SQUARE {
                let square = gather_square(blocks, part);
                for i in 0..SQUARE {
                    words[SQUARE * part + i] = swap(square[i]);
                }
            }
            words
        }

        /// States side by side: word by word, a lane each.
        #[inline]
        #[target_feature(enable = $features)]
        fn gather(states: &[&[$word; 8]; LANES]) -> [V; 8] {
            let mut rows = [&[0; $tag]; LANES];
            for lane in 0..LANES {
                let words: *const [$word; 8] = states[lane];
                // SAFETY: a state has as many bytes as a tag, all of them are initialised, and
                // bytes ask no alignment.
                rows[lane] = unsafe { &*words.cast::<[u8; $tag]>() };
            }
            let mut words = [splat(0); 8];
            for part in 0..8 / SQUARE {
                words[SQUARE * part..][..SQUARE].copy_from_slice(&gather_square(&rows, part));
            }
            words
        }

        /// Sixteen bytes from `16 * part` on.
        #[inline]
        #[target_feature(enable = $features)]
        fn read<const B: usize>(row: &[u8; B], part: usize) -> __m128i {
            let bytes: &[u8; 16] = &row.as_chunks().0[part];
            // SAFETY: sixteen bytes are readable there, those of the array; no alignment is needed.
            unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
        }

        /// States one after another, the opposite of [`gather`].
        #[inline]
        #[target_feature(enable = $features)]
        fn scatter(words: &[V; 8]) -> [[$word; 8]; LANES] {
            let mut states = [[0; 8]; LANES];
            for part in 0..8 / SQUARE {
                let rows = scatter_square(words.as_chunks().0[part]);
                for lane in 0..LANES {
                    let words: &mut [$word; SQUARE] = &mut states[lane].as_chunks_mut().0[part];
                    // SAFETY: `SQUARE` words, which are sixteen bytes, are writable there; the
                    // store needs no alignment.
                    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), rows[lane]) };
                }
            }
            states
        }

        /// Tags one after another, from the states that are their words.
        #[inline]
        #[target_feature(enable = $features)]
        fn scatter_tags(words: &[V; 8], tags: &mut [[u8; $tag]], picks: &[u32; LANES]) {
            for part in 0..8 / SQUARE {
                let mut square: [V; SQUARE] = words.as_chunks().0[part];
                for word in &mut square {
                    *word = swap(*word);
                }
                let rows = scatter_square(square);
                for lane in 0..LANES {
                    let tag = &mut tags[picks[lane] as usize];
                    let bytes: &mut [u8; 16] = &mut tag.as_chunks_mut().0[part];
                    // SAFETY: sixteen bytes are writable there; the store needs no alignment.
                    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), rows[lane]) };
                }
            }
        }
    };
}

pub(super) use vector_batch;
