//! Whose address a request comes from, behind proxies.
//!
//! The address at the other end of the connection is the only one that cannot be invented. Where that is a proxy which the operator trusts,
//! it says from whom it has the request, and so on: the list is read from its end, as long as the one that added an entry is trusted. The
//! first address that is not trusted is the client's; what stands further left was said by the client and is not believed.
//!
//! One header is read and no other: a proxy that writes `X-Forwarded-For` passes the client's own `Forwarded` (RFC 7239) through, and the
//! other way round.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;
use kernel::Error;

/// Most entries that are looked at: nobody has more proxies.
const MAX_HOPS: usize = 32;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header in which trusted proxies say from whom they have a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: 192.0.2.1, 10.0.0.7`: what nearly every proxy writes.
    #[default]
    XForwardedFor,
    /// `Forwarded: for=192.0.2.1, for="[2001:db8::1]:4711"` (RFC 7239).
    Forwarded,
}

impl FromStr for ForwardedHeader {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(Error::field("/forwardedHeader", "must be x-forwarded-for or forwarded")),
        }
    }
}

/// The proxies that are trusted (`TRADEWIND_TRUSTED_PROXIES`).
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

impl TrustedProxies {
    /// These networks, and the header that they write.
    pub fn new(networks: Vec<IpNet>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// Whether `address` is a trusted proxy's.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|net| net.contains(&address))
    }

    /// The client's address of a request that came from `peer`. What a proxy says that is no address ends the list: the client is then the
    /// last one that was.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if self.networks.is_empty() || !self.trusts(client) {
            return client;
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        // Several lines are one list, in their order (RFC 9110 §5.3).
        let lines: Vec<&str> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect();
        let entries = lines.iter().rev().flat_map(|line| line.rsplit(','));
        for entry in entries.take(MAX_HOPS) {
            let Some(address) = self.address(entry.trim()) else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn address(&self, entry: &str) -> Option<IpAddr> {
        let node = match self.header {
            ForwardedHeader::XForwardedFor => entry,
            ForwardedHeader::Forwarded => forwarded_for(entry)?,
        };
        let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
        let address = bare.parse::<IpAddr>().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
        address.map(|address| address.to_canonical())
    }
}

/// The node of `for=` in one element, without its quotes. Addresses need no escapes, so a quoted string with one is none.
fn forwarded_for(element: &str) -> Option<&str> {
    let value = element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    })?;
    Some(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn proxies(header: ForwardedHeader) -> TrustedProxies {
        TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()], header)
    }

    fn client(peer: &str, header: ForwardedHeader, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(*name, HeaderValue::from_str(line).unwrap());
        }
        proxies(header).client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_what_a_trusted_proxy_says_is_believed() {
        let one = |peer: &str, line: &str| client(peer, ForwardedHeader::XForwardedFor, &[("x-forwarded-for", line)]);
        assert_eq!(one("192.0.2.9", "203.0.113.1"), "192.0.2.9", "the peer is nobody we trust");
        assert_eq!(one("10.0.0.1", "203.0.113.1"), "203.0.113.1");
        assert_eq!(one("::ffff:10.0.0.1", "203.0.113.1"), "203.0.113.1");
        assert_eq!(one("10.0.0.1", "198.51.100.7, 203.0.113.1"), "203.0.113.1", "the left one was invented by the right one");
        assert_eq!(one("10.0.0.1", "10.9.9.9, 203.0.113.1"), "203.0.113.1", "even if it looks like a proxy of ours");
        assert_eq!(one("10.0.0.1", "203.0.113.1, 10.0.0.2"), "203.0.113.1", "through two proxies");
        assert_eq!(one("10.0.0.1", "10.0.0.3, 10.0.0.2"), "10.0.0.3", "from within");
        assert_eq!(one("10.0.0.1", "203.0.113.1:4711"), "203.0.113.1");
        assert_eq!(one("2001:db8:ffff::1", "[2001:db8::7]:4711"), "2001:db8::7");
        assert_eq!(one("10.0.0.1", "203.0.113.1, unknown"), "10.0.0.1", "a proxy that does not know ends the list");
        assert_eq!(one("10.0.0.1", ""), "10.0.0.1");
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "203.0.113.1, 10.0.0.2")];
        assert_eq!(client("10.0.0.1", ForwardedHeader::XForwardedFor, &lines), "203.0.113.1");
    }

    #[test]
    fn the_other_header_is_the_clients_own_invention() {
        let both = [("x-forwarded-for", "203.0.113.1"), ("forwarded", "for=198.51.100.7")];
        assert_eq!(client("10.0.0.1", ForwardedHeader::XForwardedFor, &both), "203.0.113.1");
        assert_eq!(client("10.0.0.1", ForwardedHeader::Forwarded, &both), "198.51.100.7");
    }

    #[test]
    fn rfc_7239_is_read() {
        let one = |line: &str| client("10.0.0.1", ForwardedHeader::Forwarded, &[("forwarded", line)]);
        assert_eq!(one("for=192.0.2.60;proto=http;by=203.0.113.43"), "192.0.2.60");
        assert_eq!(one("by=10.0.0.1; For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
        assert_eq!(one("for=198.51.100.7, for=192.0.2.43;by=x, for=10.0.0.2"), "192.0.2.43");
        assert_eq!(one("for=192.0.2.43, for=_hidden"), "10.0.0.1");
        assert_eq!(one("proto=https"), "10.0.0.1");
    }

    proptest! {
        /// Whatever a client writes before what the proxy appends, the proxy's word holds.
        #[test]
        fn nothing_that_a_client_sends_moves_it(text in "[ -~]{0,80}") {
            for (header, name, own) in [
                (ForwardedHeader::XForwardedFor, "x-forwarded-for", "203.0.113.1"),
                (ForwardedHeader::Forwarded, "forwarded", "for=203.0.113.1"),
            ] {
                let line = format!("{text}, {own}");
                prop_assert_eq!(client("10.0.0.1", header, &[(name, &line)]), "203.0.113.1");
                prop_assert_eq!(client("10.0.0.1", header, &[(name, &text), (name, own)]), "203.0.113.1");
                prop_assert_eq!(client("192.0.2.9", header, &[(name, &text)]), "192.0.2.9");
            }
        }
    }
}
