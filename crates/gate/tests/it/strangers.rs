//! Failed authentication is limited by address, and never at the cost of a right key.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::bed::{Answer, Bed};

/// What an address has in a minute unless something else is set.
const FAILURES: usize = 120;

async fn from(bed: &Bed, address: &str, key: &str) -> Answer {
    bed.send_to(&bed.router, address, Method::GET, "/me", &[("authorization", &format!("Bearer {key}"))], None).await
}

testkit::engines! {
    async fn an_address_that_guesses_is_held_up_and_a_right_key_is_not(bed: Bed) {
        let (good, unseen) = (bed.key(json!({"rateLimitOverride": 1000})).await, bed.key(json!({})).await);
        assert_eq!(from(&bed, "192.0.2.1", &good).await.status, 200);
        for attempt in 0..FAILURES {
            // Wrong in every way: no key at all, the right id with a wrong secret.
            let guess = if attempt % 2 == 0 { "nonsense".to_owned() } else { twisted(&good) };
            from(&bed, "192.0.2.1", &guess).await.assert(401, "invalid_credential");
        }
        for guess in ["nonsense".to_owned(), twisted(&good)] {
            let held = from(&bed, "192.0.2.1", &guess).await;
            held.assert(429, "too_many_failures");
            assert_eq!(held.header("retry-after"), "1");
        }
        assert_eq!(from(&bed, "192.0.2.1", &good).await.status, 200, "whoever is known is not held up");
        assert_eq!(from(&bed, "192.0.2.1", &unseen).await.status, 200, "nor is a right key that was never seen here");
        from(&bed, "192.0.2.2", "nonsense").await.assert(401, "invalid_credential");
        // However many guesses come at once, only so many are looked up, each in its turn; the clock stands still, so no turn comes after those.
        let guesses = (0..100).map(|_| async { from(&bed, "192.0.2.1", &twisted(&good)).await.assert(429, "too_many_failures") });
        futures_util::future::join_all(guesses).await;
        let another = bed.key(json!({})).await;
        from(&bed, "192.0.2.1", &another).await.assert(429, "too_many_failures");
        assert_eq!(from(&bed, "192.0.2.2", &another).await.status, 200, "another address is another caller");
        let third = bed.key(json!({})).await;
        bed.clock.advance(Duration::from_millis(600));
        assert_eq!(from(&bed, "192.0.2.1", &third).await.status, 200, "half a second later there is a turn again");
        bed.usage.flush().await;
    }

    async fn a_missing_credential_is_no_guess(bed: Bed) {
        for _ in 0..FAILURES + 20 {
            bed.send(Method::GET, "/me", &[], None).await.assert(401, "missing_credential");
        }
    }
}

/// Sixteen strangers guess without a pause, each guess with a checksum that is right; meanwhile keys that this node has never seen are used.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_key_wins_against_guesses_from_its_own_address() {
    let mut bed = <Bed as testkit::Bed>::open(testkit::Engine::sqlite()).await;
    // Turns come by the clock.
    bed.ambient = kernel::Ambient::system();
    let options = gate::CounterOptions { failures_per_minute: 5, ..gate::CounterOptions::default() };
    let (router, _counters) = bed.node(&options);
    let guess = twisted(&bed.key(json!({})).await);
    let mut keys = Vec::new();
    for _ in 0..8 {
        keys.push(bed.key(json!({})).await);
    }
    let call = async |key: &str| {
        let bearer = format!("Bearer {key}");
        bed.send_to(&router, "192.0.2.1", Method::GET, "/me", &[("authorization", &bearer)], None).await.status.as_u16()
    };
    for _ in 0..5 {
        assert_eq!(call(&guess).await, 401);
    }
    let (over, guesses) = (AtomicBool::new(false), AtomicUsize::new(0));
    let stranger = || async {
        while !over.load(Ordering::Relaxed) {
            assert_eq!(call(&guess).await, 429);
            guesses.fetch_add(1, Ordering::Relaxed);
        }
    };
    let partner = async {
        let busy = || async { (guesses.load(Ordering::Relaxed) >= 48).then_some(()) };
        testkit::wait::until("guesses without a pause", Duration::from_secs(20), busy).await;
        let mut answers = Vec::new();
        for key in &keys {
            answers.push(call(key).await);
        }
        over.store(true, Ordering::Relaxed);
        answers
    };
    let (answers, _) = tokio::join!(partner, futures_util::future::join_all((0..16).map(|_| stranger())));
    assert_eq!(answers, [200; 8], "each at the first try");
}

/// The same key with another secret and the checksum that belongs to it: only the comparison can tell.
fn twisted(key: &str) -> String {
    let (head, _) = key.rsplit_once('_').unwrap();
    let secret = "A".repeat(43);
    let body = format!("{head}_{secret}");
    let crc = crc32fast::hash(body.as_bytes());
    format!("{body}{}", base62(crc))
}

fn base62(mut number: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    String::from_utf8(digits.to_vec()).unwrap()
}
