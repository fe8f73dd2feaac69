//! A hash of bytes for tables in memory. Whoever chooses the bytes can make them collide, which costs
//! time and nothing else.

/// 2^64 divided by the golden ratio, odd: multiplied by it, small differences spread over 64 bits.
pub(crate) const FIBONACCI_HASH: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of some bytes, eight at a time; its high bits are the best.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]);
    let mixed = words.fold(bytes.len() as u64, |mixed, word| {
        let mixed = mixed ^ u64::from_le_bytes(*word);
        mixed.wrapping_mul(FIBONACCI_HASH).rotate_left(29)
    });
    mixed.wrapping_mul(FIBONACCI_HASH)
}
