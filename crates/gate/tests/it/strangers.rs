//! Failed authentication is limited by address, and never at the cost of a key that is known.

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
    async fn an_address_that_guesses_is_held_up_and_a_known_key_is_not(bed: Bed) {
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
        from(&bed, "192.0.2.1", &unseen).await.assert(429, "too_many_failures");
        assert_eq!(from(&bed, "192.0.2.2", &unseen).await.status, 200, "another address is another caller");
        assert_eq!(from(&bed, "192.0.2.1", &unseen).await.status, 200, "and now it is known");
        let another = bed.key(json!({})).await;
        bed.clock.advance(Duration::from_millis(500));
        assert_eq!(from(&bed, "192.0.2.1", &another).await.status, 200, "within a minute's share an unknown one gets in");
        bed.usage.flush().await;
    }

    async fn a_missing_credential_is_no_guess(bed: Bed) {
        for _ in 0..FAILURES + 20 {
            bed.send(Method::GET, "/me", &[], None).await.assert(401, "missing_credential");
        }
    }
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
