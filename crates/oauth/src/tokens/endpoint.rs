//! `POST /oauth/token`.

use std::sync::Arc;

use access::dpop::PROOF_HEADER;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use web::{Failure, PeerAddress};

use super::{TokenAnswer, TokenRequest};
use crate::Oauth;
use crate::clients::OAuthClient;
use crate::errors::unsupported_grant_type;
use crate::form::Form;
use crate::grant_types::GrantType;

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    peer: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    form: Form,
) -> web::Result<Response> {
    let client = oauth.authenticate_client(&headers, &form, peer.map(|peer| peer.0.0)).await?;
    let origin =
        headers.get(header::ORIGIN).filter(|origin| client.app.allowed_origins.iter().any(|allowed| *allowed == **origin)).cloned();
    let outcome = oauth.answer(&headers, client, form).await;
    let nonce = oauth.nonce_for(headers.contains_key(PROOF_HEADER), outcome.as_ref().err());
    let mut response = outcome.map_or_else(|error| Failure(error).into_response(), |answer| unstored(&answer));
    if let Some((name, value)) = nonce {
        response.headers_mut().insert(name, value);
    }
    // Pages of the client's own read the answer; its failure to prove itself tells them nothing.
    if let Some(origin) = origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("DPoP-Nonce"));
    }
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    Ok(response)
}

impl Oauth {
    async fn answer(self: &Arc<Self>, headers: &HeaderMap, client: Arc<OAuthClient>, form: Form) -> kernel::Result<TokenAnswer> {
        let named = form.need("grant_type")?;
        let grant = GrantType::named(named).ok_or_else(|| unsupported_grant_type("There is no such grant type here."))?;
        let jkt = self.needed_key(headers, &client).await?;
        self.exchange(TokenRequest { client, grant, form, jkt }).await
    }
}

/// JSON that nobody may keep (RFC 6749 §5.1).
pub(crate) fn unstored<T: Serialize>(body: &T) -> Response {
    let mut response = web::Json(body).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
