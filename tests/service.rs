//! A service: threads that answer requests at the present time while its keys are rotated.
//!
//! A validator never changes, so a service keeps one behind a lock and puts another in its place. A
//! request takes a clone, and is answered by the keys of before or after the change, never by both.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use jotmill::{AcceptError, Judge, KeySet, Policy, Reason, UnixTime, Validator, Verdict};
use serde::Deserialize;
use serde_json::json;

use crate::token_maker::{TokenMaker, encode};

const ISSUER: &str = "https://auth.example.com/";
const AUDIENCE: &str = "api://orders";
/// How many keys there are to rotate; see [`secret`].
const KEYS: usize = 4;

/// What the service takes of the claims.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    role: Option<String>,
}

/// The answer to a request: a status, and a text that is safe to log.
type Answer = (u16, String);

/// What the threads of a service share.
struct Service {
    validator: RwLock<Validator>,
    /// How often the keys were rotated; counted behind the change of the validator.
    rotations: AtomicUsize,
}

impl Service {
    fn new(keys: KeySet) -> Self {
        let policy = Policy::service().issuer(ISSUER).audience(AUDIENCE);
        Self {
            validator: RwLock::new(Validator::new(policy, keys).expect("a key")),
            rotations: AtomicUsize::new(0),
        }
    }

    /// The present validator. The lock is held for a clone, and not while a token is validated.
    fn validator(&self) -> Validator {
        self.validator.read().expect("no panic").clone()
    }

    fn rotations(&self) -> usize {
        self.rotations.load(Ordering::Acquire)
    }

    fn rotate(&self, keys: KeySet) {
        let next = self.validator().with_keys(keys).expect("one policy");
        *self.validator.write().expect("no panic") = next;
        self.rotations.fetch_add(1, Ordering::Release);
    }

    /// Answers a request at the present time.
    fn handle(&self, token: &[u8]) -> Answer {
        answer(self.validator().accept(token))
    }
}

/// A thread of a service with a judge, which it replaces when the keys were rotated.
struct Worker<'s> {
    service: &'s Service,
    judge: Judge,
    rotations: usize,
}

impl<'s> Worker<'s> {
    fn new(service: &'s Service) -> Self {
        // Read before the validator, which may be newer but not older.
        let rotations = service.rotations();
        Self {
            service,
            judge: Judge::new(&service.validator()).expect("a kernel"),
            rotations,
        }
    }

    fn handle(&mut self, token: &[u8]) -> Answer {
        if self.rotations != self.service.rotations() {
            *self = Self::new(self.service);
        }
        answer(self.judge.accept(token))
    }
}

/// 401 with the codes, or what the claims allow.
fn answer(accepted: Result<Claims, AcceptError>) -> Answer {
    let claims = match accepted {
        Ok(claims) => claims,
        Err(AcceptError::Rejected(verdict)) => return (401, codes(&verdict)),
        Err(AcceptError::Clock(error)) => return (500, error.to_string()),
        Err(error) => return (401, error.to_string()),
    };
    // The service's own check, of claims that the signature covers.
    match claims.role.as_deref() {
        Some("orders:read") => (200, claims.sub),
        _ => (403, "no role for this".to_owned()),
    }
}

fn codes(verdict: &Verdict) -> String {
    let codes: Vec<_> = verdict.reasons.iter().map(Reason::code).collect();
    codes.join(" ")
}

fn secret(number: usize) -> [u8; 64] {
    [b'a' + u8::try_from(number).expect("few keys"); 64]
}

/// The JWK Set that has the key of this number alone.
fn keys(number: usize) -> KeySet {
    let k = encode(secret(number));
    let jwks = json!({"keys": [{"kty": "oct", "kid": format!("key-{number}"), "k": k}]});
    let mut keys = KeySet::new();
    keys.add_key(jwks.to_string().as_bytes(), "a test")
        .expect("a usable key");
    keys
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::new(seconds, 0).expect("a time")
}

fn now() -> u64 {
    UnixTime::now().expect("a clock that is right").seconds()
}

/// A token of the key of this number.
fn token(number: usize, role: &str, exp: u64) -> Vec<u8> {
    let payload = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{number}"), "role": role, "exp": exp,
    });
    TokenMaker::new()
        .header(json!({"alg": "HS256", "kid": format!("key-{number}")}).to_string())
        .payload(payload.to_string())
        .secret(secret(number))
        .sign()
}

fn good(number: usize, exp: u64) -> Vec<u8> {
    token(number, "orders:read", exp)
}

#[test]
fn a_request_is_answered_with_the_codes_or_by_the_claims() {
    let service = Service::new(keys(0));
    let answer = |token: &[u8]| service.handle(token);
    let later = now() + 600;
    assert_eq!(answer(&good(0, later)), (200, "user-0".to_owned()));
    assert_eq!(answer(&token(0, "guest", later)).0, 403);
    let rejected = |codes: &str| (401, codes.to_owned());
    assert_eq!(answer(b"not a token"), rejected("segment-count"));
    assert_eq!(answer(&good(1, later)), rejected("key-not-found"));
    assert_eq!(answer(&good(0, 1)), rejected("expired"));
    // The role of a token that is not valid opens nothing.
    let mut forged = good(0, later);
    let dot = forged.iter().position(|byte| *byte == b'.').expect("a dot");
    forged[dot + 5] ^= 1;
    assert_eq!(answer(&forged).0, 401);
    // A valid token whose claims are not those of this service.
    let of_machine = TokenMaker::new()
        .header(json!({"alg": "HS256", "kid": "key-0"}).to_string())
        .payload(json!({"iss": ISSUER, "aud": AUDIENCE, "exp": later}).to_string())
        .secret(secret(0))
        .sign();
    let (status, text) = answer(&of_machine);
    assert_eq!(status, 401);
    assert!(text.contains("missing field `sub`"), "{text}");
}

/// Ends the threads that look at it, also when the test panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Rotates keys while four threads answer requests, each in the way given.
fn rotate_while_requests_are_answered<'s, H>(
    service: &'s Service,
    new_handler: impl Fn(&'s Service) -> H + Sync,
) where
    H: FnMut(&[u8]) -> Answer,
{
    let tokens: Vec<Vec<u8>> = (0..KEYS).map(|number| good(number, now() + 600)).collect();
    let refused = (401, "key-not-found".to_owned());
    let accepted: [AtomicUsize; KEYS] = Default::default();
    let is_done = AtomicBool::new(false);
    let answer_requests = || {
        let mut handle = new_handler(service);
        while !is_done.load(Ordering::Acquire) {
            for (number, token) in tokens.iter().enumerate() {
                let earliest = service.rotations();
                let answer = handle(token);
                // The validator is replaced before the rotation is counted.
                let latest = service.rotations() + 1;
                if answer == (200, format!("user-{number}")) {
                    let is_of_key = |rotations| rotations % KEYS == number;
                    assert!((earliest..=latest).any(is_of_key), "{number}");
                    accepted[number].fetch_add(1, Ordering::Relaxed);
                } else {
                    assert_eq!(answer, refused);
                }
            }
            // One validator has one key set, whatever is rotated meanwhile.
            let verdicts = service.validator().validate_all_at(&tokens, at(now()));
            let verdicts = verdicts.expect("a kernel");
            assert_eq!(verdicts.iter().filter(|it| it.is_valid()).count(), 1);
        }
    };
    thread::scope(|scope| {
        let _stop = StopOnDrop(&is_done);
        let threads = [(); 4].map(|()| scope.spawn(answer_requests));
        // Each key is kept until some thread has accepted its token.
        for number in (1..=3 * KEYS).map(|rotation| rotation % KEYS) {
            let before = accepted[number].load(Ordering::Relaxed);
            service.rotate(keys(number));
            let mut handle = new_handler(service);
            for (other, token) in tokens.iter().enumerate() {
                match handle(token) {
                    answer if other == number => assert_eq!(answer.0, 200),
                    answer => assert_eq!(answer, refused, "{other} after {number}"),
                }
            }
            while accepted[number].load(Ordering::Relaxed) == before {
                assert!(threads.iter().all(|thread| !thread.is_finished()));
                thread::yield_now();
            }
        }
    });
}

#[test]
fn keys_are_rotated_while_threads_share_a_validator() {
    let service = Service::new(keys(0));
    rotate_while_requests_are_answered(&service, |service| |token: &[u8]| service.handle(token));
}

#[test]
fn keys_are_rotated_while_each_thread_has_a_judge() {
    let service = Service::new(keys(0));
    rotate_while_requests_are_answered(&service, |service| {
        let mut worker = Worker::new(service);
        move |token: &[u8]| worker.handle(token)
    });
}

#[test]
fn a_token_that_expires_between_two_calls_is_refused_at_the_second() {
    let exp = 1_790_000_000;
    let token = good(0, exp);
    let validator = Service::new(keys(0)).validator();
    let mut judge = Judge::new(&validator).expect("a kernel");
    let expired = Verdict {
        reasons: Reason::Expired.into(),
        ..validator.validate_at(&token, at(exp - 1))
    };
    // From the third time on, the judge has the token in its cache.
    for _ in 0..5 {
        assert!(validator.validate_at(&token, at(exp - 1)).is_valid());
        assert_eq!(validator.validate_at(&token, at(exp)), expired);
        assert!(judge.validate_at(&token, at(exp - 1)).is_valid());
        assert_eq!(judge.validate_at(&token, at(exp)), expired);
        assert!(judge.accept_at::<Claims>(&token, at(exp - 1)).is_ok());
        let error = judge.accept_at::<Claims>(&token, at(exp)).err();
        assert_eq!(error.expect("a rejection").to_string(), "rejected: expired");
        let both = [(&token, at(exp - 1)), (&token, at(exp))];
        for verdicts in [
            judge.validate_each_at(&both),
            validator.validate_each_at(&both).expect("a kernel"),
        ] {
            assert!(verdicts[0].is_valid());
            assert_eq!(verdicts[1], expired);
        }
    }
}

#[test]
fn a_token_that_expires_while_the_service_runs_is_refused_from_then_on() {
    let service = Service::new(keys(0));
    let validator = service.validator();
    let mut judge = Judge::new(&validator).expect("a kernel");
    let (token, exp) = loop {
        // One second at least is left.
        let exp = now() + 2;
        let token = good(0, exp);
        let answer = service.handle(&token);
        let verdicts = [validator.validate(&token), judge.validate(&token)];
        let claims = judge.accept::<Claims>(&token);
        // A busy machine may have taken longer.
        if now() < exp {
            assert_eq!(answer, (200, "user-0".to_owned()));
            assert!(
                verdicts
                    .map(|it| it.expect("a clock"))
                    .iter()
                    .all(Verdict::is_valid)
            );
            assert_eq!(claims.expect("valid").sub, "user-0");
            break (token, exp);
        }
    };
    while now() < exp {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(service.handle(&token), (401, "expired".to_owned()));
    for verdict in [validator.validate(&token), judge.validate(&token)] {
        assert_eq!(verdict.expect("a clock").reasons, Reason::Expired.into());
    }
    let error = judge.accept::<Claims>(&token).expect_err("a rejection");
    assert_eq!(error.to_string(), "rejected: expired");
    let error = validator.accept::<Claims>(&token).expect_err("a rejection");
    assert_eq!(error.to_string(), "rejected: expired");
}
