//! Who takes part, and how each is set up: the same key, read once; the same checks; one token as
//! good as another.
//!
//! A peer for another kind of algorithm is a function here that [`peers`] calls. What each has
//! to do is in [`TERMS`], which every run prints.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    VerificationAlgorithm,
};
use hmac::{Hmac, KeyInit, Mac};
use jotmill::Judge;
use jotmill_datasets::Algorithm;
use jsonwebtoken::crypto::{CryptoProvider, aws_lc, rust_crypto};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode};
use jwt_simple::prelude::{
    Duration, HS256Key, HS384Key, HS512Key, MACLike, NoCustomClaims, VerificationOptions,
};
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Sha256, Sha384, Sha512};

use crate::AHEAD;
use jotmill_benches::{Mix, plain};

/// What is compared.
pub const TERMS: &str = "\
Every library checks the signature, exp, nbf, iss and aud, with a key that was read beforehand.
  jotmill, in bulk         jotmill::run over the text: finds the lines, reads every header, checks
                           iat and duplicate members too, and makes the whole report
  jotmill, slices          Judge::validate_all_at, a few hundred tokens a call: all that a run
                           does but the report
  jotmill, Validator       Validator::validate_at, a token a call
  jotmill, Judge           Judge::validate_at, a token a call
  jotmill, Judge, claims   Judge::accept_at into the struct that jsonwebtoken decodes into
  jsonwebtoken, claims     decode into a struct of the seven registered claims
  jsonwebtoken, Value      decode into serde_json::Value
  jwt-simple               verify_token into its own struct of registered claims; checks iat too
  plain loop               memchr, hmac, base64-simd, simd-json as they are; checks the signature
                           and exp alone, reads no header and reports nothing
  aws-lc-rs                verifies the signatures and does nothing else
Those that judge a token a call are given tokens already split at the line ends, and rayon spreads
their tokens over the threads. Medians of five interleaved rounds. The last column of each is the
speed in multiples of jsonwebtoken's, with aws_lc_rs and the struct of claims.";

/// The peer that all others are compared with, jotmill's single calls among them.
pub const REFERENCE: &str = "jsonwebtoken, aws_lc_rs, claims";

/// About how much text a thread takes at a time.
const CHUNK_BYTES: usize = 128 << 10;

/// A mix, cut for those who judge a token at a time.
pub struct Data<'m> {
    chunks: Vec<Chunk<'m>>,
}

/// Some lines of a mix.
pub struct Chunk<'m> {
    text: &'m [u8],
    tokens: Vec<&'m [u8]>,
}

impl<'m> Data<'m> {
    pub fn new(mix: &'m Mix) -> Self {
        let mut chunks = Vec::new();
        let mut rest = &mix.tokens[..];
        while !rest.is_empty() {
            let least = CHUNK_BYTES.min(rest.len()) - 1;
            let end = least
                + rest[least..]
                    .iter()
                    .position(|b| *b == b'\n')
                    .expect("a line feed");
            let (text, after) = rest.split_at(end + 1);
            let tokens = plain::lines(text).collect();
            chunks.push(Chunk { text, tokens });
            rest = after;
        }
        Self { chunks }
    }
}

/// Someone who judges tokens.
pub struct Peer<'m> {
    pub name: &'static str,
    how: How<'m>,
}

/// Each says how many tokens are valid.
enum How<'m> {
    /// All of the mix, with so many threads of its own.
    Whole(Box<JudgesMix<'m>>),
    /// A chunk.
    Chunk(Box<JudgesChunk<'m>>),
    /// A chunk, with buffers of the thread's own.
    Worker(Box<MakesWorker<'m>>),
}

type JudgesMix<'m> = dyn Fn(usize) -> u64 + 'm;
type JudgesChunk<'m> = dyn Fn(&Chunk<'_>) -> u64 + Sync + 'm;
type MakesWorker<'m> = dyn Fn() -> Worker<'m> + Sync + 'm;
type Worker<'m> = Box<dyn FnMut(&Chunk<'_>) -> u64 + 'm>;

impl<'m> Peer<'m> {
    /// One that judges a token a call.
    fn of_tokens(name: &'static str, is_valid: impl Fn(&[u8]) -> bool + Sync + 'm) -> Self {
        let judge = move |chunk: &Chunk<'_>| {
            let valid = chunk.tokens.iter().filter(|token| is_valid(token));
            u64::try_from(valid.count()).expect("a count")
        };
        Self {
            name,
            how: How::Chunk(Box::new(judge)),
        }
    }

    /// Judges everything, with one thread or with all that rayon has, and counts the valid.
    pub fn judge(&self, data: &Data<'_>, threads: usize) -> u64 {
        match &self.how {
            How::Whole(judge) => judge(threads),
            How::Chunk(judge) if threads == 1 => data.chunks.iter().map(judge).sum(),
            How::Chunk(judge) => data.chunks.par_iter().map(judge).sum(),
            How::Worker(make) if threads == 1 => data.chunks.iter().map(make()).sum(),
            How::Worker(make) => {
                let chunks = data.chunks.par_iter();
                chunks.map_init(make, |judge, chunk| judge(chunk)).sum()
            }
        }
    }
}

/// Everyone who verifies the algorithm. The first is who the others are compared with.
pub fn peers(mix: &Mix, algorithm: Algorithm) -> Vec<Peer<'_>> {
    let now = mix.instant();
    let mut peers = vec![
        jotmill_in_bulk(mix),
        jotmill_judge("jotmill, slices", mix, move |judge, tokens| {
            let verdicts = judge.validate_all_at(tokens, now);
            verdicts.iter().filter(|it| it.is_valid()).count()
        }),
        Peer::of_tokens("jotmill, Validator", move |token| {
            mix.validator.validate_at(token, now).is_valid()
        }),
        jotmill_judge("jotmill, Judge", mix, move |judge, tokens| {
            let is_valid = |token: &&&[u8]| judge.validate_at(token, now).is_valid();
            tokens.iter().filter(is_valid).count()
        }),
        jotmill_judge("jotmill, Judge, claims", mix, move |judge, tokens| {
            let is_valid = |token: &&&[u8]| judge.accept_at::<Claims>(token, now).is_ok();
            tokens.iter().filter(is_valid).count()
        }),
        jsonwebtoken::<Claims>(REFERENCE, mix, true),
        jsonwebtoken::<Claims>("jsonwebtoken, rust_crypto, claims", mix, false),
        jsonwebtoken::<serde_json::Value>("jsonwebtoken, aws_lc_rs, Value", mix, true),
    ];
    let name = "jwt-simple";
    match algorithm {
        Algorithm::Hs256 => peers.extend([
            jwt_simple(name, mix, HS256Key::from_bytes(&secret(mix))),
            plain_loop::<Hmac<Sha256>, 32>(mix),
        ]),
        Algorithm::Hs384 => peers.extend([
            jwt_simple(name, mix, HS384Key::from_bytes(&secret(mix))),
            plain_loop::<Hmac<Sha384>, 48>(mix),
        ]),
        Algorithm::Hs512 => peers.extend([
            jwt_simple(name, mix, HS512Key::from_bytes(&secret(mix))),
            plain_loop::<Hmac<Sha512>, 64>(mix),
        ]),
        Algorithm::Rs256 => peers.push(bare(mix, &RSA_PKCS1_2048_8192_SHA256, &rsa_key(mix))),
        Algorithm::Es256 => peers.push(bare(mix, &ECDSA_P256_SHA256_FIXED, &ec_key(mix))),
        Algorithm::EdDsa => peers.push(bare(mix, &ED25519, &member(mix, "x"))),
        _ => {}
    }
    peers
}

/// The signatures and nothing else, by the library that jotmill verifies them with: the bound of
/// public keys.
fn bare<'m>(mix: &'m Mix, algorithm: &'static dyn VerificationAlgorithm, key: &[u8]) -> Peer<'m> {
    let key = ParsedPublicKey::new(algorithm, key).expect("a key");
    assert!(mix.valid > 0);
    Peer::of_tokens("aws-lc-rs, signatures alone", move |token| {
        let dot = memchr::memrchr(b'.', token).expect("a signature");
        let mut signature = [0; 512];
        let out = base64_simd::Out::from_slice(&mut signature);
        let signature = base64_simd::URL_SAFE_NO_PAD.decode(&token[dot + 1..], out);
        signature.is_ok_and(|signature| key.verify_sig(&token[..dot], signature).is_ok())
    })
}

/// `RSAPublicKey` (RFC 8017 appendix A.1.1) of a mix's only key.
fn rsa_key(mix: &Mix) -> Vec<u8> {
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }
    // The length is written in three bytes even where it is short, which BER allows and DER does
    // not; so the exponent has a form of its own.
    let modulus = [&[0], &member(mix, "n")[..]].concat();
    let exponent = member(mix, "e");
    let length = u8::try_from(exponent.len()).expect("short");
    let exponent = [&[0x02, length], &exponent[..]].concat();
    element(0x30, &[element(0x02, &modulus), exponent].concat())
}

/// The uncompressed point (SEC 1 section 2.3.3) of a mix's only key.
fn ec_key(mix: &Mix) -> Vec<u8> {
    [&[4], &member(mix, "x")[..], &member(mix, "y")].concat()
}

/// The secret of a mix's only key.
fn secret(mix: &Mix) -> Vec<u8> {
    member(mix, "k")
}

/// A member of a mix's only key, decoded.
fn member(mix: &Mix, name: &str) -> Vec<u8> {
    let jwks: serde_json::Value = serde_json::from_str(&mix.jwks).expect("a key set is JSON");
    let [key] = &jwks["keys"].as_array().expect("keys")[..] else {
        panic!("{}: one key", mix.name);
    };
    let value = key[name].as_str().expect("a member");
    let url_safe = base64_simd::URL_SAFE_NO_PAD;
    url_safe.decode_to_vec(value).expect("base64url")
}

fn jotmill_in_bulk(mix: &Mix) -> Peer<'_> {
    let judge = |threads| {
        let options = mix.options().threads(threads);
        mix.audit(&options, None).report.tally.tokens.valid
    };
    Peer {
        name: "jotmill, in bulk",
        how: How::Whole(Box::new(judge)),
    }
}

/// A judge for each thread, which counts the valid tokens of a chunk. It is new in each round, so
/// that it has no token of the mix in its cache.
fn jotmill_judge<'m>(
    name: &'static str,
    mix: &'m Mix,
    count_valid: impl Fn(&mut Judge, &[&[u8]]) -> usize + Copy + Sync + 'm,
) -> Peer<'m> {
    let make = move || {
        let mut judge = Judge::new(&mix.validator).expect("a kernel");
        let count = move |chunk: &Chunk<'_>| {
            u64::try_from(count_valid(&mut judge, &chunk.tokens)).expect("a count")
        };
        Box::new(count) as Worker<'m>
    };
    Peer {
        name,
        how: How::Worker(Box::new(make)),
    }
}

/// The registered claims, as a service would have them.
#[derive(Deserialize)]
#[allow(dead_code, reason = "what is measured is that they are read")]
struct Claims {
    iss: String,
    sub: Option<String>,
    aud: Audience,
    exp: u64,
    nbf: Option<u64>,
    iat: Option<u64>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "what is measured is that it is read")]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Which back end verifies. `jsonwebtoken` takes one provider a process, and calls it for every
/// token; this one passes the call on.
static USES_AWS_LC: AtomicBool = AtomicBool::new(false);
static EITHER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| (aws_lc::DEFAULT_PROVIDER.signer_factory)(algorithm, key),
    verifier_factory: |algorithm, key| {
        let provider = if USES_AWS_LC.load(Ordering::Relaxed) {
            &aws_lc::DEFAULT_PROVIDER
        } else {
            &rust_crypto::DEFAULT_PROVIDER
        };
        (provider.verifier_factory)(algorithm, key)
    },
    key_utils: jsonwebtoken::crypto::KeyUtils::new_unimplemented(),
};

fn jsonwebtoken<'m, T: DeserializeOwned>(
    name: &'static str,
    mix: &'m Mix,
    uses_aws_lc: bool,
) -> Peer<'m> {
    // All peers after the first find it installed.
    let _ = EITHER.install_default();
    let set: JwkSet = serde_json::from_str(&mix.jwks).expect("a key set");
    let [jwk] = &set.keys[..] else {
        panic!("{}: one key", mix.name);
    };
    let key = DecodingKey::from_jwk(jwk).expect("a key");
    let algorithm = jwk.common.key_algorithm.map(|name| name.to_string());
    let algorithm = algorithm
        .expect("the key says its alg")
        .parse()
        .expect("an algorithm");
    let policy = mix.validator.policy();
    let mut validation = Validation::new(algorithm);
    validation.leeway = AHEAD;
    validation.validate_nbf = true;
    validation.set_issuer(policy.issuers());
    validation.set_audience(policy.audiences());
    let judge = move |chunk: &Chunk<'_>| {
        USES_AWS_LC.store(uses_aws_lc, Ordering::Relaxed);
        let is_valid = |token: &&&[u8]| decode::<T>(token, &key, &validation).is_ok();
        u64::try_from(chunk.tokens.iter().filter(is_valid).count()).expect("a count")
    };
    Peer {
        name,
        how: How::Chunk(Box::new(judge)),
    }
}

fn jwt_simple<'m, K: MACLike + Sync + 'm>(name: &'static str, mix: &'m Mix, key: K) -> Peer<'m> {
    let policy = mix.validator.policy();
    let set = |names: &[String]| Some(names.iter().cloned().collect::<HashSet<_>>());
    let options = VerificationOptions {
        artificial_time: Some(Duration::from_secs(mix.now)),
        time_tolerance: Some(Duration::from_secs(0)),
        allowed_issuers: set(policy.issuers()),
        allowed_audiences: set(policy.audiences()),
        ..VerificationOptions::default()
    };
    Peer::of_tokens(name, move |token| {
        // It takes text; that the bytes are text is checked by whoever calls it.
        let token = std::str::from_utf8(token).expect("tokens are ASCII");
        // The options are taken by value, so each call needs a copy of them.
        key.verify_token::<NoCustomClaims>(token, Some(options.clone()))
            .is_ok()
    })
}

fn plain_loop<K: Mac + KeyInit + Clone + Sync + 'static, const MAC: usize>(mix: &Mix) -> Peer<'_> {
    let key = plain::key::<K, MAC>(mix);
    let judge = move |chunk: &Chunk<'_>| {
        let (mut payload, mut json) = (Vec::new(), plain::Json::new());
        plain::judge::<K, MAC>(chunk.text, &key, mix.now, &mut payload, &mut json).valid
    };
    Peer {
        name: "plain loop over the crates",
        how: How::Chunk(Box::new(judge)),
    }
}
