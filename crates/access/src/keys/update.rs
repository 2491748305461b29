//! `PATCH /api/v1/api-keys/{id}`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, KeyId, Permission, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use web::Patch;

use super::{Key, KeyStatus, LimitOverride, Stored, restrictions, sql};
use crate::rules::required;
use crate::{Access, MonthlyQuota, errors, keys};

/// What changes; what is absent stays, null empties.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpdateKey {
    /// Its name.
    pub name: Patch<String>,
    /// Whether it is accepted.
    pub enabled: Patch<bool>,
    /// What it may do; null: all of its client's.
    pub scopes: Patch<Vec<String>>,
    /// When it ends by itself.
    #[schema(value_type = Option<Timestamp>)]
    pub expires_at: Patch<Timestamp>,
    /// Addresses and networks that it may be used from.
    pub allowed_ips: Patch<Vec<String>>,
    /// Endpoints that it may call.
    pub allowed_endpoints: Patch<Vec<String>>,
    /// Limits of its own.
    #[schema(value_type = Option<LimitOverride>)]
    pub rate_limit_override: Patch<Value>,
    /// What it may use up in a month, beside what its client may.
    #[schema(value_type = Option<MonthlyQuota>)]
    pub monthly_quota: Patch<MonthlyQuota>,
    /// How often its owner means to rotate it.
    pub rotation_frequency_days: Patch<u32>,
    /// Notes.
    pub notes: Patch<String>,
    /// The host's own data about it, as a whole.
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<Map<String, Value>>,
}

impl UpdateKey {
    /// The key after the change. Error: 403 `switched_off_by_operator` where a partner switches on what the operator switched off.
    fn apply(self, caller: &Caller, key: Stored, now: Timestamp) -> Result<Stored> {
        let is_partner = caller.is_bound_by_scopes();
        let (status, disabled_by_operator) = match required("/enabled", self.enabled)? {
            Some(true) if is_partner && key.status == KeyStatus::Disabled && key.disabled_by_operator => {
                return Err(errors::switched_off_by_operator("key"));
            }
            Some(true) => (KeyStatus::Active, false),
            Some(false) => (KeyStatus::Disabled, key.disabled_by_operator || !is_partner),
            None => (key.status, key.disabled_by_operator),
        };
        let expires_at = match self.expires_at {
            Patch::Value(at) => restrictions::expiry(Some(at), None, now)?,
            other => other.apply(key.expires_at),
        };
        let limits = self.rate_limit_override.try_map(|value| LimitOverride::parse("/rateLimitOverride", &value))?;
        let mut changed = Stored {
            name: required("/name", self.name)?.unwrap_or(key.name),
            status,
            disabled_by_operator,
            scopes: self.scopes.apply(key.scopes),
            allowed_ips: self.allowed_ips.apply(Some(key.allowed_ips)).unwrap_or_default(),
            allowed_endpoints: self.allowed_endpoints.apply(Some(key.allowed_endpoints)).unwrap_or_default(),
            limits: limits.apply(key.limits),
            quota: self.monthly_quota.apply(key.quota),
            rotation_frequency_days: self.rotation_frequency_days.apply(key.rotation_frequency_days),
            notes: self.notes.apply(key.notes),
            metadata: self.metadata.apply(Some(key.metadata)).unwrap_or_default(),
            updated_at: now,
            ..key
        };
        if expires_at != changed.expires_at {
            changed.end_at(expires_at, now);
            // What its owner says now is no number of days any more.
            changed.lifetime_days = None;
        }
        Ok(changed)
    }
}

impl Access {
    /// Changes a key, at once everywhere. Errors: those of [`Access::create_key`], 403 `switched_off_by_operator`, 404, 409 `key_revoked`.
    pub async fn update_key(self: &Arc<Self>, caller: &Caller, id: KeyId, change: UpdateKey) -> Result<Key> {
        let scope = caller.allow(Permission::KeysWrite)?;
        let (access, tenant, caller) = (Arc::clone(self), scope.tenant(), caller.clone());
        self.store
            .answer(scope, move |tx| {
                let (present, client) = sql::hold(tx, tenant, id)?;
                access.check_reach(&caller, &client, &present)?;
                if present.status == KeyStatus::Revoked {
                    return Err(revoked());
                }
                // Scopes that the client lost since are no fault of this change.
                let (named, limited) = (!change.scopes.is_absent(), !change.rate_limit_override.is_absent());
                let now = tx.now();
                let before = access.show_key(present.clone(), client.fields.scopes.as_deref(), now);
                let acting = restrictions::check_target(tx, &caller, &present)?;
                let mut key = change.apply(&caller, present.clone(), now)?;
                restrictions::check_texts(&mut key)?;
                if key.expires_at != present.expires_at {
                    restrictions::check_lifetime(&access.blueprint, key.expires_at, now)?;
                }
                restrictions::check_change(acting.as_ref(), &present, &key)?;
                restrictions::check_lowered(&caller, &present, &key)?;
                if named || limited {
                    restrictions::check_grant(&caller, &access.blueprint, &access.tiers(), &client, &key)?;
                }
                sql::update(tx, &key)?;
                let after = access.show_key(key, client.fields.scopes.as_deref(), now);
                tx.audit_change("key.update", id, &before, &after)?;
                tx.notify(keys::TOPIC, id);
                Ok(after)
            })
            .await
    }
}

/// 409 for what cannot be done with a revoked key.
pub(super) fn revoked() -> Error {
    Error::conflict("key_revoked", "This key is revoked, for good. Make a new one.")
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<KeyId>,
    web::Json(change): web::Json<UpdateKey>,
) -> web::Result<web::Json<Key>> {
    Ok(web::Json(access.update_key(&caller, id, change).await?))
}
