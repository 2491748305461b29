//! Tokens for the client itself (RFC 6749 §4.4): for its own tenant's data.

use std::sync::Arc;

use kernel::Result;

use super::issue::Subject;
use super::{TokenAnswer, TokenRequest};
use crate::{Oauth, resources, scope, system};

impl Oauth {
    pub(super) async fn client_credentials(self: &Arc<Self>, request: TokenRequest) -> Result<TokenAnswer> {
        let TokenRequest { client, form, jkt, .. } = request;
        let scopes = scope::resolve(&self.blueprint, form.one("scope"), &client.app.scopes, false)?;
        let resource = resources::resolve(&self.config.issuer, form.all("resource"))?;
        let subject = Subject {
            tenant: client.app.tenant,
            client,
            user: None,
            grant: None,
            scope: scopes.join(" "),
            resource,
            jkt,
            actor: None,
            sign_in: None,
            refresh_token: None,
        };
        let oauth = Arc::clone(self);
        self.store.write(system(), move |tx| oauth.issue(tx, subject)).await
    }
}
