//! Nodes: which servers are alive. A server takes a new id and a new epoch at every start, and at every return from the dead; an epoch is
//! never used twice, so what an earlier life still tries to write can be refused.

use std::time::Duration;

use kernel::{NodeId, Result, Timestamp};

use crate::Tx;

/// How often a node says that it is alive.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// A node that was silent for this long is dead: others take its work over. Its own late writes carry an old epoch.
pub const NODE_DEAD_AFTER: Duration = Duration::from_secs(6);

/// One life of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// Its epoch: higher than that of every node that started before.
    pub epoch: i64,
}

impl Node {
    /// Announces a new node.
    pub fn register(tx: &mut Tx<'_>) -> Result<Self> {
        let id = tx.ambient().id::<NodeId>();
        let now = tx.now();
        let epoch = tx.query_one(
            "INSERT INTO counters (name, value) VALUES ('node_epoch', 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
            &[],
            |row| row.get::<i64>(0),
        )?;
        tx.exec("INSERT INTO nodes (id, epoch, started_at, heartbeat_at) VALUES (?1, ?2, ?3, ?3)", &[id.into(), epoch.into(), now.into()])?;
        Ok(Self { id, epoch })
    }

    /// Says that it is alive. False: it has been declared dead, and must register anew and drop what it holds.
    pub fn heartbeat(self, tx: &mut Tx<'_>) -> Result<bool> {
        let now = tx.now();
        let alive = tx.exec("UPDATE nodes SET heartbeat_at = ?2 WHERE id = ?1 AND stopped_at IS NULL", &[self.id.into(), now.into()])?;
        Ok(alive == 1)
    }

    /// Whether nobody has declared a node dead and it has not said goodbye.
    pub fn is_alive(tx: &mut Tx<'_>, node: NodeId) -> Result<bool> {
        Ok(tx.query_opt("SELECT 1 FROM nodes WHERE id = ?1 AND stopped_at IS NULL", &[node.into()], |_| Ok(()))?.is_some())
    }

    /// Says goodbye: others may take over at once what it leaves.
    pub fn stop(self, tx: &mut Tx<'_>) -> Result<()> {
        let now = tx.now();
        tx.exec("UPDATE nodes SET stopped_at = ?2 WHERE id = ?1 AND stopped_at IS NULL", &[self.id.into(), now.into()])?;
        Ok(())
    }

    /// Declares dead every other node whose last heartbeat is older than `oldest`; answers all nodes that are stopped, now or earlier, and
    /// not yet forgotten. On SQLite, where one server holds the data directory's lock, the caller passes the present.
    pub fn bury(self, tx: &mut Tx<'_>, oldest: Timestamp) -> Result<Vec<NodeId>> {
        let now = tx.now();
        tx.exec(
            "UPDATE nodes SET stopped_at = ?3 WHERE id <> ?1 AND stopped_at IS NULL AND heartbeat_at < ?2",
            &[self.id.into(), oldest.into(), now.into()],
        )?;
        tx.query("SELECT id FROM nodes WHERE id <> ?1 AND stopped_at IS NOT NULL", &[self.id.into()], |row| row.get(0))
    }

    /// Forgets a stopped node that owns nothing any more.
    pub fn forget(tx: &mut Tx<'_>, node: NodeId) -> Result<()> {
        tx.exec("DELETE FROM nodes WHERE id = ?1 AND stopped_at IS NOT NULL", &[node.into()])?;
        Ok(())
    }
}
