//! RSA keys that are restricted to RSASSA-PSS (RFC 4055): which algorithms their parameters leave.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jotmill::KeySet;

use crate::der::{sequence, tlv};

/// SHA-2 by the last arc of its object identifier.
fn hash(arc: u8) -> Vec<u8> {
    let oid = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc];
    sequence(&[tlv(6, &oid), tlv(5, &[])])
}

fn mask(hash: Vec<u8>) -> Vec<u8> {
    let mgf1 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
    sequence(&[tlv(6, &mgf1), hash])
}

fn parameters(hash: Vec<u8>, mask: Vec<u8>, salt: u8) -> Vec<u8> {
    sequence(&[
        tlv(0xa0, &hash),
        tlv(0xa1, &mask),
        tlv(0xa2, &tlv(2, &[salt])),
    ])
}

/// The RSA key of the tests under id-RSASSA-PSS.
fn key_with(parameters: Option<Vec<u8>>) -> Vec<u8> {
    let pem = include_str!("keyfiles/rsa.pub");
    let base64: String = pem.lines().filter(|line| !line.contains("--")).collect();
    let der = STANDARD.decode(base64).expect("base64");
    // Behind the sequence's header and the identifier of rsaEncryption, 15 bytes.
    let bits = der[4 + 15..].to_vec();
    let oid = tlv(6, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]);
    let identifier = [oid, parameters.unwrap_or_default()].concat();
    sequence(&[tlv(0x30, &identifier), bits])
}

fn algorithms(file: &[u8]) -> Result<Vec<&'static str>, String> {
    let mut keys = KeySet::new();
    keys.add_key(file, "file").map_err(|error| error.problem)?;
    let key = keys.iter().next().expect("a key");
    Ok(key
        .algorithms()
        .iter()
        .map(jotmill::Algorithm::name)
        .collect())
}

#[test]
fn a_key_for_pss_verifies_what_its_parameters_leave_and_nothing_else() {
    let of = |arc, salt| Some(parameters(hash(arc), mask(hash(arc)), salt));
    for (given, expected) in [
        (None, &["PS256", "PS384", "PS512"][..]),
        (of(1, 20), &["PS256"]),
        (of(1, 32), &["PS256"]),
        (of(2, 48), &["PS384"]),
        (of(3, 64), &["PS512"]),
    ] {
        assert_eq!(algorithms(&key_with(given)).as_deref(), Ok(expected));
    }
    for (given, why) in [
        (Some(sequence(&[])), "SHA-1"),
        (of(1, 33), "a longer salt than the hash"),
        (of(1, 0x80), "a longer salt than the hash"),
        (of(4, 20), "a hash that JWS does not use"),
        (of(0, 20), "a hash that JWS does not use"),
        (
            Some(parameters(hash(1), mask(hash(2)), 32)),
            "whose mask has another hash",
        ),
        (Some(tlv(5, &[])), "cannot be read"),
    ] {
        let problem = algorithms(&key_with(given)).expect_err("unusable");
        assert!(problem.contains(why), "{problem}");
    }
    let certificate = include_bytes!("keyfiles/other/pss.crt");
    assert_eq!(algorithms(certificate).as_deref(), Ok(&["PS256"][..]));
}
