//! Tokens for a code (RFC 6749 §4.1.3, RFC 7636 §4.6).

use std::sync::Arc;

use access::access_tokens::{Handle, ReadHandle};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{GrantId, Result, TenantId, TenantScope};
use sha2::{Digest as _, Sha256};
use store::Tx;
use subtle::ConstantTimeEq as _;

use super::{Code, sql};
use crate::clients::AuthMethod;
use crate::errors::{invalid_grant, invalid_request};
use crate::grants::NewGrant;
use crate::tokens::issue::Subject;
use crate::tokens::{TokenAnswer, TokenRequest};
use crate::{Oauth, resources, system};

enum Outcome {
    Done(Box<TokenAnswer>),
    /// It was redeemed before: somebody has a copy.
    Replayed(TenantId, GrantId),
}

impl Oauth {
    pub(crate) async fn redeem_code(self: &Arc<Self>, request: TokenRequest) -> Result<TokenAnswer> {
        let shown = self.access.read_handle(Handle::Code, request.form.need("code")?).ok_or_else(refused)?;
        check_verifier(request.form.need("code_verifier")?)?;
        let oauth = Arc::clone(self);
        match self.store.write(system(), move |tx| oauth.redeem(tx, &request, &shown)).await? {
            Outcome::Done(answer) => Ok(*answer),
            Outcome::Replayed(tenant, grant) => {
                tracing::warn!(%tenant, %grant, "a code was redeemed twice; what came of it is ended");
                metrics::counter!("tradewind_oauth_replays_total", "what" => "code").increment(1);
                self.end_grant(TenantScope::system("oauth", tenant), grant, "code_replayed").await?;
                Err(refused())
            }
        }
    }

    fn redeem(&self, tx: &mut Tx<'_>, request: &TokenRequest, shown: &ReadHandle) -> Result<Outcome> {
        let found = sql::shown(tx, shown)?.filter(|(code, _)| code.client == request.client.app.id);
        let Some((code, is_redeemed)) = found else { return Err(refused()) };
        if is_redeemed {
            return Ok(Outcome::Replayed(code.tenant, code.grant));
        }
        check(&code, request, tx.now())?;
        if !sql::redeem(tx, &code)? {
            return Ok(Outcome::Replayed(code.tenant, code.grant));
        }
        let asked = resources::resolve(&self.config.issuer, request.form.all("resource"))?;
        let resource = resources::narrow(code.resource.as_deref(), asked)?;
        // Only a public client's refresh tokens are bound to its key: a confidential one proves itself anyway (RFC 9449 §5).
        let is_public = request.client.proves_by(AuthMethod::None);
        let (refresh_token, expires_at) = self.begin_grant(
            tx,
            &NewGrant {
                id: code.grant,
                client: &request.client,
                tenant: code.tenant,
                user: code.user,
                scope: &code.scope,
                resource: code.resource.as_deref(),
                jkt: request.jkt.as_deref().filter(|_| is_public),
                sign_in: &code.sign_in,
            },
        )?;
        let subject = Subject {
            client: Arc::clone(&request.client),
            tenant: code.tenant,
            user: Some(code.user),
            grant: Some(code.grant),
            scope: code.scope,
            resource,
            jkt: request.jkt.clone(),
            actor: None,
            sign_in: Some(code.sign_in),
            refresh_token,
        };
        Ok(Outcome::Done(Box::new(self.issue_until(tx, subject, Some(expires_at))?)))
    }
}

fn check(code: &Code, request: &TokenRequest, now: kernel::Timestamp) -> Result<()> {
    if code.expires_at <= now {
        return Err(refused());
    }
    if request.form.one("redirect_uri").is_some_and(|shown| shown != code.redirect_uri) {
        return Err(invalid_grant("The redirect_uri is not the one that the code was sent to."));
    }
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(request.form.need("code_verifier")?.as_bytes()));
    if !bool::from(challenge.as_bytes().ct_eq(code.challenge.as_bytes())) {
        return Err(invalid_grant("The code_verifier does not fit the code_challenge of the request."));
    }
    if code.jkt.is_some() && code.jkt != request.jkt {
        return Err(invalid_grant("The code is bound to a key that the request did not prove."));
    }
    Ok(())
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
fn check_verifier(verifier: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(fits) {
        return Err(invalid_request("A code_verifier has 43 to 128 characters: letters, digits, - . _ ~"));
    }
    Ok(())
}

fn refused() -> kernel::Error {
    invalid_grant("The code is not good: unknown, redeemed before, expired, or another client's.")
}
