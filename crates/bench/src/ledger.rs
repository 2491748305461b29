//! The books of one run: which events were accepted, which arrived, how often and how late.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::histogram::Histogram;

/// One event. Times are [`crate::clock::now_ns`]; 0 means never.
#[derive(Debug, Default)]
struct Entry {
    due: AtomicU64,
    accepted: AtomicU64,
    received: AtomicU64,
    copies: AtomicU32,
}

/// The books of `size` events whose ids are a prefix and their index. 32 bytes an event, no lock.
#[derive(Debug)]
pub struct Ledger {
    prefix: String,
    /// How often each event is to arrive.
    copies: u32,
    entries: Box<[Entry]>,
    accepted: AtomicU64,
    unique: AtomicU64,
    duplicates: AtomicU64,
    unknown: AtomicU64,
    last: AtomicU64,
    target: AtomicU64,
    reached: Notify,
}

impl Ledger {
    /// Books for ids `<prefix>0` to `<prefix><size - 1>`. The prefix must be one of its run alone.
    pub fn new(prefix: impl Into<String>, size: usize) -> Self {
        Self::with_copies(prefix, size, 1)
    }

    /// Books in which an event has arrived when `copies` deliveries of it have: one for each webhook that gets it.
    pub fn with_copies(prefix: impl Into<String>, size: usize, copies: u32) -> Self {
        Self {
            prefix: prefix.into(),
            copies,
            entries: (0..size).map(|_| Entry::default()).collect(),
            accepted: AtomicU64::new(0),
            unique: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            last: AtomicU64::new(0),
            target: AtomicU64::new(u64::MAX),
            reached: Notify::new(),
        }
    }

    /// What every id begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// How many events it can hold.
    pub fn size(&self) -> usize {
        self.entries.len()
    }

    /// Says that event `index` was due to be sent at `due` and that its 2xx arrived at `at`. A second acceptance of the same event
    /// (a client's retry) changes nothing. An index outside the books is ignored.
    pub fn accept(&self, index: u64, due: u64, at: u64) {
        let Some(entry) = usize::try_from(index).ok().and_then(|index| self.entries.get(index)) else { return };
        if entry.accepted.compare_exchange(0, at, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            entry.due.store(due, Ordering::Release);
            self.accepted.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Says that a delivery of the event `id` arrived at `at`. Ids of other runs are counted as unknown.
    pub fn receive(&self, id: &str, at: u64) {
        let index = id.strip_prefix(self.prefix.as_str()).and_then(|rest| rest.parse::<usize>().ok());
        let Some(entry) = index.and_then(|index| self.entries.get(index)) else {
            self.unknown.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let copy = entry.copies.fetch_add(1, Ordering::AcqRel) + 1;
        if copy != self.copies {
            self.duplicates.fetch_add(u64::from(copy > self.copies), Ordering::Relaxed);
            return;
        }
        entry.received.store(at, Ordering::Release);
        self.last.fetch_max(at, Ordering::AcqRel);
        if self.unique.fetch_add(1, Ordering::SeqCst) + 1 >= self.target.load(Ordering::SeqCst) {
            self.reached.notify_waiters();
        }
    }

    /// How many events got a 2xx.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire)
    }

    /// How many different events arrived.
    pub fn unique(&self) -> u64 {
        self.unique.load(Ordering::SeqCst)
    }

    /// How many deliveries were of an event that had already arrived as often as it was to.
    pub fn duplicates(&self) -> u64 {
        self.duplicates.load(Ordering::Relaxed)
    }

    /// How many deliveries were of ids that are not in these books.
    pub fn unknown(&self) -> u64 {
        self.unknown.load(Ordering::Relaxed)
    }

    /// When the last first delivery arrived; 0 if none did.
    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// The ids of accepted events that never arrived, at most `most` of them, and how many there are in all.
    pub fn lost(&self, most: usize) -> (u64, Vec<String>) {
        let (mut count, mut ids) = (0, Vec::new());
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.accepted.load(Ordering::Acquire) != 0 && entry.received.load(Ordering::Acquire) == 0 {
                count += 1;
                if ids.len() < most {
                    ids.push(format!("{}{index}", self.prefix));
                }
            }
        }
        (count, ids)
    }

    /// Waits until `count` different events have arrived, at most `patience`. True if they have.
    pub async fn wait_for(&self, count: u64, patience: Duration) -> bool {
        self.target.store(count, Ordering::SeqCst);
        let arrived = async {
            loop {
                // Registered before the count is read: an arrival between the two still wakes us.
                let notified = self.reached.notified();
                tokio::pin!(notified);
                notified.as_mut().enable();
                if self.unique() >= count {
                    return;
                }
                notified.await;
            }
        };
        tokio::time::timeout(patience, arrived).await.is_ok()
    }

    /// Two histograms over all events that were accepted and arrived: from the 2xx to the arrival (0 where the delivery was faster
    /// than the answer), and from the moment at which the request was due to the arrival.
    pub fn latencies(&self) -> Latencies {
        let (accepted, due) = (Histogram::new(), Histogram::new());
        for entry in &self.entries {
            let received = entry.received.load(Ordering::Acquire);
            let at = entry.accepted.load(Ordering::Acquire);
            if received != 0 && at != 0 {
                accepted.record(received.saturating_sub(at));
                due.record(received.saturating_sub(entry.due.load(Ordering::Acquire)));
            }
        }
        Latencies { accepted, due }
    }

    /// How long from `start` (a [`crate::clock::now_ns`]) to the last first delivery.
    pub fn span_since(&self, start: u64) -> Duration {
        Duration::from_nanos(self.last().saturating_sub(start))
    }
}

/// What [`Ledger::latencies`] found.
#[derive(Debug)]
pub struct Latencies {
    /// From the publisher's 2xx to the receiver.
    pub accepted: Histogram,
    /// From when the publisher should have sent (open loop: whether or not it could) to the receiver. Never the smaller one.
    pub due: Histogram,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn counts_unique_duplicate_unknown_and_lost() {
        let ledger = Ledger::new("run-", 3);
        for index in 0..3 {
            ledger.accept(index, 10, 20);
        }
        ledger.accept(0, 99, 99);
        ledger.accept(3, 1, 1);
        for id in ["run-0", "run-2", "run-2", "run-3", "run-x", "other-1", ""] {
            ledger.receive(id, 1_000_020);
        }
        assert_eq!((ledger.accepted(), ledger.unique(), ledger.duplicates(), ledger.unknown()), (3, 2, 1, 4));
        assert_eq!(ledger.lost(10), (1, vec!["run-1".to_owned()]));
        assert_eq!(ledger.lost(0).1.len(), 0);
        let latencies = ledger.latencies();
        assert_eq!(latencies.accepted.max(), Duration::from_nanos(1_000_000));
        assert_eq!(latencies.due.max(), Duration::from_nanos(1_000_010));
    }

    #[test]
    fn an_event_for_several_webhooks_has_arrived_with_its_last_copy() {
        let ledger = Ledger::with_copies("fan-", 1, 3);
        ledger.accept(0, 1, 2);
        for (copy, (unique, duplicates)) in [(0, 0), (0, 0), (1, 0), (1, 1)].into_iter().enumerate() {
            ledger.receive("fan-0", 10 + copy as u64);
            assert_eq!((ledger.unique(), ledger.duplicates()), (unique, duplicates), "copy {copy}");
        }
        assert_eq!((ledger.last(), ledger.lost(0).0), (12, 0));
    }

    #[tokio::test]
    async fn waiting_ends_with_the_last_arrival_or_with_patience() {
        let ledger = Arc::new(Ledger::new("w", 200));
        assert!(!ledger.wait_for(1, Duration::from_millis(5)).await);
        let waiting = tokio::spawn({
            let ledger = ledger.clone();
            async move { ledger.wait_for(200, Duration::from_secs(20)).await }
        });
        std::thread::scope(|scope| {
            for half in 0..2 {
                let ledger = &ledger;
                scope.spawn(move || (0..200).filter(|i| i % 2 == half).for_each(|i| ledger.receive(&format!("w{i}"), 1)));
            }
        });
        assert!(waiting.await.unwrap());
    }
}
