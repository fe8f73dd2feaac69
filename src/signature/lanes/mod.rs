//! HMAC-SHA-2 of many messages at a time: *lanes*.
//!
//! Owns the computation of tags from messages and prepared keys, the choice of a kernel, and the order
//! in which the jobs of a batch are hashed. Leaves to others which token a message belongs to, which
//! keys are tried, and what a tag is compared with.

#![cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    allow(dead_code, reason = "without lanes their support is unused")
)]
#![allow(
    unsafe_code,
    reason = "vector intrinsics; each block says what makes it sound"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation,
    reason = "of lengths and constants that are known where they are used"
)]

mod constants;
mod kernel;
mod midstate;
mod order;
mod portable;
mod self_test;
mod store;
mod stream;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod interleaved;
#[cfg(target_arch = "x86_64")]
mod shani;
#[cfg(target_arch = "x86_64")]
mod vector;

#[cfg(test)]
mod tests;

use core::fmt;

pub use kernel::Kernel;
pub use midstate::{Midstate, Midstate256, Midstate512, Word};
pub use order::Scratch;
pub use self_test::SelfTestError;
pub use store::{MidstateStore, Place};

/// A message and the key that its tag is made with.
#[derive(Clone, Copy)]
pub struct Job<'a, W: Word> {
    /// What the tag covers: of a JWT, its signing input.
    pub message: &'a [u8],
    /// The key; each job of a batch may have another one.
    pub key: &'a Midstate<W>,
}

impl<W: Word> fmt::Debug for Job<'_, W> {
    /// Shows the length alone: a message is part of a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("bytes", &self.message.len())
            .finish_non_exhaustive()
    }
}

/// A job for HMAC-SHA-256.
pub type Job256<'a> = Job<'a, u32>;
/// A job for HMAC-SHA-384 or HMAC-SHA-512, as its key says.
pub type Job512<'a> = Job<'a, u64>;

/// The jobs at `picks`.
#[inline(always)]
fn picked<'j, 'a, W: Word, const N: usize>(
    jobs: &'j [Job<'a, W>],
    picks: &[u32; N],
) -> [&'j Job<'a, W>; N] {
    let mut picked = [&jobs[0]; N];
    for (job, &at) in picked.iter_mut().zip(picks) {
        *job = &jobs[at as usize];
    }
    picked
}
