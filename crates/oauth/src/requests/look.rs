//! A person looks at a request, for a tenant.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Caller, Credential, Error, Result, TenantId, Timestamp, UserId};

use super::pending::over;
use super::{PendingRequest, Waiting, sql};
use crate::clients::OAuthClient;
use crate::consents;
use crate::errors::{access_denied, consent_required, login_required};
use crate::scope::{self, ScopeLine};
use crate::{Oauth, system};

/// How long before a request a sign-in may be that the request asked for (`prompt=login`): clocks of two nodes may differ.
const SKEW: Duration = Duration::from_secs(5);

/// When and how a person proved who it is.
#[derive(Clone, Debug)]
pub struct Signed {
    /// When.
    pub at: Timestamp,
    /// How (RFC 8176): `pwd`, `otp`, `hwk`, …
    pub methods: Vec<String>,
}

/// What a person sees of a request.
#[derive(Clone, Debug)]
pub enum Look {
    /// The person decides.
    Ask(Box<ConsentPage>),
    /// The request asks for a fresh sign-in.
    SignInAgain,
    /// It is answered already: the browser goes there.
    Done {
        /// Where.
        location: String,
    },
}

/// What is to be decided.
#[derive(Clone, Debug)]
pub struct ConsentPage {
    /// The request.
    pub request: PendingRequest,
    /// The tenant whose data it is about.
    pub tenant: TenantId,
    /// What the person may allow of it, in plain words.
    pub grantable: Vec<ScopeLine>,
    /// What is asked for and the person may not allow, in plain words.
    pub beyond: Vec<ScopeLine>,
    /// Which of them were allowed before, by name.
    pub remembered: Vec<String>,
}

/// A person who answers a request for a tenant.
pub(super) struct Person {
    pub(super) user: UserId,
    pub(super) tenant: TenantId,
}

impl Person {
    /// Errors: 403 `people_only`, 422 `tenant_required`.
    pub(super) fn of(caller: &Caller) -> Result<Self> {
        let Credential::User { user, .. } = caller.credential() else {
            return Err(Error::forbidden("people_only", "Only a person who is signed in can answer an authorization request."));
        };
        Ok(Self { user: *user, tenant: caller.tenant_scope()?.tenant() })
    }
}

impl Oauth {
    /// What a person who acts for a tenant sees of a request. The first one who looks owns it.
    ///
    /// Errors: 404 when it is over or another person's, 403 `people_only`, 422 `tenant_required`.
    pub async fn look(self: &Arc<Self>, caller: &Caller, signed: &Signed, handle: &str) -> Result<Look> {
        let person = Person::of(caller)?;
        let (waiting, client) = self.owned(&person, handle).await?;
        let prompt = waiting.parameters.prompt;
        if !is_fresh(&waiting, signed, self.ambient.now()) {
            let refusal = login_required("A fresh sign-in is needed, and nobody may be asked for it.");
            return if prompt.none { self.refuse(&waiting, &refusal).await } else { Ok(Look::SignInAgain) };
        }
        if !may_consent(&client, person.tenant) {
            return self.refuse(&waiting, &access_denied("Only people of the application's own tenant may allow this.")).await;
        }
        let (grantable, beyond) = scope::grantable(&self.blueprint, caller, &waiting.parameters.scopes);
        let remembered = self.remembered(&person, &client).await?;
        let is_known = remembered.is_some() && grantable.iter().all(|one| remembered.iter().flatten().any(|known| known == one));
        if is_known && !prompt.consent && is_certain(&client, &waiting) && !grantable.is_empty() {
            let location = self.grant(caller, signed, &waiting, &client, grantable, false).await?;
            return Ok(Look::Done { location });
        }
        if prompt.none {
            return self.refuse(&waiting, &consent_required("The person has not allowed this yet.")).await;
        }
        let remembered = remembered.unwrap_or_default();
        Ok(Look::Ask(Box::new(ConsentPage {
            request: self.describe(&waiting, &client),
            tenant: person.tenant,
            grantable: scope::lines(&self.blueprint, &grantable),
            beyond: scope::lines(&self.blueprint, &beyond),
            remembered: grantable.into_iter().filter(|one| remembered.contains(one)).collect(),
        })))
    }

    /// The request, if it is this person's or nobody's yet. Error: 404.
    pub(super) async fn owned(self: &Arc<Self>, person: &Person, handle: &str) -> Result<(Waiting, Arc<OAuthClient>)> {
        let (waiting, client) = self.waiting(handle).await?;
        let (key_id, user) = (waiting.key_id.clone(), person.user);
        let is_owner = match waiting.person {
            Some(owner) => owner == user,
            None => self.store.write(system(), move |tx| sql::own(tx, &key_id, user)).await?,
        };
        if is_owner { Ok((waiting, client)) } else { Err(over()) }
    }

    async fn remembered(&self, person: &Person, client: &OAuthClient) -> Result<Option<Vec<String>>> {
        let (tenant, user, id) = (person.tenant, person.user, client.app.id);
        let found = self.store.read(system(), move |tx| consents::sql::of(tx, tenant, user, id)).await?;
        Ok(found.map(|(_, scopes)| scopes))
    }

    async fn refuse(self: &Arc<Self>, waiting: &Waiting, error: &Error) -> Result<Look> {
        Ok(Look::Done { location: self.take_and_refuse(waiting, error).await? })
    }
}

/// Whether the answer can reach nobody but the client. Of a public one on a person's machine, anybody there may say that it is the one: then the
/// person is asked every time (RFC 8252 §8.6).
fn is_certain(client: &OAuthClient, waiting: &Waiting) -> bool {
    client.app.confidential || waiting.parameters.redirect_uri.starts_with("https://")
}

/// Whether the sign-in is as fresh as the request wants it.
pub(super) fn is_fresh(waiting: &Waiting, signed: &Signed, now: Timestamp) -> bool {
    let asked = &waiting.parameters;
    let is_again = !asked.prompt.login || signed.at.plus(SKEW) >= waiting.created_at;
    let is_young = asked.max_age.is_none_or(|most| now.since(signed.at) <= Duration::from_secs(most.into()) + SKEW);
    is_again && is_young
}

pub(super) fn may_consent(client: &OAuthClient, tenant: TenantId) -> bool {
    client.only_tenant().is_none_or(|only| only == tenant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::{Parameters, Prompt};

    #[test]
    fn a_sign_in_is_as_fresh_as_it_is_asked_for() {
        let ambient = kernel::Ambient::system();
        let waiting = |login, max_age| Waiting {
            key_id: String::new(),
            client: ambient.id(),
            is_pushed: false,
            parameters: Parameters {
                redirect_uri: String::new(),
                scopes: Vec::new(),
                state: None,
                challenge: String::new(),
                nonce: None,
                prompt: Prompt { login, ..Prompt::default() },
                max_age,
                login_hint: None,
                resource: None,
                jkt: None,
            },
            person: None,
            created_at: Timestamp::from_millis(1_000_000),
            expires_at: Timestamp::from_millis(2_000_000),
        };
        let signed = |at| Signed { at: Timestamp::from_millis(at), methods: Vec::new() };
        let now = Timestamp::from_millis(1_100_000);
        assert!(is_fresh(&waiting(false, None), &signed(0), now));
        assert!(!is_fresh(&waiting(true, None), &signed(990_000), now) && is_fresh(&waiting(true, None), &signed(996_000), now));
        assert!(
            is_fresh(&waiting(false, Some(100)), &signed(1_000_000), now) && !is_fresh(&waiting(false, Some(60)), &signed(1_000_000), now)
        );
    }
}
