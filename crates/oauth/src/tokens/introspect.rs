//! `POST /oauth/introspect` (RFC 7662): what a token says, for whoever must check it.
//!
//! A client may ask about its own tokens; the host, by service key, about any. Everything else is `{"active": false}`: whoever asks learns
//! nothing about what it may not know, not even whether it exists.

use std::sync::Arc;

use access::access_tokens::Handle;
use access::{Examined, Principal, Standing};
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, header};
use kernel::{Credential, Result, TenantId};
use serde_json::{Value, json};
use web::PeerAddress;

use super::endpoint::unstored;
use crate::clients::{AuthMethod, OAuthClient};
use crate::errors::invalid_client;
use crate::form::Form;
use crate::{Oauth, grants, system};

/// Who asks.
pub(crate) enum Viewer {
    /// About its own.
    Client(Arc<OAuthClient>),
    /// About any of the tenant that its key is bound to, or of all.
    Host(Option<TenantId>),
}

impl Oauth {
    /// What `text` says to `viewer`. Errors: those of the store.
    pub(crate) async fn introspect(self: &Arc<Self>, viewer: &Viewer, text: &str) -> Result<Value> {
        if self.access.read_handle(Handle::RefreshToken, text).is_some() {
            return self.introspect_refresh(viewer, text).await;
        }
        let examined = match self.access.try_examine_cached(text, None) {
            Some(known) => known,
            None => self.access.examine(text, None).await?,
        };
        let answer = examined
            .filter(|found| found.standing == Standing::Good)
            .and_then(|Examined { principal, .. }| if viewer.may_see(&principal) { self.told(&principal) } else { None });
        Ok(answer.unwrap_or_else(inactive))
    }

    fn told(&self, principal: &Principal) -> Option<Value> {
        let (token, client) = (principal.token.as_deref()?, principal.client?);
        let subject = token.user.map_or_else(|| client.to_string(), |user| user.to_string());
        let mut answer = json!({
            "active": true,
            "scope": token.scope,
            "client_id": client,
            "token_type": if token.jkt.is_some() { "DPoP" } else { "Bearer" },
            "exp": principal.expires_at.map(kernel::Timestamp::seconds),
            "iat": token.issued_at.seconds(),
            "sub": subject,
            "iss": self.config.issuer,
            "jti": token.key_id,
            "tenant_id": principal.tenant,
        });
        answer["aud"] = match token.resource.as_slice() {
            [] => json!(self.config.issuer),
            [one] => json!(one),
            many => json!(many),
        };
        if let Some(jkt) = &token.jkt {
            answer["cnf"] = json!({"jkt": jkt});
        }
        if let Some(actor) = token.actor.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            answer["act"] = actor;
        }
        Some(answer)
    }

    async fn introspect_refresh(self: &Arc<Self>, viewer: &Viewer, text: &str) -> Result<Value> {
        let Some(shown) = self.access.read_handle(Handle::RefreshToken, text) else { return Ok(inactive()) };
        let now = self.ambient.now();
        let found = self.store.read(system(), move |tx| grants::sql::shown(tx, &shown)).await?;
        let good = found.filter(|grant| grant.is_current && grant.revoked_at.is_none() && grant.expires_at > now);
        let seen = good.filter(|grant| match viewer {
            Viewer::Client(client) => client.app.id == grant.client,
            Viewer::Host(bound) => bound.is_none_or(|bound| bound == grant.tenant),
        });
        Ok(seen.map_or_else(inactive, |grant| {
            json!({
                "active": true,
                "scope": grant.scope,
                "client_id": grant.client,
                "exp": grant.expires_at.seconds(),
                "iat": grant.used_at.seconds(),
                "sub": grant.user,
                "iss": self.config.issuer,
                "tenant_id": grant.tenant,
            })
        }))
    }

    async fn viewer(self: &Arc<Self>, headers: &HeaderMap, form: &Form, ip: Option<std::net::IpAddr>) -> Result<Viewer> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        if let Some(bearer) = bearer {
            let principal = self.access.authenticate(bearer, None).await?;
            return match principal.credential {
                Credential::ServiceKey { bound, .. } => Ok(Viewer::Host(bound)),
                _ => Err(invalid_client("Ask with a service key, or as the client whose token it is.")),
            };
        }
        let client = self.authenticate_client(headers, form, ip).await?;
        if client.proves_by(AuthMethod::None) {
            return Err(invalid_client("A public client cannot prove that it may ask."));
        }
        Ok(Viewer::Client(client))
    }
}

impl Viewer {
    fn may_see(&self, principal: &Principal) -> bool {
        match self {
            Self::Client(client) => principal.client == Some(client.app.id),
            Self::Host(bound) => bound.is_none_or(|bound| principal.tenant == Some(bound)),
        }
    }
}

fn inactive() -> Value {
    json!({"active": false})
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    peer: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    form: Form,
) -> web::Result<Response> {
    let viewer = oauth.viewer(&headers, &form, peer.map(|peer| peer.0.0)).await?;
    Ok(unstored(&oauth.introspect(&viewer, form.need("token")?).await?))
}
