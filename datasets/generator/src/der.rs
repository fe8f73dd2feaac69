//! Just enough DER (X.690) and PEM (RFC 7468) to write keys and certificates.
//!
//! Owns tags, lengths and object identifiers; what is written with them is left to `key_form`. It only
//! writes: nothing here reads DER.

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
pub(super) const NULL: &[u8] = &[0x05, 0x00];
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const UTC_TIME: u8 = 0x17;
/// A constructed value of the context's own tag 0.
pub(super) const CONTEXT_0: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// A value of any type: tag, length, content.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let len = content.len().to_be_bytes();
    let significant: Vec<u8> = len.into_iter().skip_while(|byte| *byte == 0).collect();
    match (significant.as_slice(), u8::try_from(significant.len())) {
        ([], _) => out.push(0),
        ([short @ 0..0x80], _) => out.push(*short),
        (long, count) => {
            out.push(0x80 | count.unwrap_or(0));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A sequence of values already encoded.
pub(super) fn sequence(values: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, &values.concat())
}

/// A non-negative integer from its bytes, the most significant first.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
    // The first bit is the sign.
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    value(INTEGER, &content)
}

/// A bit string of whole bytes.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[0], bytes].concat())
}

/// An object identifier from its arcs. The first two share a byte.
pub(super) fn object_identifier(arcs: &[u32]) -> Vec<u8> {
    let mut content = Vec::new();
    let [first, second, rest @ ..] = arcs else {
        return value(OBJECT_IDENTIFIER, &content);
    };
    for arc in [first * 40 + second].iter().chain(rest) {
        for shift in [28, 21, 14, 7, 0] {
            let higher = arc >> shift;
            if higher > 0 || shift == 0 {
                let more = if shift > 0 { 0x80 } else { 0 };
                content.push(u8::try_from(higher & 0x7f).unwrap_or(0) | more);
            }
        }
    }
    value(OBJECT_IDENTIFIER, &content)
}

/// The textual encoding, in lines of 64 characters.
pub(super) fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let base64 = base64_simd::STANDARD.encode_to_string(der);
    let mut out = format!("-----BEGIN {label}-----\n").into_bytes();
    for line in base64.as_bytes().chunks(64) {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.extend_from_slice(format!("-----END {label}-----\n").as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_their_shortest_form() {
        for (len, head) in [
            (0, &[4, 0][..]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (256, &[4, 0x82, 1, 0]),
        ] {
            assert!(value(4, &vec![0; len]).starts_with(head), "{len}");
        }
    }

    #[test]
    fn integers_are_never_negative_and_have_no_needless_zeros() {
        assert_eq!(integer(&[0, 0, 1]), [2, 1, 1]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(integer(&[]), [2, 1, 0]);
    }

    #[test]
    fn object_identifiers_are_those_of_their_arcs() {
        // rsaEncryption, as in RFC 8017 appendix A.1.
        let rsa = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        assert_eq!(object_identifier(&[1, 2, 840, 113_549, 1, 1, 1]), rsa);
        assert_eq!(
            object_identifier(&[1, 3, 101, 112]),
            [6, 3, 0x2b, 0x65, 0x70]
        );
        assert_eq!(object_identifier(&[2, 5, 4, 3]), [6, 3, 0x55, 4, 3]);
    }
}
