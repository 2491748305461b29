//! The request log. Purpose: every call that passes the gate leaves a row, off the request's path.
//!
//! Tables: `request_logs` (logs database, by day). Events: none.
//!
//! Invariants:
//! * [`Usage::record`] never waits and never touches the database; rows are written in groups by a background task.
//! * Nothing that was recorded is lost by an orderly stop: [`Usage::flush`] returns when everything is written.
//! * Memory is bounded: when [`Usage::is_full`] says so, the gate waits in [`Usage::room`] before it serves more.

pub mod request_logs;
pub mod retention;
mod row;
mod writer;

use std::sync::Arc;

use store::{Home, Migration, Store};

pub use row::RequestRow;
use writer::Buffer;

/// The tables of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "usage", version: 1, home: Home::Logs, sql: include_str!("../migrations/0001_usage.sql") }];

/// The request log.
pub struct Usage {
    store: Store,
    buffer: Arc<Buffer>,
}

impl Usage {
    /// Starts the background writer. Needs a tokio runtime.
    pub fn start(store: &Store) -> Arc<Self> {
        let logs = store.logs();
        let buffer = Arc::new(Buffer::default());
        tokio::spawn(writer::run(logs.clone(), Arc::clone(&buffer)));
        Arc::new(Self { store: logs, buffer })
    }

    /// Takes a row. Never waits.
    pub fn record(&self, row: RequestRow) {
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
        request_logs::routes(Arc::clone(self))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}
