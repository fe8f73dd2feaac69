//! Random instants, which jiff formats, and random bytes.

use jotmill_test_support::rng::Rng;

use super::*;

/// Formats of jiff's strftime, for every layout: with the digits of the fraction, and whether there
/// is a zone and a year.
const FORMATS: [(&str, u32, bool, bool); 19] = [
    ("%Y-%m-%dT%H:%M:%S.%9f%:z", 9, true, true),
    ("%Y-%m-%d %H:%M:%S.%6f%z", 6, true, true),
    ("%Y-%m-%d %H:%M:%S,%3f", 3, false, true),
    ("%Y-%m-%dT%H:%M:%S", 0, false, true),
    ("%Y-%m-%d\t%H:%M:%S", 0, false, true),
    ("%Y/%m/%d %H:%M:%S.%6f", 6, false, true),
    ("[%d/%b/%Y:%H:%M:%S %z]", 0, true, true),
    ("%d/%b/%Y:%H:%M:%S.%3f", 3, false, true),
    ("%d-%b-%Y %H:%M:%S.%3f", 3, false, true),
    ("%a, %d %b %Y %H:%M:%S %z", 0, true, true),
    ("%-d %b %Y %H:%M:%S %:z", 0, true, true),
    ("%b %e %H:%M:%S", 0, false, false),
    ("%a %b %e %H:%M:%S.%6f %Y", 6, false, true),
    ("%a %b %e %H:%M:%S %Y %z", 0, true, true),
    ("%a %b %d %Y %H:%M:%S GMT%z", 0, true, true),
    ("%b %-d, %Y %-I:%M:%S %p", 0, false, true),
    ("%b %-d, %Y, %-I:%M:%S\u{202f}%p", 0, false, true),
    ("I%m%d %H:%M:%S.%6f", 6, false, false),
    ("%s.%6f", 6, true, true),
];

#[test]
fn every_instant_is_read_back_from_every_layout_in_every_zone() {
    const ZONES: [&str; 8] = [
        "UTC",
        "+05:45",
        "-09:30",
        "Europe/Berlin",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Africa/Monrovia",
    ];
    let mut rng = Rng::new(18);
    for number in 0..4_000 {
        let zone = rng.pick(&ZONES);
        let (format, digits, has_zone, has_year) = FORMATS[number % FORMATS.len()];
        // Numbers are found from 2001 to 2286 alone, and offsets have no seconds since 1972.
        let (from, to) = (1_000_000_000, 9_999_999_999);
        let seconds = from + rng.below(to - from);
        let nanos = rng.below(1_000_000_000);
        let nanos = nanos - nanos % 10_usize.pow(9 - digits);
        let timestamp =
            jiff::Timestamp::new(seconds.try_into().unwrap(), nanos.try_into().unwrap());
        let jiff_zone = match jiff::tz::TimeZoneDatabase::bundled().get(zone) {
            Ok(zone) => zone,
            Err(_) => {
                let minutes = if zone.starts_with('+') { 345 } else { -570 };
                jiff::tz::Offset::from_seconds(minutes * 60)
                    .unwrap()
                    .to_time_zone()
            }
        };
        let zoned = timestamp.unwrap().to_zoned(jiff_zone.clone());
        let text = zoned.strftime(format).to_string();
        // Of two instants with the same local time, the earlier is expected.
        let expected = match has_zone {
            true => zoned.timestamp(),
            false => zoned.datetime().to_zoned(jiff_zone).unwrap().timestamp(),
        };
        let at = UnixTime::new(
            expected.as_second().try_into().unwrap(),
            expected.subsec_nanosecond().try_into().unwrap(),
        );
        let expected = LogTime {
            at: at.unwrap(),
            assumed_zone: !has_zone,
            assumed_year: !has_year,
        };
        // A time without a year is at most a year old.
        let later = expected.at.seconds() + rng.below(364 * 86_400) as u64 + 3_601;
        let now = UnixTime::new(later, 0).unwrap();
        let reader = TimeReader::new(None, zone.parse().unwrap(), now);
        assert_eq!(
            reader.parse(text.as_bytes()),
            Some(expected),
            "{text} {zone}"
        );
        let line = format!("host app[1]: {text}: 12 x");
        let line = if format.starts_with("%s") {
            format!("{text} x")
        } else {
            line
        };
        let (range, found) = reader.first_in(line.as_bytes()).unwrap();
        assert_eq!(found, expected, "{line} {zone}");
        assert_eq!(&line[range], text.trim_matches(['[', ']']), "{zone}");
    }
}

#[test]
fn any_bytes_are_read_without_a_panic_and_in_linear_time() {
    let mut rng = Rng::new(5);
    let pieces: [&[u8]; 12] = [
        b":",
        b"13:55:36",
        b"2025-10-10",
        b"Oct 10",
        b" ",
        b"\xe2\x80\xaf",
        b"Fri, ",
        b"1760104536",
        b".",
        b"+02",
        b"\xff\0",
        b"2025",
    ];
    for _ in 0..20_000 {
        let count = rng.below(8);
        let text: Vec<u8> = (0..count)
            .flat_map(|_| rng.pick(&pieces).to_vec())
            .collect();
        let _ = any().parse(&text);
        if let Some((range, time)) = any().first_in(&text) {
            assert_eq!(
                any().parse(&text[range]),
                Some(time),
                "{}",
                text.escape_ascii()
            );
        }
    }
    // In quadratic time none of these would end.
    for piece in [
        &b":"[..],
        b"1",
        b"1:11:11",
        b"2025-10-10 13:55:61",
        b" 1760104536",
    ] {
        let text = piece.repeat(8_000_000 / piece.len());
        assert_eq!(any().first_in(&text), None);
        assert_eq!(any().parse(&text), None);
    }
}
