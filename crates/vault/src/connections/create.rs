//! `oauth_connections.create`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use kernel::{Caller, Permission, Result, Secret};
use serde::Deserialize;

use super::{OauthConnection, Start, browser};
use crate::Vault;
use crate::apps::AppInput;
use crate::providers::{self, ProviderDefinition};
use crate::tokens::{check_scopes, check_user_id};

/// What is to be connected.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOauthConnection {
    /// The vendor: `salesforce`, `hubspot`, `pipedrive`, `zoho`, `slack`, `microsoft`, `google`, `razorpay` or `custom`.
    pub provider: String,
    /// For whom, by the host's own name for the person. Default: whoever is signed in, else the tenant.
    #[serde(default)]
    pub user_id: Option<String>,
    /// What to ask for. Default: what the app asks for usually.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Where the person is sent afterwards: a path on this server, or an address that the operator registered for the tenant.
    #[serde(default)]
    pub return_to: Option<String>,
    /// The tenant's own app at the vendor. Default: the operator's.
    #[serde(default)]
    pub client_id: Option<String>,
    /// Its secret.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// In place of scheme, host and port of the vendor's addresses. Only with an app of one's own.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Where the person signs in, where the vendor has several places: `test.salesforce.com`, `acme.my.salesforce.com`, `accounts.zoho.eu`.
    #[serde(default)]
    pub login_host: Option<String>,
    /// Microsoft's tenant. Default: `common`.
    #[serde(default)]
    pub directory: Option<String>,
    /// How the vendor does it, for `custom`. Only with an app of one's own.
    #[serde(default)]
    pub definition: Option<ProviderDefinition>,
}

impl std::fmt::Debug for NewOauthConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewOauthConnection").field("provider", &self.provider).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

impl Vault {
    /// Begins a connection. `browser`: the mark of the browser that does ([`Vault::browser_mark`]); the callback has to come from the same one.
    ///
    /// Errors: 403 `insufficient_scope`; 409 `oauth_app_missing`, `too_many_oauth_connections`; 422 `validation_failed`, `login_host_refused`,
    /// `return_to_not_allowed`, `url_…`.
    pub async fn connect(
        self: &Arc<Self>,
        caller: &Caller,
        input: NewOauthConnection,
        browser: Option<Secret<String>>,
    ) -> Result<OauthConnection> {
        let scope = caller.allow(Permission::IntegrationsWrite)?;
        let built_in = providers::named(&input.provider)?;
        check_user_id(input.user_id.as_deref())?;
        check_scopes(input.scopes.as_deref().unwrap_or_default())?;
        let NewOauthConnection {
            user_id, scopes, return_to, client_id, client_secret, base_url, login_host, directory, definition, ..
        } = input;
        let choice = self.choose(built_in, AppInput { client_id, client_secret, base_url, login_host, directory, definition }).await?;
        let user_id = user_id.or_else(|| caller.person().map(|(user, _)| user.to_string()));
        self.begin(scope, Start { built_in, choice, user_id, scopes, return_to, token: None, browser }).await
    }

    /// The mark of a browser, and the `Set-Cookie` by which it keeps it.
    pub fn browser_mark(&self, headers: &HeaderMap) -> (Secret<String>, http::HeaderValue) {
        let mark = browser::mark(headers, self.is_https(), &self.ambient);
        let cookie = browser::cookie(&mark, self.is_https());
        (mark, cookie)
    }
}

pub(crate) async fn handle(
    State(vault): State<Arc<Vault>>,
    web::Auth(caller): web::Auth,
    headers: HeaderMap,
    web::Json(input): web::Json<NewOauthConnection>,
) -> web::Result<Response> {
    let marked = caller.person().map(|_| vault.browser_mark(&headers));
    let (mark, cookie) = marked.unzip();
    let body = vault.connect(&caller, input, mark).await?;
    let mut response = web::Created { location: format!("/api/v1/oauth-connections/{}", body.id), body }.into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
