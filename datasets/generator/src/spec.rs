//! The description of a data set: [`Spec`], its parts, and what can be wrong with them.
//!
//! Owns the parsing of shares and shapes and the limits of each number. Whether the parts go
//! together (a defect that the keys or the algorithms cannot produce) is checked where those parts
//! are made.

use std::fmt;
use std::str::FromStr;

use super::algorithm::Algorithm;
use super::defect::Defect;
use super::key_form::KeyForm;

/// The latest `now` that a NumericDate written as a calendar date can have: the end of year 9999.
pub const MAX_NOW: i64 = 253_402_300_799;
/// The most keys a data set can have.
pub const MAX_KEYS: u32 = 100_000;
/// The most keys without an id, all of which are candidates for a token with an unknown `kid`.
pub const MAX_KEYS_WITHOUT_ID: u32 = 1_000;
/// The most issuers a data set can have: one for each kind of token.
pub const MAX_ISSUERS: u32 = 6;
/// The longest leeway, in seconds (one day).
pub const MAX_LEEWAY: u32 = 86_400;
/// The largest payload of [`Shape::Bench`], in bytes of JSON.
pub const MAX_BENCH_PAYLOAD: u32 = 65_536;
/// The default payload of [`Shape::Bench`], in bytes of JSON: with HS256 and the
/// header `{"alg":"HS256","typ":"JWT"}` it makes tokens of exactly 375 bytes.
pub const BENCH_PAYLOAD: u32 = 220;

/// The sizes that an RSA key can have, in bits.
pub const RSA_BITS: [u32; 3] = [2048, 3072, 4096];

/// A data set, described. The same description gives the same bytes on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// How many lines, one token each.
    pub count: u64,
    /// Which of the data sets of this description.
    pub seed: u64,
    /// How many issuers there are, each with keys and a policy of its own: up to [`MAX_ISSUERS`],
    /// and one of [`Shape::Bench`]. With one, no policy has to be chosen.
    pub issuers: u32,
    /// The algorithms that sign, each at most once, at least one.
    pub algorithms: Vec<Algorithm>,
    /// How many keys of each issuer sign: from one an algorithm to [`MAX_KEYS`]. Key number *i* is
    /// for algorithm number *i* modulo their number; every seventh is bound to none and signs with
    /// all that its type can do.
    pub keys: u32,
    /// The sizes of RSA keys in bits, in turn: 2048, 3072 or 4096.
    pub rsa_bits: Vec<u32>,
    /// The forms of public keys, in turn. Those in files of their own have no id and are bound to
    /// no algorithm.
    pub key_forms: Vec<KeyForm>,
    /// How many of them have no id in the key set, up to [`MAX_KEYS_WITHOUT_ID`].
    pub keys_without_id: u32,
    /// The time at which the tokens are to be judged, in Unix seconds, from 0 to [`MAX_NOW`].
    pub now: i64,
    /// The clock skew the audit will allow, in seconds, up to [`MAX_LEEWAY`].
    pub leeway: u32,
    /// The defects and their shares; each defect at most once, 100 % together at most.
    pub defects: Vec<(Defect, Share)>,
    /// The share of the *valid* tokens that are valid in an unusual way (fractional times, escaped
    /// names, nesting to the last level allowed, …). [`Shape::Bench`] has none.
    pub edges: Share,
    /// The share of tokens without a `kid` where the key has an id, so that every key that fits
    /// is tried. [`Shape::Bench`] decides for itself.
    pub without_kid: Share,
    /// What the tokens look like.
    pub shape: Shape,
    /// How many times each distinct token occurs, at least 1. The repetitions are spread over a
    /// window of 512 distinct tokens.
    pub repeat: u32,
}

impl Default for Spec {
    fn default() -> Spec {
        Spec {
            count: 1_000,
            seed: 1,
            issuers: 1,
            algorithms: vec![Algorithm::Hs256],
            keys: 3,
            rsa_bits: vec![2048],
            key_forms: vec![KeyForm::Jwk],
            keys_without_id: 0,
            now: 1_790_000_000,
            leeway: 0,
            defects: Vec::new(),
            edges: Share::from_percent(2),
            without_kid: Share::from_percent(10),
            shape: Shape::Mixed,
            repeat: 1,
        }
    }
}

impl Spec {
    /// Reads a mix of defects: `expired=5%,signature-mismatch=0.01`. Empty text is no defects.
    ///
    /// # Errors
    /// A part without `=`, an unknown or repeated name, a share that is not one (see [`Share`]),
    /// or shares beyond 100 % together.
    pub fn parse_defects(text: &str) -> Result<Vec<(Defect, Share)>, SpecError> {
        let mut defects: Vec<(Defect, Share)> = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let Some((name, share)) = part.split_once('=') else {
                return Err(SpecError::NoShare {
                    part: part.to_owned(),
                });
            };
            let name = name.trim();
            let Some(defect) = Defect::from_name(name) else {
                return Err(SpecError::UnknownDefect {
                    name: name.to_owned(),
                });
            };
            defects.push((defect, share.trim().parse()?));
        }
        check_defects(&defects)?;
        Ok(defects)
    }

    /// Whether a defect has a share above zero.
    pub(super) fn has(&self, wanted: Defect) -> bool {
        self.defects
            .iter()
            .any(|&(defect, share)| defect == wanted && share != Share::NONE)
    }

    /// Checks every number by itself.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        if self.algorithms.is_empty() {
            return Err(SpecError::NoAlgorithm);
        }
        for (at, algorithm) in self.algorithms.iter().enumerate() {
            if self
                .algorithms
                .iter()
                .take(at)
                .any(|earlier| earlier == algorithm)
            {
                return Err(SpecError::DuplicateAlgorithm(*algorithm));
            }
        }
        if let Some(first) = self.algorithms.iter().find(|alg| !alg.is_hmac())
            && cfg!(not(feature = "signers"))
        {
            return Err(SpecError::NotBuilt(*first));
        }
        let is_no_size = |bits: &&u32| !RSA_BITS.contains(bits);
        if let Some(given) = self.rsa_bits.iter().find(is_no_size) {
            return Err(SpecError::BadRsaBits { given: *given });
        }
        let fewest = i64::try_from(self.algorithms.len()).unwrap_or(i64::MAX);
        check_range("keys", self.keys.into(), fewest, MAX_KEYS.into())?;
        let most = MAX_KEYS_WITHOUT_ID.min(self.keys);
        check_range(
            "keys without an id",
            self.keys_without_id.into(),
            0,
            most.into(),
        )?;
        check_range("issuers", self.issuers.into(), 1, MAX_ISSUERS.into())?;
        if self.issuers > 1 && self.shape != Shape::Mixed {
            return Err(SpecError::OneIssuer {
                given: self.issuers,
                shape: self.shape,
            });
        }
        check_range("now", self.now, 0, MAX_NOW)?;
        check_range("leeway", self.leeway.into(), 0, MAX_LEEWAY.into())?;
        check_range("repeat", self.repeat.into(), 1, u32::MAX.into())?;
        if let Shape::Bench { payload } = self.shape {
            check_range("bench payload", payload.into(), 1, MAX_BENCH_PAYLOAD.into())?;
        }
        check_defects(&self.defects)
    }
}

fn check_range(what: &'static str, given: i64, min: i64, max: i64) -> Result<(), SpecError> {
    if (min..=max).contains(&given) {
        Ok(())
    } else {
        Err(SpecError::OutOfRange {
            what,
            given,
            min,
            max,
        })
    }
}

fn check_defects(defects: &[(Defect, Share)]) -> Result<(), SpecError> {
    let mut sum = 0_u64;
    for (at, &(defect, share)) in defects.iter().enumerate() {
        if defects
            .iter()
            .take(at)
            .any(|&(earlier, _)| earlier == defect)
        {
            return Err(SpecError::DuplicateDefect(defect));
        }
        sum += u64::from(share.millionths());
    }
    if sum > 1_000_000 {
        return Err(SpecError::TooManyDefects { millionths: sum });
    }
    Ok(())
}

/// A share of a whole, exact to one millionth. As text: `5%`, `0.25%`, `0.05`, `1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share(u32);

impl Share {
    /// Nothing.
    pub const NONE: Share = Share(0);
    /// Everything.
    pub const ALL: Share = Share(1_000_000);

    /// A share of so many millionths, at most a million.
    pub const fn from_millionths(millionths: u32) -> Option<Share> {
        if millionths <= Share::ALL.0 {
            Some(Share(millionths))
        } else {
            None
        }
    }

    /// A share of so many hundredths; everything beyond 100.
    pub const fn from_percent(percent: u32) -> Share {
        if percent < 100 {
            Share(percent * 10_000)
        } else {
            Share::ALL
        }
    }

    /// How many millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Share {
    type Err = SpecError;

    /// # Errors
    /// Anything but digits with an optional fraction and an optional `%`, a share above 100 %, or
    /// one finer than a millionth.
    fn from_str(text: &str) -> Result<Share, SpecError> {
        let bad = || SpecError::BadShare {
            text: text.to_owned(),
        };
        let (number, places) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), 4),
            None => (text, 6),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let ends_in_dot = number.ends_with('.');
        let digits = whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || ends_in_dot || !digits.clone().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let kept = fraction.trim_end_matches('0');
        if kept.len() > places {
            return Err(SpecError::ShareTooFine {
                text: text.to_owned(),
            });
        }
        let mut value = 0_u64;
        let zeros = std::iter::repeat_n(b'0', places - kept.len());
        for digit in whole.bytes().chain(kept.bytes()).chain(zeros) {
            value = value
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'));
        }
        u32::try_from(value)
            .ok()
            .and_then(Share::from_millionths)
            .ok_or_else(bad)
    }
}

impl fmt::Display for Share {
    /// As a percentage, without trailing zeros: `0.25%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let fraction = format!("{fraction:04}");
        write!(f, "{whole}.{}%", fraction.trim_end_matches('0'))
    }
}

/// What the tokens of a data set look like. As text: `mixed`, `bench`, `bench:500`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Like those in the wild: access and id tokens of identity providers, service tokens.
    Mixed,
    /// All of one size, for measuring: a header with `alg` and `typ` (and `kid` where more than
    /// one key fits), and a payload of so many bytes of JSON. From about 190 bytes it has the
    /// seven registered claims and two more; smaller ones leave out what does not fit.
    Bench {
        /// The size of the payload in bytes of JSON.
        payload: u32,
    },
}

impl fmt::Display for Shape {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Mixed => f.write_str("mixed"),
            Shape::Bench { payload } => write!(f, "bench:{payload}"),
        }
    }
}

impl FromStr for Shape {
    type Err = SpecError;

    /// # Errors
    /// Any other text, and a size that is not a number.
    fn from_str(text: &str) -> Result<Shape, SpecError> {
        let bad = || SpecError::BadShape {
            text: text.to_owned(),
        };
        match text.split_once(':') {
            None if text == "mixed" => Ok(Shape::Mixed),
            None if text == "bench" => Ok(Shape::Bench {
                payload: BENCH_PAYLOAD,
            }),
            Some(("bench", size)) if size.bytes().all(|b| b.is_ascii_digit()) => Ok(Shape::Bench {
                payload: size.parse().map_err(|_| bad())?,
            }),
            _ => Err(bad()),
        }
    }
}

/// Why a [`Spec`] describes no data set.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Option<u32> {
        text.parse::<Share>().ok().map(Share::millionths)
    }

    #[test]
    fn shares_are_exact_to_a_millionth() {
        for (text, millionths) in [
            ("5%", 50_000),
            ("0.05", 50_000),
            ("0.0001%", 1),
            ("0.000001", 1),
            ("33.3333%", 333_333),
            ("100%", 1_000_000),
            ("1", 1_000_000),
            ("1.000000000", 1_000_000),
            ("0", 0),
            ("007 %", 70_000),
        ] {
            assert_eq!(share(text), Some(millionths), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_share_is_refused() {
        for text in [
            "",
            "%",
            ".5",
            "5.",
            "-1%",
            "+1%",
            "1e-3",
            "5",
            "100.0001%",
            "1.000001",
            "0.0000001",
            "0.00001%",
            "5%%",
            "0.5.5",
            "٣%",
            "99999999999999999999999999",
            "nan",
            "1_0%",
        ] {
            assert_eq!(share(text), None, "{text}");
        }
    }

    #[test]
    fn shares_print_as_they_are_read() {
        for millionths in [0, 1, 10, 12_345, 50_000, 999_999, 1_000_000] {
            let share = Share::from_millionths(millionths).unwrap();
            assert_eq!(share.to_string().parse(), Ok(share));
        }
        assert_eq!(Share::from_millionths(1_000_001), None);
    }

    #[test]
    fn a_mix_is_read_and_its_faults_are_named() {
        let mix = Spec::parse_defects(" expired = 5% , signature-mismatch=0.01, ").unwrap();
        assert_eq!(mix.len(), 2);
        assert_eq!(mix[1], (Defect::SignatureMismatch, Share::from_percent(1)));
        assert_eq!(Spec::parse_defects(""), Ok(Vec::new()));

        let unknown = Spec::parse_defects("expird=5%").unwrap_err().to_string();
        assert!(unknown.contains("`expird`") && unknown.contains("known are: too-long, "));
        assert!(unknown.contains(", expired,") && unknown.ends_with("missing-claim"));
        assert_eq!(
            Spec::parse_defects("expired=1%,expired=2%"),
            Err(SpecError::DuplicateDefect(Defect::Expired))
        );
        assert_eq!(
            Spec::parse_defects("expired=60%,too-old=40.0001%"),
            Err(SpecError::TooManyDefects {
                millionths: 1_000_001
            })
        );
        assert!(matches!(
            Spec::parse_defects("expired"),
            Err(SpecError::NoShare { .. })
        ));
    }

    #[test]
    fn tokens_of_one_shape_are_of_one_issuer() {
        let spec = |issuers, shape: &str| Spec {
            issuers,
            shape: shape.parse().unwrap(),
            ..Spec::default()
        };
        assert_eq!(spec(1, "bench:220").check(), Ok(()));
        assert_eq!(spec(2, "mixed").check(), Ok(()));
        assert_eq!(
            spec(2, "bench:220").check().unwrap_err().to_string(),
            "issuers: 2 is too many for the shape `bench:220`, whose tokens are all of one issuer; \
             ask for 1, or for the shape `mixed`"
        );
        let too_many = spec(7, "bench").check().unwrap_err().to_string();
        assert_eq!(too_many, "issuers: 7 is not between 1 and 6");
    }

    #[test]
    fn shapes_are_read_with_their_size() {
        assert_eq!("mixed".parse(), Ok(Shape::Mixed));
        assert_eq!("bench".parse(), Ok(Shape::Bench { payload: 220 }));
        assert_eq!("bench:16000".parse(), Ok(Shape::Bench { payload: 16_000 }));
        for text in [
            "",
            "Bench",
            "bench:",
            "bench:x",
            "bench:99999999999",
            "mixed:5",
        ] {
            assert!(text.parse::<Shape>().is_err(), "{text}");
        }
    }
}
