//! A person allows a request.

use std::sync::Arc;

use access::access_tokens::Handle;
use kernel::{Caller, Error, Result};
use serde_json::json;

use super::look::{Person, Signed, is_fresh, may_consent};
use super::pending::over;
use super::{Waiting, sql};
use crate::clients::OAuthClient;
use crate::codes::{self, Code};
use crate::errors::access_denied;
use crate::grants::SignIn;
use crate::{Oauth, consents, scope};

/// What a person allows.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    /// Which scopes of those that are asked for, by name; none: all that the person may allow.
    pub scopes: Option<Vec<String>>,
    /// Whether the person is not asked again for them.
    pub remember: bool,
}

impl Oauth {
    /// Allows a request for the tenant that the caller acts for; answers where the browser goes, with the code. A request is answered once.
    ///
    /// Errors: 404 when it is over, answered or another person's; 403 `people_only`, `reauthentication_required`; 400 `access_denied`
    /// when the person may not allow it; 422 `validation_failed` for a scope that was not asked for or is not the person's to allow.
    pub async fn approve(self: &Arc<Self>, caller: &Caller, signed: &Signed, handle: &str, approval: Approval) -> Result<String> {
        let person = Person::of(caller)?;
        let (waiting, client) = self.owned(&person, handle).await?;
        if !is_fresh(&waiting, signed, self.ambient.now()) {
            return Err(Error::forbidden(
                "reauthentication_required",
                "The application asks for a fresh sign-in: prove again that it is you.",
            ));
        }
        if !may_consent(&client, person.tenant) {
            return Err(access_denied("Only people of the application's own tenant may allow this."));
        }
        let (grantable, _) = scope::grantable(&self.blueprint, caller, &waiting.parameters.scopes);
        let scopes = scope::choose(grantable, approval.scopes)?;
        self.grant(caller, signed, &waiting, &client, scopes, approval.remember).await
    }

    /// Takes the request out and makes a code for it, in one transaction of the caller's tenant.
    pub(super) async fn grant(
        self: &Arc<Self>,
        caller: &Caller,
        signed: &Signed,
        waiting: &Waiting,
        client: &OAuthClient,
        scopes: Vec<String>,
        remember: bool,
    ) -> Result<String> {
        let person = Person::of(caller)?;
        let handle = self.access.new_handle(Handle::Code);
        let asked = &waiting.parameters;
        let code = Code {
            key_id: handle.key_id,
            tenant: person.tenant,
            client: client.app.id,
            user: person.user,
            grant: self.ambient.id(),
            scope: scopes.join(" "),
            redirect_uri: asked.redirect_uri.clone(),
            challenge: asked.challenge.clone(),
            resource: asked.resource.clone(),
            jkt: asked.jkt.clone(),
            sign_in: SignIn { at: signed.at, methods: signed.methods.clone(), nonce: asked.nonce.clone() },
            expires_at: self.ambient.now().plus(self.config.code_lifetime),
        };
        let (key_id, hash) = (waiting.key_id.clone(), handle.hash);
        self.store
            .write(caller.tenant_scope()?, move |tx| {
                if !sql::take(tx, &key_id)? {
                    return Err(over());
                }
                codes::sql::insert(tx, &code, &hash)?;
                if remember {
                    let consent = consents::sql::remember(tx, code.tenant, code.user, code.client, &scopes)?;
                    tx.audit_with("consent.give", consent, &json!({"client": code.client, "scope": code.scope}))?;
                }
                tx.audit_with("grant.create", code.grant, &json!({"client": code.client, "user": code.user, "scope": code.scope}))
            })
            .await?;
        Ok(self.success(&asked.redirect_uri, asked.state.as_deref(), handle.text.reveal()))
    }
}
