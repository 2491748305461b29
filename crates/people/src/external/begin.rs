//! The way to a provider.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Caller, Result, Scope, Secret, UserId};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::browser_at;
use super::provider::Provider;
use crate::ceremonies::{Beginning, Purpose};
use crate::tokens::Kind;
use crate::{People, Visit, errors, rules};

/// How long ago somebody may have proven to the provider who they are, for an ordinary sign-in, in seconds: as long as a session of ours
/// lives. Asked for so that the provider says when it was (OpenID Connect Core §3.1.2.1).
const MAX_AGE: u64 = 14 * 24 * 3600;

impl People {
    /// Where the browser of somebody goes who wants to sign in with a provider. `browser`: what tells it from others when it comes back.
    ///
    /// Errors: 404, 429 `too_many_attempts`, 503 `provider_unavailable`.
    pub async fn begin_external(&self, slug: &str, next: Option<&str>, browser: &str, visit: &Visit) -> Result<Secret<String>> {
        let provider = self.provider(slug)?;
        self.guard.ceremony(visit, self.ambient.now())?;
        let way = Way { purpose: Purpose::ExternalSignIn, user: None, next: rules::next(next), scope: Scope::system("people") };
        self.send_to(provider, way, browser).await
    }

    /// The same of somebody who is signed in and ties their account to the provider's.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 404, 503 `provider_unavailable`.
    pub async fn begin_link(&self, caller: &Caller, slug: &str, next: Option<&str>, browser: &str) -> Result<Secret<String>> {
        let (user, scope) = self.own_security(caller, true).await?;
        let way = Way { purpose: Purpose::ExternalLink, user: Some(user), next: rules::next(next), scope };
        self.send_to(self.provider(slug)?, way, browser).await
    }

    /// The same as a fresh proof: the provider asks who it is, whoever is signed in there.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 404, 503 `provider_unavailable`.
    pub async fn begin_external_proof(&self, caller: &Caller, slug: &str, next: Option<&str>, browser: &str) -> Result<Secret<String>> {
        let (user, scope) = self.own_security(caller, false).await?;
        let way = Way { purpose: Purpose::ExternalProof, user: Some(user), next: rules::next(next), scope };
        self.send_to(self.provider(slug)?, way, browser).await
    }

    async fn send_to(&self, provider: &Provider, way: Way, browser: &str) -> Result<Secret<String>> {
        let metadata = provider.metadata(self.ambient.now()).await?;
        let mut url = Url::parse(&metadata.authorization_endpoint).map_err(|_| errors::external_failed())?;
        let browser = browser_at(provider, browser);
        let purpose = way.purpose;
        let beginning = Beginning { purpose, browser: &browser, user: way.user, email: None, next: way.next };
        let state = self.begin_ceremony(way.scope, beginning).await?;
        let verifier = self.hasher.derived(Kind::Verifier, state.reveal());
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("scope", "openid email profile")
            .append_pair("client_id", &provider.config.client_id)
            .append_pair("redirect_uri", &self.way_back(provider))
            .append_pair("state", state.reveal())
            .append_pair("nonce", &self.hasher.derived(Kind::Nonce, state.reveal()))
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())))
            .append_pair("code_challenge_method", "S256");
        if purpose == Purpose::ExternalProof {
            url.query_pairs_mut().append_pair("prompt", "login").append_pair("max_age", "0");
        } else {
            url.query_pairs_mut().append_pair("max_age", &MAX_AGE.to_string());
        }
        Ok(Secret::new(url.into()))
    }
}

/// Who goes, and what for.
struct Way {
    purpose: Purpose,
    user: Option<UserId>,
    next: Option<String>,
    scope: Scope,
}
