//! What a run costs from bytes to report, on each mix of data.
//!
//! `run()` reads every mix from memory with one thread, and `all-valid` also with two threads, with
//! a row of NDJSON for every token, and with the portable kernel. `plain-loop` is the peer: the
//! simple loop over the same crates and the same tokens, in the same run. The figure to quote is the
//! ratio of the two, not a time: machines differ and are shared.
//!
//! Every iteration must count as many valid and rejected tokens as the maker of the mix says, and
//! must have judged all of them.
//!
//! A mix has 20,000 lines at most, so the fixed costs of a run (its buffers, and with two threads
//! the pool) are in each figure, and weigh more than in an audit of millions.

#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a bench that cannot be set up, or that counts wrongly, must end loudly"
)]

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group,
    criterion_main,
};
use hmac::{Hmac, KeyInit, Mac};
use jotmill::{Kernel, RowOptions, RowSink};
use sha2::{Sha256, Sha384, Sha512};

use jotmill_benches::{self as mixes, Mix, plain};

/// Takes rows, and keeps of them only how many there were: a sink of next to no cost that shows
/// nevertheless whether every row was written.
#[derive(Default)]
struct RowCounter {
    rows: u64,
}

impl Write for RowCounter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let rows = memchr::memchr_iter(b'\n', bytes).count();
        self.rows += u64::try_from(rows).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn audit(mix: &Mix, threads: usize, kernel: Kernel, rows: Option<RowSink<'_>>) {
    let options = mix.options().threads(threads).kernel(kernel);
    mix.audit(&options, rows);
}

fn bench_run(group: &mut BenchmarkGroup<'_, WallTime>, mix: &Mix, threads: usize) {
    let how = match threads {
        1 => "1-thread".to_owned(),
        many => format!("{many}-threads"),
    };
    group.throughput(Throughput::Elements(mix.lines));
    group.bench_function(BenchmarkId::new(&mix.name, how), |bencher| {
        bencher.iter(|| audit(mix, threads, Kernel::best(), None));
    });
}

fn bench_portable(group: &mut BenchmarkGroup<'_, WallTime>, mix: &Mix) {
    let portable = Kernel::available().find(|kernel| kernel.name() == "portable");
    let portable = portable.expect("every machine has it");
    group.throughput(Throughput::Elements(mix.lines));
    group.bench_function(
        BenchmarkId::new(&mix.name, "1-thread-portable"),
        |bencher| {
            bencher.iter(|| audit(mix, 1, portable, None));
        },
    );
}

fn bench_rows(group: &mut BenchmarkGroup<'_, WallTime>, mix: &Mix) {
    group.throughput(Throughput::Elements(mix.lines));
    group.bench_function(BenchmarkId::new(&mix.name, "1-thread-rows"), |bencher| {
        bencher.iter(|| {
            let mut counter = RowCounter::default();
            let sink = RowSink {
                out: &mut counter,
                options: RowOptions::default(),
            };
            audit(mix, 1, Kernel::best(), Some(sink));
            assert_eq!(counter.rows, mix.lines, "{}: rows", mix.name);
        });
    });
}

fn bench_plain_loop<K: Mac + KeyInit + Clone, const MAC: usize>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    mix: &Mix,
) {
    let key: K = plain::key::<K, MAC>(mix);
    let (mut payload, mut json) = (Vec::new(), plain::Json::new());
    group.throughput(Throughput::Elements(mix.lines));
    group.bench_function(BenchmarkId::new(&mix.name, "plain-loop"), |bencher| {
        bencher.iter(|| {
            let tokens = black_box(&mix.tokens[..]);
            let counts = plain::judge::<K, MAC>(tokens, &key, mix.now, &mut payload, &mut json);
            let rejected = counts.lines - counts.valid;
            assert_eq!((counts.valid, rejected), (mix.valid, mix.rejected()));
        });
    });
}

fn end_to_end(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("end-to-end");
    group.sampling_mode(SamplingMode::Flat);
    let all_valid = Mix::all_valid();
    bench_run(&mut group, &all_valid, 1);
    bench_plain_loop::<Hmac<Sha256>, 32>(&mut group, &all_valid);
    bench_portable(&mut group, &all_valid);
    bench_run(&mut group, &all_valid, 2);
    bench_rows(&mut group, &all_valid);
    for mix in mixes::others() {
        bench_run(&mut group, &mix, 1);
        match &*mix.name {
            "hs384" => bench_plain_loop::<Hmac<Sha384>, 48>(&mut group, &mix),
            "hs512" => bench_plain_loop::<Hmac<Sha512>, 64>(&mut group, &mix),
            _ => continue,
        }
        bench_portable(&mut group, &mix);
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(15)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = end_to_end
}
criterion_main!(benches);
