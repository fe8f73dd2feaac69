//! What each stage costs a token with the crates as they are, on the tokens of `all-valid`.
//!
//! The stages of the plain loop (`benches/mixes/plain.rs`) one by one, each over all tokens, and
//! `Validator::validate` over the same tokens one at a time. They say which stage is the largest,
//! and thereby which is worth writing by hand; their sum is about the plain loop of
//! `benches/end_to_end.rs`, less what the processor overlaps between them.
//!
//! What a stage needs of those before it is made outside the measurement, and every iteration
//! asserts its answer. One iteration is all tokens: a token's cost is the inverse of the
//! throughput.

#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a bench that cannot be set up, or that answers wrongly, must end loudly"
)]

#[allow(dead_code, reason = "the other mixes are for end_to_end")]
mod mixes;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memchr::memchr_iter;
use simd_json::INPUT_PADDING;

use mixes::{Mix, plain};

/// A token, taken apart for the stages.
struct Split<'t> {
    parts: plain::Parts<'t>,
    signature: [u8; 32],
    json: Vec<u8>,
}

impl<'t> Split<'t> {
    fn new(token: &'t [u8]) -> Split<'t> {
        let parts = plain::split(token).expect("three segments");
        let signature = plain::signature(parts.signature).expect("a signature");
        let mut json = Vec::new();
        let len = plain::decode(parts.payload, &mut json).expect("base64url");
        json.truncate(len);
        Split {
            parts,
            signature,
            json,
        }
    }
}

fn stages(criterion: &mut Criterion) {
    let mix = Mix::all_valid();
    let key: plain::Key = plain::key::<_, 32>(&mix);
    let tokens: Vec<&[u8]> = plain::lines(&mix.tokens).collect();
    let split: Vec<Split<'_>> = tokens.iter().map(|token| Split::new(token)).collect();
    let (all, all_bytes) = (tokens.len(), tokens.len() * mixes::TOKEN_BYTES);
    let json_bytes: usize = split.iter().map(|token| token.json.len()).sum();
    let mut payload = Vec::new();
    let mut json = plain::Json::new();

    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Elements(mix.lines));

    group.bench_function("newline-scan", |bencher| {
        bencher.iter(|| {
            let lines = plain::lines(black_box(&mix.tokens));
            let bytes: usize = lines.map(<[u8]>::len).sum();
            assert_eq!(bytes, all_bytes);
        });
    });

    group.bench_function("dots", |bencher| {
        bencher.iter(|| {
            let tokens = black_box(&tokens).iter();
            let dots: usize = tokens.map(|token| memchr_iter(b'.', token).count()).sum();
            assert_eq!(dots, 2 * all);
        });
    });

    // The key's state is cloned for each token, so that its pads are absorbed once.
    group.bench_function("hmac", |bencher| {
        bencher.iter(|| {
            let tokens = black_box(&split).iter();
            let holds = |t: &&Split<'_>| plain::is_signed(&key, t.parts.signed, &t.signature);
            assert_eq!(tokens.filter(holds).count(), all);
        });
    });

    group.bench_function("base64url-signature", |bencher| {
        bencher.iter(|| {
            let tokens = black_box(&split).iter();
            let same = |t: &&Split<'_>| plain::signature(t.parts.signature) == Some(t.signature);
            assert_eq!(tokens.filter(same).count(), all);
        });
    });

    group.bench_function("base64url-payload", |bencher| {
        bencher.iter(|| {
            let decoded = black_box(&split)
                .iter()
                .map(|token| plain::decode(black_box(token.parts.payload), &mut payload));
            assert_eq!(decoded.sum::<Option<usize>>(), Some(json_bytes));
            black_box(&payload);
        });
    });

    // The parser uses its text up, so each token's is copied first: a few nanoseconds.
    group.bench_function("simd-json-tape", |bencher| {
        bencher.iter(|| {
            let mut unexpired = 0;
            for token in black_box(&split) {
                let len = token.json.len();
                payload.resize(len + INPUT_PADDING, 0);
                payload[..len].copy_from_slice(&token.json);
                let exp = json.exp(&mut payload, len).expect("an expiry");
                unexpired += usize::from(mix.now < exp);
            }
            assert_eq!(unexpired, all);
        });
    });

    group.bench_function("validate", |bencher| {
        bencher.iter(|| {
            let tokens = black_box(&tokens).iter();
            let valid = tokens.filter(|token| mix.validator.validate(token).is_valid());
            assert_eq!(valid.count(), all);
        });
    });

    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = stages
}
criterion_main!(benches);
