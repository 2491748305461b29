//! Every statement on `oauth_clients`.

use kernel::{ClientId, Error, Result, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Row, Tx, Value};

use super::settings::{Audience, Stored};

const COLUMNS: &str = "grant_types, token_endpoint_auth_method, token_format, audience, require_dpop, require_par, jwks, jwks_uri, \
     access_token_seconds, refresh_token_seconds, registration, registration_hash, updated_at";

fn read(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        grant_types: optional(row.get(0)?)?,
        auth_method: optional(row.get(1)?)?,
        token_format: optional(row.get(2)?)?,
        audience: optional::<Audience>(row.get(3)?)?.unwrap_or_default(),
        require_dpop: row.get(4)?,
        require_par: row.get(5)?,
        jwks: row.get(6)?,
        jwks_uri: row.get(7)?,
        access_token_seconds: row.get(8)?,
        refresh_token_seconds: row.get(9)?,
        registration: row.get(10)?,
        registration_hash: row.get(11)?,
        updated_at: row.get(12)?,
    })
}

fn optional<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>> {
    text.map(|text| serde_json::from_str(&text).map_err(Error::internal)).transpose()
}

fn json<T: Serialize>(value: Option<&T>) -> Result<Value> {
    Ok(value.map(serde_json::to_string).transpose().map_err(Error::internal)?.into())
}

pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<Option<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_clients WHERE tenant_id = ?1 AND client_id = ?2");
    tx.query_opt(&sql, &[tenant.into(), client.into()], read)
}

/// Writes the settings in place of those that are there.
pub(crate) fn put(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId, stored: &Stored) -> Result<()> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO oauth_clients (tenant_id, client_id, grant_types, token_endpoint_auth_method, token_format, audience, require_dpop, \
         require_par, jwks, jwks_uri, access_token_seconds, refresh_token_seconds, registration, registration_hash, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15) \
         ON CONFLICT (client_id) DO UPDATE SET grant_types = excluded.grant_types, \
         token_endpoint_auth_method = excluded.token_endpoint_auth_method, token_format = excluded.token_format, audience = excluded.audience, \
         require_dpop = excluded.require_dpop, require_par = excluded.require_par, jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, \
         access_token_seconds = excluded.access_token_seconds, refresh_token_seconds = excluded.refresh_token_seconds, \
         registration = excluded.registration, registration_hash = excluded.registration_hash, updated_at = excluded.updated_at \
         WHERE oauth_clients.tenant_id = excluded.tenant_id",
        &[
            tenant.into(),
            client.into(),
            json(stored.grant_types.as_ref())?,
            json(stored.auth_method.as_ref())?,
            json(stored.token_format.as_ref())?,
            json(Some(&stored.audience))?,
            stored.require_dpop.into(),
            stored.require_par.into(),
            json(stored.jwks.as_ref())?,
            stored.jwks_uri.clone().into(),
            stored.access_token_seconds.into(),
            stored.refresh_token_seconds.into(),
            json(stored.registration.as_ref())?,
            stored.registration_hash.clone().into(),
            now.into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn purge(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>) -> Result<()> {
    let sql = "DELETE FROM oauth_clients WHERE tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR client_id = ?2)";
    tx.exec(sql, &[tenant.into(), client.into()])?;
    Ok(())
}
