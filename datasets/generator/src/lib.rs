//! Seeded data sets of JSON Web Tokens: realistic tokens, the keys that signed them, and the verdict
//! that each line must get.
//!
//! Owns what tokens look like, which defects they can have, and the audit options under which the
//! ground truth holds. It shares no code with jotmill's validator: where the two disagree, one of
//! them is wrong. Files, progress bars and the command line `jotmill gen` are left to the caller.
//!
//! The same [`Spec`] gives the same bytes on every machine. The keys are made from the seed as
//! well, so they protect nothing.
//!
//! ```
//! use jotmill_datasets::{Dataset, Spec};
//!
//! let dataset = Dataset::new(Spec {
//!     count: 1_000,
//!     seed: 7,
//!     defects: Spec::parse_defects("expired=5%,signature-mismatch=1%")?,
//!     ..Spec::default()
//! })?;
//! let (mut tokens, mut truth) = (Vec::new(), Vec::new());
//! let summary = dataset.write(&mut tokens, Some(&mut truth), |_| {})?;
//! assert_eq!((summary.lines, summary.valid), (1_000, 940));
//! assert!(truth.starts_with(br#"{"line":1,"verdict":"#));
//!
//! let keys = dataset.jwks();
//! assert!(keys.starts_with(r#"{"keys":["#));
//! println!("jotmill audit {} tokens.txt", dataset.audit_flags().shell("keys.json"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a token can be
//! Each defect of [`Defect`] is made in several ways, chosen by the seed, and gives exactly its
//! code: a token with a defect is good in every other respect. Among the valid tokens, a small
//! share ([`Spec::edges`]) is unusual: fractional times, numbers with an exponent or beyond 64
//! bits, escaped member names, nesting to the last level allowed, times on the last second.
//!
//! Every registered signature algorithm can sign, with faults of its own behind
//! `signature-mismatch`: `r` or `s` of zero or beyond the order, paddings of RSA with something
//! wrong in them, salts of PSS of another length, `S` beyond the order in EdDSA, contexts that JWS
//! does not have. Public keys are JWKs or have one of the other forms of [`KeyForm`]. Private keys
//! need the feature `signers`; without it there is HMAC alone.
//!
//! [`KeyForm::WRAPPED`] are forms that key files get from other tools. They change no token: the ground
//! truth of a form is that of the plain one. An oracle needs no reader for them, since the same
//! description with [`KeyForm::Jwk`] in place of the arrays and objects of JWKs, or [`KeyForm::Spki`]
//! in place of the other text, has the same tokens and the same keys.
//!
//! With several issuers ([`Spec::issuers`]) the kinds of token are divided among them. Each has
//! keys of its own, and [`Dataset::policy`] is the policy file of all. A token whose `iss` names
//! none of them is `issuer-unknown`; one that is signed with a key of another issuer
//! ([`Defect::ForeignIssuerKey`]) is `key-not-found`.
//!
//! Some defects need an audit option, and so change the *other* tokens: with `missing-jti` in the
//! mix every other token has a `jti`, with `too-many-keys` every valid token names its key.
//! [`Dataset::audit_flags`] has those options.

mod algorithm;
mod claims;
mod defect;
mod der;
mod edge_cases;
mod error;
mod flags;
mod forged;
mod header;
mod issuers;
mod json;
mod jwk;
mod key_form;
mod keys;
mod lines;
mod logs;
mod mac;
mod malformed;
mod names;
#[cfg(not(feature = "signers"))]
mod no_private;
mod payload;
#[cfg(feature = "signers")]
mod private;
mod refused_keys;
mod rng;
mod share;
mod signing;
mod spec;
mod text;
mod token;

use std::fmt;
use std::io::{self, Write};

#[cfg(not(feature = "signers"))]
use no_private as private;

pub use algorithm::Algorithm;
pub use defect::{Defect, Stage};
pub use error::SpecError;
pub use flags::{AuditFlags, quoted};
pub use issuers::Issuer;
pub use key_form::{KeyFile, KeyForm};
pub use lines::{Line, Lines, Summary};
pub use logs::{LogCounts, LogFile, LogFormat, LogSpec, Logs};
pub use share::Share;
pub use spec::{
    BENCH_PAYLOAD, MAX_BENCH_PAYLOAD, MAX_ISSUERS, MAX_KEYS, MAX_KEYS_WITHOUT_ID, MAX_LEEWAY,
    MAX_NOW, RSA_BITS, Shape, Spec,
};

use payload::Presence;
use rng::Streams;
use token::Plan;

/// A data set, ready to be written any number of times.
pub struct Dataset {
    plan: Plan,
}

impl fmt::Debug for Dataset {
    /// The description, from which everything else follows; the keys stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dataset").field(&self.plan.spec).finish()
    }
}

impl Dataset {
    /// Makes the keys and chooses the audit options. Tokens are made when they are written.
    ///
    /// # Errors
    /// A number out of its range, or parts that do not go together; see [`SpecError`].
    pub fn new(spec: Spec) -> Result<Dataset, SpecError> {
        Dataset::with_progress(spec, &|_| ())
    }

    /// As [`Dataset::new`]; `progress` gets, from any thread, the number of keys done so far. An
    /// RSA key takes a good part of a second.
    ///
    /// # Errors
    /// As for [`Dataset::new`].
    pub fn with_progress(
        spec: Spec,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Dataset, SpecError> {
        spec.check()?;
        let flags = AuditFlags::new(&spec);
        let issuers = issuers::make(&spec, &flags, progress)?;
        let presence = Presence::new(&spec, &flags)?;
        let streams = Streams::new(spec.seed, 0x746f_6b65_6e73);
        Ok(Dataset {
            plan: Plan {
                spec,
                flags,
                issuers,
                presence,
                streams,
            },
        })
    }

    /// The description it was made from.
    pub fn spec(&self) -> &Spec {
        &self.plan.spec
    }

    /// The issuers, at least one; where there are several, the tokens are of all of them.
    pub fn issuers(&self) -> &[Issuer] {
        &self.plan.issuers
    }

    /// The policy file of all issuers, in TOML. It expects the keys of each in the issuer's
    /// [folder](Issuer::folder) beside it, the key set as `keys.json`.
    pub fn policy(&self) -> String {
        issuers::policy(self.issuers())
    }

    /// The key set of the first issuer: a JWK Set (RFC 7517 section 5), one key a line. It holds
    /// the secrets, and the public keys that are not in [`Dataset::key_files`].
    pub fn jwks(&self) -> String {
        self.plan.issuers[0].jwks()
    }

    /// The keys of the first issuer in files of their own, which belong beside the key set.
    pub fn key_files(&self) -> Vec<KeyFile> {
        self.plan.issuers[0].key_files()
    }

    /// The audit options under which the ground truth holds; where there are several issuers,
    /// those of the first.
    pub fn audit_flags(&self) -> &AuditFlags {
        self.plan.issuers[0].audit_flags()
    }

    /// Writes the tokens, one a line, and optionally the ground truth, one JSON object a line:
    /// `{"line":1,"verdict":"rejected","reasons":["expired"],"key":"2026-10"}`. `key` is there where
    /// the signature holds and the key has an id. `progress` gets the number of lines done so far.
    ///
    /// Writes are of 64 KiB and more, so the writers need no buffers. Both are flushed.
    ///
    /// # Errors
    /// The first error of either writer.
    pub fn write(
        &self,
        tokens: &mut dyn Write,
        truth: Option<&mut dyn Write>,
        mut progress: impl FnMut(u64),
    ) -> io::Result<Summary> {
        lines::write(&self.plan, tokens, truth, &mut progress)
    }

    /// The lines one by one, with their ground truth.
    pub fn lines(&self) -> Lines<'_> {
        Lines::new(&self.plan)
    }

    /// All tokens, each with a line feed behind it, in one buffer.
    pub fn buffer(&self) -> Vec<u8> {
        let mut buffer = Vec::new();
        let mut lines = self.lines();
        while let Some(line) = lines.next() {
            buffer.extend_from_slice(line.token);
            buffer.push(b'\n');
        }
        buffer
    }

    /// All tokens, each in a buffer of its own.
    pub fn tokens(&self) -> Vec<Vec<u8>> {
        let mut tokens = Vec::new();
        let mut lines = self.lines();
        while let Some(line) = lines.next() {
            tokens.push(line.token.to_vec());
        }
        tokens
    }
}
