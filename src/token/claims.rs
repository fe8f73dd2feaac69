//! The claims of an authentic payload (RFC 7519 section 4).

use super::audience::Audience;
use super::json::{JsonFault, JsonScratch, Member};
use crate::signature::Authentic;
use crate::time::NumericDate;
use crate::verdict::Reason;

/// The registered claims, each absent, of the wrong type, or a value; and which of the policy's
/// extra claims are present. Strings borrow the decoded payload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Claims<'s> {
    /// Issuer.
    pub(crate) iss: Member<&'s str>,
    /// Subject.
    pub(crate) sub: Member<&'s str>,
    /// Audience.
    pub(crate) aud: Member<Audience<'s>>,
    /// Expiration time.
    pub(crate) exp: Member<NumericDate>,
    /// Not before.
    pub(crate) nbf: Member<NumericDate>,
    /// Issued at.
    pub(crate) iat: Member<NumericDate>,
    /// JWT ID.
    pub(crate) jti: Member<&'s str>,
    /// Bit `i` is set if the policy's `i`-th extra claim is present and not null.
    pub(crate) extra: u64,
    /// The decoded payload, for rules on other claims.
    pub(crate) text: &'s [u8],
}

/// What a policy needs from a payload besides the registered claims.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'p> {
    /// The expected audiences.
    pub(crate) audiences: &'p [String],
    /// The names of further claims; at most 64.
    pub(crate) extra: &'p [Box<str>],
}

/// The claims that are compared with the instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dates {
    pub(crate) exp: Member<NumericDate>,
    pub(crate) nbf: Member<NumericDate>,
    pub(crate) iat: Member<NumericDate>,
}

impl Dates {
    /// Whether one of them seems to count milliseconds.
    #[inline]
    pub(crate) fn is_any_in_milliseconds(&self) -> bool {
        let Self { exp, nbf, iat } = self;
        let mut dates = [exp, nbf, iat].into_iter().filter_map(|date| date.value());
        dates.any(|date| date.is_in_milliseconds())
    }
}

impl Default for Claims<'_> {
    fn default() -> Self {
        Self::none()
    }
}

impl<'s> Claims<'s> {
    /// No claims, as in the payload `{}`.
    #[inline(always)]
    pub(crate) fn none() -> Self {
        Self {
            iss: Member::Absent,
            sub: Member::Absent,
            aud: Member::Absent,
            exp: Member::Absent,
            nbf: Member::Absent,
            iat: Member::Absent,
            jti: Member::Absent,
            extra: 0,
            text: &[],
        }
    }

    #[inline]
    pub(crate) const fn dates(&self) -> Dates {
        Dates {
            exp: self.exp,
            nbf: self.nbf,
            iat: self.iat,
        }
    }

    /// Parses the claims of a payload whose signature was verified. The only other way to claims is
    /// the scanner, through [`Payload`](super::payload::Payload). After an error the claims are
    /// unspecified.
    pub(crate) fn read(
        &mut self,
        authentic: Authentic<'_>,
        wanted: Wanted<'_>,
        scratch: &'s mut JsonScratch,
    ) -> Result<(), Reason> {
        self.read_encoded(authentic.payload(), wanted, scratch)
    }

    fn read_encoded(
        &mut self,
        encoded: &[u8],
        wanted: Wanted<'_>,
        scratch: &'s mut JsonScratch,
    ) -> Result<(), Reason> {
        let object = scratch.read(encoded).map_err(|fault| match fault {
            JsonFault::Base64url => Reason::PayloadBase64url,
            JsonFault::Json => Reason::PayloadJson,
            JsonFault::NotObject => Reason::PayloadNotObject,
            JsonFault::DuplicateMember => Reason::PayloadDuplicateMember,
        })?;
        *self = Self::none();
        self.text = object.text();
        for (name, value) in object.members() {
            match name {
                "iss" => self.iss = value.string(),
                "sub" => self.sub = value.string(),
                "jti" => self.jti = value.string(),
                "exp" => self.exp = value.number(),
                "nbf" => self.nbf = value.number(),
                "iat" => self.iat = value.number(),
                "aud" => self.aud = Audience::read(value, wanted.audiences),
                _ if value.is_null() => {}
                _ => {
                    let index = wanted.extra.iter().position(|extra| **extra == *name);
                    if let Some(index) = index {
                        self.extra |= 1 << index;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::base64url;
    use crate::token::scanner::{PADDING, Scanner};
    use base64::Engine as _;

    /// Claims as text, with the audience reduced to whether it is expected.
    fn comparable(claims: &Claims<'_>, wanted: Wanted<'_>) -> String {
        let aud = match claims.aud {
            Member::Is(aud) => Member::Is(Audience::Known(aud.is_expected(wanted.audiences))),
            other => other,
        };
        let text = &[][..]; // the scanner alone does not set it
        format!(
            "{:?}",
            Claims {
                aud,
                text,
                ..*claims
            }
        )
    }

    #[test]
    fn the_scanner_agrees_with_simd_json_or_falls_back_to_it() {
        let (audiences, extra) = (["api".to_owned()], ["tenant", "n"].map(Box::from));
        let wanted = Wanted {
            audiences: &audiences,
            extra: &extra,
        };
        let scratch = RefCell::new(JsonScratch::new());
        let (payloads, taken) = (Cell::new(0), Cell::new(0));
        jotmill_test_support::payloads::hold(12_000, |payload| {
            let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(payload);
            let (mut scratch, mut read) = (scratch.borrow_mut(), Claims::none());
            let outcome = read.read_encoded(encoded.as_bytes(), wanted, &mut scratch);
            let expected = outcome.map(|()| comparable(&read, wanted));
            let mut padded = payload.to_vec();
            // The bytes after the end must not matter.
            padded.resize(payload.len() + PADDING, b"\"}0\x80"[payload.len() % 4]);
            payloads.set(payloads.get() + 1);
            for scanner in Scanner::each() {
                let mut scanned = Claims::none();
                let scan = scanner.scan(&padded, payload.len(), &extra, &mut scanned);
                if scan.is_some() {
                    assert_eq!(Ok(comparable(&scanned, wanted)), expected, "{scanner:?}");
                    taken.set(taken.get() + u32::from(matches!(scanner, Scanner::Portable(_))));
                }
            }
        });
        let (payloads, taken) = (payloads.get(), taken.get());
        println!("the scanner read {taken} of {payloads} payloads");
        assert!(
            payloads > 40_000 && taken > payloads / 4,
            "the scanner must read at least a quarter"
        );
    }

    #[test]
    fn fewer_than_one_in_a_hundred_generated_payloads_fall_back_to_simd_json() {
        use jotmill_datasets::{Dataset, Share, Spec};
        for shape in ["mixed", "bench", "bench:100", "bench:2000", "bench:16000"] {
            for edges in ["0%", "2%"] {
                let spec = Spec {
                    count: 3000,
                    shape: shape.parse().unwrap(),
                    edges: edges.parse::<Share>().unwrap(),
                    ..Spec::default()
                };
                let mut tokens = Vec::new();
                let dataset = Dataset::new(spec).unwrap();
                dataset.write(&mut tokens, None, |_| ()).unwrap();
                let (mut payloads, mut left) = (0, 0);
                for line in tokens.split(|byte| *byte == b'\n') {
                    let Some(encoded) = line.split(|byte| *byte == b'.').nth(1) else {
                        continue;
                    };
                    let mut padded = vec![0; base64url::decoded_len(encoded.len()) + PADDING];
                    let len = base64url::decode(encoded, &mut padded).unwrap();
                    let mut claims = Claims::none();
                    let taken = Scanner::best().scan(&padded, len, &[], &mut claims);
                    (payloads, left) = (payloads + 1, left + u32::from(taken.is_none()));
                }
                assert!(
                    left * 100 < payloads,
                    "{shape} {edges}: {left} of {payloads}"
                );
            }
        }
    }
}
