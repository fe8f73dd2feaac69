//! Known-answer tests of a kernel.
//!
//! Owns the published vectors and the batches that put each of them into each lane. Leaves to the
//! caller what to do with a kernel that fails. They run at every start, and not in tests alone, because
//! an emulator or a hypervisor may announce instructions that it gets wrong.

use core::{error, fmt};

use super::{Job, Kernel, Midstate256, Midstate512, Scratch};

/// A kernel gave a wrong tag for a published vector, so none of its tags can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelfTestError {
    /// The kernel.
    pub kernel: Kernel,
    /// The hash whose tags are wrong: `"SHA-256"`, `"SHA-384"` or `"SHA-512"`.
    pub hash: &'static str,
}

impl fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kernel `{}` computes wrong HMAC-{} tags on this machine",
            self.kernel, self.hash
        )
    }
}

impl error::Error for SelfTestError {}

impl Kernel {
    /// Computes the vectors of RFC 4231, in every lane and in mixed batches, in microseconds.
    ///
    /// # Errors
    ///
    /// If a tag is not the published one.
    pub fn self_test(self) -> Result<(), SelfTestError> {
        let wrong = |hash| SelfTestError { kernel: self, hash };
        let mut scratch = Scratch::new();

        let keys = CASES.each_ref().map(|case| Midstate256::new(case.secret));
        let right = check(
            |case| Job {
                message: CASES[case].message,
                key: &keys[case],
            },
            |case| CASES[case].sha256,
            |jobs, tags| self.hmac_sha256(jobs, &mut scratch, tags),
        );
        if !right {
            return Err(wrong("SHA-256"));
        }

        let keys = CASES
            .each_ref()
            .map(|case| Midstate512::new_384(case.secret));
        let right = check(
            |case| Job {
                message: CASES[case].message,
                key: &keys[case],
            },
            |case| CASES[case].sha384,
            |jobs, tags| {
                let mut whole = [[0; 64]; BATCH];
                self.hmac_sha512(jobs, &mut scratch, &mut whole[..tags.len()]);
                for (tag, whole) in tags.iter_mut().zip(&whole) {
                    tag.copy_from_slice(&whole[..48]);
                }
            },
        );
        if !right {
            return Err(wrong("SHA-384"));
        }

        let keys = CASES
            .each_ref()
            .map(|case| Midstate512::new_512(case.secret));
        let right = check(
            |case| Job {
                message: CASES[case].message,
                key: &keys[case],
            },
            |case| CASES[case].sha512,
            |jobs, tags| self.hmac_sha512(jobs, &mut scratch, tags),
        );
        if !right {
            return Err(wrong("SHA-512"));
        }
        Ok(())
    }
}

/// Jobs in a batch: twice the widest kernel's lanes and a rest of two.
const BATCH: usize = 34;

/// Whether `hmac` gives the expected tags: for each case in all lanes, then for all cases mixed, so
/// that lanes end at different times and a tag in the wrong place is seen.
fn check<J: Copy, const T: usize>(
    job: impl Fn(usize) -> J,
    expected: impl Fn(usize) -> [u8; T],
    mut hmac: impl FnMut(&[J], &mut [[u8; T]]),
) -> bool {
    let mut right = |jobs: usize, case: &dyn Fn(usize) -> usize| {
        let batch: [J; BATCH] = core::array::from_fn(|at| job(case(at)));
        let mut tags = [[0; T]; BATCH];
        hmac(&batch[..jobs], &mut tags[..jobs]);
        tags[..jobs]
            .iter()
            .enumerate()
            .all(|(at, tag)| *tag == expected(case(at)))
    };
    (0..CASES.len()).all(|case| right(BATCH / 2 - 1, &|_| case))
        && right(BATCH, &|at| at % CASES.len())
}

struct Case {
    secret: &'static [u8],
    message: &'static [u8],
    sha256: [u8; 32],
    sha384: [u8; 48],
    sha512: [u8; 64],
}

/// The key of section 4.5: the bytes 1 to 25.
const COUNTING: [u8; 25] = {
    let mut bytes = [0; 25];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = at as u8 + 1;
        at += 1;
    }
    bytes
};

/// RFC 4231, section 4, without the truncated tag of 4.6. Its keys are shorter than a block, and
/// longer for both block sizes; its messages have one block and more.
static CASES: [Case; 6] = [
    // Section 4.2.
    Case {
        secret: &[0x0b; 20],
        message: b"Hi There",
        sha256: hex(["b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"]),
        sha384: hex([
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c",
            "faea9ea9076ede7f4af152e8b2fa9cb6",
        ]),
        sha512: hex([
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde",
            "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        ]),
    },
    // Section 4.3.
    Case {
        secret: b"Jefe",
        message: b"what do ya want for nothing?",
        sha256: hex(["5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"]),
        sha384: hex([
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e",
            "8e2240ca5e69e2c78b3239ecfab21649",
        ]),
        sha512: hex([
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554",
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ]),
    },
    // Section 4.4.
    Case {
        secret: &[0xaa; 20],
        message: &[0xdd; 50],
        sha256: hex(["773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"]),
        sha384: hex([
            "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b",
            "2a5ab39dc13814b94e3ab6e101a34f27",
        ]),
        sha512: hex([
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39",
            "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
        ]),
    },
    // Section 4.5.
    Case {
        secret: &COUNTING,
        message: &[0xcd; 50],
        sha256: hex(["82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"]),
        sha384: hex([
            "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e",
            "6801dd23c4a7d679ccf8a386c674cffb",
        ]),
        sha512: hex([
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db",
            "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
        ]),
    },
    // Section 4.7.
    Case {
        secret: &[0xaa; 131],
        message: b"Test Using Larger Than Block-Size Key - Hash Key First",
        sha256: hex(["60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"]),
        sha384: hex([
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6",
            "0c2ef6ab4030fe8296248df163f44952",
        ]),
        sha512: hex([
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352",
            "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
        ]),
    },
    // Section 4.8.
    Case {
        secret: &[0xaa; 131],
        message: b"This is a test using a larger than block-size key and a larger than block-size \
            data. The key needs to be hashed before being used by the HMAC algorithm.",
        sha256: hex(["9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"]),
        sha384: hex([
            "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5",
            "a678cc31e799176d3860e6110c46523e",
        ]),
        sha512: hex([
            "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944",
            "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
        ]),
    },
];

/// Bytes from lines of 64 hexadecimal digits; the last line may be shorter.
const fn hex<const LINES: usize, const N: usize>(lines: [&str; LINES]) -> [u8; N] {
    const fn digit(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        }
    }
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        let line = lines[at / 32].as_bytes();
        bytes[at] = 16 * digit(line[2 * (at % 32)]) + digit(line[2 * (at % 32) + 1]);
        at += 1;
    }
    bytes
}
