//! Making the answer: an access token that is stored, and what goes with it.

use std::sync::Arc;

use access::access_tokens::NewToken;
use access::jose::Signer;
use kernel::{Error, GrantId, Result, Secret, TenantId, Timestamp, UserId};
use serde_json::Map;
use store::Tx;

use super::TokenAnswer;
use crate::Oauth;
use crate::clients::OAuthClient;
use crate::grants::SignIn;
use crate::openid::{IdToken, id_token};
use crate::{TokenFormat, jwt_tokens};

/// For whom and what tokens are issued.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// To whom.
    pub(crate) client: Arc<OAuthClient>,
    /// Whose data they open.
    pub(crate) tenant: TenantId,
    /// Who consented; none: the client acts for itself.
    pub(crate) user: Option<UserId>,
    /// The grant that they end with.
    pub(crate) grant: Option<GrantId>,
    /// What they allow.
    pub(crate) scope: String,
    /// What they are for.
    pub(crate) resource: Option<String>,
    /// The key that they are bound to.
    pub(crate) jkt: Option<String>,
    /// Who acts, as JSON (RFC 8693).
    pub(crate) actor: Option<String>,
    /// How the person signed in.
    pub(crate) sign_in: Option<SignIn>,
    /// What gets the next one.
    pub(crate) refresh_token: Option<Secret<String>>,
}

impl Oauth {
    /// Stores an access token for `subject` and makes the answer. Errors: those of the store.
    pub(crate) fn issue(&self, tx: &mut Tx<'_>, subject: Subject) -> Result<TokenAnswer> {
        self.issue_until(tx, subject, None)
    }

    /// The same for a token that ends with its grant or another one, if that ends earlier.
    pub(crate) fn issue_until(&self, tx: &mut Tx<'_>, subject: Subject, until: Option<Timestamp>) -> Result<TokenAnswer> {
        let now = tx.now();
        let usual = now.plus(subject.client.access_lifetime(self));
        let expires_at = until.map_or(usual, |until| until.min(usual));
        let format = subject.client.token_format(self);
        let new = NewToken {
            tenant: subject.tenant,
            client: subject.client.app.id,
            user: subject.user,
            grant: subject.grant,
            scope: subject.scope,
            resource: subject.resource,
            jkt: subject.jkt,
            actor: subject.actor,
            expires_at,
        };
        let sign_in = subject.sign_in.as_ref();
        let token = match format {
            TokenFormat::Opaque => self.access.issue_token(tx, &new)?,
            TokenFormat::Jwt => {
                let issuer = self.config.issuer.as_str();
                let write = |jti: &str| self.signed(now, |signer| jwt_tokens::sign(signer, issuer, jti, &new, sign_in, now));
                self.access.issue_signed_token(tx, &new, write)?
            }
        };
        let id_token = self.id_token_of(&new, sign_in, token.reveal(), now)?;
        Ok(TokenAnswer {
            access_token: token.reveal().clone(),
            token_type: if new.jkt.is_some() { "DPoP" } else { "Bearer" },
            expires_in: expires_at.since(now).as_secs(),
            scope: new.scope,
            refresh_token: subject.refresh_token.map(|token| token.reveal().clone()),
            id_token,
            more: Map::new(),
        })
    }

    /// For a person who allowed `openid`.
    fn id_token_of(&self, token: &NewToken, sign_in: Option<&SignIn>, access_token: &str, now: Timestamp) -> Result<Option<String>> {
        let (Some(user), Some(sign_in)) = (token.user, sign_in) else { return Ok(None) };
        if !token.scope.split(' ').any(|scope| scope == "openid") {
            return Ok(None);
        }
        let client = token.client.to_string();
        let id = IdToken { issuer: &self.config.issuer, client: &client, user, sign_in, access_token, now };
        self.signed(now, |signer| id_token(signer, &id)).map(Some)
    }

    /// What `write` makes with the key that signs now.
    fn signed(&self, now: Timestamp, write: impl FnOnce(&Signer) -> Result<String>) -> Result<String> {
        let missing = || Error::internal("tokens are to be signed, but no key was read before the transaction");
        let set = self.keys.present().ok_or_else(missing)?;
        write(set.signing(now).ok_or_else(missing)?)
    }
}
