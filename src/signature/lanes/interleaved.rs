//! SHA-256 by instructions that hash one message, with several messages alternating: the part that
//! all instruction sets share.
//!
//! One message leaves such a unit idle most of the time: each step waits for the result of the one
//! before. Three independent messages fill the gaps.
//!
//! ```text
//! while all three streams have a block:  load one of each; four rounds of each in turn, 16 times
//! the same with the two that are left, then with one
//! outer hash: the inner state, a mark and a length are the words of the one last block
//! ```
//!
//! Owns the order of blocks and steps. Leaves to the modules that use the macro what a step is. It is
//! a macro for the reason given in `vector`.
//!
//! Such a module has, safe wherever its features are:
//! - `Words`, four words of a block, and `zero() -> Words`;
//! - `State`, `Copy`, with `load(&[u32; 8])`, `tag() -> [u8; 32]`, `plus(State) -> State`, and
//!   `words() -> [Words; 2]`, its own words as those of a block;
//! - `load(&[u8; 64]) -> [Words; 4]`; `first(word) -> Words` and `last(word) -> Words`, the word at
//!   that end and zeros;
//! - `four_rounds::<N, STEP>(&mut [State; N], &mut [[Words; 4]; N])`, the rounds from
//!   `4 * STEP` on.

/// Defines `batch` and `absorb` on top of the functions named above.
macro_rules! interleaved_batch {
    (features: $features:literal) => {
        /// Messages at a time.
        const LANES: usize = 3;

        /// One block of each of several messages.
        ///
        /// A macro, and no function or loop: the compiler would not inline a function of this size,
        /// and the states would pass through memory; it would not unroll the loop, and the schedule
        /// would be in memory.
        macro_rules! compress {
            ($states:ident, $words:ident) => {
                let before = *$states;
                four_rounds::<N, 0>($states, &mut $words);
                four_rounds::<N, 1>($states, &mut $words);
                four_rounds::<N, 2>($states, &mut $words);
                four_rounds::<N, 3>($states, &mut $words);
                four_rounds::<N, 4>($states, &mut $words);
                four_rounds::<N, 5>($states, &mut $words);
                four_rounds::<N, 6>($states, &mut $words);
                four_rounds::<N, 7>($states, &mut $words);
                four_rounds::<N, 8>($states, &mut $words);
                four_rounds::<N, 9>($states, &mut $words);
                four_rounds::<N, 10>($states, &mut $words);
                four_rounds::<N, 11>($states, &mut $words);
                four_rounds::<N, 12>($states, &mut $words);
                four_rounds::<N, 13>($states, &mut $words);
                four_rounds::<N, 14>($states, &mut $words);
                four_rounds::<N, 15>($states, &mut $words);
                for i in 0..N {
                    $states[i] = $states[i].plus(before[i]);
                }
            };
        }

        /// All jobs of `order`, three by three.
        #[target_feature(enable = $features)]
        fn batch(jobs: &[Job256<'_>], order: &[u32], tags: &mut [[u8; 32]]) {
            let mut tails = [Tail::new(); LANES];
            let (full, rest) = order.as_chunks::<LANES>();
            for picks in full {
                group(jobs, picks, tags, &mut tails);
            }
            if let Some(picks) = rest.first_chunk() {
                group(jobs, picks, tags, &mut [Tail::new(); 2]);
            } else if let Some(picks) = rest.first_chunk() {
                group(jobs, picks, tags, &mut [Tail::new(); 1]);
            }
        }

        /// The jobs `picks`, which come longest first.
        #[inline]
        #[target_feature(enable = $features)]
        fn group<const N: usize>(
            jobs: &[Job256<'_>],
            picks: &[u32; N],
            tags: &mut [[u8; 32]],
            tails: &mut [Tail<64>; N],
        ) {
            let picked = picked(jobs, picks);
            let streams = Stream::each(&picked, tails);
            let states = &mut [State::load(&[0; 8]); N];
            for i in 0..N {
                states[i] = State::load(picked[i].key.inner());
            }
            absorb(states, &streams, 0);
            // The outer hash reads one block: the inner digest, the mark, zeros, and the length of
            // the key's block and the digest in bits. The digest's words never become bytes.
            let mut words = [[zero(); 4]; N];
            for i in 0..N {
                let [low, high] = states[i].words();
                words[i] = [low, high, first(1 << 31), last(8 * (64 + 32))];
                states[i] = State::load(picked[i].key.outer());
            }
            compress!(states, words);
            for i in 0..N {
                tags[picks[i] as usize] = states[i].tag();
            }
        }

        /// Every block of the streams from `from` on: three streams together until the shortest
        /// ends, then two, then one. The longest is first.
        #[inline]
        #[target_feature(enable = $features)]
        fn absorb(states: &mut [State], streams: &[Stream<'_, 64>], mut from: usize) {
            if let (Some(states), Some(streams)) = (states.first_chunk_mut(), streams.first_chunk())
            {
                from = together::<3>(states, streams, from);
            }
            if let (Some(states), Some(streams)) = (states.first_chunk_mut(), streams.first_chunk())
            {
                from = together::<2>(states, streams, from);
            }
            if let (Some(states), Some(streams)) = (states.first_chunk_mut(), streams.first_chunk())
            {
                together::<1>(states, streams, from);
            }
        }

        /// Blocks from `from` on until the last stream ends; returns the next block of the others.
        #[inline]
        #[target_feature(enable = $features)]
        fn together<const N: usize>(
            states: &mut [State; N],
            streams: &[Stream<'_, 64>; N],
            from: usize,
        ) -> usize {
            let end = streams[N - 1].blocks().max(from);
            for at in from..end {
                let blocks = Stream::blocks_at(streams, at);
                let mut words = [[zero(); 4]; N];
                for i in 0..N {
                    words[i] = load(blocks[i]);
                }
                compress!(states, words);
            }
            end
        }
    };
}

pub(super) use interleaved_batch;
