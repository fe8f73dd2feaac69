//! Putting one token together: header, payload, signature, and a defect or none.
//!
//! Owns the order of the steps and the defects of the texts as a whole (JSON, base64url, signature,
//! structure). What the header and the claims say is planned in `header` and `claims`. The order
//! matters: a payload that is not base64url is spoiled first and signed after, so that its
//! signature holds.

use super::algorithm::Algorithm;
use super::claims::{Claim, Claims, Times};
use super::defect::{Defect, Stage};
use super::edge_cases::{self, Spacing};
use super::flags::AuditFlags;
use super::forged::{forge, resize, sign_as};
use super::header::Header;
use super::issuers::{self, Issuer};
use super::keys::{KeyRing, Naming, Signer};
use super::malformed::{break_base64url, break_json, not_object, repeat_member, space_out};
use super::payload::{self, Kind, Presence};
use super::rng::{Rng, Streams};
use super::signing::Signing;
use super::spec::Spec;
use super::text::{BASE64URL, push_digits, push_random};

/// What all tokens of a data set share.
pub(super) struct Plan {
    pub(super) spec: Spec,
    pub(super) flags: AuditFlags,
    pub(super) issuers: Vec<Issuer>,
    pub(super) presence: Presence,
    pub(super) streams: Streams,
}

/// Makes one token at a time, in buffers of its own.
pub(super) struct TokenMaker<'p> {
    plan: &'p Plan,
    /// The keys that the token's is one of: those of its issuer, unless the defect is about that.
    ring: &'p KeyRing,
    header: Header,
    claims: Claims,
    json: Vec<u8>,
    segment: Vec<u8>,
    signature: Vec<u8>,
    /// The times of the token, where they do not follow from the audit's `now`.
    times: Option<Times>,
    /// The token made last.
    pub(super) token: Vec<u8>,
}

impl<'p> TokenMaker<'p> {
    pub(super) fn new(plan: &'p Plan) -> TokenMaker<'p> {
        TokenMaker {
            plan,
            ring: &plan.issuers[0].ring,
            header: Header::new(),
            claims: Claims::default(),
            json: Vec::new(),
            segment: Vec::new(),
            signature: Vec::new(),
            times: None,
            token: Vec::new(),
        }
    }

    /// As [`TokenMaker::make`], with these times, all of which are present.
    pub(super) fn make_at(
        &mut self,
        index: u64,
        defect: Option<Defect>,
        times: Times,
    ) -> Option<&'p str> {
        self.times = Some(times);
        let key = self.make(index, defect);
        self.times = None;
        key
    }

    /// Makes the token number `index` with this defect, and gives the id of the key that signed it,
    /// where a validator finds the signature good and the key has one.
    pub(super) fn make(&mut self, index: u64, defect: Option<Defect>) -> Option<&'p str> {
        let plan = self.plan;
        let mut rng = plan.streams.at(index);
        let rng = &mut rng;
        let kind = Kind::draw(plan.spec.shape, rng);
        let is_foreign = defect == Some(Defect::ForeignIssuerKey);
        let issuer = if is_foreign {
            issuers::other(&plan.issuers, kind, rng)
        } else {
            issuers::of(&plan.issuers, kind)
        };
        self.ring = &issuer.ring;
        let mut signer = self.ring.draw(rng);
        if is_foreign {
            // Without `kid` the keys of the issuer are tried: a `signature-mismatch`.
            signer.naming = Naming::Own;
        }
        let is_authentic = defect.is_none_or(Defect::is_authentic);
        let defect = match defect {
            Some(Defect::IssuerUnknown) => Some(rng.pick(&issuers::UNKNOWN)),
            other => other,
        };
        self.header.plan(kind, signer, self.ring, &plan.flags, rng);
        self.claims.plan(kind, &plan.presence, &plan.flags, rng);
        if let Some(times) = self.times {
            self.claims.set_times(times);
            for claim in [Claim::Iat, Claim::Nbf, Claim::Exp] {
                self.claims.get_mut(claim).present = true;
            }
        }
        let mut spacing = Spacing::default();
        let mut is_mirrored = false;
        match defect {
            Some(defect) => self.spoil_members(defect, rng),
            None if kind != Kind::Bench && rng.chance(plan.spec.edges.millionths()) => {
                spacing = edge_cases::vary(&mut self.header, &mut self.claims, &plan.flags, rng);
                is_mirrored = !signer.algorithm.is_hmac() && rng.percent(25);
            }
            None => {}
        }
        let (algorithm, signing) = self.signing_key(signer, defect, rng);

        self.write_header(defect, spacing, rng);
        self.token.push(b'.');
        self.write_payload(kind, defect, spacing, rng);
        self.write_signature(signer, (algorithm, signing), defect, rng);
        if is_mirrored {
            self.mirror(signing);
        }
        match defect {
            Some(Defect::SegmentCount) => self.spoil_structure(rng),
            Some(Defect::FiveSegments) => self.divide(rng),
            Some(Defect::Encrypted) => self.encrypt(rng),
            Some(Defect::TooLong) => self.lengthen(rng),
            _ => {}
        }
        let key = self.ring.key(signer.key);
        key.id.as_deref().filter(|_| is_authentic)
    }

    /// Defects in the members of the header and the payload.
    fn spoil_members(&mut self, defect: Defect, rng: &mut Rng) {
        let plan = self.plan;
        match defect.stage() {
            Stage::Claims => self.claims.spoil(defect, &plan.flags, rng),
            Stage::Header | Stage::Key => {
                self.header
                    .spoil(defect, &plan.spec.algorithms, self.ring, rng);
            }
            Stage::Line | Stage::Structure | Stage::Signature | Stage::Payload => {}
        }
    }

    /// The key ready for signing: the signer's, unless the defect is about the key.
    fn signing_key(
        &mut self,
        signer: Signer,
        defect: Option<Defect>,
        rng: &mut Rng,
    ) -> (Algorithm, &'p Signing) {
        let ring = self.ring;
        let refused = match defect {
            Some(Defect::KeyMismatch) => ring.mismatched(rng),
            Some(Defect::KeyUnusable) => ring.unusable(rng),
            _ => None,
        };
        if let Some(key) = refused {
            self.header.name_refused(key);
            return (key.algorithm, &key.signing);
        }
        if defect == Some(Defect::TooManyKeys)
            && let Some((algorithm, signing)) = ring.last_decoy()
        {
            self.header.set_algorithm(algorithm.name());
            return (algorithm, signing);
        }
        (signer.algorithm, ring.signing(signer))
    }

    fn write_header(&mut self, defect: Option<Defect>, spacing: Spacing, rng: &mut Rng) {
        self.json.clear();
        self.token.clear();
        self.header.render(&mut self.json);
        match defect {
            Some(Defect::HeaderJson) => break_json(&mut self.json, rng),
            Some(Defect::HeaderNotObject) => not_object(&mut self.json, rng),
            Some(Defect::HeaderDuplicateMember) => {
                let (name, value) = self.header.any_member(rng);
                repeat_member(&mut self.json, name, value, rng);
            }
            Some(Defect::HeaderBase64url) => loose_length(&mut self.json, rng),
            // A header that needs padding.
            Some(Defect::Padded) if self.json.len().is_multiple_of(3) => self.json.push(b' '),
            _ => {}
        }
        if spacing.header {
            space_out(&mut self.json, rng);
        }
        encode(&self.json, &mut self.token);
        if defect == Some(Defect::HeaderBase64url) {
            break_base64url(&mut self.token, rng);
        }
        if defect == Some(Defect::Padded) {
            pad(&mut self.token);
        }
    }

    fn write_payload(
        &mut self,
        kind: Kind,
        defect: Option<Defect>,
        spacing: Spacing,
        rng: &mut Rng,
    ) {
        self.json.clear();
        if defect == Some(Defect::TooLong) {
            // Three bytes become four characters, so this alone is longer than the line may be.
            let limit = self.plan.flags.max_token_bytes.unwrap_or(0);
            let len = usize::try_from(limit).unwrap_or(0) / 4 * 3;
            self.claims.extra.extend_from_slice(b",\"pad\":\"");
            push_random(&mut self.claims.extra, rng, len);
            self.claims.extra.push(b'"');
        }
        payload::render(kind, &self.plan.presence, &self.claims, &mut self.json, rng);
        match defect {
            Some(Defect::PayloadJson) => break_json(&mut self.json, rng),
            Some(Defect::PayloadNotObject) => not_object(&mut self.json, rng),
            Some(Defect::PayloadDuplicateMember) => {
                let claim = rng.pick(&[Claim::Iss, Claim::Aud, Claim::Exp]);
                repeat_member(
                    &mut self.json,
                    claim.name(),
                    &self.claims.get(claim).value,
                    rng,
                );
            }
            Some(Defect::PayloadBase64url) => {
                loose_length(&mut self.json, rng);
                self.segment.clear();
                encode(&self.json, &mut self.segment);
                break_base64url(&mut self.segment, rng);
                self.token.extend_from_slice(&self.segment);
                return;
            }
            _ => {}
        }
        if spacing.payload {
            space_out(&mut self.json, rng);
        }
        encode(&self.json, &mut self.token);
        if defect == Some(Defect::Padded) {
            pad(&mut self.token);
        }
    }

    /// Signs what the token has so far, and appends the signature, spoiled or not.
    fn write_signature(
        &mut self,
        signer: Signer,
        (algorithm, signing): (Algorithm, &Signing),
        defect: Option<Defect>,
        rng: &mut Rng,
    ) {
        let signature = &mut self.signature;
        match defect {
            Some(Defect::SignatureMismatch) => {
                forge(self.ring, signer, &self.token, &self.json, signature, rng);
            }
            // An unsecured token, as RFC 7519 section 6 has it, or with the signature it had.
            Some(Defect::AlgNone) if rng.percent(60) => signature.clear(),
            Some(Defect::AlgNotAllowed) => {
                let other = self.header.algorithm().unwrap_or(algorithm);
                sign_as(self.ring, signer, other, &self.token, signature, rng);
            }
            _ => signing.sign(algorithm, &self.token, signature, rng),
        }
        if defect == Some(Defect::SignatureLength) {
            let is_limited = self.plan.flags.max_token_bytes.is_some();
            resize(signing, signature, is_limited, rng);
        }
        self.token.push(b'.');
        if defect == Some(Defect::SignatureBase64url) {
            self.segment.clear();
            encode(signature, &mut self.segment);
            break_base64url(&mut self.segment, rng);
            self.token.extend_from_slice(&self.segment);
        } else {
            encode(signature, &mut self.token);
        }
        if defect == Some(Defect::Padded) {
            pad(&mut self.token);
        }
    }

    /// Replaces the signature by the other one that is as good, where its algorithm has pairs.
    fn mirror(&mut self, signing: &Signing) {
        let Signing::Private(key) = signing else {
            return;
        };
        key.mirror(&mut self.signature);
        if let Some(dot) = self.token.iter().rposition(|byte| *byte == b'.') {
            self.token.truncate(dot + 1);
            encode(&self.signature, &mut self.token);
        }
    }

    /// Gives the token any number of dots but two and four.
    fn spoil_structure(&mut self, rng: &mut Rng) {
        let token = &mut self.token;
        let mut dots = token.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        let first = dots.next().map_or(0, |(at, _)| at);
        let second = dots.next().map_or(0, |(at, _)| at);
        match rng.below(10) {
            // Header and payload; the same with the dot in front; the payload alone.
            0 => token.truncate(second),
            1 => {
                token.truncate(second);
                token.push(b'.');
                token.remove(first);
            }
            2 => {
                token.truncate(second);
                token.drain(..=first);
            }
            3 => token.push(b'.'),
            4 => token.insert(0, b'.'),
            5 => token.insert(first, b'.'),
            6 => {
                token.push(b'.');
                push_random(token, rng, 22);
            }
            // More segments than any serialization has.
            7 => {
                for _ in 0..3 + rng.below(5) {
                    token.push(b'.');
                    push_random(token, rng, 8);
                }
            }
            8 => token.extend(std::iter::repeat_n(b'.', 3 + rng.index(2_000))),
            // The flattened JSON serialization (RFC 7515 section 7.2.2).
            _ => {
                let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
                if let [header, payload, signature] = parts.as_slice() {
                    let json: [&[u8]; 7] = [
                        b"{\"payload\":\"",
                        payload,
                        b"\",\"protected\":\"",
                        header,
                        b"\",\"signature\":\"",
                        signature,
                        b"\"}",
                    ];
                    *token = json.concat();
                }
            }
        }
    }

    /// Gives the token four dots, behind a first segment that is not the header of a JWE.
    fn divide(&mut self, rng: &mut Rng) {
        let token = &mut self.token;
        let segments = |token: &mut Vec<u8>, rng: &mut Rng| {
            push_random(token, rng, 20);
            for _ in 0..2 {
                token.push(b'.');
                push_random(token, rng, 27);
            }
        };
        match rng.below(6) {
            // An SD-JWT with a disclosure and a key binding (RFC 9901).
            0 => {
                token.push(b'~');
                push_random(token, rng, 40);
                token.push(b'~');
                segments(token, rng);
            }
            // Two tokens on a line.
            1 => {
                token.push(b' ');
                segments(token, rng);
            }
            2 => drop(token.splice(..0, *b"https://www.example.com/?t=")),
            // Numbers with dots between, as of versions and addresses.
            3 => {
                token.clear();
                push_digits(token, rng, 9);
                for _ in 0..4 {
                    token.push(b'.');
                    push_digits(token, rng, 3);
                }
            }
            4 => token.extend_from_slice(b".e30.e30"),
            _ => {
                token.clear();
                encode(br#"{"alg":"RSA-OAEP-256","cty":"JWT"}"#, token);
                for len in [22, 16, 40, 22] {
                    token.push(b'.');
                    push_canonical(token, rng, len);
                }
            }
        }
    }

    /// Replaces the token by an encrypted one: five segments (RFC 7516 section 7.1).
    fn encrypt(&mut self, rng: &mut Rng) {
        let forms: [(&str, usize); 4] = [
            (r#"{"alg":"dir","enc":"A256GCM"}"#, 0),
            (r#"{"alg":"RSA-OAEP-256","enc":"A256GCM","cty":"JWT"}"#, 342),
            (r#"{"alg":"A256KW","enc":"A128CBC-HS256","typ":"JWT"}"#, 54),
            (r#"{"alg":"none","enc":null}"#, 0),
        ];
        let (header, key) = rng.pick(&forms);
        self.token.clear();
        encode(header.as_bytes(), &mut self.token);
        let text = 4 * (20 + rng.index(200));
        for len in [key, 16, text, 22] {
            self.token.push(b'.');
            push_canonical(&mut self.token, rng, len);
        }
    }

    /// Sometimes replaces the token, already too long, by something else of the kind: one
    /// character too many, or no token at all.
    fn lengthen(&mut self, rng: &mut Rng) {
        let limit = usize::try_from(self.plan.flags.max_token_bytes.unwrap_or(0)).unwrap_or(0);
        match rng.below(4) {
            0 => self.token.truncate(limit + 1),
            1 => {
                self.token.clear();
                push_digits(&mut self.token, rng, 40);
                push_random(&mut self.token, rng, limit);
            }
            _ => {}
        }
    }
}

fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    base64_simd::URL_SAFE_NO_PAD.encode_append(bytes, out);
}

/// Pads the last segment to a multiple of four characters.
fn pad(token: &mut Vec<u8>) {
    let before = token.iter().rposition(|byte| *byte == b'.');
    let len = token.len() - before.map_or(0, |dot| dot + 1);
    let missing = len.next_multiple_of(4) - len;
    token.extend(std::iter::repeat_n(b'=', missing));
}

/// Sometimes makes a JSON text of a length whose encoding has spare bits, for them to be set.
fn loose_length(json: &mut Vec<u8>, rng: &mut Rng) {
    if rng.percent(50) && json.len().is_multiple_of(3) {
        json.push(b' ');
    }
}

/// Appends random base64url of this length, its spare bits zero.
fn push_canonical(out: &mut Vec<u8>, rng: &mut Rng, len: usize) {
    push_random(out, rng, len);
    let spare = match len % 4 {
        2 => 16,
        3 => 4,
        _ => return,
    };
    if let Some(last) = out.last_mut() {
        let value = BASE64URL.iter().position(|byte| byte == last).unwrap_or(0);
        *last = BASE64URL
            .get(value / spare * spare)
            .copied()
            .unwrap_or(b'A');
    }
}
