//! Free ports on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// Below the range from which the system takes the ports of outgoing connections, so that a server that is restarted on its port
/// does not find a client sitting there.
const RANGE: std::ops::Range<u64> = 10_000..32_000;

/// A port on 127.0.0.1 on which nobody listens at the moment. Another process may take it before the caller does:
/// with some 20,000 to choose from at random that is rare, and starters try again.
pub fn free() -> u16 {
    bind().local_addr().expect("a bound listener has an address").port()
}

/// A listener on a free port of 127.0.0.1.
pub fn bind() -> TcpListener {
    for _ in 0..1000 {
        let draw = getrandom::u64().expect("the operating system's random generator answers");
        let port = RANGE.start + draw % (RANGE.end - RANGE.start);
        let port = u16::try_from(port).expect("the range is within u16");
        if let Ok(listener) = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
            return listener;
        }
    }
    panic!("no free port on 127.0.0.1 between {} and {} in 1000 tries", RANGE.start, RANGE.end)
}
