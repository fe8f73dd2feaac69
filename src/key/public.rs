//! The public keys of JWKs: the numbers of RSA and EC keys (RFC 7518 sections 6.2 and 6.3,
//! RFC 8812), of octet key pairs (RFC 8037) and of algorithm key pairs (ML-DSA).
//!
//! Owns the encoding of the members. A number is read in the one form that its RFC allows: an RSA
//! number without leading zeros (section 6.3.1.1 says "MUST"), a coordinate of the full length of its
//! curve, base64url without padding. Whether the numbers make a sound key is left to `health.rs`.

use base64_simd::URL_SAFE_NO_PAD;

use super::fault::Fault;
use super::json::Object;
use crate::signature::public::{Curve, MlDsa, PublicMaterial};

/// The members that hold private keys (RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2,
/// and `priv` of ML-DSA). They are not read.
pub(super) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"];

/// Reads the numbers of a key of type `kty`; `None` where there are none at all, as with an `x5c`
/// alone.
pub(super) fn read(kty: &str, members: &Object) -> Result<Option<PublicMaterial>, Fault> {
    match kty {
        "RSA" => rsa(members),
        "EC" => elliptic(members),
        "OKP" => octets(members),
        _ => algorithm_key(members),
    }
}

fn rsa(members: &Object) -> Result<Option<PublicMaterial>, Fault> {
    let (n, e) = (members.text("n")?, members.text("e")?);
    if n.is_none() && e.is_none() {
        return Ok(None);
    }
    Ok(Some(PublicMaterial::Rsa {
        n: number("n", n)?,
        e: number("e", e)?,
    }))
}

fn elliptic(members: &Object) -> Result<Option<PublicMaterial>, Fault> {
    let (crv, x, y) = (members.text("crv")?, members.text("x")?, members.text("y")?);
    if x.is_none() && y.is_none() {
        return Ok(None);
    }
    let crv = crv.ok_or_else(|| absent("crv"))?;
    let curve = Curve::ALL
        .into_iter()
        .find(|curve| curve.name() == crv)
        .ok_or_else(|| other_crv("a curve that no JWS algorithm uses"))?;
    let coordinate = |name, text| {
        let bytes = bytes(name, text)?;
        if bytes.len() == curve.coordinate_len() {
            return Ok(bytes);
        }
        let why = format!(
            "{} bytes; a coordinate on {} has {} (RFC 7518 section 6.2.1)",
            bytes.len(),
            curve.name(),
            curve.coordinate_len(),
        );
        Err(Fault::at(name, why))
    };
    Ok(Some(PublicMaterial::Ec {
        curve,
        x: coordinate("x", x)?,
        y: coordinate("y", y)?,
    }))
}

fn octets(members: &Object) -> Result<Option<PublicMaterial>, Fault> {
    let (crv, x) = (members.text("crv")?, members.text("x")?);
    if x.is_none() {
        return Ok(None);
    }
    let wrong_len = |_| {
        Fault::at(
            "x",
            "of the wrong length for its curve (RFC 8032 section 5)",
        )
    };
    match crv.ok_or_else(|| absent("crv"))? {
        "Ed25519" => {
            let x = bytes("x", x)?.try_into().map_err(wrong_len)?;
            Ok(Some(PublicMaterial::Ed25519(x)))
        }
        "Ed448" => {
            let x = bytes("x", x)?.try_into().map_err(wrong_len)?;
            Ok(Some(PublicMaterial::Ed448(x)))
        }
        "X25519" | "X448" => Err(other_crv("a key for key agreement")),
        _ => Err(other_crv("a curve that no JWS algorithm uses")),
    }
}

/// A key of type AKP, whose `alg` is part of the key.
fn algorithm_key(members: &Object) -> Result<Option<PublicMaterial>, Fault> {
    let (alg, key) = (members.text("alg")?, members.text("pub")?);
    if key.is_none() {
        return Ok(None);
    }
    let alg = alg.ok_or_else(|| Fault::at("alg", "absent, which an \"AKP\" key needs"))?;
    let set = MlDsa::ALL
        .into_iter()
        .find(|set| set.name() == alg)
        .ok_or_else(|| {
            Fault::other_type("an algorithm that jotmill does not verify").with_member(Some("alg"))
        })?;
    let key = bytes("pub", key)?;
    if key.len() != set.key_len() {
        let why = format!("{} bytes; a key for {alg} has {}", key.len(), set.key_len());
        return Err(Fault::at("pub", why));
    }
    Ok(Some(PublicMaterial::MlDsa { set, key }))
}

/// A positive number in the fewest possible bytes (RFC 7518 section 2, "Base64urlUInt").
fn number(name: &'static str, text: Option<&str>) -> Result<Vec<u8>, Fault> {
    let bytes = bytes(name, text)?;
    match bytes.first() {
        None => Err(Fault::at(name, "empty")),
        Some(0) => Err(Fault::at(
            name,
            "begins with a zero byte (RFC 7518 sections 2 and 6.3.1)",
        )),
        Some(_) => Ok(bytes),
    }
}

fn bytes(name: &'static str, text: Option<&str>) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD
        .decode_to_vec(text.ok_or_else(|| absent(name))?)
        .map_err(|_| Fault::at(name, "not base64url without padding (RFC 7515 section 2)"))
}

fn other_crv(why: &str) -> Fault {
    Fault::other_type(why).with_member(Some("crv"))
}

fn absent(name: &'static str) -> Fault {
    Fault::at(name, "absent, which a key of this type needs")
}
