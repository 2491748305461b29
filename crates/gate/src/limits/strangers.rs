//! Failed authentication, limited by address.
//!
//! Each address (of IPv6, each /64) has a bucket of failures that refills evenly over a minute. Once it is empty, a wrong credential is
//! answered 429 in place of 401, and what this node cannot judge by what it remembers is looked up at a pace: [`LOOK_UPS`] a second, each in
//! its turn, which is [`PATIENCE`] away at most. So guesses cost a bounded number of look-ups, and a good credential that this node has not
//! seen since its start (or has dropped from memory) is found all the same, whatever others do from the same address, unless so many
//! well-formed guesses wait at once that its turn would not come in time. One that this node knows never waits. What has no checksum of
//! ours is refused without a look-up, and takes nobody's turn.
//!
//! Memory is bounded by [`MOST`] addresses: whole ones are dropped first, then any.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::{Error, Kind, Result, Timestamp};
use web::network;

use super::{Bucket, Window};

const SHARDS: usize = 16;
/// Most addresses that are remembered.
pub(crate) const MOST: usize = 65_536;
const MINUTE: u64 = 60_000;
/// Look-ups in a second for an address without failures left.
const LOOK_UPS: u64 = 100;
/// So many of them at once.
const AT_ONCE: u64 = 20;
/// Longest wait for one's turn in ms.
const PATIENCE: u64 = 500;
/// From one turn to the next in ns.
const TURN: u64 = 1_000_000_000 / LOOK_UPS;

/// See the module.
pub(crate) struct Strangers {
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<IpAddr, Record>>>,
    bucket: Option<Bucket>,
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// When its bucket of failures is whole again, in ns.
    failures: u64,
    /// When the next turn is, in ns.
    turn: u64,
}

/// Whether a credential may be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It may, after this time.
    After(Duration),
    /// Too many wait already; a failure comes back after this time.
    Refused(Duration),
}

impl Strangers {
    /// So many failures in a minute; 0: any number.
    pub(crate) fn new(per_minute: u32) -> Self {
        let size = u64::from(per_minute);
        let bucket = (size > 0).then_some(Bucket { size, refill: Window { name: "minute", quota: size, millis: MINUTE } });
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| Mutex::default()).collect(), bucket }
    }

    fn shard(&self, address: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, Record>> {
        let shard = usize::try_from(self.hasher.hash_one(address) % SHARDS as u64).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn to look a credential up that `address` shows.
    pub(crate) fn turn(&self, address: IpAddr, now: Timestamp) -> Turn {
        let Some(bucket) = self.bucket else { return Turn::After(Duration::ZERO) };
        let (address, now) = (network(address), millis(now));
        let mut addresses = self.shard(address);
        let Some(record) = addresses.get_mut(&address) else { return Turn::After(Duration::ZERO) };
        let Err(until_whole) = bucket.room(record.failures, now, 1) else { return Turn::After(Duration::ZERO) };
        let now = now.saturating_mul(1_000_000);
        let turn = record.turn.max(now);
        let wait = (turn - now).saturating_sub(AT_ONCE * TURN);
        if wait > PATIENCE * 1_000_000 {
            return Turn::Refused(Duration::from_millis(until_whole));
        }
        record.turn = turn + TURN;
        Turn::After(Duration::from_nanos(wait))
    }

    /// Waits for that turn. Error: 429 `too_many_failures`.
    pub(crate) async fn wait(&self, address: IpAddr, now: Timestamp) -> Result<()> {
        match self.turn(address, now) {
            Turn::After(Duration::ZERO) => Ok(()),
            Turn::After(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Turn::Refused(wait) => Err(refusal(wait)),
        }
    }

    /// Counts a failure. How long `address` is held up from now on, if it had none left before.
    pub(crate) fn failed(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let (bucket, now) = (self.bucket?, millis(now));
        let address = network(address);
        let mut addresses = self.shard(address);
        if addresses.len() >= MOST / SHARDS && !addresses.contains_key(&address) {
            addresses.retain(|_, record| record.failures > now.saturating_mul(1_000_000));
            if addresses.len() >= MOST / SHARDS
                && let Some(any) = addresses.keys().next().copied()
            {
                addresses.remove(&any);
            }
        }
        let record = addresses.entry(address).or_default();
        match bucket.room(record.failures, now, 1) {
            Ok(next) => {
                record.failures = next;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_760_000_000_000 + ms)
    }

    const AT_ONCE_NOW: Turn = Turn::After(Duration::ZERO);

    #[test]
    fn failures_are_limited_until_one_has_come_back() {
        let (strangers, who) = (Strangers::new(30), IpAddr::from([192, 0, 2, 7]));
        for _ in 0..30 {
            assert_eq!((strangers.turn(who, at(0)), strangers.failed(who, at(0))), (AT_ONCE_NOW, None));
        }
        assert_eq!(strangers.failed(who, at(0)), Some(Duration::from_secs(2)));
        assert_eq!(strangers.failed(IpAddr::from([192, 0, 2, 8]), at(0)), None, "another address is another caller");
        assert_eq!(strangers.failed(who, at(2000)), None);
        assert!(strangers.failed(who, at(2000)).is_some());
        assert!(Strangers::new(0).failed(who, at(0)).is_none());
    }

    #[test]
    fn look_ups_of_an_address_that_guesses_go_at_a_pace_and_each_has_its_turn() {
        let (strangers, who) = (Strangers::new(1), IpAddr::from([192, 0, 2, 7]));
        assert_eq!(strangers.failed(who, at(0)), None);
        // One after another they never wait, as long as they come no faster than the pace.
        for n in 0..1000 {
            assert_eq!(strangers.turn(who, at(n * 10)), AT_ONCE_NOW);
        }
        // All at once: some now, some in their turn, the others not at all.
        let now = at(20_000);
        let turns: Vec<Turn> = (0..1000).map(|_| strangers.turn(who, now)).collect();
        let waits: Vec<u128> =
            turns.iter().filter_map(|turn| if let Turn::After(wait) = turn { Some(wait.as_millis()) } else { None }).collect();
        assert_eq!(waits.len(), 71, "{waits:?}");
        assert!(waits[..21].iter().all(|wait| *wait == 0) && waits[70] == 500 && waits.is_sorted(), "{waits:?}");
        assert_eq!(turns[71], Turn::Refused(Duration::from_secs(40)));
        // However fast they come, so many are looked up in a second.
        let in_a_second = (0..10_000).filter(|n| matches!(strangers.turn(who, at(20_000 + n / 10)), Turn::After(_))).count();
        assert!((99..=101).contains(&in_a_second), "{in_a_second}");
        assert_eq!(strangers.turn(IpAddr::from([192, 0, 2, 8]), now), AT_ONCE_NOW);
        assert_eq!(strangers.turn(who, at(80_000)), AT_ONCE_NOW, "whoever has failures left is not held up");
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let strangers = Strangers::new(1);
        assert_eq!(strangers.failed("2001:db8::1".parse().unwrap(), at(0)), None);
        assert!(strangers.failed("2001:db8::ffff:2".parse().unwrap(), at(0)).is_some());
        assert_eq!(strangers.failed("2001:db8:0:1::1".parse().unwrap(), at(0)), None);
        assert_eq!(strangers.failed("::ffff:192.0.2.1".parse().unwrap(), at(0)), None);
        assert!(strangers.failed("192.0.2.1".parse().unwrap(), at(0)).is_some());
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
