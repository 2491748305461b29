//! Idempotency keys. An operation's answer is sealed and kept in the savepoint of its effect: either both are there or neither.
//!
//! Two kinds are kept for [`KEPT_FOR`]: `result`, the value that an operation returned (the front door renders it again), and `answer`, a
//! finished response without effect, such as a 404, which the front door stores afterwards.

use std::time::Duration;

use kernel::{Error, RequestSlot, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Tx;

/// How long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_hours(24);

/// A finished response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct KeptAnswer {
    /// Status.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

/// Runs `function` once for the request's idempotency key: a repeated request gets the kept value.
///
/// Errors: 422 `idempotency_key_reused` when the key was used for another request; the function's own, with nothing kept.
pub(crate) fn once<T: Serialize + DeserializeOwned>(tx: &mut Tx<'_>, function: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    let scope = tx.scope().clone();
    let Some(slot) = scope.request().and_then(|request| request.slot.as_ref()).filter(|slot| slot.take()) else {
        return function(tx);
    };
    if let Some(kept) = reserve(tx, slot)? {
        let value = serde_json::from_slice(&kept).map_err(Error::internal)?;
        slot.mark_replayed();
        return Ok(value);
    }
    let value = function(tx)?;
    fill(tx, slot, &serde_json::to_vec(&value).map_err(Error::internal)?)?;
    Ok(value)
}

/// Takes the key for this transaction, or gives what an earlier one kept. On PostgreSQL the insert waits for a concurrent holder to end.
fn reserve(tx: &mut Tx<'_>, slot: &RequestSlot) -> Result<Option<Vec<u8>>> {
    let tenant = tx.scope().tenant().map(|t| t.to_string()).unwrap_or_default();
    let now = tx.now();
    tx.exec(
        "DELETE FROM idempotency_keys WHERE owner = ?1 AND key = ?2 AND created_at < ?3",
        &[slot.owner.as_str().into(), slot.key.as_str().into(), now.minus(KEPT_FOR).into()],
    )?;
    let inserted = tx.exec(
        "INSERT INTO idempotency_keys (owner, key, tenant_id, fingerprint, kind, created_at) VALUES (?1, ?2, ?3, ?4, 'result', ?5) \
         ON CONFLICT (owner, key) DO NOTHING",
        &[slot.owner.as_str().into(), slot.key.as_str().into(), tenant.into(), slot.fingerprint.to_vec().into(), now.into()],
    )?;
    if inserted == 1 {
        return Ok(None);
    }
    match find(tx, slot)? {
        Some((kind, answer)) if kind == "result" => Ok(Some(answer)),
        // Kept by a front door for a request that had no effect: nothing for an operation to return.
        _ => Err(Error::conflict("idempotency_key_busy", "A request with this idempotency key is still running. Try again shortly.")),
    }
}

fn fill(tx: &mut Tx<'_>, slot: &RequestSlot, plain: &[u8]) -> Result<()> {
    let sealed = tx.sealer().seal(&context(slot), plain)?;
    tx.exec(
        "UPDATE idempotency_keys SET answer = ?3 WHERE owner = ?1 AND key = ?2",
        &[slot.owner.as_str().into(), slot.key.as_str().into(), sealed.into()],
    )?;
    Ok(())
}

fn find(tx: &mut Tx<'_>, slot: &RequestSlot) -> Result<Option<(String, Vec<u8>)>> {
    let oldest = tx.now().minus(KEPT_FOR);
    let row = tx.query_opt(
        "SELECT fingerprint, kind, answer FROM idempotency_keys WHERE owner = ?1 AND key = ?2 AND created_at >= ?3",
        &[slot.owner.as_str().into(), slot.key.as_str().into(), oldest.into()],
        |row| Ok((row.get::<Vec<u8>>(0)?, row.get::<String>(1)?, row.get::<Option<Vec<u8>>>(2)?)),
    )?;
    let Some((fingerprint, kind, answer)) = row else { return Ok(None) };
    if fingerprint != slot.fingerprint {
        return Err(Error::invalid(
            "idempotency_key_reused",
            "This idempotency key was used for another request. Use a new key for a new request.",
        ));
    }
    let sealed = answer.ok_or_else(|| Error::internal("an idempotency key without an answer was committed"))?;
    Ok(Some((kind, tx.sealer().open(&context(slot), &sealed)?)))
}

fn context(slot: &RequestSlot) -> String {
    format!("idempotency_keys.answer:{}:{}", slot.owner, slot.key)
}

/// What a front door kept under this key, if anything. A kept `result` is none of the front door's business: the operation replays it.
///
/// Error: 422 `idempotency_key_reused`.
pub(crate) fn kept_answer(tx: &mut Tx<'_>, slot: &RequestSlot) -> Result<Option<KeptAnswer>> {
    match find(tx, slot)? {
        Some((kind, plain)) if kind == "answer" => serde_json::from_slice(&plain).map(Some).map_err(Error::internal),
        _ => Ok(None),
    }
}

/// Keeps a finished response that no operation kept.
pub(crate) fn keep_answer(tx: &mut Tx<'_>, slot: &RequestSlot, answer: &KeptAnswer) -> Result<()> {
    let tenant = tx.scope().tenant().map(|t| t.to_string()).unwrap_or_default();
    let plain = serde_json::to_vec(answer).map_err(Error::internal)?;
    let sealed = tx.sealer().seal(&context(slot), &plain)?;
    let now = tx.now();
    tx.exec(
        "INSERT INTO idempotency_keys (owner, key, tenant_id, fingerprint, kind, answer, created_at) VALUES (?1, ?2, ?3, ?4, 'answer', ?5, ?6) \
         ON CONFLICT (owner, key) DO NOTHING",
        &[slot.owner.as_str().into(), slot.key.as_str().into(), tenant.into(), slot.fingerprint.to_vec().into(), sealed.into(), now.into()],
    )?;
    Ok(())
}

/// Forgets what is older than [`KEPT_FOR`].
pub(crate) fn expire(tx: &mut Tx<'_>) -> Result<u64> {
    let oldest = tx.now().minus(KEPT_FOR);
    tx.exec("DELETE FROM idempotency_keys WHERE created_at < ?1", &[oldest.into()])
}
