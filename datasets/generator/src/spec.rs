//! The description of a data set: [`Spec`], its parts, and what can be wrong with them.
//!
//! Owns the limits of each number, and the parsing of shapes and of a mix of defects. Whether the
//! parts go together (a defect that the keys or the algorithms cannot produce) is checked where
//! those parts are made.

use std::fmt;
use std::str::FromStr;

use super::algorithm::Algorithm;
use super::defect::Defect;
use super::error::SpecError;
use super::key_form::KeyForm;
use super::share::Share;

/// The latest `now` that a NumericDate written as a calendar date can have: the end of year 9999.
pub const MAX_NOW: i64 = 253_402_300_799;
/// The most keys a data set can have.
pub const MAX_KEYS: u32 = 100_000;
/// The most keys without an id; all of them are candidates for a token with an unknown `kid`.
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
    /// no algorithm, unless the form has a place for them.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_read_and_its_faults_are_named() {
        let mix = Spec::parse_defects(" expired = 5% , signature-mismatch=0.01, ").unwrap();
        assert_eq!(mix.len(), 2);
        assert_eq!(mix[1], (Defect::SignatureMismatch, Share::from_percent(1)));
        assert_eq!(Spec::parse_defects(""), Ok(Vec::new()));

        let unknown = Spec::parse_defects("expird=5%").unwrap_err().to_string();
        assert!(unknown.contains("`expird`") && unknown.contains("known are: too-long, "));
        assert!(unknown.contains(", expired,") && unknown.ends_with("claim-mismatch"));
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
