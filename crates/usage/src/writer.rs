//! From memory to the log database, in groups.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Scope;
use store::{Store, Tx};
use tokio::sync::{Notify, watch};

use crate::row::{COLUMNS, INSERT, RequestRow};

/// Rows in memory past which callers wait.
const FULL: usize = 100_000;
/// A group is written when it has this many rows …
const GROUP: usize = 1000;
/// … or after this long.
const GROUP_TIME: Duration = Duration::from_millis(200);
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

    fn take(&self) -> Vec<RequestRow> {
        let mut rows = Vec::new();
        for shard in &self.shards {
            rows.append(&mut shard.lock().unwrap_or_else(PoisonError::into_inner));
        }
        rows
    }
}

/// Runs until the runtime ends.
pub(crate) async fn run(logs: Store, buffer: Arc<Buffer>) {
    loop {
        buffer.wake.notified().await;
        if buffer.held.load(Ordering::Acquire) < GROUP {
            // Let a group gather; a flush or a full group wakes earlier.
            let _ = tokio::time::timeout(GROUP_TIME, buffer.wake.notified()).await;
        }
        write(&logs, &buffer).await;
        buffer.rounds.send_modify(|rounds| *rounds += 1);
        if buffer.held.load(Ordering::Acquire) > 0 {
            buffer.wake.notify_one();
        }
    }
}

async fn write(logs: &Store, buffer: &Buffer) {
    let rows = buffer.take();
    let count = rows.len();
    let mut values = Vec::with_capacity(count * COLUMNS);
    rows.into_iter().for_each(|row| row.into_values(&mut values));
    let values = Arc::new(values);
    loop {
        let group = Arc::clone(&values);
        let insert = move |tx: &mut Tx<'_>| tx.insert_rows(INSERT, COLUMNS, &group, "");
        match logs.write(Scope::system("usage"), insert).await {
            Ok(_) => break,
            Err(error) => {
                metrics::counter!("tradewind_usage_write_failures").increment(1);
                tracing::warn!(?error, rows = count, "request log: writing failed, trying again");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
    buffer.held.fetch_sub(count, Ordering::AcqRel);
}
