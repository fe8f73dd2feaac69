//! Data sets with private keys against the verifying side of the crates that sign.
//!
//! Each public key is read from the text of the key set, and each signature from its token, so that
//! a key written wrongly fails as well as a signature made wrongly.

use std::collections::BTreeMap;

use rsa::{BoxedUint, Pkcs1v15Sign, Pss};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::{Algorithm, Dataset, Defect, KeyForm, Share, Spec};

fn decoded(text: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
}

fn member(jwk: &Value, name: &str) -> Vec<u8> {
    decoded(jwk[name].as_str().unwrap())
}

/// How long a signature by this key is; `None` for a key of another type than the algorithm's.
fn signature_len(jwk: &Value, alg: &str) -> Option<usize> {
    let is_rsa = alg.starts_with("RS") || alg.starts_with("PS");
    match (jwk["kty"].as_str()?, jwk["crv"].as_str().unwrap_or(""), alg) {
        ("RSA", _, _) if is_rsa => Some(member(jwk, "n").len()),
        ("EC", "P-256", "ES256") | ("EC", "secp256k1", "ES256K") => Some(64),
        ("EC", "P-384", "ES384") => Some(96),
        ("EC", "P-521", "ES512") => Some(132),
        ("OKP", "Ed25519", "EdDSA" | "Ed25519") => Some(64),
        ("OKP", "Ed448", "EdDSA" | "Ed448") => Some(114),
        ("AKP", _, "ML-DSA-44") if jwk["alg"] == alg => Some(2_420),
        ("AKP", _, "ML-DSA-65") if jwk["alg"] == alg => Some(3_309),
        ("AKP", _, "ML-DSA-87") if jwk["alg"] == alg => Some(4_627),
        _ => None,
    }
}

/// Whether the signature holds.
fn verifies(jwk: &Value, alg: &str, message: &[u8], signature: &[u8]) -> bool {
    use ml_dsa::signature::Verifier as _;

    macro_rules! ecdsa {
        ($curve:ident, $signature:expr) => {{
            let point = [vec![4], member(jwk, "x"), member(jwk, "y")].concat();
            let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
            $curve::ecdsa::Signature::from_slice($signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok())
        }};
    }
    macro_rules! mldsa {
        ($set:ident) => {{
            let key = member(jwk, "pub").as_slice().try_into().unwrap();
            let key = ml_dsa::VerifyingKey::<ml_dsa::$set>::decode(&key);
            ml_dsa::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok())
        }};
    }
    if signature_len(jwk, alg) != Some(signature.len()) {
        return false;
    }
    let rsa = || {
        let number = |name| BoxedUint::from_be_slice_vartime(&member(jwk, name));
        rsa::PublicKey::new(number("n"), number("e")).unwrap()
    };
    let (sha256, sha384) = (Sha256::digest(message), Sha384::digest(message));
    let sha512 = Sha512::digest(message);
    match alg {
        "RS256" => rsa().verify(Pkcs1v15Sign::new::<Sha256>(), &sha256, signature),
        "RS384" => rsa().verify(Pkcs1v15Sign::new::<Sha384>(), &sha384, signature),
        "RS512" => rsa().verify(Pkcs1v15Sign::new::<Sha512>(), &sha512, signature),
        "PS256" => rsa().verify(Pss::<Sha256>::new(), &sha256, signature),
        "PS384" => rsa().verify(Pss::<Sha384>::new(), &sha384, signature),
        "PS512" => rsa().verify(Pss::<Sha512>::new(), &sha512, signature),
        "ES256" => return ecdsa!(p256, signature),
        "ES384" => return ecdsa!(p384, signature),
        "ES512" => return ecdsa!(p521, signature),
        "ES256K" => {
            // The crate takes the lower of the two values of s alone.
            let lower = k256::ecdsa::Signature::from_slice(signature);
            let lower = lower.map(|signature| signature.normalize_s().to_bytes());
            return lower.is_ok_and(|signature| ecdsa!(k256, &signature));
        }
        "ML-DSA-44" => return mldsa!(MlDsa44),
        "ML-DSA-65" => return mldsa!(MlDsa65),
        "ML-DSA-87" => return mldsa!(MlDsa87),
        _ if jwk["crv"] == "Ed25519" => {
            let key = member(jwk, "x").as_slice().try_into().unwrap();
            let key = ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap();
            let signature = signature.try_into().unwrap();
            return key.verify_strict(message, &signature).is_ok();
        }
        _ => {
            let point = member(jwk, "x").as_slice().try_into().unwrap();
            let key = ed448_goldilocks::VerifyingKey::from_bytes(&point).unwrap();
            return ed448_goldilocks::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok());
        }
    }
    .is_ok()
}

fn public() -> Vec<Algorithm> {
    let public = Algorithm::ALL.iter().filter(|alg| !alg.is_hmac());
    public.copied().collect()
}

fn mix(each: u32, defects: &[Defect]) -> Vec<(Defect, Share)> {
    let share = Share::from_millionths(each).unwrap();
    defects.iter().map(|defect| (*defect, share)).collect()
}

fn all_but(left_out: &[Defect]) -> Vec<Defect> {
    let defects = Defect::OF_ONE_ISSUER.iter().copied();
    defects
        .filter(|defect| !left_out.contains(defect))
        .collect()
}

/// The name of the algorithm, the signing input and the signature of a token.
fn parts(token: &[u8]) -> (String, &[u8], Vec<u8>) {
    let dot = token.iter().rposition(|byte| *byte == b'.').unwrap();
    let (input, signature) = (&token[..dot], &token[dot + 1..]);
    let header = input.split(|byte| *byte == b'.').next().unwrap();
    let header = decoded(str::from_utf8(header).unwrap());
    let header: Value = serde_json::from_slice(&header).unwrap();
    let alg = header["alg"].as_str().unwrap().to_owned();
    (alg, input, decoded(str::from_utf8(signature).unwrap()))
}

#[test]
fn good_signatures_hold_and_bad_ones_do_not_whatever_the_algorithm() {
    let dataset = Dataset::new(Spec {
        count: 1_600,
        seed: 11,
        algorithms: public(),
        keys: 48,
        edges: Share::from_percent(50),
        defects: [
            mix(400_000, &[Defect::SignatureMismatch]),
            mix(150_000, &[Defect::SignatureLength]),
        ]
        .concat(),
        ..Spec::default()
    })
    .unwrap();
    let set: Value = serde_json::from_str(&dataset.jwks()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 48);
    let mut seen: BTreeMap<(String, usize, Option<Defect>), u32> = BTreeMap::new();
    let mut lines = dataset.lines();
    while let Some(line) = lines.next() {
        let (alg, input, signature) = parts(line.token);
        let is_candidate = |jwk: &&Value| {
            let bound = jwk["alg"].as_str();
            bound.is_none_or(|bound| bound == alg) && signature_len(jwk, &alg).is_some()
        };
        let candidates: Vec<&Value> = keys.iter().filter(is_candidate).collect();
        let fits = |jwk: &&&Value| signature_len(jwk, &alg) == Some(signature.len());
        let fitting = candidates.iter().filter(fits).count();
        let holds = |jwk: &&&Value| verifies(jwk, &alg, input, &signature);
        let holding: Vec<_> = candidates.iter().filter(holds).collect();
        let shown = String::from_utf8_lossy(line.token);
        match line.defect {
            None => assert!(
                holding.len() == 1 && holding[0]["kid"].as_str() == line.key,
                "{shown}"
            ),
            Some(Defect::SignatureMismatch) => {
                assert!(fitting > 0 && holding.is_empty(), "{shown}");
            }
            _ => assert_eq!(fitting, 0, "{shown}"),
        }
        let len = if fitting > 0 { signature.len() } else { 0 };
        *seen.entry((alg, len, line.defect)).or_default() += 1;
    }
    for algorithm in public() {
        let count = |defect| {
            let of = |(alg, _, found): &(String, usize, Option<Defect>)| {
                alg == algorithm.name() && *found == defect
            };
            let matching = seen.iter().filter(|(key, _)| of(key));
            matching.map(|(_, count)| count).sum::<u32>()
        };
        assert!(count(None) > 10 && count(Some(Defect::SignatureMismatch)) > 10);
        assert!(count(Some(Defect::SignatureLength)) > 3, "{algorithm}");
    }
    // EdDSA has both curves.
    for len in [64, 114] {
        assert!(seen.contains_key(&("EdDSA".to_owned(), len, None)), "{len}");
    }
}

#[test]
fn no_fault_of_an_algorithm_makes_a_good_signature() {
    use crate::private::PrivateKey;
    use crate::rng::Streams;

    let mut rng = Streams::new(5, 5).at(5);
    let rng = &mut rng;
    let rsa = PrivateKey::new(Algorithm::Rs256.key_type(0, &[2048]), rng).unwrap();
    for algorithm in public() {
        let key_type = algorithm.key_type(0, &[2048]);
        let own = PrivateKey::new(key_type, rng);
        let key = match own {
            Some(key) if key.key_type() != rsa.key_type() => key,
            _ => PrivateKey::new(rsa.key_type(), &mut Streams::new(5, 6).at(0)).unwrap(),
        };
        let text = format!(r#"{{{},"alg":"{algorithm}"}}"#, key.public_members());
        let jwk: Value = serde_json::from_str(&text).unwrap();
        let mut out = Vec::new();
        let mut made = 0;
        for round in 0..80_u32 {
            let message = round.to_le_bytes();
            key.sign(algorithm, &message, &mut out, rng);
            let right = out.len();
            assert!(verifies(&jwk, algorithm.name(), &message, &out));
            key.mirror(&mut out);
            assert!(verifies(&jwk, algorithm.name(), &message, &out));
            if key.fault(algorithm, &message, &mut out, rng) {
                made += 1;
                assert_eq!(out.len(), right, "{algorithm}, round {round}");
                assert!(!verifies(&jwk, algorithm.name(), &message, &out));
            }
        }
        assert!(made > 30, "{algorithm}: {made}");
    }
}

#[test]
fn every_defect_can_be_had_with_every_algorithm_and_every_form_of_key() {
    let left_out = [Defect::AlgNotAllowed];
    let spec = Spec {
        count: 1_200,
        seed: 3,
        algorithms: Algorithm::ALL.to_vec(),
        keys: 38,
        edges: Share::from_percent(30),
        defects: mix(16_000, &all_but(&left_out)),
        ..Spec::default()
    };
    let few = spec.clone();
    let idless = [
        Defect::KeyNotFound,
        Defect::TooManyKeys,
        Defect::AlgNotAllowed,
    ];
    let forms = Spec {
        keys: 76,
        key_forms: KeyForm::ALL.to_vec(),
        defects: mix(16_000, &all_but(&idless)),
        ..spec.clone()
    };
    let narrow = Spec {
        algorithms: vec![Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs512],
        keys: 6,
        defects: mix(16_000, Defect::OF_ONE_ISSUER),
        ..spec
    };
    for spec in [few, forms, narrow] {
        let dataset = Dataset::new(spec.clone()).unwrap();
        let (mut tokens, mut truth) = (Vec::new(), Vec::new());
        let summary = dataset
            .write(&mut tokens, Some(&mut truth), |_| ())
            .unwrap();
        assert_eq!(summary.lines, spec.count);
        assert_eq!(summary.defects.len(), spec.defects.len());
        for (defect, count) in summary.defects {
            assert!((19..=20).contains(&count), "{defect}: {count}");
        }
        let limit = dataset.audit_flags().max_token_bytes.unwrap() as usize;
        let mut lines = dataset.lines();
        while let Some(line) = lines.next() {
            let is_long = line.defect == Some(Defect::TooLong);
            assert_eq!(line.token.len() > limit, is_long, "line {}", line.number);
        }
        let set: Value = serde_json::from_str(&dataset.jwks()).unwrap();
        let keys = set["keys"].as_array().unwrap();
        let ids: Vec<&str> = keys.iter().filter_map(|jwk| jwk["kid"].as_str()).collect();
        let distinct: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len());
        let files = dataset.key_files();
        assert_eq!(files.is_empty(), spec.key_forms.len() == 1);
        let arguments = dataset.audit_flags().args("a/keys.json");
        for file in &files {
            assert!(arguments.contains(&format!("a/{}", file.name)));
        }
        let private = keys
            .iter()
            .filter(|jwk| jwk["d"].is_string() || jwk["priv"].is_string());
        assert_eq!(private.count() > 0, spec.key_forms.len() > 1);
        let certified = keys.iter().filter(|jwk| jwk["x5c"][0].is_string());
        assert_eq!(certified.count() > 0, spec.key_forms.len() > 1);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_every_machine() {
    let idless = [
        Defect::KeyNotFound,
        Defect::TooManyKeys,
        Defect::AlgNotAllowed,
    ];
    let dataset = Dataset::new(Spec {
        count: 500,
        seed: 7,
        algorithms: Algorithm::ALL.to_vec(),
        keys: 57,
        rsa_bits: vec![2048, 3072],
        key_forms: KeyForm::ALL.to_vec(),
        defects: mix(16_000, &all_but(&idless)),
        edges: Share::from_percent(20),
        ..Spec::default()
    })
    .unwrap();
    let (mut tokens, mut truth) = (Vec::new(), Vec::new());
    dataset
        .write(&mut tokens, Some(&mut truth), |_| ())
        .unwrap();
    let mut hash = Sha256::new();
    let jwks = dataset.jwks();
    let arguments = dataset.audit_flags().shell("keys.json");
    let files = dataset.key_files();
    let files = files.iter().map(|file| &file.content[..]);
    let parts = [&tokens[..], &truth, jwks.as_bytes(), arguments.as_bytes()];
    for part in parts.into_iter().chain(files) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    // A change of this is a change of every data set that anyone has made from a seed.
    assert_eq!(
        digest,
        "e050cae18f3a1b4e5918979ebf6f2d61892931167e354dc4ca4b88dc0922ebe7"
    );
}
