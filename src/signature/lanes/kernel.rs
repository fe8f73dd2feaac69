//! Which instructions a batch is hashed with.
//!
//! Owns the names of kernels, the choice among them and the dispatch to a back end. Leaves to
//! [`platform`](crate::platform) what the processor has.

use core::{fmt, time::Duration};
use std::{sync::OnceLock, time::Instant};

#[cfg(target_arch = "aarch64")]
use super::aarch64;
use super::{
    Job, Job256, Job512, Midstate256, Scratch,
    portable::{Few, Portable},
};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::platform::Platform;

/// Lanes below which a wide kernel leaves SHA-256 to the SHA extensions. On a Zen 4 they take 64
/// cycles a block if there are three messages; AVX-512 takes 1,020 for all lanes together, and half
/// of it where the vector unit is twice as wide, which is where that kernel is chosen.
#[cfg(target_arch = "x86_64")]
const FEW_FOR_SHANI: usize = 8;
/// The same without SHA extensions, where `sha2` takes some 300 cycles a block.
#[cfg(target_arch = "x86_64")]
const FEW_256: usize = 4;
/// The same for SHA-512, where `sha2` takes 800 cycles a block and all lanes together 1,350.
#[cfg(target_arch = "x86_64")]
const FEW_512: usize = 2;

/// A way to compute HMAC-SHA-2 for a batch of messages; all give the same tags.
///
/// | name | SHA-256 | SHA-384, SHA-512 |
/// |---|---|---|
/// | `shani` | SHA extensions, three messages | as `avx512`, else as `avx2` |
/// | `avx512` | sixteen lanes | eight lanes |
/// | `avx2` | eight lanes | four lanes |
/// | `aarch64-sha2` | SHA-2 extension, three messages | as `portable` |
/// | `portable` | one message after another, by `sha2` | the same |
///
/// The rest of a batch, too few messages to fill the lanes of `avx512` or `avx2`, is hashed by the
/// SHA extensions if there are any, and else by `sha2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernel(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Shani,
    Avx512,
    Avx2,
    Aarch64Sha2,
    Portable,
}

impl Kernel {
    /// Every kernel there is, on this processor or another.
    #[must_use]
    pub const fn all() -> &'static [Self] {
        &[
            Self(Kind::Shani),
            Self(Kind::Avx512),
            Self(Kind::Avx2),
            Self(Kind::Aarch64Sha2),
            Self(Kind::Portable),
        ]
    }

    /// Those that this processor can run; `portable` is always among them.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::all().iter().copied().filter(Self::is_available)
    }

    /// The fastest available one for batches of usual tokens, chosen once in the life of the process.
    ///
    /// The order is that of [`all`](Self::all), but where a processor has both the SHA extensions
    /// and AVX-512, no order is right: on a Zen 4 each takes 64 cycles a block; elsewhere a vector
    /// unit of twice the width, or a slower SHA unit, puts AVX-512 ahead. So then both are timed,
    /// once, for about a tenth of a millisecond. AVX-512 must win clearly, because it loses more by
    /// small and uneven batches. A wrong choice costs time, never a verdict.
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| {
            let [shani, avx512] = [Self(Kind::Shani), Self(Kind::Avx512)];
            if shani.is_available() && avx512.is_available() {
                let [shani_time, avx512_time] = race([shani, avx512]);
                if avx512_time < shani_time.mul_f32(0.9) {
                    return avx512;
                }
            }
            Self::available().next().unwrap_or(Self(Kind::Portable))
        })
    }

    /// The kernel called `name`, whether it is available or not.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all()
            .iter()
            .copied()
            .find(|kernel| kernel.name() == name)
    }

    /// The name that [`by_name`](Self::by_name) knows it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.0 {
            Kind::Shani => "shani",
            Kind::Avx512 => "avx512",
            Kind::Avx2 => "avx2",
            Kind::Aarch64Sha2 => "aarch64-sha2",
            Kind::Portable => "portable",
        }
    }

    /// Whether this processor has the instructions.
    #[must_use]
    pub fn is_available(&self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Shani => Platform::detect().shani.is_some(),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => Platform::detect().avx512.is_some(),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => Platform::detect().avx2.is_some(),
            #[cfg(target_arch = "aarch64")]
            Kind::Aarch64Sha2 => Platform::detect().sha2.is_some(),
            Kind::Portable => true,
            _ => false,
        }
    }

    /// Computes the HMAC-SHA-256 of every job: `tags[i]` is that of `jobs[i]`.
    ///
    /// A kernel that is not available computes the same as `portable` does. Nothing is allocated
    /// once `scratch` had as many jobs before.
    ///
    /// # Panics
    ///
    /// If there are not as many tags as jobs, or 2^32 jobs or more.
    pub(crate) fn hmac_sha256(
        self,
        jobs: &[Job256<'_>],
        scratch: &mut Scratch,
        tags: &mut [[u8; 32]],
    ) {
        assert_eq!(jobs.len(), tags.len(), "one tag a job");
        #[cfg(target_arch = "x86_64")]
        {
            let platform = Platform::detect();
            let (few, below): (&dyn Few<_, 64, _>, _) = match &platform.shani {
                Some(shani) => (shani, FEW_FOR_SHANI),
                None => (&Portable, FEW_256),
            };
            if let (Kind::Shani, Some(shani)) = (self.0, platform.shani) {
                return shani.hmac(jobs, scratch.by_blocks::<_, 64>(jobs), tags);
            }
            if let (Kind::Avx512, Some(avx512)) = (self.0, platform.avx512) {
                let order = scratch.by_blocks::<_, 64>(jobs);
                return avx512::hmac256(avx512, jobs, order, tags, few, below);
            }
            if let (Kind::Avx2, Some(avx2)) = (self.0, platform.avx2) {
                let order = scratch.by_blocks::<_, 64>(jobs);
                return avx2::hmac256(avx2, jobs, order, tags, few, below);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if let (Kind::Aarch64Sha2, Some(sha2)) = (self.0, Platform::detect().sha2) {
            return aarch64::hmac256(sha2, jobs, scratch.by_blocks::<_, 64>(jobs), tags);
        }
        Portable.hmac(jobs, scratch.as_given(jobs.len()), tags);
    }

    /// Computes the HMAC-SHA-512 of every job: `tags[i]` is that of `jobs[i]`.
    ///
    /// For HMAC-SHA-384 the keys are `Midstate512::new_384`, and the tag is the first 48 bytes. A
    /// kernel that is not available computes the same as `portable` does.
    ///
    /// # Panics
    ///
    /// If there are not as many tags as jobs, or 2^32 jobs or more.
    pub(crate) fn hmac_sha512(
        self,
        jobs: &[Job512<'_>],
        scratch: &mut Scratch,
        tags: &mut [[u8; 64]],
    ) {
        assert_eq!(jobs.len(), tags.len(), "one tag a job");
        #[cfg(target_arch = "x86_64")]
        {
            let platform = Platform::detect();
            // The SHA-512 extensions of x86-64 are only on processors too new to be tested, so
            // `shani` takes the widest lanes there are.
            if let (Kind::Avx512 | Kind::Shani, Some(avx512)) = (self.0, platform.avx512) {
                let order = scratch.by_blocks::<_, 128>(jobs);
                return avx512::hmac512(avx512, jobs, order, tags, &Portable, FEW_512);
            }
            if let (Kind::Avx2 | Kind::Shani, Some(avx2)) = (self.0, platform.avx2) {
                let order = scratch.by_blocks::<_, 128>(jobs);
                return avx2::hmac512(avx2, jobs, order, tags, &Portable, FEW_512);
            }
        }
        Portable.hmac(jobs, scratch.as_given(jobs.len()), tags);
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The time of each of two kernels for the same batch: the least of several rounds, taken in turn.
fn race(kernels: [Kernel; 2]) -> [Duration; 2] {
    // Three times sixteen messages, of a usual signing input's length in bytes.
    const JOBS: usize = 48;
    const BYTES: usize = 330;
    const ROUNDS: usize = 8;
    let key = Midstate256::new(&[]);
    let jobs = [Job {
        message: &[0; BYTES],
        key: &key,
    }; JOBS];
    let mut tags = [[0; 32]; JOBS];
    let mut scratch = Scratch::new();
    let mut least = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (kernel, least) in kernels.iter().zip(&mut least) {
            let start = Instant::now();
            kernel.hmac_sha256(&jobs, &mut scratch, &mut tags);
            *least = start.elapsed().min(*least);
        }
    }
    least
}
