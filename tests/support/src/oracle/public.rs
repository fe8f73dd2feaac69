//! Public keys as the oracle sees them: read from the members of a JWK, judged, and asked whether a
//! signature holds. Everything is left to the RustCrypto crates; the library has it from others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed448_goldilocks::AffinePoint;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A sound public key.
#[derive(Clone, Debug)]
pub struct Public {
    /// The names of the algorithms that a key of its type verifies.
    pub algorithms: &'static [&'static str],
    /// How long each signature is, in bytes.
    pub signature_len: usize,
    /// RFC 7638.
    pub thumbprint: String,
    numbers: Numbers,
}

#[derive(Clone, Debug)]
enum Numbers {
    Rsa(rsa::PublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Secp256k1(k256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    /// None for a point outside the group of prime order: RFC 8032 section 5.2.3 lets it be a key,
    /// and the crate does not. Nobody has its private half.
    Ed448(Option<ed448_goldilocks::VerifyingKey>),
    MlDsa44(Box<ml_dsa::VerifyingKey<ml_dsa::MlDsa44>>),
    MlDsa65(Box<ml_dsa::VerifyingKey<ml_dsa::MlDsa65>>),
    MlDsa87(Box<ml_dsa::VerifyingKey<ml_dsa::MlDsa87>>),
}

/// What becomes of a JWK that is not a secret.
pub enum Read {
    /// It may verify, if its other members let it.
    Sound(Box<Public>),
    /// Nobody may use it.
    Broken,
    /// It is for something that jotmill does not do.
    OtherType,
}

/// Reads the key of a JWK of this `kty`.
pub fn read(kty: &str, jwk: &Value) -> Read {
    let is_certified = jwk.get("x5c").is_some_and(|x5c| x5c.get(0).is_some());
    assert!(!is_certified, "the oracle reads no certificates");
    match kty {
        "RSA" => read_rsa(jwk),
        "EC" => read_ec(jwk),
        "OKP" => read_okp(jwk),
        "AKP" => read_akp(jwk),
        _ => Some(Read::OtherType),
    }
    .unwrap_or(Read::Broken)
}

/// Whether a JWK has something that only the signer should have.
pub fn is_private(jwk: &Value) -> bool {
    let members = ["d", "p", "q", "dp", "dq", "qi", "priv"];
    let has_text = |name: &str| text(jwk, name).is_some_and(|text| !text.is_empty());
    let others = jwk.get("oth").and_then(Value::as_array);
    members.into_iter().any(has_text) || others.is_some_and(|others| !others.is_empty())
}

/// Base64 of either alphabet, with whatever white space, and without padding or with all of it.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.replace([' ', '\t', '\n', '\u{b}', '\u{c}', '\r'], "");
    let text = text.replace('+', "-").replace('/', "_");
    let body = text.trim_end_matches('=');
    let is_padded = body.len() < text.len();
    let is_full = text.len().is_multiple_of(4) && text.len() - body.len() < 3;
    if is_padded && !is_full {
        return None;
    }
    URL_SAFE_NO_PAD.decode(body).ok()
}

fn text<'v>(jwk: &'v Value, name: &str) -> Option<&'v str> {
    jwk.get(name)?.as_str()
}

fn bytes(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    decode(text(jwk, name)?)
}

/// A number without its leading zeros.
fn digits(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    let bytes = bytes(jwk, name)?;
    let first = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[first..].to_vec())
}

/// A coordinate in this many bytes, whatever zeros are in front of it.
fn coordinate(jwk: &Value, name: &str, len: usize) -> Option<Vec<u8>> {
    let bytes = bytes(jwk, name)?;
    if bytes.len() == len {
        return Some(bytes);
    }
    let is_zero = !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0);
    let digits = if is_zero {
        Vec::new()
    } else {
        digits(jwk, name)?
    };
    let zeros = len.checked_sub(digits.len())?;
    Some([vec![0; zeros], digits].concat())
}

/// The JWK with a number as its RFC writes it, for the thumbprint.
fn rewritten(mut jwk: Value, numbers: &[(&str, &[u8])]) -> Value {
    for (name, bytes) in numbers {
        jwk[name] = URL_SAFE_NO_PAD.encode(bytes).into();
    }
    jwk
}

/// A sound key. `required` are the members that RFC 7638 hashes, in the order of their names.
fn sound(
    jwk: &Value,
    required: &[&str],
    algorithms: &'static [&'static str],
    signature_len: usize,
    numbers: Numbers,
) -> Option<Read> {
    let members: Vec<String> = required
        .iter()
        .map(|name| format!("\"{name}\":{}", jwk[name]))
        .collect();
    let digest = Sha256::digest(format!("{{{}}}", members.join(",")));
    Some(Read::Sound(Box::new(Public {
        algorithms,
        signature_len,
        thumbprint: URL_SAFE_NO_PAD.encode(digest),
        numbers,
    })))
}

const RSA: [&str; 6] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

fn read_rsa(jwk: &Value) -> Option<Read> {
    let (n, e) = (digits(jwk, "n")?, digits(jwk, "e")?);
    let size = 8 * n.len() - n[0].leading_zeros() as usize;
    let exponent = e
        .iter()
        .take(9)
        .fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    if !(2048..=8192).contains(&size)
        || !(3..1 << 33).contains(&exponent)
        || exponent % 2 == 0
        || (2..752).any(|factor| remainder(&n, factor) == 0)
        || has_fingerprint_of_roca(&n)
    {
        return None;
    }
    let number = BoxedUint::from_be_slice_vartime;
    let key = rsa::PublicKey::new(number(&n), number(&e)).ok()?;
    let jwk = rewritten(jwk.clone(), &[("n", &n), ("e", &e)]);
    sound(&jwk, &["e", "kty", "n"], &RSA, n.len(), Numbers::Rsa(key))
}

/// Long division, a byte at a time.
fn remainder(number: &[u8], divisor: u64) -> u64 {
    let digits = number.iter().map(|byte| u64::from(*byte));
    digits.fold(0, |rest, digit| (rest * 256 + digit) % divisor)
}

/// CVE-2017-15361: modulo each odd prime up to 167 the modulus is a power of 65537.
fn has_fingerprint_of_roca(n: &[u8]) -> bool {
    let is_prime = |number: &u64| !(2..*number).any(|divisor| number.is_multiple_of(divisor));
    (3..=167).filter(is_prime).all(|prime| {
        let mut powers = std::iter::successors(Some(1), |power| Some(power * 65_537 % prime));
        let rest = remainder(n, prime);
        powers.by_ref().take(200).any(|power| power == rest)
    })
}

fn read_ec(jwk: &Value) -> Option<Read> {
    macro_rules! curve {
        ($curve:ident, $numbers:ident, $alg:literal, $len:literal) => {{
            let (x, y) = (coordinate(jwk, "x", $len)?, coordinate(jwk, "y", $len)?);
            let jwk = rewritten(jwk.clone(), &[("x", &x), ("y", &y)]);
            let point = [vec![4], x, y].concat();
            let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
            let required = ["crv", "kty", "x", "y"];
            sound(&jwk, &required, &[$alg], 2 * $len, Numbers::$numbers(key))
        }};
    }
    if text(jwk, "x").is_none() && text(jwk, "y").is_none() {
        return None;
    }
    match text(jwk, "crv")? {
        "P-256" => curve!(p256, P256, "ES256", 32),
        "P-384" => curve!(p384, P384, "ES384", 48),
        "P-521" => curve!(p521, P521, "ES512", 66),
        "secp256k1" => curve!(k256, Secp256k1, "ES256K", 32),
        _ => Some(Read::OtherType),
    }
}

fn read_okp(jwk: &Value) -> Option<Read> {
    let x = text(jwk, "x")?;
    let required = ["crv", "kty", "x"];
    match text(jwk, "crv")? {
        "Ed25519" => {
            let x: [u8; 32] = decode(x)?.try_into().ok()?;
            let jwk = &rewritten(jwk.clone(), &[("x", &x)]);
            let key = ed25519_dalek::VerifyingKey::from_bytes(&x).ok()?;
            let is_canonical = key.to_edwards().compress().to_bytes() == x;
            if !is_canonical || key.is_weak() {
                return None;
            }
            let numbers = Numbers::Ed25519(key);
            sound(jwk, &required, &["EdDSA", "Ed25519"], 64, numbers)
        }
        "Ed448" => {
            let x = decode(x)?;
            let jwk = &rewritten(jwk.clone(), &[("x", &x)]);
            let bytes = x.as_slice().try_into().ok()?;
            let point = ed448_goldilocks::CompressedEdwardsY(bytes).decompress_unchecked();
            let point = Option::from(point).filter(|point: &AffinePoint| {
                bool::from(point.is_on_curve()) && point.compress().as_bytes()[..] == x[..]
            });
            // The cofactor is 4.
            let multiple = point?.to_edwards().double().double();
            if multiple == ed448_goldilocks::EdwardsPoint::IDENTITY {
                return None;
            }
            let key = ed448_goldilocks::VerifyingKey::from_bytes(&bytes).ok();
            let numbers = Numbers::Ed448(key);
            sound(jwk, &required, &["EdDSA", "Ed448"], 114, numbers)
        }
        _ => Some(Read::OtherType),
    }
}

fn read_akp(jwk: &Value) -> Option<Read> {
    macro_rules! set {
        ($set:ident, $alg:literal, $len:literal) => {{
            let key = bytes(jwk, "pub")?;
            let jwk = &rewritten(jwk.clone(), &[("pub", &key)]);
            let key = ml_dsa::VerifyingKey::<ml_dsa::$set>::decode(&key[..].try_into().ok()?);
            let required = ["alg", "kty", "pub"];
            sound(jwk, &required, &[$alg], $len, Numbers::$set(Box::new(key)))
        }};
    }
    text(jwk, "pub")?;
    match text(jwk, "alg")? {
        "ML-DSA-44" => set!(MlDsa44, "ML-DSA-44", 2420),
        "ML-DSA-65" => set!(MlDsa65, "ML-DSA-65", 3309),
        "ML-DSA-87" => set!(MlDsa87, "ML-DSA-87", 4627),
        _ => Some(Read::OtherType),
    }
}

impl Public {
    /// Whether this is a signature of the message, by an algorithm of the key's.
    pub fn verifies(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        use ml_dsa::signature::Verifier as _;

        macro_rules! ecdsa {
            ($curve:ident, $key:expr) => {
                $curve::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| $key.verify(message, &signature).is_ok())
            };
        }
        macro_rules! ml_dsa {
            ($key:expr) => {
                ml_dsa::Signature::try_from(signature)
                    .is_ok_and(|signature| $key.verify(message, &signature).is_ok())
            };
        }
        match &self.numbers {
            Numbers::Rsa(key) => verifies_rsa(key, alg, message, signature),
            Numbers::P256(key) => ecdsa!(p256, key),
            Numbers::P384(key) => ecdsa!(p384, key),
            Numbers::P521(key) => ecdsa!(p521, key),
            // The crate takes the lower of the two values of s alone, and RFC 8812 takes both.
            Numbers::Secp256k1(key) => k256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature.normalize_s()).is_ok()),
            Numbers::Ed25519(key) => signature
                .try_into()
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Numbers::Ed448(key) => key.as_ref().is_some_and(|key| {
                ed448_goldilocks::Signature::try_from(signature)
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }),
            Numbers::MlDsa44(key) => ml_dsa!(key),
            Numbers::MlDsa65(key) => ml_dsa!(key),
            Numbers::MlDsa87(key) => ml_dsa!(key),
        }
    }

    /// Whether a signature that verifies is the greater of a pair: ECDSA alone has pairs, and the
    /// crates can give the lesser one.
    pub fn is_high(&self, signature: &[u8]) -> bool {
        macro_rules! is_high {
            ($curve:ident) => {
                $curve::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| signature.normalize_s() != signature)
            };
        }
        match &self.numbers {
            Numbers::P256(_) => is_high!(p256),
            Numbers::P384(_) => is_high!(p384),
            Numbers::P521(_) => is_high!(p521),
            Numbers::Secp256k1(_) => is_high!(k256),
            _ => false,
        }
    }
}

fn verifies_rsa(key: &rsa::PublicKey, alg: &str, message: &[u8], signature: &[u8]) -> bool {
    let (sha256, sha384) = (Sha256::digest(message), Sha384::digest(message));
    let sha512 = Sha512::digest(message);
    // The salt of PSS is as long as the hash, unless another length is given.
    match alg {
        "RS256" => key.verify(Pkcs1v15Sign::new::<Sha256>(), &sha256, signature),
        "RS384" => key.verify(Pkcs1v15Sign::new::<Sha384>(), &sha384, signature),
        "RS512" => key.verify(Pkcs1v15Sign::new::<Sha512>(), &sha512, signature),
        "PS256" => key.verify(Pss::<Sha256>::new(), &sha256, signature),
        "PS384" => key.verify(Pss::<Sha384>::new(), &sha384, signature),
        "PS512" => key.verify(Pss::<Sha512>::new(), &sha512, signature),
        other => unreachable!("{other} is no algorithm of RSA"),
    }
    .is_ok()
}
