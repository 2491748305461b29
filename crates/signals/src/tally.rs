//! Counts in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use kernel::{TenantId, Timestamp};

use crate::Kind;

/// Most subjects at once.
pub const MOST: usize = 10_000;
/// Longest subject and detail in characters.
const MAX_SUBJECT: usize = 100;
const MAX_DETAIL: usize = 200;
const MINUTE_MS: i64 = 60_000;

/// Sorted, so that two nodes that write the same rows wait for each other and never in a ring.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) minute: i64,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) subject: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) count: u64,
    pub(crate) last_at: Timestamp,
    pub(crate) detail: String,
}

#[derive(Default)]
pub(crate) struct Tally(Mutex<BTreeMap<Key, Count>>);

impl Tally {
    pub(crate) fn note(&self, kind: Kind, tenant: Option<TenantId>, subject: &str, detail: &str, at: Timestamp) {
        self.note_many(kind, tenant, subject, 1, detail, at);
    }

    pub(crate) fn note_many(&self, kind: Kind, tenant: Option<TenantId>, subject: &str, count: u64, detail: &str, at: Timestamp) {
        let minute = at.millis().div_euclid(MINUTE_MS) * MINUTE_MS;
        let key = Key { kind, minute, tenant, subject: cut(subject, MAX_SUBJECT) };
        self.add(key, &Count { count, last_at: at, detail: cut(detail, MAX_DETAIL) });
    }

    fn add(&self, key: Key, more: &Count) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = counts.len() >= MOST;
        match counts.get_mut(&key) {
            Some(known) => {
                known.count += more.count;
                if more.last_at >= known.last_at {
                    (known.last_at, known.detail) = (more.last_at, more.detail.clone());
                }
            }
            None if is_full => metrics::counter!("tradewind_signals_dropped").increment(more.count),
            None => drop(counts.insert(key, more.clone())),
        }
    }

    pub(crate) fn take(&self) -> BTreeMap<Key, Count> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn put_back(&self, counts: &BTreeMap<Key, Count>) {
        for (key, count) in counts {
            self.add(key.clone(), count);
        }
    }
}

/// Without control characters (PostgreSQL takes no NUL), and not for ever.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_one_count_for_each_subject() {
        let (tally, at) = (Tally::default(), Timestamp::from_millis(120_500));
        tally.note(Kind::FailedAddress, None, "10.0.0.1", "first", at);
        tally.note(Kind::FailedAddress, None, "10.0.0.1", "second\0", Timestamp::from_millis(170_000));
        tally.note(Kind::FailedAddress, None, "10.0.0.1", "later", Timestamp::from_millis(180_000));
        tally.note(Kind::FailedAddress, None, "10.0.0.2", "other", at);
        let counts: Vec<_> = tally.take().into_iter().map(|(key, count)| (key.minute, key.subject, count.count, count.detail)).collect();
        let expected = [(120_000, "10.0.0.1", 2, "second "), (120_000, "10.0.0.2", 1, "other"), (180_000, "10.0.0.1", 1, "later")];
        assert_eq!(counts, expected.map(|(minute, subject, count, detail)| (minute, subject.to_owned(), count, detail.to_owned())));
        assert!(tally.take().is_empty());
    }

    #[test]
    fn memory_is_bounded_and_what_is_known_still_counts() {
        let (tally, at) = (Tally::default(), Timestamp::from_millis(0));
        for n in 0..MOST + 500 {
            tally.note(Kind::FailedAddress, None, &n.to_string(), "", at);
        }
        tally.note(Kind::FailedAddress, None, "7", "", at);
        let counts = tally.take();
        assert_eq!(counts.len(), MOST);
        assert_eq!(counts.iter().find(|(key, _)| key.subject == "7").unwrap().1.count, 2);
        tally.put_back(&counts);
        assert_eq!(tally.take(), counts);
    }
}
