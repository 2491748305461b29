//! A host and port that several destinations may lead to: what is known of one helps all of them.
//!
//! Only what shows that nobody is there counts against a host: a connection, a name, or a TLS handshake that fails. A bad answer speaks for
//! one destination alone, so that a tenant's broken path on a shared host holds up nobody else.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use kernel::{DestinationId, Timestamp};

use super::breaker::{Breaker, Passage};
use crate::channel::AttemptReport;
use crate::config::Options;

/// All hosts that are led to at present.
#[derive(Default)]
pub(crate) struct Hosts(Mutex<HashMap<String, Weak<Host>>>);

impl Hosts {
    /// The host of this name (`example.com:443`), the same for everyone who asks while anyone holds it.
    pub(crate) fn of(&self, name: String) -> Arc<Host> {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(&name).and_then(Weak::upgrade) {
            return host;
        }
        hosts.retain(|_, host| host.strong_count() > 0);
        let host = Arc::new(Host::default());
        hosts.insert(name, Arc::downgrade(&host));
        host
    }
}

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Host(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    breaker: Breaker,
    in_flight: usize,
    /// Lanes to be looked at when something changes.
    waiting: BTreeSet<DestinationId>,
}

/// Whether an attempt may go to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It may, and is counted.
    Free,
    /// Not now; the lane is looked at when it may.
    Full,
    /// Not before then.
    Shut(Timestamp),
}

impl Host {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn enter(&self, lane: DestinationId, now: Timestamp, most: usize) -> Entry {
        let mut state = self.lock();
        let most = match state.breaker.passage(now) {
            Passage::Shut(until) => return Entry::Shut(until),
            Passage::Probe => 1,
            Passage::Free => most.max(1),
        };
        if state.in_flight >= most {
            state.waiting.insert(lane);
            return Entry::Full;
        }
        state.in_flight += 1;
        state.waiting.remove(&lane);
        Entry::Free
    }

    /// An attempt that had entered is over. Its place is for [`Self::next`].
    pub(crate) fn leave(&self, report: &AttemptReport, now: Timestamp, options: &Options) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        if report.status_code.is_some() {
            state.breaker.succeeded();
        } else if is_absence(report) {
            state.breaker.failed(now, options.breaker_after, options.breaker_first, options.breaker_longest);
        }
    }

    /// Who waits for a place, while there is one: to be asked until nobody does, since whoever waited may not want it any more.
    pub(crate) fn next(&self, now: Timestamp, most: usize) -> Option<DestinationId> {
        let mut state = self.lock();
        let most = match state.breaker.passage(now) {
            // All are to learn how long.
            Passage::Shut(_) => usize::MAX,
            Passage::Probe => 1,
            Passage::Free => most.max(1),
        };
        if state.in_flight < most { state.waiting.pop_first() } else { None }
    }

    /// An attempt that had entered was not begun after all.
    pub(crate) fn turn_back(&self) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
    }

    /// Somebody wants to know now: the next attempt is the probe.
    pub(crate) fn allow_probe(&self, now: Timestamp) {
        self.lock().breaker.allow_probe(now);
    }

    /// Something reached it.
    pub(crate) fn is_there(&self) {
        self.lock().breaker.succeeded();
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.lock().breaker.is_open()
    }
}

/// Whether it shows that nobody is there.
fn is_absence(report: &AttemptReport) -> bool {
    report.error.as_ref().is_some_and(|error| matches!(error.kind, "connect" | "dns" | "tls"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::Ambient;

    use super::*;
    use crate::channel::AttemptOutcome;

    fn report(kind: &'static str) -> AttemptReport {
        AttemptReport::failure(AttemptOutcome::Retry { after: None }, kind, "no", Duration::ZERO)
    }

    #[test]
    fn absence_shuts_it_for_all_and_one_probe_opens_it() {
        let (hosts, options, now) = (Hosts::default(), Options::default(), Timestamp::from_millis(1_000_000));
        let (one, two) = (Ambient::system().id(), Ambient::system().id());
        let host = hosts.of("example.com:443".into());
        for _ in 0..options.breaker_after {
            assert_eq!(host.enter(one, now, 8), Entry::Free);
            host.leave(&report("connect"), now, &options);
            assert_eq!(host.next(now, 8), None);
        }
        let same = hosts.of("example.com:443".into());
        assert!(matches!(same.enter(two, now, 8), Entry::Shut(_)));
        let later = now.plus(options.breaker_first);
        assert_eq!((same.enter(two, later, 8), same.enter(one, later, 8)), (Entry::Free, Entry::Full));
        let there = AttemptReport { status_code: Some(500), error: None, ..report("status") };
        same.leave(&there, later, &options);
        assert_eq!((same.next(later, 8), same.next(later, 8)), (Some(one), None));
        assert_eq!(
            (same.enter(one, later, 2), same.enter(two, later, 2), same.enter(one, later, 2)),
            (Entry::Free, Entry::Free, Entry::Full)
        );
        drop((host, same));
        assert!(!hosts.of("example.com:443".into()).is_shut(), "nobody leads there any more, so nothing is remembered");
    }

    #[test]
    fn a_place_goes_to_whoever_still_wants_it() {
        let (host, options, now) = (Host::default(), Options::default(), Timestamp::from_millis(0));
        let ids: Vec<DestinationId> = (0..3).map(|_| Ambient::system().id()).collect();
        assert_eq!(host.enter(ids[0], now, 1), Entry::Free);
        assert_eq!((host.enter(ids[1], now, 1), host.enter(ids[2], now, 1)), (Entry::Full, Entry::Full));
        assert_eq!(host.next(now, 1), None);
        host.leave(&report("timeout"), now, &options);
        let first = host.next(now, 1);
        // The first one takes no place; the second one is asked, and takes it.
        let second = host.next(now, 1);
        assert!(first.is_some() && second.is_some() && first != second);
        assert_eq!(host.enter(second.unwrap(), now, 1), Entry::Free);
        assert_eq!(host.next(now, 1), None);
    }

    #[test]
    fn bad_answers_and_slow_ones_are_not_held_against_a_host() {
        let (host, options, now) = (Host::default(), Options::default(), Timestamp::from_millis(0));
        for kind in ["timeout", "status", "protocol", "proxy", "refused"].repeat(10) {
            assert_eq!(host.enter(Ambient::system().id(), now, 1), Entry::Free);
            host.leave(&report(kind), now, &options);
        }
        assert!(!host.is_shut());
    }
}
