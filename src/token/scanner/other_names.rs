//! Names of members that are not registered: no duplicate among them, and which of the wanted ones
//! are there.

/// Names that are accepted; a payload with more goes to simd-json, so that the search for duplicates
/// stays linear.
const MAX_NAMES: usize = 64;

/// The names that are not registered, as far as they were read.
pub(super) struct OtherNames<'a> {
    text: &'a [u8],
    extra: &'a [Box<str>],
    /// Bit i: the i-th of `extra` is there and not null, as in [`Claims::extra`].
    ///
    /// [`Claims::extra`]: crate::token::Claims
    pub(super) present: u64,
    /// A set of 256 hash values: a name whose bit is clear is new, without a comparison.
    hashes: [u64; 4],
    /// Where each name begins, behind its quote.
    starts: [u32; MAX_NAMES],
    count: usize,
}

impl<'a> OtherNames<'a> {
    /// No names, of a padded payload; None if there are more of `extra` than bits.
    #[inline(always)]
    pub(super) fn new(text: &'a [u8], extra: &'a [Box<str>]) -> Option<Self> {
        if extra.len() > 64 {
            return None;
        }
        Some(Self {
            text,
            extra,
            present: 0,
            hashes: [0; 4],
            starts: [0; MAX_NAMES],
            count: 0,
        })
    }

    /// Adds a name, with the eight bytes from its first one on, its position and the first byte of
    /// its value; None when it is a duplicate or one too many.
    #[inline(always)]
    pub(super) fn add(&mut self, name: &[u8], head: u64, start: usize, value: u8) -> Option<()> {
        let hash = hash(name, head);
        let (word, bit) = (usize::from(hash >> 6), 1 << (hash & 63));
        if self.hashes[word] & bit != 0 && self.is_repeated(name) {
            return None;
        }
        self.hashes[word] |= bit;
        *self.starts.get_mut(self.count)? = u32::try_from(start).ok()?;
        self.count += 1;
        if !self.extra.is_empty() && value != b'n' {
            self.present |= self.bits(name);
        }
        Some(())
    }

    /// Compares with each name so far; a name and its closing quote cannot begin another name.
    #[cold]
    #[inline(never)]
    fn is_repeated(&self, name: &[u8]) -> bool {
        self.starts.iter().take(self.count).any(|&start| {
            let from = self.text.get(start as usize..).unwrap_or_default();
            from.strip_prefix(name)
                .is_some_and(|rest| rest.first() == Some(&b'"'))
        })
    }

    #[inline(never)]
    fn bits(&self, name: &[u8]) -> u64 {
        let same = |wanted: &str| wanted.as_bytes() == name;
        self.extra
            .iter()
            .enumerate()
            .fold(0, |bits, (i, w)| bits | u64::from(same(w)) << i)
    }
}

/// Eight bits over the length and both ends of a name; `head` are eight bytes, the name's first.
#[inline(always)]
fn hash(name: &[u8], head: u64) -> u8 {
    let len = name.len() as u64;
    let ends = match name.last_chunk() {
        Some(&tail) => head ^ u64::from_le_bytes(tail).rotate_left(29),
        None => head & !(u64::MAX << (len * 8)),
    };
    let [.., top] = (ends ^ len.rotate_right(8))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .to_le_bytes();
    top
}
