use super::*;
use crate::share::Share;
use crate::text::base64url;
use serde_json::Value;

fn spec(defects: &[Defect]) -> Spec {
    let defects = defects
        .iter()
        .map(|&defect| (defect, Share::from_percent(1)))
        .collect();
    Spec {
        defects,
        ..Spec::default()
    }
}

fn made(spec: &Spec) -> Result<KeyRing, SpecError> {
    KeyRing::new(spec, &BTreeSet::new(), &|_| ())
}

fn members(ring: &KeyRing) -> Vec<Value> {
    let set: Value = serde_json::from_str(&ring.jwks()).unwrap();
    set["keys"].as_array().unwrap().clone()
}

#[test]
fn every_key_is_in_the_set_with_an_id_of_its_own_and_a_long_enough_secret() {
    let algorithms = Algorithm::HMAC.to_vec();
    let ring = made(&Spec {
        algorithms,
        keys: 100,
        ..spec(&[])
    })
    .unwrap();
    let members = members(&ring);
    assert_eq!(members.len(), 100);
    let ids: BTreeSet<_> = members.iter().map(|m| m["kid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 100);
    for (member, key) in members.iter().zip(&ring.keys) {
        let k = member["k"].as_str().unwrap();
        assert_eq!(k, base64url(&key.secret));
        let least = match member["alg"].as_str() {
            Some("HS256") => 32,
            Some("HS384") => 48,
            _ => 64,
        };
        assert!(key.secret.len() >= least);
    }
    assert!(members.iter().any(|m| m["alg"].is_null()));
}

#[test]
fn keys_without_an_id_are_the_last_and_are_named_by_no_kid_or_an_unknown_one() {
    let ring = made(&Spec {
        keys: 4,
        keys_without_id: 1,
        ..spec(&[])
    })
    .unwrap();
    let members = members(&ring);
    assert!(members[2]["kid"].is_string() && members[3]["kid"].is_null());
    let mut rng = Streams::new(1, 1).at(1);
    for _ in 0..1_000 {
        let signer = ring.draw(&mut rng);
        match ring.key(signer.key).id {
            Some(_) => assert_ne!(signer.naming, Naming::Unknown),
            None => assert_ne!(signer.naming, Naming::Own),
        }
    }
}

#[test]
fn too_many_keys_leaves_one_try_too_few_and_no_valid_token_unnamed() {
    for keys in [1, 2, 3, 40] {
        let ring = made(&Spec {
            keys,
            ..spec(&[Defect::TooManyKeys])
        })
        .unwrap();
        let fits = members(&ring).len();
        assert!(fits >= 3);
        assert_eq!(ring.max_key_tries(), Some(u32::try_from(fits - 1).unwrap()));
        let mut rng = Streams::new(1, 1).at(1);
        assert!((0..1_000).all(|_| ring.draw(&mut rng).naming == Naming::Own));
    }
    assert_eq!(made(&spec(&[])).unwrap().max_key_tries(), None);
}

#[test]
fn refused_keys_are_in_the_set_only_where_a_defect_needs_them() {
    assert_eq!(members(&made(&spec(&[])).unwrap()).len(), 3);
    let ring = made(&spec(&[Defect::KeyMismatch, Defect::KeyUnusable])).unwrap();
    assert_eq!(members(&ring).len(), 3 + 7 + 7);
}

#[test]
fn what_the_keys_cannot_produce_is_an_error() {
    let idless = |defect| Spec {
        keys_without_id: 1,
        ..spec(&[defect])
    };
    assert!(made(&idless(Defect::KeyNotFound)).is_err());
    assert!(made(&idless(Defect::ForeignIssuerKey)).is_err());
    assert!(made(&idless(Defect::TooManyKeys)).is_err());
    let algorithms = Algorithm::HMAC.to_vec();
    let every = Spec {
        algorithms,
        ..spec(&[Defect::AlgNotAllowed])
    };
    assert!(made(&every).is_err());
}
