//! `POST /api/v1/api-keys`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Tx;

use super::{Environment, Key, KeyStatus, LimitOverride, Stored, restrictions, sql, token};
use crate::credentials::Purpose;
use crate::{Access, clients};

/// What a new key is made of.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateKey {
    /// Its client: `cli_…` or `ext:…`.
    pub client_id: String,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// For service keys: the tenant acted on (`ten_…` or `ext:…`).
    pub tenant_id: Option<String>,
    /// What it may do. Absent: the blueprint's default scopes that its client has, or else all of its client's.
    pub scopes: Option<Vec<String>>,
    /// What it is for.
    #[serde(default)]
    pub environment: Environment,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Or: in how many days.
    pub expires_in_days: Option<u32>,
    /// Addresses and networks that it may be used from.
    pub allowed_ips: Option<Vec<String>>,
    /// Endpoints that it may call: `/api/v1/leads*`, `GET /api/v1/leads*`.
    pub allowed_endpoints: Option<Vec<String>>,
    /// Limits of its own.
    #[schema(value_type = Option<LimitOverride>)]
    pub rate_limit_override: Option<Value>,
    /// How often its owner means to rotate it.
    pub rotation_frequency_days: Option<u32>,
    /// Notes.
    pub notes: Option<String>,
}

/// A key with its secrets, this once.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyWithToken {
    /// The key object.
    #[serde(flatten)]
    pub info: Key,
    /// What goes after `Authorization: Bearer`.
    pub key: String,
    /// What goes into `X-API-Secret`, under dual authentication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Access {
    /// Makes a key. The key itself is in this answer only.
    ///
    /// Errors: 403 `insufficient_scope`, 404 for a client that is not the caller's, 422 `validation_failed`, `unknown_scope`,
    /// `scope_exceeds_client`, `limit_exceeds_tier`.
    pub async fn create_key(self: &Arc<Self>, caller: &Caller, input: CreateKey) -> Result<KeyWithToken> {
        let caller = self.acting_for(caller, input.tenant_id.as_deref()).await?;
        let scope = caller.allow(Permission::KeysWrite)?;
        let reference: IdRef<ClientId> =
            input.client_id.parse().map_err(|_| Error::field("/clientId", "must be cli_… or ext: and the host's id"))?;
        let (access, tenant) = (Arc::clone(self), scope.tenant());
        let (key, minted) = self.draft(tenant, input)?;
        self.store
            .answer(scope, move |tx| {
                let client = clients::sql::hold(tx, tenant, &reference)?;
                let key = restrictions::within_parent(tx, &caller, tenant, access.settle(key, &client))?;
                restrictions::check_grant(&caller, &access.blueprint, &access.tiers(), &client, &key)?;
                access.insert_key(tx, key, &minted, &client, "key.create")
            })
            .await
    }

    /// The key as the body describes it, before its client is known.
    fn draft(&self, tenant: TenantId, input: CreateKey) -> Result<(Stored, token::Minted)> {
        let now = self.ambient.now();
        let minted = token::mint(&self.ambient, &self.blueprint.keys.prefix, input.environment.label());
        let limits = input.rate_limit_override.as_ref().filter(|value| !value.is_null());
        let id: kernel::KeyId = self.ambient.id();
        let mut key = Stored {
            id,
            tenant,
            client: self.ambient.id(),
            shown_id: minted.shown_id.clone(),
            mask: minted.mask.clone(),
            name: input.name,
            status: KeyStatus::Active,
            scopes: input.scopes,
            environment: input.environment,
            expires_at: restrictions::expiry(input.expires_at, input.expires_in_days, now)?,
            last_used_at: None,
            request_count: 0,
            allowed_ips: input.allowed_ips.unwrap_or_default(),
            allowed_endpoints: input.allowed_endpoints.unwrap_or_default(),
            limits: limits.map(|value| LimitOverride::parse("/rateLimitOverride", value)).transpose()?,
            rotation_frequency_days: input.rotation_frequency_days,
            notes: input.notes,
            created_at: now,
            updated_at: now,
        };
        restrictions::check_texts(&mut key)?;
        Ok((key, minted))
    }

    /// The draft under its client, with the scopes that it gets when none were named.
    fn settle(&self, mut key: Stored, client: &clients::Stored) -> Stored {
        key.client = client.id;
        let defaults = &self.blueprint.keys.default_scopes;
        if key.scopes.is_none() && !defaults.is_empty() {
            let ceiling = crate::scopes::of_client(&self.blueprint, client.fields.scopes.as_deref());
            key.scopes = Some(defaults.iter().filter(|scope| ceiling.contains(scope)).cloned().collect());
        }
        key
    }

    /// Stores a key, with a second secret where its client asks for dual authentication.
    pub(super) fn insert_key(
        &self,
        tx: &mut Tx<'_>,
        key: Stored,
        minted: &token::Minted,
        client: &clients::Stored,
        action: &str,
    ) -> Result<KeyWithToken> {
        let second = client.fields.dual_auth.then(|| token::random_secret(tx.ambient()));
        let hidden = sql::Hidden {
            key_id: minted.key_id.clone(),
            hash: self.pepper.hash(Purpose::Token, minted.token.reveal()),
            secret_hash: second.as_ref().map(|secret| self.pepper.hash(Purpose::KeySecret, secret.reveal())),
        };
        sql::insert(tx, &key, &hidden)?;
        tx.audit(action, key.id)?;
        let now = tx.now();
        Ok(KeyWithToken {
            info: self.show_key(key, client.fields.scopes.as_deref(), now),
            key: minted.token.reveal().clone(),
            secret: second.map(|secret| secret.reveal().clone()),
        })
    }
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<CreateKey>,
) -> web::Result<web::Created<KeyWithToken>> {
    let body = access.create_key(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/api-keys/{}", body.info.id), body })
}
