//! Tokens for a refresh token (RFC 6749 §6), which is used up by it.

use std::sync::Arc;

use access::access_tokens::{Handle, ReadHandle};
use kernel::{GrantId, Result, TenantId, TenantScope};
use store::Tx;

use super::SignIn;
use super::sql::{self, Turn};
use crate::errors::{invalid_grant, invalid_scope};
use crate::tokens::issue::Subject;
use crate::tokens::{TokenAnswer, TokenRequest};
use crate::{Oauth, resources, scope, system};

enum Outcome {
    Done(Box<TokenAnswer>),
    /// It was used before: somebody has a copy.
    Replayed(TenantId, GrantId),
}

impl Oauth {
    pub(crate) async fn refresh(self: &Arc<Self>, request: TokenRequest) -> Result<TokenAnswer> {
        let shown = self.access.read_handle(Handle::RefreshToken, request.form.need("refresh_token")?).ok_or_else(refused)?;
        let oauth = Arc::clone(self);
        match self.store.write(system(), move |tx| oauth.turn(tx, &request, &shown)).await? {
            Outcome::Done(answer) => Ok(*answer),
            Outcome::Replayed(tenant, grant) => {
                tracing::warn!(%tenant, %grant, "a refresh token was used twice; its grant is ended");
                metrics::counter!("tradewind_oauth_replays_total", "what" => "refresh_token").increment(1);
                self.end_grant(TenantScope::system("oauth", tenant), grant, "refresh_token_replayed").await?;
                Err(refused())
            }
        }
    }

    fn turn(&self, tx: &mut Tx<'_>, request: &TokenRequest, shown: &ReadHandle) -> Result<Outcome> {
        let now = tx.now();
        let next = self.access.renew_handle(Handle::RefreshToken, &shown.key_id);
        let turn = Turn {
            client: request.client.app.id,
            shown,
            next: &next.hash,
            expires_at: now.plus(request.client.refresh_lifetime(self)),
            longest: self.config.grant_lifetime,
        };
        let Some(grant) = sql::turn(tx, &turn)? else { return self.why_not(tx, request, shown) };
        let granted = scope::split(&grant.scope);
        // Whoever narrows once is not bound to it: the next refresh may ask for all of the grant again (RFC 6749 §6).
        let scope = match request.form.one("scope") {
            None => grant.scope,
            Some(asked) => {
                let asked = scope::split(asked);
                if let Some(beyond) = asked.iter().find(|one| !granted.contains(one)) {
                    return Err(invalid_scope(format!("The scope {beyond} was not granted.")));
                }
                asked.join(" ")
            }
        };
        let asked = resources::resolve(&self.config.issuer, request.form.all("resource"))?;
        let resource = resources::narrow(grant.resource.as_deref(), asked)?;
        if grant.jkt.is_some() && grant.jkt != request.jkt {
            return Err(invalid_grant("This refresh token is bound to a key that the request did not prove."));
        }
        let subject = Subject {
            client: Arc::clone(&request.client),
            tenant: grant.tenant,
            user: Some(grant.user),
            grant: Some(grant.id),
            scope,
            resource,
            jkt: request.jkt.clone(),
            actor: None,
            // The nonce was for the first id_token (OpenID Connect Core §12.2).
            sign_in: Some(SignIn { nonce: None, ..grant.sign_in }),
            refresh_token: Some(next.text),
        };
        Ok(Outcome::Done(Box::new(self.issue_until(tx, subject, Some(grant.expires_at))?)))
    }

    /// It is not the one that is good now. One that was, and is used up, ends the grant; anything else is only refused.
    fn why_not(&self, tx: &mut Tx<'_>, request: &TokenRequest, shown: &ReadHandle) -> Result<Outcome> {
        match sql::shown(tx, shown)? {
            Some(grant) if grant.client == request.client.app.id && !grant.is_current && grant.revoked_at.is_none() => {
                Ok(Outcome::Replayed(grant.tenant, grant.id))
            }
            _ => Err(refused()),
        }
    }
}

fn refused() -> kernel::Error {
    invalid_grant("The refresh token is not good: unknown, used before, revoked, expired, or another client's.")
}
