//! The states of many secrets, close together.
//!
//! Owns the memory of the states of a key set, and that none is ever moved. Leaves everything else
//! about a key to others.

use core::num::NonZeroU32;
use std::sync::Arc;

use super::midstate::{Midstate256, Midstate512};

/// The states of a set of secrets.
///
/// With thousands of keys, verification waits for memory more than for the processor. So states are
/// side by side, apart from everything else about a key. They are in pieces of a fixed capacity: a
/// vector that grows moves its elements, and does not wipe the old memory. Clones share their pieces.
#[derive(Clone, Debug, Default)]
pub struct MidstateStore {
    pieces: Vec<Arc<Piece>>,
}

/// Where the states of a secret are in a store, and the secret's length, in four bytes: there is one
/// for each algorithm of each key.
///
/// The lowest bits are 1 + its number in the store, the others its length in bytes; 255 for all that
/// are longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(NonZeroU32);

/// The states of some secrets, for each hash.
#[derive(Debug)]
struct Piece {
    /// Its capacity in secrets.
    room: usize,
    hs256: Vec<Midstate256>,
    hs384: Vec<Midstate512>,
    hs512: Vec<Midstate512>,
}

impl Piece {
    /// The most secrets of a piece.
    const SECRETS: usize = 64;

    /// A piece for up to `room` secrets.
    fn new(room: usize) -> Self {
        Self {
            room,
            hs256: Vec::with_capacity(room),
            hs384: Vec::with_capacity(room),
            hs512: Vec::with_capacity(room),
        }
    }

    fn is_full(&self) -> bool {
        self.hs256.len() == self.room
    }
}

impl Place {
    const BITS: u32 = 24;
    /// The bits of the number.
    const NUMBER: u32 = (1 << Self::BITS) - 1;

    /// None from the number 2^24 - 1 on. Each piece uses 64 numbers, however many secrets it has.
    fn new(piece: usize, at: usize, secret_len: u8) -> Option<Self> {
        let number = u32::try_from(piece * Piece::SECRETS + at + 1).ok()?;
        let is_countable = number <= Self::NUMBER;
        let bits = number | u32::from(secret_len) << Self::BITS;
        NonZeroU32::new(bits).filter(|_| is_countable).map(Self)
    }

    #[inline]
    const fn piece_and_at(self) -> (usize, usize) {
        let number = (self.0.get() & Self::NUMBER) as usize - 1;
        (number / Piece::SECRETS, number % Piece::SECRETS)
    }

    /// The length of the secret in bytes; 255 for all that are longer.
    #[inline]
    #[must_use]
    pub const fn secret_len(self) -> usize {
        (self.0.get() >> Self::BITS) as usize
    }

    /// The same place after its store was appended to one of `pieces` pieces.
    #[must_use]
    pub fn behind(self, pieces: usize) -> Option<Self> {
        let (piece, at) = self.piece_and_at();
        let moved = Self::new(piece + pieces, at, 0)?.0.get();
        NonZeroU32::new(moved | self.0.get() & !Self::NUMBER).map(Self)
    }
}

impl MidstateStore {
    /// Adds a secret. None if there are too many for a [`Place`].
    pub fn add(&mut self, secret: &[u8]) -> Option<Place> {
        // A piece that a clone shares is as good as full.
        let open = self.pieces.last_mut().and_then(Arc::get_mut);
        if open.is_none_or(|piece| piece.is_full()) {
            // Many sets have one secret, and a run may have many sets.
            let room = self.pieces.last().map_or(1, |last| 4 * last.room);
            let piece = Piece::new(room.min(Piece::SECRETS));
            self.pieces.push(Arc::new(piece));
        }
        let number = self.pieces.len() - 1;
        let piece = Arc::get_mut(&mut self.pieces[number])?;
        let secret_len = u8::try_from(secret.len()).unwrap_or(u8::MAX);
        let place = Place::new(number, piece.hs256.len(), secret_len)?;
        piece.hs256.push(Midstate256::new(secret));
        piece.hs384.push(Midstate512::new_384(secret));
        piece.hs512.push(Midstate512::new_512(secret));
        Some(place)
    }

    /// Appends the secrets of another store, and returns by how many pieces their places have
    /// [moved](Place::behind).
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

    /// A place finds the states of its secret in every piece, however stores were put together.
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
        let last = Place::new((1 << 18) - 1, 62, 7).expect("the last place");
        assert_eq!(
            (last.piece_and_at(), last.secret_len()),
            (((1 << 18) - 1, 62), 7)
        );
        assert_eq!(Place::new((1 << 18) - 1, 63, 7), None);
        assert_eq!(last.behind(1), None);
        for piece in &all.pieces {
            assert_eq!(piece.hs512.capacity(), piece.room, "it has not grown");
        }
        assert!(all.pieces.iter().any(|piece| piece.room < Piece::SECRETS));
        assert!(all.pieces.iter().any(|piece| piece.room == Piece::SECRETS));
    }
}
