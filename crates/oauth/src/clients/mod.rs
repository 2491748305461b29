//! API clients as OAuth clients: what they may, and how they prove who they are.

mod authenticate;
mod cache;
mod get;
mod replace;
pub(crate) mod settings;
pub(crate) mod sql;

use std::sync::Arc;
use std::time::Duration;

use access::clients::Application;
use kernel::{ClientId, Result, TenantId};
use serde::{Deserialize, Serialize};
use store::Tx;

pub use settings::{Audience, ClientSettings, SettingsInput};

pub(crate) use cache::Cache;
pub(crate) use get::handle as get;
pub(crate) use replace::handle as replace;

use crate::grant_types::GrantType;
use crate::{Oauth, TokenFormat, system};

/// Topic of change notices about settings, by client id.
pub(crate) const TOPIC: &str = "oauth_client";

/// How a client proves itself to the token endpoint (RFC 6749 §2.3, RFC 7523, OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Not at all: a public client.
    None,
    /// Its secret, in the `Authorization` header.
    ClientSecretBasic,
    /// Its secret, in the body.
    ClientSecretPost,
    /// A JWT that it signed.
    PrivateKeyJwt,
}

impl AuthMethod {
    /// Those that are served here.
    pub const SERVED: &'static [Self] = &[Self::ClientSecretBasic, Self::ClientSecretPost, Self::PrivateKeyJwt, Self::None];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Whether it is by the client's secret.
    pub fn shows_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost)
    }

    /// The one of this name, if it is served.
    pub fn named(name: &str) -> Option<Self> {
        Self::SERVED.iter().copied().find(|method| method.name() == name)
    }
}

/// What people may see of an application.
#[derive(Clone, Debug)]
pub struct AppCard {
    /// The application.
    pub client_id: ClientId,
    /// Its name.
    pub name: String,
    /// The name of the tenant that made it.
    pub tenant_name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its website.
    pub website: Option<String>,
    /// Its logo.
    pub logo_url: Option<String>,
}

/// A client with its OAuth settings.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    /// The client.
    pub app: Application,
    /// What it says about OAuth.
    pub stored: settings::Stored,
}

impl OAuthClient {
    /// What people may see of it.
    pub fn card(&self) -> AppCard {
        let app = &self.app;
        AppCard {
            client_id: app.id,
            name: app.name.clone(),
            tenant_name: app.tenant_name.clone(),
            description: app.description.clone(),
            website: app.website.clone(),
            logo_url: app.logo_url.clone(),
        }
    }

    /// The only tenant whose people may allow it something; none: any.
    pub fn only_tenant(&self) -> Option<TenantId> {
        (self.stored.audience == Audience::Own).then_some(self.app.tenant)
    }

    /// The ways to tokens that it may use.
    pub fn grant_types(&self) -> &[GrantType] {
        self.stored.grant_types.as_deref().unwrap_or_else(|| GrantType::usual(self.app.confidential))
    }

    /// Whether it may use one.
    pub fn may(&self, grant: GrantType) -> bool {
        self.grant_types().contains(&grant)
    }

    /// Whether it may prove itself so. A confidential client that says nothing may show its secret in either way.
    pub fn proves_by(&self, method: AuthMethod) -> bool {
        match self.stored.auth_method {
            Some(one) => one == method,
            None if self.app.confidential => matches!(method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost),
            None => method == AuthMethod::None,
        }
    }

    /// How its access tokens look.
    pub fn token_format(&self, oauth: &Oauth) -> TokenFormat {
        self.stored.token_format.unwrap_or(oauth.config.token_format)
    }

    /// How long its access tokens are good.
    pub fn access_lifetime(&self, oauth: &Oauth) -> Duration {
        self.stored.access_token_seconds.map_or(oauth.config.access_lifetime, |seconds| Duration::from_secs(seconds.into()))
    }

    /// How long its refresh tokens are good without being used.
    pub fn refresh_lifetime(&self, oauth: &Oauth) -> Duration {
        self.stored.refresh_token_seconds.map_or(oauth.config.refresh_lifetime, |seconds| Duration::from_secs(seconds.into()))
    }
}

impl Oauth {
    /// The client of this id, from memory if it is there. Errors: those of the store.
    pub(crate) async fn client(self: &Arc<Self>, id: ClientId) -> Result<Option<Arc<OAuthClient>>> {
        if let Some(known) = self.clients.get(id) {
            return Ok(Some(known));
        }
        let since = self.clients.generation();
        let oauth = Arc::clone(self);
        let found = self.store.read(system(), move |tx| oauth.load_client(tx, id)).await?.map(Arc::new);
        if let Some(found) = &found {
            self.clients.insert(id, Arc::clone(found), since);
        }
        Ok(found)
    }

    /// The same in a transaction of a system scope.
    pub(crate) fn load_client(&self, tx: &mut Tx<'_>, id: ClientId) -> Result<Option<OAuthClient>> {
        let Some(app) = self.access.application(tx, id)? else { return Ok(None) };
        let stored = sql::get(tx, app.tenant, id)?.unwrap_or_default();
        Ok(Some(OAuthClient { app, stored }))
    }
}
