//! How often strangers may call public endpoints: so many calls a minute from one address to one tenant, and as many look-ups of tenants that
//! do not exist. In memory, of this node.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::{Error, Kind, Result, TenantId, Timestamp};

const WINDOW: Duration = Duration::from_mins(1);
/// Calls in a window.
const CALLS: u32 = 300;
/// Most addresses that are remembered.
const MOST: usize = 20_000;

/// Calls by whom they are for (none: nobody) and from where.
#[derive(Default)]
pub(super) struct Bounds(Mutex<HashMap<Caller, Window>>);

type Caller = (Option<TenantId>, IpAddr);
/// When it began, and the calls in it.
type Window = (Timestamp, u32);

impl Bounds {
    /// Counts a call. Error: 429 `rate_limited`, when there were too many.
    pub(super) fn count(&self, tenant: Option<TenantId>, remote: IpAddr, now: Timestamp) -> Result<()> {
        let key = (tenant, network(remote));
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST && !windows.contains_key(&key) {
            windows.retain(|_, (began, _)| is_open(*began, now));
            // More than so many at once: to forget them all costs less than to remember more.
            if windows.len() >= MOST {
                windows.clear();
            }
        }
        let window = windows.entry(key).or_insert((now, 0));
        if !is_open(window.0, now) {
            *window = (now, 0);
        }
        if window.1 >= CALLS {
            let text = "Too many calls from your address. Try again when Retry-After says.";
            let wait = WINDOW.saturating_sub(now.since(window.0));
            return Err(Error::new(Kind::RateLimited, "rate_limited", text).retry_after(wait));
        }
        window.1 += 1;
        Ok(())
    }
}

/// A clock that was set back opens a new window too.
fn is_open(began: Timestamp, now: Timestamp) -> bool {
    began <= now && now.since(began) < WINDOW
}

/// Whoever has one address of version 6 usually has 2⁶⁴ of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Ambient;

    #[test]
    fn an_address_has_so_many_calls_a_minute_and_others_theirs() {
        let (bounds, at, tenant) = (Bounds::default(), Timestamp::from_millis(1_000_000), Some(Ambient::system().id()));
        let (one, other): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..CALLS {
            bounds.count(tenant, one, at).unwrap();
        }
        let refused = bounds.count(tenant, one, at.plus(Duration::from_secs(20))).unwrap_err();
        assert_eq!((refused.code(), refused.wait()), ("rate_limited", Some(Duration::from_secs(40))));
        assert!(bounds.count(tenant, other, at).is_ok() && bounds.count(None, one, at).is_ok());
        assert!(bounds.count(tenant, one, at.plus(WINDOW)).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let (bounds, at) = (Bounds::default(), Timestamp::from_millis(1_000_000));
        for n in 0..50_000_u32 {
            bounds.count(None, IpAddr::from(n.to_be_bytes()), at).unwrap();
        }
        assert!(bounds.0.lock().unwrap().len() <= MOST);
    }
}
