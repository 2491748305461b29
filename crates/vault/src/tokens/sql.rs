//! Every statement on `oauth_tokens` and `oauth_token_uses`.

use kernel::{Error, OauthTokenId, Result, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Tx, Value};

use super::{Revocation, Row, Sealed, Status};

const COLUMNS: &str = "id, tenant_id, provider, user_id, account, status, reason, client_id, own_app, settings, is_renewable, scopes, asked, \
                       metadata, base_url, generation, expires_at, refreshed_at, due_at, claim_epoch, claim_until, failures, minted, revocation, \
                       last_used_at, created_at, updated_at";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        tenant: row.get(1)?,
        provider: row.get(2)?,
        user_id: row.get(3)?,
        account: row.get(4)?,
        status: row.get::<String>(5)?.parse()?,
        reason: row.get(6)?,
        client_id: row.get(7)?,
        own_app: row.get(8)?,
        settings: parse(&row.get::<String>(9)?)?,
        is_renewable: row.get(10)?,
        scopes: parse(&row.get::<String>(11)?)?,
        asked: parse(&row.get::<String>(12)?)?,
        metadata: parse(&row.get::<String>(13)?)?,
        base_url: row.get(14)?,
        generation: row.get(15)?,
        expires_at: row.get(16)?,
        refreshed_at: row.get(17)?,
        due_at: row.get(18)?,
        claim_epoch: row.get(19)?,
        claim_until: row.get(20)?,
        failures: row.get(21)?,
        minted: parse(&row.get::<String>(22)?)?,
        revocation: row.get::<Option<String>>(23)?.as_deref().and_then(Revocation::read),
        last_used_at: row.get(24)?,
        created_at: row.get(25)?,
        updated_at: row.get(26)?,
    })
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(Error::internal)
}

/// What changes, in the order of the statements below.
fn changeable(tx: &Tx<'_>, row: &Row, sealed: &Sealed) -> Result<[Value; 22]> {
    Ok([
        row.user_id.clone().into(),
        row.account.clone().into(),
        row.status.as_str().into(),
        row.reason.clone().into(),
        row.client_id.clone().into(),
        row.own_app.into(),
        json(&row.settings)?,
        sealed.seal(tx.sealer(), row.tenant, row.id)?.into(),
        row.is_renewable.into(),
        json(&row.scopes)?,
        json(&row.asked)?,
        json(&row.metadata)?,
        row.base_url.clone().into(),
        row.generation.into(),
        row.expires_at.into(),
        row.refreshed_at.into(),
        row.due_at.into(),
        row.claim_until.into(),
        row.failures.into(),
        json(&row.minted)?,
        row.revocation.map(Revocation::as_str).into(),
        row.updated_at.into(),
    ])
}

pub(crate) fn insert(tx: &mut Tx<'_>, row: &Row, sealed: &Sealed) -> Result<()> {
    let mut values: Vec<Value> = vec![row.tenant.into(), row.id.into()];
    values.extend(changeable(tx, row, sealed)?);
    values.extend([row.provider.as_str().into(), row.claim_epoch.into(), row.created_at.into()]);
    tx.exec(
        "INSERT INTO oauth_tokens (tenant_id, id, user_id, account, status, reason, client_id, own_app, settings, sealed, is_renewable, scopes, \
         asked, metadata, base_url, generation, expires_at, refreshed_at, due_at, claim_until, failures, minted, revocation, updated_at, provider, \
         claim_epoch, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
         ?23, ?24, ?25, ?26, ?27)",
        &values,
    )?;
    Ok(())
}

/// The whole row, unless its generation has changed since it was read: then `false`, and nothing.
pub(crate) fn update(tx: &mut Tx<'_>, row: &Row, sealed: &Sealed, generation: u64) -> Result<bool> {
    let mut values: Vec<Value> = vec![row.tenant.into(), row.id.into()];
    values.extend(changeable(tx, row, sealed)?);
    values.push(generation.into());
    let changed = tx.exec(
        "UPDATE oauth_tokens SET user_id = ?3, account = ?4, status = ?5, reason = ?6, client_id = ?7, own_app = ?8, settings = ?9, sealed = ?10, \
         is_renewable = ?11, scopes = ?12, asked = ?13, metadata = ?14, base_url = ?15, generation = ?16, expires_at = ?17, refreshed_at = ?18, \
         due_at = ?19, claim_until = ?20, failures = ?21, minted = ?22, revocation = ?23, updated_at = ?24 \
         WHERE tenant_id = ?1 AND id = ?2 AND generation = ?25",
        &values,
    )?;
    Ok(changed == 1)
}

/// Claims the writing, if nobody has claimed it since the row was read and no claim holds.
pub(crate) fn claim(tx: &mut Tx<'_>, row: &Row, until: Timestamp, minted: &[i64], now: Timestamp) -> Result<bool> {
    let values: [Value; 7] =
        [row.tenant.into(), row.id.into(), row.claim_epoch.into(), (row.claim_epoch + 1).into(), until.into(), json(minted)?, now.into()];
    let claimed = tx.exec(
        "UPDATE oauth_tokens SET claim_epoch = ?4, claim_until = ?5, minted = ?6 \
         WHERE tenant_id = ?1 AND id = ?2 AND claim_epoch = ?3 AND claim_until <= ?7",
        &values,
    )?;
    Ok(claimed == 1)
}

pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: OauthTokenId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_tokens WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// The secrets of a row that exists, opened.
pub(crate) fn sealed(tx: &mut Tx<'_>, tenant: TenantId, id: OauthTokenId) -> Result<Sealed> {
    let sql = "SELECT sealed FROM oauth_tokens WHERE tenant_id = ?1 AND id = ?2";
    let sealed: Vec<u8> = tx.query_one(sql, &[tenant.into(), id.into()], |row| row.get(0))?;
    Sealed::open(tx.sealer(), tenant, id, &sealed)
}

/// The tokens of one user at one provider that are not disconnected, the oldest first.
pub(crate) fn of_user(tx: &mut Tx<'_>, tenant: TenantId, provider: &str, user_id: Option<&str>) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM oauth_tokens WHERE tenant_id = ?1 AND provider = ?2 AND user_id IS NOT DISTINCT FROM ?3 AND status <> 'revoked' \
         ORDER BY id"
    );
    tx.query(&sql, &[tenant.into(), provider.into(), user_id.into()], read)
}

/// Every tenant's tokens of an account, for what the vendor says about the account. System work.
pub(crate) fn of_account(tx: &mut Tx<'_>, provider: &str, account: &str) -> Result<Vec<Row>> {
    let sql =
        format!("SELECT {COLUMNS} FROM oauth_tokens WHERE provider = ?1 AND account = ?2 AND status <> 'revoked' ORDER BY id LIMIT 1000");
    tx.query(&sql, &[provider.into(), account.into()], read)
}

/// What the keeper has to look at, every tenant's. System work.
pub(crate) fn due(tx: &mut Tx<'_>, now: Timestamp, limit: u32) -> Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_tokens WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2");
    tx.query(&sql, &[now.into(), limit.into()], read)
}

/// What a list shows.
pub(crate) struct Wanted<'a> {
    pub(crate) provider: Option<&'a str>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) status: Option<Status>,
}

impl Wanted<'_> {
    const WHERE: &'static str = "tenant_id = ?1 AND (?2 IS NULL OR provider = ?2) AND (?3 IS NULL OR user_id = ?3) AND \
                                 ((?4 IS NULL AND status <> 'revoked') OR status = ?4)";

    fn values(&self, tenant: TenantId) -> Vec<Value> {
        vec![tenant.into(), self.provider.into(), self.user_id.into(), self.status.map(Status::as_str).into()]
    }
}

/// The newest first, before `before`.
pub(crate) fn list(tx: &mut Tx<'_>, tenant: TenantId, wanted: &Wanted<'_>, before: &str, limit: u32, offset: u64) -> Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM oauth_tokens WHERE {} AND id < ?5 ORDER BY id DESC LIMIT ?6 OFFSET ?7", wanted_where());
    let mut values = wanted.values(tenant);
    values.extend([before.into(), limit.into(), offset.into()]);
    tx.query(&sql, &values, read)
}

pub(crate) fn count(tx: &mut Tx<'_>, tenant: TenantId, wanted: &Wanted<'_>) -> Result<u64> {
    let sql = format!("SELECT COUNT(*) FROM oauth_tokens WHERE {}", wanted_where());
    tx.query_one(&sql, &wanted.values(tenant), |row| row.get(0))
}

/// PostgreSQL does not guess the type of a parameter that is only compared with NULL.
fn wanted_where() -> String {
    let cast = |text: &str, n: u8| text.replace(&format!("?{n} IS NULL"), &format!("CAST(?{n} AS TEXT) IS NULL"));
    [2, 3, 4].into_iter().fold(Wanted::WHERE.to_owned(), |text, n| cast(&text, n))
}

pub(crate) fn ids(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<OauthTokenId>> {
    tx.query("SELECT id FROM oauth_tokens WHERE tenant_id = ?1", &[tenant.into()], |row| row.get(0))
}

pub(crate) fn delete_of_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM oauth_token_uses WHERE tenant_id = ?1", &[tenant.into()])?;
    tx.exec("DELETE FROM oauth_tokens WHERE tenant_id = ?1", &[tenant.into()]).map(|_| ())
}

/// Adds to the count of uses; nothing for a token that is not there any more.
pub(crate) fn add_uses(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: OauthTokenId,
    hour: Timestamp,
    by: &str,
    uses: u64,
    last: Timestamp,
) -> Result<()> {
    let touched =
        tx.exec("UPDATE oauth_tokens SET last_used_at = ?3 WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into(), last.into()])?;
    if touched == 0 {
        return Ok(());
    }
    tx.exec(
        "INSERT INTO oauth_token_uses (tenant_id, token_id, hour, used_by, uses) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, token_id, hour, used_by) DO UPDATE SET uses = oauth_token_uses.uses + excluded.uses",
        &[tenant.into(), id.into(), hour.into(), by.into(), uses.into()],
    )?;
    Ok(())
}

/// The uses of a token, the newest first, before an hour and a user of it.
pub(crate) fn uses(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    id: OauthTokenId,
    before: (i64, &str),
    limit: u32,
    offset: u64,
) -> Result<Vec<(Timestamp, String, u64)>> {
    let sql = "SELECT hour, used_by, uses FROM oauth_token_uses WHERE tenant_id = ?1 AND token_id = ?2 AND (hour < ?3 OR (hour = ?3 AND used_by > ?4)) \
               ORDER BY hour DESC, used_by LIMIT ?5 OFFSET ?6";
    let values: [Value; 6] = [tenant.into(), id.into(), before.0.into(), before.1.into(), limit.into(), offset.into()];
    tx.query(sql, &values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Removes what is over: uses before a time, and disconnected tokens that the keeper is done with. Answers how much. System work.
pub(crate) fn sweep(tx: &mut Tx<'_>, uses_before: Timestamp, revoked_before: Timestamp) -> Result<u64> {
    let uses = tx.exec("DELETE FROM oauth_token_uses WHERE hour < ?1", &[uses_before.into()])?;
    let tokens =
        tx.exec("DELETE FROM oauth_tokens WHERE status = 'revoked' AND due_at IS NULL AND updated_at < ?1", &[revoked_before.into()])?;
    Ok(uses + tokens)
}
