//! The keys that verify what we sign: published for everybody, rotated by the operator.

use std::sync::Arc;

use access::signing_keys::{self, JwtKey, RotateKeys};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use serde::Serialize;

use crate::Oauth;

/// For how long others may keep the set: shorter than a new key is only published.
const KEPT: &str = "public, max-age=300";

/// `GET /.well-known/jwks.json` (RFC 7517 §5).
pub(crate) async fn published(State(oauth): State<Arc<Oauth>>) -> web::Result<Response> {
    let set = oauth.keys.load().await?;
    let mut response = web::Json(set.published(oauth.ambient.now())).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(KEPT));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// The keys, for the operator.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct SigningKeyList {
    /// The newest first.
    data: Vec<JwtKey>,
}

/// `GET /api/v1/signing-keys`.
pub(crate) async fn list(State(oauth): State<Arc<Oauth>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<SigningKeyList>> {
    Ok(web::Json(SigningKeyList { data: signing_keys::list(&oauth.store, &caller).await? }))
}

/// `POST /api/v1/signing-keys/rotate`.
pub(crate) async fn rotate(
    State(oauth): State<Arc<Oauth>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<RotateKeys>,
) -> web::Result<web::Created<JwtKey>> {
    let body = signing_keys::rotate(&oauth.store, &caller, oauth.keys.algorithm(), input).await?;
    Ok(web::Created { location: "/api/v1/signing-keys".to_owned(), body })
}
