//! RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017 section 8), and paddings with something wrong.
//!
//! Owns the generation of keys, both encodings of a message, and the faults in them. The encodings
//! are written out here, since faulty ones are needed as well; a library does the arithmetic.
//!
//! A key's primes are defined by the seed alone: each is the first prime that suits, counting up
//! from a random number. So a key stays the same whichever library tests for primes, and how.

use std::convert::Infallible;

use crypto_primes::{Flavor, is_prime};
use rsa::hazmat::rsa_decrypt;
use rsa::rand_core::TryCryptoRng;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BoxedUint, PrivateKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::Rng;
use super::number::add;
use super::text::base64url;
use super::{Algorithm, KeyType, der};

/// 65537, the public exponent of every key.
const EXPONENT: u64 = 65_537;

/// An RSA key.
pub(super) struct Rsa {
    key: PrivateKey,
    bits: u32,
    /// The modulus, exactly as long as a signature.
    modulus: Vec<u8>,
}

/// The hash of an algorithm; both paddings name it by its number of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(algorithm: Algorithm) -> Hash {
        match algorithm {
            Algorithm::Rs384 | Algorithm::Ps384 => Hash::Sha384,
            Algorithm::Rs512 | Algorithm::Ps512 => Hash::Sha512,
            _ => Hash::Sha256,
        }
    }

    /// Another one.
    fn other(self) -> Hash {
        match self {
            Hash::Sha256 => Hash::Sha512,
            Hash::Sha384 | Hash::Sha512 => Hash::Sha256,
        }
    }

    fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Hash::Sha256 => Sha256::digest(message).to_vec(),
            Hash::Sha384 => Sha384::digest(message).to_vec(),
            Hash::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    fn len(self) -> usize {
        match self {
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }

    /// A DigestInfo up to the digest (RFC 8017 section 9.2, note 1).
    fn prefix(self) -> [u8; 19] {
        let (whole, number, digest) = match self {
            Hash::Sha256 => (0x31, 1, 0x20),
            Hash::Sha384 => (0x41, 2, 0x30),
            Hash::Sha512 => (0x51, 3, 0x40),
        };
        [
            0x30, whole, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            number, 0x05, 0x00, 0x04, digest,
        ]
    }
}

/// The smallest odd primes, to sort out most candidates cheaply.
fn small_primes() -> Vec<u32> {
    let mut primes: Vec<u32> = vec![3];
    for n in (5..8_192).step_by(2) {
        if primes
            .iter()
            .take_while(|p| *p * *p <= n)
            .all(|p| n % p != 0)
        {
            primes.push(n);
        }
    }
    primes
}

/// The remainder of a number by a small one.
fn remainder(number: &[u8], by: u32) -> u32 {
    let step = |rest: u64, byte: &u8| (rest << 8 | u64::from(*byte)) % u64::from(by);
    u32::try_from(number.iter().fold(0, step)).unwrap_or(0)
}

/// A prime with this number of bits, the two highest of them set, that suits the public exponent.
fn prime(bits: u32, small: &[u32], rng: &mut Rng) -> BoxedUint {
    const REACH: u32 = 1 << 15;
    let mut start = vec![0; usize::try_from(bits / 8).unwrap_or(0)];
    loop {
        rng.fill(&mut start);
        if let [first, .., last] = start.as_mut_slice() {
            // The product of two such primes has exactly twice as many bits.
            *first |= 0xc0;
            *last |= 1;
        }
        let rests: Vec<(u32, u32)> = small.iter().map(|p| (*p, remainder(&start, *p))).collect();
        let exponent = u32::try_from(EXPONENT).unwrap_or(0);
        let rest = remainder(&start, exponent);
        for ahead in (0..REACH).step_by(2) {
            let is_divisible = |(p, rest): &(u32, u32)| (rest + ahead) % p == 0;
            // The exponent is prime: it has an inverse unless it divides p - 1.
            if (rest + ahead) % exponent == 1 || rests.iter().any(is_divisible) {
                continue;
            }
            let mut candidate = start.clone();
            if !add(&mut candidate, &ahead.to_be_bytes()) {
                break;
            }
            let candidate = BoxedUint::from_be_slice_truncated(&candidate, bits);
            if is_prime(Flavor::Any, &candidate) {
                return candidate;
            }
        }
    }
}

/// MGF1 (RFC 8017 appendix B.2.1), laid over `data`.
fn mask(hash: Hash, seed: &[u8], data: &mut [u8]) {
    for (counter, chunk) in (0_u32..).zip(data.chunks_mut(hash.len())) {
        let block = hash.digest(&[seed, &counter.to_be_bytes()].concat());
        chunk
            .iter_mut()
            .zip(block)
            .for_each(|(to, mask)| *to ^= mask);
    }
}

/// How a PSS encoding is made; the default is the right one.
struct Pss {
    digest: Hash,
    mask: Hash,
    salt: usize,
    trailer: u8,
    /// The byte between the padding and the salt.
    border: u8,
    /// What is in the padding, which should be zeros.
    padding: u8,
}

impl Rsa {
    /// Generates a key with a modulus of this many bits.
    pub(super) fn new(bits: u32, rng: &mut Rng) -> Rsa {
        let small = small_primes();
        loop {
            let p = prime(bits / 2, &small, rng);
            let q = prime(bits / 2, &small, rng);
            // Equal primes are the one reason for which this fails.
            if let Ok(key) = PrivateKey::from_p_q(p, q, BoxedUint::from(EXPONENT)) {
                let modulus = key.n_bytes().to_vec();
                return Rsa { key, bits, modulus };
            }
        }
    }

    pub(super) fn key_type(&self) -> KeyType {
        KeyType::Rsa(self.bits)
    }

    pub(super) fn public_members(&self) -> String {
        let (n, e) = (base64url(&self.modulus), base64url(&self.key.e_bytes()));
        format!(r#""kty":"RSA","n":"{n}","e":"{e}""#)
    }

    pub(super) fn private_members(&self) -> String {
        let key = &self.key;
        let text = |number: &BoxedUint| base64url(&number.to_be_bytes_trimmed_vartime());
        let primes = key.primes().iter().map(|prime| text(prime.as_ref()));
        let numbers = [key.dp(), key.dq()];
        let exponents = numbers.into_iter().flatten().map(text);
        let coefficient = key.crt_coefficient().map(|number| text(&number));
        let names = ["d", "p", "q", "dp", "dq", "qi"];
        let values = [text(key.d())].into_iter();
        let values = values.chain(primes).chain(exponents).chain(coefficient);
        let members = names.iter().zip(values);
        members
            .map(|(name, value)| format!(r#","{name}":"{value}""#))
            .collect()
    }

    /// RSAPublicKey (RFC 8017 appendix A.1.1).
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        let (n, e) = (
            der::integer(&self.modulus),
            der::integer(&self.key.e_bytes()),
        );
        der::sequence(&[&n, &e])
    }

    /// Appends the signature whose encoded message this is; false where it is no number below the
    /// modulus.
    fn raw(&self, encoded: &[u8], out: &mut Vec<u8>) -> bool {
        let number = BoxedUint::from_be_slice_truncated(encoded, self.key.n_bits_precision());
        // Without blinding, which would only cost time: nobody measures a generator of test data.
        let no_rng = None::<&mut dyn TryCryptoRng<Error = Infallible>>;
        let Ok(signature) = rsa_decrypt(no_rng, &self.key, &number) else {
            return false;
        };
        let bytes = signature.to_be_bytes();
        let surplus = bytes.len().saturating_sub(self.modulus.len());
        out.extend_from_slice(bytes.get(surplus..).unwrap_or_default());
        true
    }

    pub(super) fn sign(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        out: &mut Vec<u8>,
        rng: &mut Rng,
    ) {
        let hash = Hash::of(algorithm);
        let encoded = match algorithm {
            Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => {
                self.pss(&Pss::right(hash), message, rng)
            }
            _ => self.pkcs1(&[&hash.prefix()[..], &hash.digest(message)].concat()),
        };
        self.raw(&encoded, out);
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017 section 9.2) around a DigestInfo.
    fn pkcs1(&self, info: &[u8]) -> Vec<u8> {
        let mut encoded = vec![0xff; self.modulus.len()];
        let end = encoded.len().saturating_sub(info.len());
        let (padding, room) = encoded.split_at_mut(end);
        room.copy_from_slice(info);
        if let [zero, one, .., border] = padding {
            (*zero, *one, *border) = (0, 1, 0);
        }
        encoded
    }

    /// EMSA-PSS (RFC 8017 section 9.1.1).
    fn pss(&self, how: &Pss, message: &[u8], rng: &mut Rng) -> Vec<u8> {
        let mut salt = vec![0; how.salt];
        rng.fill(&mut salt);
        let digest = how.digest.digest(message);
        let hash = how.digest.digest(&[&[0; 8], &digest[..], &salt].concat());
        let room = self.modulus.len().saturating_sub(hash.len() + 1);
        let mut block = vec![how.padding; room.saturating_sub(salt.len() + 1)];
        block.push(how.border);
        block.extend_from_slice(&salt);
        mask(how.mask, &hash, &mut block);
        if let Some(first) = block.first_mut() {
            // One bit less than the modulus has.
            *first &= 0x7f;
        }
        block.extend_from_slice(&hash);
        block.push(how.trailer);
        block
    }

    pub(super) fn fault(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        out: &mut Vec<u8>,
        rng: &mut Rng,
    ) -> bool {
        match algorithm {
            // The same signature a second time, beyond the modulus.
            _ if rng.percent(10) => {
                self.sign(algorithm, message, out, rng);
                add(out, &self.modulus)
            }
            // The other padding.
            Algorithm::Ps256 if rng.percent(15) => {
                self.sign(Algorithm::Rs256, message, out, rng);
                true
            }
            Algorithm::Rs256 if rng.percent(15) => {
                self.sign(Algorithm::Ps256, message, out, rng);
                true
            }
            Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => {
                let encoded = self.faulty_pss(Hash::of(algorithm), message, rng);
                self.raw(&encoded, out)
            }
            _ => {
                let encoded = self.faulty_pkcs1(Hash::of(algorithm), message, rng);
                self.raw(&encoded, out)
            }
        }
    }

    fn faulty_pkcs1(&self, hash: Hash, message: &[u8], rng: &mut Rng) -> Vec<u8> {
        let digest = hash.digest(message);
        let info = [&hash.prefix()[..], &digest].concat();
        let good = self.pkcs1(&info);
        let padding = good.len().saturating_sub(info.len());
        let mut encoded = good.clone();
        let mut set = |at: usize, value| {
            if let Some(byte) = encoded.get_mut(at) {
                *byte = value;
            }
        };
        match rng.below(10) {
            // The smallest padding allowed, and rubbish behind the digest: forgeable where the
            // exponent is 3 (Bleichenbacher, 2006).
            0 => {
                encoded = vec![0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0];
                encoded.extend_from_slice(&info);
                let rest = good.len().saturating_sub(encoded.len());
                let mut rubbish = vec![0; rest];
                rng.fill(&mut rubbish);
                encoded.extend_from_slice(&rubbish);
            }
            // No padding at all: the digest, or its DigestInfo, as a number.
            1 => {
                encoded = vec![0; good.len().saturating_sub(digest.len())];
                encoded.extend_from_slice(&digest);
            }
            2 => {
                encoded = vec![0; padding];
                encoded.extend_from_slice(&info);
            }
            // The digest without its DigestInfo, padded well.
            3 => encoded = self.pkcs1(&digest),
            // Block type 2, which is for encryption, and 0.
            4 => set(1, 2),
            5 => set(1, 0),
            // Padding other than ones, and no border.
            6 => set(
                2 + rng.index(padding.saturating_sub(3)),
                rng.pick(&[0, 1, 0xfe]),
            ),
            7 => set(padding.saturating_sub(1), 0xff),
            // The DigestInfo of another hash, around this digest and around its own.
            8 => {
                let other = hash.other();
                encoded = self.pkcs1(&[&other.prefix()[..], &digest].concat());
            }
            _ => {
                let other = hash.other();
                encoded = self.pkcs1(&[&other.prefix()[..], &other.digest(message)].concat());
            }
        }
        encoded
    }

    fn faulty_pss(&self, hash: Hash, message: &[u8], rng: &mut Rng) -> Vec<u8> {
        let longest = self.modulus.len().saturating_sub(hash.len() + 2);
        let mut how = Pss::right(hash);
        match rng.below(10) {
            // Salts of any length but that of the hash (RFC 7518 section 3.5).
            0 => how.salt = 0,
            1 => how.salt = longest,
            2 => how.salt = hash.len() - 1,
            3 => how.salt = hash.len() + 1,
            4 => how.mask = hash.other(),
            5 => how.digest = hash.other(),
            6 => how.trailer = rng.pick(&[0xcc, 0xbd, 0x00, 0xff]),
            7 => how.border = rng.pick(&[0, 2, 0x81]),
            8 => how.padding = rng.pick(&[1, 0xff]),
            // The bit beyond the encoded message.
            _ => {
                let mut encoded = self.pss(&how, message, rng);
                if let Some(first) = encoded.first_mut() {
                    *first |= 0x80;
                }
                return encoded;
            }
        }
        self.pss(&how, message, rng)
    }
}

impl Pss {
    fn right(hash: Hash) -> Pss {
        Pss {
            digest: hash,
            mask: hash,
            salt: hash.len(),
            trailer: 0xbc,
            border: 1,
            padding: 0,
        }
    }
}
