//! `POST /oauth/par` (RFC 9126): a request sent by the client itself, proven, before the browser carries only its name.

use std::sync::Arc;

use access::dpop::PROOF_HEADER;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use kernel::Result;
use serde::Serialize;
use web::{Failure, PeerAddress};

use super::authorize::PUSHED;
use crate::Oauth;
use crate::clients::OAuthClient;
use crate::errors::invalid_request;
use crate::form::Form;
use crate::tokens::unstored;

/// The name of a pushed request.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Pushed {
    /// To be sent as `request_uri`, once.
    pub request_uri: String,
    /// How long it waits, in seconds.
    pub expires_in: u64,
}

impl Oauth {
    /// Keeps a request for a moment. Errors: those of an authorization request.
    pub(crate) async fn push(self: &Arc<Self>, client: &OAuthClient, form: &Form, jkt: Option<String>) -> Result<Pushed> {
        if form.one("request_uri").is_some() {
            return Err(invalid_request("A pushed request has no request_uri."));
        }
        let mut parameters = self.read_request(client, form).map_err(|fault| fault.error)?;
        // The key that is proven here is the one that the redemption proves (RFC 9449 §10.1).
        if jkt.is_some() && parameters.jkt.is_some() && parameters.jkt != jkt {
            return Err(invalid_request("The dpop_jkt is another key than the proof's."));
        }
        parameters.jkt = jkt.or(parameters.jkt);
        let handle = self.store_request(client, parameters, true).await?;
        Ok(Pushed { request_uri: format!("{PUSHED}{handle}"), expires_in: self.config.pushed_lifetime.as_secs() })
    }
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    peer: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    form: Form,
) -> web::Result<Response> {
    let client = oauth.authenticate_client(&headers, &form, peer.map(|peer| peer.0.0)).await?;
    let outcome = match oauth.shown_key(&headers, "/oauth/par").await {
        Ok(jkt) => oauth.push(&client, &form, jkt).await,
        Err(error) => Err(error),
    };
    let nonce = oauth.nonce_for(headers.contains_key(PROOF_HEADER), outcome.as_ref().err());
    let mut response =
        outcome.map_or_else(|error| Failure(error).into_response(), |pushed| (StatusCode::CREATED, unstored(&pushed)).into_response());
    if let Some((name, value)) = nonce {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
