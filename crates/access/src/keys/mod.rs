//! API keys: what a client shows to call. A key never has more than its client; it is revoked, not removed.

mod claim;
mod create;
mod ending;
mod get;
mod import;
mod limit_override;
mod line;
mod list;
pub(crate) mod reminders;
pub(crate) mod report;
mod restrictions;
mod revoke;
mod rotate;
pub(crate) mod sql;
pub mod token;
mod update;

use kernel::{Caller, ClientId, KeyId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use claim::ClaimedKey;
pub use create::{CreateKey, KeyWithToken};
pub use ending::{EndingKey, ending};
pub use import::ImportKey;
pub use limit_override::LimitOverride;
pub use line::line;
pub use rotate::RotateKey;
pub use update::UpdateKey;

pub(crate) use claim::handle as claim;
pub(crate) use create::handle as create;
pub(crate) use get::handle as get;
pub(crate) use import::handle as import;
pub(crate) use list::handle as list;
pub(crate) use revoke::{handle as revoke, handle_of_client as revoke_of_client};
pub(crate) use rotate::handle as rotate;
pub(crate) use update::handle as update;

use crate::{Access, MonthlyQuota, clients, scopes};

/// Topic of change notices, by key id (`key_…`).
pub(crate) const TOPIC: &str = "key";
/// Topic of the notices that a key of another system was taken over, by key id.
pub(crate) const IMPORT_TOPIC: &str = "key_import";

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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Production, Self::Staging, Self::Development];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Development => "development",
        }
    }

    pub(crate) fn read(text: &str) -> Self {
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
    /// Whether it is switched on: what PATCH sets.
    pub enabled: bool,
    /// Whether the operator switched it off: then only the operator switches it on again.
    pub disabled_by_operator: bool,
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
    /// What it may use up in a month, beside what its client may.
    pub monthly_quota: Option<MonthlyQuota>,
    /// How often its owner means to rotate it.
    pub rotation_frequency_days: Option<u32>,
    /// When it is due by that; none: never, or it was rotated already.
    pub rotation_due_at: Option<Timestamp>,
    /// When this line of keys was last rotated: when this key took the place of another.
    pub last_rotated_at: Option<Timestamp>,
    /// The first key of its line: the keys that came of each other by rotation are limited and counted as one.
    pub lineage_id: KeyId,
    /// The key that it took the place of.
    pub rotated_from: Option<KeyId>,
    /// The key that took its place.
    pub rotated_to: Option<KeyId>,
    /// When its leak was reported.
    pub leaked_at: Option<Timestamp>,
    /// The host's own data about it.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
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
    /// Whether the operator switched it off.
    pub(crate) disabled_by_operator: bool,
    /// None: the client's.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) environment: Environment,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) request_count: u64,
    pub(crate) allowed_ips: Vec<String>,
    pub(crate) allowed_endpoints: Vec<String>,
    pub(crate) limits: Option<LimitOverride>,
    pub(crate) quota: Option<MonthlyQuota>,
    pub(crate) rotation_frequency_days: Option<u32>,
    pub(crate) notes: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) lineage: KeyId,
    pub(crate) rotated_from: Option<KeyId>,
    pub(crate) rotated_to: Option<KeyId>,
    /// How many days a key of this line lives, if it was made so.
    pub(crate) lifetime_days: Option<u32>,
    pub(crate) leaked_at: Option<Timestamp>,
    /// Until when a replaced key may live on while it is used.
    pub(crate) extend_until: Option<Timestamp>,
    /// How many warnings before its end were given.
    pub(crate) expiry_told: u8,
    pub(crate) rotation_told: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Stored {
    /// A key with nothing set.
    pub(crate) fn blank(id: KeyId, tenant: TenantId, client: ClientId, now: Timestamp) -> Self {
        Self {
            id,
            tenant,
            client,
            shown_id: String::new(),
            mask: String::new(),
            name: String::new(),
            status: KeyStatus::Active,
            disabled_by_operator: false,
            scopes: None,
            environment: Environment::default(),
            expires_at: None,
            last_used_at: None,
            request_count: 0,
            allowed_ips: Vec::new(),
            allowed_endpoints: Vec::new(),
            limits: None,
            quota: None,
            rotation_frequency_days: None,
            notes: None,
            metadata: Map::new(),
            lineage: id,
            rotated_from: None,
            rotated_to: None,
            lifetime_days: None,
            leaked_at: None,
            extend_until: None,
            expiry_told: 0,
            rotation_told: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Sets its end; warnings begin anew with it.
    pub(crate) fn end_at(&mut self, end: Option<Timestamp>, now: Timestamp) {
        self.expires_at = end;
        self.expiry_told = reminders::passed(end, now);
    }
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
        let rotation_due_at = reminders::rotation_due(&key);
        Key {
            id: key.id,
            rotation_due_at,
            last_rotated_at: key.rotated_from.map(|_| key.created_at),
            lineage_id: key.lineage,
            rotated_from: key.rotated_from,
            rotated_to: key.rotated_to,
            leaked_at: key.leaked_at,
            metadata: key.metadata,
            enabled: key.status == KeyStatus::Active,
            disabled_by_operator: key.status == KeyStatus::Disabled && key.disabled_by_operator,
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
            monthly_quota: key.quota,
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
