//! Beginning, whoever asks.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Error, OauthTokenId, Result, Scope, Secret, TenantScope};
use sha2::{Digest as _, Sha256};

use super::{ConnectionStatus, OauthConnection, Row, Sealed, browser, return_to, sql};
use crate::Vault;
use crate::apps::{AppInput, Choice};
use crate::exchange::authorize_url;
use crate::providers::{self, Endpoints, Provider};
use crate::tokens;

/// For how long the person may stay away.
const LIFE: Duration = Duration::from_mins(10);
/// Most open connections of a tenant: far more than people, far fewer than a loop.
const MAX_PENDING: u64 = 1000;

/// What is to be connected.
pub(crate) struct Start {
    pub(crate) built_in: &'static Provider,
    pub(crate) choice: Choice,
    pub(crate) user_id: Option<String>,
    /// None: the app's, or the vendor's usual.
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) return_to: Option<String>,
    /// Whose grant is replaced.
    pub(crate) token: Option<OauthTokenId>,
    /// The mark of the browser that begins.
    pub(crate) browser: Option<Secret<String>>,
}

/// PKCE (RFC 7636): the verifier, and its S256 challenge.
struct Proof {
    verifier: Secret<String>,
    challenge: String,
}

/// What was begun.
struct Begun {
    row: Row,
    sealed: Sealed,
    state_hash: Vec<u8>,
    authorize_url: String,
}

impl Vault {
    /// What it takes to connect a token again.
    pub(crate) async fn again(&self, row: &tokens::Row, sealed: &tokens::Sealed) -> Result<Start> {
        let built_in = providers::named(&row.provider)?;
        let choice = match (&row.client_id, row.own_app) {
            (Some(client_id), true) => {
                Choice { app: Some(sealed.app(client_id)), own_app: true, settings: row.settings.clone(), scopes: None }
            }
            _ => {
                let (login_host, directory) = (row.settings.login_host.clone(), row.settings.directory.clone());
                self.choose(built_in, AppInput { login_host, directory, ..AppInput::default() }).await?
            }
        };
        let scopes = Some(row.asked.clone()).filter(|asked| !asked.is_empty());
        Ok(Start { built_in, choice, user_id: row.user_id.clone(), scopes, return_to: None, token: Some(row.id), browser: None })
    }

    /// Writes a connection down. Errors: 409 `oauth_app_missing`, `too_many_oauth_connections`; 422.
    pub(crate) async fn begin(self: &Arc<Self>, scope: TenantScope, start: Start) -> Result<OauthConnection> {
        let registered = match &start.return_to {
            Some(_) => self.registered(&scope).await?,
            None => Vec::new(),
        };
        let begun = self.prepare(&scope, start, &registered)?;
        let (tenant, now) = (scope.tenant(), begun.row.created_at);
        self.store
            .answer(scope, move |tx| {
                if sql::pending(tx, tenant, now)? >= MAX_PENDING {
                    let detail = format!("{MAX_PENDING} connections of this tenant are open. They end by themselves within ten minutes.");
                    return Err(Error::conflict("too_many_oauth_connections", detail));
                }
                sql::insert(tx, &begun.row, &begun.sealed, &begun.state_hash)?;
                let detail = serde_json::json!({"provider": begun.row.provider, "userId": begun.row.user_id, "scopes": begun.row.asked});
                tx.audit_with("oauth_connection.create", begun.row.id, &detail)?;
                Ok(OauthConnection { authorize_url: Some(begun.authorize_url), ..begun.row.into() })
            })
            .await
    }

    fn prepare(&self, scope: &TenantScope, start: Start, registered: &[String]) -> Result<Begun> {
        let Some(app) = start.choice.app else {
            let detail = "The operator has no app at this vendor. Send clientId and clientSecret of your own, or ask the operator.";
            return Err(Error::conflict("oauth_app_missing", detail));
        };
        let provider = start.choice.settings.provider(start.built_in);
        let endpoints = Endpoints::of(&provider, &start.choice.settings)?;
        let asked = start.scopes.or(start.choice.scopes).unwrap_or_else(|| provider.scopes.clone());
        let return_to = start.return_to.map(|given| return_to::check(&given, &self.public_url, registered)).transpose()?;
        let random = || Secret::new(URL_SAFE_NO_PAD.encode(self.ambient.bytes::<32>()));
        let (state, redirect_uri) = (random(), self.redirect_uri());
        let proof = provider.pkce.then(|| {
            let verifier = random();
            let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.reveal().as_bytes()));
            Proof { verifier, challenge }
        });
        let challenge = proof.as_ref().map(|proof| proof.challenge.as_str());
        let authorize_url = authorize_url(&provider, &endpoints.authorize, &app.client_id, &redirect_uri, &asked, &state, challenge);
        let now = self.ambient.now();
        let row = Row {
            id: self.ambient.id(),
            tenant: scope.tenant(),
            provider: start.built_in.id.clone(),
            user_id: start.user_id,
            started_by: Scope::from(scope.clone()).actor().to_string(),
            browser_hash: start.browser.as_ref().map(browser::hash),
            client_id: app.client_id,
            own_app: start.choice.own_app,
            settings: start.choice.settings,
            asked,
            redirect_uri,
            return_to,
            token: start.token,
            status: ConnectionStatus::Pending,
            error: None,
            created_at: now,
            expires_at: now.plus(LIFE),
        };
        let client_secret = app.client_secret.filter(|_| start.choice.own_app);
        let sealed = Sealed { verifier: proof.map(|proof| proof.verifier), client_secret };
        let state_hash = blake3::hash(state.reveal().as_bytes()).as_bytes().to_vec();
        Ok(Begun { row, sealed, state_hash, authorize_url: authorize_url.to_string() })
    }

    /// Where the tenant's people may be sent, as the operator says.
    async fn registered(&self, scope: &TenantScope) -> Result<Vec<String>> {
        let (Some(find), tenant) = (self.tenant_settings.get().cloned(), scope.tenant()) else { return Ok(Vec::new()) };
        let setting = self.store.read(scope, move |tx| find(tx, tenant, return_to::SETTING)).await?;
        let entries = setting.as_ref().and_then(serde_json::Value::as_array);
        Ok(entries.into_iter().flatten().filter_map(serde_json::Value::as_str).map(str::to_owned).collect())
    }
}
