//! Every statement on `oauth_connections`.

use kernel::{Error, OauthConnectionId, OauthTokenId, Result, Secret, TenantId, Timestamp};
use serde_json::{Value as Json, json};
use store::{Tx, Value};

use super::{ConnectionStatus, Row, Sealed};

const COLUMNS: &str = "id, tenant_id, provider, user_id, started_by, browser_hash, client_id, own_app, settings, asked, redirect_uri, return_to, \
                       token_id, status, error, created_at, expires_at";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        tenant: row.get(1)?,
        provider: row.get(2)?,
        user_id: row.get(3)?,
        started_by: row.get(4)?,
        browser_hash: row.get(5)?,
        client_id: row.get(6)?,
        own_app: row.get(7)?,
        settings: serde_json::from_str(&row.get::<String>(8)?).map_err(Error::internal)?,
        asked: serde_json::from_str(&row.get::<String>(9)?).map_err(Error::internal)?,
        redirect_uri: row.get(10)?,
        return_to: row.get(11)?,
        token: row.get(12)?,
        status: ConnectionStatus::read(&row.get::<String>(13)?)?,
        error: row.get(14)?,
        created_at: row.get(15)?,
        expires_at: row.get(16)?,
    })
}

fn context(tenant: TenantId, id: OauthConnectionId) -> String {
    format!("oauth_connections.sealed:{tenant}:{id}")
}

pub(crate) fn insert(tx: &mut Tx<'_>, row: &Row, sealed: &Sealed, state_hash: &[u8]) -> Result<()> {
    let shown = |secret: &Option<Secret<String>>| secret.as_ref().map(|secret| secret.reveal().clone());
    let text = Secret::new(json!({"v": shown(&sealed.verifier), "c": shown(&sealed.client_secret)}).to_string());
    let values: [Value; 18] = [
        row.tenant.into(),
        row.id.into(),
        row.provider.as_str().into(),
        row.user_id.clone().into(),
        row.started_by.as_str().into(),
        state_hash.into(),
        row.browser_hash.clone().into(),
        tx.sealer().seal(&context(row.tenant, row.id), text.reveal().as_bytes())?.into(),
        row.client_id.as_str().into(),
        row.own_app.into(),
        serde_json::to_string(&row.settings).map_err(Error::internal)?.into(),
        serde_json::to_string(&row.asked).map_err(Error::internal)?.into(),
        row.redirect_uri.as_str().into(),
        row.return_to.clone().into(),
        row.token.into(),
        row.status.as_str().into(),
        row.created_at.into(),
        row.expires_at.into(),
    ];
    tx.exec(
        "INSERT INTO oauth_connections (tenant_id, id, provider, user_id, started_by, state_hash, browser_hash, sealed, client_id, own_app, settings, \
         asked, redirect_uri, return_to, token_id, status, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        &values,
    )?;
    Ok(())
}

/// The secrets of a row that exists, opened.
pub(crate) fn sealed(tx: &mut Tx<'_>, tenant: TenantId, id: OauthConnectionId) -> Result<Sealed> {
    let sql = "SELECT sealed FROM oauth_connections WHERE tenant_id = ?1 AND id = ?2";
    let sealed: Vec<u8> = tx.query_one(sql, &[tenant.into(), id.into()], |row| row.get(0))?;
    let text = Secret::new(tx.sealer().open(&context(tenant, id), &sealed)?);
    let value: Json = serde_json::from_slice(text.reveal()).map_err(|_| Error::internal("a sealed connection that cannot be read"))?;
    let secret = |name: &str| value[name].as_str().map(|text| Secret::new(text.to_owned()));
    Ok(Sealed { verifier: secret("v"), client_secret: secret("c") })
}

pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: OauthConnectionId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_connections WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// Any tenant's: a callback names the state only. System work.
pub(crate) fn by_state(tx: &mut Tx<'_>, state_hash: &[u8]) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_connections WHERE state_hash = ?1");
    tx.query_opt(&sql, &[state_hash.into()], read)
}

/// Uses the state up; false: somebody was faster.
pub(crate) fn take(tx: &mut Tx<'_>, tenant: TenantId, id: OauthConnectionId, now: Timestamp) -> Result<bool> {
    let sql =
        "UPDATE oauth_connections SET status = 'exchanging' WHERE tenant_id = ?1 AND id = ?2 AND status = 'pending' AND expires_at > ?3";
    Ok(tx.exec(sql, &[tenant.into(), id.into(), now.into()])? == 1)
}

/// What came of it. What was sealed is not needed any more, and goes.
pub(crate) fn end(tx: &mut Tx<'_>, tenant: TenantId, id: OauthConnectionId, outcome: Result<OauthTokenId, &str>) -> Result<()> {
    let (status, token, error) = match outcome {
        Ok(token) => (ConnectionStatus::Connected, Some(token), None),
        Err(error) => (ConnectionStatus::Failed, None, Some(error)),
    };
    let nothing = tx.sealer().seal(&context(tenant, id), b"{}")?;
    let values: [Value; 7] =
        [tenant.into(), id.into(), status.as_str().into(), token.into(), error.into(), tx.now().into(), nothing.into()];
    tx.exec(
        "UPDATE oauth_connections SET status = ?3, token_id = COALESCE(CAST(?4 AS TEXT), token_id), error = ?5, ended_at = ?6, sealed = ?7 \
         WHERE tenant_id = ?1 AND id = ?2",
        &values,
    )?;
    Ok(())
}

/// How many of the tenant's are open.
pub(crate) fn pending(tx: &mut Tx<'_>, tenant: TenantId, now: Timestamp) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM oauth_connections WHERE tenant_id = ?1 AND status = 'pending' AND expires_at > ?2";
    tx.query_one(sql, &[tenant.into(), now.into()], |row| row.get(0))
}

pub(crate) fn delete_of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM oauth_connections WHERE tenant_id = ?1", &[tenant.into()]).map(|_| ())
}

/// System work.
pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64> {
    tx.exec("DELETE FROM oauth_connections WHERE created_at < ?1", &[before.into()])
}
