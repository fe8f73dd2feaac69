//! The texts that a token is in: a header's value, a cookie, a URL, a sentence.
//!
//! Owns the list of such places and the text of each. Which places a format has is left to it.

use std::fmt;

use super::piece::{Escape, Piece};
use crate::rng::Rng;
use crate::text::push_hex;

/// What surrounds a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// `Bearer` in front.
    Header,
    /// One cookie of several.
    Cookie,
    /// A parameter of a URL.
    Query,
    /// A parameter behind `#`.
    Fragment,
    /// In a URL inside another: its dots are `%2E`, and `%3D` is in front.
    UrlEncoded,
    /// A member of a JSON object, which may be text in a string itself.
    Json,
    /// The same, with each dot as `\u002e`.
    JsonEscaped,
    /// In quotes, brackets or parentheses.
    Quoted,
    /// The content of an XML element.
    Xml,
    /// Right behind a word.
    Glued,
    /// At the end of a sentence.
    Sentence,
    /// Alone in its field.
    Bare,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::Header => "header",
            Place::Cookie => "cookie",
            Place::Query => "query",
            Place::Fragment => "fragment",
            Place::UrlEncoded => "url-encoded",
            Place::Json => "json",
            Place::JsonEscaped => "json-escaped",
            Place::Quoted => "quoted",
            Place::Xml => "xml",
            Place::Glued => "glued",
            Place::Sentence => "sentence",
            Place::Bare => "bare",
        }
    }

    /// Whether a token's text is changed there. Neither tokens with padding nor tokens that were
    /// cut short are put there, since they would be something else.
    pub(super) fn is_escaped(self) -> bool {
        matches!(self, Place::UrlEncoded | Place::JsonEscaped)
    }

    /// The text around `subject`.
    pub(super) fn around(self, subject: &Piece, rng: &mut Rng) -> Piece {
        let mut piece = Piece::default();
        match self {
            Place::Header => piece.add("Bearer ").push(subject, Escape::None),
            Place::Cookie => {
                let name = rng.pick(&["session", "access_token", "__Host-id", "auth.token"]);
                piece.add("theme=dark; ").add(name).add("=");
                piece
                    .push(subject, Escape::None)
                    .add("; _v=1.9.2.1760104536")
            }
            Place::Query => {
                piece.add(rng.pick(&["/api/v1/orders?", "/ws?v=2&", "/files/report.tar.gz?dl=1&"]));
                parameter(&mut piece, subject, rng)
            }
            Place::Fragment => {
                piece.add("https://shop.example.com/callback#id_token=");
                piece.push(subject, Escape::None).add("&state=");
                state(&mut piece, rng)
            }
            Place::UrlEncoded => {
                let mut inner = Piece::plain("/callback?");
                parameter(&mut inner, subject, rng);
                piece.add("/login?next=").push(&inner, Escape::Percent)
            }
            Place::Json => object(&mut piece, subject, Escape::Json, rng),
            Place::JsonEscaped => object(&mut piece, subject, Escape::JsonDots, rng),
            Place::Quoted => {
                let (open, close) =
                    rng.pick(&[("'", "'"), ("\"", "\""), ("(", ")"), ("[", "]"), ("<", ">")]);
                piece
                    .add("rejected token=")
                    .add(open)
                    .push(subject, Escape::None)
                    .add(close)
                    .add(" reason=policy")
            }
            Place::Xml => piece
                .add(
                    "<wsse:BinarySecurityToken ValueType=\"urn:ietf:params:oauth:token-type:jwt\">",
                )
                .push(subject, Escape::None)
                .add("</wsse:BinarySecurityToken>"),
            Place::Glued => {
                let word = rng.pick(&["token", "jwt", "Bearer", "id_token:", "x-auth"]);
                piece.add(word).push(subject, Escape::None).add(" end")
            }
            Place::Sentence => piece
                .add("Could not refresh ")
                .push(subject, Escape::None)
                .add(". Trying again."),
            Place::Bare => piece.push(subject, Escape::None),
        };
        piece
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn parameter<'p>(piece: &'p mut Piece, subject: &Piece, rng: &mut Rng) -> &'p mut Piece {
    let name = rng.pick(&["access_token", "token", "jwt", "id_token_hint"]);
    piece.add(name).add("=").push(subject, Escape::None);
    if rng.percent(50) {
        piece.add("&state=");
        state(piece, rng);
    }
    piece
}

fn state<'p>(piece: &'p mut Piece, rng: &mut Rng) -> &'p mut Piece {
    push_hex(&mut piece.text, rng, 12);
    piece
}

fn object<'p>(
    piece: &'p mut Piece,
    subject: &Piece,
    escape: Escape,
    rng: &mut Rng,
) -> &'p mut Piece {
    let name = rng.pick(&["access_token", "jwt", "id_token"]);
    piece.add("{\"user\":\"ann\",\"").add(name).add("\":\"");
    piece
        .push(subject, escape)
        .add("\",\"expires_in\":3600,\"ok\":true}")
}
