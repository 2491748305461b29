//! The request log, and what is counted from it. Purpose: every call that passes the gate leaves a row, off the request's path; how many
//! calls there were, how they ended and how long they took is answered from counts, in time that does not grow with the number of calls.
//!
//! Tables (logs database): `request_blocks` (by day), calls packed; `usage_hours` (by day) and `usage_days`, the counts; `usage_meters`, the counts that are billed;
//! `usage_writers`, which group each server wrote last. State: `usage_lines`, what was told to be billed. Events: none.
//!
//! * [`request_logs`]: the rows. [`rollups`]: the counts. [`reports`]: what is answered from them. [`metering`]: lines for billing.
//!
//! Invariants:
//! * [`Usage::record`] never waits and never touches the database; rows are written in groups by a background task.
//! * Rows and what they add to the counts commit together, once, whatever is tried again (`writer`).
//! * Nothing that was recorded is lost by an orderly stop: [`Usage::flush`] returns when everything is written.
//! * Memory is bounded: when [`Usage::is_full`] says so, the gate waits in [`Usage::room`] before it serves more.
//! * A line for billing never changes and is never taken back; what comes late is a line of its own.

mod blocks;
mod days;
pub mod metering;
mod refusals;
pub mod reports;
pub mod request_logs;
pub mod retention;
pub mod rollups;
mod row;
mod subjects;
mod writer;

use std::sync::{Arc, OnceLock};

use kernel::{Ambient, Error, NodeId, Result};
use signals::Signals;
use store::{Home, Migration, Store};

pub use row::{RequestRow, agent};
pub use subjects::{KeySubject, Subjects};
use writer::Buffer;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "usage", version: 1, home: Home::Logs, sql: include_str!("../migrations/0001_usage.sql") },
    Migration { feature: "usage", version: 2, home: Home::Logs, sql: include_str!("../migrations/0002_counts.sql") },
    Migration { feature: "usage", version: 3, home: Home::State, sql: include_str!("../migrations/0003_lines.sql") },
    Migration { feature: "usage", version: 4, home: Home::Logs, sql: include_str!("../migrations/0004_blocks.sql") },
];

/// The request log.
pub struct Usage {
    /// The state, where lines for billing are.
    store: Store,
    logs: Store,
    ambient: Ambient,
    subjects: OnceLock<Arc<dyn Subjects>>,
    signals: OnceLock<Arc<Signals>>,
    buffer: Arc<Buffer>,
}

impl Usage {
    /// Starts the background writer, and the tasks that make lines for billing of hours that are over and merge their blocks. Needs a tokio
    /// runtime.
    pub fn start(store: &Store) -> Arc<Self> {
        let (logs, buffer, ambient) = (store.logs(), Arc::new(Buffer::default()), store.ambient().clone());
        let node: NodeId = ambient.id();
        tokio::spawn(writer::run(logs.clone(), ambient.clone(), node, Arc::clone(&buffer)));
        let usage = Arc::new(Self { store: store.clone(), logs, ambient, subjects: OnceLock::new(), signals: OnceLock::new(), buffer });
        tokio::spawn(metering::close_regularly(Arc::downgrade(&usage)));
        tokio::spawn(blocks::merge_regularly(Arc::downgrade(&usage), node));
        usage
    }

    /// Says who knows clients and keys. The first one stays; until then no path that names one finds it.
    pub fn set_subjects(&self, subjects: Arc<dyn Subjects>) {
        // A second one would be a fault of wiring, which the first one outlives.
        drop(self.subjects.set(subjects));
    }

    fn subjects(&self, thing: &str) -> Result<Arc<dyn Subjects>> {
        self.subjects.get().cloned().ok_or_else(|| Error::not_found(thing))
    }

    /// Says where refused calls are counted, beside the log. The first one stays.
    pub fn set_signals(&self, signals: Arc<Signals>) {
        drop(self.signals.set(signals));
    }

    /// Takes a row. Never waits.
    pub fn record(&self, row: RequestRow) {
        refusals::note(&self.signals, &row);
        self.buffer.push(row);
    }

    /// Whether so many rows wait that callers should too.
    pub fn is_full(&self) -> bool {
        self.buffer.is_full()
    }

    /// Waits until there is room again.
    pub async fn room(&self) {
        self.buffer.room().await;
    }

    /// Waits until everything recorded before this call is in the database.
    pub async fn flush(&self) {
        self.buffer.flush().await;
    }

    /// The HTTP surface.
    pub fn routes(self: &Arc<Self>) -> web::Api {
        request_logs::routes(Arc::clone(self)).merge(reports::routes(self)).merge(metering::routes(self))
    }
}
