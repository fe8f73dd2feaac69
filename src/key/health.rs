//! Broken and weak keys.
//!
//! With a *broken* key anyone may be able to sign. It is never used, and a token that names it is
//! `key-unusable`. A *weak* key is used and reported, and refused with `--strict-keys`.

use super::fault::Fault;
use crate::signature::AlgorithmSet;
use crate::signature::public::{PublicMaterial, RSA_BITS, bit_len};

/// What makes a key weak, or is unusual about it. It is used nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum KeyFinding {
    /// A secret shorter than the hash of an algorithm that it may verify (RFC 7518 section 3.2).
    ShortSecret,
    /// A secret that attackers try first: one from documentation, templates or tutorials, or one
    /// byte repeated. Zero bytes are the same HMAC key as an empty secret, up to the block of the
    /// hash (RFC 2104 section 2).
    NotoriousSecret,
    /// The validity period of its certificate is over.
    CertificateExpired,
    /// The validity period of its certificate has not begun.
    CertificateNotYetValid,
    /// The certificate beside a JWK, or the validity period of a certificate, could not be read.
    CertificateUnreadable,
    /// Another key has the same id (RFC 7517 section 4.5).
    DuplicateKid,
    /// The file contains the private half, which is not needed to verify.
    PrivateMaterial,
    /// Its certificate may only sign certificates, by keyUsage or basicConstraints (RFC 5280 sections
    /// 4.2.1.3 and 4.2.1.9). Of several files or keys such a one is not used.
    CertificateAuthority,
    /// A member of its JWK is written in another form than its RFC allows, with one reading: leading
    /// zeros, another alphabet, padding, white space.
    NotCanonical,
    /// A member of its JWK is null or an empty array, and counts as absent. This is no weakness.
    EmptyMember,
}

impl KeyFinding {
    /// Every finding, in order: the discriminant is the index.
    pub const ALL: [Self; 10] = [
        Self::ShortSecret,
        Self::NotoriousSecret,
        Self::CertificateExpired,
        Self::CertificateNotYetValid,
        Self::CertificateUnreadable,
        Self::DuplicateKid,
        Self::PrivateMaterial,
        Self::CertificateAuthority,
        Self::NotCanonical,
        Self::EmptyMember,
    ];

    /// Whether it makes a key weak, so that strict rules refuse it.
    #[must_use]
    pub const fn is_weakness(self) -> bool {
        !matches!(self, Self::EmptyMember)
    }

    /// The stable code, as in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ShortSecret => "short-secret",
            Self::NotoriousSecret => "notorious-secret",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotYetValid => "certificate-not-yet-valid",
            Self::CertificateUnreadable => "certificate-unreadable",
            Self::DuplicateKid => "duplicate-kid",
            Self::PrivateMaterial => "private-material",
            Self::CertificateAuthority => "certificate-authority",
            Self::NotCanonical => "not-canonical",
            Self::EmptyMember => "empty-member",
        }
    }

    /// What the finding means, as half a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ShortSecret => "the secret is shorter than the hash",
            Self::NotoriousSecret => "the secret is one that attackers try first",
            Self::CertificateExpired => "its certificate has expired",
            Self::CertificateNotYetValid => "its certificate is not valid yet",
            Self::CertificateUnreadable => "its certificate cannot be read",
            Self::DuplicateKid => "another key has the same id",
            Self::PrivateMaterial => "the file holds the private key, which verifying never needs",
            Self::CertificateAuthority => "its certificate may only sign certificates",
            Self::NotCanonical => "a member is not written as its RFC says, but has one reading",
            Self::EmptyMember => "a member is null or an empty array, and counts as absent",
        }
    }
}

/// Secrets from documentation, templates and tutorials with which tokens are still signed. A longer
/// list is the job of a cracking tool.
const NOTORIOUS: [&str; 28] = [
    "secret",
    "Secret",
    "SECRET",
    "secretkey",
    "secret_key",
    "secret-key",
    "supersecret",
    "super-secret",
    "supersecretkey",
    "mysecret",
    "my-secret",
    "my_secret_key",
    "jwtsecret",
    "jwt_secret",
    "jwt-secret",
    "password",
    "changeme",
    "changeit",
    "default",
    "test",
    "key",
    "123456",
    "shhhhh",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "your-256-bit-secret",
    "your-384-bit-secret",
    "your-512-bit-secret",
    "a-string-secret-at-least-256-bits-long",
];

/// Whether attackers try this secret first.
pub(crate) fn is_notorious(secret: &[u8]) -> bool {
    let of_one_byte = secret.iter().all(|byte| Some(byte) == secret.first());
    let secret = secret.trim_ascii();
    of_one_byte || NOTORIOUS.iter().any(|known| known.as_bytes() == secret)
}

/// Whether a secret of this length in bytes is too short for any of these algorithms.
pub(crate) fn is_short(secret_len: usize, algorithms: AlgorithmSet) -> bool {
    algorithms
        .iter()
        .any(|algorithm| algorithm.is_short_secret(secret_len))
}

/// Refuses a public key that is broken. Whether the point of an EC key lies on its curve is left to
/// the library that verifies.
pub(super) fn check(key: &PublicMaterial) -> Result<(), Fault> {
    match key {
        PublicMaterial::Rsa { n, e } => check_exponent(e).and_then(|()| check_modulus(n)),
        PublicMaterial::Ed25519(point) => {
            let point = crrl::ed25519::Point::decode(point).map(|point| point.has_low_order());
            check_point(point)
        }
        PublicMaterial::Ed448(point) => {
            let point = crrl::ed448::Point::decode(point).map(|point| point.has_low_order());
            check_point(point)
        }
        PublicMaterial::Ec { .. } | PublicMaterial::MlDsa { .. } => Ok(()),
    }
}

/// A point of EdDSA. `has_low_order` is crrl's answer, a mask; none where the bytes are no point.
fn check_point(has_low_order: Option<u32>) -> Result<(), Fault> {
    match has_low_order {
        None => Err(Fault::at(
            "x",
            "not a point on its curve in canonical form (RFC 8032 section 5)",
        )),
        Some(0) => Ok(()),
        // With such a key one signature is valid for many messages, or for all.
        Some(_) => Err(Fault::at(
            "x",
            "a point of low order, with which anyone can sign",
        )),
    }
}

/// The library refuses larger exponents, to bound the cost of a verification.
const MAX_EXPONENT_BITS: usize = 33;

fn check_exponent(e: &[u8]) -> Result<(), Fault> {
    let refuse = |why: &str| Err(Fault::at("e", why));
    if e.last().is_none_or(|last| last % 2 == 0) {
        return refuse("an even exponent, which is no RSA key");
    }
    if bit_len(e) < 2 {
        return refuse("an exponent of 1, with which anyone can sign");
    }
    if bit_len(e) > MAX_EXPONENT_BITS {
        return refuse("an exponent of more than 33 bits, which jotmill does not verify with");
    }
    Ok(())
}

fn check_modulus(n: &[u8]) -> Result<(), Fault> {
    let refuse = |why: String| Err(Fault::at("n", why));
    let bits = bit_len(n);
    if bits < *RSA_BITS.start() {
        return refuse(format!(
            "{bits} bits; RFC 7518 section 3.3 asks for 2048 or more"
        ));
    }
    if bits > *RSA_BITS.end() {
        return refuse(format!("{bits} bits; jotmill verifies with 8192 or fewer"));
    }
    if n.last().is_none_or(|last| last % 2 == 0) {
        return refuse("an even modulus, which anyone can factor".to_owned());
    }
    let mut may_be_roca = true;
    for (primes, product) in &PRODUCTS {
        let rest = remainder(n, *product);
        for prime in primes {
            let rest = rest % prime;
            if rest == 0 {
                return refuse(format!(
                    "divisible by {prime}, so that anyone can factor it"
                ));
            }
            if *prime <= ROCA_PRIMES_UP_TO && !is_power_of_65537(rest, *prime) {
                may_be_roca = false;
            }
        }
    }
    if may_be_roca {
        return refuse(
            "has the fingerprint of ROCA (CVE-2017-15361): its factors can be found".to_owned(),
        );
    }
    Ok(())
}

/// Small factors are searched for below this, as in NIST SP 800-89 section 5.3.3.
const FACTORS_BELOW: u64 = 752;
/// The fingerprint of ROCA uses the odd primes up to this: moduli of the flawed library are powers
/// of 65537 modulo each of them (Nemec and others, "The Return of Coppersmith's Attack", section 5),
/// others with a probability of 2⁻²⁷.
const ROCA_PRIMES_UP_TO: u64 = 167;

/// The product of three primes below 752 fits into 32 bits.
const PRIMES_EACH: usize = 3;
/// There are 132 odd primes below 752.
const PRODUCT_COUNT: usize = 132 / PRIMES_EACH;

/// The odd primes in groups, each with its product, so that one division of the modulus serves
/// several primes.
const PRODUCTS: [([u64; PRIMES_EACH], u64); PRODUCT_COUNT] = {
    let mut products = [([1; PRIMES_EACH], 1); PRODUCT_COUNT];
    let mut found = 0;
    let mut candidate = 3;
    while candidate < FACTORS_BELOW {
        let mut divisor = 3;
        while divisor * divisor <= candidate && candidate % divisor != 0 {
            divisor += 2;
        }
        if divisor * divisor > candidate {
            let product = &mut products[found / PRIMES_EACH];
            product.0[found % PRIMES_EACH] = candidate;
            product.1 *= candidate;
            found += 1;
        }
        candidate += 2;
    }
    products
};

/// A big-endian number modulo a small one of up to 32 bits.
fn remainder(number: &[u8], modulus: u64) -> u64 {
    number.rchunks(4).rev().fold(0, |rest, digit| {
        let digit = digit
            .iter()
            .fold(0, |digit, byte| digit << 8 | u64::from(*byte));
        (rest << 32 | digit) % modulus
    })
}

/// Whether a number is a power of 65537 modulo a prime.
const fn is_power_of_65537(number: u64, prime: u64) -> bool {
    let mut power = 1;
    loop {
        if power == number {
            return true;
        }
        power = power * 65_537 % prime;
        if power == 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of 2048 bits with these last bytes.
    fn modulus(last: &[u8]) -> Vec<u8> {
        let mut n = vec![0xff; 256];
        n[256 - last.len()..].copy_from_slice(last);
        n
    }

    /// The member at fault, and why.
    fn checked(key: &PublicMaterial) -> Result<(), (&'static str, String)> {
        check(key).map_err(|fault| (fault.member.unwrap(), fault.why))
    }

    fn rsa(n: &[u8], e: &[u8]) -> Result<(), (&'static str, String)> {
        checked(&PublicMaterial::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        })
    }

    /// RFC 7517 appendix A.1, a key of 2048 bits.
    fn sound() -> Vec<u8> {
        base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(concat!(
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L",
                "6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4Qy",
                "Q5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI",
                "SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-",
                "kEgU8awapJzKnqDKgw",
            ))
            .unwrap()
    }

    #[test]
    fn the_products_hold_every_odd_prime_below_752_once() {
        let primes: Vec<u64> = PRODUCTS.iter().flat_map(|(primes, _)| *primes).collect();
        assert_eq!(primes.len(), 132, "there are 133 primes below 752, with 2");
        assert!(primes.is_sorted());
        for (primes, product) in &PRODUCTS {
            assert_eq!(primes.iter().product::<u64>(), *product);
            assert!(*product < 1 << 32, "so that 32 more bits do not overflow");
        }
    }

    #[test]
    fn a_modulus_with_a_small_factor_is_broken() {
        assert_eq!(rsa(&sound(), &[1, 0, 1]), Ok(()));
        for prime in [3_u64, 5, 167, 743, 751] {
            let mut n = modulus(&[0; 4]);
            let up = prime - remainder(&n, prime);
            // Of two multiples that follow each other one is odd.
            let up = if up % 2 == 1 { up } else { up + prime };
            n[252..].copy_from_slice(&u32::try_from(up).unwrap().to_be_bytes());
            let (member, why) = rsa(&n, &[1, 0, 1]).unwrap_err();
            assert_eq!(member, "n");
            assert!(why.contains("divisible by"), "{why}");
        }
        assert!(rsa(&modulus(&[2]), &[3]).unwrap_err().1.contains("even"));
    }

    #[test]
    fn sizes_of_moduli_are_2048_to_8192_bits() {
        let sized = |len: usize, first: u8| {
            let mut n = vec![first];
            n.extend(vec![0x5a; len - 1]);
            rsa(&n, &[3]).unwrap_err().1
        };
        assert!(sized(256, 0x7f).starts_with("2047 bits"));
        assert!(!sized(256, 0x80).contains("bits"), "even, but long enough");
        assert!(!sized(1024, 0xff).contains("bits"));
        assert!(sized(1025, 0x01).starts_with("8193 bits"));
    }

    #[test]
    fn exponents_are_odd_and_from_3_up() {
        for (e, is_sound) in [
            (&[][..], false),
            (&[0], false),
            (&[1], false),
            (&[2], false),
            (&[3], true),
            (&[1, 0, 0], false),
            (&[1, 0, 1], true),
            (&[1, 0xff, 0xff, 0xff, 0xff], true),
            (&[3, 0xff, 0xff, 0xff, 0xff], false),
        ] {
            assert_eq!(rsa(&sound(), e).is_ok(), is_sound, "{e:?}");
        }
    }

    /// 65537 to any power has the fingerprint: it is a power modulo every prime.
    #[test]
    fn the_fingerprint_of_roca_is_known_and_rare() {
        // 65537^128 has 2049 bits: square and multiply on bytes.
        let mut n = vec![1_u8];
        for _ in 0..128 {
            let mut product = vec![0_u32; n.len() + 3];
            for (position, digit) in n.iter().rev().enumerate() {
                product[position] += u32::from(*digit);
                product[position + 2] += u32::from(*digit);
            }
            let mut carry = 0;
            n = product
                .iter()
                .map(|digit| {
                    let sum = digit + carry;
                    carry = sum >> 8;
                    u8::try_from(sum & 0xff).unwrap()
                })
                .collect();
            while n.last() == Some(&0) {
                n.pop();
            }
            n.reverse();
        }
        assert_eq!(bit_len(&n), 2049);
        assert!(rsa(&n, &[1, 0, 1]).unwrap_err().1.contains("ROCA"));
        n[1] ^= 4;
        assert!(!matches!(rsa(&n, &[1, 0, 1]), Err((_, why)) if why.contains("ROCA")));
    }

    #[test]
    fn points_of_low_order_and_off_the_curve_are_broken() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut minus_one = [0xff; 32]; // p - 1, of order 2
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        // Of order 8: RFC 7748's torsion, as every list of them has it.
        let mut eight = [0; 32];
        for (index, byte) in eight.iter_mut().enumerate() {
            let text = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
        }
        for point in [[0; 32], identity, minus_one, eight] {
            let (member, why) = checked(&PublicMaterial::Ed25519(point)).unwrap_err();
            assert_eq!((member, why.contains("low order")), ("x", true), "{why}");
        }
        let mut not_canonical = [0xff; 32]; // p + 1, which is 1 in another form
        (not_canonical[0], not_canonical[31]) = (0xee, 0x7f);
        let mut off = [0; 32];
        off[0] = 2;
        for point in [not_canonical, off] {
            let (_, why) = checked(&PublicMaterial::Ed25519(point)).unwrap_err();
            assert!(why.contains("not a point"), "{why}");
        }
        let mut identity = [0; 57];
        identity[0] = 1;
        for point in [[0; 57], identity] {
            let (_, why) = checked(&PublicMaterial::Ed448(point)).unwrap_err();
            assert!(why.contains("low order"), "{why}");
        }
        assert!(check(&PublicMaterial::Ed448([0xff; 57])).is_err());
    }

    #[test]
    fn notorious_secrets_are_known_with_white_space_around_them() {
        for secret in [
            &b"secret"[..],
            b"secret\n",
            b"your-256-bit-secret",
            &[b'a'; 64],
            b"\0",
            &[0; 32],
            &[0; 129],
        ] {
            assert!(is_notorious(secret));
        }
        assert!(!is_notorious(b"AyM1SysPpbyDfgZld3umj1qzKObwVMko"));
    }
}
