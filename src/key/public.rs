//! The public keys of JWKs: the numbers of RSA and EC keys (RFC 7518 sections 6.2 and 6.3,
//! RFC 8812), of octet key pairs (RFC 8037) and of algorithm key pairs (ML-DSA).
//!
//! Owns the encoding of the members. A number that is written with other leading zeros than its RFC
//! allows has one reading all the same, as Java and old libraries write it: it is read, and is not
//! canonical. Whether the numbers make a sound key is left to `health.rs`.

use std::cell::Cell;

use super::base64::{self, Alphabet};
use super::fault::{Fault, shown};
use super::json::{Json, Object};
use crate::signature::public::{Curve, MlDsa, PublicMaterial};
use crate::signature::{Algorithm, AlgorithmSet};

/// The members that hold private keys (RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2,
/// and `priv` of ML-DSA), beside `oth`. They are not read.
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "priv"];

/// Whether a key has private material. Libraries write private members of public keys as null or
/// empty.
pub(super) fn is_private(members: &Object) -> bool {
    let has_text =
        |name: &str| matches!(members.get(name), Some(Json::String(text)) if !text.is_empty());
    PRIVATE_MEMBERS.into_iter().any(has_text) || members.array("oth").is_some()
}

/// The numbers of a key.
pub(super) struct Numbers {
    pub(super) material: PublicMaterial,
    /// Whether each is written in the one form that its RFC allows.
    pub(super) is_canonical: bool,
}

/// Reads the numbers of a key of type `kty`; `None` where there are none at all, as with an `x5c`
/// alone.
pub(super) fn read(kty: &str, members: &Object) -> Result<Option<Numbers>, Fault> {
    let reader = Reader {
        members,
        is_canonical: Cell::new(true),
    };
    let material = match kty {
        "RSA" => reader.rsa(),
        "EC" => reader.elliptic(),
        "OKP" => reader.octets(),
        _ => reader.algorithm_key(),
    }?;
    Ok(material.map(|material| Numbers {
        material,
        is_canonical: reader.is_canonical.get(),
    }))
}

/// The algorithms of a key's type, as far as its members can be read: all where nothing is known.
pub(super) fn algorithms_of_type(members: &Object) -> AlgorithmSet {
    use Algorithm::{Ed448, Ed25519, EdDsa};
    let text = |name| members.text(name).ok().flatten();
    let Some(kty) = text("kty") else {
        return AlgorithmSet::ALL;
    };
    match (kty, text("crv")) {
        ("oct", _) => AlgorithmSet::HMAC,
        ("RSA", _) => AlgorithmSet::RSA,
        ("EC", None) => Curve::ALL.into_iter().map(Curve::algorithm).collect(),
        ("EC", Some(crv)) => {
            let curve = Curve::ALL.into_iter().find(|curve| curve.name() == crv);
            curve.map(Curve::algorithm).into_iter().collect()
        }
        ("OKP", None) => [EdDsa, Ed25519, Ed448].into_iter().collect(),
        ("OKP", Some("Ed25519")) => [EdDsa, Ed25519].into_iter().collect(),
        ("OKP", Some("Ed448")) => [EdDsa, Ed448].into_iter().collect(),
        ("AKP", _) => MlDsa::ALL.into_iter().map(MlDsa::algorithm).collect(),
        _ => AlgorithmSet::EMPTY,
    }
}

struct Reader<'m> {
    members: &'m Object,
    is_canonical: Cell<bool>,
}

impl Reader<'_> {
    fn rsa(&self) -> Result<Option<PublicMaterial>, Fault> {
        let (n, e) = (self.members.text("n")?, self.members.text("e")?);
        if n.is_none() && e.is_none() {
            return Ok(None);
        }
        Ok(Some(PublicMaterial::Rsa {
            n: self.number("n", n)?,
            e: self.number("e", e)?,
        }))
    }

    fn elliptic(&self) -> Result<Option<PublicMaterial>, Fault> {
        let crv = self.members.text("crv")?;
        let (x, y) = (self.members.text("x")?, self.members.text("y")?);
        if x.is_none() && y.is_none() {
            return Ok(None);
        }
        let crv = crv.ok_or_else(|| absent("crv"))?;
        let curve = Curve::ALL
            .into_iter()
            .find(|curve| curve.name() == crv)
            .ok_or_else(|| other_crv("a curve that no JWS algorithm uses"))?;
        Ok(Some(PublicMaterial::Ec {
            curve,
            x: self.coordinate("x", x, curve)?,
            y: self.coordinate("y", y, curve)?,
        }))
    }

    fn octets(&self) -> Result<Option<PublicMaterial>, Fault> {
        let (crv, x) = (self.members.text("crv")?, self.members.text("x")?);
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
                let x = self.bytes("x", x)?.try_into().map_err(wrong_len)?;
                Ok(Some(PublicMaterial::Ed25519(x)))
            }
            "Ed448" => {
                let x = self.bytes("x", x)?.try_into().map_err(wrong_len)?;
                Ok(Some(PublicMaterial::Ed448(x)))
            }
            "X25519" | "X448" => Err(other_crv("a key for key agreement")),
            _ => Err(other_crv("a curve that no JWS algorithm uses")),
        }
    }

    /// A key of type AKP, whose `alg` is part of the key.
    fn algorithm_key(&self) -> Result<Option<PublicMaterial>, Fault> {
        let (alg, key) = (self.members.text("alg")?, self.members.text("pub")?);
        if key.is_none() {
            return Ok(None);
        }
        let alg = alg.ok_or_else(|| Fault::at("alg", "absent, which an \"AKP\" key needs"))?;
        let set = MlDsa::ALL
            .into_iter()
            .find(|set| set.name() == alg)
            .ok_or_else(|| {
                let why = format!("{}, which jotmill does not verify", shown(alg));
                Fault::other_type(why).with_member(Some("alg"))
            })?;
        let key = self.bytes("pub", key)?;
        if key.len() != set.key_len() {
            let why = format!("{} bytes; a key for {alg} has {}", key.len(), set.key_len());
            return Err(Fault::at("pub", why));
        }
        Ok(Some(PublicMaterial::MlDsa { set, key }))
    }

    /// A positive number; canonical in the fewest possible bytes (RFC 7518 section 2,
    /// "Base64urlUInt").
    fn number(&self, name: &'static str, text: Option<&str>) -> Result<Vec<u8>, Fault> {
        let mut bytes = self.bytes(name, text)?;
        let zeros = leading_zeros(&bytes);
        if zeros == bytes.len() {
            let why = if zeros == 0 { "empty" } else { "zero" };
            return Err(Fault::at(name, why));
        }
        self.is_canonical.set(self.is_canonical.get() && zeros == 0);
        bytes.drain(..zeros);
        Ok(bytes)
    }

    /// A coordinate; canonical in the length of its curve (RFC 7518 section 6.2.1.2).
    fn coordinate(
        &self,
        name: &'static str,
        text: Option<&str>,
        curve: Curve,
    ) -> Result<Vec<u8>, Fault> {
        let bytes = self.bytes(name, text)?;
        let len = curve.coordinate_len();
        if bytes.len() == len {
            return Ok(bytes);
        }
        if bytes.is_empty() {
            return Err(Fault::at(name, "empty"));
        }
        let digits = &bytes[leading_zeros(&bytes)..];
        if digits.len() > len {
            let why = format!(
                "{} bytes; a coordinate on {} has {len} (RFC 7518 section 6.2.1)",
                bytes.len(),
                curve.name(),
            );
            return Err(Fault::at(name, why));
        }
        self.is_canonical.set(false);
        Ok([&vec![0; len - digits.len()], digits].concat())
    }

    fn bytes(&self, name: &'static str, text: Option<&str>) -> Result<Vec<u8>, Fault> {
        let text = text.ok_or_else(|| absent(name))?;
        let decoded =
            base64::decode(text, Alphabet::UrlSafe, true).map_err(|why| Fault::at(name, why))?;
        self.is_canonical
            .set(self.is_canonical.get() && decoded.is_canonical);
        Ok(decoded.bytes.to_vec())
    }
}

fn leading_zeros(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0).count()
}

fn other_crv(why: &str) -> Fault {
    Fault::other_type(why).with_member(Some("crv"))
}

fn absent(name: &'static str) -> Fault {
    Fault::at(name, "absent, which a key of this type needs")
}
