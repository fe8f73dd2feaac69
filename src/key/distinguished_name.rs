//! Distinguished names, compared as RFC 5280 section 7.1 says: neither the type of a string nor case
//! nor spacing matters, and the order of attributes matters between sets but not within one.
//!
//! Owns that comparison alone. Unicode is not normalized (NFKC), as RFC 4518 section 2.3 asks for:
//! no authority writes its own name in two normal forms.

use std::fmt::Write as _;

use super::der;

// Tags of ASN.1 types (X.690 section 8).
const SET: u8 = 0x31;
const UTF8_STRING: u8 = 0x0c;
const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const TELETEX_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const VISIBLE_STRING: u8 = 0x1a;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// A form of a name in DER that is equal for equal names. For what is no name it is the DER.
pub(super) fn comparable(name: &[u8]) -> Vec<u8> {
    read(name).unwrap_or_else(|| name.to_vec())
}

fn read(name: &[u8]) -> Option<Vec<u8>> {
    let mut comparable = Vec::new();
    for set in der::elements(name)? {
        let attributes = der::all(der::content(set, SET)?)?;
        let attributes: Option<Vec<_>> = attributes.into_iter().map(attribute).collect();
        let mut attributes = attributes?;
        attributes.sort_unstable();
        push(&mut comparable, &attributes.concat());
    }
    Some(comparable)
}

/// The type and the value of an attribute.
fn attribute(der: &[u8]) -> Option<Vec<u8>> {
    let [name, value] = der::elements(der)?[..] else {
        return None;
    };
    let mut comparable = Vec::new();
    push(&mut comparable, name);
    match text(value) {
        Some(text) => push(&mut comparable, prepared(&text).as_bytes()),
        // No string begins with a tag behind a zero byte.
        None => push(&mut comparable, &[&[0], value].concat()),
    }
    Some(comparable)
}

/// Appends bytes behind their length, so that no two lists of them are equal.
fn push(comparable: &mut Vec<u8>, bytes: &[u8]) {
    comparable.extend((bytes.len() as u64).to_be_bytes());
    comparable.extend(bytes);
}

/// The text of a string of any type.
fn text(value: &[u8]) -> Option<String> {
    let tag = *value.first()?;
    let bytes = der::content(value, tag)?;
    let latin1 = || bytes.iter().copied().map(char::from).collect();
    match tag {
        UTF8_STRING => String::from_utf8(bytes.to_vec()).ok(),
        // Authorities write Latin-1 into Teletex strings.
        NUMERIC_STRING | PRINTABLE_STRING | TELETEX_STRING | IA5_STRING | VISIBLE_STRING => {
            Some(latin1())
        }
        BMP_STRING => {
            let units = bytes
                .chunks(2)
                .map(|unit| Some(u16::from_be_bytes(unit.try_into().ok()?)));
            String::from_utf16(&units.collect::<Option<Vec<_>>>()?).ok()
        }
        UNIVERSAL_STRING => {
            let points = bytes.chunks(4).map(|point| {
                let point = u32::from_be_bytes(point.try_into().ok()?);
                char::from_u32(point)
            });
            points.collect()
        }
        _ => None,
    }
}

/// A text without differences of case and spacing (RFC 4518 sections 2.2 and 2.6.1).
fn prepared(text: &str) -> String {
    let is_nothing = |c: &char| {
        matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}'
        )
    };
    let text: String = text.chars().filter(|c| !is_nothing(c)).collect();
    let folded = text.to_uppercase().to_lowercase();
    let mut prepared = String::new();
    for word in folded.split_whitespace() {
        // Writing to a string cannot fail.
        let _ = write!(prepared, " {word}");
    }
    prepared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u8::try_from(content.len()).unwrap();
        [&[tag, len], content].concat()
    }

    const COMMON_NAME: [u8; 5] = [0x06, 3, 0x55, 4, 3];
    const COUNTRY: [u8; 5] = [0x06, 3, 0x55, 4, 6];

    /// The type of an attribute, the tag of its value, and the value.
    type Attribute<'a> = (&'a [u8], u8, &'a [u8]);

    /// A name of sets of attributes.
    fn name(sets: &[&[Attribute<'_>]]) -> Vec<u8> {
        let set = |set: &&[Attribute<'_>]| {
            let attribute =
                |(oid, tag, value): &Attribute<'_>| tlv(0x30, &[*oid, &tlv(*tag, value)].concat());
            tlv(SET, &set.iter().map(attribute).collect::<Vec<_>>().concat())
        };
        tlv(0x30, &sets.iter().map(set).collect::<Vec<_>>().concat())
    }

    fn common_name(tag: u8, value: &[u8]) -> Vec<u8> {
        comparable(&name(&[&[(&COMMON_NAME, tag, value)]]))
    }

    #[test]
    fn names_are_equal_in_every_string_type_case_and_spacing() {
        let expected = common_name(PRINTABLE_STRING, b"Corp CA 1");
        for (tag, value) in [
            (UTF8_STRING, &b"Corp CA 1"[..]),
            (UTF8_STRING, b"  corp  ca\t1 "),
            (UTF8_STRING, "cor\u{ad}p\u{a0}ca 1".as_bytes()),
            (TELETEX_STRING, b"CORP CA 1"),
            (IA5_STRING, b"corp CA 1"),
            (VISIBLE_STRING, b"corp CA 1"),
            (BMP_STRING, b"\0C\0o\0r\0p\0 \0C\0A\0 \x001"),
            (
                UNIVERSAL_STRING,
                b"\0\0\0C\0\0\0O\0\0\0R\0\0\0P\0\0\0 \0\0\0C\0\0\0A\0\0\0 \0\0\x001",
            ),
        ] {
            assert_eq!(common_name(tag, value), expected, "{tag:x} {value:?}");
        }
        let umlaut = common_name(UTF8_STRING, "\u{d6}ffentliche Stra\u{df}e".as_bytes());
        assert_eq!(
            common_name(TELETEX_STRING, b"\xf6FFENTLICHE STRASSE"),
            umlaut
        );
        for (tag, value) in [
            (UTF8_STRING, &b"CorpCA 1"[..]),
            (UTF8_STRING, b"Corp CA 2"),
            (UTF8_STRING, b""),
            (UTF8_STRING, b"\xff"),
            // Not a whole number of characters.
            (BMP_STRING, b"\0C\0o\0"),
            (OCTET_STRING, b"Corp CA 1"),
        ] {
            assert_ne!(common_name(tag, value), expected, "{tag:x} {value:?}");
        }
    }

    const OCTET_STRING: u8 = 0x04;

    #[test]
    fn attributes_are_compared_as_sets_within_a_list() {
        let (name_, country): (Attribute<'_>, _) = (
            (&COMMON_NAME, UTF8_STRING, b"a"),
            (&COUNTRY[..], PRINTABLE_STRING, &b"b"[..]),
        );
        let of = |sets: &[&[Attribute<'_>]]| comparable(&name(sets));
        assert_eq!(of(&[&[name_, country]]), of(&[&[country, name_]]));
        assert_ne!(of(&[&[name_], &[country]]), of(&[&[country], &[name_]]));
        assert_ne!(of(&[&[name_, country]]), of(&[&[name_], &[country]]));
        assert_ne!(of(&[&[name_]]), of(&[&[name_], &[name_]]));
    }

    #[test]
    fn what_is_no_name_is_compared_byte_by_byte() {
        for der in [&b""[..], b"\x30", b"\x30\x02\x31\x01", b"\x04\x01a"] {
            assert_eq!(comparable(der), der);
        }
    }
}
