//! `POST /api/v1/api-keys`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Tx;

use super::{Environment, Key, LimitOverride, Stored, restrictions, sql, token};
use crate::credentials::{Purpose, fingerprint, hex, sha256_hex};
use crate::{Access, MonthlyQuota, clients};

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
    /// What it may use up in a month, beside what its client may.
    pub monthly_quota: Option<MonthlyQuota>,
    /// How often its owner means to rotate it.
    pub rotation_frequency_days: Option<u32>,
    /// Notes.
    pub notes: Option<String>,
    /// The host's own data about it, which verification answers with.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
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
        let minted = token::mint(&self.ambient, &self.blueprint.keys.prefix, input.environment.label());
        let mut key = self.describe(tenant, input)?;
        key.shown_id.clone_from(&minted.shown_id);
        key.mask.clone_from(&minted.mask);
        Ok((key, minted))
    }

    /// The same without what its token gives it.
    pub(super) fn describe(&self, tenant: TenantId, input: CreateKey) -> Result<Stored> {
        let now = self.ambient.now();
        let limits = input.rate_limit_override.as_ref().filter(|value| !value.is_null());
        let mut key = Stored {
            name: input.name,
            scopes: input.scopes,
            environment: input.environment,
            allowed_ips: input.allowed_ips.unwrap_or_default(),
            allowed_endpoints: input.allowed_endpoints.unwrap_or_default(),
            limits: limits.map(|value| LimitOverride::parse("/rateLimitOverride", value)).transpose()?,
            quota: input.monthly_quota,
            rotation_frequency_days: input.rotation_frequency_days,
            notes: input.notes,
            metadata: input.metadata.unwrap_or_default(),
            lifetime_days: input.expires_in_days,
            ..Stored::blank(self.ambient.id(), tenant, self.ambient.id(), now)
        };
        let ends = restrictions::expiry(input.expires_at, input.expires_in_days, now)?;
        restrictions::check_lifetime(&self.blueprint, ends, now)?;
        key.end_at(ends, now);
        restrictions::check_texts(&mut key)?;
        Ok(key)
    }

    /// The draft under its client, with the scopes that it gets when none were named.
    pub(super) fn settle(&self, mut key: Stored, client: &clients::Stored) -> Stored {
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
        let secrets = NewSecrets { token: minted.token.reveal(), second: second.as_ref().map(|secret| secret.reveal().as_str()) };
        self.insert_with(tx, &key, &minted.key_id, secrets, None)?;
        let now = tx.now();
        let info = self.show_key(key, client.fields.scopes.as_deref(), now);
        tx.audit_change(action, info.id, &(), &info)?;
        Ok(KeyWithToken { info, key: minted.token.reveal().clone(), secret: second.map(|secret| secret.reveal().clone()) })
    }
}

/// What a new key is known by.
#[derive(Clone, Copy)]
pub(super) struct NewSecrets<'a> {
    pub(super) token: &'a str,
    pub(super) second: Option<&'a str>,
}

impl Access {
    /// Stores a key that nobody asked for: its secrets wait, sealed, until they are claimed.
    pub(crate) fn insert_waiting(&self, tx: &mut Tx<'_>, key: &Stored, minted: &token::Minted, client: &clients::Stored) -> Result<()> {
        let second = client.fields.dual_auth.then(|| token::random_secret(tx.ambient()));
        let secrets = NewSecrets { token: minted.token.reveal(), second: second.as_ref().map(|secret| secret.reveal().as_str()) };
        let sealed = super::claim::seal(tx, key, secrets)?;
        self.insert_with(tx, key, &minted.key_id, secrets, Some(sealed))?;
        tx.audit("key.create", key.id)
    }

    /// Stores a key under the hashes of its secrets. `waiting`: the same secrets sealed, where nobody has seen them yet.
    fn insert_with(&self, tx: &mut Tx<'_>, key: &Stored, key_id: &str, secrets: NewSecrets<'_>, waiting: Option<Vec<u8>>) -> Result<()> {
        let hidden = sql::Hidden {
            key_id: key_id.to_owned(),
            hash: self.pepper.hash(Purpose::Token, secrets.token),
            secret_hash: secrets.second.map(|secret| self.pepper.hash(Purpose::KeySecret, secret)),
            fingerprint: hex(&fingerprint(&self.pepper, &sha256_hex(secrets.token))),
            waiting,
        };
        sql::insert(tx, key, &hidden)
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
