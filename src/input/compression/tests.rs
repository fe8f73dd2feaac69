//! Compressed inputs give the text that was compressed, or an error.

use std::io::{self, Read, Write};

use super::*;
use crate::input::tests::Drip;
use crate::input::{Input, Opened};

const TEXT: &[u8] = b"first.line.x\nsecond.line.y\nthird.line.z\n";

/// One member of `text`, with a checksum.
fn pack(form: Compression, text: &[u8]) -> Vec<u8> {
    match form {
        Compression::Gzip => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Zstd => {
            let mut context = zstd_safe::CCtx::create();
            let checksum = zstd_safe::CParameter::ChecksumFlag(true);
            context.set_parameter(checksum).unwrap();
            let mut packed = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
            context.compress2(&mut packed, text).unwrap();
            packed
        }
        Compression::Bzip2 => {
            let level = bzip2::Compression::new(1);
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), level);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Compression::Xz => {
            let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
    }
}

/// The text of an input that is read `drip` bytes at a time into `room` bytes, and its error.
fn unpack(packed: &[u8], drip: usize, room: usize) -> (Vec<u8>, Option<Error>) {
    unpack_reader(
        Box::new(Drip(packed, drip, false)),
        room,
        DEFAULT_MAX_WINDOW,
    )
}

fn unpack_reader(
    reader: Box<dyn Read + '_>,
    room: usize,
    max_window: u64,
) -> (Vec<u8>, Option<Error>) {
    let input = Input::Reader {
        name: "log".to_owned(),
        reader,
    };
    let Ok(Opened::Stream(mut source)) = input.open(max_window) else {
        panic!("a reader is a stream");
    };
    let (mut text, mut buffer) = (Vec::new(), vec![0; room]);
    loop {
        match source.read(&mut buffer, true) {
            Ok(Chunk::Bytes(count)) => text.extend_from_slice(&buffer[..count]),
            Ok(Chunk::Idle) => {}
            Ok(Chunk::End) => return (text, None),
            Err(error) => {
                let after = source.read(&mut buffer, true);
                assert!(
                    !matches!(after, Ok(Chunk::Bytes(_))),
                    "nothing after an error"
                );
                return (text, Some(error));
            }
        }
    }
}

fn problem(error: Option<Error>) -> UnpackProblem {
    match error {
        Some(Error::Unpack { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn members_give_their_texts_whatever_the_reads() {
    for form in Compression::ALL {
        // A boundary within a line, empty members, and padding between and after them.
        let mut packed = pack(form, b"");
        packed.extend(pack(form, &TEXT[..7]));
        packed.extend(pack(form, b""));
        packed.extend([0; 4]);
        packed.extend(pack(form, &TEXT[7..]));
        let mut padded = packed.clone();
        padded.extend([0; 1000]);
        for packed in [&packed, &padded] {
            for drip in (1..=70).chain([1 << 20]) {
                for room in [1, 2, 7, 4096] {
                    let (text, error) = unpack(packed, drip, room);
                    assert!(error.is_none(), "{form:?} {drip} {room}: {error:?}");
                    assert_eq!(text, TEXT, "{form:?} {drip} {room}");
                }
            }
        }
    }
}

#[test]
fn a_long_text_is_unpacked_into_buffers_of_any_size() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    // Both what compresses well and what does not.
    let text: Vec<u8> = (0..500_000)
        .map(|at| if at & 4096 == 0 { next() } else { b'a' })
        .collect();
    for form in Compression::ALL {
        let packed = pack(form, &text);
        for (drip, room) in [
            (1 << 20, 1 << 20),
            (1000, 777),
            (65_536, 65_536),
            (1 << 20, 100),
        ] {
            let (found, error) = unpack(&packed, drip, room);
            assert!(error.is_none(), "{form:?}: {error:?}");
            assert!(found == text, "{form:?} {drip} {room}");
        }
    }
}

#[test]
fn a_member_that_is_cut_anywhere_is_an_error_after_the_text_before_it() {
    for form in Compression::ALL {
        let mut packed = pack(form, &TEXT[..20]);
        let boundary = packed.len();
        packed.extend(pack(form, &TEXT[20..]));
        for end in 1..packed.len() {
            let (text, error) = unpack(&packed[..end], 3, 100);
            if end == boundary {
                assert!(error.is_none() && text == TEXT[..20]);
                continue;
            }
            // So few bytes may as well be text.
            let is_text = packed[..end].iter().all(|byte| byte.is_ascii_graphic());
            if is_text && end <= 4 {
                assert!(error.is_none() && text == packed[..end]);
                continue;
            }
            assert!(TEXT.starts_with(&text), "{form:?} {end}");
            assert!(end < boundary || text.len() >= 20, "{form:?} {end}");
            let Some(Error::Unpack {
                offset,
                unpacked,
                problem,
                ..
            }) = error
            else {
                panic!("{form:?} {end}: {error:?}");
            };
            assert_eq!(problem, UnpackProblem::Truncated, "{form:?} {end}");
            assert!(offset <= end as u64);
            assert_eq!(unpacked, text.len() as u64);
        }
    }
}

#[test]
fn a_flipped_bit_gives_an_error_or_the_same_text() {
    for form in Compression::ALL {
        let packed = pack(form, TEXT);
        let mut errors = 0;
        // Without its magic number it would be text.
        let magic = if form == Compression::Bzip2 { 10 } else { 6 };
        for at in magic..packed.len() {
            for bit in 0..8 {
                let mut packed = packed.clone();
                packed[at] ^= 1 << bit;
                let (text, error) = unpack(&packed, 1 << 20, 4096);
                match error {
                    None => assert_eq!(text, TEXT, "{form:?} {at} {bit}"),
                    Some(Error::Unpack { .. } | Error::Form { .. }) => errors += 1,
                    Some(other) => panic!("{other}"),
                }
            }
        }
        assert!(errors > 4 * packed.len(), "{form:?}: {errors}");
    }
}

#[test]
fn what_was_unpacked_before_a_fault_is_kept() {
    // Three blocks of zstd; the last is corrupt. Random bytes are stored as they are.
    let mut state = 9_u64;
    let text: Vec<u8> = (0..3 << 17)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_be_bytes()[0]
        })
        .collect();
    let mut packed = pack(Compression::Zstd, &text);
    // The checksum, and before it the last block with its header of three bytes.
    let header = packed.len() - 4 - (1 << 17) - 3;
    packed[header] |= 6; // a reserved type of block
    let (found, error) = unpack(&packed, 1 << 20, 1 << 20);
    assert!(matches!(problem(error), UnpackProblem::Corrupt(_)));
    assert!(found == text[..2 << 17], "{}", found.len());

    for form in Compression::ALL {
        let mut packed = pack(form, TEXT);
        packed.extend(pack(form, b"more"));
        let last = packed.len() - 6;
        packed[last] ^= 0xff;
        let (found, error) = unpack(&packed, 1 << 20, 4096);
        assert!(found.starts_with(TEXT), "{form:?}");
        assert!(
            matches!(problem(error), UnpackProblem::Corrupt(_)),
            "{form:?}"
        );
    }
}

#[test]
fn what_follows_the_last_member_is_an_error_unless_it_is_zeros() {
    for form in Compression::ALL {
        for rest in [&b"x"[..], b"\0\0\0x", b"plain.text.line\n", b"PK\x03\x04"] {
            let mut packed = pack(form, TEXT);
            let end = packed.len();
            packed.extend_from_slice(rest);
            let (text, error) = unpack(&packed, 5, 100);
            assert_eq!(text, TEXT);
            let Some(Error::Unpack {
                offset, problem, ..
            }) = error
            else {
                panic!("{error:?}");
            };
            assert_eq!(problem, UnpackProblem::TrailingData, "{form:?} {rest:?}");
            let zeros = rest.iter().take_while(|byte| **byte == 0).count();
            assert_eq!(offset, (end + zeros) as u64);
        }
        let other = if form == Compression::Gzip {
            Compression::Zstd
        } else {
            Compression::Gzip
        };
        let mut packed = pack(form, TEXT);
        packed.extend(pack(other, TEXT));
        assert_eq!(
            problem(unpack(&packed, 5, 100).1),
            UnpackProblem::TrailingData
        );
    }
}

#[test]
fn what_is_compressed_twice_is_named() {
    for (outer, inner) in [
        (Compression::Gzip, Compression::Zstd),
        (Compression::Xz, Compression::Gzip),
    ] {
        let packed = pack(outer, &pack(inner, TEXT));
        let (text, error) = unpack(&packed, 3, 100);
        assert!(text.is_empty());
        let Some(Error::Form { command, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(command, outer.command());
    }
}

/// A frame of zstd with a window of 2^`log` bytes and one block that is stored.
fn frame_with_window(log: u8, mantissa: u8) -> Vec<u8> {
    let mut frame = b"\x28\xb5\x2f\xfd\0".to_vec();
    frame.push((log - 10) << 3 | mantissa);
    let header = u32::try_from(TEXT.len() << 3 | 1).unwrap();
    frame.extend_from_slice(&header.to_le_bytes()[..3]);
    frame.extend_from_slice(TEXT);
    frame
}

#[test]
fn a_larger_window_than_allowed_is_an_error_that_says_what_it_takes() {
    for (log, mantissa, needed) in [
        (27, 1, (1 << 27) + (1 << 24)),
        (28, 0, 1 << 28),
        (31, 0, 1 << 31),
    ] {
        let packed = frame_with_window(log, mantissa);
        let (text, error) = unpack(&packed, 4, 4096);
        assert!(text.is_empty());
        let error = error.unwrap();
        let message = error.to_string();
        assert!(
            message.contains(&format!("--max-window {needed}")),
            "{message}"
        );
        let limit = DEFAULT_MAX_WINDOW;
        let expected = UnpackProblem::Window {
            needed: Some(needed),
            limit,
        };
        assert_eq!(problem(Some(error)), expected);
        if log < 31 {
            // Taking the advice helps.
            let reader = Box::new(Drip(&packed, 4, false));
            let (text, error) = unpack_reader(reader, 4096, needed);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(text, TEXT);
        }
    }
    let (text, error) = unpack(&frame_with_window(27, 0), 4, 4096);
    assert!(error.is_none() && text == TEXT);
    let message = unpack(&frame_with_window(40, 0), 4, 4096)
        .1
        .unwrap()
        .to_string();
    assert!(!message.contains("--max-window"), "{message}");

    // A dictionary of 8 MiB.
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(TEXT).unwrap();
    let packed = encoder.finish().unwrap();
    let reader = Box::new(Drip(&packed, 4, false));
    let (_, error) = unpack_reader(reader, 4096, 1 << 16);
    assert!(error.as_ref().unwrap().to_string().contains("--max-window"));
    assert!(matches!(
        problem(error),
        UnpackProblem::Window { needed: None, .. }
    ));
}

#[test]
fn an_input_of_empty_members_returns_control() {
    let packed = pack(Compression::Gzip, b"").repeat(10_000);
    let input = Input::Reader {
        name: "log".to_owned(),
        reader: Box::new(&packed[..]),
    };
    let Ok(Opened::Stream(mut source)) = input.open(DEFAULT_MAX_WINDOW) else {
        panic!("a reader is a stream");
    };
    let mut idle = 0;
    while let Chunk::Idle = source.read(&mut [0; 10], true).unwrap() {
        idle += 1;
    }
    assert!(idle > 100, "{idle}");
}

#[test]
fn a_silent_pipe_is_idle_and_shows_what_arrived() {
    /// Gives one byte, then is silent once.
    struct Hesitant<'a>(&'a [u8], bool);
    impl Read for Hesitant<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            match self.0.split_first() {
                Some((first, rest)) if self.1 => {
                    (buffer[0], self.0) = (*first, rest);
                    Ok(1)
                }
                Some(_) => Err(io::ErrorKind::WouldBlock.into()),
                None => Ok(0),
            }
        }
    }
    for form in Compression::ALL {
        let packed = pack(form, TEXT);
        let input = Input::Reader {
            name: "log".to_owned(),
            reader: Box::new(Hesitant(&packed, false)),
        };
        let Ok(Opened::Stream(mut source)) = input.open(DEFAULT_MAX_WINDOW) else {
            panic!("a reader is a stream");
        };
        let mut idle = 0;
        let start = loop {
            match source.peek(20, true) {
                Some(start) => break start.to_vec(),
                None => idle += 1,
            }
        };
        assert!(start.len() >= 20 && TEXT.starts_with(&start), "{form:?}");
        assert!(idle >= 10, "{form:?}");
        let (mut text, mut buffer) = (Vec::new(), [0; 5]);
        loop {
            match source.read(&mut buffer, true).unwrap() {
                Chunk::Bytes(count) => text.extend_from_slice(&buffer[..count]),
                Chunk::Idle => {}
                Chunk::End => break,
            }
        }
        assert_eq!(text, TEXT, "looking ahead takes nothing");
        assert_eq!(source.origin().compression, Some(form));
        assert_eq!(source.origin().bytes, packed.len() as u64);
    }
}

#[test]
fn forms_are_detected_by_their_first_bytes() {
    let gzip = Some(Detected::Compressed(Compression::Gzip));
    let zstd = Some(Detected::Compressed(Compression::Zstd));
    let bzip2 = Some(Detected::Compressed(Compression::Bzip2));
    let plain = Some(Detected::Plain);
    for (start, is_all, expected) in [
        (&b""[..], false, None),
        (b"", true, plain),
        (b"e", false, plain),
        (b"\x1f", false, None),
        (b"\x1f", true, gzip),
        (b"\x1f\x8b", false, gzip),
        (b"\x28\xb5\x2f\xfd", false, zstd),
        (b"\x5e\x2a\x4d\x18", false, zstd),
        (b"(", false, None),
        (b"(", true, plain),
        (b"(a", false, plain),
        (b"P", false, None),
        (b"PK", true, plain),
        (b"PS", false, plain),
        (b"BZh9", false, None),
        (b"BZh9", true, plain),
        (b"BZh91AY&SY", false, bzip2),
        (b"BZh9\x17\x72\x45\x38\x50\x90", false, bzip2),
        (b"BZh91A", true, bzip2),
        (b"BZh is a name\n", false, plain),
        (b"\xfd7zXZ", false, None),
    ] {
        assert_eq!(detect(start, is_all), expected, "{start:?}");
    }
    for (magic, name, _) in NOT_READ {
        let (text, error) = unpack(magic, 1, 100);
        assert!(text.is_empty());
        assert!(error.unwrap().to_string().contains(name));
    }
}
