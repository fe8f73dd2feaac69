//! What can be wrong with the description of a data set, and its wording.

use std::fmt;

use super::algorithm::Algorithm;
use super::defect::Defect;
use super::key_form::KeyForm;
use super::logs::LogFormat;
use super::spec::Shape;

/// Why a [`Spec`](super::Spec) describes no data set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// No algorithm at all.
    NoAlgorithm,
    /// An algorithm twice.
    DuplicateAlgorithm(Algorithm),
    /// An algorithm that this build cannot sign with: it lacks the feature `signers`, which is `gen`
    /// of jotmill.
    NotBuilt(Algorithm),
    /// A size that no RSA key here has.
    BadRsaBits {
        /// What was given.
        given: u32,
    },
    /// Not the name of a form of keys.
    UnknownForm {
        /// What was given.
        name: String,
    },
    /// Not the name of a signature algorithm.
    UnknownAlgorithm {
        /// What was given.
        name: String,
    },
    /// Not the name of a format of logs.
    UnknownLogFormat {
        /// What was given.
        name: String,
    },
    /// No format of logs at all.
    NoLogFormat,
    /// A format of logs twice.
    DuplicateLogFormat(LogFormat),
    /// A number outside its range.
    OutOfRange {
        /// Which number.
        what: &'static str,
        /// What was given.
        given: i64,
        /// The least allowed.
        min: i64,
        /// The greatest allowed.
        max: i64,
    },
    /// Several issuers of tokens that are all of one kind, and so of one issuer.
    OneIssuer {
        /// What was given.
        given: u32,
        /// The shape.
        shape: Shape,
    },
    /// A part of a mix that is not `code=share`.
    NoShare {
        /// The part.
        part: String,
    },
    /// No defect has this name.
    UnknownDefect {
        /// What was given.
        name: String,
    },
    /// A defect twice.
    DuplicateDefect(Defect),
    /// Not a share.
    BadShare {
        /// What was given.
        text: String,
    },
    /// A share finer than a millionth.
    ShareTooFine {
        /// What was given.
        text: String,
    },
    /// The shares are more than the whole.
    TooManyDefects {
        /// Their sum in millionths.
        millionths: u64,
    },
    /// Not a shape.
    BadShape {
        /// What was given.
        text: String,
    },
    /// A defect that cannot occur in this data set.
    Impossible {
        /// The defect.
        defect: Defect,
        /// Why, and what to do.
        why: &'static str,
    },
    /// The claims that the audit requires do not fit into the payload.
    PayloadTooSmall {
        /// The size given, in bytes of JSON.
        given: u32,
        /// The smallest possible with these defects.
        min: u32,
    },
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpecError::NoAlgorithm => f.write_str("no algorithm: give HS256, for example"),
            SpecError::DuplicateAlgorithm(name) => write!(f, "{name} is given twice"),
            SpecError::UnknownAlgorithm { name } => {
                write!(f, "`{name}` is no algorithm that signs; known are:")?;
                list(f, Algorithm::ALL.iter().map(|algorithm| algorithm.name()))
            }
            SpecError::UnknownLogFormat { name } => {
                write!(f, "`{name}` is no format of logs; known are:")?;
                list(f, LogFormat::ALL.iter().map(|format| format.name()))
            }
            SpecError::NoLogFormat => f.write_str("no format of logs: give nginx, for example"),
            SpecError::DuplicateLogFormat(name) => write!(f, "{name} is given twice"),
            SpecError::NotBuilt(name) => write!(
                f,
                "this build of jotmill does not sign with {name}: it was built without the \
                 feature `gen`"
            ),
            SpecError::BadRsaBits { given } => {
                write!(f, "no RSA key of {given} bits: give 2048, 3072 or 4096")
            }
            SpecError::UnknownForm { name } => {
                write!(f, "`{name}` is no form of keys; known are:")?;
                list(f, KeyForm::ALL.iter().map(|form| form.name()))
            }
            SpecError::OutOfRange {
                what,
                given,
                min,
                max,
            } => {
                write!(f, "{what}: {given} is not between {min} and {max}")
            }
            SpecError::OneIssuer { given, shape } => write!(
                f,
                "issuers: {given} is too many for the shape `{shape}`, whose tokens are all of one \
                 issuer; ask for 1, or for the shape `mixed`"
            ),
            SpecError::NoShare { part } => {
                write!(
                    f,
                    "`{part}` has no share: write `code=share`, as in `expired=5%`"
                )
            }
            SpecError::UnknownDefect { name } => {
                write!(f, "`{name}` is no defect; known are:")?;
                list(f, Defect::ALL.iter().map(|defect| defect.name()))
            }
            SpecError::DuplicateDefect(defect) => write!(f, "`{defect}` is given twice"),
            SpecError::BadShare { text } => write!(
                f,
                "`{text}` is not a share: write a percentage up to 100% or a fraction up to 1, \
                 as in `5%` or `0.05`"
            ),
            SpecError::ShareTooFine { text } => {
                write!(f, "`{text}` is finer than a millionth (0.0001%)")
            }
            SpecError::TooManyDefects { millionths } => write!(
                f,
                "the defects are {}.{:04}% together: at most 100% of the tokens can have one",
                millionths / 10_000,
                millionths % 10_000
            ),
            SpecError::BadShape { text } => {
                write!(
                    f,
                    "`{text}` is no shape: write `mixed`, `bench` or `bench:BYTES`"
                )
            }
            SpecError::Impossible { defect, why } => write!(f, "no token can be `{defect}`: {why}"),
            SpecError::PayloadTooSmall { given, min } => write!(
                f,
                "a payload of {given} bytes has no room for the claims that the audit requires: \
                 {min} is the least"
            ),
        }
    }
}

impl std::error::Error for SpecError {}

/// Writes names, each after a space, with commas between them.
fn list<'a>(f: &mut fmt::Formatter<'_>, names: impl Iterator<Item = &'a str>) -> fmt::Result {
    let mut comma = "";
    for name in names {
        write!(f, "{comma} {name}")?;
        comma = ",";
    }
    Ok(())
}
