mod lines;
mod random;

use super::*;
use lines::LINES;

/// 2025-11-20T00:00:00Z.
const NOW: u64 = 1_763_596_800;

fn now() -> UnixTime {
    UnixTime::new(NOW, 0).unwrap()
}

fn in_zone(zone: &str) -> TimeReader {
    TimeReader::new(None, zone.parse().unwrap(), now())
}

fn of(form: TimeForm) -> TimeReader {
    TimeReader::new(Some(form), LogZone::UTC, now())
}

fn any() -> TimeReader {
    TimeReader::new(None, LogZone::UTC, now())
}

/// The first time in a text: as written, as RFC 3339, and what was assumed.
fn first(reader: &TimeReader, text: &str) -> Option<(String, String, &'static str)> {
    let (range, time) = reader.first_in(text.as_bytes())?;
    let written = String::from_utf8_lossy(&text.as_bytes()[range]).into_owned();
    let assumed = match (time.assumed_zone, time.assumed_year) {
        (false, false) => "",
        (true, false) => "zone",
        (false, true) => "year",
        (true, true) => "zone, year",
    };
    Some((written, time.at.to_string(), assumed))
}

fn parsed(reader: &TimeReader, value: &str) -> Option<String> {
    Some(reader.parse(value.as_bytes())?.at.to_string())
}

#[test]
fn the_time_of_every_usual_log_is_found() {
    for (log, line, written, at, assumed) in LINES {
        let expected = Some(((*written).to_owned(), (*at).to_owned(), *assumed));
        assert_eq!(first(&any(), line), expected, "{log}");
    }
}

#[test]
fn a_time_that_is_found_is_also_read_as_a_field() {
    for (log, _, written, at, _) in LINES {
        assert_eq!(parsed(&any(), written).as_deref(), Some(*at), "{log}");
        let padded = format!("\t \"{written}\" ");
        assert_eq!(parsed(&any(), &padded).as_deref(), Some(*at), "{log}");
    }
}

#[test]
fn text_without_a_time_has_none() {
    let lines = [
        "",
        ":",
        "::::::::::::",
        "GET https://example.com:8443/a HTTP/1.1",
        "2001:db8:0:0:12:34:56:78 00:1a:22:33:44:55",
        "it is 13:55:36",
        "2025-10-10",
        "10 Oct 2025",
        "up 12 13:55:36",
        "2025-10-10T13:55",
        "2025-10-10T13:55:3",
        "2025-10-10T13:55:367",
        "2025-10-10X13:55:36",
        "2025-10/10 13:55:36",
        "2025-10-1013:55:36",
        "12025-10-10T13:55:36Z",
        "110/Oct/2025:13:55:36 +0000",
        "10/Oct-2025:13:55:36 +0000",
        "10/Okt/2025:13:55:36 +0000",
        "Oct 110 13:55:36",
        "Oct 10 3:55:36",
        "I1010 13:55:36 a klog line has a fraction",
        "AI1010 13:55:36.123456",
        "10/10/2025 13:55:36 is of two months",
        "1.2.3 1760104536 176010453 17601045361 1760104536.12 1760104536.1234567890",
        "tel:3015551234, id=1760104536123, exp=1760104536, \"auth_time\":1760104536",
        "_ga=GA1.2.1234567890.1760104536; v=1.1760104536.123",
        "\"exp\": 1760104536.123",
        "ts=0760104536 ts=176010453 ts=17601045360 ts=1760104536a ts=-1760104536",
        "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3NjAxMDQ1MzZ9.1760104536-2025-10-10T13-55-36",
    ];
    for line in lines {
        assert_eq!(first(&any(), line), None, "{line}");
    }
}

#[test]
fn what_is_no_time_is_passed_over() {
    let nonsense = [
        "2025-13-45T13:55:36Z",
        "2025-00-10T13:55:36Z",
        "2025-02-29T13:55:36Z",
        "2025-10-10T25:61:00Z",
        "2025-10-10T24:00:00Z",
        "2025-10-10T13:55:61Z",
        "2025-10-10T13:55:36+24:00",
        "2025-10-10T13:55:36-01:60",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "1970-01-01T01:59:59+02:00",
        "9999-12-31T23:59:59-00:01",
        "31/Nov/2025:13:55:36 +0000",
        "Feb 30 13:55:36",
        "Oct  0 13:55:36",
        "I1310 13:55:36.123456",
        "Oct 10, 2025 25:55:36",
    ];
    for text in nonsense {
        assert_eq!(first(&any(), text), None, "{text}");
        assert_eq!(parsed(&any(), text), None, "{text}");
        let line = format!("{text} 2025-10-10T13:55:36Z");
        let found = first(&any(), &line).map(|(_, at, _)| at);
        assert_eq!(found.as_deref(), Some("2025-10-10T13:55:36Z"), "{line}");
    }
}

#[test]
fn the_first_of_several_times_is_taken() {
    let clock = "2025-10-10T13:55:36Z";
    let number = "1760000000.000";
    let found = |line: String| first(&any(), &line).unwrap().0;
    assert_eq!(found(format!("{clock} {number}")), clock);
    assert_eq!(found(format!("{number} {clock}")), number);
    assert_eq!(found(format!("exp=1760000000 {clock} {number}")), clock);
}

#[test]
fn zones_are_read_as_written() {
    let cases = [
        ("2025-10-10T13:55:36Z", "13:55:36Z", false),
        ("2025-10-10t13:55:36z", "13:55:36Z", false),
        ("2025-10-10 13:55:36 Z", "13:55:36Z", false),
        ("2025-10-10T13:55:36+02:00", "11:55:36Z", false),
        ("2025-10-10T13:55:36+0200", "11:55:36Z", false),
        ("2025-10-10T13:55:36+02", "11:55:36Z", false),
        ("2025-10-10T13:55:36-00:00", "13:55:36Z", false),
        ("2025-10-10T13:55:36-05:45", "19:40:36Z", false),
        ("2025-10-10 13:55:36 +02:00", "11:55:36Z", false),
        ("2025-10-10 13:55:36 GMT", "13:55:36Z", false),
        ("2025-10-10 13:55:36 UTC-05", "18:55:36Z", false),
        // None of these is a zone that is known.
        ("2025-10-10 13:55:36 +02 files", "13:55:36Z", true),
        ("2025-10-10 13:55:36 -9999", "13:55:36Z", true),
        ("2025-10-10 13:55:36 GMT+2", "13:55:36Z", true),
        ("2025-10-10 13:55:36 CST", "13:55:36Z", true),
        ("2025-10-10 13:55:36 UTCfoo", "13:55:36Z", true),
        ("2025-10-10 13:55:36Zulu", "13:55:36Z", true),
        ("2025-10-10 13:55:36-13:55:40", "13:55:36Z", true),
        ("2025-10-10 13:55:36 - 12", "13:55:36Z", true),
        ("2025-10-10 13:55:36,", "13:55:36Z", true),
        ("2025-10-10 13:55:36-12345", "13:55:36Z", true),
    ];
    for (text, time, assumed) in cases {
        let (_, found) = any().first_in(text.as_bytes()).unwrap();
        assert_eq!(found.at.to_string(), format!("2025-10-10T{time}"), "{text}");
        assert_eq!(found.assumed_zone, assumed, "{text}");
    }
}

#[test]
fn the_zone_of_the_reader_is_taken_where_there_is_none() {
    let at = |zone: &str, text: &str| parsed(&in_zone(zone), text);
    let summer = "2025-07-01 12:00:00";
    assert_eq!(at("UTC", summer).unwrap(), "2025-07-01T12:00:00Z");
    assert_eq!(at("+05:30", summer).unwrap(), "2025-07-01T06:30:00Z");
    assert_eq!(at("-0330", summer).unwrap(), "2025-07-01T15:30:00Z");
    assert_eq!(at("Europe/Berlin", summer).unwrap(), "2025-07-01T10:00:00Z");
    assert_eq!(at("asia/kolkata", summer).unwrap(), "2025-07-01T06:30:00Z");
    let winter = "2025-01-01 12:00:00";
    assert_eq!(at("Europe/Berlin", winter).unwrap(), "2025-01-01T11:00:00Z");
    let zoned = "2025-07-01 12:00:00 UTC";
    assert_eq!(at("Europe/Berlin", zoned).unwrap(), "2025-07-01T12:00:00Z");
}

/// Clocks in Berlin went from 02:00 to 03:00 on 30 March 2025 and from 03:00 to 02:00 on 26 October.
#[test]
fn a_skipped_hour_moves_on_and_a_repeated_one_is_the_earlier() {
    let at = |text| parsed(&in_zone("Europe/Berlin"), text).unwrap();
    assert_eq!(at("2025-03-30 01:59:59"), "2025-03-30T00:59:59Z");
    assert_eq!(at("2025-03-30 02:30:00"), "2025-03-30T01:30:00Z");
    assert_eq!(at("2025-03-30 03:00:00"), "2025-03-30T01:00:00Z");
    assert_eq!(at("2025-10-26 02:30:00"), "2025-10-26T00:30:00Z");
    assert_eq!(at("2025-10-26 03:00:00"), "2025-10-26T02:00:00Z");
}

#[test]
fn a_zone_has_a_name_or_is_refused() {
    let names = [
        ("utc", "UTC"),
        ("Z", "UTC"),
        ("+00:00", "UTC"),
        ("+02", "+02:00"),
        ("-0330", "-03:30"),
        ("europe/berlin", "Europe/Berlin"),
        ("Etc/GMT+5", "Etc/GMT+5"),
    ];
    for (name, shown) in names {
        let zone: LogZone = name.parse().unwrap();
        assert_eq!(zone.to_string(), shown);
        assert_eq!(shown.parse::<LogZone>().unwrap().to_string(), shown);
    }
    for name in [
        "",
        "+",
        "+2",
        "+24:00",
        "+02:00x",
        "02:00",
        "Middle/Earth",
        "CEST",
        "../etc",
    ] {
        let error = name.parse::<LogZone>().unwrap_err().to_string();
        // What it advises is accepted.
        for advised in ["+02:00", "Europe/Berlin"] {
            assert!(error.contains(advised) && advised.parse::<LogZone>().is_ok());
        }
    }
}

#[test]
fn a_missing_year_is_the_latest_that_is_not_after_now() {
    let at = |now: &str, zone: &str, text: &str| {
        let now = parsed(&any(), now).map(|_| any().parse(now.as_bytes()).unwrap().at);
        let reader = TimeReader::new(None, zone.parse().unwrap(), now.unwrap());
        let time = reader.parse(text.as_bytes())?;
        assert!(time.assumed_year);
        Some(time.at.to_string())
    };
    let utc = |now, text| at(now, "UTC", text);
    let now = "2025-10-10T13:55:36Z";
    assert_eq!(utc(now, "Oct 10 13:55:36").unwrap(), "2025-10-10T13:55:36Z");
    assert_eq!(utc(now, "Oct 10 13:55:37").unwrap(), "2024-10-10T13:55:37Z");
    assert_eq!(
        utc(now, "I1010 13:55:36.000001").unwrap(),
        "2024-10-10T13:55:36.000001Z"
    );
    assert_eq!(utc(now, "Feb 29 00:00:00").unwrap(), "2024-02-29T00:00:00Z");
    // There is no 29 February in 2100.
    let now = "2104-02-28T23:59:59Z";
    assert_eq!(utc(now, "Feb 29 00:00:00").unwrap(), "2096-02-29T00:00:00Z");
    // In the east it is next year already.
    let now = "2025-12-31T20:00:00Z";
    assert_eq!(
        at(now, "+09:00", "Jan  1 04:59:59").unwrap(),
        "2025-12-31T19:59:59Z"
    );
    assert_eq!(utc(now, "Jan  1 04:59:59").unwrap(), "2025-01-01T04:59:59Z");
    assert_eq!(
        utc("1970-03-01T00:00:00Z", "Feb 28 00:00:00").unwrap(),
        "1970-02-28T00:00:00Z"
    );
    assert_eq!(utc("1970-03-01T00:00:00Z", "Mar  2 00:00:00"), None);
    assert_eq!(
        utc("9999-12-31T23:59:59Z", "Dec 31 23:59:59").unwrap(),
        "9999-12-31T23:59:59Z"
    );
}

#[test]
fn a_leap_second_is_the_end_of_the_second_before() {
    let at = |text| parsed(&any(), text);
    assert_eq!(
        at("2016-12-31T23:59:60Z").unwrap(),
        "2016-12-31T23:59:59.999999999Z"
    );
    assert_eq!(
        at("2016-12-31T23:59:60.25Z").unwrap(),
        "2016-12-31T23:59:59.999999999Z"
    );
    assert_eq!(
        at("31/Dec/2016:18:59:60 -0500").unwrap(),
        "2016-12-31T23:59:59.999999999Z"
    );
    assert_eq!(
        at("9999-12-31T23:59:60Z").unwrap(),
        "9999-12-31T23:59:59.999999999Z"
    );
}

#[test]
fn fractions_are_cut_off_after_nanoseconds() {
    let nanos = |text: &str| any().parse(text.as_bytes()).unwrap().at.subsec_nanos();
    assert_eq!(nanos("2025-10-10T13:55:36.1Z"), 100_000_000);
    assert_eq!(
        nanos("2025-10-10T13:55:36.1234567899999999999999Z"),
        123_456_789
    );
    assert_eq!(nanos("1760104536.1234567899999999999999"), 123_456_789);
    // A negative second with a positive fraction, until the offset is added.
    assert_eq!(nanos("1969-12-31T23:00:00.5-02:00"), 500_000_000);
    assert_eq!(
        parsed(&any(), "1969-12-31T23:00:00.5-02:00").unwrap(),
        "1970-01-01T01:00:00.5Z"
    );
}

#[test]
fn hours_with_am_and_pm_are_of_twelve() {
    let at = |text| parsed(&any(), text).unwrap();
    assert_eq!(at("Oct 10, 2025 12:00:00 AM"), "2025-10-10T00:00:00Z");
    assert_eq!(at("Oct 10, 2025 12:00:00 PM"), "2025-10-10T12:00:00Z");
    assert_eq!(at("Oct 10, 2025 11:59:59 pm"), "2025-10-10T23:59:59Z");
    assert_eq!(at("2025-10-10 01:55:36 PM"), "2025-10-10T13:55:36Z");
    // No such clock has these hours, so that the letters say nothing.
    assert_eq!(at("2025-10-10 13:55:36 PM"), "2025-10-10T13:55:36Z");
    assert_eq!(at("2025-10-10 00:55:36 AM"), "2025-10-10T00:55:36Z");
}

#[test]
fn a_field_holds_nothing_but_a_time() {
    for value in [
        "2025-10-10T13:55:36Z x",
        "x 2025-10-10T13:55:36Z",
        "2025-10-10T13:55:36Z 2025-10-10T13:55:36Z",
        "[10/Oct/2025:13:55:36 +0000",
        "2025-10-10",
        "",
        "\"",
        "[]",
        "null",
        "-1",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1e100",
        "0x10",
        "1 2",
        "1,5",
        "99999999999999999999999999999999999999999999",
        "253402300800000000000",
    ] {
        assert_eq!(parsed(&any(), value), None, "{value}");
    }
    for value in [
        "[10/Oct/2025:13:55:36 +0000]",
        "'2025-10-10T13:55:36Z'",
        "2025-10-10 13:55:36 CEST",
        "2025-10-10T13:55:36Z[Etc/UTC]",
    ] {
        assert_eq!(
            parsed(&any(), value).as_deref(),
            Some("2025-10-10T13:55:36Z"),
            "{value}"
        );
    }
}

#[test]
fn numbers_are_of_the_unit_that_is_nearest_to_the_present() {
    let at = |text| parsed(&any(), text).unwrap();
    assert_eq!(at("0"), "1970-01-01T00:00:00Z");
    assert_eq!(at("1760104536"), "2025-10-10T13:55:36Z");
    assert_eq!(at("1760104536.000000001"), "2025-10-10T13:55:36.000000001Z");
    assert_eq!(at("1.760104536123E9"), "2025-10-10T13:55:36.123Z"); // BigQuery
    assert_eq!(at("17601045361e-1"), "2025-10-10T13:55:36.1Z");
    assert_eq!(at("99999999999"), "5138-11-16T09:46:39Z");
    assert_eq!(at("100000000000"), "1973-03-03T09:46:40Z");
    assert_eq!(at("1760104536123"), "2025-10-10T13:55:36.123Z");
    assert_eq!(at("1760104536123.456"), "2025-10-10T13:55:36.123456Z");
    assert_eq!(at("1760104536123456"), "2025-10-10T13:55:36.123456Z");
    assert_eq!(at("1760104536123456789"), "2025-10-10T13:55:36.123456789Z");
    assert_eq!(
        at("253402300799999999999"),
        "9999-12-31T23:59:59.999999999Z"
    );

    let unit = |form, text| parsed(&of(form), text);
    assert_eq!(
        unit(TimeForm::UnixMs, "1000").unwrap(),
        "1970-01-01T00:00:01Z"
    );
    assert_eq!(
        unit(TimeForm::UnixUs, "1500000").unwrap(),
        "1970-01-01T00:00:01.5Z"
    );
    assert_eq!(
        unit(TimeForm::UnixNs, "1").unwrap(),
        "1970-01-01T00:00:00.000000001Z"
    );
    assert_eq!(
        unit(TimeForm::Unix, "253402300799").unwrap(),
        "9999-12-31T23:59:59Z"
    );
    assert_eq!(unit(TimeForm::Unix, "1760104536123"), None);
    assert_eq!(unit(TimeForm::Rfc3339, "1760104536"), None);
}

#[test]
fn a_named_unit_is_found_without_a_key() {
    let found = |form, text| first(&of(form), text).map(|(written, ..)| written);
    assert_eq!(
        found(TimeForm::Unix, "#1760104536 ls").unwrap(),
        "1760104536"
    );
    assert_eq!(
        found(TimeForm::Unix, "a,1760104536.5,b").unwrap(),
        "1760104536.5"
    );
    assert_eq!(
        found(TimeForm::Unix, "1760104536123 x 1760104536").unwrap(),
        "1760104536"
    );
    assert_eq!(
        found(TimeForm::UnixMs, "id=1760104536123 x").unwrap(),
        "1760104536123"
    );
    assert_eq!(
        found(TimeForm::UnixNs, "x|1760104536123456789").unwrap(),
        "1760104536123456789"
    );
    assert_eq!(found(TimeForm::Unix, "2025-10-10T13:55:36Z"), None);
    assert_eq!(
        found(TimeForm::Unix, "v1.1760104536 a1760104536 1760104536b"),
        None
    );
}

#[test]
fn a_form_finds_its_own_examples_and_passes_over_others() {
    for form in TimeForm::ALL.iter().copied() {
        assert_eq!(form.to_string().parse(), Ok(form));
        let error = "none".parse::<TimeForm>().unwrap_err().to_string();
        assert!(error.contains(form.name()));
        let description = form.description().replace(", a tab, ", "\t");
        let has_example = description.contains("13:55:36") || description.contains("1760104536");
        assert_eq!(
            of(form).first_in(description.as_bytes()).is_some(),
            has_example,
            "{form}"
        );
    }
    let line = "Oct 10 13:55:36 10/Oct/2025:13:55:36 2025/10/10 13:55:36 2025-10-10T13:55:36 \
                I1010 13:55:36.123456 Fri Oct 10 13:55:36 2025 Oct 10, 2025 1:55:36 PM";
    let found = |form| first(&of(form), line).unwrap().0;
    assert_eq!(found(TimeForm::Syslog), "Oct 10 13:55:36");
    assert_eq!(found(TimeForm::Apache), "10/Oct/2025:13:55:36");
    assert_eq!(found(TimeForm::Go), "2025/10/10 13:55:36");
    assert_eq!(found(TimeForm::Python), "2025-10-10T13:55:36");
    assert_eq!(found(TimeForm::Ctime), "Fri Oct 10 13:55:36 2025");
    assert_eq!(found(TimeForm::Kubernetes), "2025-10-10T13:55:36");
    // A host whose name looks like a year.
    let line = "Fri Oct 10 13:55:36 1999 kernel: x";
    assert_eq!(
        first(&of(TimeForm::Syslog), line).unwrap().0,
        "Fri Oct 10 13:55:36"
    );
}

#[test]
fn cloudfront_is_in_utc_whatever_the_zone() {
    let zone = "Asia/Tokyo".parse().unwrap();
    let reader = TimeReader::new(Some(TimeForm::CloudFront), zone, now());
    let (_, time) = reader.first_in(b"2025-10-10\t13:55:36\tFRA").unwrap();
    assert_eq!(time.at.to_string(), "2025-10-10T13:55:36Z");
    assert!(!time.assumed_zone);
}
