//! A key as HMAC uses it: the two compression states left after the key's pads.
//!
//! Owns the computation of the states from a secret, once per key, and their wiping. Leaves to others
//! which secret belongs to which key, and every message.

use core::fmt;

use sha2::{
    Digest, Sha256, Sha384, Sha512,
    block_api::{compress256, compress512},
};
use zeroize::{Zeroize, Zeroizing};

use super::constants::{IV256, IV384, IV512};

/// A word of SHA-2: `u32` for SHA-256, `u64` for SHA-384 and SHA-512. No other type can be one.
pub trait Word: sealed::Sealed + Copy + Zeroize {}
impl Word for u32 {}
impl Word for u64 {}

mod sealed {
    use super::{Digest512, Seam};

    pub trait Sealed: Sized {
        /// Which of the digests with words of this size.
        type Digest: Copy;

        fn seam(digest: Self::Digest) -> Seam<Self>;
    }

    impl Sealed for u32 {
        type Digest = ();

        #[inline(always)]
        fn seam((): ()) -> Seam<Self> {
            Seam::<Self>::EIGHT
        }
    }

    impl Sealed for u64 {
        type Digest = Digest512;

        #[inline(always)]
        fn seam(digest: Digest512) -> Seam<Self> {
            match digest {
                Digest512::Sha384 => Seam::SIX,
                Digest512::Sha512 => Seam::<Self>::EIGHT,
            }
        }
    }
}

/// A digest with words of 64 bits.
#[derive(Clone, Copy)]
pub enum Digest512 {
    Sha384,
    Sha512,
}

/// The byte that RFC 2104 repeats and adds to the key before the message.
const INNER_PAD: u8 = 0x36;
/// The byte that RFC 2104 repeats and adds to the key before the inner digest.
const OUTER_PAD: u8 = 0x5c;

/// The states after the first block of HMAC's inner and outer hash (RFC 2104, section 4).
///
/// Whoever holds them can sign, as with the secret. So they are wiped on drop, are not `Clone`, and
/// `Debug` shows neither. Those of SHA-256 fill one cache line exactly.
#[repr(align(64))]
pub struct Midstate<W: Word> {
    inner: [W; 8],
    outer: [W; 8],
    digest: W::Digest,
}

const _: () = assert!(size_of::<Midstate256>() == 64);

/// What follows the inner digest in the one block that the outer hash reads. (It is `pub` for the
/// sealed trait that names it, and visible in `lanes` alone.)
///
/// The digest is the whole inner state, eight words; that of SHA-384 is six, and its padding begins
/// two words earlier. The key says which, so that a batch may mix both.
#[derive(Clone, Copy)]
pub struct Seam<W> {
    /// What words 6 and 7 keep of the state: all or nothing.
    pub(super) keep: W,
    /// Added to word 6: the mark that ends a digest of six words.
    pub(super) six: W,
    /// Word 8: the mark that ends a digest of eight.
    pub(super) eight: W,
    /// Word 15: the length of the key's block and the digest, in bits.
    pub(super) bits: W,
}

impl Seam<u32> {
    /// SHA-256.
    pub(super) const EIGHT: Self = Self {
        keep: !0,
        six: 0,
        eight: 1 << 31,
        bits: 8 * (64 + 32),
    };
}

impl Seam<u64> {
    /// SHA-512.
    pub(super) const EIGHT: Self = Self {
        keep: !0,
        six: 0,
        eight: 1 << 63,
        bits: 8 * (128 + 64),
    };
    /// SHA-384.
    pub(super) const SIX: Self = Self {
        keep: 0,
        six: 1 << 63,
        eight: 0,
        bits: 8 * (128 + 48),
    };
}

/// A key for HMAC-SHA-256.
pub type Midstate256 = Midstate<u32>;
/// A key for HMAC-SHA-384 or HMAC-SHA-512.
pub type Midstate512 = Midstate<u64>;

impl<W: Word> Midstate<W> {
    /// The state after the key's inner pad.
    #[inline(always)]
    pub(super) fn inner(&self) -> &[W; 8] {
        &self.inner
    }

    /// The state after the key's outer pad.
    #[inline(always)]
    pub(super) fn outer(&self) -> &[W; 8] {
        &self.outer
    }

    /// What follows on the inner digest.
    #[inline(always)]
    pub(super) fn seam(&self) -> Seam<W> {
        W::seam(self.digest)
    }
}

impl Midstate256 {
    /// Absorbs the pads of a secret of any length, for HMAC-SHA-256.
    ///
    /// A secret longer than the 64 bytes of a block is hashed first, as RFC 2104 has it.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let block = key_block::<64, Sha256>(secret);
        let absorb = |pad| {
            let mut state = IV256;
            compress256(&mut state, &[*padded(&block, pad)]);
            state
        };
        Self {
            inner: absorb(INNER_PAD),
            outer: absorb(OUTER_PAD),
            digest: (),
        }
    }
}

impl Midstate512 {
    /// Absorbs the pads of a secret of any length, for HMAC-SHA-384: the tag is the first 48 bytes.
    ///
    /// A secret longer than the 128 bytes of a block is hashed first, with SHA-384.
    #[must_use]
    pub fn new_384(secret: &[u8]) -> Self {
        Self::from_block(&key_block::<128, Sha384>(secret), IV384, Digest512::Sha384)
    }

    /// Absorbs the pads of a secret of any length, for HMAC-SHA-512.
    ///
    /// A secret longer than the 128 bytes of a block is hashed first, with SHA-512.
    #[must_use]
    pub fn new_512(secret: &[u8]) -> Self {
        Self::from_block(&key_block::<128, Sha512>(secret), IV512, Digest512::Sha512)
    }

    fn from_block(block: &[u8; 128], initial: [u64; 8], digest: Digest512) -> Self {
        let absorb = |pad| {
            let mut state = initial;
            compress512(&mut state, &[*padded(block, pad)]);
            state
        };
        Self {
            inner: absorb(INNER_PAD),
            outer: absorb(OUTER_PAD),
            digest,
        }
    }
}

/// The secret, or its digest if it is longer than a block, filled up with zeros to one block.
fn key_block<const B: usize, D: Digest>(secret: &[u8]) -> Zeroizing<[u8; B]> {
    let mut block = Zeroizing::new([0; B]);
    if let Some(room) = block.get_mut(..secret.len()) {
        room.copy_from_slice(secret);
    } else {
        let mut digest = D::digest(secret);
        block[..digest.len()].copy_from_slice(&digest);
        digest.as_mut_slice().zeroize();
    }
    block
}

fn padded<const B: usize>(block: &[u8; B], pad: u8) -> Zeroizing<[u8; B]> {
    Zeroizing::new(block.map(|byte| byte ^ pad))
}

impl<W: Word> Drop for Midstate<W> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl<W: Word> fmt::Debug for Midstate<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Midstate").finish_non_exhaustive()
    }
}
