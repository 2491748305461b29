//! Tenants: the isolation boundary. The operator makes them; everything of a tenant goes with it.

mod create;
mod delete;
mod fields;
mod get;
mod list;
mod reference;
pub(crate) mod sql;
mod update;

use kernel::{TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use create::CreateTenant;
pub use list::TenantFilter;
pub use update::UpdateTenant;

pub(crate) use create::handle as create;
pub(crate) use delete::handle as delete;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use reference::References;
pub(crate) use update::handle as update;

/// Whether there is such a tenant.
pub fn exists(tx: &mut store::Tx<'_>, tenant: TenantId) -> kernel::Result<bool> {
    match sql::id_of(tx, &kernel::IdRef::Id(tenant)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == kernel::Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The tenant that a reference names, if there is one.
pub fn find(tx: &mut store::Tx<'_>, reference: &kernel::IdRef<TenantId>) -> kernel::Result<Option<TenantId>> {
    Ok(sql::find(tx, reference)?.map(|tenant| tenant.id))
}

/// Whether there is such a tenant and it is not suspended.
pub fn is_active(tx: &mut store::Tx<'_>, tenant: TenantId) -> kernel::Result<bool> {
    let status = tx.query_opt("SELECT status FROM tenants WHERE id = ?1", &[tenant.into()], |row| row.get::<String>(0))?;
    Ok(status.is_some_and(|text| TenantStatus::read(&text) == TenantStatus::Active))
}

/// The active tenant that has this slug.
pub fn active_of_slug(tx: &mut store::Tx<'_>, slug: &str) -> kernel::Result<Option<TenantId>> {
    let sql = "SELECT id, status FROM tenants WHERE slug = ?1";
    let found = tx.query_opt(sql, &[slug.into()], |row| Ok((row.get(0)?, row.get::<String>(1)?)))?;
    Ok(found.filter(|(_, status)| TenantStatus::read(status) == TenantStatus::Active).map(|(id, _)| id))
}

/// The tenant's name. Error: 404.
pub fn name(tx: &mut store::Tx<'_>, tenant: TenantId) -> kernel::Result<String> {
    let found = tx.query_opt("SELECT name FROM tenants WHERE id = ?1", &[tenant.into()], |row| row.get(0))?;
    found.ok_or_else(|| kernel::Error::not_found("tenant"))
}

/// Locks the tenant's row until the transaction ends, so that nothing is made for a tenant that is being deleted. Error: 404.
pub fn hold(tx: &mut store::Tx<'_>, tenant: TenantId) -> kernel::Result<()> {
    sql::hold(tx, tenant)
}

/// The tenant's slug. Error: 404.
pub fn slug(tx: &mut store::Tx<'_>, tenant: TenantId) -> kernel::Result<String> {
    let found = tx.query_opt("SELECT slug FROM tenants WHERE id = ?1", &[tenant.into()], |row| row.get(0))?;
    found.ok_or_else(|| kernel::Error::not_found("tenant"))
}

/// The same, and the tenant's row is locked until the transaction ends, so that nothing is made for a tenant that is being deleted. Error: 404.
pub fn held_slug(tx: &mut store::Tx<'_>, tenant: TenantId) -> kernel::Result<String> {
    sql::hold(tx, tenant)?;
    slug(tx, tenant)
}

/// What the tenant's settings name under `features`: which event types that are not for everybody it has. Error: internal, for a tenant
/// that does not exist.
pub fn features(tx: &mut store::Tx<'_>, tenant: TenantId) -> kernel::Result<Vec<String>> {
    let settings = tx.query_opt("SELECT settings FROM tenants WHERE id = ?1", &[tenant.into()], |row| row.get::<Value>(0))?;
    let names = settings.as_ref().and_then(|settings| settings.get(fields::FEATURES)?.as_array());
    Ok(names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// A member of the tenant's settings; none for a tenant that does not exist.
pub fn setting(tx: &mut store::Tx<'_>, tenant: TenantId, name: &str) -> kernel::Result<Option<Value>> {
    let settings = tx.query_opt("SELECT settings FROM tenants WHERE id = ?1", &[tenant.into()], |row| row.get::<Value>(0))?;
    Ok(settings.and_then(|settings| settings.get(name).cloned()))
}

/// Tenants after this one in the order of their ids (the empty text begins), with their settings: for work that goes through all.
pub fn after(tx: &mut store::Tx<'_>, after: &str, limit: u32) -> kernel::Result<Vec<(TenantId, Value)>> {
    let sql = "SELECT id, settings FROM tenants WHERE id > ?1 ORDER BY id LIMIT ?2";
    tx.query(sql, &[after.into(), limit.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Topic of change notices, by tenant id.
pub const TOPIC: &str = "tenant";

/// Whether a tenant's credentials are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TenantStatus {
    /// They are.
    #[default]
    Active,
    /// They are refused with 403 `tenant_suspended`.
    Suspended,
}

impl TenantStatus {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    pub(crate) fn read(text: &str) -> Self {
        if text == "active" { Self::Active } else { Self::Suspended }
    }
}

/// A tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// `ten_…`
    pub id: TenantId,
    /// The host's id for it, unique.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its name in addresses, unique: lower-case letters, digits and `-`.
    pub slug: String,
    /// Whether its credentials are accepted.
    pub status: TenantStatus,
    /// The host's own data.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Settings of the tenant.
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
