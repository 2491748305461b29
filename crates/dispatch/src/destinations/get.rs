//! Reading destinations.

use kernel::{DestinationId, Error, Result, TenantId};
use store::{Row, Tx};

use super::{Destination, State, context, missing, sql};

/// One of the tenant's destinations. Error: 404 for any other.
pub fn get(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId) -> Result<Destination> {
    find(tx, id)?.filter(|found| found.tenant == tenant).ok_or_else(missing)
}

/// Those of `ids` that are the tenant's, in the same order.
pub fn get_all(tx: &mut Tx<'_>, tenant: TenantId, ids: &[DestinationId]) -> Result<Vec<Destination>> {
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        out.extend(find(tx, *id)?.filter(|found| found.tenant == tenant));
    }
    Ok(out)
}

/// Any tenant's, for the engine, which works for all of them.
pub(crate) fn find(tx: &mut Tx<'_>, id: DestinationId) -> Result<Option<Destination>> {
    let sealer = tx.sealer().clone();
    let read = |row: &Row<'_>| {
        let id: DestinationId = row.get(0)?;
        let sealed: Vec<u8> = row.get(4)?;
        Ok(Destination {
            id,
            tenant: row.get(1)?,
            client: row.get(2)?,
            channel: row.get(3)?,
            config: serde_json::from_slice(&sealer.open(&context(id), &sealed)?).map_err(Error::internal)?,
            policy: serde_json::from_str(&row.get::<String>(5)?).map_err(Error::internal)?,
            state: State::parse(&row.get::<String>(6)?)?,
            state_reason: row.get(7)?,
            failing_since: row.get(8)?,
            created_at: row.get(9)?,
            updated_at: row.get(10)?,
        })
    };
    tx.query_opt(sql::SELECT, &[id.into()], read)
}
