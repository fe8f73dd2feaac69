//! The states of many secrets, close together.
//!
//! Owns where the states of a key set lie, and that none is ever moved. Leaves to others what else
//! there is to know of a key.

use core::num::NonZeroU32;

use super::midstate::{Midstate256, Midstate512};

/// The states of a set of secrets.
///
/// Whoever verifies under thousands of keys waits for memory more than for the processor. So states
/// lie side by side, apart from all else that is known of a key. They lie in pieces that never grow
/// beyond what they were made for: a vector that grows moves its elements, and what it leaves behind
/// is not wiped.
#[derive(Debug, Default)]
pub struct MidstateStore {
    pieces: Vec<Piece>,
}

/// Where the states of a secret are in a store, and how long it is, in four bytes: there is one for
/// each algorithm of each key.
///
/// The lowest bits are 1 + its number in the store, the others its length in bytes; 255 for all that
/// are longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(NonZeroU32);

/// The states of some secrets, for each hash.
#[derive(Debug)]
struct Piece {
    hs256: Vec<Midstate256>,
    hs384: Vec<Midstate512>,
    hs512: Vec<Midstate512>,
}

impl Piece {
    /// How many secrets a piece has room for.
    const SECRETS: usize = 64;

    fn new() -> Self {
        Self {
            hs256: Vec::with_capacity(Self::SECRETS),
            hs384: Vec::with_capacity(Self::SECRETS),
            hs512: Vec::with_capacity(Self::SECRETS),
        }
    }
}

impl Place {
    /// The bits of the number.
    const BITS: u32 = 24;

    /// None from the secret of number 2^24 - 1 on, which takes some 7 GB.
    fn new(piece: usize, at: usize, secret_len: u8) -> Option<Self> {
        let number = u32::try_from(piece * Piece::SECRETS + at + 1).ok()?;
        let is_countable = number < 1 << Self::BITS;
        let bits = number | u32::from(secret_len) << Self::BITS;
        NonZeroU32::new(bits).filter(|_| is_countable).map(Self)
    }

    #[inline]
    const fn piece_and_at(self) -> (usize, usize) {
        let number = (self.0.get() & ((1 << Self::BITS) - 1)) as usize - 1;
        (number / Piece::SECRETS, number % Piece::SECRETS)
    }

    /// The length of the secret in bytes; 255 for all that are longer.
    #[inline]
    #[must_use]
    pub const fn secret_len(self) -> usize {
        (self.0.get() >> Self::BITS) as usize
    }

    /// The same in a store to which this one was added behind so many pieces.
    #[must_use]
    pub fn behind(self, pieces: usize) -> Option<Self> {
        let (piece, at) = self.piece_and_at();
        Self::new(piece + pieces, at, self.secret_len() as u8)
    }
}

impl MidstateStore {
    /// Adds a secret. None where there are too many to be counted.
    pub fn add(&mut self, secret: &[u8]) -> Option<Place> {
        let is_full = |piece: &Piece| piece.hs256.len() == Piece::SECRETS;
        if self.pieces.last().is_none_or(is_full) {
            self.pieces.push(Piece::new());
        }
        let number = self.pieces.len() - 1;
        let piece = &mut self.pieces[number];
        let secret_len = u8::try_from(secret.len()).unwrap_or(u8::MAX);
        let place = Place::new(number, piece.hs256.len(), secret_len)?;
        piece.hs256.push(Midstate256::new(secret));
        piece.hs384.push(Midstate512::new_384(secret));
        piece.hs512.push(Midstate512::new_512(secret));
        Some(place)
    }

    /// Adds the secrets of another store. Their places are now [behind](Place::behind) as many
    /// pieces as are given back.
    pub fn append(&mut self, other: Self) -> usize {
        let pieces = self.pieces.len();
        self.pieces.extend(other.pieces);
        pieces
    }

    /// The state of a secret for HMAC-SHA-256.
    #[inline]
    pub fn hs256(&self, place: Place) -> &Midstate256 {
        let (piece, at) = place.piece_and_at();
        &self.pieces[piece].hs256[at]
    }

    /// The state of a secret for HMAC-SHA-384.
    #[inline]
    pub fn hs384(&self, place: Place) -> &Midstate512 {
        let (piece, at) = place.piece_and_at();
        &self.pieces[piece].hs384[at]
    }

    /// The state of a secret for HMAC-SHA-512.
    #[inline]
    pub fn hs512(&self, place: Place) -> &Midstate512 {
        let (piece, at) = place.piece_and_at();
        &self.pieces[piece].hs512[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states that a store has in a place are those of the secret, in every piece, however
    /// stores were put together.
    #[test]
    fn secrets_keep_their_states_however_stores_are_put_together() {
        let secret = |number: usize| vec![number as u8 ^ 0x5a; 1 + number % 300];
        let (mut all, mut places) = (MidstateStore::default(), Vec::new());
        for numbers in [0..0, 0..1, 1..70, 70..400, 400..400, 400..464] {
            let mut store = MidstateStore::default();
            let added: Vec<_> = numbers.map(|number| store.add(&secret(number))).collect();
            let pieces = all.append(store);
            let shifted = added.into_iter().map(|place| place?.behind(pieces));
            places.extend(shifted.map(|place| place.expect("few secrets")));
        }
        assert_eq!(places.len(), 464);
        for (place, number) in places.into_iter().zip(0..) {
            let secret = secret(number);
            assert_eq!(place.secret_len(), secret.len().min(255));
            let hs256 = Midstate256::new(&secret);
            assert_eq!(all.hs256(place).inner(), hs256.inner());
            let hs384 = Midstate512::new_384(&secret);
            assert_eq!(all.hs384(place).outer(), hs384.outer());
            let hs512 = Midstate512::new_512(&secret);
            assert_eq!(all.hs512(place).outer(), hs512.outer());
        }
        let last = Place::new((1 << 18) - 1, 62, 7).expect("the last that can be counted");
        assert_eq!(
            (last.piece_and_at(), last.secret_len()),
            (((1 << 18) - 1, 62), 7)
        );
        assert_eq!(Place::new((1 << 18) - 1, 63, 7), None);
        assert_eq!(last.behind(1), None);
        let is_whole = |piece: &Piece| piece.hs512.capacity() == Piece::SECRETS;
        assert!(all.pieces.iter().all(is_whole), "no piece has grown");
    }
}
