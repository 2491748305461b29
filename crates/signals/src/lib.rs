//! What went wrong, counted: features note it, `alerts` reads it.
//!
//! Purpose: a feature that sees something go wrong (a wrong secret, a refused call, an integration's error) says so here, in one line, and
//! needs to know nothing of rules and alerts, which stand above it.
//!
//! Table: `signals`, one row for each kind, minute, tenant and subject; a day's worth is kept ([`forget`]). Events: none.
//!
//! Two ways in: [`Signals::note`] counts in memory and is written within seconds, for the gate's path; [`report`] writes in the caller's
//! transaction, for what commits anyway.
//!
//! Invariants:
//! * [`Signals::note`] never waits and never fails. Memory is bounded: past [`MOST`] subjects at once, new ones are not counted until the
//!   next writing (metric `tradewind_signals_dropped`). A crash forgets the last seconds: these are counts to look at, not to bill.
//! * A detail is a few words for people, without secrets.

mod kind;
mod sql;
mod tally;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Result, Scope, TenantId};
use store::{Home, Migration, Store, Tx};

pub use kind::Kind;
pub use sql::{Total, forget, purge, totals};
pub use tally::MOST;
use tally::Tally;

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "signals", version: 1, home: Home::State, sql: include_str!("../migrations/0001_signals.sql") }];

/// How often what was noted is written.
const EVERY: Duration = Duration::from_secs(5);

/// Counts of this node, on their way to the database.
pub struct Signals {
    store: Store,
    tally: Tally,
}

impl Signals {
    /// Writes nothing by itself before [`Signals::start`].
    pub fn new(store: &Store) -> Arc<Self> {
        Arc::new(Self { store: store.clone(), tally: Tally::default() })
    }

    /// Writes every few seconds for as long as anybody else holds it. Must be called on a tokio runtime.
    pub fn start(self: &Arc<Self>) {
        let signals = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(EVERY);
            loop {
                ticks.tick().await;
                let Some(signals) = signals.upgrade() else { return };
                if let Err(error) = signals.flush().await {
                    tracing::warn!(?error, "counts of what went wrong could not be written; they are kept for the next time");
                }
            }
        });
    }

    /// Counts one of `kind` about `subject`; no tenant: it is the operator's. `detail`: a few words for people; the last ones are shown.
    pub fn note(&self, kind: Kind, tenant: Option<TenantId>, subject: impl Display, detail: &str) {
        self.tally.note(kind, tenant, &subject.to_string(), detail, self.store.ambient().now());
    }

    /// Writes what was noted so far. On an error it is kept for the next time.
    pub async fn flush(&self) -> Result<()> {
        let counts = Arc::new(self.tally.take());
        if counts.is_empty() {
            return Ok(());
        }
        let group = Arc::clone(&counts);
        let written = self.store.write(Scope::system("signals"), move |tx| sql::add(tx, &group)).await;
        if written.is_err() {
            self.tally.put_back(&counts);
        }
        written
    }
}

/// Counts `count` of `kind` about `subject` in the caller's transaction, such as an integration's errors in that which ends a run. `subject`:
/// an id, or a word and an id; `detail`: a few words for people, without secrets.
pub fn report(tx: &mut Tx<'_>, kind: Kind, tenant: Option<TenantId>, subject: impl Display, count: u64, detail: &str) -> Result<()> {
    let now = tx.now();
    let tally = Tally::default();
    tally.note_many(kind, tenant, &subject.to_string(), count, detail, now);
    sql::add(tx, &tally.take())
}
