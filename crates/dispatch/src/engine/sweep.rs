//! A regular look at the whole queue of this node, for work that nobody announced: after a takeover, a lost notice, a failed load.

use std::sync::Arc;

use kernel::{DestinationId, Result, Timestamp};
use store::{Node, Tx};

use super::{Engine, scope};

/// Lanes unused for so long are forgotten.
const IDLE: std::time::Duration = std::time::Duration::from_secs(600);

/// One index probe per destination with pending rows, however many rows there are.
const PENDING: &str = "WITH RECURSIVE d (id) AS (\
    SELECT MIN(destination_id) FROM queue WHERE owner = ?1 \
    UNION ALL SELECT (SELECT MIN(q.destination_id) FROM queue q WHERE q.owner = ?1 AND q.destination_id > d.id) FROM d WHERE d.id IS NOT NULL) \
    SELECT d.id, (SELECT MIN(q.due_at) FROM queue q WHERE q.owner = ?1 AND q.destination_id = d.id) FROM d WHERE d.id IS NOT NULL";

impl Engine {
    pub(super) async fn keep_sweeping(self: Arc<Self>) {
        loop {
            self.sweep().await;
            // Either way it is time to look.
            drop(tokio::time::timeout(self.options.sweep_every, self.sweep_now.notified()).await);
        }
    }

    pub(super) async fn sweep(self: &Arc<Self>) {
        let node = self.node();
        match self.store.read(scope(), move |tx| pending(tx, node)).await {
            Ok(found) => self.announce(&found),
            Err(error) => tracing::warn!(?error, "could not look for pending deliveries"),
        }
        self.tidy();
    }

    fn announce(self: &Arc<Self>, found: &[(DestinationId, Timestamp)]) {
        let now = self.ambient.now();
        for (id, due) in found {
            let lane = self.lane(*id);
            let mut state = lane.lock();
            if *due > now {
                state.due_earlier(*due);
            } else if state.holds_nothing() {
                state.leave_to_database();
            }
            drop(state);
            self.visit(&lane);
        }
    }

    /// Forgets idle lanes, ends overdue runs, measures.
    fn tidy(self: &Arc<Self>) {
        let now = self.ambient.now();
        for shard in &self.shards {
            let mut lanes = shard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            lanes.retain(|_, lane| {
                let state = lane.lock();
                !state.is_idle() || now.since(state.used_at) < IDLE
            });
        }
        for lane in self.lanes() {
            if lane.lock().is_shut() {
                self.spawn(Arc::clone(self).end_overdue(Arc::clone(&lane)));
            }
            self.visit(&lane);
        }
        self.serve_waiting();
        let seen = self.snapshot();
        for (state, count) in [("ready", seen.ready), ("in_flight", seen.in_flight), ("unsettled", seen.unsettled)] {
            metrics::gauge!("tradewind_dispatch_deliveries", "state" => state).set(gauge(count));
        }
        metrics::gauge!("tradewind_dispatch_lanes").set(gauge(seen.lanes));
        metrics::gauge!("tradewind_dispatch_breakers_open").set(gauge(seen.broken));
    }
}

#[allow(clippy::cast_precision_loss, reason = "a gauge is a float; the numbers are far below 2^52")]
fn gauge(n: usize) -> f64 {
    n as f64
}

fn pending(tx: &mut Tx<'_>, node: Node) -> Result<Vec<(DestinationId, Timestamp)>> {
    let rows = tx.query(PENDING, &[node.id.into()], |row| Ok((row.get(0)?, row.get::<Option<Timestamp>>(1)?)))?;
    Ok(rows.into_iter().filter_map(|(id, due)| Some((id, due?))).collect())
}
