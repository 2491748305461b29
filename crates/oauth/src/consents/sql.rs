//! Every statement on `oauth_consents`.

use kernel::{ClientId, ConsentId, Result, TenantId, Timestamp, UserId};
use store::Tx;

use crate::scope;

/// A consent as stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: ConsentId,
    pub(crate) user: UserId,
    pub(crate) client: ClientId,
    pub(crate) scopes: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
}

const COLUMNS: &str = "c.id, c.user_id, c.client_id, c.scope, c.created_at, c.updated_at, \
     (SELECT MAX(g.used_at) FROM oauth_grants g WHERE g.tenant_id = c.tenant_id AND g.user_id = c.user_id AND g.client_id = c.client_id \
     AND g.revoked_at IS NULL)";

fn read(row: &store::Row<'_>) -> Result<Stored> {
    Ok(Stored {
        id: row.get(0)?,
        user: row.get(1)?,
        client: row.get(2)?,
        scopes: scope::split(&row.get::<String>(3)?),
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
        last_used_at: row.get(6)?,
    })
}

/// What a person allowed an application in a tenant, if anything.
pub(crate) fn of(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: ClientId) -> Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_consents c WHERE c.tenant_id = ?1 AND c.user_id = ?2 AND c.client_id = ?3");
    tx.query_opt(&sql, &[tenant.into(), user.into(), client.into()], read)
}

pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: ConsentId) -> Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_consents c WHERE c.tenant_id = ?1 AND c.id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// Newest first; of one person, or of all.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, user: Option<UserId>, before: &str, limit: u32, offset: u64) -> Result<Vec<Stored>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM oauth_consents c WHERE c.tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR c.user_id = ?2) AND c.id < ?3 \
         ORDER BY c.id DESC LIMIT ?4 OFFSET ?5"
    );
    tx.query(&sql, &[tenant.into(), user.into(), before.into(), limit.into(), offset.into()], read)
}

/// Remembers scopes beside those that were allowed before.
pub(crate) fn remember(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: ClientId, scopes: &[String]) -> Result<ConsentId> {
    let now = tx.now();
    let known = of(tx, tenant, user, client)?;
    let mut all = known.as_ref().map(|known| known.scopes.clone()).unwrap_or_default();
    all.extend(scopes.iter().filter(|scope| !all.contains(scope)).cloned().collect::<Vec<_>>());
    let id: ConsentId = known.map_or_else(|| tx.ambient().id(), |known| known.id);
    tx.query_one(
        "INSERT INTO oauth_consents (id, tenant_id, user_id, client_id, scope, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) \
         ON CONFLICT (tenant_id, user_id, client_id) DO UPDATE SET scope = excluded.scope, updated_at = excluded.updated_at RETURNING id",
        &[id.into(), tenant.into(), user.into(), client.into(), all.join(" ").into(), now.into()],
        |row| row.get(0),
    )
}

pub(super) fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: ConsentId) -> Result<()> {
    tx.exec("DELETE FROM oauth_consents WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])?;
    Ok(())
}

pub(crate) fn purge(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>) -> Result<()> {
    let sql = "DELETE FROM oauth_consents WHERE tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR client_id = ?2)";
    tx.exec(sql, &[tenant.into(), client.into()])?;
    Ok(())
}

/// Removes what a person allowed.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Result<()> {
    tx.exec("DELETE FROM oauth_consents WHERE tenant_id = ?1 AND user_id = ?2", &[tenant.into(), user.into()])?;
    Ok(())
}

const GONE: &str = "NOT EXISTS (SELECT 1 FROM clients k WHERE k.id = o.client_id)";

/// Tenants in which an application was allowed something that is gone. Across tenants, in the system's scope.
pub(super) fn orphans(tx: &mut Tx<'_>) -> Result<Vec<(TenantId, ClientId)>> {
    let one = |table: &str| format!("SELECT o.tenant_id, o.client_id FROM {table} o WHERE {GONE}");
    let sql = format!("{} UNION {}", one("oauth_consents"), one("oauth_grants"));
    tx.query(&sql, &[], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The same of one application. Nothing, if it is there.
pub(super) fn orphans_of(tx: &mut Tx<'_>, client: ClientId) -> Result<Vec<(TenantId, ClientId)>> {
    let one = |table: &str| format!("SELECT o.tenant_id, o.client_id FROM {table} o WHERE o.client_id = ?1 AND {GONE}");
    let sql = format!("{} UNION {}", one("oauth_consents"), one("oauth_grants"));
    tx.query(&sql, &[client.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Removes what a tenant's people allowed an application: which, and who.
pub(super) fn remove_of(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<Vec<(ConsentId, UserId)>> {
    let sql = "DELETE FROM oauth_consents WHERE tenant_id = ?1 AND client_id = ?2 RETURNING id, user_id";
    tx.query(sql, &[tenant.into(), client.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}
