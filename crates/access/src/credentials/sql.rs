//! Reading what authentication needs: one indexed statement for each kind of key.

use kernel::{ClientId, KeyId, Result, ServiceKeyId, TenantId, Timestamp};
use store::{Row, Tx};

use crate::keys::token::Which;

/// A key of either kind, as stored.
pub(crate) enum Found {
    Key(Box<KeyRow>),
    Service(Box<ServiceRow>),
}

pub(crate) struct KeyRow {
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
}

pub(crate) struct ServiceRow {
    pub(crate) id: ServiceKeyId,
    pub(crate) hash: Vec<u8>,
    pub(crate) bound: Option<TenantId>,
    pub(crate) permissions: Option<String>,
    pub(crate) status: String,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) tenant_status: Option<String>,
}

const KEY: &str = "SELECT k.id, k.tenant_id, k.client_id, k.hash, k.secret_hash, k.status, k.scopes, k.expires_at, k.allowed_ips, \
     k.allowed_endpoints, k.rate_limit_override, c.status, c.scopes, c.rate_limit_tier, c.allowed_origins, c.dual_auth, t.status \
     FROM api_keys k JOIN clients c ON c.id = k.client_id AND c.tenant_id = k.tenant_id JOIN tenants t ON t.id = k.tenant_id \
     WHERE k.key_id = ?1";

const SERVICE: &str = "SELECT s.id, s.hash, s.bound_tenant, s.permissions, s.status, s.expires_at, t.status \
     FROM service_keys s LEFT JOIN tenants t ON t.id = s.bound_tenant WHERE s.key_id = ?1";

/// The key of this id. Runs under a system scope: whose key it is, is what we want to learn.
pub(crate) fn find(tx: &mut Tx<'_>, which: Which, key_id: &str) -> Result<Option<Found>> {
    match which {
        Which::Api => tx.query_opt(KEY, &[key_id.into()], |row| Ok(Found::Key(Box::new(key(row)?)))),
        Which::Service => tx.query_opt(SERVICE, &[key_id.into()], |row| Ok(Found::Service(Box::new(service(row)?)))),
    }
}

fn key(row: &Row<'_>) -> Result<KeyRow> {
    Ok(KeyRow {
        id: row.get(0)?,
        tenant: row.get(1)?,
        client: row.get(2)?,
        hash: row.get(3)?,
        secret_hash: row.get(4)?,
        status: row.get(5)?,
        scopes: row.get(6)?,
        expires_at: row.get(7)?,
        allowed_ips: row.get(8)?,
        allowed_endpoints: row.get(9)?,
        limits: row.get(10)?,
        client_status: row.get(11)?,
        client_scopes: row.get(12)?,
        tier: row.get(13)?,
        allowed_origins: row.get(14)?,
        dual_auth: row.get(15)?,
        tenant_status: row.get(16)?,
    })
}

fn service(row: &Row<'_>) -> Result<ServiceRow> {
    Ok(ServiceRow {
        id: row.get(0)?,
        hash: row.get(1)?,
        bound: row.get(2)?,
        permissions: row.get(3)?,
        status: row.get(4)?,
        expires_at: row.get(5)?,
        tenant_status: row.get(6)?,
    })
}
