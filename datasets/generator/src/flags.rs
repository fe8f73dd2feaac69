//! The audit options under which the ground truth of a data set holds.
//!
//! Owns the choice of the options, their values and their rendering for a shell. Every part of the
//! generator takes the expected values from here.

use std::path::Path;

use super::algorithm::Algorithm;
use super::defect::Defect;
use super::spec::{Shape, Spec};

/// The issuers that good tokens have, one for each kind of token.
pub(super) const ISSUERS: [&str; 6] = [
    "https://auth.example.com/",
    "https://login.example.com/realms/shop",
    "https://sts.example.net/7d1c5e0a-3f6b-4c52-9a57-2f1d0c6e8b34/v2.0",
    "https://id.example.org/oauth2/default",
    "https://accounts.example.com",
    "https://tokens.internal.example",
];

/// The audiences; each good token has at least one.
pub(super) const AUDIENCES: [&str; 4] = [
    "api://orders",
    "https://api.example.com/",
    "account",
    "web-shop",
];

/// The subjects that good tokens have when one is expected.
pub(super) const SUBJECTS: [&str; 4] = ["user-1001", "user-1002", "svc-orders", "ops@example.com"];

/// The claim behind `missing-claim`.
pub(super) const REQUIRED_CLAIM: &str = "tenant";

/// The values of that claim that are expected where one is.
pub(super) const TENANTS: [&str; 2] = ["tenant-07", "tenant-42"];

/// One day: the greatest age, where there is one. No good token is older.
const MAX_AGE: u32 = 86_400;
/// Seven days: room for a token that is too old, not expired, and not too long-lived.
const MAX_LIFETIME: u32 = 604_800;
/// The longest line, where there is a limit and the tokens do not need more.
const MAX_TOKEN_BYTES: u32 = 16_384;

/// The options of `jotmill audit` under which the ground truth of a data set holds; where there are
/// several issuers, those of one of them.
///
/// The base is the key set, `now`, the issuers and the audiences; everything else is `None` or
/// empty unless a defect of the mix needs it. It assumes that the audit's default leeway is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFlags {
    /// `--now`, in Unix seconds.
    pub now: i64,
    /// `--key`, each: the name of a file beside the key set.
    pub key_files: Vec<String>,
    /// `--issuer`, each.
    pub issuers: Vec<&'static str>,
    /// `--audience`, each.
    pub audiences: Vec<&'static str>,
    /// `--subject`, each.
    pub subjects: Vec<&'static str>,
    /// `--alg`.
    pub algorithms: Vec<Algorithm>,
    /// `--typ`.
    pub typ: Option<&'static str>,
    /// `--leeway`, in seconds; not given when 0.
    pub leeway: u32,
    /// `--max-age`, in seconds.
    pub max_age: Option<u32>,
    /// `--max-lifetime`, in seconds.
    pub max_lifetime: Option<u32>,
    /// `--max-key-tries`.
    pub max_key_tries: Option<u32>,
    /// `--max-token-bytes`.
    pub max_token_bytes: Option<u32>,
    /// `--require`.
    pub require: Vec<&'static str>,
    /// `--claim`, each: a name and a string.
    pub claims: Vec<(&'static str, &'static str)>,
}

impl AuditFlags {
    /// The options for a description. `key_files` and `max_key_tries` are for the key set to
    /// fill in.
    pub(super) fn new(spec: &Spec) -> AuditFlags {
        let when = |defect| spec.has(defect);
        let (issuers, audiences, longest) = match spec.shape {
            Shape::Mixed => (&ISSUERS[..], &AUDIENCES[..], MAX_TOKEN_BYTES),
            // Base64url makes three bytes four, a defect may write the payload as UTF-16, and
            // 16 KiB hold the header, the signature and whatever else a defect adds.
            Shape::Bench { payload } => {
                let needed = payload
                    .div_ceil(3)
                    .saturating_mul(8)
                    .saturating_add(MAX_TOKEN_BYTES);
                let needed = needed.next_multiple_of(1_024);
                (&ISSUERS[..1], &AUDIENCES[..1], needed.max(MAX_TOKEN_BYTES))
            }
        };
        let require = [
            (Defect::MissingSub, "sub"),
            (Defect::MissingExp, "exp"),
            (Defect::MissingNbf, "nbf"),
            (Defect::MissingIat, "iat"),
            (Defect::MissingJti, "jti"),
            (Defect::MissingClaim, REQUIRED_CLAIM),
        ];
        AuditFlags {
            now: spec.now,
            key_files: Vec::new(),
            issuers: issuers.to_vec(),
            audiences: audiences.to_vec(),
            subjects: if when(Defect::SubjectMismatch) {
                SUBJECTS.to_vec()
            } else {
                Vec::new()
            },
            algorithms: if when(Defect::AlgNotAllowed) {
                spec.algorithms.clone()
            } else {
                Vec::new()
            },
            typ: when(Defect::TypMismatch).then_some("JWT"),
            leeway: spec.leeway,
            max_age: when(Defect::TooOld).then_some(MAX_AGE),
            max_lifetime: when(Defect::LifetimeTooLong).then_some(MAX_LIFETIME),
            max_key_tries: None,
            max_token_bytes: when(Defect::TooLong).then_some(longest),
            require: require
                .into_iter()
                .filter_map(|(defect, claim)| when(defect).then_some(claim))
                .collect(),
            claims: match when(Defect::ClaimMismatch) {
                true => TENANTS.map(|tenant| (REQUIRED_CLAIM, tenant)).to_vec(),
                false => Vec::new(),
            },
        }
    }

    /// Whether a claim is required, by name or because its value is checked.
    pub(super) fn requires(&self, claim: &str) -> bool {
        let implied = match claim {
            "iss" => !self.issuers.is_empty(),
            "aud" => !self.audiences.is_empty(),
            "sub" => !self.subjects.is_empty(),
            "exp" => self.max_lifetime.is_some(),
            "iat" => self.max_age.is_some() || self.max_lifetime.is_some(),
            _ => self.claims.iter().any(|(name, _)| *name == claim),
        };
        implied || self.require.contains(&claim)
    }

    /// The arguments after `jotmill audit`, one a member, with the key set in the file `jwks`
    /// and the other keys beside it.
    pub fn args(&self, jwks: &str) -> Vec<String> {
        let mut args = Vec::new();
        let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
        option("--jwks", jwks.to_owned());
        self.key_files.iter().for_each(|name| {
            let path = Path::new(jwks).with_file_name(name);
            option("--key", path.display().to_string());
        });
        option("--now", self.now.to_string());
        self.issuers
            .iter()
            .for_each(|issuer| option("--issuer", (*issuer).to_owned()));
        self.audiences
            .iter()
            .for_each(|audience| option("--audience", (*audience).to_owned()));
        self.subjects
            .iter()
            .for_each(|subject| option("--subject", (*subject).to_owned()));
        if !self.algorithms.is_empty() {
            let names: Vec<_> = self.algorithms.iter().map(|alg| alg.name()).collect();
            option("--alg", names.join(","));
        }
        if let Some(typ) = self.typ {
            option("--typ", typ.to_owned());
        }
        if !self.require.is_empty() {
            option("--require", self.require.join(","));
        }
        self.claims
            .iter()
            .for_each(|(name, value)| option("--claim", format!("{name}={value}")));
        let numbers = [
            ("--leeway", (self.leeway > 0).then_some(self.leeway)),
            ("--max-age", self.max_age),
            ("--max-lifetime", self.max_lifetime),
            ("--max-key-tries", self.max_key_tries),
            ("--max-token-bytes", self.max_token_bytes),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                option(name, number.to_string());
            }
        }
        args
    }

    /// The same arguments as one line for a POSIX shell, quoted where they must be.
    pub fn shell(&self, jwks: &str) -> String {
        let args = self.args(jwks);
        args.iter()
            .map(|arg| quoted(arg))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// An argument as a POSIX shell reads it back.
pub fn quoted(arg: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&b);
    if !arg.is_empty() && arg.bytes().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::Share;

    fn flags(defects: &[Defect]) -> AuditFlags {
        let defects = defects
            .iter()
            .map(|&defect| (defect, Share::from_percent(1)))
            .collect();
        AuditFlags::new(&Spec {
            defects,
            ..Spec::default()
        })
    }

    #[test]
    fn the_base_is_all_that_most_defects_need() {
        let base = flags(&[]);
        assert_eq!(flags(&[Defect::Expired, Defect::SignatureMismatch]), base);
        let args = base.args("keys.json");
        assert_eq!(args[..4], ["--jwks", "keys.json", "--now", "1790000000"]);
        assert!(
            args[4..]
                .chunks(2)
                .all(|pair| ["--issuer", "--audience"].contains(&&*pair[0]))
        );
    }

    #[test]
    fn a_share_of_zero_adds_no_option() {
        let defects = vec![(Defect::TooOld, Share::NONE)];
        let flags = AuditFlags::new(&Spec {
            defects,
            ..Spec::default()
        });
        assert_eq!(flags.max_age, None);
    }

    #[test]
    fn options_come_with_the_defects_that_need_them() {
        let all = flags(&[
            Defect::AlgNotAllowed,
            Defect::TypMismatch,
            Defect::TooLong,
            Defect::TooOld,
            Defect::LifetimeTooLong,
            Defect::MissingJti,
            Defect::MissingClaim,
            Defect::ClaimMismatch,
        ]);
        let shell = all.shell("my keys.json");
        assert!(shell.starts_with("--jwks 'my keys.json' --now 1790000000 --issuer https://"));
        assert!(shell.contains(
            " --alg HS256 --typ JWT --require jti,tenant --claim tenant=tenant-07 --claim \
             tenant=tenant-42 --max-age 86400 --max-lifetime 604800 \
             --max-token-bytes 16384"
        ));
        assert!(all.requires("exp") && all.requires("iat") && all.requires("jti"));
        assert!(!all.requires("nbf"));
    }

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        assert_eq!(quoted("api://orders"), "api://orders");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
    }
}
