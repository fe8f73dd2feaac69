//! Every available kernel against the `hmac` crate.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use super::*;

/// The slow and obvious way.
fn naive256(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    hmac.update(message);
    hmac.finalize().into_bytes().into()
}

fn naive384(secret: &[u8], message: &[u8]) -> [u8; 48] {
    let mut hmac = Hmac::<Sha384>::new_from_slice(secret).unwrap();
    hmac.update(message);
    hmac.finalize().into_bytes().into()
}

fn naive512(secret: &[u8], message: &[u8]) -> [u8; 64] {
    let mut hmac = Hmac::<Sha512>::new_from_slice(secret).unwrap();
    hmac.update(message);
    hmac.finalize().into_bytes().into()
}

/// Numbers that look random and are the same in every run (xorshift, seed fixed).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}

/// Secrets shorter than a block, of one block and longer, for both block sizes; and none at all.
fn secrets() -> Vec<Vec<u8>> {
    let mut numbers = Numbers(7);
    [0, 1, 32, 63, 64, 65, 127, 128, 129, 300]
        .map(|len| numbers.bytes(len))
        .into()
}

/// Messages with the number of the secret that each is to be signed with.
type Batch<'a> = [(&'a [u8], usize)];

/// Compares all tags of a batch, for SHA-256, SHA-384 and SHA-512.
fn check(kernel: Kernel, batch: &Batch<'_>, scratch: &mut Scratch) {
    let secrets = secrets();
    let keys: Vec<_> = secrets
        .iter()
        .map(|secret| Midstate256::new(secret))
        .collect();
    let jobs: Vec<_> = batch
        .iter()
        .map(|&(message, key)| Job256 {
            message,
            key: &keys[key],
        })
        .collect();
    let mut tags = vec![[0xee; 32]; jobs.len()];
    kernel.hmac_sha256(&jobs, scratch, &mut tags);
    for (at, (&(message, key), tag)) in batch.iter().zip(&tags).enumerate() {
        let expected = naive256(&secrets[key], message);
        assert_eq!(
            *tag,
            expected,
            "{kernel} SHA-256 job {at} of {} bytes",
            message.len()
        );
    }

    let keys: Vec<_> = secrets
        .iter()
        .enumerate()
        .map(|(at, secret)| match at % 2 {
            0 => Midstate512::new_512(secret),
            _ => Midstate512::new_384(secret),
        })
        .collect();
    let jobs: Vec<_> = batch
        .iter()
        .map(|&(message, key)| Job512 {
            message,
            key: &keys[key],
        })
        .collect();
    let mut tags = vec![[0xee; 64]; jobs.len()];
    kernel.hmac_sha512(&jobs, scratch, &mut tags);
    for (at, (&(message, key), tag)) in batch.iter().zip(&tags).enumerate() {
        match key % 2 {
            0 => {
                let expected = naive512(&secrets[key], message);
                assert_eq!(
                    *tag,
                    expected,
                    "{kernel} SHA-512 job {at} of {} bytes",
                    message.len()
                );
            }
            _ => {
                let expected = naive384(&secrets[key], message);
                assert_eq!(
                    tag[..48],
                    expected,
                    "{kernel} SHA-384 job {at} of {}",
                    message.len()
                );
            }
        }
    }
}

#[test]
fn every_length_in_every_lane() {
    // Past sixteen blocks of SHA-256 and eight of SHA-512, through every remainder; as many
    // messages of a length as the widest kernel has lanes, each with a content and an address of
    // its own.
    let mut numbers = Numbers(1);
    let bytes = numbers.bytes(1024 + 16);
    let keys = secrets().len();
    let mut scratch = Scratch::new();
    for kernel in Kernel::available() {
        for len in 0..=1024 {
            let batch: Vec<_> = (0..16)
                .map(|lane| (&bytes[lane..lane + len], (lane + len) % keys))
                .collect();
            check(kernel, &batch, &mut scratch);
        }
    }
}

#[test]
fn batches_of_every_size_with_mixed_lengths_and_keys() {
    // 70: four groups of the widest kernel and a rest.
    let mut numbers = Numbers(2);
    let bytes = numbers.bytes(10_000);
    let keys = secrets().len();
    let mut scratch = Scratch::new();
    for kernel in Kernel::available() {
        for size in 0..=70 {
            let batch: Vec<_> = (0..size)
                .map(|_| {
                    let start = numbers.below(5_000);
                    (
                        &bytes[start..start + numbers.below(5_000)],
                        numbers.below(keys),
                    )
                })
                .collect();
            check(kernel, &batch, &mut scratch);
        }
    }
}

#[test]
fn lanes_that_end_one_after_another() {
    // One block more in each lane, so that a group is left by its lanes one at a time, down to
    // where another back end takes the last ones; forwards and backwards, for the order is not the
    // batch's.
    let bytes = Numbers(3).bytes(128 * 20);
    let mut scratch = Scratch::new();
    for kernel in Kernel::available() {
        for size in 1..=20 {
            let mut batch: Vec<_> = (0..size).map(|at| (&bytes[..128 * at], at % 3)).collect();
            check(kernel, &batch, &mut scratch);
            batch.reverse();
            check(kernel, &batch, &mut scratch);
        }
    }
}

#[test]
fn long_messages_among_short_ones() {
    let bytes = Numbers(4).bytes(1 << 20);
    let mut scratch = Scratch::new();
    for kernel in Kernel::available() {
        let mut batch: Vec<_> = (0..40)
            .map(|at| (&bytes[at..7 * at + 300], at % 10))
            .collect();
        batch[5].0 = &bytes;
        batch[17].0 = &bytes[1..200_000];
        batch[39].0 = &bytes[3..70_000];
        check(kernel, &batch, &mut scratch);
    }
}

/// On one machine a wide kernel has only one companion for few lanes. Here it gets both, and hands
/// over as early and as late as it can.
#[cfg(target_arch = "x86_64")]
#[test]
fn any_companion_from_any_number_of_lanes() {
    use super::{
        avx2, avx512,
        portable::{Few, Portable},
    };
    use crate::platform::Platform;

    let bytes = Numbers(5).bytes(64 * 40);
    let key = Midstate256::new(b"key");
    let jobs: Vec<_> = (0..37)
        .map(|at| Job256 {
            message: &bytes[..64 * at],
            key: &key,
        })
        .collect();
    let expected: Vec<_> = jobs
        .iter()
        .map(|job| naive256(b"key", job.message))
        .collect();
    let mut scratch = Scratch::new();
    let order = scratch.by_blocks::<_, 64>(&jobs);
    let platform = Platform::detect();
    let mut companions: Vec<&dyn Few<u32, 64, [u8; 32]>> = vec![&Portable];
    if let Some(shani) = &platform.shani {
        companions.push(shani);
    }
    for few in companions {
        // 17: more than there are lanes, so that all is left to the companion after one step.
        for below in 0..=17 {
            if let Some(proof) = platform.avx512 {
                let mut tags = [[0; 32]; 37];
                avx512::hmac256(proof, &jobs, order, &mut tags, few, below);
                assert_eq!(tags[..], expected, "avx512, below {below}");
            }
            if let Some(proof) = platform.avx2 {
                let mut tags = [[0; 32]; 37];
                avx2::hmac256(proof, &jobs, order, &mut tags, few, below);
                assert_eq!(tags[..], expected, "avx2, below {below}");
            }
        }
    }
}

#[test]
fn known_answers() {
    for kernel in Kernel::available() {
        assert_eq!(kernel.self_test(), Ok(()));
    }
}

#[test]
fn a_kernel_of_another_machine_computes_as_portable_does() {
    for &kernel in Kernel::all() {
        check(kernel, &[(b"a", 0), (&[7; 200], 1)], &mut Scratch::new());
    }
}

/// The tests above pass over a kernel that the processor cannot run. Where that must not be, its
/// name is in the environment.
#[test]
fn kernels_that_must_be_tested_here_are_available() {
    let names = std::env::var("JOTMILL_TEST_KERNELS").unwrap_or_default();
    let available: Vec<_> = Kernel::available().map(Kernel::name).collect();
    println!("kernels tested: {}", available.join(", "));
    for name in names.split_whitespace() {
        assert!(available.contains(&name), "no {name} here");
    }
}

#[test]
fn kernels_are_known_by_their_names() {
    for &kernel in Kernel::all() {
        assert_eq!(Kernel::by_name(kernel.name()), Some(kernel));
        assert_eq!(kernel.to_string(), kernel.name());
    }
    assert_eq!(Kernel::by_name("SHANI"), None);
    assert_eq!(Kernel::by_name(""), None);
}

#[test]
fn the_best_kernel_is_available_and_stays_the_same() {
    let best = Kernel::best();
    assert!(best.is_available());
    assert_eq!(Kernel::best(), best);
}

#[test]
#[should_panic(expected = "one tag a job")]
fn a_missing_tag_is_refused() {
    let key = Midstate256::new(b"k");
    let job = Job256 {
        message: b"m",
        key: &key,
    };
    Kernel::best().hmac_sha256(&[job], &mut Scratch::new(), &mut []);
}

#[test]
fn keys_and_messages_print_nothing_of_themselves() {
    let key = Midstate256::new(b"k");
    assert_eq!(format!("{key:?}"), "Midstate { .. }");
    let job = Job256 {
        message: b"m",
        key: &key,
    };
    assert_eq!(format!("{job:?}"), "Job { bytes: 1, .. }");
}
