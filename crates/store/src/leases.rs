//! Work that one node at a time is to do. Only for work that can be repeated, and that two at once would do no harm: a lease saves work, it
//! does not guard anything. One that is held too long is taken over while its holder may still be at it.

use std::time::Duration;

use kernel::{NodeId, Result};

use crate::Tx;

/// A piece of work.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// Its name, of which there is one in the database: `retention.sweep`.
    pub name: &'static str,
    /// For how long it is held without being renewed.
    pub held_for: Duration,
}

impl Lease {
    /// Takes it or renews it, or takes it from a node that has stopped; false: another node has it.
    pub fn take(self, tx: &mut Tx<'_>, holder: NodeId) -> Result<bool> {
        let now = tx.now();
        let taken = tx.exec(
            "INSERT INTO leases (name, holder, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE \
             SET holder = excluded.holder, expires_at = excluded.expires_at WHERE leases.holder = ?2 OR leases.expires_at < ?4 \
             OR EXISTS (SELECT 1 FROM nodes WHERE nodes.id = leases.holder AND nodes.stopped_at IS NOT NULL)",
            &[self.name.into(), holder.into(), now.plus(self.held_for).into(), now.into()],
        )?;
        Ok(taken == 1)
    }

    /// Gives it back, if it is held.
    pub fn give_back(self, tx: &mut Tx<'_>, holder: NodeId) -> Result<()> {
        tx.exec("DELETE FROM leases WHERE name = ?1 AND holder = ?2", &[self.name.into(), holder.into()]).map(drop)
    }
}
