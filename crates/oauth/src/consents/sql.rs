//! Every statement on `oauth_consents`.

use kernel::{ClientId, ConsentId, PageRequest, Result, TenantId, Timestamp, UserId};
use store::Tx;

use super::AuthorizedAppId;
use crate::scope;

/// An authorized app as stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: AuthorizedAppId,
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
        id: row.get::<String>(0)?.parse()?,
        user: row.get(1)?,
        client: row.get(2)?,
        scopes: scope::split(&row.get::<String>(3)?),
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
        last_used_at: row.get(6)?,
    })
}

/// Which scopes a person remembered to allow an application in a tenant, if any, and as what.
pub(crate) fn of(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: ClientId) -> Result<Option<(ConsentId, Vec<String>)>> {
    let sql = "SELECT id, scope FROM oauth_consents WHERE tenant_id = ?1 AND user_id = ?2 AND client_id = ?3";
    tx.query_opt(sql, &[tenant.into(), user.into(), client.into()], |row| Ok((row.get(0)?, scope::split(&row.get::<String>(1)?))))
}

/// Whose an authorized app is, and which application: of what is remembered, and of any grant that is known.
pub(super) fn named(tx: &mut Tx<'_>, tenant: TenantId, id: AuthorizedAppId) -> Result<Option<(UserId, ClientId)>> {
    let (sql, id) = match id {
        AuthorizedAppId::Consent(id) => ("SELECT user_id, client_id FROM oauth_consents WHERE tenant_id = ?1 AND id = ?2", id.into()),
        AuthorizedAppId::Grant(id) => ("SELECT user_id, client_id FROM oauth_grants WHERE tenant_id = ?1 AND id = ?2", id.into()),
    };
    tx.query_opt(sql, &[tenant.into(), id], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Newest first; of one person, or of all: what is remembered, and per application and person the grants that live of what is not. One row
/// more than the page has.
pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, user: Option<UserId>, page: &PageRequest) -> Result<Vec<Stored>> {
    let whose = |table: &str| format!("{table}.tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR {table}.user_id = ?2)");
    let (consents, grants) = (whose("c"), whose("g"));
    let sql = format!(
        "SELECT a.id, a.user_id, a.client_id, a.scope, a.created_at, a.updated_at, a.used_at FROM ( \
         SELECT {COLUMNS} AS used_at FROM oauth_consents c WHERE {consents} \
         UNION ALL \
         SELECT MIN(g.id), g.user_id, g.client_id, '', MIN(g.created_at), MAX(g.created_at), MAX(g.used_at) FROM oauth_grants g \
         WHERE {grants} AND g.revoked_at IS NULL AND g.expires_at > CAST(?7 AS BIGINT) \
         AND NOT EXISTS (SELECT 1 FROM oauth_consents k WHERE k.tenant_id = g.tenant_id AND k.user_id = g.user_id AND k.client_id = g.client_id) \
         GROUP BY g.user_id, g.client_id \
         ) a WHERE a.created_at < CAST(?3 AS BIGINT) OR (a.created_at = CAST(?3 AS BIGINT) AND a.id < ?4) \
         ORDER BY a.created_at DESC, a.id DESC LIMIT ?5 OFFSET ?6"
    );
    let (key, before) = page.cursor.as_ref().map_or((i64::MAX, "~"), |cursor| (cursor.key, cursor.id.as_str()));
    let now = tx.now();
    let parameters = [tenant.into(), user.into(), key.into(), before.into(), (page.limit + 1).into(), page.offset().into(), now.into()];
    tx.query(&sql, &parameters, read)
}

/// Remembers scopes beside those that were allowed before.
pub(crate) fn remember(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: ClientId, scopes: &[String]) -> Result<ConsentId> {
    let now = tx.now();
    let (id, known) = match of(tx, tenant, user, client)? {
        Some(known) => known,
        None => (tx.ambient().id(), Vec::new()),
    };
    let all = scope::union(known, scopes.to_vec());
    tx.query_one(
        "INSERT INTO oauth_consents (id, tenant_id, user_id, client_id, scope, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) \
         ON CONFLICT (tenant_id, user_id, client_id) DO UPDATE SET scope = excluded.scope, updated_at = excluded.updated_at RETURNING id",
        &[id.into(), tenant.into(), user.into(), client.into(), all.join(" ").into(), now.into()],
        |row| row.get(0),
    )
}

/// Forgets what is remembered of a person's application; whether there was something.
pub(super) fn remove(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, client: ClientId) -> Result<bool> {
    let sql = "DELETE FROM oauth_consents WHERE tenant_id = ?1 AND user_id = ?2 AND client_id = ?3";
    Ok(tx.exec(sql, &[tenant.into(), user.into(), client.into()])? > 0)
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
