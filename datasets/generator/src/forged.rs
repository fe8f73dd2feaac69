//! Wrong signatures: forged, cut, or of another algorithm.
//!
//! Owns the faults that a signature of any algorithm can have. Faults of one algorithm are in
//! `private`.

use super::algorithm::{Algorithm, KeyType};
use super::key_form::{ecdsa_der, spki};
use super::keys::{KeyRing, Signer};
use super::mac::Mac;
use super::private::PrivateKey;
use super::rng::Rng;
use super::signing::Signing;
use super::text::base64url;

/// Writes a signature of the right length that is not the token's.
pub(super) fn forge(
    ring: &KeyRing,
    signer: Signer,
    input: &[u8],
    payload: &[u8],
    out: &mut Vec<u8>,
    rng: &mut Rng,
) {
    let key = ring.key(signer.key);
    let algorithm = signer.algorithm;
    let outsider = ring.outsider(algorithm);
    let own = match key.signing(algorithm) {
        Some(Signing::Private(own)) => {
            return forge_private(ring, own, algorithm, input, payload, out, rng);
        }
        Some(Signing::Mac(own)) => own,
        None => outsider,
    };
    match rng.below(10) {
        // One bit.
        0 | 1 => {
            own.sign(input, out);
            flip(out, rng);
        }
        2 | 3 => outsider.sign(input, out),
        4 => {
            out.clear();
            out.resize(own.len(), 0);
        }
        // The signature of another token, as if header or payload had been swapped.
        5 | 6 => own.sign(&longer(input), out),
        7 => ring.empty(algorithm).sign(input, out),
        // Over the decoded payload instead of what is in the token.
        8 => own.sign(payload, out),
        // With the text of `k` as the secret instead of its bytes.
        _ => Mac::new(algorithm, base64url(&key.secret).as_bytes()).sign(input, out),
    }
}

fn forge_private(
    ring: &KeyRing,
    own: &PrivateKey,
    algorithm: Algorithm,
    input: &[u8],
    payload: &[u8],
    out: &mut Vec<u8>,
    rng: &mut Rng,
) {
    match rng.below(20) {
        0 | 1 => {
            own.sign(algorithm, input, out, rng);
            flip(out, rng);
        }
        2 | 3 => own.sign(algorithm, &longer(input), out, rng),
        4 => own.sign(algorithm, payload, out, rng),
        form @ 5..8 => {
            own.sign(algorithm, input, out, rng);
            match form {
                5 => out.fill(0),
                6 => out.fill(0xff),
                _ => rng.fill(out),
            }
        }
        8..18 if own.fault(algorithm, input, out, rng) => {}
        _ => match ring.stranger(own.key_type()) {
            Some(stranger) => stranger.sign(algorithm, input, out, rng),
            None => own.sign(algorithm, &longer(input), out, rng),
        },
    }
}

fn longer(input: &[u8]) -> Vec<u8> {
    [input, b"A"].concat()
}

fn flip(signature: &mut [u8], rng: &mut Rng) {
    let at = rng.index(signature.len());
    let bit = rng.pick(&[1, 2, 4, 8, 16, 32, 64, 128]);
    if let Some(byte) = signature.get_mut(at) {
        *byte ^= bit;
    }
}

/// Gives a signature a length that no signature of its algorithm has. Where the audit limits the
/// length of a line (`is_limited`), a long signature stays within the limit.
pub(super) fn resize(signing: &Signing, signature: &mut Vec<u8>, is_limited: bool, rng: &mut Rng) {
    let right = match signing {
        Signing::Mac(mac) => mac.len(),
        Signing::Private(own) => return resize_private(own, signature, is_limited, rng),
    };
    let len = match rng.below(8) {
        0 | 1 => 0,
        2 => right - 1,
        3 => right + 1,
        4 => right / 2,
        5 => rng.pick(&[20, 24, 28, 256]),
        6 => rng.index(right),
        // The length of another algorithm's.
        _ => 96 - right.min(64),
    };
    let len = if len == right { 0 } else { len };
    signature.resize(len, 0x5a);
}

fn resize_private(own: &PrivateKey, signature: &mut Vec<u8>, is_limited: bool, rng: &mut Rng) {
    let right = signature.len();
    let is_ecdsa = matches!(
        own.key_type(),
        KeyType::P256 | KeyType::P384 | KeyType::P521 | KeyType::Secp256k1
    );
    match rng.below(12) {
        0 => signature.clear(),
        // Cut, and lengthened, at either end.
        1 => signature.truncate(right - 1),
        2 => drop(signature.remove(0)),
        3 => signature.push(0),
        4 => signature.insert(0, 0),
        5 => signature.truncate(right / 2),
        6 if !is_limited || right < 1_024 => signature.extend_from_within(..),
        7 => signature.truncate(rng.index(right)),
        // As long as to need more than one byte of length in DER, and than any buffer for it.
        8 => {
            let long = if is_limited { 6_000 } else { 16_000 };
            signature.resize(long + rng.index(400), 0x5a);
        }
        _ if is_ecdsa => *signature = ecdsa_der(signature),
        // The lengths of MACs.
        _ => signature.resize(rng.pick(&[20, 32, 48]), 0x5a),
    }
    // Keys of another size or curve of the same algorithm may be tried as well.
    let fits_a_key = match own.key_type() {
        KeyType::Rsa(_) => [256, 384, 512].contains(&signature.len()),
        KeyType::Ed25519 | KeyType::Ed448 => [64, 114].contains(&signature.len()),
        _ => signature.len() == right,
    };
    if fits_a_key {
        signature.clear();
    }
}

/// Signs with what the token's key is not for, under the name of `other`.
pub(super) fn sign_as(
    ring: &KeyRing,
    signer: Signer,
    other: Algorithm,
    input: &[u8],
    out: &mut Vec<u8>,
    rng: &mut Rng,
) {
    let key = ring.key(signer.key);
    match key.signing(signer.algorithm) {
        Some(Signing::Private(own)) if other.is_hmac() => {
            // The public key as the secret: the oldest confusion of all.
            let secret = if rng.percent(50) {
                super::der::pem("PUBLIC KEY", &spki(own))
            } else {
                format!("{{{}}}", own.public_members()).into_bytes()
            };
            Mac::new(other, &secret).sign(input, out);
        }
        Some(Signing::Private(own)) if own.key_type().signs(other) => {
            own.sign(other, input, out, rng);
        }
        Some(Signing::Private(own)) => own.sign(signer.algorithm, input, out, rng),
        _ => Mac::new(other, &key.secret).sign(input, out),
    }
}
