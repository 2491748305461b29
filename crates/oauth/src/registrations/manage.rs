//! `GET`, `PUT`, `DELETE /oauth/register/{clientId}` (RFC 7592): by the token that the registration was answered with.

use std::sync::Arc;

use access::access_tokens::Handle;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::{Caller, ClientId, Error, IdRef, Result};

use super::create::bearer;
use super::metadata::{Bounds, Metadata};
use super::{RegistrationAnswer, in_protocol};
use crate::clients::{OAuthClient, TOPIC, sql};
use crate::tokens::unstored;
use crate::{Oauth, system};

/// A registration whose token was shown.
struct Own {
    client: OAuthClient,
    /// Tradewind itself, for the client's tenant: the token is the authority.
    caller: Caller,
    metadata: Metadata,
}

impl Oauth {
    /// Error: 401 `invalid_token`, the same for an unknown client and a wrong token.
    async fn own_registration(self: &Arc<Self>, id: &str, headers: &HeaderMap) -> Result<Own> {
        let shown = bearer(headers).and_then(|text| self.access.read_handle(Handle::Registration, text)).ok_or_else(refused)?;
        let id: ClientId = id.parse().map_err(|_| refused())?;
        let oauth = Arc::clone(self);
        let found = self.store.read(system(), move |tx| oauth.load_client(tx, id)).await?;
        let client = found.filter(|client| client.stored.registration_hash.as_deref().is_some_and(|hash| shown.proves(hash)));
        let client = client.filter(|client| client.app.is_active).ok_or_else(refused)?;
        let metadata = client.stored.registration.clone().map(serde_json::from_value).transpose().map_err(Error::internal)?;
        Ok(Own { caller: Caller::system("oauth", Some(client.app.tenant)), metadata: metadata.unwrap_or_default(), client })
    }

    async fn answer_for(self: &Arc<Self>, own: Own) -> Result<RegistrationAnswer> {
        let client = self.access.get_client(&own.caller, IdRef::Id(own.client.app.id)).await?;
        Ok(RegistrationAnswer::of(&self.config.issuer, client.id.to_string(), client.created_at, own.metadata))
    }

    /// Replaces what was registered. A client stays confidential or public, and gets no scope that it did not have: that is the registrar's to
    /// give.
    async fn replace_registration(self: &Arc<Self>, own: Own, wanted: Metadata) -> Result<RegistrationAnswer> {
        let bounds = Bounds { is_stranger: true, scopes: &own.client.app.scopes };
        let had_own = own.client.grant_types().iter().any(|grant| !matches!(grant.name(), "authorization_code" | "refresh_token"));
        let (metadata, registered) = wanted.register(&Bounds { is_stranger: !had_own, ..bounds })?;
        if registered.client.confidential != Some(own.client.app.confidential) {
            return Err(super::fault("invalid_client_metadata", "A client stays confidential or public. Register another one."));
        }
        let mut settings = registered.settings;
        settings.check(own.client.app.confidential).map_err(in_protocol)?;
        settings.registration = Some(serde_json::to_value(&metadata).map_err(Error::internal)?);
        settings.registration_hash.clone_from(&own.client.stored.registration_hash);
        let id = own.client.app.id;
        self.access.replace_client(&own.caller, IdRef::Id(id), registered.client).await.map_err(in_protocol)?;
        let tenant = own.client.app.tenant;
        let written = self.store.write(own.caller.tenant_scope()?, move |tx| {
            sql::put(tx, tenant, id, &settings)?;
            tx.audit("client.replace_registration", id)?;
            tx.notify(TOPIC, id);
            Ok(())
        });
        written.await?;
        self.answer_for(Own { metadata, ..own }).await
    }
}

fn refused() -> Error {
    Error::unauthenticated("invalid_token", "The registration access token is not this client's, or the client is not there any more.")
}

pub(crate) async fn get(State(oauth): State<Arc<Oauth>>, web::Path(id): web::Path<String>, headers: HeaderMap) -> web::Result<Response> {
    let own = oauth.own_registration(&id, &headers).await?;
    Ok(unstored(&oauth.answer_for(own).await?))
}

pub(crate) async fn replace(
    State(oauth): State<Arc<Oauth>>,
    web::Path(id): web::Path<String>,
    headers: HeaderMap,
    web::Json(wanted): web::Json<Metadata>,
) -> web::Result<Response> {
    let own = oauth.own_registration(&id, &headers).await?;
    Ok(unstored(&oauth.replace_registration(own, wanted).await?))
}

pub(crate) async fn delete(
    State(oauth): State<Arc<Oauth>>,
    web::Path(id): web::Path<String>,
    headers: HeaderMap,
) -> web::Result<web::NoContent> {
    let own = oauth.own_registration(&id, &headers).await?;
    oauth.access.delete_client(&own.caller, IdRef::Id(own.client.app.id)).await?;
    Ok(web::NoContent)
}
