//! `POST /oauth/register` (RFC 7591).

use std::net::IpAddr;
use std::sync::Arc;

use access::access_tokens::Handle;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::{Error, Kind, Permission, Result};
use web::{PeerAddress, network};

use super::metadata::{Bounds, Metadata};
use super::{RegistrationAnswer, in_protocol};
use crate::Oauth;
use crate::clients::sql;

/// Registrations of one network in a minute.
const EACH_MINUTE: u32 = 20;

impl Oauth {
    /// Registers a client: the API client, its settings and its registration token, in one transaction.
    ///
    /// Errors: 400 `invalid_client_metadata`, `invalid_redirect_uri`, 401 `invalid_token`, 403 `access_denied`, `insufficient_scope`, 429;
    /// those of the store.
    pub(crate) async fn register(
        self: &Arc<Self>,
        bearer: Option<&str>,
        tenant: Option<&str>,
        metadata: Metadata,
        from: Option<IpAddr>,
    ) -> Result<RegistrationAnswer> {
        if let Some(from) = from.map(network).filter(|_| bearer.is_none()) {
            let too_many =
                |wait| Error::new(Kind::RateLimited, "too_many_requests", "Too many registrations from your address.").retry_after(wait);
            self.registering.take(from, EACH_MINUTE, self.ambient.now()).map_err(too_many)?;
        }
        let registrar = self.registrar(bearer, tenant).await?;
        let bounds = Bounds { is_stranger: registrar.is_stranger, scopes: &registrar.scopes };
        let (metadata, registered) = metadata.register(&bounds)?;
        let scope = registrar.caller.allow(Permission::ClientsWrite)?;
        let checked = self.access.check_client(&registrar.caller, registered.client).map_err(in_protocol)?;
        let (oauth, home, caller) = (Arc::clone(self), scope.tenant(), registrar.caller);
        let (handle, mut settings) = (self.access.new_handle(Handle::Registration), registered.settings);
        settings.check(settings.auth_method != Some(crate::clients::AuthMethod::None)).map_err(in_protocol)?;
        settings.registration = Some(serde_json::to_value(&metadata).map_err(Error::internal)?);
        settings.registration_hash = Some(handle.hash.to_vec());
        let shows_secret = settings.auth_method.is_some_and(crate::clients::AuthMethod::shows_secret);
        let made = self.store.write(scope, move |tx| {
            let made = oauth.access.add_client(tx, &caller, home, checked)?;
            sql::put(tx, home, made.client.id, &settings)?;
            tx.audit("client.register", made.client.id)?;
            Ok(made)
        });
        let made = made.await?;
        let mut answer = RegistrationAnswer::of(&self.config.issuer, made.client.id.to_string(), made.client.created_at, metadata);
        if shows_secret {
            answer.client_secret = made.client_secret;
            answer.client_secret_expires_at = Some(0);
        }
        answer.registration_access_token = Some(handle.text.reveal().clone());
        Ok(answer)
    }
}

/// The token of an `Authorization` field of the scheme Bearer.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    peer: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    web::Json(metadata): web::Json<Metadata>,
) -> web::Result<Response> {
    let tenant = headers.get("tradewind-tenant").and_then(|value| value.to_str().ok());
    let answer = oauth.register(bearer(&headers), tenant, metadata, peer.map(|peer| peer.0.0)).await?;
    let mut response = (StatusCode::CREATED, web::Json(answer)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
