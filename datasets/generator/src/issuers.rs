//! Several issuers in one data set: their keys, and the policy file of all.
//!
//! Owns the division of the kinds of token among the issuers, and which defects are impossible
//! where `iss` chooses the policy. Keys are made in `keys`, options chosen in `flags`. The only
//! issuer of a data set has every kind of token and every name.

use std::collections::BTreeSet;

use super::defect::Defect;
use super::error::SpecError;
use super::flags::{AuditFlags, ISSUERS};
use super::key_form::KeyFile;
use super::keys::KeyRing;
use super::payload::Kind;
use super::rng::Rng;
use super::spec::Spec;
use super::text::push_json_string;

/// The ways in which the issuer of a token is unknown: its payload has no readable `iss`, or a
/// wrong one. Where there is one issuer, each has a code of its own.
pub(super) const UNKNOWN: [Defect; 7] = [
    Defect::PayloadBase64url,
    Defect::PayloadJson,
    Defect::PayloadNotObject,
    Defect::PayloadDuplicateMember,
    Defect::IssType,
    Defect::IssuerMismatch,
    Defect::MissingIss,
];

/// One issuer of a data set, with its keys and its audit options.
pub struct Issuer {
    pub(super) ring: KeyRing,
    pub(super) flags: AuditFlags,
    number: u32,
}

impl Issuer {
    /// The name of its folder beside the policy file: `issuer-1`, `issuer-2`, …
    pub fn folder(&self) -> String {
        Issuer::folder_of(self.number + 1)
    }

    /// The name of the folder of the issuer with this number, from 1.
    pub fn folder_of(number: u32) -> String {
        format!("issuer-{number}")
    }

    /// Its key set: a JWK Set.
    pub fn jwks(&self) -> String {
        self.ring.jwks()
    }

    /// Its keys in files of their own, which belong beside the key set.
    pub fn key_files(&self) -> Vec<KeyFile> {
        self.ring.files().cloned().collect()
    }

    /// Its audit options, its names among them.
    pub fn audit_flags(&self) -> &AuditFlags {
        &self.flags
    }

    /// Its table in the policy file.
    fn push_policy(&self, out: &mut Vec<u8>) {
        let flags = &self.flags;
        let folder = self.folder();
        out.extend_from_slice(b"\n[[issuer]]\n");
        let mut list = |name: &str, values: &mut dyn Iterator<Item = String>| {
            let mut before = format!("{name} = [");
            for value in values {
                out.extend_from_slice(before.as_bytes());
                // A basic string of TOML is written like one of JSON.
                push_json_string(out, &value);
                ", ".clone_into(&mut before);
            }
            if before == ", " {
                out.extend_from_slice(b"]\n");
            }
        };
        let owned = |text: &&str| (*text).to_owned();
        list("iss", &mut flags.issuers.iter().map(owned));
        list("jwks", &mut std::iter::once(format!("{folder}/keys.json")));
        let files = flags.key_files.iter();
        list("key", &mut files.map(|name| format!("{folder}/{name}")));
        list("audience", &mut flags.audiences.iter().map(owned));
        list("subject", &mut flags.subjects.iter().map(owned));
        let names = flags.algorithms.iter().map(|algorithm| algorithm.name());
        list("alg", &mut names.map(str::to_owned));
        list("require", &mut flags.require.iter().map(owned));
        let claims = flags.claims.iter();
        list(
            "claim",
            &mut claims.map(|(name, value)| format!("{name}={value}")),
        );
        if let Some(typ) = flags.typ {
            out.extend_from_slice(format!("typ = \"{typ}\"\n").as_bytes());
        }
        for (name, number) in [
            ("leeway", (flags.leeway > 0).then_some(flags.leeway)),
            ("max_age", flags.max_age),
            ("max_lifetime", flags.max_lifetime),
            ("max_key_tries", flags.max_key_tries),
        ] {
            if let Some(number) = number {
                out.extend_from_slice(format!("{name} = {number}\n").as_bytes());
            }
        }
    }
}

/// The policy file of these issuers: TOML, as `jotmill audit --policy` takes it. It does not
/// contain the time to judge at.
pub(super) fn policy(issuers: &[Issuer]) -> String {
    let mut out = Vec::new();
    out.extend_from_slice(b"# Made by jotmill gen, with keys that anyone can make again.\n");
    let limit = issuers
        .first()
        .and_then(|issuer| issuer.flags.max_token_bytes);
    if let Some(limit) = limit {
        out.extend_from_slice(format!("max_token_bytes = {limit}\n").as_bytes());
    }
    for issuer in issuers {
        issuer.push_policy(&mut out);
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Makes the keys of all issuers. `flags` are the options of a data set with one issuer.
///
/// # Errors
/// A defect that these issuers, keys or algorithms cannot produce.
pub(super) fn make(
    spec: &Spec,
    flags: &AuditFlags,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Issuer>, SpecError> {
    check(spec)?;
    let mut issuers: Vec<Issuer> = Vec::new();
    let mut ids = BTreeSet::new();
    for number in 0..spec.issuers {
        let own = Spec {
            // The first has the keys that it would have alone.
            seed: spec.seed ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            ..spec.clone()
        };
        let before = u64::from(number) * u64::from(spec.keys);
        let ring = KeyRing::new(&own, &ids, &|done| progress(before + done))?;
        ids.extend(ring.ids().cloned());
        let mut flags = flags.clone();
        if spec.issuers > 1 {
            let places = (0_u32..).zip(ISSUERS);
            let names = places.filter(|(place, _)| place % spec.issuers == number);
            flags.issuers = names.map(|(_, name)| name).collect();
        }
        flags.key_files = ring.files().map(|file| file.name.clone()).collect();
        flags.max_key_tries = ring.max_key_tries();
        issuers.push(Issuer {
            ring,
            flags,
            number,
        });
    }
    Ok(issuers)
}

/// The issuer of a kind of token.
pub(super) fn of(issuers: &[Issuer], kind: Kind) -> &Issuer {
    // There is at least one.
    &issuers[kind.issuer() % issuers.len()]
}

/// Any issuer but that of a kind of token; where there is one, that one.
pub(super) fn other<'i>(issuers: &'i [Issuer], kind: Kind, rng: &mut Rng) -> &'i Issuer {
    let steps = 1 + rng.index(issuers.len().saturating_sub(1));
    &issuers[(kind.issuer() + steps) % issuers.len()]
}

fn check(spec: &Spec) -> Result<(), SpecError> {
    let impossible = |defect, why| Err(SpecError::Impossible { defect, why });
    if spec.issuers == 1 {
        if spec.has(Defect::IssuerUnknown) {
            let why = "with one issuer it is `issuer-mismatch`; ask for several issuers";
            return impossible(Defect::IssuerUnknown, why);
        }
        if spec.has(Defect::ForeignIssuerKey) {
            let why = "there is no other issuer; ask for several issuers";
            return impossible(Defect::ForeignIssuerKey, why);
        }
        return Ok(());
    }
    match UNKNOWN.iter().find(|defect| spec.has(**defect)) {
        Some(defect) => impossible(
            *defect,
            "with several issuers `iss` chooses the policy; ask for `issuer-unknown`",
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dataset, Share};

    fn spec(issuers: u32, defect: Defect) -> Spec {
        Spec {
            issuers,
            defects: vec![(defect, Share::from_percent(10))],
            ..Spec::default()
        }
    }

    #[test]
    fn failures_to_choose_a_policy_are_one_defect() {
        for defect in UNKNOWN {
            assert!(Dataset::new(spec(1, defect)).is_ok());
            let error = Dataset::new(spec(2, defect)).unwrap_err().to_string();
            assert!(error.contains("ask for `issuer-unknown`"), "{error}");
        }
        for defect in [Defect::IssuerUnknown, Defect::ForeignIssuerKey] {
            assert!(Dataset::new(spec(2, defect)).is_ok());
            let error = Dataset::new(spec(1, defect)).unwrap_err();
            assert!(error.to_string().contains("ask for several issuers"));
        }
    }

    #[test]
    fn each_name_has_one_issuer_and_no_two_issuers_have_a_key_in_common() {
        for issuers in 1..=6 {
            let dataset = Dataset::new(spec(issuers, Defect::KeyNotFound)).unwrap();
            let all = dataset.issuers();
            let mut names: Vec<&str> = all.iter().flat_map(|it| it.flags.issuers.clone()).collect();
            names.sort_unstable();
            let mut wanted = ISSUERS.to_vec();
            wanted.sort_unstable();
            assert_eq!(names, wanted);
            let ids: Vec<&String> = all.iter().flat_map(|it| it.ring.ids()).collect();
            let distinct: BTreeSet<_> = ids.iter().collect();
            assert_eq!(distinct.len(), ids.len());
            assert_eq!(
                all[0].jwks(),
                Dataset::new(spec(1, Defect::Expired)).unwrap().jwks()
            );
        }
        assert!(Dataset::new(spec(7, Defect::Expired)).is_err());
        assert!(Dataset::new(spec(0, Defect::Expired)).is_err());
    }

    #[test]
    fn the_policy_has_a_table_for_each_issuer_and_the_options_that_defects_need() {
        let defects = "too-long=1%,too-old=1%,missing-jti=1%,typ-mismatch=1%,alg-not-allowed=1%";
        let dataset = Dataset::new(Spec {
            issuers: 3,
            leeway: 30,
            defects: Spec::parse_defects(defects).unwrap(),
            ..Spec::default()
        });
        let policy = dataset.unwrap().policy();
        assert!(policy.contains("\nmax_token_bytes = 16384\n\n[[issuer]]\niss = [\"https://auth."));
        for number in 1..=3 {
            assert!(policy.contains(&format!("jwks = [\"issuer-{number}/keys.json\"]\n")));
        }
        let rest = "alg = [\"HS256\"]\nrequire = [\"jti\"]\ntyp = \"JWT\"\nleeway = 30\n\
                    max_age = 86400\n";
        assert_eq!(policy.matches(rest).count(), 3, "{policy}");
    }
}
