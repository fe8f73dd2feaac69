//! What payloads look like: the members and their order for each kind of token.
//!
//! Owns the text of everything that is not one of the registered claims; those are planned in
//! `claims` and written here where each kind has them. Hosts and people are made up.

use super::claims::{Claim, Claims};
use super::error::SpecError;
use super::flags::AuditFlags;
use super::json::Object;
use super::names::{CLIENTS, FAMILY, GIVEN, PERMISSIONS, ROLES, TEAMS};
use super::rng::Rng;
use super::spec::{Shape, Spec};
use super::text::{push_digits, push_hex, push_i64, push_random, push_u64, push_uuid};

/// The kinds of token, named for what issues them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An access token of a self-hosted provider with realms, roles in nested objects.
    Realm,
    /// An access token of a cloud directory, many short members and sometimes groups.
    Directory,
    /// An access token of a login service with an API's permissions.
    Tenant,
    /// An access token of a workforce provider, groups by name.
    Workforce,
    /// An id token of an account provider.
    Account,
    /// A short token between services.
    Service,
    /// The uniform token of [`Shape::Bench`].
    Bench,
}

impl Kind {
    /// Draws the kind of a token.
    pub(super) fn draw(shape: Shape, rng: &mut Rng) -> Kind {
        if let Shape::Bench { .. } = shape {
            return Kind::Bench;
        }
        match rng.below(100) {
            0..18 => Kind::Realm,
            18..32 => Kind::Directory,
            32..54 => Kind::Tenant,
            54..66 => Kind::Workforce,
            66..78 => Kind::Account,
            _ => Kind::Service,
        }
    }

    /// Which of the issuers' names such tokens have, by its place.
    pub(super) fn issuer(self) -> usize {
        match self {
            Kind::Tenant | Kind::Bench => 0,
            Kind::Realm => 1,
            Kind::Directory => 2,
            Kind::Workforce => 3,
            Kind::Account => 4,
            Kind::Service => 5,
        }
    }

    /// How long such tokens live, in seconds: at most a day.
    pub(super) fn lifetime(self, rng: &mut Rng) -> i64 {
        match self {
            Kind::Realm => rng.pick(&[300, 900]),
            Kind::Directory => 3_600 + rng.range(0, 1_800),
            Kind::Tenant => rng.pick(&[7_200, 36_000, 86_400]),
            Kind::Workforce | Kind::Account | Kind::Bench => 3_600,
            Kind::Service => rng.pick(&[60, 300, 3_600]),
        }
    }

    /// Whether such tokens have a claim even where nobody requires it.
    pub(super) fn has(self, claim: Claim, rng: &mut Rng) -> bool {
        match (self, claim) {
            (Kind::Bench, _) | (_, Claim::Tenant) => false,
            (_, Claim::Nbf) => self == Kind::Directory,
            (_, Claim::Jti) => match self {
                Kind::Realm | Kind::Workforce => true,
                Kind::Service => rng.percent(50),
                _ => false,
            },
            _ => true,
        }
    }
}

/// Which claims the tokens of a data set have. Decided once for all tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Presence {
    /// Every token has these, by the number of the claim: what the audit requires and, in a bench
    /// payload, whatever else fits.
    always: [bool; 8],
    /// The size of a bench payload in bytes.
    payload: usize,
    /// Whether a bench payload has a client id.
    client: bool,
}

/// The bytes of a member with a name and a value of these lengths, with its comma.
const fn member_len(name: usize, value: usize) -> usize {
    name + value + 4
}

/// The least that `"scope"` takes: it fills the payload up to its size.
const SCOPE_LEN: usize = member_len(5, 3);
const CLIENT: &str = r#""client_id":"web-01""#;

impl Presence {
    /// Takes what the audit requires, and for a bench payload whatever else fits.
    ///
    /// # Errors
    /// What is required does not fit into the bench payload.
    pub(super) fn new(spec: &Spec, flags: &AuditFlags) -> Result<Presence, SpecError> {
        let always = Claim::ALL.map(|claim| flags.requires(claim.name()));
        let Shape::Bench { payload: given } = spec.shape else {
            return Ok(Presence {
                always,
                ..Presence::default()
            });
        };
        let payload = usize::try_from(given).unwrap_or(usize::MAX);
        let mut presence = Presence {
            always,
            payload,
            client: false,
        };
        // A good token without `exp` is valid too, but hardly a usual one.
        presence.always[Claim::Exp.number()] = true;
        // Times have at most as many digits as the largest that a good token has.
        let mut digits = Vec::new();
        push_i64(
            &mut digits,
            spec.now.saturating_add(86_400 + i64::from(spec.leeway)),
        );
        let time = digits.len().max(6);
        let len = |claim: Claim| match claim {
            Claim::Iss => member_len(3, 27),
            Claim::Sub => member_len(3, 17),
            Claim::Aud => member_len(3, 14),
            Claim::Exp | Claim::Nbf | Claim::Iat => member_len(3, time),
            Claim::Jti => member_len(3, 24),
            Claim::Tenant => member_len(6, 11),
        };
        let required = Claim::ALL
            .into_iter()
            .filter(|claim| presence.always(*claim));
        let mut used = 1 + SCOPE_LEN + required.map(len).sum::<usize>();
        if used > payload {
            let min = u32::try_from(used).unwrap_or(u32::MAX);
            return Err(SpecError::PayloadTooSmall { given, min });
        }
        for claim in [Claim::Sub, Claim::Iat, Claim::Nbf, Claim::Jti] {
            if !presence.always(claim) && used + len(claim) <= payload {
                presence.always[claim.number()] = true;
                used += len(claim);
            }
        }
        presence.client = used + CLIENT.len() < payload;
        Ok(presence)
    }

    /// Whether every token has this claim.
    pub(super) fn always(&self, claim: Claim) -> bool {
        self.always[claim.number()]
    }
}

/// Writes an array of `count` strings, each by `item`.
pub(super) fn push_list(out: &mut Vec<u8>, count: u64, mut item: impl FnMut(&mut Vec<u8>, u64)) {
    out.push(b'[');
    for at in 0..count {
        out.extend_from_slice(if at == 0 { b"\"" } else { b",\"" });
        item(out, at);
        out.push(b'"');
    }
    out.push(b']');
}

/// Writes `count` neighbours of a cyclic `list` from a random start, so that they are distinct.
fn push_run<const N: usize>(out: &mut Vec<u8>, rng: &mut Rng, list: &[&str; N], count: u64) {
    let start = rng.index(N);
    let mut run = list.iter().cycle().skip(start);
    push_list(out, count, |out, _| {
        out.extend_from_slice(run.next().copied().unwrap_or_default().as_bytes());
    });
}

/// Writes permissions separated by spaces.
fn push_scope(out: &mut Vec<u8>, rng: &mut Rng, first: &str, count: u64) {
    out.extend_from_slice(first.as_bytes());
    let start = rng.index(PERMISSIONS.len());
    for (permission, _) in PERMISSIONS.iter().cycle().skip(start).zip(0..count) {
        out.push(b' ');
        out.extend_from_slice(permission.as_bytes());
    }
}

/// Writes an object with claims in the order of the calls.
struct Writer<'a, 'r> {
    object: Object<'a>,
    claims: &'a Claims,
    rng: &'r mut Rng,
    written: [bool; 8],
}

impl Writer<'_, '_> {
    fn claims<const N: usize>(&mut self, claims: [Claim; N]) {
        for claim in claims {
            self.written[claim.number()] = true;
            self.object.member(self.claims.get(claim));
        }
    }

    fn list<const N: usize>(&mut self, name: &str, list: &[&str; N], most: u64) {
        let count = 1 + self.rng.below(most);
        self.object.key(name);
        push_run(self.object.out, self.rng, list, count);
    }

    fn random(&mut self, name: &str, len: usize) {
        let rng = &mut *self.rng;
        self.object.text(name, |out| push_random(out, rng, len));
    }

    fn uuid(&mut self, name: &str) {
        let rng = &mut *self.rng;
        self.object.text(name, |out| push_uuid(out, rng));
    }

    fn scope(&mut self, name: &str, first: &str, most: u64) {
        let rng = &mut *self.rng;
        let count = rng.below(most + 1);
        self.object
            .text(name, |out| push_scope(out, rng, first, count));
    }

    /// Name and mail address of a made-up person.
    fn person(&mut self, mail: &str) {
        // Most names are ASCII, so that most payloads are plain.
        let names = if self.rng.percent(75) { 12 } else { 24 };
        let given = GIVEN
            .get(self.rng.index(names))
            .copied()
            .unwrap_or_default();
        let family = FAMILY
            .get(self.rng.index(names))
            .copied()
            .unwrap_or_default();
        self.object.text("name", |out| {
            out.extend_from_slice(given.as_bytes());
            out.push(b' ');
            out.extend_from_slice(family.as_bytes());
        });
        self.object
            .text("given_name", |out| out.extend_from_slice(given.as_bytes()));
        self.object.text("family_name", |out| {
            out.extend_from_slice(family.as_bytes())
        });
        let number = self.rng.below(1_000_000);
        self.object.text(mail, |out| {
            out.extend_from_slice(b"user");
            push_u64(out, number);
            out.extend_from_slice(b"@example.com");
        });
    }

    fn realm(&mut self) {
        let client = self.rng.pick(&CLIENTS);
        self.claims([
            Claim::Exp,
            Claim::Iat,
            Claim::Jti,
            Claim::Iss,
            Claim::Aud,
            Claim::Sub,
        ]);
        self.object.raw(r#""typ":"Bearer""#);
        self.object
            .text("azp", |out| out.extend_from_slice(client.as_bytes()));
        self.uuid("sid");
        self.object
            .raw(r#""acr":"1","allowed-origins":["https://shop.example.com"]"#);
        let roles = r#"{"roles":["default-roles-shop","offline_access","uma_authorization"]}"#;
        self.object.key("realm_access");
        self.object.out.extend_from_slice(roles.as_bytes());
        self.object.key("resource_access");
        self.object.out.extend_from_slice(b"{\"");
        self.object.out.extend_from_slice(client.as_bytes());
        self.object.out.extend_from_slice(b"\":{\"roles\":");
        let count = 1 + self.rng.below(3);
        push_run(self.object.out, self.rng, &ROLES, count);
        self.object.out.extend_from_slice(
            br#"},"account":{"roles":["manage-account","manage-account-links","view-profile"]}}"#,
        );
        self.object
            .raw(r#""scope":"openid email profile","email_verified":true"#);
        self.person("email");
    }

    fn directory(&mut self) {
        self.claims([Claim::Aud, Claim::Iss, Claim::Iat, Claim::Nbf, Claim::Exp]);
        self.random("aio", 40);
        self.uuid("azp");
        self.object.raw(r#""azpacr":"1""#);
        if self.rng.percent(20) {
            let count = 1 + self.rng.below(10);
            self.object.key("groups");
            let rng = &mut *self.rng;
            push_list(self.object.out, count, |out, _| push_uuid(out, rng));
        }
        self.person("preferred_username");
        self.uuid("oid");
        self.scope("scp", "Orders.Read", 2);
        self.claims([Claim::Sub]);
        self.object
            .raw(r#""tid":"7d1c5e0a-3f6b-4c52-9a57-2f1d0c6e8b34""#);
        self.random("uti", 22);
        self.object.raw(r#""ver":"2.0""#);
    }

    fn tenant(&mut self) {
        self.claims([Claim::Iss, Claim::Sub, Claim::Aud, Claim::Iat, Claim::Exp]);
        self.random("azp", 32);
        self.scope("scope", "openid profile", 3);
        if self.rng.percent(50) {
            self.list("permissions", &PERMISSIONS, 5);
        }
    }

    fn workforce(&mut self) {
        self.object.raw(r#""ver":1"#);
        self.claims([Claim::Jti, Claim::Iss, Claim::Aud, Claim::Iat, Claim::Exp]);
        self.random("cid", 20);
        self.random("uid", 20);
        self.object.raw(r#""scp":["openid","profile"]"#);
        self.object.key("auth_time");
        let back = self.rng.range(0, 36_000);
        push_i64(self.object.out, self.claims.issued().saturating_sub(back));
        self.claims([Claim::Sub]);
        if self.rng.percent(60) {
            self.list("groups", &TEAMS, 8);
        }
    }

    fn account(&mut self) {
        self.claims([Claim::Iss]);
        self.random("azp", 24);
        self.claims([Claim::Aud, Claim::Sub]);
        self.object
            .raw(r#""hd":"example.com","email_verified":true"#);
        self.random("at_hash", 22);
        self.random("nonce", 16);
        self.person("email");
        let rng = &mut *self.rng;
        self.object.text("picture", |out| {
            out.extend_from_slice(b"https://img.example.com/a/");
            push_random(out, rng, 28);
        });
        let locale = self.rng.pick(&["en", "de", "pt-BR", "ja", "ru"]);
        self.object
            .text("locale", |out| out.extend_from_slice(locale.as_bytes()));
        self.claims([Claim::Iat, Claim::Exp]);
    }

    fn service(&mut self) {
        self.claims([Claim::Iss, Claim::Sub, Claim::Aud]);
        let rng = &mut *self.rng;
        self.object.text("rid", |out| push_hex(out, rng, 16));
        if self.rng.percent(40) {
            self.scope("scope", "internal", 2);
        }
        self.claims([Claim::Iat, Claim::Exp, Claim::Jti]);
    }

    /// Fills the payload up to its exact size.
    fn bench(&mut self, presence: &Presence, extra: usize) {
        self.claims([
            Claim::Iss,
            Claim::Sub,
            Claim::Aud,
            Claim::Exp,
            Claim::Nbf,
            Claim::Iat,
        ]);
        self.claims([Claim::Jti, Claim::Tenant]);
        if presence.client {
            self.object.raw(CLIENT);
        }
        // A scope of some 30 characters; what is left beyond that is a list of groups.
        let mut left = presence
            .payload
            .saturating_sub(self.object.len() + extra + 1);
        if left < SCOPE_LEN {
            return;
        }
        let scope = if left > 120 { 29 } else { left - SCOPE_LEN + 1 };
        let start = "read:orders write:orders ";
        // Without a `jti`, the scope is what makes the token like no other.
        let plain = scope > start.len() && self.claims.get(Claim::Jti).present;
        let start = if plain { start } else { "" };
        let rng = &mut *self.rng;
        self.object.text("scope", |out| {
            out.extend_from_slice(start.as_bytes());
            push_random(out, rng, scope - start.len());
        });
        left -= SCOPE_LEN - 1 + scope;
        if left > 40 {
            // The name, its quotes, colon and comma, and the brackets.
            left -= member_len(6, 2);
            self.object.key("groups");
            self.object.out.push(b'[');
            while left > 40 {
                self.object.out.extend_from_slice(b"\"group-");
                push_digits(self.object.out, rng, 5);
                self.object.out.extend_from_slice(b"\",");
                left -= 14;
            }
            self.object.out.push(b'"');
            push_random(self.object.out, rng, left.saturating_sub(2));
            self.object.out.extend_from_slice(b"\"]");
        }
    }
}

/// Writes the payload of a token of this kind as JSON.
pub(super) fn render(
    kind: Kind,
    presence: &Presence,
    claims: &Claims,
    out: &mut Vec<u8>,
    rng: &mut Rng,
) {
    let object = Object::open(out);
    let mut writer = Writer {
        object,
        claims,
        rng,
        written: [false; 8],
    };
    match kind {
        Kind::Realm => writer.realm(),
        Kind::Directory => writer.directory(),
        Kind::Tenant => writer.tenant(),
        Kind::Workforce => writer.workforce(),
        Kind::Account => writer.account(),
        Kind::Service => writer.service(),
        Kind::Bench => writer.bench(presence, claims.extra.len()),
    }
    // What the audit requires and this kind does not have by itself.
    for claim in Claim::ALL {
        if !writer.written[claim.number()] {
            writer.claims([claim]);
        }
    }
    writer.object.close(&claims.extra);
}
