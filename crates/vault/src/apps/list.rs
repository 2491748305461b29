//! `oauth_providers.list`: which vendors can be connected.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Row, sql};
use crate::Vault;
use crate::providers::{self, CUSTOM, Provider};

/// A vendor that can be connected.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OauthProvider {
    /// Its slug.
    pub id: String,
    /// For people.
    pub name: String,
    /// Whether the operator has an app there: without one a tenant brings its own.
    pub configured: bool,
    /// What is asked for when nobody says otherwise.
    pub scopes: Vec<String>,
    /// Where people may sign in, where the vendor has several places.
    pub login_hosts: Vec<String>,
    /// Whether codes are bound to a verifier.
    pub pkce: bool,
    /// After how many days without use the vendor forgets a grant; it is used in time.
    pub idle_days: Option<u64>,
    /// The address to register with the vendor's app.
    pub redirect_uri: String,
    /// The operator's app. Only the operator sees it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client_id: Option<String>,
    /// In place of the vendor's addresses. Only the operator sees it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base_url: Option<String>,
    /// When the operator's app was last changed.
    pub updated_at: Option<Timestamp>,
}

/// All of them.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OauthProviders {
    /// In the order of the list.
    pub data: Vec<OauthProvider>,
}

impl Vault {
    /// The vendors. Error: 403 `insufficient_scope`.
    pub async fn providers(&self, caller: &Caller) -> Result<Vec<OauthProvider>> {
        caller.require(Permission::IntegrationsRead)?;
        let is_operator = caller.operate().is_ok();
        let rows = self.store.read(Scope::system(crate::PART), sql::all).await?;
        let of = |provider: &Provider| rows.iter().find(|row| row.provider == provider.id);
        Ok(providers::all().iter().map(|provider| self.shown(provider, of(provider), is_operator)).collect())
    }

    /// One of them. Errors: 403 `insufficient_scope`, 404.
    pub async fn provider(&self, caller: &Caller, id: &str) -> Result<OauthProvider> {
        let found = self.providers(caller).await?.into_iter().find(|provider| provider.id == id);
        found.ok_or_else(|| Error::not_found("provider"))
    }

    pub(super) fn shown(&self, provider: &Provider, row: Option<&Row>, is_operator: bool) -> OauthProvider {
        let hosts = provider.login_hosts.as_ref().map(|hosts| hosts.accepts.clone()).unwrap_or_default();
        let described = row.and_then(|row| row.settings.definition.as_ref()).filter(|_| provider.id == CUSTOM);
        OauthProvider {
            id: provider.id.clone(),
            name: provider.name.clone(),
            configured: row.is_some(),
            scopes: row.and_then(|row| row.scopes.clone()).unwrap_or_else(|| provider.scopes.clone()),
            login_hosts: hosts,
            pkce: described.and_then(|definition| definition.pkce).unwrap_or(provider.pkce),
            idle_days: described.and_then(|definition| definition.idle_days).or(provider.idle_days),
            redirect_uri: self.redirect_uri(),
            client_id: row.filter(|_| is_operator).map(|row| row.client_id.clone()),
            base_url: row.filter(|_| is_operator).and_then(|row| row.settings.base_url.clone()),
            updated_at: row.map(|row| row.updated_at),
        }
    }
}

pub(crate) async fn handle(State(vault): State<Arc<Vault>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<OauthProviders>> {
    Ok(web::Json(OauthProviders { data: vault.providers(&caller).await? }))
}

pub(crate) async fn handle_one(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<String>,
) -> web::Result<web::Json<OauthProvider>> {
    Ok(web::Json(vault.provider(&caller, &id).await?))
}
