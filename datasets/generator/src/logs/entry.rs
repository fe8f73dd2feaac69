//! What one record says: when, with which token or decoy, and the request or message around it.
//!
//! Owns the choice of what is in each field, decoys among it. How the fields are written is left to
//! the formats.

use super::calendar::Instant;
use super::piece::{Escape, Piece};
use super::place::Place;
use crate::rng::Rng;
use crate::text::{push_digits, push_hex, push_random, push_uuid};

/// One record that is being written.
pub(super) struct Entry<'r> {
    pub(super) at: Instant,
    /// Its number in the file, from 0.
    pub(super) number: u64,
    pub(super) place: Place,
    /// The token, cut token or opaque credential, with what is behind it.
    pub(super) subject: Option<Piece>,
    /// Where the format is a JSON document: a JSON Pointer to the string with the token.
    pub(super) pointer: Option<String>,
    pub(super) rng: &'r mut Rng,
}

impl Entry<'_> {
    /// The text with the token, if it belongs to one of these places.
    fn text_in(&mut self, places: &[Place]) -> Option<Piece> {
        let subject = self.subject.as_ref()?;
        let is_there = places.contains(&self.place);
        is_there.then(|| self.place.around(subject, self.rng))
    }

    pub(super) fn uuid(&mut self) -> String {
        text(|out| push_uuid(out, self.rng))
    }

    pub(super) fn client(&mut self) -> String {
        let rng = &mut *self.rng;
        format!("198.51.100.{}", rng.below(256))
    }

    /// Text that looks a little like a token, and is none.
    fn decoy(&mut self) -> String {
        let rng = &mut *self.rng;
        match rng.below(10) {
            0 => text(|out| {
                let mut bytes = [0; 45];
                rng.fill(&mut bytes);
                base64_simd::STANDARD.encode_append(bytes, out);
            }),
            1 => "eyebrow.prod.eu-west-1.compute.internal".to_owned(),
            2 => "report.2026.09.final.tar.gz".to_owned(),
            3 => "1.24.0-rc.2+build.1093".to_owned(),
            4 => "options.some.thing".to_owned(),
            5 => text(|out| push_uuid(out, rng)),
            6 => text(|out| push_hex(out, rng, 64)),
            // A session cookie of a web framework: signed JSON, but no `alg`.
            7 => text(|out| {
                out.extend_from_slice(b"eyJ1c2VyX2lkIjo0Mn0.");
                push_random(out, rng, 6);
                out.push(b'.');
                push_random(out, rng, 27);
            }),
            // A header without a dot behind it.
            8 => "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9".to_owned(),
            _ => text(|out| push_random(out, rng, 43)),
        }
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A request as servers and proxies log it.
pub(super) struct Request {
    pub(super) client: String,
    pub(super) method: &'static str,
    /// Path and query.
    pub(super) target: Piece,
    pub(super) referer: Piece,
    pub(super) agent: Piece,
    pub(super) cookie: Piece,
    pub(super) authorization: Piece,
    pub(super) status: u16,
    pub(super) bytes: u64,
    pub(super) millis: u64,
    pub(super) id: String,
}

impl Request {
    /// Where a request can have a token.
    pub(super) const PLACES: &[Place] = &[
        Place::Header,
        Place::Cookie,
        Place::Query,
        Place::Fragment,
        Place::UrlEncoded,
        Place::Glued,
    ];

    pub(super) fn draw(entry: &mut Entry) -> Request {
        let target = entry.text_in(&[Place::Query, Place::UrlEncoded]);
        let referer = entry.text_in(&[Place::Fragment]);
        let agent = entry.text_in(&[Place::Glued]);
        let cookie = entry.text_in(&[Place::Cookie]);
        let authorization = entry.text_in(&[Place::Header]);
        let decoys = [(); 4].map(|()| entry.decoy().replace(['+', '/'], "-"));
        let [path, host, session, query] = decoys;
        let (client, id) = (entry.client(), entry.uuid());
        let rng = &mut *entry.rng;
        let none = || Piece::plain("-");
        let target = target.unwrap_or_else(|| {
            Piece::plain(match rng.below(3) {
                0 => format!("/api/v1/orders/{path}"),
                1 => format!("/static/{path}?v=1.24.0"),
                _ => format!("/search?q={query}&page=2"),
            })
        });
        Request {
            client,
            id,
            target,
            referer: referer
                .unwrap_or_else(|| Piece::plain(format!("https://shop.example.com/{host}"))),
            agent: agent
                .map(|agent| {
                    let mut piece = Piece::plain("shop-app/5.2.1 ");
                    piece.push(&agent, Escape::None);
                    piece
                })
                .unwrap_or_else(|| Piece::plain("Mozilla/5.0 (X11; Linux x86_64) curl/8.5.0")),
            cookie: cookie.unwrap_or_else(|| match rng.below(3) {
                0 => none(),
                _ => Piece::plain(format!("session={session}; lang=en")),
            }),
            authorization: authorization.unwrap_or_else(|| match rng.below(4) {
                0 => Piece::plain("Basic YW5uOm9wZW4gc2VzYW1l"),
                _ => none(),
            }),
            method: rng.pick(&["GET", "GET", "POST", "PUT", "DELETE"]),
            status: rng.pick(&[200, 200, 200, 201, 302, 401, 403, 500]),
            bytes: rng.below(40_000),
            millis: rng.below(900),
        }
    }
}

/// Where a message can have a token.
pub(super) const MESSAGE_PLACES: &[Place] = &[
    Place::Header,
    Place::Cookie,
    Place::Query,
    Place::Fragment,
    Place::UrlEncoded,
    Place::Json,
    Place::JsonEscaped,
    Place::Quoted,
    Place::Xml,
    Place::Glued,
    Place::Sentence,
    Place::Bare,
];

/// A message of an application.
pub(super) fn message(entry: &mut Entry) -> Piece {
    if let Some(around) = entry.text_in(MESSAGE_PLACES) {
        let mut piece = Piece::plain(match entry.place {
            Place::Header => "upstream refused Authorization: ",
            Place::Cookie => "request with Cookie: ",
            Place::Query | Place::Fragment | Place::UrlEncoded => "redirecting to ",
            Place::Json | Place::JsonEscaped => "token response ",
            Place::Xml => "SOAP header ",
            _ => "",
        });
        piece.push(&around, Escape::None);
        return piece;
    }
    let decoy = entry.decoy();
    let rng = &mut *entry.rng;
    Piece::plain(match rng.below(5) {
        0 => format!("loaded {decoy} in {} ms", rng.below(900)),
        1 => format!("cache miss for key {decoy}, etag W/\"{decoy}\""),
        2 => format!("setting {decoy} is deprecated; see options.some.thing."),
        3 => format!("connected to {decoy}:{}", 1_024 + rng.below(60_000)),
        _ => format!("digest {decoy} verified"),
    })
}

/// An opaque credential, as OAuth servers issue them that do not use JWTs (RFC 6750 section 2.1).
pub(super) fn opaque(rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    match rng.below(3) {
        0 => push_random(&mut out, rng, 32),
        1 => push_hex(&mut out, rng, 40),
        _ => {
            push_random(&mut out, rng, 20);
            push_digits(&mut out, rng, 6);
        }
    }
    // Random base64url may begin with `-`, which no opaque credential of these does.
    if let Some(first) = out.first_mut() {
        *first = b'm';
    }
    out
}
