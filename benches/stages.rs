//! What each stage costs a token: with the crates as they are, and as jotmill does it.
//!
//! - `crates`: the stages of the plain loop (`benches/src/plain.rs`) one by one, each
//!   over all tokens, and `Validator::validate` over the same tokens one at a time. They say which stage is
//!   the largest, and thereby which is worth writing by hand.
//! - `stages`: the stages of a run, by the code of a run.
//! - `macs`: HMAC in every kernel that this machine has, and by a loop over `hmac` beside them.
//!
//! The tokens are those of `all-valid`. What a stage needs of those before it is made outside the
//! measurement, and every iteration asserts its answer. One iteration is all tokens: a token's cost
//! is the inverse of the throughput.

#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a bench that cannot be set up, or that answers wrongly, must end loudly"
)]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use hmac::{Hmac, KeyInit, Mac};
use jotmill::Kernel;
use jotmill::measure::{self, Signatures, Stage};
use jotmill_datasets::Algorithm;
use memchr::memchr_iter;
use sha2::{Sha256, Sha384, Sha512};
use simd_json::INPUT_PADDING;

use jotmill_benches::{self as mixes, Mix, plain};

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

fn crates(criterion: &mut Criterion) {
    let mix = Mix::all_valid();
    let key = plain::key::<Hmac<Sha256>, 32>(&mix);
    let tokens: Vec<&[u8]> = plain::lines(&mix.tokens).collect();
    let split: Vec<Split<'_>> = tokens.iter().map(|token| Split::new(token)).collect();
    let (all, all_bytes) = (tokens.len(), tokens.len() * mixes::TOKEN_BYTES);
    let json_bytes: usize = split.iter().map(|token| token.json.len()).sum();
    let mut payload = Vec::new();
    let mut json = plain::Json::new();

    let mut group = criterion.benchmark_group("crates");
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

    let now = mix.instant();
    group.bench_function("validate", |bencher| {
        bencher.iter(|| {
            let tokens = black_box(&tokens).iter();
            let valid = tokens.filter(|token| mix.validator.validate_at(token, now).is_valid());
            assert_eq!(valid.count(), all);
        });
    });

    group.finish();
}

fn stages(criterion: &mut Criterion) {
    let mix = Mix::all_valid();
    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Elements(mix.lines));
    // An iteration passes all stages, of which the time of one counts.
    group.measurement_time(Duration::from_millis(200));
    group.warm_up_time(Duration::from_millis(50));
    for stage in Stage::ALL {
        group.bench_function(stage.name(), |bencher| {
            bencher.iter_custom(|iterations| {
                let walk = |_| {
                    let (validator, tokens) = (&mix.validator, &mix.tokens);
                    let (now, kernel) = (mix.instant(), Kernel::best());
                    let stages = measure::stages(validator, now, tokens, kernel, 0);
                    assert_eq!(
                        (stages.tokens.valid, stages.tokens.rejected),
                        (mix.valid, 0)
                    );
                    stages.time(stage)
                };
                (0..iterations).map(walk).sum()
            });
        });
    }
    group.finish();
}

fn macs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("macs");
    macs_of::<Hmac<Sha256>, 32>(&mut group, Algorithm::Hs256);
    macs_of::<Hmac<Sha384>, 48>(&mut group, Algorithm::Hs384);
    macs_of::<Hmac<Sha512>, 64>(&mut group, Algorithm::Hs512);
    group.finish();
}

fn macs_of<K: Mac + KeyInit + Clone, const MAC: usize>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    algorithm: Algorithm,
) {
    let mix = Mix::new(algorithm.name(), mixes::signed(algorithm));
    let lines = usize::try_from(mix.lines).expect("a count");
    group.throughput(Throughput::Elements(mix.lines));

    // Whether lanes give what `hmac` gives is shown by tests, for every kernel; what is asserted
    // here is that there is a MAC for each token.
    let mut signatures = Signatures::new(&mix.validator, &mix.tokens);
    assert_eq!(signatures.len(), lines);
    for kernel in Kernel::available() {
        group.bench_function(BenchmarkId::new(&mix.name, kernel), |bencher| {
            bencher.iter_custom(|iterations| {
                let times = (0..iterations).map(|_| signatures.compute(kernel));
                times.sum()
            });
        });
    }

    let key: K = plain::key::<K, MAC>(&mix);
    let tokens: Vec<(&[u8], [u8; MAC])> = plain::lines(&mix.tokens)
        .map(|token| {
            let parts = plain::split(token).expect("three segments");
            let signature = plain::signature(parts.signature).expect("a signature");
            (parts.signed, signature)
        })
        .collect();
    group.bench_function(BenchmarkId::new(&mix.name, "hmac"), |bencher| {
        bencher.iter(|| {
            let tokens = black_box(&tokens).iter();
            let holds = |(signed, mac): &&(&[u8], [u8; MAC])| plain::is_signed(&key, signed, mac);
            assert_eq!(tokens.filter(holds).count(), lines);
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = crates, stages, macs
}
criterion_main!(benches);
