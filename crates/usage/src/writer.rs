//! From memory to the log database, in groups: the rows, what they add to the counts, and what they add to the meters, in one transaction.
//!
//! Each server numbers its groups and keeps the number of the last one beside the rows. A group that is tried again because its answer was
//! lost is then known, and adds nothing: every call is in the log once and in the counts once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::id::TypedId as _;
use kernel::{Ambient, NodeId, Result, Scope};
use store::{Store, Tx, Value};
use tokio::sync::{Notify, watch};

use crate::row::RequestRow;
use crate::{blocks, days, metering, rollups};

/// Rows in memory past which callers wait.
const FULL: usize = 100_000;
/// A group is written when it has this many rows …
const GROUP: usize = 5000;
/// … or after this long. The longer, the fewer rows of counts are written for each call.
const GROUP_TIME: Duration = Duration::from_millis(300);
/// Wait after a failed write, before the same rows are tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Pushers share few locks.
const SHARDS: usize = 8;

pub(crate) struct Buffer {
    shards: [Mutex<Vec<RequestRow>>; SHARDS],
    next: AtomicUsize,
    /// Rows taken and not yet written.
    held: AtomicUsize,
    wake: Notify,
    /// Counts finished rounds of writing; flushers and waiters for room watch it.
    rounds: watch::Sender<u64>,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            shards: Default::default(),
            next: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            wake: Notify::new(),
            rounds: watch::Sender::new(0),
        }
    }
}

impl Buffer {
    pub(crate) fn push(&self, row: RequestRow) {
        let shard = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let held = self.held.fetch_add(1, Ordering::AcqRel) + 1;
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner).push(row);
        if held == 1 || held == GROUP {
            self.wake.notify_one();
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held.load(Ordering::Acquire) >= FULL
    }

    pub(crate) async fn room(&self) {
        let mut rounds = self.rounds.subscribe();
        while self.is_full() && rounds.changed().await.is_ok() {}
    }

    pub(crate) async fn flush(&self) {
        let mut rounds = self.rounds.subscribe();
        while self.held.load(Ordering::Acquire) > 0 {
            self.wake.notify_one();
            // The writer may be between two rounds: ask again rather than wait for a round that was not asked for.
            let _ = tokio::time::timeout(GROUP_TIME, rounds.changed()).await;
        }
    }

    /// A group at most: what a group adds to the counts is in memory as a whole, some rows for each key that made a call.
    fn take(&self) -> Vec<RequestRow> {
        let mut rows = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let some = shard.len().min(GROUP / SHARDS);
            rows.extend(shard.drain(..some));
        }
        rows
    }
}

/// Runs until the runtime ends.
pub(crate) async fn run(logs: Store, ambient: Ambient, node: NodeId, buffer: Arc<Buffer>) {
    let mut leaves = rollups::Leaves::default();
    let mut number = 0;
    loop {
        buffer.wake.notified().await;
        if buffer.held.load(Ordering::Acquire) < GROUP {
            // Let a group gather; a flush or a full group wakes earlier.
            let _ = tokio::time::timeout(GROUP_TIME, buffer.wake.notified()).await;
        }
        let rows = buffer.take();
        let count = rows.len();
        if count > 0 {
            number += 1;
            write(&logs, Group::of(rows, &mut leaves, node, number, &ambient)).await;
            buffer.held.fetch_sub(count, Ordering::AcqRel);
        }
        buffer.rounds.send_modify(|rounds| *rounds += 1);
        if buffer.held.load(Ordering::Acquire) > 0 {
            buffer.wake.notify_one();
        }
    }
}

/// What is written together.
struct Group {
    node: NodeId,
    number: i64,
    /// Blocks by day.
    blocks: BTreeMap<i64, Vec<Value>>,
    counts: rollups::Counts,
    meters: Vec<Value>,
}

impl Group {
    fn of(rows: Vec<RequestRow>, leaves: &mut rollups::Leaves, node: NodeId, number: i64, ambient: &Ambient) -> Self {
        let leaves = leaves.count(&rows);
        let blocks = blocks::by_day(rows, &mut || ambient.id::<kernel::RequestId>().uuid().simple().to_string());
        Self { node, number, blocks, counts: rollups::Counts::of(&leaves, node), meters: metering::values(&leaves, node) }
    }

    fn write(&self, tx: &mut Tx<'_>) -> Result<()> {
        let now = tx.now();
        let new = tx.exec(
            "INSERT INTO usage_writers (node, last_group, at) VALUES (?1, ?2, ?3) ON CONFLICT (node) DO UPDATE \
             SET last_group = excluded.last_group, at = excluded.at WHERE usage_writers.last_group < excluded.last_group",
            &[self.node.into(), self.number.into(), now.into()],
        )?;
        if new == 0 {
            return Ok(());
        }
        for (day, values) in &self.blocks {
            days::insert(tx, *day, values)?;
        }
        rollups::write(tx, &self.counts)?;
        metering::count(tx, &self.meters)
    }
}

async fn write(logs: &Store, group: Group) {
    let group = Arc::new(group);
    loop {
        let once = Arc::clone(&group);
        match logs.write(Scope::system("usage"), move |tx| once.write(tx)).await {
            Ok(()) => break,
            Err(error) => {
                metrics::counter!("tradewind_usage_write_failures").increment(1);
                tracing::warn!(?error, "request log: writing failed, trying again");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::TenantId;
    use store::{Config, Database, MasterKey};

    use super::*;
    use crate::MIGRATIONS;

    testkit::engines! {
        /// The commit succeeded and its answer was lost: the same group comes again.
        async fn a_group_that_comes_again_adds_nothing(engine: testkit::Engine) {
            let ambient = Ambient::system();
            let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
            let config = Config::new(database, MasterKey::generate(&ambient), ambient.clone(), MIGRATIONS.to_vec());
            let logs = Store::open(config).await.unwrap().logs();
            let (tenant, node): (TenantId, NodeId) = (ambient.id(), ambient.id());
            let row = |_| {
                let row = RequestRow::new(ambient.id(), ambient.now(), "GET", Arc::from("/x"));
                RequestRow { tenant: Some(tenant), ..row }
            };
            let mut leaves = rollups::Leaves::default();
            for number in 1..=2 {
                let group = Arc::new(Group::of((0..10).map(row).collect(), &mut leaves, node, number, &ambient));
                for _ in 0..3 {
                    let once = Arc::clone(&group);
                    logs.write(Scope::system("test"), move |tx| once.write(tx)).await.unwrap();
                }
            }
            let counted = "SELECT CAST(SUM(requests) AS BIGINT) FROM usage_days WHERE kind = 't'";
            let metered = "SELECT CAST(SUM(requests) AS BIGINT) FROM usage_meters";
            for sql in [counted, metered] {
                let found: i64 = logs.read(Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
                assert_eq!(found, 20, "{sql}");
            }
            let rows = logs.read(Scope::system("test"), |tx| {
                let tables = days::tables(tx, None, None)?;
                let count = |sum: i64, table: &String| {
                    Ok(sum + tx.query_one(&format!("SELECT CAST(COALESCE(SUM(calls), 0) AS BIGINT) FROM {table}"), &[], |row| row.get::<i64>(0))?)
                };
                tables.iter().try_fold(0, count)
            });
            assert_eq!(rows.await.unwrap(), 20);
        }
    }
}
