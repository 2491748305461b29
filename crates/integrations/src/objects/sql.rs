//! Every statement on `integration_schemas`.

use connectors::ObjectSchema;
use kernel::{Error, IntegrationId, Result, TenantId, Timestamp};
use store::Tx;

/// What was accepted, and when.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId, object: &str) -> Result<Option<(ObjectSchema, Timestamp)>> {
    let sql = "SELECT content, taken_at FROM integration_schemas WHERE tenant_id = ?1 AND integration_id = ?2 AND object = ?3";
    tx.query_opt(sql, &[tenant.into(), id.into(), object.into()], |row| {
        Ok((serde_json::from_str(&row.get::<String>(0)?).map_err(Error::internal)?, row.get(1)?))
    })
}

/// Keeps what is accepted; with `replace` in place of what was.
pub(crate) fn put(tx: &mut Tx<'_>, tenant: TenantId, id: IntegrationId, schema: &ObjectSchema, replace: bool) -> Result<()> {
    let sql = if replace {
        "INSERT INTO integration_schemas (tenant_id, integration_id, object, content, taken_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, integration_id, object) DO UPDATE SET content = excluded.content, taken_at = excluded.taken_at"
    } else {
        "INSERT INTO integration_schemas (tenant_id, integration_id, object, content, taken_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, integration_id, object) DO NOTHING"
    };
    let content = serde_json::to_string(schema).map_err(Error::internal)?;
    let now = tx.now();
    tx.exec(sql, &[tenant.into(), id.into(), (&schema.object).into(), content.into(), now.into()]).map(drop)
}
