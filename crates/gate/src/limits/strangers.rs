//! Failed authentication, limited by address.
//!
//! Each address (of IPv6, each /64) has a bucket of failures that refills evenly over a minute. Once it is empty, a credential that this
//! node cannot judge by what it remembers is not looked up, and a wrong one is answered 429 in place of 401. A credential that this node
//! knows as good is never held up, whatever others do from the same address; a good one that this node has not seen since its start (or has
//! dropped from memory) waits until the bucket has refilled by one: at most a minute divided by the bucket's size.
//!
//! Memory is bounded by [`MOST`] addresses: whole ones are dropped first, then any.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{Error, Kind, Timestamp};

use super::{Bucket, Window};

const SHARDS: usize = 16;
/// Most addresses that are remembered.
pub(crate) const MOST: usize = 65_536;
const MINUTE: u64 = 60_000;

/// See the module.
pub(crate) struct Strangers {
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<IpAddr, u64>>>,
    bucket: Option<Bucket>,
}

impl Strangers {
    /// So many failures in a minute; 0: any number.
    pub(crate) fn new(per_minute: u32) -> Self {
        let size = u64::from(per_minute);
        let bucket = (size > 0).then_some(Bucket { size, refill: Window { name: "minute", quota: size, millis: MINUTE } });
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect(), bucket }
    }

    fn shard(&self, address: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, u64>> {
        let shard = usize::try_from(self.hasher.hash_one(address) % SHARDS as u64).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `address` has no failure left, and for how long.
    pub(crate) fn held_up(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let (bucket, now) = (self.bucket?, millis(now));
        let address = network(address);
        let arrival = *self.shard(address).get(&address)?;
        bucket.room(arrival, now, 1).err().map(Duration::from_millis)
    }

    /// Counts a failure. How long `address` is held up from now on, if it had none left before.
    pub(crate) fn failed(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let (bucket, now) = (self.bucket?, millis(now));
        let address = network(address);
        let mut addresses = self.shard(address);
        if addresses.len() >= MOST / SHARDS && !addresses.contains_key(&address) {
            addresses.retain(|_, arrival| *arrival > now.saturating_mul(1_000_000));
            if addresses.len() >= MOST / SHARDS
                && let Some(any) = addresses.keys().next().copied()
            {
                addresses.remove(&any);
            }
        }
        let arrival = addresses.entry(address).or_insert(0);
        match bucket.room(*arrival, now, 1) {
            Ok(next) => {
                *arrival = next;
                None
            }
            Err(wait) => Some(Duration::from_millis(wait)),
        }
    }
}

/// 429 `too_many_failures`.
pub(crate) fn refusal(wait: Duration) -> Error {
    metrics::counter!("tradewind_authentication_held_up").increment(1);
    let text = "Too many failed authentications from your address. Try again when Retry-After says.";
    Error::new(Kind::RateLimited, "too_many_failures", text).retry_after(wait)
}

fn millis(now: Timestamp) -> u64 {
    u64::try_from(now.millis()).unwrap_or(0)
}

/// What one caller can choose from: an IPv4 address, or the /64 of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_760_000_000_000 + ms)
    }

    #[test]
    fn an_address_is_held_up_until_a_failure_has_come_back() {
        let (strangers, who) = (Strangers::new(30), IpAddr::from([192, 0, 2, 7]));
        for _ in 0..30 {
            assert_eq!((strangers.held_up(who, at(0)), strangers.failed(who, at(0))), (None, None));
        }
        let wait = Duration::from_secs(2);
        assert_eq!((strangers.held_up(who, at(0)), strangers.failed(who, at(0))), (Some(wait), Some(wait)));
        assert_eq!(strangers.held_up(IpAddr::from([192, 0, 2, 8]), at(0)), None, "another address is another caller");
        assert_eq!(strangers.held_up(who, at(2000)), None);
        assert_eq!(strangers.failed(who, at(2000)), None);
        assert!(strangers.failed(who, at(2000)).is_some());
        assert!(Strangers::new(0).failed(who, at(0)).is_none());
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let strangers = Strangers::new(1);
        assert_eq!(strangers.failed("2001:db8::1".parse().unwrap(), at(0)), None);
        assert!(strangers.failed("2001:db8::ffff:2".parse().unwrap(), at(0)).is_some());
        assert_eq!(strangers.failed("2001:db8:0:1::1".parse().unwrap(), at(0)), None);
        assert_eq!(strangers.failed("::ffff:192.0.2.1".parse().unwrap(), at(0)), None);
        assert!(strangers.held_up("192.0.2.1".parse().unwrap(), at(0)).is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let strangers = Strangers::new(5);
        for n in 0..u32::try_from(2 * MOST).unwrap() {
            strangers.failed(IpAddr::from(n.to_be_bytes()), at(0));
        }
        let kept: usize = strangers.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(kept <= MOST && kept > MOST / 2, "{kept}");
    }
}
