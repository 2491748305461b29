//! The server's numbers in proofs (RFC 9449 §8).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Ambient, Result, Timestamp};
use store::Store;
use subtle::ConstantTimeEq as _;

use kernel::Secret;

/// How long one is the newest; it is accepted for as long again.
const EACH: Duration = Duration::from_secs(150);
/// Bytes of the keyed hash that are written.
const LENGTH: usize = 18;

/// What makes and knows them.
#[derive(Clone)]
pub struct Nonces(Secret<[u8; 32]>);

impl Nonces {
    /// The installation's. Errors: those of the store.
    pub async fn load(store: &Store) -> Result<Self> {
        let ambient: Ambient = store.ambient().clone();
        let secret = store.installation_secret("dpop_nonces", move || ambient.bytes::<32>().to_vec()).await?;
        Ok(Self(Secret::new(web::signature::derive(&secret, "nonces"))))
    }

    #[cfg(test)]
    pub(super) fn of(secret: &[u8; 32]) -> Self {
        Self(Secret::new(*secret))
    }

    /// How long proofs with one nonce are accepted at most.
    pub const fn lifetime() -> Duration {
        EACH.saturating_mul(2)
    }

    /// The one that answers carry at `now`.
    pub fn newest(&self, now: Timestamp) -> String {
        self.of_step(step(now))
    }

    /// Whether `nonce` is accepted at `now`: none, or whether it is the newest.
    pub fn known(&self, nonce: &str, now: Timestamp) -> Option<bool> {
        let is = |step: i64| bool::from(nonce.as_bytes().ct_eq(self.of_step(step).as_bytes()));
        let (newest, before, next) = (is(step(now)), is(step(now) - 1), is(step(now) + 1));
        // The next one: of a node whose clock is ahead.
        (newest | before | next).then_some(!before)
    }

    fn of_step(&self, step: i64) -> String {
        let secret = Secret::new(self.0.reveal().to_vec());
        URL_SAFE_NO_PAD.encode(&web::signature::derive(&secret, &step.to_string())[..LENGTH])
    }
}

fn step(now: Timestamp) -> i64 {
    now.millis().div_euclid(i64::try_from(EACH.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_good_for_its_time_and_as_long_again() {
        let nonces = Nonces::of(&[1; 32]);
        let start = Timestamp::from_millis(150_000 * 1000);
        let nonce = nonces.newest(start);
        let after = |seconds: u64| nonces.known(&nonce, start.plus(Duration::from_secs(seconds)));
        assert_eq!((after(0), after(149), after(150), after(299), after(300)), (Some(true), Some(true), Some(false), Some(false), None));
        assert_eq!(nonces.known(&nonce, start.minus(Duration::from_secs(1))), Some(true), "this node's clock is behind");
        assert_eq!(nonces.known("", start), None);
        assert_eq!(Nonces::of(&[2; 32]).known(&nonce, start), None, "another installation's");
        assert_eq!(nonce.len(), 24);
    }
}
