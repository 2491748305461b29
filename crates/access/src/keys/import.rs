//! `POST /api/v1/api-keys/import`: a key of another system goes on working here, known by the SHA-256 of its text alone.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, ClientId, Error, IdRef, Permission, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{CreateKey, Environment, Key, LimitOverride, restrictions, sql};
use crate::credentials::{fingerprint, foreign_key_id, hex};
use crate::{Access, MonthlyQuota, clients, keys};

/// Most characters of what may be shown of it.
const MAX_MASK: usize = 64;

/// A key of another system. The same as for a new key, and its hash.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportKey {
    /// SHA-256 of the key's text, as 64 hexadecimal digits.
    pub hash: String,
    /// What may be shown of it, such as its first characters. Default: `imported_` and a part of its id.
    pub mask: Option<String>,
    /// Its client: `cli_…` or `ext:…`.
    pub client_id: String,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The tenant acted on (`ten_…` or `ext:…`), unless a header names it.
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

impl ImportKey {
    /// The hash and the mask; and what remains is a key like any other.
    fn split(self) -> Result<(String, Option<String>, CreateKey)> {
        let hash = self.hash.to_ascii_lowercase();
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::field("/hash", "must be the SHA-256 of the key's text, as 64 hexadecimal digits"));
        }
        if let Some(mask) = &self.mask {
            kernel::text::line("/mask", mask, 1, MAX_MASK)?;
        }
        let input = CreateKey {
            client_id: self.client_id,
            name: self.name,
            tenant_id: self.tenant_id,
            scopes: self.scopes,
            environment: self.environment,
            expires_at: self.expires_at,
            expires_in_days: self.expires_in_days,
            allowed_ips: self.allowed_ips,
            allowed_endpoints: self.allowed_endpoints,
            rate_limit_override: self.rate_limit_override,
            monthly_quota: self.monthly_quota,
            rotation_frequency_days: self.rotation_frequency_days,
            notes: self.notes,
            metadata: self.metadata,
        };
        Ok((hash, self.mask, input))
    }
}

impl Access {
    /// Takes a key of another system over. It is found by a keyed hash of its SHA-256, has no checksum, and is otherwise like any other key:
    /// it ends, is limited and is rotated (into a key of ours).
    ///
    /// Errors: those of [`Access::create_key`]; 403 `operator_only`; 409 `key_exists`.
    pub async fn import_key(self: &Arc<Self>, caller: &Caller, input: ImportKey) -> Result<Key> {
        caller.operate()?;
        let caller = self.acting_for(caller, input.tenant_id.as_deref()).await?;
        let scope = caller.allow(Permission::KeysWrite)?;
        let (hash, mask, input) = input.split()?;
        let reference: IdRef<ClientId> =
            input.client_id.parse().map_err(|_| Error::field("/clientId", "must be cli_… or ext: and the host's id"))?;
        let (access, tenant) = (Arc::clone(self), scope.tenant());
        let mut key = self.describe(tenant, input)?;
        let id = key.id.to_string();
        key.shown_id = mask.unwrap_or_else(|| format!("imported_{}", &id[id.len() - 12..]));
        key.mask.clone_from(&key.shown_id);
        let proof = fingerprint(&self.pepper, &hash);
        let hidden =
            sql::Hidden { key_id: foreign_key_id(&proof), hash: proof, secret_hash: None, fingerprint: hex(&proof), waiting: None };
        let outcome = self.store.answer(scope, move |tx| {
            if sql::is_taken(tx, &hidden.key_id, &hidden.fingerprint)? {
                return Err(taken());
            }
            let client = clients::sql::hold(tx, tenant, &reference)?;
            if client.fields.dual_auth {
                let detail =
                    "This client asks for dual authentication, and an imported key has no second secret. Import it for another client.";
                return Err(Error::conflict("client_needs_dual_auth", detail));
            }
            let key = access.settle(key, &client);
            restrictions::check_grant(&caller, &access.blueprint, &access.tiers(), &client, &key)?;
            sql::insert(tx, &key, &hidden)?;
            tx.audit("key.import", key.id)?;
            tx.notify(keys::IMPORT_TOPIC, key.id);
            let now = tx.now();
            Ok(access.show_key(key, client.fields.scopes.as_deref(), now))
        });
        outcome.await.map_err(|error| if store::is_unique_violation(&error) { taken().caused_by(error) } else { error })
    }
}

/// Whose it is is not said: the operator sees every tenant, but an answer may travel further.
fn taken() -> Error {
    Error::conflict("key_exists", "A key with this hash is there already.").at("/hash", "is taken")
}

pub(crate) async fn handle(
    State(access): State<Arc<Access>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<ImportKey>,
) -> web::Result<web::Created<Key>> {
    let body = access.import_key(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/api-keys/{}", body.id), body })
}
