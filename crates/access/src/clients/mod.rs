//! API clients: the applications of a tenant. A client's scopes are the ceiling for its keys; deleting it takes its keys along.

mod add;
mod application;
mod create;
mod delete;
mod fields;
mod get;
mod list;
mod replace;
mod rotate_secret;
pub(crate) mod sql;
mod update;

use kernel::{ClientId, IdRef, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::Tx;

use crate::{LimitOverride, MonthlyQuota};

pub use add::CheckedClient;
pub use application::Application;
pub use create::ClientWithSecret;
pub use fields::ClientInput;
pub use list::ClientFilter;
pub use rotate_secret::RotateClientSecret;
pub use update::UpdateClient;

pub(crate) use create::handle as create;
pub(crate) use delete::handle as delete;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use replace::handle as replace;
pub(crate) use rotate_secret::handle as rotate_secret;
pub(crate) use update::handle as update;

/// Topic of change notices, by client id.
pub(crate) const TOPIC: &str = "client";

/// Whether a client's credentials are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientStatus {
    /// They are.
    #[default]
    Active,
    /// They are refused with 403 `client_suspended`.
    Suspended,
}

impl ClientStatus {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    pub(crate) fn read(text: &str) -> Self {
        if text == "active" { Self::Active } else { Self::Suspended }
    }
}

/// An API client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// `cli_…`; also its OAuth `client_id`.
    pub id: ClientId,
    /// Its tenant.
    pub tenant_id: TenantId,
    /// The host's id for it, unique in the tenant.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where an authorization may be sent.
    pub redirect_uris: Vec<String>,
    /// Its website.
    pub website: Option<String>,
    /// Its logo.
    pub logo_url: Option<String>,
    /// Whom to write to.
    pub contact_email: Option<String>,
    /// Whether its credentials are accepted.
    pub status: ClientStatus,
    /// The tier whose limits bind it.
    pub rate_limit_tier: String,
    /// Limits of its keys in place of the tier's.
    pub rate_limit_override: Option<LimitOverride>,
    /// What all its keys together may use up in a month, in place of the tier's quota.
    pub monthly_quota: Option<MonthlyQuota>,
    /// Where it gets every event that its scopes allow.
    pub webhook_url: Option<String>,
    /// What it may do: the ceiling for its keys.
    pub scopes: Vec<String>,
    /// The host's own data.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Origins whose pages may call with its keys.
    pub allowed_origins: Vec<String>,
    /// Whether its keys need a second secret (`X-API-Secret`).
    pub dual_auth: bool,
    /// Whether it can keep a secret (a server application).
    pub confidential: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A client as it is stored: with `None` where it follows the blueprint.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: ClientId,
    pub(crate) tenant: TenantId,
    pub(crate) fields: fields::Fields,
    /// Whether the operator suspended it: then only the operator lets it work again.
    pub(crate) suspended_by_operator: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Stored {
    /// As it is shown: what follows the blueprint is written out.
    fn show(self, blueprint: &blueprint::Blueprint) -> Client {
        let fields = self.fields;
        Client {
            id: self.id,
            tenant_id: self.tenant,
            external_id: fields.external_id,
            name: fields.name,
            description: fields.description,
            redirect_uris: fields.redirect_uris,
            website: fields.website,
            logo_url: fields.logo_url,
            contact_email: fields.contact_email,
            status: fields.status,
            rate_limit_tier: fields.rate_limit_tier.unwrap_or_else(|| blueprint.default_tier.clone()),
            rate_limit_override: fields.limits,
            monthly_quota: fields.quota,
            webhook_url: fields.webhook_url,
            scopes: fields.scopes.unwrap_or_else(|| blueprint.all_scopes()),
            metadata: fields.metadata,
            allowed_origins: fields.allowed_origins,
            dual_auth: fields.dual_auth,
            confidential: fields.confidential,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The id of the client that a path names. For every feature whose paths begin with a client. Error: 404.
pub fn resolve(tx: &mut Tx<'_>, tenant: TenantId, reference: &IdRef<ClientId>) -> Result<ClientId> {
    sql::get(tx, tenant, reference).map(|client| client.id)
}

/// The address that a client asked its events to be sent to when it was made (`webhookUrl`). Error: 404.
pub fn webhook_url(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<Option<String>> {
    sql::get(tx, tenant, &IdRef::Id(client)).map(|client| client.fields.webhook_url)
}

/// A client's scopes with all that they imply. Error: 404.
pub fn scopes(tx: &mut Tx<'_>, blueprint: &blueprint::Blueprint, tenant: TenantId, client: ClientId) -> Result<Vec<String>> {
    let client = sql::get(tx, tenant, &IdRef::Id(client))?;
    Ok(crate::scopes::of_client(blueprint, client.fields.scopes.as_deref()))
}
