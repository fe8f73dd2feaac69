//! The JOSE header of a token (RFC 7515 section 4), good or spoiled in its members.
//!
//! Owns which members a header has, their order and their values. What is wrong with the header's
//! text as a whole (JSON, base64url) is done where the token is put together.

use super::algorithm::Algorithm;
use super::defect::Defect;
use super::flags::AuditFlags;
use super::json::{Member, Object};
use super::keys::{KeyRing, Naming, RETIRED_KID, Signer};
use super::payload::Kind;
use super::refused_keys::RefusedKey;
use super::rng::Rng;
use super::text::{push_escaped, push_hex, push_json_string};

/// The order and spacing of a header's members: what libraries and providers write.
#[derive(Debug, Clone, Copy)]
enum Layout {
    AlgTypKid,
    AlgTypKidSpaced,
    TypAlgKid,
    KidAlgTyp,
    AlgKidTyp,
}

/// A header that is being made. Its buffers are reused from token to token.
pub(super) struct Header {
    alg: Member,
    typ: Member,
    pub(super) kid: Member,
    cty: Member,
    /// More members as JSON text, each with a comma in front.
    pub(super) extra: Vec<u8>,
    layout: Layout,
}

/// Values that are not strings.
const NO_STRINGS: [&[u8]; 8] = [
    b"7",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"[\"HS256\"]",
    b"-1.5",
    b"{\"a\":\"b\"}",
];

/// Names that no registry knows as a signature algorithm, and never will.
const NO_ALGORITHMS: [&str; 8] = [
    "HS1",
    "HS257",
    "hs256",
    "HS256 ",
    "HMAC-SHA256",
    "A256GCMKW",
    "nonesuch",
    "HS256,HS512",
];

/// The same among the names of algorithms with a private key.
const NO_PUBLIC_ALGORITHMS: [&str; 16] = [
    "HS256 ",
    "RS1",
    "RS257",
    "rs256",
    "RSA-PSS",
    "RSA-OAEP-256",
    "ES521",
    "ES256k",
    "Es256",
    "SHA256withECDSA",
    "ECDH-ES",
    "EDDSA",
    "ed25519",
    "Ed25519ph",
    "ML-DSA-45",
    "ML-DSA",
];

/// `crit` and the members it needs, malformed by RFC 7515 section 4.1.11.
const BAD_CRITS: [&[u8]; 14] = [
    b",\"crit\":[]",
    b",\"crit\":\"exp\"",
    b",\"crit\":null",
    b",\"crit\":{}",
    b",\"crit\":true",
    b",\"crit\":[1]",
    b",\"crit\":[\"\"]",
    b",\"crit\":[null]",
    b",\"crit\":[\"x-absent\"]",
    b",\"crit\":[\"alg\"]",
    b",\"crit\":[\"crit\"]",
    b",\"x-ext\":1,\"crit\":[\"x-ext\",\"x-ext\"]",
    b",\"crit\":[\"x-ext\",7],\"x-ext\":1",
    b",\"crit\":[\"b64\"]",
];

/// `b64` with anything but `true`, listed in `crit` or not.
const BAD_B64S: [&[u8]; 6] = [
    b",\"b64\":false,\"crit\":[\"b64\"]",
    b",\"crit\":[\"b64\"],\"b64\":false",
    b",\"b64\":false",
    b",\"b64\":\"true\"",
    b",\"b64\":0",
    b",\"b64\":null,\"crit\":[\"b64\"]",
];

/// A well-formed `crit` with an extension that nobody implements.
const UNKNOWN_CRITS: [&[u8]; 5] = [
    b",\"crit\":[\"exp\"],\"exp\":1363284000",
    b",\"crit\":[\"http://example.com/UNDEFINED\"],\"http://example.com/UNDEFINED\":true",
    b",\"x-ext\":null,\"crit\":[\"x-ext\"]",
    b",\"crit\":[\"x-one\",\"x-two\"],\"x-two\":{},\"x-one\":[]",
    b",\"x-\\u0065xt\":1,\"crit\":[\"x-ext\"]",
];

impl Header {
    pub(super) fn new() -> Header {
        Header {
            alg: Member::default(),
            typ: Member::default(),
            kid: Member::default(),
            cty: Member::default(),
            extra: Vec::new(),
            layout: Layout::AlgTypKid,
        }
    }

    /// Plans a good header for a token of this kind by this signer.
    pub(super) fn plan(
        &mut self,
        kind: Kind,
        signer: Signer,
        ring: &KeyRing,
        flags: &AuditFlags,
        rng: &mut Rng,
    ) {
        self.extra.clear();
        self.cty.reset("cty", false);
        self.alg.reset("alg", true);
        self.alg.set_plain(signer.algorithm.name());
        self.kid.reset("kid", false);
        match signer.naming {
            Naming::Own => self.kid.set(&ring.key(signer.key).id_json),
            Naming::Unknown => self.kid.set(RETIRED_KID),
            Naming::Absent => {}
        }
        let (layout, typ) = match kind {
            Kind::Realm => (Layout::AlgTypKidSpaced, Some("JWT")),
            Kind::Directory => (Layout::TypAlgKid, Some("JWT")),
            Kind::Tenant => (Layout::AlgTypKid, Some(rng.pick(&["JWT", "at+jwt"]))),
            Kind::Workforce => (Layout::KidAlgTyp, None),
            Kind::Account => (Layout::AlgKidTyp, Some("JWT")),
            Kind::Service => match rng.below(3) {
                0 => (Layout::AlgTypKid, None),
                1 => (Layout::TypAlgKid, Some("JWT")),
                _ => (Layout::AlgTypKid, Some("JWT")),
            },
            Kind::Bench => (Layout::AlgTypKid, Some("JWT")),
        };
        self.layout = layout;
        self.typ.reset("typ", false);
        if let Some(typ) = flags.typ.or(typ) {
            self.typ.set_plain(typ);
        }
    }

    /// Writes the header as JSON.
    pub(super) fn render(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        let Header { alg, typ, kid, .. } = self;
        match self.layout {
            Layout::AlgTypKid => [alg, typ, kid].map(|member| object.member(member)),
            Layout::AlgTypKidSpaced => {
                object.member(alg);
                object.member_with(typ, b"\" : ");
                object.member_with(kid, b"\" : ");
                [(); 3]
            }
            Layout::TypAlgKid => [typ, alg, kid].map(|member| object.member(member)),
            Layout::KidAlgTyp => [kid, alg, typ].map(|member| object.member(member)),
            Layout::AlgKidTyp => [alg, kid, typ].map(|member| object.member(member)),
        };
        object.member(&self.cty);
        object.close(&self.extra);
    }

    /// The name and value of a member that is present, for repeating it.
    pub(super) fn any_member(&self, rng: &mut Rng) -> (&'static str, &[u8]) {
        if self.kid.present && rng.percent(50) {
            ("kid", &self.kid.value)
        } else {
            ("alg", &self.alg.value)
        }
    }

    /// The algorithm that the header names, if it is one that signs.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        let value = self.alg.value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let mut known = Algorithm::ALL.iter().copied();
        known.find(|algorithm| algorithm.name().as_bytes() == value)
    }

    /// Names another algorithm.
    pub(super) fn set_algorithm(&mut self, name: &str) {
        self.alg.set_plain(name);
    }

    /// Names a key that no valid token can name.
    pub(super) fn name_refused(&mut self, key: &RefusedKey) {
        self.kid.set(&key.id_json);
        self.alg.set_plain(key.algorithm.name());
    }

    /// Makes a defect that sits in the members. Other defects leave the header as it is.
    pub(super) fn spoil(
        &mut self,
        defect: Defect,
        algorithms: &[Algorithm],
        ring: &KeyRing,
        rng: &mut Rng,
    ) {
        match defect {
            Defect::AlgMissing => {
                self.alg.present = false;
                let decoys: [&[u8]; 4] = [
                    b"",
                    b",\"Alg\":\"HS256\"",
                    b",\"ALG\":\"none\"",
                    b",\"algorithm\":\"HS256\"",
                ];
                self.extra.extend_from_slice(rng.pick(&decoys));
            }
            Defect::AlgType => self.alg.set(rng.pick(&NO_STRINGS)),
            Defect::AlgNone => {
                self.alg
                    .set_plain(rng.pick(&["none", "none", "None", "NONE", "nOnE", "nonE"]));
            }
            Defect::AlgUnsupported if algorithms.iter().all(|alg| alg.is_hmac()) => {
                self.alg.set_plain(rng.pick(&NO_ALGORITHMS));
            }
            Defect::AlgUnsupported => self.alg.set_plain(rng.pick(&NO_PUBLIC_ALGORITHMS)),
            Defect::AlgNotAllowed => {
                let others = Algorithm::left_out(algorithms);
                if let Some(other) = others.get(rng.index(others.len())) {
                    self.alg.set_plain(other.name());
                }
            }
            Defect::KidType => self.kid.set(rng.pick(&NO_STRINGS)),
            Defect::TypType => self.typ.set(rng.pick(&NO_STRINGS)),
            Defect::CtyType => self.cty.set(rng.pick(&NO_STRINGS)),
            Defect::TypMismatch => {
                let others = [
                    "",
                    "at+jwt",
                    "JWS",
                    "JOSE",
                    "text/jwt",
                    "application/at+jwt",
                    "JWT2",
                    "J",
                ];
                match rng.pick(&others) {
                    "" => self.typ.present = false,
                    other => self.typ.set_plain(other),
                }
            }
            Defect::CritInvalid => self.extra.extend_from_slice(rng.pick(&BAD_CRITS)),
            Defect::B64Unsupported => self.extra.extend_from_slice(rng.pick(&BAD_B64S)),
            Defect::CritUnsupported => self.extra.extend_from_slice(rng.pick(&UNKNOWN_CRITS)),
            Defect::KeyNotFound => self.unknown_kid(ring, rng),
            Defect::TooManyKeys => self.kid.present = false,
            _ => {}
        }
    }

    /// Names a key that is not there: hostile text, or an id that is almost one of the set's.
    fn unknown_kid(&mut self, ring: &KeyRing, rng: &mut Rng) {
        const HOSTILE: [&str; 9] = [
            "",
            "../../../../dev/null",
            "/etc/passwd",
            "x' UNION SELECT 'key' --",
            "$(id)",
            "key|id",
            "a\0b",
            "\u{202e}gnikcirt",
            "null",
        ];
        let near = ring
            .key(rng.index(ring.len()))
            .id
            .clone()
            .unwrap_or_default();
        let candidate = match rng.below(8) {
            0 | 1 => Some(rng.pick(&HOSTILE).to_owned()),
            2 => Some(near.to_ascii_uppercase()),
            3 => Some(format!("{near} ")),
            4 => Some(near.chars().skip(1).collect()),
            5 => Some(format!("{near}\0")),
            6 => Some("k".repeat(200 + rng.index(800))),
            _ => None,
        };
        let candidate = candidate.filter(|id| !ring.has_id(id)).unwrap_or_else(|| {
            let mut text = b"2019-".to_vec();
            push_hex(&mut text, rng, 12);
            String::from_utf8(text).unwrap_or_default()
        });
        self.kid.set(b"");
        push_json_string(&mut self.kid.value, &candidate);
    }

    /// Writes the names of all members with an escape, which changes nothing of their meaning.
    pub(super) fn escape_names(&mut self, rng: &mut Rng) {
        for member in [&mut self.alg, &mut self.typ, &mut self.kid] {
            let name = std::mem::take(&mut member.name);
            push_escaped(&mut member.name, &name, rng);
        }
    }

    /// Writes `typ` in another spelling of the same media type (RFC 7515 section 4.1.9).
    pub(super) fn respell_typ(&mut self, rng: &mut Rng) {
        self.typ
            .set_plain(rng.pick(&["jwt", "Jwt", "application/jwt", "application/JWT"]));
    }

    /// Changes the order of the members.
    pub(super) fn reorder(&mut self, rng: &mut Rng) {
        self.layout = rng.pick(&[
            Layout::KidAlgTyp,
            Layout::TypAlgKid,
            Layout::AlgTypKidSpaced,
        ]);
    }
}
