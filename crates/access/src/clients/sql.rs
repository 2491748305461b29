//! Every statement on `clients`.

use kernel::{ClientId, Error, IdRef, Result, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use store::{Row, Tx, Value};

use super::fields::Fields;
use super::{ClientStatus, Stored};
use crate::rules;

const COLUMNS: &str = "id, tenant_id, external_id, name, description, redirect_uris, website, logo_url, contact_email, status, \
     rate_limit_tier, webhook_url, scopes, metadata, allowed_origins, dual_auth, confidential, created_at, updated_at, rate_limit_override, monthly_quota, \
     suspended_by_operator";

fn read(row: &Row<'_>) -> Result<Stored> {
    let fields = Fields {
        external_id: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        redirect_uris: parse(&row.get::<String>(5)?)?,
        website: row.get(6)?,
        logo_url: row.get(7)?,
        contact_email: row.get(8)?,
        status: ClientStatus::read(&row.get::<String>(9)?),
        rate_limit_tier: row.get(10)?,
        webhook_url: row.get(11)?,
        scopes: row.get::<Option<String>>(12)?.map(|text| parse(&text)).transpose()?,
        metadata: row.get::<Json>(13)?.as_object().cloned().unwrap_or_default(),
        allowed_origins: parse(&row.get::<String>(14)?)?,
        dual_auth: row.get(15)?,
        confidential: row.get(16)?,
        limits: row.get::<Option<String>>(19)?.map(|text| parse(&text)).transpose()?,
        quota: row.get::<Option<String>>(20)?.map(|text| parse(&text)).transpose()?,
    };
    Ok(Stored {
        id: row.get(0)?,
        tenant: row.get(1)?,
        fields,
        suspended_by_operator: row.get(21)?,
        created_at: row.get(17)?,
        updated_at: row.get(18)?,
    })
}

/// JSON as text, from a column.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// JSON as text, for a column.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    serde_json::to_string(value).map(Value::from).map_err(Error::internal)
}

fn values(client: &Stored) -> Result<Vec<Value>> {
    let fields = &client.fields;
    Ok(vec![
        client.tenant.into(),
        client.id.into(),
        fields.external_id.clone().into(),
        fields.name.as_str().into(),
        fields.description.clone().into(),
        json(&fields.redirect_uris)?,
        fields.website.clone().into(),
        fields.logo_url.clone().into(),
        fields.contact_email.clone().into(),
        fields.status.as_str().into(),
        fields.rate_limit_tier.clone().into(),
        fields.webhook_url.clone().into(),
        fields.scopes.as_ref().map(json).transpose()?.into(),
        json(&fields.metadata)?,
        json(&fields.allowed_origins)?,
        fields.dual_auth.into(),
        fields.confidential.into(),
        rules::search_text(&[&fields.name, fields.contact_email.as_deref().unwrap_or_default()]).into(),
        client.updated_at.into(),
        fields.limits.as_ref().map(json).transpose()?.into(),
        fields.quota.as_ref().map(json).transpose()?.into(),
        client.suspended_by_operator.into(),
    ])
}

pub(super) fn insert(tx: &mut Tx<'_>, client: &Stored, secret_hash: Option<[u8; 32]>) -> Result<()> {
    let mut values = values(client)?;
    values.push(client.created_at.into());
    values.push(secret_hash.map(|hash| hash.to_vec()).into());
    tx.exec(
        "INSERT INTO clients (tenant_id, id, external_id, name, description, redirect_uris, website, logo_url, contact_email, status, \
         rate_limit_tier, webhook_url, scopes, metadata, allowed_origins, dual_auth, confidential, search_text, updated_at, rate_limit_override, monthly_quota, \
         suspended_by_operator, created_at, secret_hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)",
        &values,
    )?;
    Ok(())
}

pub(super) fn update(tx: &mut Tx<'_>, client: &Stored) -> Result<()> {
    tx.exec(
        "UPDATE clients SET external_id = ?3, name = ?4, description = ?5, redirect_uris = ?6, website = ?7, logo_url = ?8, \
         contact_email = ?9, status = ?10, rate_limit_tier = ?11, webhook_url = ?12, scopes = ?13, metadata = ?14, allowed_origins = ?15, \
         dual_auth = ?16, confidential = ?17, search_text = ?18, updated_at = ?19, \
         rate_limit_override = ?20, monthly_quota = ?21, suspended_by_operator = ?22 WHERE tenant_id = ?1 AND id = ?2",
        &values(client)?,
    )?;
    Ok(())
}

pub(super) fn set_secret(tx: &mut Tx<'_>, tenant: TenantId, id: ClientId, hash: Option<[u8; 32]>, now: Timestamp) -> Result<()> {
    tx.exec(
        "UPDATE clients SET secret_hash = ?3, previous_secret_hash = NULL, previous_secret_until = NULL, updated_at = ?4 \
         WHERE tenant_id = ?1 AND id = ?2",
        &[tenant.into(), id.into(), hash.map(|hash| hash.to_vec()).into(), now.into()],
    )?;
    Ok(())
}

/// A new secret; the old one works on until then.
pub(super) fn replace_secret(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: ClientId,
    hash: [u8; 32],
    until: Timestamp,
    now: Timestamp,
) -> Result<()> {
    tx.exec(
        "UPDATE clients SET previous_secret_hash = secret_hash, previous_secret_until = ?5, secret_hash = ?3, updated_at = ?4 \
         WHERE tenant_id = ?1 AND id = ?2",
        &[tenant.into(), id.into(), hash.to_vec().into(), now.into(), until.into()],
    )?;
    Ok(())
}

/// The lists of the active clients of active tenants that allow an origin.
pub(crate) fn allowed_origins(tx: &mut Tx<'_>) -> Result<Vec<Vec<String>>> {
    let sql = "SELECT c.allowed_origins FROM clients c JOIN tenants t ON t.id = c.tenant_id \
         WHERE c.allowed_origins <> '[]' AND c.status = 'active' AND t.status = 'active'";
    tx.query(sql, &[], |row| parse(&row.get::<String>(0)?))
}

/// The client that a path names. Error: 404.
pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, reference: &IdRef<ClientId>) -> Result<Stored> {
    let found = match reference {
        IdRef::Id(id) => {
            let sql = format!("SELECT {COLUMNS} FROM clients WHERE tenant_id = ?1 AND id = ?2");
            tx.query_opt(&sql, &[tenant.into(), (*id).into()], read)?
        }
        IdRef::External(external) => {
            let sql = format!("SELECT {COLUMNS} FROM clients WHERE tenant_id = ?1 AND external_id = ?2");
            tx.query_opt(&sql, &[tenant.into(), external.into()], read)?
        }
    };
    found.ok_or_else(|| Error::not_found("client"))
}

/// [`get`], and on PostgreSQL keeps the client's row from changing until the transaction ends: what is decided by it stays true.
pub(crate) fn hold(tx: &mut Tx<'_>, tenant: TenantId, reference: &IdRef<ClientId>) -> Result<Stored> {
    const HOLD: store::Dialect = store::Dialect {
        sqlite: "SELECT 1 FROM clients WHERE tenant_id = ?1 AND id = ?2",
        postgres: "SELECT CAST(1 AS BIGINT) FROM clients WHERE tenant_id = ?1 AND id = ?2 FOR UPDATE",
    };
    let id = get(tx, tenant, reference)?.id;
    tx.query(HOLD, &[tenant.into(), id.into()], |_| Ok(()))?;
    get(tx, tenant, &IdRef::Id(id))
}

pub(super) fn is_external_id_taken(tx: &mut Tx<'_>, tenant: TenantId, external: &str, but: ClientId) -> Result<bool> {
    let sql = "SELECT id FROM clients WHERE tenant_id = ?1 AND external_id = ?2 AND id <> ?3";
    Ok(tx.query_opt(sql, &[tenant.into(), external.into(), but.into()], |_| Ok(()))?.is_some())
}

/// Tenant, status, tier (and the default tier), e-mail, search pattern.
pub(super) type Filter = [Value; 6];

const MATCHING: &str = "FROM clients WHERE tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR status = ?2) \
     AND (CAST(?3 AS TEXT) IS NULL OR COALESCE(rate_limit_tier, CAST(?4 AS TEXT)) = ?3) \
     AND (CAST(?5 AS TEXT) IS NULL OR LOWER(contact_email) = LOWER(CAST(?5 AS TEXT))) AND search_text LIKE ?6 ESCAPE '\\'";

/// Newest first.
pub(super) fn list(tx: &mut Tx<'_>, filter: &Filter, before: &str, limit: u32, offset: u64) -> Result<Vec<Stored>> {
    let mut values = filter.to_vec();
    values.extend([before.into(), limit.into(), offset.into()]);
    tx.query(&format!("SELECT {COLUMNS} {MATCHING} AND id < ?7 ORDER BY id DESC LIMIT ?8 OFFSET ?9"), &values, read)
}

pub(super) fn count(tx: &mut Tx<'_>, filter: &Filter) -> Result<u64> {
    tx.query_one(&format!("SELECT COUNT(*) {MATCHING}"), filter, |row| row.get(0))
}

/// Removes a client with its keys.
pub(super) fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: ClientId) -> Result<()> {
    tx.exec("DELETE FROM api_keys WHERE tenant_id = ?1 AND client_id = ?2", &[tenant.into(), id.into()])?;
    // Those that open other tenants' data are refused for want of a client, and go when their time is over.
    tx.exec("DELETE FROM access_tokens WHERE tenant_id = ?1 AND client_id = ?2", &[tenant.into(), id.into()])?;
    tx.exec("DELETE FROM clients WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])?;
    Ok(())
}
