//! How often strangers may cost us something. In memory, of this node: counts in windows of a minute.
//!
//! A bound never lets one tenant's trouble hit another's calls: failures count for a source and an address together, and look-ups of unknown
//! ids bind only ids that are not known already.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kernel::{SourceId, Timestamp};
use web::{Windows, network};

/// Look-ups of ids that nobody has, from one address in a window.
const UNKNOWN: u32 = 300;
/// Failures at one source from one address in a window, before its calls are refused unread.
const FAILURES: u32 = 120;
/// Rows that one source's quarantine gets in a window, in all and from one address.
const KEPT: u32 = 20;
const KEPT_FROM_ONE: u32 = 8;
/// Operational events about one source in a window.
const ANNOUNCED: u32 = 1;
/// Bodies of one source's calls that may be on their way at once: a stranger's slow ones hold memory, and they are not believed yet.
const READING: usize = 100;

/// All bounds.
#[derive(Default)]
pub(crate) struct Bounds {
    unknown: Windows<IpAddr>,
    failures: Windows<(SourceId, IpAddr)>,
    kept: Windows<SourceId>,
    kept_from: Windows<(SourceId, IpAddr)>,
    announced: Windows<SourceId>,
    reading: Mutex<HashMap<SourceId, usize>>,
}

/// The place of a body that is being read, given back however that ends.
pub(crate) struct Reading<'a> {
    bounds: &'a Bounds,
    source: SourceId,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut reading = self.bounds.reading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = reading.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                reading.remove(&self.source);
            }
        }
    }
}

impl Bounds {
    /// A place for one more body; none when too many are on their way.
    pub(crate) fn read(&self, source: SourceId) -> Option<Reading<'_>> {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let count = reading.entry(source).or_insert(0);
        if *count >= READING {
            return None;
        }
        *count += 1;
        Some(Reading { bounds: self, source })
    }

    /// Whether an id from this address may be looked up. Error: how long to wait.
    pub(crate) fn may_look_up(&self, remote: IpAddr, now: Timestamp) -> Result<(), Duration> {
        self.unknown.wait(&network(remote), UNKNOWN, now)
    }

    /// An id that was looked up is nobody's.
    pub(crate) fn note_unknown(&self, remote: IpAddr, now: Timestamp) {
        self.unknown.count(network(remote), now);
    }

    /// Whether this address has failed at this source too often. Error: how long to wait.
    pub(crate) fn is_failing(&self, source: SourceId, remote: IpAddr, now: Timestamp) -> Result<(), Duration> {
        self.failures.wait(&(source, network(remote)), FAILURES, now)
    }

    /// A call was refused.
    pub(crate) fn note_failure(&self, source: SourceId, remote: IpAddr, now: Timestamp) {
        self.failures.count((source, network(remote)), now);
    }

    /// Whether a refused call may be kept; counts it if so.
    pub(crate) fn may_keep(&self, source: SourceId, remote: IpAddr, now: Timestamp) -> bool {
        let from = (source, network(remote));
        if self.kept.wait(&source, KEPT, now).is_err() || self.kept_from.wait(&from, KEPT_FROM_ONE, now).is_err() {
            return false;
        }
        self.kept.count(source, now);
        self.kept_from.count(from, now);
        true
    }

    /// Whether a refusal may be told of; counts it if so.
    pub(crate) fn may_announce(&self, source: SourceId, now: Timestamp) -> bool {
        self.announced.take(source, ANNOUNCED, now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use kernel::{Ambient, Timestamp};

    use super::{Bounds, FAILURES, KEPT, KEPT_FROM_ONE, READING, UNKNOWN};

    #[test]
    fn each_bound_ends_with_its_window_and_concerns_nobody_else() {
        let (bounds, at) = (Bounds::default(), Timestamp::from_millis(1_000_000));
        let (ours, theirs) = (Ambient::system().id(), Ambient::system().id());
        let (one, other): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..FAILURES {
            assert!(bounds.is_failing(ours, one, at).is_ok());
            bounds.note_failure(ours, one, at);
        }
        assert_eq!(bounds.is_failing(ours, one, at.plus(Duration::from_secs(20))), Err(Duration::from_secs(40)));
        assert!(bounds.is_failing(ours, other, at).is_ok() && bounds.is_failing(theirs, one, at).is_ok());
        assert!(bounds.is_failing(ours, one, at.plus(Duration::from_secs(60))).is_ok());
        for _ in 0..UNKNOWN {
            bounds.note_unknown(one, at);
        }
        assert!(bounds.may_look_up(one, at).is_err() && bounds.may_look_up(other, at).is_ok());
    }

    #[test]
    fn a_quarantine_grows_slowly_however_many_call() {
        let (bounds, at, source) = (Bounds::default(), Timestamp::from_millis(1_000_000), Ambient::system().id());
        let from_one = (0..100).filter(|_| bounds.may_keep(source, "2001:db8::1".parse().unwrap(), at)).count();
        assert_eq!(from_one, KEPT_FROM_ONE as usize);
        assert!(!bounds.may_keep(source, "2001:db8::2".parse().unwrap(), at), "the same network");
        let from_many = (0..100u8).filter(|n| bounds.may_keep(source, IpAddr::from([10, 0, 0, *n]), at)).count();
        assert_eq!(from_one + from_many, KEPT as usize);
    }

    #[test]
    fn bodies_on_their_way_are_bounded_for_each_source() {
        let (bounds, ours, theirs) = (Bounds::default(), Ambient::system().id(), Ambient::system().id());
        let places: Vec<_> = (0..READING).map(|_| bounds.read(ours).unwrap()).collect();
        assert!(bounds.read(ours).is_none() && bounds.read(theirs).is_some());
        drop(places);
        assert!(bounds.read(ours).is_some());
        assert!(bounds.reading.lock().unwrap().is_empty(), "nothing is remembered of what is over");
    }
}
