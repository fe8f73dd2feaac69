//! The states of many secrets, close together.
//!
//! Owns where the states of a key set lie, and that none is ever moved. Leaves to others what else
//! there is to know of a key.

use super::midstate::{Midstate256, Midstate512};

/// The states of a set of keys, by the numbers that the keys have there: 0, 1, 2, … in the order in
/// which they are added.
///
/// Whoever verifies under thousands of keys waits for memory more than for the processor. So states
/// lie side by side, apart from all else that is known of a key. They lie in pieces that never grow
/// beyond what they were made for: a vector that grows moves its elements, and what it leaves behind
/// is not wiped.
#[derive(Debug, Default)]
pub struct MidstateStore {
    places: Vec<Option<Place>>,
    pieces: Vec<Piece>,
}

/// Where the states of a secret are, and how long it is, in bytes.
#[derive(Clone, Copy, Debug)]
struct Place {
    piece: u32,
    at: u8,
    /// 255 for all that are longer.
    secret_len: u8,
}

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

impl MidstateStore {
    /// Adds a secret: the key of the next number.
    pub fn add_secret(&mut self, secret: &[u8]) {
        let is_full = |piece: &Piece| piece.hs256.len() == Piece::SECRETS;
        if self.pieces.last().is_none_or(is_full) {
            self.pieces.push(Piece::new());
        }
        let number = self.pieces.len() - 1;
        let piece = &mut self.pieces[number];
        self.places.push(Some(Place {
            piece: u32::try_from(number).expect("fewer keys than a u32 has numbers"),
            at: piece.hs256.len() as u8,
            secret_len: u8::try_from(secret.len()).unwrap_or(u8::MAX),
        }));
        piece.hs256.push(Midstate256::new(secret));
        piece.hs384.push(Midstate512::new_384(secret));
        piece.hs512.push(Midstate512::new_512(secret));
    }

    /// Leaves out the next number: its key is no secret.
    pub fn add_other(&mut self) {
        self.places.push(None);
    }

    /// Adds the keys of another store; their numbers follow on those of this one.
    pub fn append(&mut self, other: Self) {
        let pieces = u32::try_from(self.pieces.len()).expect("fewer keys than a u32 has numbers");
        let places = other.places.into_iter();
        self.places.extend(places.map(|place| {
            place.map(|place| Place {
                piece: place.piece + pieces,
                ..place
            })
        }));
        self.pieces.extend(other.pieces);
    }

    /// The state of a secret for HMAC-SHA-256.
    #[inline]
    pub fn hs256(&self, number: u32) -> &Midstate256 {
        let place = self.place(number);
        &self.piece(place).hs256[usize::from(place.at)]
    }

    /// The state of a secret for HMAC-SHA-384.
    #[inline]
    pub fn hs384(&self, number: u32) -> &Midstate512 {
        let place = self.place(number);
        &self.piece(place).hs384[usize::from(place.at)]
    }

    /// The state of a secret for HMAC-SHA-512.
    #[inline]
    pub fn hs512(&self, number: u32) -> &Midstate512 {
        let place = self.place(number);
        &self.piece(place).hs512[usize::from(place.at)]
    }

    /// The length of a secret in bytes; 255 for all that are longer.
    #[inline]
    pub fn secret_len(&self, number: u32) -> usize {
        usize::from(self.place(number).secret_len)
    }

    #[inline]
    fn place(&self, number: u32) -> Place {
        match self.places[number as usize] {
            Some(place) => place,
            // A key set lists a key under the algorithms of its type alone.
            None => unreachable!("a public key was chosen to verify a MAC"),
        }
    }

    #[inline]
    fn piece(&self, place: Place) -> &Piece {
        &self.pieces[place.piece as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states that a store has for a number are those of the secret, in every piece, whatever
    /// stands between the secrets.
    #[test]
    fn numbers_keep_their_secrets_however_stores_are_put_together() {
        let secret = |number: usize| vec![number as u8 ^ 0x5a; 1 + number % 300];
        let is_secret = |number: usize| number % 5 != 3;
        let store = |numbers: std::ops::Range<usize>| {
            let mut store = MidstateStore::default();
            for number in numbers {
                match is_secret(number) {
                    true => store.add_secret(&secret(number)),
                    false => store.add_other(),
                }
            }
            store
        };
        let mut all = MidstateStore::default();
        for numbers in [0..0, 0..1, 1..70, 70..400, 400..400, 400..464] {
            all.append(store(numbers));
        }
        assert_eq!(all.places.len(), 464);
        for (number, at) in (0..464).zip(0..) {
            if !is_secret(number) {
                assert!(all.places[number].is_none());
                continue;
            }
            let secret = secret(number);
            assert_eq!(all.secret_len(at), secret.len().min(255));
            assert_eq!(all.hs256(at).inner(), Midstate256::new(&secret).inner());
            assert_eq!(all.hs384(at).outer(), Midstate512::new_384(&secret).outer());
            assert_eq!(all.hs512(at).outer(), Midstate512::new_512(&secret).outer());
        }
        let is_whole = |piece: &Piece| piece.hs512.capacity() == Piece::SECRETS;
        assert!(all.pieces.iter().all(is_whole), "no piece has grown");
    }
}
