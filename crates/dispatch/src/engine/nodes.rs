//! Being alive, noticing who is not, and taking over.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use kernel::{DestinationId, NodeId, Result};
use store::{Dialect, Engine as Database, NODE_DEAD_AFTER, Node, Tx};
use tokio::time::Instant;

use super::log::{self, Logged};
use super::{Engine, scope};
use crate::deliveries;
use crate::queue::slips::{self, Which};

/// Rows taken over in one transaction.
const STEP: i64 = 500;
/// A dead node's name is kept this long, for rows that it may still have committed while it was dying.
const REMEMBER: Duration = Duration::from_secs(600);
/// Journal groups read at once.
const JOURNAL: i64 = 50;

/// Ordered deliveries go to whoever works their destination.
const TAKE_OVER: Dialect = Dialect {
    sqlite: "UPDATE queue SET \
             owner = COALESCE((SELECT s.owner FROM destination_seqs s WHERE s.destination_id = queue.destination_id AND queue.ordering_key IS NOT NULL), ?1), \
             epoch = COALESCE((SELECT s.epoch FROM destination_seqs s WHERE s.destination_id = queue.destination_id AND queue.ordering_key IS NOT NULL), ?2) \
             WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM queue WHERE owner = ?3 LIMIT ?4) RETURNING destination_id, owner",
    postgres: "UPDATE queue SET \
               owner = COALESCE((SELECT s.owner FROM destination_seqs s WHERE s.destination_id = queue.destination_id AND queue.ordering_key IS NOT NULL), ?1), \
               epoch = COALESCE((SELECT s.epoch FROM destination_seqs s WHERE s.destination_id = queue.destination_id AND queue.ordering_key IS NOT NULL), ?2) \
               WHERE (tenant_id, id) IN (SELECT tenant_id, id FROM queue WHERE owner = ?3 LIMIT ?4 FOR UPDATE SKIP LOCKED) \
               RETURNING destination_id, owner",
};
const TAKE_LANES: &str = "UPDATE destination_seqs SET owner = ?1, epoch = ?2 WHERE owner = ?3";

impl Engine {
    /// Buries the dead; answers all who are dead. On SQLite one server holds the directory, so at its start everyone else is dead.
    pub(super) async fn bury(&self, starting: bool) -> Result<Vec<NodeId>> {
        let (node, now) = (self.node(), self.ambient.now());
        let oldest = match self.store.engine() {
            Database::Sqlite if starting => now.plus(Duration::from_millis(1)),
            Database::Sqlite | Database::Postgres => now.minus(NODE_DEAD_AFTER),
        };
        self.store.write(scope(), move |tx| node.bury(tx, oldest)).await
    }

    pub(super) async fn keep_alive(self: Arc<Self>, dead: Vec<NodeId>) {
        let mut seen: HashMap<NodeId, Instant> = HashMap::new();
        self.take_over_all(&dead, &mut seen).await;
        loop {
            tokio::time::sleep(self.options.heartbeat_every).await;
            let node = self.node();
            match self.store.write(scope(), move |tx| node.heartbeat(tx)).await {
                Ok(true) => {}
                Ok(false) => self.rise_again().await,
                Err(error) => {
                    tracing::warn!(?error, "no heartbeat");
                    continue;
                }
            }
            match self.bury(false).await {
                Ok(dead) => self.take_over_all(&dead, &mut seen).await,
                Err(error) => tracing::warn!(?error, "could not look for dead nodes"),
            }
        }
    }

    /// Declared dead while alive: others may work on what we hold. A new life begins with nothing.
    async fn rise_again(self: &Arc<Self>) {
        let old = self.node();
        let node = match self.store.write(scope(), Node::register).await {
            Ok(node) => node,
            Err(error) => {
                tracing::warn!(?error, "could not register again");
                return;
            }
        };
        tracing::warn!(old = %old.id, new = %node.id, "declared dead while alive; starting again with nothing");
        *self.node.write().unwrap_or_else(PoisonError::into_inner) = node;
        for lane in self.lanes() {
            lane.lock().forget_ready();
        }
        if let Err(error) = self.take_over(old.id).await {
            tracing::warn!(?error, "could not take back what an earlier life left");
        }
    }

    async fn take_over_all(self: &Arc<Self>, dead: &[NodeId], seen: &mut HashMap<NodeId, Instant>) {
        seen.retain(|node, _| dead.contains(node));
        for node in dead {
            let first = *seen.entry(*node).or_insert_with(Instant::now);
            match self.take_over(*node).await {
                Ok(0) if first.elapsed() > REMEMBER => self.forget(*node).await,
                Ok(_) => {}
                Err(error) => tracing::warn!(?error, %node, "could not take over"),
            }
        }
    }

    async fn forget(&self, dead: NodeId) {
        if let Err(error) = self.store.write(scope(), move |tx| Node::forget(tx, dead)).await {
            tracing::warn!(?error, "could not forget a dead node");
        }
    }

    /// Takes a dead node's deliveries, and completes the log that it left behind. Answers how many deliveries there were.
    async fn take_over(self: &Arc<Self>, dead: NodeId) -> Result<usize> {
        let mut count = 0;
        loop {
            let me = self.node();
            let (taken, is_over) = self.store.write(scope(), move |tx| take_some(tx, me, dead)).await?;
            if is_over {
                break;
            }
            count += taken.len();
            for id in taken.into_iter().collect::<BTreeSet<_>>() {
                let lane = self.lane(id);
                lane.lock().leave_to_database();
                self.visit(&lane);
            }
        }
        if count > 0 {
            tracing::info!(%dead, count, "took over deliveries");
        }
        self.complete_log(dead).await?;
        Ok(count)
    }

    async fn complete_log(&self, dead: NodeId) -> Result<()> {
        loop {
            let groups = self.store.read(scope(), move |tx| journal_of(tx, dead)).await?;
            if groups.is_empty() {
                return Ok(());
            }
            let numbers: Vec<i64> = groups.iter().map(|(number, _)| *number).collect();
            let attempts: Arc<[Logged]> = groups.iter().flat_map(|(_, text)| read_group(text)).collect();
            if !self.log(&attempts).await {
                return Ok(());
            }
            let epoch_free = Node { id: dead, epoch: 0 };
            self.store.write(scope(), move |tx| super::outcome::forget_groups(tx, epoch_free, &numbers)).await?;
        }
    }
}

/// One step: the destinations of what was taken, and whether there was nothing left.
fn take_some(tx: &mut Tx<'_>, me: Node, dead: NodeId) -> Result<(Vec<DestinationId>, bool)> {
    let slips = slips::spill(tx, Which::Node(dead))?.slips;
    tx.exec(TAKE_LANES, &[me.id.into(), me.epoch.into(), dead.into()])?;
    let params = [me.id.into(), me.epoch.into(), dead.into(), STEP.into()];
    let taken: Vec<(DestinationId, NodeId)> = tx.query(TAKE_OVER, &params, |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (destination, _) in taken.iter().filter(|(_, owner)| *owner != me.id) {
        tx.notify(deliveries::TOPIC, destination);
    }
    let is_over = taken.is_empty() && slips == 0;
    Ok((taken.into_iter().map(|(destination, _)| destination).collect(), is_over))
}

fn journal_of(tx: &mut Tx<'_>, dead: NodeId) -> Result<Vec<(i64, String)>> {
    tx.query(
        "SELECT number, attempts FROM attempt_journal WHERE node = ?1 ORDER BY number LIMIT ?2",
        &[dead.into(), JOURNAL.into()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

fn read_group(text: &str) -> Vec<log::Logged> {
    serde_json::from_str(text).unwrap_or_else(|error| {
        tracing::error!(%error, "a group of the attempt journal cannot be read");
        Vec::new()
    })
}
