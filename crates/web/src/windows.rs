//! How often strangers may cost us something: counts by key in windows of a minute, in memory, of this node.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::Timestamp;

const WINDOW: Duration = Duration::from_mins(1);
/// Most windows that are remembered.
const MOST: usize = 20_000;

/// When it began, and what was counted in it.
type Window = (Timestamp, u32);

/// Counts by key. Memory is bounded: of too many keys those whose window is over are forgotten first, then all.
pub struct Windows<K>(Mutex<HashMap<K, Window>>);

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Windows<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room below `limit`. Error: how long until there is.
    pub fn wait(&self, key: &K, limit: u32, now: Timestamp) -> Result<(), Duration> {
        self.lock().get(key).map_or(Ok(()), |window| room(*window, limit, now))
    }

    /// Counts one, whatever was counted before.
    pub fn count(&self, key: K, now: Timestamp) {
        opened(&mut self.lock(), key, now).1 += 1;
    }

    /// Counts one if there is room below `limit`. Error: how long until there is; nothing is counted.
    pub fn take(&self, key: K, limit: u32, now: Timestamp) -> Result<(), Duration> {
        let mut windows = self.lock();
        let window = opened(&mut windows, key, now);
        room(*window, limit, now)?;
        window.1 += 1;
        Ok(())
    }
}

/// The window of a key that is open now.
fn opened<K: Eq + Hash>(windows: &mut HashMap<K, Window>, key: K, now: Timestamp) -> &mut Window {
    if windows.len() >= MOST && !windows.contains_key(&key) {
        windows.retain(|_, window| is_open(*window, now));
        // More than so many at once: to forget them all costs less than to remember more.
        if windows.len() >= MOST {
            windows.clear();
        }
    }
    let window = windows.entry(key).or_insert((now, 0));
    if !is_open(*window, now) {
        *window = (now, 0);
    }
    window
}

fn room(window: Window, limit: u32, now: Timestamp) -> Result<(), Duration> {
    if window.1 >= limit && is_open(window, now) { Err(WINDOW.saturating_sub(now.since(window.0))) } else { Ok(()) }
}

/// A clock that was set back opens a new window too.
fn is_open((began, _): Window, now: Timestamp) -> bool {
    began <= now && now.since(began) < WINDOW
}

/// What one caller can choose from: an IPv4 address, or the /64 of an IPv6 one, which has 2⁶⁴ addresses.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_000_000;

    #[test]
    fn a_key_has_its_limit_in_each_window() {
        let (windows, at) = (Windows::<u8>::default(), Timestamp::from_millis(AT));
        assert_eq!((windows.take(1, 2, at), windows.take(1, 2, at)), (Ok(()), Ok(())));
        let later = at.plus(Duration::from_secs(20));
        let full = Err(Duration::from_secs(40));
        assert_eq!((windows.take(1, 2, later), windows.wait(&1, 2, later)), (full, full));
        assert_eq!((windows.take(2, 2, later), windows.wait(&3, 2, later)), (Ok(()), Ok(())));
        assert_eq!(windows.take(1, 2, at.plus(WINDOW)), Ok(()));
        assert_eq!(windows.take(1, 1, at), Ok(()), "the clock was set back");
    }

    #[test]
    fn memory_is_bounded() {
        let (windows, at) = (Windows::<u32>::default(), Timestamp::from_millis(AT));
        for n in 0..50_000 {
            windows.count(n, at);
        }
        assert!(windows.lock().len() <= MOST);
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
