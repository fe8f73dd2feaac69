//! DER for keys and certificates that tests make, element by element (X.690 section 8).

/// An element of this tag, of less than 64 KiB.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).expect("short");
    let [high, low] = len.to_be_bytes();
    let len = match len {
        0..=0x7f => vec![low],
        0x80..=0xff => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag][..], &len, content].concat()
}

pub fn sequence(elements: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &elements.concat())
}

/// A distinguished name of one attribute, the common name, as a string with this tag.
pub fn common_name(tag: u8, text: &[u8]) -> Vec<u8> {
    let attribute = sequence(&[tlv(6, &[0x55, 4, 3]), tlv(tag, text)]);
    sequence(&[tlv(0x31, &attribute)])
}
