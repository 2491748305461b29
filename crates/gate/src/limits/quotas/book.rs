//! What subjects have used, in memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::{TenantId, Timestamp};

use super::{Period, Quota};

const SHARDS: usize = 16;
/// Accounts of a shard past which those that were not used for an hour are dropped.
const SWEEP_AT: usize = 4096;
const IDLE_MS: i64 = 3_600_000;

/// What one subject has used in the present period.
#[derive(Clone, Copy, Debug)]
struct Account {
    tenant: TenantId,
    day: u8,
    period: Period,
    /// What the database said last, of all nodes.
    stored: u64,
    /// What is on its way there.
    writing: u64,
    /// What is not.
    unwritten: u64,
    last_used: i64,
}

impl Account {
    fn used(&self) -> u64 {
        self.stored.saturating_add(self.writing).saturating_add(self.unwritten)
    }
}

/// What came of asking for some of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is counted. What is left, and in how many ms all is back.
    Counted(u64, u64),
    /// There is not so much left: what is, and in how many ms all is back.
    Full(u64, u64),
    /// The database must be asked first.
    Unknown(Period),
}

/// A row to be written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) tenant: TenantId,
    pub(crate) subject: Arc<str>,
    pub(crate) start: i64,
    pub(crate) used: u64,
}

/// The accounts of this node.
pub(crate) struct Book {
    hasher: RandomState,
    shards: Vec<Mutex<HashMap<Arc<str>, Account>>>,
    /// Of periods that ended before their last requests were written.
    ended: Mutex<Vec<Line>>,
    /// One write at a time, so that whoever asks for one finds everything written that was counted before.
    pub(super) writing: tokio::sync::Mutex<()>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            ended: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }
}

impl Book {
    fn shard(&self, subject: &Arc<str>) -> MutexGuard<'_, HashMap<Arc<str>, Account>> {
        let shard = usize::try_from(self.hasher.hash_one(subject) % SHARDS as u64).unwrap_or(0);
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts `cost` if there is so much left at `now`.
    pub(crate) fn take(&self, quota: &Quota, now: Timestamp, cost: u64) -> Taken {
        let mut accounts = self.shard(&quota.subject);
        let known = accounts.get_mut(&quota.subject).filter(|one| one.day == quota.refill_day && one.period.holds(now.millis()));
        let Some(account) = known else { return Taken::Unknown(Period::at(now, quota.refill_day)) };
        let reset = u64::try_from(account.period.end - now.millis()).unwrap_or(0);
        let left = quota.limit.saturating_sub(account.used());
        account.last_used = now.millis();
        if cost > left {
            return Taken::Full(left, reset);
        }
        account.unwritten += cost;
        Taken::Counted(left - cost, reset)
    }

    /// Takes back what was counted for a request that another limit refused.
    pub(crate) fn refund(&self, quota: &Quota, cost: u64) {
        if let Some(account) = self.shard(&quota.subject).get_mut(&quota.subject) {
            // If it was written in the meantime, it stays counted: too much by one request, for a month's quota.
            account.unwritten = account.unwritten.saturating_sub(cost);
        }
    }

    /// Takes over what the database says about `period`, unless somebody else did meanwhile.
    pub(crate) fn learn(&self, quota: &Quota, period: Period, stored: u64, now: Timestamp) {
        let mut accounts = self.shard(&quota.subject);
        if accounts.len() >= SWEEP_AT {
            accounts.retain(|_, one| one.writing + one.unwritten > 0 || one.last_used > now.millis() - IDLE_MS);
        }
        if let Some(before) = accounts.get(&quota.subject) {
            if before.period == period && before.day == quota.refill_day {
                return;
            }
            if before.unwritten > 0 {
                let line =
                    Line { tenant: before.tenant, subject: Arc::clone(&quota.subject), start: before.period.start, used: before.unwritten };
                self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        }
        let account =
            Account { tenant: quota.tenant, day: quota.refill_day, period, stored, writing: 0, unwritten: 0, last_used: now.millis() };
        accounts.insert(Arc::clone(&quota.subject), account);
    }

    /// What is to be written, in an order that all nodes have. It counts as being written until [`Book::written`] or [`Book::failed`].
    pub(crate) fn to_write(&self) -> Vec<Line> {
        let mut lines = std::mem::take(&mut *self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        for shard in &self.shards {
            for (subject, account) in shard.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
                if account.unwritten > 0 && account.writing == 0 {
                    account.writing = std::mem::take(&mut account.unwritten);
                    let line =
                        Line { tenant: account.tenant, subject: Arc::clone(subject), start: account.period.start, used: account.writing };
                    lines.push(line);
                }
            }
        }
        lines.sort_unstable();
        lines
    }

    /// `line` is written; all nodes together have used `stored`.
    pub(crate) fn written(&self, line: &Line, stored: u64) {
        if let Some(account) = self.shard(&line.subject).get_mut(&line.subject).filter(|one| one.period.start == line.start) {
            (account.stored, account.writing) = (stored, 0);
        }
    }

    /// `line` could not be written: another time.
    pub(crate) fn failed(&self, line: Line) {
        let mut accounts = self.shard(&line.subject);
        match accounts.get_mut(&line.subject).filter(|one| one.period.start == line.start) {
            Some(account) => account.unwritten += std::mem::take(&mut account.writing),
            None => self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Ambient;

    fn quota(limit: u64) -> Quota {
        Quota { name: "month", tenant: Ambient::system().id(), subject: Arc::from("cli_1"), limit, refill_day: 1 }
    }

    #[test]
    fn what_is_counted_is_written_once_and_a_failure_loses_nothing() {
        let (book, quota, now) = (Book::default(), quota(10), Timestamp::parse("2026-03-31T23:59:59Z").unwrap());
        let Taken::Unknown(period) = book.take(&quota, now, 1) else { panic!("nothing is known yet") };
        book.learn(&quota, period, 4, now);
        book.learn(&quota, period, 99, now);
        assert_eq!(book.take(&quota, now, 4), Taken::Counted(2, 1000));
        assert_eq!(book.take(&quota, now, 3), Taken::Full(2, 1000));
        book.take(&quota, now, 1);
        book.refund(&quota, 1);
        let lines = book.to_write();
        assert_eq!(lines.iter().map(|line| line.used).collect::<Vec<_>>(), [4]);
        assert!(book.to_write().is_empty(), "it is on its way");
        assert_eq!(book.take(&quota, now, 1), Taken::Counted(1, 1000), "what is on its way counts");
        book.failed(lines[0].clone());
        let lines = book.to_write();
        assert_eq!(lines[0].used, 5);
        book.written(&lines[0], 10);
        assert_eq!(book.take(&quota, now, 1), Taken::Full(0, 1000), "another node used the rest");
    }

    #[test]
    fn a_new_month_begins_anew_and_the_old_ones_last_requests_are_written() {
        let (book, quota, march) = (Book::default(), quota(10), Timestamp::parse("2026-03-31T23:59:59Z").unwrap());
        book.learn(&quota, Period::at(march, 1), 0, march);
        book.take(&quota, march, 10);
        let april = Timestamp::parse("2026-04-01T00:00:00Z").unwrap();
        let Taken::Unknown(period) = book.take(&quota, april, 1) else { panic!("a new period") };
        book.learn(&quota, period, 0, april);
        assert_eq!(book.take(&quota, april, 1), Taken::Counted(9, 30 * 86_400_000));
        let lines: Vec<_> = book.to_write().into_iter().map(|line| (line.start, line.used)).collect();
        assert_eq!(lines, [(Period::at(march, 1).start, 10), (period.start, 1)]);
    }
}
