//! Calls that were refused for who made them, or how often, noted for alerts: the only trace that costs others nothing.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use signals::{Kind, Signals};

use crate::RequestRow;

/// Notes a row, if it is one of those. What was answered otherwise costs a comparison.
pub(crate) fn note(signals: &OnceLock<Arc<Signals>>, row: &RequestRow) {
    if !matches!(row.status, 401 | 429) {
        return;
    }
    let Some(signals) = signals.get() else { return };
    match (row.status, row.tenant, row.key) {
        (429, tenant @ Some(_), Some(key)) => signals.note(Kind::RateLimited, tenant, key, row.error_code.unwrap_or_default()),
        // A 429 without a key is for an address that failed too often.
        (_, _, None) => {
            if let Some(ip) = row.ip {
                signals.note(Kind::FailedAddress, None, network(ip), row.error_code.unwrap_or_default());
            }
        }
        _ => {}
    }
}

/// Whoever has one address of version 6 usually has 2⁶⁴ of them.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{}/64", Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_eq!((network("2001:db8::1").as_str(), network("::ffff:10.0.0.1").as_str()), ("2001:db8::/64", "10.0.0.1"));
    }
}
