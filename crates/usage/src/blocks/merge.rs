//! Merging the small blocks of quiet tenants: a tenant's calls of an hour that is over stand in few blocks then.

use std::sync::{Arc, Weak};
use std::time::Duration;

use kernel::id::TypedId as _;
use kernel::{NodeId, Result, Scope, Timestamp};
use store::{Lease, Row, Tx};

use super::{MOST, Marks, Packed, Packer};
use crate::rollups::{Grain, HOUR_MS};
use crate::{Usage, days};

/// How often hours that are over are looked for.
const EVERY: Duration = Duration::from_secs(300);
/// An hour is merged when it has been over for so long: servers write late, and their clocks differ.
const GRACE_MS: i64 = 300_000;
/// Most hours of tenants in one transaction.
const STEP: usize = 50;
/// Most blocks that are merged at once.
const BLOCKS: u64 = 512;
const LEASE: Lease = Lease { name: "usage.merge", held_for: Duration::from_secs(60) };

pub(crate) async fn merge_regularly(usage: Weak<Usage>, node: NodeId) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(usage) = usage.upgrade() else { return };
        if let Err(error) = usage.merge_as(node).await {
            tracing::warn!(?error, "usage: small blocks could not be merged; it is tried again");
        }
    }
}

impl Usage {
    async fn merge_as(&self, node: NodeId) -> Result<()> {
        while self.store.write(Scope::system("usage"), move |tx| LEASE.take(tx, node)).await? && self.merge_step().await? > 0 {}
        Ok(())
    }

    /// Merges small blocks of hours that are over, some of them; answers how many there were. 0: there are none.
    pub async fn merge_step(&self) -> Result<u64> {
        let until = Grain::Hour.floor(Timestamp::from_millis(self.ambient.now().millis() - GRACE_MS));
        let ambient = Arc::new(self.ambient.clone());
        let step = move |tx: &mut Tx<'_>| {
            let mut merged = 0;
            for table in days::tables(tx, None, Some(until))?.into_iter().rev() {
                for _ in 0..STEP {
                    match merge_hour(tx, &table, until, &mut || ambient.id::<kernel::RequestId>().uuid().simple().to_string())? {
                        0 => break,
                        some => merged += some,
                    }
                }
            }
            Ok(merged)
        };
        self.logs.write(Scope::system("usage"), step).await
    }
}

/// A block as it is read for this.
struct Loose {
    id: String,
    since: i64,
    at: i64,
    marks: Marks,
    packed: Vec<u8>,
}

fn loose(row: &Row<'_>) -> Result<Loose> {
    let marks = Marks { subjects: row.get(3)?, kinds: row.get(4)? };
    Ok(Loose { id: row.get(0)?, since: row.get(1)?, at: row.get(2)?, marks, packed: row.get(5)? })
}

/// Merges loose blocks of the tenant and hour that have waited longest; answers how many.
fn merge_hour(tx: &mut Tx<'_>, table: &str, until: Timestamp, name: &mut dyn FnMut() -> String) -> Result<u64> {
    let oldest = format!("SELECT tenant_id, at FROM {table} WHERE is_loose = 1 AND at < ?1 ORDER BY at LIMIT 1");
    let Some((tenant, at)) = tx.query_opt(&oldest, &[until.into()], |row| Ok((row.get::<String>(0)?, row.get::<i64>(1)?)))? else {
        return Ok(0);
    };
    let hour = at.div_euclid(HOUR_MS) * HOUR_MS;
    let of_hour = format!(
        "SELECT id, since, at, subjects, kinds, packed FROM {table} \
         WHERE tenant_id = ?1 AND at >= ?2 AND at < ?3 AND is_loose = 1 ORDER BY at, id LIMIT ?4"
    );
    let found = tx.query(&of_hour, &[(&tenant).into(), hour.into(), (hour + HOUR_MS).into(), BLOCKS.into()], loose)?;
    let delete = format!("DELETE FROM {table} WHERE tenant_id = ?1 AND at = ?2 AND id = ?3");
    let (mut packer, mut values, count) = (Packer::default(), Vec::new(), found.len() as u64);
    for block in found {
        tx.exec(&delete, &[(&tenant).into(), block.at.into(), block.id.into()])?;
        let packed = Packed::read(&block.packed)?;
        if packer.len() + packed.calls.len() > MOST {
            super::Block { is_loose: false, ..std::mem::take(&mut packer).finish(tenant.clone(), name()) }.into_values(&mut values);
        }
        packer.append(packed, block.since, block.at, block.marks);
    }
    super::Block { is_loose: false, ..packer.finish(tenant, name()) }.into_values(&mut values);
    days::insert_into(tx, table, &values)?;
    Ok(count)
}
