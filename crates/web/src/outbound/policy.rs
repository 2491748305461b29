//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::outbound::refusal::Refusal;

/// What is known about an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The address that it stands for: an IPv4 one inside an IPv6 form, or itself.
    pub meant: IpAddr,
    /// Why it is not public, such as `loopback`; none for a public address.
    pub kind: Option<&'static str>,
    /// The allowed network that it is in, if there is one.
    pub allowed_by: Option<IpNet>,
}

/// What the operator allows beyond public addresses over https.
#[derive(Clone, Debug, Default)]
pub struct UrlPolicy {
    /// Whether `http://` is allowed (development).
    pub allow_http: bool,
    /// Networks that are allowed although they are not public (`TRADEWIND_ALLOW_NETWORKS`).
    pub allow_networks: Vec<IpNet>,
}

/// IPv4 networks that are not the public Internet: the IANA special-purpose registry (RFC 6890 and its successors), and what clouds put
/// beside it. First address, prefix length, what it is.
const SPECIAL_V4: &[([u8; 4], u32, &str)] = &[
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "shared address space"),
    ([127, 0, 0, 0], 8, "loopback"),
    ([168, 63, 129, 16], 32, "a cloud's metadata service"),
    ([169, 254, 0, 0], 16, "link-local"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "protocol assignments"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 88, 99, 0], 24, "6to4 relay"),
    ([192, 168, 0, 0], 16, "private"),
    ([198, 18, 0, 0], 15, "benchmarking"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved"),
];

/// The same inside 2000::/3; all that lies outside is refused as it is.
const SPECIAL_V6: &[([u16; 3], u32, &str)] = &[
    ([0x2001, 0, 0], 23, "protocol assignments (Teredo among them)"),
    ([0x2001, 0xdb8, 0], 32, "documentation"),
    ([0x2002, 0, 0], 16, "6to4"),
    ([0x3fff, 0, 0], 20, "documentation"),
];

impl UrlPolicy {
    /// Whether a connection to `address` may be opened. Forms of IPv6 that stand for an IPv4 address are judged as that.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        match self.judge(address) {
            Judged { kind: Some(kind), allowed_by: None, .. } => Err(Refusal::Address { address, kind }),
            _ => Ok(()),
        }
    }

    /// What [`UrlPolicy::check`] goes by.
    pub fn judge(&self, address: IpAddr) -> Judged {
        let meant = embedded_v4(address);
        let allowed_by = self.allow_networks.iter().find(|network| network.contains(&address) || network.contains(&meant)).copied();
        let kind = match meant {
            IpAddr::V4(v4) => special_v4(v4),
            IpAddr::V6(v6) => special_v6(v6),
        };
        Judged { meant, kind, allowed_by }
    }

    /// Whether something may be sent to `addresses` without encryption: in development, and where the operator has allowed the networks.
    pub(crate) fn check_clear(&self, addresses: &[IpAddr]) -> Result<(), Refusal> {
        let allowed = |address: &IpAddr| self.judge(*address).allowed_by.is_some();
        // No address is known where the egress proxy looks names up: then none is allowed by name.
        let by_name = !addresses.is_empty() && addresses.iter().all(allowed);
        if self.allow_http || by_name { Ok(()) } else { Err(Refusal::Unencrypted) }
    }
}

/// IPv4-mapped (`::ffff:0:0/96`) and NAT64 (`64:ff9b::/96`, RFC 6052) as the IPv4 address inside.
fn embedded_v4(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))),
        _ => address,
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let within = |base: [u8; 4], length: u32| (bits ^ u32::from_be_bytes(base)).leading_zeros() >= length;
    SPECIAL_V4.iter().find(|(base, length, _)| within(*base, *length)).map(|(.., kind)| *kind)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    if bits >> 125 != 1 {
        return Some(match address.segments()[0] {
            0xfc00..=0xfdff => "unique local",
            0xfe80..=0xfebf => "link-local",
            0xff00..=0xffff => "multicast",
            _ if address.is_loopback() => "loopback",
            _ => "not global",
        });
    }
    let base = |words: &[u16; 3]| u128::from(words[0]) << 112 | u128::from(words[1]) << 96 | u128::from(words[2]) << 80;
    SPECIAL_V6.iter().find(|(words, length, _)| (bits ^ base(words)).leading_zeros() >= *length).map(|(.., kind)| *kind)
}
