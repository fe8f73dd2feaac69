//! The stages of judging an HMAC token with the crates as they are, and nothing of jotmill's.
//!
//! This is the peer that anyone could write in an afternoon: `memchr`, `hmac`, `base64-simd` and
//! `simd-json`, with every buffer reused. It is *less* work than jotmill does: the header is not
//! read, of the claims only `exp` is looked at, members may repeat, and nothing is reported.

use base64_simd::{Out, URL_SAFE_NO_PAD};
use hmac::{KeyInit, Mac};
use memchr::{memchr, memchr_iter};
use simd_json::{Buffers, INPUT_PADDING, Node, StaticNode, Tape};

use super::Mix;

/// The key of the mix's first token, which of a mix with one key is that of all, with its pads
/// absorbed; to be cloned for each token. `MAC` is the length in bytes that `K` gives.
pub fn key<K: Mac + KeyInit + Clone, const MAC: usize>(mix: &Mix) -> K {
    let jwks: serde_json::Value = serde_json::from_str(&mix.jwks).expect("a key set is JSON");
    let keys = jwks["keys"].as_array().expect("keys").iter();
    let mut secrets = keys.filter_map(|key| {
        let secret = URL_SAFE_NO_PAD.decode_to_vec(key["k"].as_str()?).ok()?;
        <K as KeyInit>::new_from_slice(&secret).ok()
    });
    let token = lines(&mix.tokens).next().expect("a token");
    let parts = split(token).expect("three segments");
    let signature = signature::<MAC>(parts.signature).expect("a signature");
    secrets
        .find(|key| is_signed(key, parts.signed, &signature))
        .expect("the key that signed")
}

/// The lines of a text, without their line feeds.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr_iter(b'\n', text).map(move |end| {
        let line = &text[start..end];
        start = end + 1;
        line
    })
}

/// A token at its two dots.
pub struct Parts<'t> {
    /// What the signature covers: header, dot, payload.
    pub signed: &'t [u8],
    /// The payload in base64url.
    pub payload: &'t [u8],
    /// The signature in base64url.
    pub signature: &'t [u8],
}

/// Splits a token; `None` unless there are two dots exactly.
pub fn split(token: &[u8]) -> Option<Parts<'_>> {
    let first = memchr(b'.', token)?;
    let payload = &token[first + 1..];
    let second = memchr(b'.', payload)?;
    let signature = &payload[second + 1..];
    memchr(b'.', signature).is_none().then_some(Parts {
        signed: &token[..first + 1 + second],
        payload: &payload[..second],
        signature,
    })
}

/// The bytes of a signature; `None` where it is not one of so many.
pub fn signature<const MAC: usize>(text: &[u8]) -> Option<[u8; MAC]> {
    let mut bytes = [0; MAC];
    if text.len() != (8 * MAC).div_ceil(6) {
        return None;
    }
    let decoded = URL_SAFE_NO_PAD.decode(text, Out::from_slice(&mut bytes));
    decoded.is_ok().then_some(bytes)
}

/// Whether the signature is the key's.
pub fn is_signed<K: Mac + Clone>(key: &K, signed: &[u8], signature: &[u8]) -> bool {
    let mac = key.clone().chain_update(signed);
    mac.verify_slice(signature).is_ok()
}

/// Decodes a payload to the front of a buffer that is kept from token to token, with the padding
/// behind it that `simd-json` wants.
pub fn decode(payload: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let most = payload.len() / 4 * 3 + payload.len() % 4 * 3 / 4;
    out.resize(most + INPUT_PADDING, 0);
    let decoded = URL_SAFE_NO_PAD.decode(payload, Out::from_slice(out));
    decoded.ok().map(|bytes| bytes.len())
}

/// The buffers of `simd-json`, kept from token to token.
pub struct Json {
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Default for Json {
    fn default() -> Json {
        Json::new()
    }
}

impl Json {
    /// Buffers for payloads of ordinary size.
    pub fn new() -> Json {
        Json {
            buffers: Buffers::new(4_096),
            tape: Tape(Vec::new()),
        }
    }

    /// Parses the object in front of the padding and gives its `exp`. The text is used up.
    pub fn exp(&mut self, text: &mut [u8], len: usize) -> Option<u64> {
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let parsed = simd_json::fill_tape_padded(text, len, &mut self.buffers, &mut tape);
        let exp = parsed.is_ok().then(|| find_exp(&tape)).flatten();
        self.tape = tape.reset();
        exp
    }
}

/// The member `exp` of the object on a tape.
fn find_exp(tape: &Tape<'_>) -> Option<u64> {
    let (Node::Object { .. }, mut rest) = tape.0.split_first()? else {
        return None;
    };
    while let [Node::String(name), value, ..] = rest {
        if *name == "exp" {
            return match value {
                Node::Static(StaticNode::U64(seconds)) => Some(*seconds),
                Node::Static(StaticNode::I64(seconds)) => u64::try_from(*seconds).ok(),
                _ => None,
            };
        }
        let nodes = match value {
            Node::Object { count, .. } | Node::Array { count, .. } => count + 1,
            _ => 1,
        };
        rest = rest.get(1 + nodes..)?;
    }
    None
}

/// The loop over all of it: how many lines there are, and how many tokens are signed and not
/// expired.
pub fn judge<K: Mac + Clone, const MAC: usize>(
    text: &[u8],
    key: &K,
    now: u64,
    payload: &mut Vec<u8>,
    json: &mut Json,
) -> Counts {
    let mut counts = Counts::default();
    for token in lines(text) {
        counts.lines += 1;
        counts.valid += u64::from(is_valid::<K, MAC>(token, key, now, payload, json) == Some(true));
    }
    counts
}

/// What [`judge`] counted.
#[derive(Default)]
pub struct Counts {
    /// All lines.
    pub lines: u64,
    /// Those with a valid token.
    pub valid: u64,
}

fn is_valid<K: Mac + Clone, const MAC: usize>(
    token: &[u8],
    key: &K,
    now: u64,
    payload: &mut Vec<u8>,
    json: &mut Json,
) -> Option<bool> {
    let parts = split(token)?;
    if !is_signed(key, parts.signed, &signature::<MAC>(parts.signature)?) {
        return Some(false);
    }
    let len = decode(parts.payload, payload)?;
    Some(now < json.exp(payload, len)?)
}
