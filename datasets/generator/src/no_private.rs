//! `PrivateKey` without the feature `signers`: a type without values.
//!
//! A spec that needs a private key is refused before one is made, so nothing here ever runs.

use super::algorithm::{Algorithm, KeyType};
use super::rng::Rng;

/// A private key: there is none.
pub(super) enum PrivateKey {}

impl PrivateKey {
    pub(super) fn new(_: KeyType, _: &mut Rng) -> Option<PrivateKey> {
        None
    }

    pub(super) fn key_type(&self) -> KeyType {
        match *self {}
    }

    pub(super) fn public_members(&self) -> String {
        match *self {}
    }

    pub(super) fn private_members(&self) -> String {
        match *self {}
    }

    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match *self {}
    }

    pub(super) fn sign(&self, _: Algorithm, _: &[u8], _: &mut Vec<u8>, _: &mut Rng) {
        match *self {}
    }

    pub(super) fn fault(&self, _: Algorithm, _: &[u8], _: &mut Vec<u8>, _: &mut Rng) -> bool {
        match *self {}
    }

    pub(super) fn mirror(&self, _: &mut [u8]) {
        match *self {}
    }
}
