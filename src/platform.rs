//! Which instructions this processor has: one detection for all vector code.
//!
//! Owns the detection, and a *proof* for each set of instructions: a value that detection alone can
//! make. Whoever holds one may call functions with these `target_feature`s, and names it in the
//! `unsafe` block of the call. Leaves to each back end which set it prefers. A set is added by one
//! line here.

#[cfg(target_arch = "aarch64")]
use std::arch::is_aarch64_feature_detected as is_detected;
#[cfg(target_arch = "x86_64")]
use std::arch::is_x86_feature_detected as is_detected;
use std::sync::OnceLock;

/// Defines the proofs, and [`Platform`] with a field for each.
macro_rules! platform {
    ($($arch:literal $field:ident: $Proof:ident = [$($feature:tt),+])+) => {
        $(
            #[doc = concat!("Proof that the processor has ", $($feature, " ",)+ "on ", $arch, ".")]
            #[cfg(target_arch = $arch)]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) struct $Proof(());
        )+

        /// The instructions that back ends may use: all that the processor has, or fewer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct Platform {
            $(
                #[cfg(target_arch = $arch)]
                pub(crate) $field: Option<$Proof>,
            )+
        }

        impl Platform {
            /// All that this processor has, detected once in the life of the process.
            #[inline]
            pub(crate) fn detect() -> Self {
                static DETECTED: OnceLock<Platform> = OnceLock::new();
                *DETECTED.get_or_init(|| Self {
                    $(
                        #[cfg(target_arch = $arch)]
                        $field: ($(is_detected!($feature))&&+).then_some($Proof(())),
                    )+
                })
            }

            /// All that this processor has, then fewer and fewer, down to nothing: so that a test
            /// runs every back end.
            #[cfg(test)]
            pub(crate) fn each() -> Vec<Self> {
                let mut platforms = vec![Self::detect()];
                $(
                    #[cfg(target_arch = $arch)]
                    platforms.push(Self {
                        $field: None,
                        ..platforms[platforms.len() - 1]
                    });
                )+
                platforms
            }
        }
    };
}

// A set comes before those that it includes. SSE2 and Advanced SIMD are in the baseline of their
// architectures and listed all the same, so that a test can do without them.
platform! {
    "x86_64" shani: Shani = ["sha", "sse4.1", "ssse3"]
    "x86_64" vbmi: Vbmi = ["avx512vbmi", "avx512bw", "avx512f", "avx2", "bmi1", "bmi2"]
    "x86_64" avx512: Avx512 = ["avx512bw", "avx512f", "avx2", "bmi1", "bmi2"]
    "x86_64" avx2: Avx2 = ["avx2", "bmi1", "bmi2"]
    "x86_64" sse2: Sse2 = ["sse2"]
    "aarch64" sha2: Sha2 = ["sha2", "neon"]
    "aarch64" neon: Neon = ["neon"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_platform_of_all_is_the_portable_one() {
        let platforms = Platform::each();
        assert_eq!(platforms.first(), Some(&Platform::detect()));
        let last = format!("{:?}", platforms.last().unwrap());
        assert!(!last.contains("Some"), "{last}");
    }
}
