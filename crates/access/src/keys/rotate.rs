//! `POST /api/v1/api-keys/{id}/rotate`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use kernel::{Caller, Error, KeyId, Permission, Result};
use serde::Deserialize;
use store::Tx;

use super::{KeyStatus, KeyWithToken, Stored, sql, token, update};
use crate::{Access, clients, keys};

/// Longest time in seconds that an old key lives beside the new one: 30 days.
const MAX_GRACE: u32 = 30 * 86_400;

/// How a key is rotated.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateKey {
    /// How long the old key still works, at most 30 days. Default 0: it is revoked at once.
    #[serde(default)]
    pub grace_period_seconds: u32,
}

impl Access {
    /// Makes a key like this one under a new id, and lets this one end.
    ///
    /// Errors: 403 `insufficient_scope`, 404, 409 `key_revoked`, 409 `key_expired`, 422 `validation_failed`, 422 `scope_exceeds_client` when
    /// the key holds more than the caller.
    pub async fn rotate_key(self: &Arc<Self>, caller: &Caller, id: KeyId, input: RotateKey) -> Result<KeyWithToken> {
        let scope = caller.allow(Permission::KeysWrite)?;
        if input.grace_period_seconds > MAX_GRACE {
            return Err(Error::field("/gracePeriodSeconds", format!("must be at most {MAX_GRACE} (30 days)")));
        }
        let grace = Duration::from_secs(input.grace_period_seconds.into());
        let (access, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                let (old, client) = sql::hold(tx, tenant, id)?;
                access.check_reach(&caller, &client, &old)?;
                check_alive(&old, tx.now())?;
                let answer = access.insert_successor(tx, &old, &client)?;
                end(tx, &old, grace)?;
                tx.notify(keys::TOPIC, id);
                Ok(answer)
            })
            .await
    }

    fn insert_successor(&self, tx: &mut Tx<'_>, old: &Stored, client: &clients::Stored) -> Result<KeyWithToken> {
        let minted = token::mint(tx.ambient(), &self.blueprint.keys.prefix, old.environment.label());
        let now = tx.now();
        let key = Stored {
            id: tx.ambient().id(),
            shown_id: minted.shown_id.clone(),
            mask: minted.mask.clone(),
            last_used_at: None,
            request_count: 0,
            created_at: now,
            updated_at: now,
            ..old.clone()
        };
        self.insert_key(tx, key, &minted, client, "key.create")
    }
}

fn check_alive(key: &Stored, now: kernel::Timestamp) -> Result<()> {
    if key.status == KeyStatus::Revoked {
        return Err(update::revoked());
    }
    if key.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::conflict("key_expired", "This key has expired: its successor would be expired too. Set expiresAt first."));
    }
    Ok(())
}

fn end(tx: &mut Tx<'_>, old: &Stored, grace: Duration) -> Result<()> {
    let now = tx.now();
    if grace.is_zero() {
        sql::revoke(tx, old.tenant, old.id, now)?;
    } else {
        sql::shorten(tx, old.tenant, old.id, now.plus(grace), now)?;
    }
    tx.audit("key.rotate", old.id)
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
