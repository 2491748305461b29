//! `POST /oauth/revoke` (RFC 7009).
//!
//! A refresh token ends its grant with all its tokens; an access token ends alone. What is no token of the client is answered like one that
//! is: the client learns nothing, and what it wanted holds.

use std::sync::Arc;

use access::access_tokens::Handle;
use axum::Extension;
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use kernel::{ClientId, Result, TenantScope};
use web::PeerAddress;

use crate::form::Form;
use crate::{Oauth, grants, system};

impl Oauth {
    /// Ends what `text` is, if it is this client's. Errors: those of the store.
    pub(crate) async fn revoke(self: &Arc<Self>, client: ClientId, text: &str) -> Result<()> {
        if let Some(shown) = self.access.read_handle(Handle::RefreshToken, text) {
            let found = self.store.read(system(), move |tx| grants::sql::shown(tx, &shown)).await?;
            if let Some(grant) = found.filter(|grant| grant.client == client && grant.revoked_at.is_none()) {
                self.end_grant(TenantScope::system("oauth", grant.tenant), grant.id, "revoked_by_client").await?;
            }
            return Ok(());
        }
        let (oauth, text) = (Arc::clone(self), text.to_owned());
        self.store.write(system(), move |tx| oauth.access.revoke_token(tx, client, &text)).await.map(drop)
    }
}

pub(crate) async fn handle(
    State(oauth): State<Arc<Oauth>>,
    peer: Option<Extension<PeerAddress>>,
    headers: HeaderMap,
    form: Form,
) -> web::Result<StatusCode> {
    let client = oauth.authenticate_client(&headers, &form, peer.map(|peer| peer.0.0)).await?;
    oauth.revoke(client.app.id, form.need("token")?).await?;
    Ok(StatusCode::OK)
}
