//! `POST /api/v1/api-keys/{id}/rotate`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use kernel::{Caller, Error, KeyId, Permission, Result, Timestamp};
use serde::Deserialize;
use serde_json::json;
use store::Tx;

use super::{KeyStatus, KeyWithToken, Stored, restrictions, sql, token, update};
use crate::{Access, keys};

/// Longest time in seconds that an old key lives beside the new one: 30 days.
const MAX_GRACE: u32 = 30 * 86_400;
/// Shortest grace that may be extended, in seconds: an hour before its end it is decided.
const MIN_EXTENDED: u32 = 7200;

/// How a key is rotated.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RotateKey {
    /// How long the old key still works, at most 30 days. Default 0: it is revoked at once.
    pub grace_period_seconds: u32,
    /// Whether the old key lives on, a day at a time and at most 30 days from now, while it is still used. Needs a grace of two hours or more.
    pub extend_while_used: bool,
}

impl RotateKey {
    fn check(self) -> Result<()> {
        if self.grace_period_seconds > MAX_GRACE {
            return Err(Error::field("/gracePeriodSeconds", format!("must be at most {MAX_GRACE} (30 days)")));
        }
        if self.extend_while_used && self.grace_period_seconds < MIN_EXTENDED {
            return Err(Error::field("/gracePeriodSeconds", format!("must be at least {MIN_EXTENDED} with extendWhileUsed")));
        }
        Ok(())
    }
}

impl Access {
    /// Makes a key like this one under a new id, and lets this one end. The new key goes on under the same limits, quota and line of usage.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 409 `key_revoked`, 409 `key_expired`, 409 `key_rotated`, 422 `validation_failed`, 422
    /// `scope_exceeds_client` when the key holds more than the caller.
    pub async fn rotate_key(self: &Arc<Self>, caller: &Caller, id: KeyId, input: RotateKey) -> Result<KeyWithToken> {
        let scope = caller.allow(Permission::KeysWrite)?;
        input.check()?;
        let (access, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                let (mut old, client) = sql::hold(tx, tenant, id)?;
                access.check_reach(&caller, &client, &old)?;
                check_alive(&old, tx.now())?;
                restrictions::check_target(tx, &caller, &old)?;
                let (key, minted) = access.successor(tx, &caller, &old)?;
                let answer = access.insert_key(tx, key, &minted, &client, "key.create")?;
                access.replace(tx, &mut old, answer.info.id, input)?;
                Ok(answer)
            })
            .await
    }

    /// A key like this one, of the same line.
    pub(crate) fn successor(&self, tx: &mut Tx<'_>, caller: &Caller, old: &Stored) -> Result<(Stored, token::Minted)> {
        let minted = token::mint(tx.ambient(), &self.blueprint.keys.prefix, old.environment.label());
        let now = tx.now();
        let end = restrictions::successor_end(tx, caller, old)?;
        let mut key = Stored {
            id: tx.ambient().id(),
            shown_id: minted.shown_id.clone(),
            mask: minted.mask.clone(),
            status: KeyStatus::Active,
            last_used_at: None,
            request_count: 0,
            rotated_from: Some(old.id),
            leaked_at: None,
            extend_until: None,
            rotation_told: None,
            created_at: now,
            updated_at: now,
            ..old.clone()
        };
        if old.status == KeyStatus::Disabled {
            // Who rotates what is switched off means to go on with it switched off.
            key.status = KeyStatus::Disabled;
        }
        key.end_at(end, now);
        Ok((key, minted))
    }

    /// Lets a replaced key end: at once, or after its grace.
    pub(crate) fn replace(&self, tx: &mut Tx<'_>, old: &mut Stored, successor: KeyId, input: RotateKey) -> Result<()> {
        let now = tx.now();
        old.rotated_to = Some(successor);
        old.updated_at = now;
        if input.grace_period_seconds == 0 {
            old.status = KeyStatus::Revoked;
        } else {
            let end = now.plus(Duration::from_secs(input.grace_period_seconds.into()));
            let kept = old.expires_at;
            old.end_at(Some(kept.map_or(end, |earlier| earlier.min(end))), now);
            let most = now.plus(Duration::from_secs(MAX_GRACE.into()));
            old.extend_until = input.extend_while_used.then(|| kept.map_or(most, |earlier| earlier.min(most)));
        }
        sql::update(tx, old)?;
        let detail = json!({"successor": successor, "gracePeriodSeconds": input.grace_period_seconds});
        tx.audit_with("key.rotate", old.id, &detail)?;
        tx.notify(keys::TOPIC, old.id);
        self.report(tx, old, events::API_KEY_ROTATED, |data| data["successorId"] = json!(successor))
    }
}

fn check_alive(key: &Stored, now: Timestamp) -> Result<()> {
    if key.status == KeyStatus::Revoked {
        return Err(update::revoked());
    }
    if let Some(successor) = key.rotated_to {
        let text = format!("This key was rotated already; {successor} took its place. Rotate that one.");
        return Err(Error::conflict("key_rotated", text));
    }
    if key.expires_at.is_some_and(|end| end <= now) && key.lifetime_days.is_none() {
        return Err(Error::conflict("key_expired", "This key has expired: its successor would be expired too. Set expiresAt first."));
    }
    Ok(())
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<KeyId>,
    input: Option<web::Json<RotateKey>>,
) -> web::Result<web::Created<KeyWithToken>> {
    let body = access.rotate_key(&caller, id, input.map(|json| json.0).unwrap_or_default()).await?;
    Ok(web::Created { location: format!("/api/v1/api-keys/{}", body.info.id), body })
}
