//! The comparisons. Each is a function from a [`Place`](crate::server::Place) and its settings to rows with verdicts.

mod batches;
pub mod deliver;
pub mod gate;
pub mod graphql;
pub mod latency;
pub mod memory;
pub mod oauth;
pub mod proxy;
pub(crate) mod sides;
pub mod store_rows;
pub mod transform;
pub mod verify;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::ledger::Ledger;
use crate::load::{Budget, closed};
use crate::receiver::{Capture, Receiver};
use crate::setup::{MEASURED, Rig};
use crate::traffic::{Publisher, Singles};

/// How long the last event of a run may take to arrive.
pub(crate) const ARRIVAL: Duration = Duration::from_secs(120);

/// Books with a prefix that no other run on the same server has used.
pub(crate) fn books(name: &str, size: u64) -> Result<Arc<Ledger>> {
    books_of(name, size, 1)
}

/// The same for events that go to `copies` webhooks each.
pub(crate) fn books_of(name: &str, size: u64, copies: u32) -> Result<Arc<Ledger>> {
    let bytes: [u8; 4] = kernel::Ambient::system().bytes();
    Ok(Arc::new(Ledger::with_copies(format!("{name}-{:08x}-", u32::from_le_bytes(bytes)), usize::try_from(size)?, copies)))
}

/// Publishes some events and waits until they have arrived, so that connections, statements and caches are warm; one delivery as it
/// stood on the wire.
pub(crate) async fn warm_up(rig: &Rig, receiver: &Receiver) -> Result<Capture> {
    warm_up_with(rig, receiver, MEASURED).await
}

/// The same with events of type `event`.
pub(crate) async fn warm_up_with(rig: &Rig, receiver: &Receiver, event: &'static str) -> Result<Capture> {
    let ledger = books("warm", 500)?;
    receiver.count_into(ledger.clone());
    receiver.capture_next();
    let traffic = Arc::new(Singles { publisher: Publisher::new(rig, event), ledger: ledger.clone() });
    let budget = Budget { count: 500, time: Duration::from_secs(30) };
    closed(rig.server.address(), 8, budget, traffic).await.all_good().context("publishing the first events")?;
    anyhow::ensure!(ledger.wait_for(500, ARRIVAL).await, "of 500 first events {} arrived; log: {}", ledger.unique(), rig.server.log_tail());
    receiver.captured().context("a delivery was captured")
}
