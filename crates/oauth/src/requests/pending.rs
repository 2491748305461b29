//! What a page may show of a request that waits.

use std::sync::Arc;
use std::time::Duration;

use access::access_tokens::{Handle, ReadHandle};
use kernel::{Error, Result, TenantId, Timestamp};
use url::Url;

use super::{Prompt, Waiting, sql};
use crate::clients::{AppCard, OAuthClient};
use crate::scope::{self, ScopeLine};
use crate::{Oauth, system};

/// A request that waits for a person, in what may be shown of it.
#[derive(Clone, Debug)]
pub struct PendingRequest {
    /// Who asks.
    pub app: AppCard,
    /// What it asks for, in plain words.
    pub scopes: Vec<ScopeLine>,
    /// The host that the answer goes to; of an installed application, its scheme.
    pub redirect_host: String,
    /// The origin that the answer goes to, for the page's `form-action`; none: an application's own scheme (then `<scheme>:`).
    pub redirect_origin: Option<String>,
    /// What is asked of the person.
    pub prompt: Prompt,
    /// How old a sign-in may be.
    pub max_age: Option<Duration>,
    /// Who is likely to sign in.
    pub login_hint: Option<String>,
    /// The only tenant whose people may allow this; none: any.
    pub only_tenant: Option<TenantId>,
    /// When it is over.
    pub expires_at: Timestamp,
}

impl Oauth {
    /// The request behind a handle, without knowing who asks. Error: 404 when it is over, answered, or never was.
    pub async fn pending(self: &Arc<Self>, handle: &str) -> Result<PendingRequest> {
        let (waiting, client) = self.waiting(handle).await?;
        Ok(self.describe(&waiting, &client))
    }

    pub(super) fn read_request_handle(&self, handle: &str) -> Result<ReadHandle> {
        self.access.read_handle(Handle::Request, handle).ok_or_else(over)
    }

    /// The request and its client. Error: 404.
    pub(super) async fn waiting(self: &Arc<Self>, handle: &str) -> Result<(Waiting, Arc<OAuthClient>)> {
        let shown = self.read_request_handle(handle)?;
        let found = self.store.read(system(), move |tx| sql::shown(tx, &shown)).await?;
        let now = self.ambient.now();
        let waiting = found.filter(|waiting| !waiting.is_pushed && waiting.expires_at > now).ok_or_else(over)?;
        let client = self.client(waiting.client).await?.filter(|client| client.app.is_active).ok_or_else(over)?;
        Ok((waiting, client))
    }

    pub(super) fn describe(&self, waiting: &Waiting, client: &OAuthClient) -> PendingRequest {
        let asked = &waiting.parameters;
        let url = Url::parse(&asked.redirect_uri).ok();
        let host = url.as_ref().and_then(|url| url.host_str().map(str::to_owned));
        let origin = url.as_ref().map(Url::origin).filter(url::Origin::is_tuple).map(|origin| origin.ascii_serialization());
        PendingRequest {
            app: client.card(),
            scopes: scope::lines(&self.blueprint, &asked.scopes),
            redirect_host: host.or_else(|| url.map(|url| url.scheme().to_owned())).unwrap_or_default(),
            redirect_origin: origin,
            prompt: asked.prompt,
            max_age: asked.max_age.map(|seconds| Duration::from_secs(seconds.into())),
            login_hint: asked.login_hint.clone(),
            only_tenant: client.only_tenant(),
            expires_at: waiting.expires_at,
        }
    }
}

pub(super) fn over() -> Error {
    Error::not_found("authorization request")
}
