//! A new key.

use std::time::Duration;

use kernel::{Caller, Error, Result};
use serde::Deserialize;
use store::{Store, Tx};

use super::{JwtKey, TOPIC, sql};
use crate::jose::{Algorithm, Signer};

/// Longest lead in seconds.
pub const MAX_LEAD: u32 = 7 * 86_400;
/// Where nothing else is said: twice as long as the key set may be kept by those who fetched it.
const USUAL_LEAD: u32 = 600;
/// For how long a key is published after the next one signs: longer than any token that it signed lives.
const AFTERWARDS: Duration = Duration::from_secs(2 * 86_400);

/// When a new key signs from.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotateKeys {
    /// For how many seconds the new key is only published before it signs, at most a week; 600 where it is absent. 0 for a key that must sign
    /// at once, since the present one became known to somebody.
    pub lead_seconds: Option<u32>,
}

/// Makes a key of `algorithm` that takes over from the present one. `store.answer` of the operator.
///
/// Errors: 403 for whoever is not the operator, 422 `validation_failed`, 409 `concurrent_rotation`; those of the store.
pub async fn rotate(store: &Store, caller: &Caller, algorithm: Algorithm, input: RotateKeys) -> Result<JwtKey> {
    let scope = caller.operate()?;
    let lead = input.lead_seconds.unwrap_or(USUAL_LEAD);
    if lead > MAX_LEAD {
        return Err(Error::field("/leadSeconds", format!("must be at most {MAX_LEAD}")));
    }
    let lead = Duration::from_secs(u64::from(lead));
    store
        .write(scope, move |tx| {
            let (number, made) = make(tx, algorithm, lead)?.ok_or_else(concurrent)?;
            sql::retire(tx, number, made.active_at.plus(AFTERWARDS))?;
            Ok(made)
        })
        .await
}

fn concurrent() -> Error {
    Error::conflict("concurrent_rotation", "Another rotation was made at the same moment. Look at the keys before you rotate again.")
}

/// Makes the next key, and answers its number. None: another node made it at the same moment.
pub(super) fn make(tx: &mut Tx<'_>, algorithm: Algorithm, lead: Duration) -> Result<Option<(i64, JwtKey)>> {
    let now = tx.now();
    let signer = Signer::generate(tx.ambient(), algorithm)?;
    let number = tx.query_one("SELECT COALESCE(MAX(number), 0) FROM jwt_keys", &[], |row| row.get::<i64>(0))? + 1;
    let active_at = now.plus(lead);
    if !sql::insert(tx, number, &signer, active_at)? {
        return Ok(None);
    }
    tx.audit("jwt_key.rotate", signer.kid())?;
    tx.notify(TOPIC, signer.kid());
    let algorithm = signer.algorithm().name();
    Ok(Some((number, JwtKey { kid: signer.kid().to_owned(), algorithm, created_at: now, active_at, retires_at: None })))
}
