//! A member that became required came with a default: records that were made before get it, so that what is stored satisfies the schema.

use kernel::{Error, Result, TenantId};
use serde_json::{Map, Value};
use store::Tx;

use crate::records::Record;
use crate::resource_type::ResourceType;

/// The required members that have a default.
pub(crate) fn required_defaults(kind: &ResourceType) -> Map<String, Value> {
    kind.defaults().filter(|(name, _)| kind.is_required(name)).map(|(name, default)| (name.clone(), default.clone())).collect()
}

/// Fills in what is missing. No event and no new time follow: nobody changed the record; its revision says that it looks different.
pub(crate) fn fill(tx: &mut Tx<'_>, tenant: TenantId, defaults: &Map<String, Value>, record: &mut Record) -> Result<()> {
    let missing =
        || defaults.iter().filter(|(name, _)| !record.document.contains_key(*name)).map(|(name, value)| (name.clone(), value.clone()));
    let missing: Vec<(String, Value)> = missing().collect();
    if missing.is_empty() {
        return Ok(());
    }
    record.document.extend(missing);
    record.revision += 1;
    let text = serde_json::to_string(&record.document).map_err(Error::internal)?;
    let sql = "UPDATE records SET document = ?3, revision = ?4 WHERE tenant_id = ?1 AND id = ?2";
    tx.exec(sql, &[tenant.into(), record.id.into(), text.into(), record.revision.into()])?;
    Ok(())
}
