//! Every statement about signing keys.

use kernel::{Error, Result, Secret, TenantId, Timestamp};
use store::{Row, Tx};
use web::signature::{PublicKey, SigningKey};

use super::{WebhookKey, context};

const COLUMNS: &str = "kid, public_key, created_at, expires_at";

pub(super) fn insert(tx: &mut Tx<'_>, tenant: TenantId, key: &SigningKey) -> Result<WebhookKey> {
    let (kid, created_at) = (key.public().kid(), tx.now());
    let sealed = tx.sealer().seal(&context(&kid), key.seed().reveal())?;
    tx.exec(
        "INSERT INTO signing_keys (tenant_id, kid, public_key, seed, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[tenant.into(), kid.as_str().into(), key.public().text().into(), sealed.into(), created_at.into()],
    )?;
    Ok(WebhookKey { kid, public: *key.public(), created_at, expires_at: None })
}

fn read(row: &Row<'_>) -> Result<WebhookKey> {
    let public = PublicKey::parse(&row.get::<String>(1)?).map_err(Error::internal)?;
    Ok(WebhookKey { kid: row.get(0)?, public, created_at: row.get(2)?, expires_at: row.get(3)? })
}

/// A tenant's that sign at `now`, the newest first.
pub(super) fn valid(tx: &mut Tx<'_>, tenant: TenantId, now: Timestamp) -> Result<Vec<WebhookKey>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM signing_keys WHERE tenant_id = ?1 AND (expires_at IS NULL OR expires_at > ?2) \
         ORDER BY expires_at DESC NULLS FIRST, created_at DESC, kid"
    );
    tx.query(&sql, &[tenant.into(), now.into()], read)
}

/// The same with their private parts.
pub(super) fn signing(tx: &mut Tx<'_>, tenant: TenantId, now: Timestamp) -> Result<Vec<(SigningKey, Option<Timestamp>)>> {
    let sealer = tx.sealer().clone();
    let open = |row: &Row<'_>| {
        let kid: String = row.get(0)?;
        let seed = Secret::new(sealer.open(&context(&kid), &row.get::<Vec<u8>>(1)?)?);
        Ok((SigningKey::from_seed(seed.reveal())?, row.get(2)?))
    };
    let sql = "SELECT kid, seed, expires_at FROM signing_keys WHERE tenant_id = ?1 AND (expires_at IS NULL OR expires_at > ?2) \
               ORDER BY expires_at DESC NULLS FIRST, created_at DESC, kid";
    tx.query(sql, &[tenant.into(), now.into()], open)
}

/// Every tenant's that sign at `now`, at most `most`: what is published without a tenant's name.
pub(super) fn all(tx: &mut Tx<'_>, now: Timestamp, most: u32) -> Result<Vec<WebhookKey>> {
    let sql =
        format!("SELECT {COLUMNS} FROM signing_keys WHERE expires_at IS NULL OR expires_at > ?1 ORDER BY created_at DESC, kid LIMIT ?2");
    tx.query(&sql, &[now.into(), most.into()], read)
}

/// The present keys end at `until`, or earlier if they were to; those that have ended are forgotten.
pub(super) fn end(tx: &mut Tx<'_>, tenant: TenantId, until: Timestamp, now: Timestamp) -> Result<()> {
    tx.exec(
        "UPDATE signing_keys SET expires_at = ?2 WHERE tenant_id = ?1 AND (expires_at IS NULL OR expires_at > ?2)",
        &[tenant.into(), until.into()],
    )?;
    tx.exec("DELETE FROM signing_keys WHERE tenant_id = ?1 AND expires_at <= ?2", &[tenant.into(), now.into()])?;
    Ok(())
}

/// Any tenant's that end from `from` until before `to`, the next to end first, by their ids.
pub(super) fn ending(tx: &mut Tx<'_>, from: Timestamp, to: Timestamp, limit: u32) -> Result<Vec<(TenantId, String, Timestamp)>> {
    let sql =
        "SELECT tenant_id, kid, expires_at FROM signing_keys WHERE expires_at >= ?1 AND expires_at < ?2 ORDER BY expires_at, kid LIMIT ?3";
    tx.query(sql, &[from.into(), to.into(), limit.into()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}
