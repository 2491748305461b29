//! Reading what authentication needs: one indexed statement for each kind of key.
//!
//! It reads the key of the asked id **or the next one**: the engine does the same work for an id that nobody has as for one that somebody
//! has, so that the time of an answer does not tell which ids exist. Whether it is the right one is for the caller to see.

use kernel::{ClientId, GrantId, KeyId, Result, ServiceKeyId, TenantId, Timestamp, UserId};
use store::{Row, Tx};

use crate::keys::token::Which;

/// A credential of any kind, as stored.
pub(crate) enum Found {
    Key(Box<KeyRow>),
    Service(Box<ServiceRow>),
    Token(Box<TokenRow>),
}

impl Found {
    /// What finds it, and what proves its holder.
    pub(crate) fn identity(&self) -> (&str, &[u8], Option<&[u8]>, bool) {
        match self {
            Self::Key(row) => (&row.key_id, &row.hash, row.secret_hash.as_deref(), row.dual_auth),
            Self::Service(row) => (&row.key_id, &row.hash, None, false),
            Self::Token(row) => (&row.key_id, &row.hash, None, false),
        }
    }
}

pub(crate) struct KeyRow {
    pub(crate) key_id: String,
    pub(crate) id: KeyId,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) hash: Vec<u8>,
    pub(crate) secret_hash: Option<Vec<u8>>,
    pub(crate) status: String,
    pub(crate) scopes: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) allowed_ips: String,
    pub(crate) allowed_endpoints: String,
    pub(crate) limits: Option<String>,
    pub(crate) client_status: String,
    pub(crate) client_scopes: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) allowed_origins: String,
    pub(crate) dual_auth: bool,
    pub(crate) tenant_status: String,
    pub(crate) name: String,
    pub(crate) shown_id: String,
    pub(crate) environment: String,
    pub(crate) lineage: KeyId,
    pub(crate) metadata: String,
    pub(crate) client_external: Option<String>,
    pub(crate) quota: Option<String>,
    pub(crate) client_limits: Option<String>,
    pub(crate) client_quota: Option<String>,
}

pub(crate) struct ServiceRow {
    pub(crate) key_id: String,
    pub(crate) id: ServiceKeyId,
    pub(crate) hash: Vec<u8>,
    pub(crate) bound: Option<TenantId>,
    pub(crate) permissions: Option<String>,
    pub(crate) status: String,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) tenant_status: Option<String>,
    pub(crate) name: String,
}

pub(crate) struct TokenRow {
    pub(crate) key_id: String,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) user: Option<UserId>,
    pub(crate) grant: Option<GrantId>,
    pub(crate) hash: Vec<u8>,
    pub(crate) scope: String,
    pub(crate) resource: Option<String>,
    pub(crate) jkt: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) of_client: ClientRow,
    pub(crate) tenant_status: String,
    pub(crate) client_tenant_status: String,
    pub(crate) user_status: Option<String>,
    pub(crate) operator_role: Option<String>,
    pub(crate) role: Option<String>,
}

/// What a token's client says about it.
pub(crate) struct ClientRow {
    pub(crate) tenant: TenantId,
    pub(crate) status: String,
    pub(crate) scopes: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) allowed_origins: String,
    pub(crate) name: String,
    pub(crate) external: Option<String>,
    pub(crate) limits: Option<String>,
    pub(crate) quota: Option<String>,
}

const TOKEN: &str = "SELECT a.key_id, a.tenant_id, a.client_id, a.user_id, a.grant_id, a.hash, a.scope, a.resource, a.jkt, a.actor, a.created_at, \
     a.expires_at, c.tenant_id, c.status, c.scopes, c.rate_limit_tier, c.allowed_origins, c.name, c.external_id, c.rate_limit_override, \
     c.monthly_quota, t.status, o.status, u.status, u.operator_role, m.role \
     FROM (SELECT * FROM access_tokens WHERE key_id >= ?1 ORDER BY key_id LIMIT 1) a CROSS JOIN clients c CROSS JOIN tenants t CROSS JOIN tenants o \
     LEFT JOIN users u ON u.id = a.user_id LEFT JOIN memberships m ON m.tenant_id = a.tenant_id AND m.user_id = a.user_id \
     WHERE c.id = a.client_id AND t.id = a.tenant_id AND o.id = c.tenant_id";

const KEY: &str = "SELECT k.key_id, k.id, k.tenant_id, k.client_id, k.hash, k.secret_hash, k.status, k.scopes, k.expires_at, k.allowed_ips, \
     k.allowed_endpoints, k.rate_limit_override, c.status, c.scopes, c.rate_limit_tier, c.allowed_origins, c.dual_auth, t.status, k.name, \
     k.shown_id, k.environment, k.lineage_id, k.metadata, c.external_id, \
     k.monthly_quota, c.rate_limit_override, c.monthly_quota \
     FROM (SELECT * FROM api_keys WHERE key_id >= ?1 ORDER BY key_id LIMIT 1) k CROSS JOIN clients c CROSS JOIN tenants t \
     WHERE c.id = k.client_id AND c.tenant_id = k.tenant_id AND t.id = k.tenant_id";

const SERVICE: &str = "SELECT s.key_id, s.id, s.hash, s.bound_tenant, s.permissions, s.status, s.expires_at, t.status, s.name \
     FROM (SELECT * FROM service_keys WHERE key_id >= ?1 ORDER BY key_id LIMIT 1) s LEFT JOIN tenants t ON t.id = s.bound_tenant";

/// The key of this id, or the next one. Runs under a system scope: whose key it is, is what we want to learn.
pub(crate) fn nearest(tx: &mut Tx<'_>, which: Which, key_id: &str) -> Result<Option<Found>> {
    match which {
        Which::Api => tx.query_opt(KEY, &[key_id.into()], |row| Ok(Found::Key(Box::new(key(row)?)))),
        Which::Service => tx.query_opt(SERVICE, &[key_id.into()], |row| Ok(Found::Service(Box::new(service(row)?)))),
        Which::AccessToken => tx.query_opt(TOKEN, &[key_id.into()], |row| Ok(Found::Token(Box::new(token(row)?)))),
    }
}

/// A client's keys that are accepted, those used last first.
pub(crate) fn of_client(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId, limit: u32) -> Result<Vec<KeyRow>> {
    let columns = KEY.split_once(" FROM (SELECT").map_or("", |(columns, _)| columns);
    let sql = format!(
        "{columns} FROM api_keys k CROSS JOIN clients c CROSS JOIN tenants t WHERE k.tenant_id = ?1 AND k.client_id = ?2 AND k.status = 'active' \
         AND c.id = k.client_id AND c.tenant_id = k.tenant_id AND t.id = k.tenant_id ORDER BY COALESCE(k.last_used_at, 0) DESC, k.id DESC LIMIT ?3"
    );
    tx.query(&sql, &[tenant.into(), client.into(), limit.into()], key)
}

/// Whether any imported key was ever stored: without one, a text that is no token of ours need not be looked up.
pub(crate) fn has_imports(tx: &mut Tx<'_>) -> Result<bool> {
    let sql = "SELECT 1 FROM api_keys WHERE key_id >= 'sha256:' AND key_id < 'sha256;' LIMIT 1";
    Ok(tx.query_opt(sql, &[], |_| Ok(()))?.is_some())
}

fn key(row: &Row<'_>) -> Result<KeyRow> {
    Ok(KeyRow {
        key_id: row.get(0)?,
        id: row.get(1)?,
        tenant: row.get(2)?,
        client: row.get(3)?,
        hash: row.get(4)?,
        secret_hash: row.get(5)?,
        status: row.get(6)?,
        scopes: row.get(7)?,
        expires_at: row.get(8)?,
        allowed_ips: row.get(9)?,
        allowed_endpoints: row.get(10)?,
        limits: row.get(11)?,
        client_status: row.get(12)?,
        client_scopes: row.get(13)?,
        tier: row.get(14)?,
        allowed_origins: row.get(15)?,
        dual_auth: row.get(16)?,
        tenant_status: row.get(17)?,
        name: row.get(18)?,
        shown_id: row.get(19)?,
        environment: row.get(20)?,
        lineage: row.get(21)?,
        metadata: row.get(22)?,
        client_external: row.get(23)?,
        quota: row.get(24)?,
        client_limits: row.get(25)?,
        client_quota: row.get(26)?,
    })
}

fn service(row: &Row<'_>) -> Result<ServiceRow> {
    Ok(ServiceRow {
        key_id: row.get(0)?,
        id: row.get(1)?,
        hash: row.get(2)?,
        bound: row.get(3)?,
        permissions: row.get(4)?,
        status: row.get(5)?,
        expires_at: row.get(6)?,
        tenant_status: row.get(7)?,
        name: row.get(8)?,
    })
}

fn token(row: &Row<'_>) -> Result<TokenRow> {
    Ok(TokenRow {
        key_id: row.get(0)?,
        tenant: row.get(1)?,
        client: row.get(2)?,
        user: row.get(3)?,
        grant: row.get(4)?,
        hash: row.get(5)?,
        scope: row.get(6)?,
        resource: row.get(7)?,
        jkt: row.get(8)?,
        actor: row.get(9)?,
        issued_at: row.get(10)?,
        expires_at: row.get(11)?,
        of_client: ClientRow {
            tenant: row.get(12)?,
            status: row.get(13)?,
            scopes: row.get(14)?,
            tier: row.get(15)?,
            allowed_origins: row.get(16)?,
            name: row.get(17)?,
            external: row.get(18)?,
            limits: row.get(19)?,
            quota: row.get(20)?,
        },
        tenant_status: row.get(21)?,
        client_tenant_status: row.get(22)?,
        user_status: row.get(23)?,
        operator_role: row.get(24)?,
        role: row.get(25)?,
    })
}
