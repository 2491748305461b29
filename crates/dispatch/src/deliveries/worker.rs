//! Which node works what comes back into the queue.

use kernel::{DestinationId, NodeId, Result, TenantId};
use store::{Node, Tx};

/// This node; for an ordered destination the one that works it, if it is alive, since only one node can keep an order. If it is not, this one
/// does from now on.
pub(super) fn worker(tx: &mut Tx<'_>, node: Node, tenant: TenantId, destination: DestinationId) -> Result<Node> {
    let sql = "SELECT owner, epoch FROM destination_seqs WHERE tenant_id = ?1 AND destination_id = ?2 AND ordered <> 0";
    let ordered = tx.query_opt(sql, &[tenant.into(), destination.into()], |row| {
        Ok(row.get::<Option<NodeId>>(0)?.zip(row.get::<Option<i64>>(1)?).map(|(id, epoch)| Node { id, epoch }))
    })?;
    let Some(so_far) = ordered else { return Ok(node) };
    if let Some(other) = so_far
        && other.id != node.id
        && Node::is_alive(tx, other.id)?
    {
        return Ok(other);
    }
    let take = "UPDATE destination_seqs SET owner = ?3, epoch = ?4 WHERE tenant_id = ?1 AND destination_id = ?2";
    tx.exec(take, &[tenant.into(), destination.into(), node.id.into(), node.epoch.into()])?;
    Ok(node)
}
