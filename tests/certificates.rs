//! Certificates as keys: which of them are those of authorities, across files and by whatever
//! spelling of their names, and what a certificate may look like otherwise.
//!
//! The certificates are written here, element by element. Nobody verifies their signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jotmill::{KeyFinding, KeySet, Policy, UnixTime, Validator};

use crate::der::{common_name, sequence, tlv};
use crate::public_keys::{codes, signed_by};

/// Of the authority, whose private key signs tokens here, and of the signer.
const AUTHORITY: &[u8] = include_bytes!("keyfiles/ec.pub");
const AUTHORITY_PRIVATE: &[u8] = include_bytes!("keyfiles/ec.p8");
const SIGNER: &[u8] = include_bytes!("keyfiles/ed.pub");

fn utf8(text: &str) -> Vec<u8> {
    common_name(0x0c, text.as_bytes())
}

fn body(pem: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(pem);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).expect("base64")
}

#[derive(Clone)]
struct Certificate {
    subject: Vec<u8>,
    issuer: Vec<u8>,
    /// A public key in PEM.
    key: &'static [u8],
    serial: Vec<u8>,
    /// Two times.
    validity: Vec<u8>,
    extensions: Vec<Vec<u8>>,
}

impl Certificate {
    fn new(subject: &str, issuer: &str, key: &'static [u8]) -> Self {
        Self {
            subject: utf8(subject),
            issuer: utf8(issuer),
            key,
            serial: vec![7],
            validity: [tlv(0x17, b"260101000000Z"), tlv(0x17, b"460101000000Z")].concat(),
            extensions: Vec::new(),
        }
    }

    fn der(&self) -> Vec<u8> {
        let algorithm = sequence(&[tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2])]);
        let content = sequence(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &self.serial),
            algorithm.clone(),
            self.issuer.clone(),
            tlv(0x30, &self.validity),
            self.subject.clone(),
            body(self.key),
            tlv(0xa3, &sequence(&self.extensions)),
        ]);
        sequence(&[content, algorithm, tlv(3, &[0, 1])])
    }

    fn pem(&self) -> Vec<u8> {
        let body = STANDARD.encode(self.der());
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n").into_bytes()
    }

    /// With an extension of id-ce of this number.
    fn with(mut self, number: u8, value: &[u8]) -> Self {
        let parts = [tlv(6, &[0x55, 0x1d, number]), tlv(4, value)];
        self.extensions.push(sequence(&parts));
        self
    }

    fn with_key_usage(self, bits: u8) -> Self {
        self.with(15, &tlv(3, &[0, bits]))
    }

    fn with_ca(self) -> Self {
        self.with(19, &sequence(&[tlv(1, &[0xff])]))
    }
}

/// The signer, and the authority that issued it.
fn pair() -> [Certificate; 2] {
    [
        Certificate::new("signer", "Corp CA", SIGNER),
        Certificate::new("Corp CA", "Corp Root", AUTHORITY),
    ]
}

/// Adds files in order; each is by itself or one of a folder.
fn keys_of(files: &[(&[u8], bool)]) -> Result<KeySet, String> {
    let mut keys = KeySet::new();
    for (number, (file, is_of_folder)) in files.iter().enumerate() {
        let origin = format!("file {number}");
        let added = match is_of_folder {
            true => keys.add_key_of_folder(file, &origin),
            false => keys.add_key(file, &origin),
        };
        match added {
            Ok(()) => {}
            Err(_) if *is_of_folder => {}
            Err(error) => return Err(error.problem),
        }
    }
    Ok(keys)
}

/// Whether tokens that the authority signed are valid.
fn trusts_authority(keys: KeySet) -> bool {
    let validator = Validator::new(Policy::new(), keys).expect("keys");
    codes(&validator, &signed_by(AUTHORITY_PRIVATE)).is_empty()
}

/// Whatever files a certificate and its issuer are in, and whichever comes first.
#[test]
fn a_certificate_that_issued_another_of_any_file_is_no_key() {
    let [signer, authority] = pair();
    let (pem, ca_pem) = (signer.pem(), authority.pem());
    let (der, ca_der) = (signer.der(), authority.der());
    for (one, other) in [
        (&pem, &ca_pem),
        (&der, &ca_der),
        (&pem, &ca_der),
        (&der, &ca_pem),
    ] {
        for is_of_folder in [false, true] {
            for files in [[one, other], [other, one]] {
                let files = files.map(|file| (&file[..], is_of_folder));
                let keys = keys_of(&files).expect("a key");
                assert_eq!(keys.len(), 1);
                let [unusable] = keys.unusable_keys() else {
                    panic!("{:?}", keys.unusable_keys());
                };
                assert!(unusable.why.contains("issued another"), "{}", unusable.why);
                assert!(unusable.algorithms.contains(jotmill::Algorithm::Es256));
                assert!(!trusts_authority(keys));
            }
        }
    }
    // A chain over three files, in every order; only the leaf is a key.
    let root = Certificate::new("Corp Root", "Corp Root", AUTHORITY);
    let files = [signer.pem(), authority.pem(), root.pem()];
    for order in [
        [0, 1, 2],
        [2, 1, 0],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [0, 2, 1],
    ] {
        let files = order.map(|at| (&files[at][..], false));
        let keys = keys_of(&files).expect("a key");
        assert_eq!(
            (keys.len(), keys.unusable_keys().len()),
            (1, 2),
            "{order:?}"
        );
        assert!(!trusts_authority(keys));
    }
    // The advice: its key as a public key, beside the signer's certificate.
    let keys = keys_of(&[(&pem, false), (&ca_pem, false), (AUTHORITY, false)]);
    assert!(trusts_authority(keys.expect("keys")));
    // And alone it is what somebody gave.
    assert!(trusts_authority(
        keys_of(&[(&ca_pem, false)]).expect("a key")
    ));
    // Of two that issued each other none is left.
    let mut circle = pair();
    circle[1].issuer = utf8("signer");
    let [one, other] = circle.map(|certificate| certificate.pem());
    assert!(keys_of(&[(&one, false), (&other, false)]).is_err());
}

/// The names that are left are those of the keys that are left, and ids stay where they were.
#[test]
fn a_key_that_is_set_aside_later_leaves_the_others_as_they_were() {
    let [signer, authority] = pair();
    let secret = br#"{"keys":[{"kty":"oct","kid":"s","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}]}"#;
    let mut keys = KeySet::new();
    keys.add_key(&authority.pem(), "authority").expect("a key");
    keys.add_key(secret, "secret").expect("a key");
    keys.add_key(&signer.pem(), "signer").expect("a key");
    let types: Vec<_> = keys.iter().map(jotmill::Key::kty).collect();
    assert_eq!(types, ["oct", "OKP"]);
    keys.add_key(AUTHORITY, "public key").expect("a key");
    let last = keys.get(2).expect("a third key");
    assert_eq!(Some(last.name()), last.thumbprint().as_deref());
    assert!(trusts_authority(keys));
}

/// RFC 5280 section 7.1.
#[test]
fn the_issuer_of_a_certificate_is_known_by_any_spelling_of_its_name() {
    let bmp: Vec<u8> = "Corp CA"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let universal: Vec<u8> = "corp ca"
        .chars()
        .flat_map(|c| u32::from(c).to_be_bytes())
        .collect();
    for (tag, text, is_same) in [
        (0x0c, &b"Corp CA"[..], true),
        (0x13, b"Corp CA", true),
        (0x16, b"CORP ca", true),
        (0x14, b" Corp \t CA ", true),
        (0x1e, &bmp, true),
        (0x1c, &universal, true),
        (0x0c, b"Corp CA 2", false),
        (0x0c, b"CorpCA", false),
    ] {
        let [mut signer, authority] = pair();
        signer.issuer = common_name(tag, text);
        let (one, other) = (signer.pem(), authority.pem());
        let bundle = [&one[..], &other].concat();
        for files in [
            vec![(&bundle[..], false)],
            vec![(&one, false), (&other, false)],
            vec![(&other, true), (&one, true)],
        ] {
            let keys = keys_of(&files).expect("keys");
            assert_eq!(trusts_authority(keys), !is_same, "{tag:x} {text:?}");
        }
    }
}

/// RFC 5280 sections 4.2.1.3 and 4.2.1.9.
#[test]
fn a_certificate_that_may_only_sign_certificates_is_used_in_a_file_of_its_own_alone() {
    const SIGNATURE: u8 = 0x80;
    const COMMITMENT: u8 = 0x40;
    const CERTIFICATES: u8 = 0x04;
    const LISTS: u8 = 0x02;
    let of_other = || Certificate::new("Corp CA", "Corp Root", AUTHORITY);
    let of_itself = || Certificate::new("Corp CA", "Corp CA", AUTHORITY);
    let signer = Certificate::new("signer", "somebody else", SIGNER);
    for (certificate, is_authority) in [
        (of_itself().with_key_usage(CERTIFICATES), true),
        (
            of_other().with_key_usage(CERTIFICATES | LISTS).with_ca(),
            true,
        ),
        (of_other().with_ca().with_key_usage(LISTS), true),
        (of_other().with_ca(), true),
        // What tools make for any key that is its own authority.
        (of_itself().with_ca(), false),
        (
            of_itself()
                .with_ca()
                .with_key_usage(CERTIFICATES | SIGNATURE),
            false,
        ),
        (
            of_other()
                .with_ca()
                .with_key_usage(CERTIFICATES | COMMITMENT),
            false,
        ),
        (of_other().with_key_usage(SIGNATURE), false),
        (of_other().with(19, &sequence(&[])), false),
        (of_other().with(19, &sequence(&[tlv(1, &[0])])), false),
        (of_other().with(19, b"\x04\x01x").with(15, b""), false),
        (of_other(), false),
    ] {
        let (pem, other) = (certificate.pem(), signer.pem());
        let bundle = [&pem[..], &other].concat();
        for files in [
            vec![(&bundle[..], false)],
            vec![(&pem, true), (&other, true)],
        ] {
            let keys = keys_of(&files).expect("keys");
            assert_eq!(keys.unusable_keys().len(), usize::from(is_authority));
            assert_eq!(trusts_authority(keys), !is_authority);
        }
        // By itself, with other files beside it or not.
        for files in [
            vec![(&pem[..], false)],
            vec![(&other, false), (&pem, false)],
        ] {
            let keys = keys_of(&files).expect("keys");
            let key = keys.iter().find(|key| key.kty() == "EC").expect("a key");
            let now = UnixTime::new(1_800_000_000, 0).expect("a time");
            let expected: &[_] = match is_authority {
                true => &[KeyFinding::CertificateAuthority],
                false => &[],
            };
            assert_eq!(keys.findings(key, now), expected);
            assert!(trusts_authority(keys));
        }
        // A folder of nothing else has no key.
        let alone = keys_of(&[(&pem, true)]).expect("no error");
        assert_eq!(alone.is_empty(), is_authority);
    }
}

#[test]
fn a_certificate_with_a_sound_key_is_usable_whatever_its_dates_and_its_number_are() {
    let certificate = Certificate::new("signer", "Corp CA", AUTHORITY);
    let now = UnixTime::new(1_800_000_000, 0).expect("a time");
    for (from, to, expected) in [
        (
            (0x17, &b"691231235959Z"[..]),
            (0x17, &b"460101000000Z"[..]),
            vec![],
        ),
        (
            (0x17, b"500101000000Z"),
            (0x17, b"691231235959Z"),
            vec![KeyFinding::CertificateExpired],
        ),
        (
            (0x18, b"00000101000000Z"),
            (0x18, b"99991231235959Z"),
            vec![],
        ),
        ((0x18, b"19500101000000Z"), (0x17, b"490101000000Z"), vec![]),
        // No times of RFC 5280.
        (
            (0x17, b"2601010000Z"),
            (0x17, b"460101000000Z"),
            vec![KeyFinding::CertificateUnreadable],
        ),
        (
            (0x18, b"20260101000000+0100"),
            (0x17, b"460101000000Z"),
            vec![KeyFinding::CertificateUnreadable],
        ),
        (
            (0x0c, b"now"),
            (0x0c, b"later"),
            vec![KeyFinding::CertificateUnreadable],
        ),
    ] {
        for serial in [
            vec![0],
            vec![0x7f; 20],
            vec![0x7f; 40],
            vec![0xff; 40],
            Vec::new(),
        ] {
            let mut certificate = certificate.clone();
            certificate.serial = serial;
            certificate.validity = [tlv(from.0, from.1), tlv(to.0, to.1)].concat();
            let keys = keys_of(&[(&certificate.der(), false)]).expect("a key");
            let key = keys.iter().next().expect("a key");
            assert_eq!(keys.findings(key, now), expected, "{from:?}");
            assert!(trusts_authority(keys));
        }
    }
    let mut early = certificate;
    early.validity = [tlv(0x17, b"691231235959Z"), tlv(0x18, b"00000101000000Z")].concat();
    let keys = keys_of(&[(&early.pem(), false)]).expect("a key");
    let validity = keys.iter().next().and_then(jotmill::Key::validity);
    let validity = validity.expect("a certificate");
    assert_eq!(
        (validity.not_before, validity.not_after),
        (-1, -62_167_219_200)
    );
}

/// What stands inside of a certificate is no key, whatever it looks like.
#[test]
fn a_file_that_is_der_holds_no_pem() {
    for inside in [
        AUTHORITY.to_vec(),
        pair()[1].pem(),
        AUTHORITY_PRIVATE.to_vec(),
    ] {
        // A comment of Netscape, and an extension of nobody.
        let comment = tlv(0x16, &inside);
        let certificate = Certificate::new("signer", "somebody", SIGNER).with(99, &comment);
        let mut behind = certificate.der();
        let keys = keys_of(&[(&behind, false)]).expect("a key");
        let types: Vec<_> = keys.iter().map(|key| key.subtype()).collect();
        assert_eq!(types, [Some("Ed25519")]);
        assert!(!trusts_authority(keys));
        // DER that is cut, or that has something behind it, is no text either.
        behind.push(0);
        for file in [&behind[..], &behind[..behind.len() - 2]] {
            assert!(keys_of(&[(file, false)]).is_err());
        }
    }
}

/// A token whose key was set aside is not called forged.
#[test]
fn unusable_keys_are_found_for_the_tokens_that_they_could_have_signed() {
    use jotmill::Algorithm::{EdDsa, Es256, Hs256, Ps256, Rs256};
    let set = br#"{"keys":[
        {"kty":"oct","kid":"good","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"},
        {"kty":"oct","kid":"secret","k":"?"},
        {"kty":"RSA","n":"AQ","e":"AQAB"},
        {"kty":"EC","kid":7,"crv":"P-256","x":"AQ","y":"AQ"},
        {"kty":"RSA","kid":"rs256","alg":"RS256","n":"AQ","e":"AQAB"},
        {"kty":"oct","kid":"enc","use":"enc","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"},
        {"kty":"oct","kid":"dir","alg":"dir","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"},
        {"kty":"OKP","kid":"agree","crv":"X25519","x":"AQ"}]}"#;
    let mut keys = KeySet::new();
    keys.add_key(set, "set").expect("a key");
    for (kid, algorithm, expected) in [
        (None, Hs256, &[1, 5][..]),
        // Its own key can be used, and verified nothing.
        (Some("good"), Hs256, &[]),
        (Some("secret"), Hs256, &[1, 5]),
        (Some("nobody"), Hs256, &[1, 5]),
        (Some("dir"), Hs256, &[1, 5, 6]),
        (None, Rs256, &[2, 4]),
        (None, Ps256, &[2, 4]),
        (Some("good"), Rs256, &[2]),
        (None, Es256, &[3]),
        (None, EdDsa, &[]),
        (Some("agree"), EdDsa, &[7]),
    ] {
        let found = keys.unusable_for(0, kid, algorithm);
        let found: Vec<_> = found.filter_map(|key| key.index).collect();
        assert_eq!(found, expected, "{kid:?} {algorithm}");
        assert_eq!(keys.unusable_for(1, kid, algorithm).count(), 0);
    }
}
