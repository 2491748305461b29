//! What an operator switches while servers run, from the command line of any machine that reaches the database: maintenance, and the call to
//! reload the blueprint. Every node follows within a second, and finds the switches as they were after a restart.
//!
//! Tables: `switches`, `reload_answers`. Change notices: topic `switch`, key the name. Invariants: asking whether maintenance is on costs a
//! request one atomic load; every switch is in the operator's audit log.

mod maintenance;
mod reloads;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use kernel::{Caller, OperatorScope, Result, Scope};
use store::{Home, Migration, Store, Tx};
use tokio::sync::{Notify, watch};

pub use maintenance::{Maintenance, switch_maintenance};
pub use reloads::{Call, ReloadAnswer, ReloadOutcome, answers, ask_to_reload};

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "switches", version: 1, home: Home::State, sql: include_str!("../migrations/0001_switches.sql") }];

/// The topic of change notices.
const TOPIC: &str = "switch";
/// Wait before the database is asked again after it did not answer.
const AGAIN_AFTER: std::time::Duration = std::time::Duration::from_millis(500);

/// The switches as they stand, kept up to date.
pub struct Switches {
    store: Store,
    maintenance: ArcSwapOption<Maintenance>,
    /// Whether there is one: every request asks.
    is_on: AtomicBool,
    /// The number of the last call to reload.
    calls: watch::Sender<i64>,
}

impl Switches {
    /// Reads them and follows changes. Must be called on a tokio runtime.
    pub async fn new(store: Store) -> Result<Arc<Self>> {
        let switches =
            Arc::new(Self { store, maintenance: ArcSwapOption::empty(), is_on: AtomicBool::new(false), calls: watch::Sender::new(0) });
        let changed = Arc::new(Notify::new());
        let notify = Arc::clone(&changed);
        switches.store.on_change(Box::new(move |change| {
            if change.concerns(TOPIC) {
                notify.notify_one();
            }
        }));
        switches.read().await?;
        let weak = Arc::downgrade(&switches);
        tokio::spawn(async move {
            loop {
                changed.notified().await;
                let Some(switches) = weak.upgrade() else { return };
                while let Err(error) = switches.read().await {
                    tracing::warn!(?error, "the switches could not be read; trying again");
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
            }
        });
        Ok(switches)
    }

    /// Whether, and since when, maintenance is on.
    pub fn maintenance(&self) -> Option<Arc<Maintenance>> {
        self.maintenance.load_full()
    }

    /// Whether maintenance is on: for every request.
    pub fn is_in_maintenance(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    async fn read(&self) -> Result<()> {
        let (maintenance, call) =
            self.store.read(Scope::system("switches"), |tx| Ok((maintenance::read(tx)?, reloads::last_call(tx)?))).await?;
        let (was, is) = (self.is_in_maintenance(), maintenance.is_some());
        self.maintenance.store(maintenance.map(Arc::new));
        self.is_on.store(is, Ordering::Relaxed);
        if was != is {
            tracing::warn!("maintenance is {}", if is { "on: partners are answered 503" } else { "off" });
        }
        self.calls.send_if_modified(|known| {
            let newer = call > *known;
            *known = (*known).max(call);
            newer
        });
        Ok(())
    }
}

/// Whoever may use the command line on the database is the operator.
fn operator() -> Result<OperatorScope> {
    Caller::system("command-line", None).operate()
}

/// Writes one and tells every node.
fn write(tx: &mut Tx<'_>, name: &'static str, value: &str) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO switches (name, value, changed_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET value = ?2, changed_at = ?3",
        &[name.into(), value.into(), now.into()],
    )?;
    tx.notify(TOPIC, name);
    Ok(())
}

fn read(tx: &mut Tx<'_>, name: &'static str) -> Result<Option<String>> {
    tx.query_opt("SELECT value FROM switches WHERE name = ?1", &[name.into()], |row| row.get(0))
}
