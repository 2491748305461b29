//! `GET /oauth/authorize`, `POST /oauth/authorize`.

use std::net::IpAddr;
use std::sync::Arc;

use access::access_tokens::Handle;
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use kernel::{ClientId, Error, Kind};
use web::{PeerAddress, network};

use super::read::Fault;
use super::{Parameters, page, sql};
use crate::clients::OAuthClient;
use crate::errors::{access_denied, invalid_request, invalid_request_uri};
use crate::form::Form;
use crate::{Oauth, system};

/// What stands before the handle of a pushed request (RFC 9126 §2.2).
pub(super) const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";
/// Where people consent.
const CONSENT: &str = "/portal/consent";
/// Requests that strangers of one network may have stored in a minute.
const STORED: u32 = 300;

impl Oauth {
    /// The address to which the browser is sent: the page where people consent, or the client with an error.
    ///
    /// Errors: what must be shown to the person and sent nowhere.
    pub(crate) async fn authorize(self: &Arc<Self>, form: &Form, ip: Option<IpAddr>) -> kernel::Result<String> {
        let client = self.asking(form).await?;
        let outcome = match form.one("request_uri") {
            Some(uri) => self.take_pushed(&client, uri).await.map_err(Fault::from),
            None => self.direct(&client, form),
        };
        let parameters = match outcome {
            Ok(parameters) => parameters,
            Err(Fault { error, to: Some((redirect_uri, state)) }) => return Ok(self.refusal(&redirect_uri, state.as_deref(), &error)),
            Err(Fault { error, to: None }) => return Err(error),
        };
        if let Some(ip) = ip {
            let full = |wait| {
                Error::new(Kind::RateLimited, "too_many_requests", "Too many requests come from your address. Wait a little.")
                    .retry_after(wait)
            };
            self.strangers.take(network(ip), STORED, self.ambient.now()).map_err(full)?;
        }
        let handle = self.store_request(&client, parameters, false).await?;
        Ok(format!("{}{CONSENT}?request={handle}", self.config.issuer))
    }

    /// The client that a request names.
    async fn asking(self: &Arc<Self>, form: &Form) -> kernel::Result<Arc<OAuthClient>> {
        let unknown = || invalid_request("There is no such client, or it is suspended.");
        let id: ClientId = form.need("client_id")?.parse().map_err(|_| unknown())?;
        self.client(id).await?.filter(|client| client.app.is_active).ok_or_else(unknown)
    }

    fn direct(&self, client: &OAuthClient, form: &Form) -> Result<Parameters, Fault> {
        let parameters = self.read_request(client, form)?;
        if client.stored.require_par {
            let to = Some((parameters.redirect_uri, parameters.state));
            return Err(Fault { error: invalid_request("This client must push its requests first (RFC 9126)."), to });
        }
        Ok(parameters)
    }

    /// A pushed request is used once.
    async fn take_pushed(self: &Arc<Self>, client: &OAuthClient, uri: &str) -> kernel::Result<Parameters> {
        let refused = || invalid_request_uri("The request_uri is none of ours, was used before, or is over.");
        let shown = uri.strip_prefix(PUSHED).and_then(|text| self.access.read_handle(Handle::Request, text)).ok_or_else(refused)?;
        let id = client.app.id;
        let taken = self.store.write(system(), move |tx| {
            let found = sql::shown(tx, &shown)?.filter(|found| found.is_pushed && found.client == id && found.expires_at > tx.now());
            let Some(found) = found else { return Ok(None) };
            Ok(sql::take(tx, &found.key_id)?.then_some(found.parameters))
        });
        taken.await?.ok_or_else(refused)
    }

    /// Stores a request; its handle.
    pub(super) async fn store_request(
        self: &Arc<Self>,
        client: &OAuthClient,
        parameters: Parameters,
        is_pushed: bool,
    ) -> kernel::Result<String> {
        let handle = self.access.new_handle(Handle::Request);
        let lifetime = if is_pushed { self.config.pushed_lifetime } else { self.config.request_lifetime };
        let (id, hash, key_id) = (client.app.id, handle.hash, handle.key_id);
        self.store
            .write(system(), move |tx| {
                let expires_at = tx.now().plus(lifetime);
                sql::insert(tx, &sql::New { key_id: &key_id, hash: &hash, client: id, is_pushed, parameters: &parameters, expires_at })
            })
            .await?;
        Ok(handle.text.reveal().clone())
    }

    async fn respond(self: &Arc<Self>, form: kernel::Result<Form>, ip: Option<IpAddr>) -> Response {
        let outcome = match form {
            Ok(form) => self.authorize(&form, ip).await,
            Err(error) => Err(error),
        };
        outcome.map_or_else(|error| page::fault(&error), |location| redirect(&location))
    }
}

/// 303, so that a POST is not repeated at the other end (RFC 9700 §4.12), and without the request's address as referrer.
fn redirect(location: &str) -> Response {
    let Ok(location) = HeaderValue::try_from(location) else {
        return page::fault(&access_denied("The address that the answer goes to cannot be written."));
    };
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

pub(crate) async fn handle(State(oauth): State<Arc<Oauth>>, peer: Option<Extension<PeerAddress>>, RawQuery(query): RawQuery) -> Response {
    oauth.respond(Form::parse(query.unwrap_or_default().as_bytes()), peer.map(|peer| peer.0.0)).await
}

pub(crate) async fn handle_post(State(oauth): State<Arc<Oauth>>, peer: Option<Extension<PeerAddress>>, form: Form) -> Response {
    oauth.respond(Ok(form), peer.map(|peer| peer.0.0)).await
}
