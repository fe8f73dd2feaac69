//! The parameters of RSA keys that are restricted to RSASSA-PSS (RFC 4055 section 3.1).

use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Tag, Tagged};

use super::der;
use super::fault::Fault;
use crate::signature::{Algorithm, AlgorithmSet};

// Tags (X.690 section 8), and the content of object identifiers (RFC 8017 appendix B).
const HASH: u8 = 0xa0;
const MASK: u8 = 0xa1;
const SALT_LENGTH: u8 = 0xa2;
const TRAILER: u8 = 0xa3;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SHA_2: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const MGF1: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
/// The length of the salt where the parameters name none.
const DEFAULT_SALT: usize = 20;

/// The algorithms that a key may verify: those of every hash where it has no parameters, and else
/// that of its hash. The salt of JWS is as long as the hash (RFC 7518 section 3.5), and may be longer
/// than the parameters demand (RFC 4055 section 3.3).
///
/// # Errors
/// [`Fault`] for parameters that leave nothing for JWS.
pub(super) fn algorithms(parameters: Option<AnyRef<'_>>) -> Result<AlgorithmSet, Fault> {
    let refused = |why: &str| Fault::other_type(format!("an RSA key restricted to PSS, {why}"));
    let Some(parameters) = parameters else {
        return Ok(ALL.into_iter().map(|(algorithm, _)| algorithm).collect());
    };
    let broken = || refused("whose parameters cannot be read (RFC 4055 section 3.1)");
    let members = match parameters.tag() {
        Tag::Sequence => der::all(parameters.value()).ok_or_else(broken)?,
        _ => return Err(broken()),
    };
    let member = |tag: u8| {
        let member = members.iter().find(|it| it.first() == Some(&tag));
        member
            .map(|it| der::content(it, tag).ok_or_else(broken))
            .transpose()
    };
    let Some(hash) = member(HASH)? else {
        return Err(refused("with SHA-1, which JWS does not use"));
    };
    let other_hash = "with a hash that JWS does not use with PSS";
    let at = sha_2(hash).ok_or_else(|| refused(other_hash))?;
    let (algorithm, hash_len) = *ALL.get(at).ok_or_else(|| refused(other_hash))?;
    let mask = member(MASK)?.and_then(mask_hash);
    if mask != Some(at) {
        return Err(refused(
            "whose mask has another hash than the message, as never in JWS",
        ));
    }
    let salt_len = match member(SALT_LENGTH)? {
        None => DEFAULT_SALT,
        Some(integer) => match der::content(integer, INTEGER) {
            Some([len @ 0..=0x7f]) => usize::from(*len),
            Some(_) => usize::MAX,
            None => return Err(broken()),
        },
    };
    if salt_len > hash_len {
        return Err(refused(
            "with a longer salt than the hash, which JWS does not use (RFC 7518 section 3.5)",
        ));
    }
    if member(TRAILER)?.is_some_and(|trailer| trailer != [INTEGER, 1, 1]) {
        return Err(refused("with another trailer than JWS has"));
    }
    Ok([algorithm].into_iter().collect())
}

/// The algorithms, and the length of the hash of each in bytes, in the order of the hashes' object
/// identifiers.
const ALL: [(Algorithm, usize); 3] = [
    (Algorithm::Ps256, 32),
    (Algorithm::Ps384, 48),
    (Algorithm::Ps512, 64),
];

/// Which of [`ALL`] a hash is for.
fn sha_2(hash: &[u8]) -> Option<usize> {
    let parts = der::elements(hash)?;
    let [arcs @ .., last] = der::content(parts.first()?, OBJECT_IDENTIFIER)? else {
        return None;
    };
    (arcs == SHA_2).then_some(usize::from(*last).checked_sub(1))?
}

/// Which of [`ALL`] the hash of a mask is for.
fn mask_hash(mask: &[u8]) -> Option<usize> {
    let parts = der::elements(mask)?;
    let is_mgf1 = der::content(parts.first()?, OBJECT_IDENTIFIER)? == MGF1;
    is_mgf1.then(|| sha_2(parts.get(1)?))?
}
