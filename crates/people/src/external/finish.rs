//! The way back from a provider.

use std::sync::Arc;

use kernel::caller::FRESH_FOR;
use kernel::{Error, Result, Scope, Timestamp};
use serde::Deserialize;

use super::id_token::{self, Asked, Claims, Word};
use super::provider::{Metadata, Provider, Tokens};
use super::{browser_at, resolve};
use crate::ceremonies::{Begun, GOOD_FOR, Purpose};
use crate::sessions::{Method, NewSession, SignedIn, sql};
use crate::sign_in::Outcome;
use crate::tokens::{Kind, Minted};
use crate::users::methods;
use crate::{People, Visit, errors, identities};

/// Longest code that is sent on.
const MAX_CODE: usize = 4096;

/// What a provider's answer says, in the query of the way back.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Callback {
    /// What we sent along.
    pub state: Option<String>,
    /// What is exchanged for its word.
    pub code: Option<String>,
    /// Who it says that it is (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Arrived {
    /// Signed in, or a second proof is owed; of somebody who was signed in, a session whose token is new. None: the account is tied now.
    pub outcome: Option<Outcome>,
    /// Where the person goes on.
    pub next: Option<String>,
}

impl People {
    /// Takes a provider's answer. `browser`: what told it when it went; `signed_in`: who is signed in there now.
    ///
    /// Errors: 401 `external_failed`, whatever was wrong with the answer; 403 `external_email_not_allowed`, 403 `external_unknown`, 403
    /// `external_not_linked`, 403 `user_suspended`, 404, 409 `identity_taken`, 429 `too_many_attempts`, 503 `provider_unavailable`.
    pub async fn finish_external(
        self: &Arc<Self>,
        slug: &str,
        back: &Callback,
        browser: &str,
        signed_in: Option<&SignedIn>,
        visit: &Visit,
    ) -> Result<Arrived> {
        let provider = self.provider(slug)?;
        self.guard.attempt(visit, self.ambient.now())?;
        let judged = self.judge(provider, back, browser).await;
        let (begun, word) = self.noting_failure(visit, judged)?;
        let next = begun.next.clone();
        let outcome = match begun.purpose {
            Purpose::ExternalSignIn => Some(self.enter_external(provider, word, visit).await?),
            Purpose::ExternalLink => {
                self.tie(provider, begun, word, signed_in, visit).await?;
                None
            }
            Purpose::ExternalProof => Some(Outcome::SignedIn(self.prove(provider, begun, word, signed_in, visit).await?)),
            _ => return Err(errors::external_failed()),
        };
        Ok(Arrived { outcome, next })
    }

    /// The provider's word, and what it was asked for.
    async fn judge(&self, provider: &Provider, back: &Callback, browser: &str) -> Result<(Begun, Word)> {
        let refused = |why: &str| {
            tracing::info!(provider = %provider.config.slug, why, "a sign-in with another provider failed");
            errors::external_failed()
        };
        let state = back.state.as_deref().unwrap_or_default();
        let begun = self.end_ceremony(state, &browser_at(provider, browser)).await?;
        let begun = begun.ok_or_else(|| refused("nobody asked for it in this browser, or too long ago"))?;
        let (now, metadata) = (self.ambient.now(), provider.metadata(self.ambient.now()).await?);
        let is_by_it = back.iss.as_ref().map_or(!metadata.names_itself, |iss| *iss == provider.config.issuer);
        if !is_by_it {
            return Err(refused("the answer is of another provider"));
        }
        let code = match (&back.code, &back.error) {
            (Some(code), None) if code.len() <= MAX_CODE => code,
            _ => return Err(refused("the provider gave no code")),
        };
        let (verifier, nonce) = (self.hasher.derived(Kind::Verifier, state), self.hasher.derived(Kind::Nonce, state));
        let redeemed = provider.redeem(&metadata, code, &verifier, &self.way_back(provider)).await?;
        let tokens = redeemed.ok_or_else(|| refused("the provider does not know the code"))?;
        let asked = Asked { issuer: &provider.config.issuer, client_id: &provider.config.client_id, nonce: &nonce, now };
        let mut keys = provider.keys(&metadata, false, now).await?;
        if !id_token::is_signed(&tokens.id_token, &keys) {
            keys = provider.keys(&metadata, true, now).await?;
        }
        let mut word = id_token::check(&tokens.id_token, &keys, &asked).map_err(refused)?;
        if word.claims.email.is_none() {
            word.claims = self.more(provider, &metadata, &tokens, word.claims).await?;
        }
        Ok((begun, word))
    }

    /// Providers may leave the address out of the token. What they say elsewhere counts if it is about the same person (§5.3.2).
    async fn more(&self, provider: &Provider, metadata: &Metadata, tokens: &Tokens, known: Claims) -> Result<Claims> {
        let Some(token) = &tokens.access_token else { return Ok(known) };
        let told = provider.userinfo::<Claims>(metadata, token).await?;
        Ok(told.filter(|told| told.sub == known.sub).unwrap_or(known))
    }

    async fn enter_external(&self, provider: &Provider, word: Word, visit: &Visit) -> Result<Outcome> {
        let who = resolve::Known::of(provider, word.claims)?;
        let user = self.resolve(provider, who.clone(), visit).await?;
        // What nobody says when it was proven is no fresh proof.
        let long_ago = || self.ambient.now().minus(FRESH_FOR + std::time::Duration::from_secs(1));
        let entry = self.entry(&user, Method::External, visit).proven(word.proven_at.unwrap_or_else(long_ago));
        let id = user.id;
        self.store
            .write(Scope::person(id, visit.info()), move |tx| {
                // As they are now: the tie may have been cut meanwhile.
                let tied = identities::sql::find(tx, &who.issuer, &who.claims.sub)? == Some(id);
                let user = access::people::user(tx, id)?.filter(|_| tied).ok_or_else(errors::external_failed)?;
                identities::sql::note_use(tx, &who.issuer, &who.claims.sub, who.claims.email.as_deref())?;
                let methods = methods::of(tx, id)?;
                entry.enter(tx, &user, &methods)
            })
            .await
    }

    /// Ties the account of whoever is signed in to the provider's.
    async fn tie(&self, provider: &Provider, begun: Begun, word: Word, signed_in: Option<&SignedIn>, visit: &Visit) -> Result<()> {
        let user = begun.user.filter(|user| signed_in.is_some_and(|signed| signed.user == *user && signed.bound_tenant.is_none()));
        let user = user.ok_or_else(errors::external_failed)?;
        let who = resolve::Known::of(provider, word.claims)?;
        let tied =
            self.store.write(Scope::person(user, visit.info()), move |tx| match identities::sql::find(tx, &who.issuer, &who.claims.sub)? {
                Some(owner) if owner == user => Ok(()),
                Some(_) => Err(errors::identity_taken()),
                None => resolve::tie(tx, &who, user),
            });
        tied.await.map_err(|error| if store::is_unique_violation(&error) { errors::identity_taken() } else { error })
    }

    /// A session's token is new after a proof.
    async fn prove(
        self: &Arc<Self>,
        provider: &Provider,
        begun: Begun,
        word: Word,
        signed_in: Option<&SignedIn>,
        visit: &Visit,
    ) -> Result<NewSession> {
        let signed_in = signed_in.filter(|signed| begun.user == Some(signed.user) && signed.bound_tenant.is_none());
        let signed_in = signed_in.ok_or_else(errors::external_failed)?;
        // The provider was told to ask; only what it says that it did counts.
        let now = self.ambient.now();
        let is_fresh = |at: Timestamp| now.since(at) <= GOOD_FOR;
        word.proven_at.filter(|at| is_fresh(*at)).ok_or_else(errors::external_failed)?;
        let who = resolve::Known::of(provider, word.claims)?;
        let (user, session, mut methods) = (signed_in.user, signed_in.session, signed_in.methods.clone());
        if !methods.contains(&Method::External) {
            methods.push(Method::External);
        }
        let Minted { token, hash } = self.hasher.mint(Kind::Session, &self.ambient);
        self.store
            .write(Scope::person(user, visit.info()), move |tx| {
                if identities::sql::find(tx, &who.issuer, &who.claims.sub)? != Some(user) {
                    return Err::<(), Error>(errors::external_failed());
                }
                identities::sql::note_use(tx, &who.issuer, &who.claims.sub, who.claims.email.as_deref())?;
                tx.audit("session.reauthenticate", session)?;
                if sql::renew(tx, session, &hash, &methods, now)? { Ok(()) } else { Err(errors::session_over()) }
            })
            .await?;
        Ok(NewSession { token, session, user, expires_at: signed_in.expires_at })
    }
}
