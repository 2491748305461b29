//! `POST /oauth/device_authorization` (RFC 8628 §3.1).

use std::sync::Arc;
use std::time::Duration;

use access::access_tokens::Handle;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::Result;
use web::PeerAddress;

use super::{DeviceAnswer, PAGE, sql, user_code};
use crate::clients::OAuthClient;
use crate::errors::unauthorized_client;
use crate::form::Form;
use crate::grant_types::GrantType;
use crate::tokens::unstored;
use crate::{Oauth, resources, scope, system};

/// How far apart a device's requests are at least.
const INTERVAL: Duration = Duration::from_secs(5);
/// How often a code is drawn that another request has, before the caller is told to come again.
const DRAWS: usize = 5;

impl Oauth {
    /// Begins a request of a device. Errors: 400 `unauthorized_client`, `invalid_scope`, `invalid_target`; those of the store.
    pub(crate) async fn begin_device(self: &Arc<Self>, client: &OAuthClient, form: &Form) -> Result<DeviceAnswer> {
        if !client.may(GrantType::DeviceCode) {
            return Err(unauthorized_client("This client is not set up for devices."));
        }
        let scopes = scope::resolve(&self.blueprint, form.one("scope"), &client.app.scopes, true)?;
        let resource = resources::resolve(&self.config.issuer, form.all("resource"))?;
        let handle = self.access.new_handle(Handle::DeviceCode);
        for _ in 0..DRAWS {
            let shown = user_code::new(&self.ambient);
            let letters = user_code::read(&shown).unwrap_or_default();
            let new = sql::New {
                key_id: handle.key_id.clone(),
                client: client.app.id,
                hash: handle.hash,
                user_hash: self.user_hash(&letters).await?,
                scope: scopes.join(" "),
                resource: resource.clone(),
                interval_ms: i64::try_from(INTERVAL.as_millis()).unwrap_or(5000),
                expires_at: self.ambient.now().plus(self.config.device_lifetime),
            };
            if self.store.write(system(), move |tx| sql::insert(tx, &new)).await? {
                let page = format!("{}{PAGE}", self.config.issuer);
                return Ok(DeviceAnswer {
                    device_code: handle.text.reveal().clone(),
                    verification_uri_complete: format!("{page}?user_code={shown}"),
                    verification_uri: page,
                    user_code: shown,
                    expires_in: self.config.device_lifetime.as_secs(),
                    interval: INTERVAL.as_secs(),
                });
            }
        }
        Err(kernel::Error::unavailable("overloaded", "No code is free. Try again."))
    }
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    peer: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    form: Form,
) -> web::Result<Response> {
    let client = oauth.authenticate_client(&headers, &form, peer.map(|peer| peer.0.0)).await?;
    Ok(unstored(&oauth.begin_device(&client, &form).await?))
}
