//! `jotmill gen --logs`: its compression, and the combinations that it refuses.

use std::fs;
use std::io::Read;

use crate::program::{Place, assert_cannot, code, stderr};

#[test]
fn a_compressed_corpus_has_the_bytes_of_a_plain_one() {
    let place = Place::new();
    for compress in ["none", "gzip", "zstd"] {
        let args = [
            "gen",
            "--logs",
            compress,
            "--records",
            "48",
            "--compress",
            compress,
        ];
        let output = place.run(&args);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
    let plain = fs::read(place.path("none/nginx.log")).expect("a log");
    let packed = fs::File::open(place.path("gzip/nginx.log.gz")).expect("a log");
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(packed)
        .read_to_end(&mut text)
        .expect("gzip");
    assert!(text == plain);
    let packed = fs::read(place.path("zstd/nginx.log.zst")).expect("a log");
    let mut text = Vec::with_capacity(plain.len());
    zstd_safe::decompress(&mut text, &packed).expect("zstd");
    assert!(text == plain);
}

#[test]
fn options_that_mean_nothing_together_are_refused() {
    let place = Place::new();
    for (args, told) in [
        (&["gen", "--logs", "a", "--count", "4"][..], "--records"),
        (
            &["gen", "--logs", "a", "--defects", "expired=1%"],
            "--defects",
        ),
        (&["gen", "--logs", "a", "--issuers", "2"], "--issuers"),
        (&["gen", "a", "--records", "4"], "--logs"),
        (&["gen", "a", "--formats", "csv"], "--logs"),
        (&["gen", "a", "--compress", "zstd"], "--logs"),
        (&["gen", "--logs", "a", "--formats", "iis"], "nginx"),
    ] {
        assert_cannot(&place.run(args), &[told]);
        assert!(!place.path("a").exists(), "{args:?}");
    }
}
