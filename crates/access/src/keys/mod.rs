//! API keys: what a client shows to call. A key never has more than its client; it is revoked, not removed.

mod create;
mod get;
mod limit_override;
mod list;
mod restrictions;
mod revoke;
mod rotate;
pub(crate) mod sql;
pub mod token;
mod update;

use kernel::{Caller, ClientId, KeyId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

pub use create::{CreateKey, KeyWithToken};
pub use limit_override::LimitOverride;
pub use rotate::RotateKey;
pub use update::UpdateKey;

pub(crate) use create::handle as create;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use revoke::{handle as revoke, handle_of_client as revoke_of_client};
pub(crate) use rotate::handle as rotate;
pub(crate) use update::handle as update;

use crate::{Access, clients, scopes};

/// Topic of change notices, by key id (`key_…`).
pub(crate) const TOPIC: &str = "key";

/// What a key is for: a label. It does not partition data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// `live` in the key.
    #[default]
    Production,
    /// `test` in the key.
    Staging,
    /// `dev` in the key.
    Development,
}

impl Environment {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }

    fn read(text: &str) -> Self {
        match text {
            "staging" => Self::Staging,
            "development" => Self::Development,
            _ => Self::Production,
        }
    }

    fn label(self) -> token::Label {
        match self {
            Self::Production => token::Label::Live,
            Self::Staging => token::Label::Test,
            Self::Development => token::Label::Dev,
        }
    }
}

/// Whether a key is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// It is.
    Active,
    /// Not now: `enabled` is false.
    Disabled,
    /// Never again.
    Revoked,
    /// Its time is over.
    Expired,
}

impl KeyStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    fn read(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "disabled" => Self::Disabled,
            _ => Self::Revoked,
        }
    }
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// `key_…`: its name in paths.
    pub id: KeyId,
    /// Its client.
    pub client_id: ClientId,
    /// `<prefix>_<env>_<keyId>`: its beginning, which may be shown.
    pub key_id: String,
    /// The first 8 characters of that.
    pub key_prefix: String,
    /// The key id, four more characters, `…` and the last four.
    pub mask: String,
    /// Its name.
    pub name: String,
    /// Whether it is accepted.
    pub status: KeyStatus,
    /// What it may do; never more than its client.
    pub scopes: Vec<String>,
    /// What it is for.
    pub environment: Environment,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, a few seconds late.
    pub last_used_at: Option<Timestamp>,
    /// How often it was used, a few seconds late.
    pub request_count: u64,
    /// Addresses and networks that it may be used from; empty: any.
    pub allowed_ips: Vec<String>,
    /// Endpoints that it may call; empty: any.
    pub allowed_endpoints: Vec<String>,
    /// Limits of its own.
    pub rate_limit_override: Option<LimitOverride>,
    /// How often its owner means to rotate it.
    pub rotation_frequency_days: Option<u32>,
    /// Notes.
    pub notes: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A key as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: KeyId,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    pub(crate) shown_id: String,
    pub(crate) mask: String,
    pub(crate) name: String,
    pub(crate) status: KeyStatus,
    /// None: the client's.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) environment: Environment,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) request_count: u64,
    pub(crate) allowed_ips: Vec<String>,
    pub(crate) allowed_endpoints: Vec<String>,
    pub(crate) limits: Option<LimitOverride>,
    pub(crate) rotation_frequency_days: Option<u32>,
    pub(crate) notes: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Access {
    /// As it is shown at `now`, given its client's scopes.
    fn show_key(&self, key: Stored, client_scopes: Option<&[String]>, now: Timestamp) -> Key {
        let expired = key.status == KeyStatus::Active && key.expires_at.is_some_and(|end| end <= now);
        let scopes = match &key.scopes {
            None => client_scopes.map_or_else(|| self.blueprint.all_scopes(), <[String]>::to_vec),
            // What the client lost since, the key lost too.
            Some(own) => {
                let ceiling = scopes::of_client(&self.blueprint, client_scopes);
                own.iter().filter(|scope| ceiling.contains(scope)).cloned().collect()
            }
        };
        Key {
            id: key.id,
            client_id: key.client,
            key_prefix: key.shown_id.chars().take(8).collect(),
            key_id: key.shown_id,
            mask: key.mask,
            name: key.name,
            status: if expired { KeyStatus::Expired } else { key.status },
            scopes,
            environment: key.environment,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            request_count: key.request_count,
            allowed_ips: key.allowed_ips,
            allowed_endpoints: key.allowed_endpoints,
            rate_limit_override: key.limits,
            rotation_frequency_days: key.rotation_frequency_days,
            notes: key.notes,
            created_at: key.created_at,
            updated_at: key.updated_at,
        }
    }

    /// What a caller may do to a key: nothing, if the key holds what the caller lacks. Error: 422 `scope_exceeds_client`.
    fn check_reach(&self, caller: &Caller, client: &clients::Stored, key: &Stored) -> Result<()> {
        let held = scopes::held(&self.blueprint, client.fields.scopes.as_deref(), key.scopes.as_deref());
        scopes::within_caller(caller, &held)
    }
}
