//! How often strangers may call public endpoints: so many calls a minute from one address to one tenant, and as many look-ups of tenants that
//! do not exist. In memory, of this node.

use std::net::IpAddr;

use kernel::{Error, Kind, Result, TenantId, Timestamp};
use web::{Windows, network};

/// Calls in a window.
const CALLS: u32 = 300;

/// Calls by whom they are for (none: nobody) and from where.
#[derive(Default)]
pub(super) struct Bounds(Windows<(Option<TenantId>, IpAddr)>);

impl Bounds {
    /// Counts a call. Error: 429 `rate_limited`, when there were too many.
    pub(super) fn count(&self, tenant: Option<TenantId>, remote: IpAddr, now: Timestamp) -> Result<()> {
        self.0.take((tenant, network(remote)), CALLS, now).map_err(|wait| {
            let text = "Too many calls from your address. Try again when Retry-After says.";
            Error::new(Kind::RateLimited, "rate_limited", text).retry_after(wait)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::Ambient;

    use super::*;

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
        assert!(bounds.count(tenant, one, at.plus(Duration::from_mins(1))).is_ok());
    }
}
