//! The registered claims of a token (RFC 7519 section 4.1): planned so that they pass the audit,
//! then spoiled in exactly one respect.
//!
//! Owns the times and the values that an audit compares. Other members, and the order of all, are
//! in `payload`.

use super::defect::Defect;
use super::flags::{AUDIENCES, AuditFlags, ISSUERS, REQUIRED_CLAIM, SUBJECTS, TENANTS};
use super::json::Member;
use super::payload::{Kind, Presence};
use super::rng::Rng;
use super::text::{push_digits, push_hex, push_i64, push_random, push_u64, push_uuid};

/// A claim that an audit may look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Iss,
    Sub,
    Aud,
    Exp,
    Nbf,
    Iat,
    Jti,
    /// The one claim without a registration that an audit may require.
    Tenant,
}

impl Claim {
    pub(super) const ALL: [Claim; 8] = [
        Claim::Iss,
        Claim::Sub,
        Claim::Aud,
        Claim::Exp,
        Claim::Nbf,
        Claim::Iat,
        Claim::Jti,
        Claim::Tenant,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Claim::Iss => "iss",
            Claim::Sub => "sub",
            Claim::Aud => "aud",
            Claim::Exp => "exp",
            Claim::Nbf => "nbf",
            Claim::Iat => "iat",
            Claim::Jti => "jti",
            Claim::Tenant => REQUIRED_CLAIM,
        }
    }

    /// The place in [`Claim::ALL`].
    pub(super) fn number(self) -> usize {
        match self {
            Claim::Iss => 0,
            Claim::Sub => 1,
            Claim::Aud => 2,
            Claim::Exp => 3,
            Claim::Nbf => 4,
            Claim::Iat => 5,
            Claim::Jti => 6,
            Claim::Tenant => 7,
        }
    }
}

/// The times of a token, in Unix seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
}

/// The claims of a token that is being made. Its buffers are reused from token to token.
#[derive(Default)]
pub(super) struct Claims {
    members: [Member; 8],
    /// More members as JSON text, each with a comma in front.
    pub(super) extra: Vec<u8>,
    pub(super) times: Times,
}

const DAY: i64 = 86_400;

/// Values that are no JSON number.
const NO_NUMBERS: [&[u8]; 10] = [
    b"\"1790003600\"",
    b"\"\"",
    b"\"never\"",
    b"true",
    b"false",
    b"null",
    b"[]",
    b"{}",
    b"[1790003600]",
    b"\"2026-09-21T14:13:20Z\"",
];
/// Values that are no JSON string.
const NO_STRINGS: [&[u8]; 9] = [
    b"7",
    b"true",
    b"null",
    b"[]",
    b"{}",
    b"-0.5",
    b"[\"a\"]",
    b"{\"a\":\"b\"}",
    b"1e3",
];
/// Values that are neither a JSON string nor an array of strings.
const NO_AUDIENCES: [&[u8]; 10] = [
    b"7",
    b"true",
    b"null",
    b"{}",
    b"[1]",
    b"[null]",
    b"[\"api://orders\",7]",
    b"[[\"api://orders\"]]",
    b"{\"api://orders\":true}",
    b"[\"api://orders\",{}]",
];

impl Claims {
    pub(super) fn get(&self, claim: Claim) -> &Member {
        &self.members[claim.number()]
    }

    pub(super) fn get_mut(&mut self, claim: Claim) -> &mut Member {
        &mut self.members[claim.number()]
    }

    /// When the token was issued, in Unix seconds.
    pub(super) fn issued(&self) -> i64 {
        self.times.iat
    }

    /// Plans the claims of a good token of this kind.
    pub(super) fn plan(
        &mut self,
        kind: Kind,
        presence: &Presence,
        flags: &AuditFlags,
        rng: &mut Rng,
    ) {
        self.extra.clear();
        for claim in Claim::ALL {
            let present = presence.always(claim) || kind.has(claim, rng);
            self.get_mut(claim).reset(claim.name(), present);
        }
        self.plan_names(kind, flags, rng);
        let lifetime = kind.lifetime(rng);
        // Still good for a second at least, so that no token is good by its leeway alone.
        let age = rng.range(0, lifetime - 1);
        let iat = flags.now.saturating_sub(age);
        let early = if kind == Kind::Directory { 300 } else { 0 };
        self.set_times(Times {
            iat,
            nbf: iat - early,
            exp: iat + lifetime,
        });
    }

    /// Plans who issued the token, about whom and for whom.
    fn plan_names(&mut self, kind: Kind, flags: &AuditFlags, rng: &mut Rng) {
        let audience = match kind {
            Kind::Realm | Kind::Account => AUDIENCES[3],
            Kind::Tenant => AUDIENCES[1],
            Kind::Directory | Kind::Workforce | Kind::Service | Kind::Bench => AUDIENCES[0],
        };
        self.get_mut(Claim::Iss).set_plain(ISSUERS[kind.issuer()]);
        match kind {
            Kind::Realm if rng.percent(60) => {
                self.get_mut(Claim::Aud).set(br#"["web-shop","account"]"#);
            }
            Kind::Tenant if rng.percent(70) => self
                .get_mut(Claim::Aud)
                .set(br#"["https://api.example.com/","https://auth.example.com/userinfo"]"#),
            _ => self.get_mut(Claim::Aud).set_plain(audience),
        }
        if !flags.subjects.is_empty() {
            self.get_mut(Claim::Sub).set_plain(rng.pick(&SUBJECTS));
        } else if self.get(Claim::Sub).present {
            let sub = &mut self.get_mut(Claim::Sub).value;
            sub.push(b'"');
            match kind {
                Kind::Realm => push_uuid(sub, rng),
                Kind::Directory => push_random(sub, rng, 43),
                Kind::Tenant => {
                    sub.extend_from_slice(b"email|");
                    push_hex(sub, rng, 24);
                }
                Kind::Workforce => {
                    sub.extend_from_slice(b"user");
                    push_u64(sub, rng.below(1_000_000));
                    sub.extend_from_slice(b"@example.com");
                }
                Kind::Account => push_digits(sub, rng, 21),
                Kind::Service => {
                    sub.extend_from_slice(b"svc-");
                    let names = ["billing", "orders", "search", "mailer", "stock", "export"];
                    sub.extend_from_slice(rng.pick(&names).as_bytes());
                }
                Kind::Bench => {
                    sub.extend_from_slice(b"user-");
                    push_digits(sub, rng, 7);
                }
            }
            sub.push(b'"');
        }
        if self.get(Claim::Jti).present {
            self.new_jti(kind, rng);
        }
        if !flags.claims.is_empty() {
            self.get_mut(Claim::Tenant).set_plain(rng.pick(&TENANTS));
        } else if self.get(Claim::Tenant).present {
            let tenant = &mut self.get_mut(Claim::Tenant).value;
            tenant.extend_from_slice(b"\"tenant-");
            push_digits(tenant, rng, 2);
            tenant.push(b'"');
        }
    }

    fn new_jti(&mut self, kind: Kind, rng: &mut Rng) {
        let jti = &mut self.get_mut(Claim::Jti).value;
        jti.push(b'"');
        match kind {
            Kind::Workforce => {
                jti.extend_from_slice(b"AT.");
                push_random(jti, rng, 43);
            }
            Kind::Bench => push_random(jti, rng, 22),
            _ => push_uuid(jti, rng),
        }
        jti.push(b'"');
    }

    /// Gives the token these times. Whether the claims are present stays as it is.
    pub(super) fn set_times(&mut self, times: Times) {
        self.times = times;
        for (claim, time) in [
            (Claim::Iat, times.iat),
            (Claim::Nbf, times.nbf),
            (Claim::Exp, times.exp),
        ] {
            let value = &mut self.get_mut(claim).value;
            value.clear();
            push_i64(value, time);
        }
    }

    /// Makes a defect that sits in the claims. Other defects leave the claims as they are.
    pub(super) fn spoil(&mut self, defect: Defect, flags: &AuditFlags, rng: &mut Rng) {
        match defect {
            Defect::ExpType => self.get_mut(Claim::Exp).set(rng.pick(&NO_NUMBERS)),
            Defect::NbfType => self.get_mut(Claim::Nbf).set(rng.pick(&NO_NUMBERS)),
            Defect::IatType => self.get_mut(Claim::Iat).set(rng.pick(&NO_NUMBERS)),
            Defect::IssType => {
                let array = b"[\"https://auth.example.com/\"]".as_slice();
                let value = if rng.percent(20) {
                    array
                } else {
                    rng.pick(&NO_STRINGS)
                };
                self.get_mut(Claim::Iss).set(value);
            }
            Defect::SubType => self.get_mut(Claim::Sub).set(rng.pick(&NO_STRINGS)),
            Defect::AudType => self.get_mut(Claim::Aud).set(rng.pick(&NO_AUDIENCES)),
            Defect::JtiType => self.get_mut(Claim::Jti).set(rng.pick(&NO_STRINGS)),
            Defect::Expired
            | Defect::NotYetValid
            | Defect::IssuedInFuture
            | Defect::TooOld
            | Defect::LifetimeTooLong => self.spoil_times(defect, flags, rng),
            Defect::IssuerMismatch => self.spoil_text(Claim::Iss, &ISSUERS, rng),
            Defect::SubjectMismatch => self.spoil_text(Claim::Sub, &SUBJECTS, rng),
            Defect::AudienceMismatch => self.spoil_audience(rng),
            Defect::MissingIss => self.lose(Claim::Iss, rng),
            Defect::MissingSub => self.lose(Claim::Sub, rng),
            Defect::MissingAud => self.lose(Claim::Aud, rng),
            Defect::MissingExp => self.lose(Claim::Exp, rng),
            Defect::MissingNbf => self.lose(Claim::Nbf, rng),
            Defect::MissingIat => self.lose(Claim::Iat, rng),
            Defect::MissingJti => self.lose(Claim::Jti, rng),
            Defect::MissingClaim => {
                // A claim without a registration is also missing when it is null.
                if rng.percent(30) {
                    self.get_mut(Claim::Tenant).set(b"null");
                } else {
                    self.lose(Claim::Tenant, rng);
                }
            }
            Defect::ClaimMismatch => {
                let forms: [&[u8]; 9] = [
                    b"\"\"",
                    b"\"TENANT-07\"",
                    b"\"tenant-7\"",
                    b"\"tenant-42 \"",
                    b"\"tenant-07\\u0000\"",
                    b"[\"tenant-07\"]",
                    b"{\"tenant-07\":true}",
                    b"7",
                    b"true",
                ];
                self.get_mut(Claim::Tenant).set(rng.pick(&forms));
            }
            _ => {}
        }
    }

    /// Leaves a claim out, sometimes with a near miss in its place.
    fn lose(&mut self, claim: Claim, rng: &mut Rng) {
        self.get_mut(claim).present = false;
        let name = claim.name();
        let decoy = match rng.below(5) {
            0 => format!(r#","{}":"x""#, name.to_ascii_uppercase()),
            1 => format!(r#","{name} ":1790003600"#),
            2 => format!(r#","claims":{{"{name}":1790003600}}"#),
            _ => return,
        };
        self.extra.extend_from_slice(decoy.as_bytes());
    }

    /// Moves the times so that one rule is broken and every other still holds.
    fn spoil_times(&mut self, defect: Defect, flags: &AuditFlags, rng: &mut Rng) {
        let Times { iat, nbf, exp } = self.times;
        let now = flags.now;
        let leeway = i64::from(flags.leeway);
        let lifetime = exp.saturating_sub(iat);
        let max_age = flags.max_age.map(i64::from);
        let times = match defect {
            Defect::Expired => {
                // On the second itself (RFC 7519 section 4.1.4: "on or after"), lately, or long
                // ago; but never so long ago that the token is also too old.
                let lifetime = lifetime.min(3_600);
                let late = match rng.below(4) {
                    0 => 0,
                    1 => rng.range(1, 3_600),
                    2 => rng.range(1, DAY - 3_600),
                    _ if max_age.is_some() => 1,
                    _ => rng.range(DAY, 1_000 * DAY),
                };
                let exp = now - leeway - late;
                Times {
                    iat: exp - lifetime,
                    nbf: exp - lifetime,
                    exp,
                }
            }
            Defect::NotYetValid => {
                let nbf = now + leeway + early(rng);
                self.get_mut(Claim::Nbf).present = true;
                Times {
                    iat: now - rng.range(0, 3_600),
                    nbf,
                    exp: nbf + lifetime,
                }
            }
            Defect::IssuedInFuture => {
                let iat = now + leeway + early(rng);
                self.get_mut(Claim::Iat).present = true;
                Times {
                    iat,
                    nbf: now.min(nbf),
                    exp: iat + lifetime,
                }
            }
            Defect::TooOld => {
                let late = if rng.percent(25) {
                    1
                } else {
                    rng.range(1, 2 * DAY)
                };
                let iat = now - max_age.unwrap_or(DAY) - leeway - late;
                Times {
                    iat,
                    nbf: iat,
                    exp: now + rng.range(1, DAY),
                }
            }
            _ => {
                let longest = flags.max_lifetime.map_or(7 * DAY, i64::from);
                let over = if rng.percent(25) {
                    1
                } else {
                    rng.range(1, 3_650 * DAY)
                };
                let iat = now - rng.range(0, 3_600);
                Times {
                    iat,
                    nbf: iat,
                    exp: iat + longest + over,
                }
            }
        };
        self.set_times(times);
        if defect == Defect::Expired {
            self.respell_expired(flags, rng);
        }
    }

    /// Sometimes writes an `exp` that has passed in a form that integers do not have.
    fn respell_expired(&mut self, flags: &AuditFlags, rng: &mut Rng) {
        let passed = self.times.exp;
        let value = &mut self.get_mut(Claim::Exp).value;
        match rng.below(16) {
            // The nearest instant before `now` and the like: half a second short of a second.
            0 if passed > 0 => {
                value.clear();
                push_i64(value, passed - 1);
                value.extend_from_slice(b".5");
            }
            1 => value.extend_from_slice(b".0"),
            2 => value.extend_from_slice(b"e0"),
            3 if flags.now >= i64::from(flags.leeway) => {
                let forms: [&[u8]; 5] = [b"0", b"-1", b"-1e300", b"-0.0", b"-9223372036854775809"];
                value.clear();
                value.extend_from_slice(rng.pick(&forms));
            }
            _ => {}
        }
    }

    /// Replaces a text by one that is almost the same, or quite another, and not in `expected`.
    fn spoil_text<const N: usize>(&mut self, claim: Claim, expected: &[&str; N], rng: &mut Rng) {
        let text = rng.pick(expected);
        let near = match rng.below(9) {
            0 => String::new(),
            1 => text.to_ascii_uppercase(),
            2 => text
                .strip_suffix('/')
                .map_or(format!("{text}/"), str::to_owned),
            3 => text.chars().skip(1).collect(),
            4 => format!("{text}.attacker.example"),
            5 => format!(" {text}"),
            6 => text.replacen("https:", "http:", 1),
            7 => text.chars().take(8).collect(),
            _ => format!("someone-else-{}", rng.below(1_000_000)),
        };
        let near = if expected.contains(&near.as_str()) {
            "someone-else"
        } else {
            &near
        };
        self.get_mut(claim).set_plain(near);
    }

    fn spoil_audience(&mut self, rng: &mut Rng) {
        let forms: [&[u8]; 12] = [
            b"\"\"",
            b"[]",
            b"[\"\"]",
            b"\"api://order\"",
            b"\"api://orders/\"",
            b"\"API://ORDERS\"",
            b"\"api://orders account\"",
            b"\"api://orders,account\"",
            b"[\"api://payments\",\"orders\"]",
            b"[\"https://api.example.com\"]",
            b"\"[\\\"api://orders\\\"]\"",
            b"\"somebody-else\"",
        ];
        self.get_mut(Claim::Aud).set(rng.pick(&forms));
    }
}

/// How long before its time a token is used: a second, or up to a day.
fn early(rng: &mut Rng) -> i64 {
    match rng.below(4) {
        0 => 1,
        1 => rng.range(1, 60),
        2 => rng.range(60, 3_600),
        _ => rng.range(3_600, DAY),
    }
}
