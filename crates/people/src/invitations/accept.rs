//! Accepting an invitation. Three ways in, by who shows the link:
//!
//! * Somebody who is signed in under the invited address: joins.
//! * Somebody whose address nobody has: chooses a password, and has an account.
//! * Somebody who has an account and is not signed in: signs in first. The link alone does not sign in to an account that exists: it may
//!   have been handed over through many hands.

use access::people::{User, UserStatus};
use kernel::{Error, Result, Scope, Secret, UserId};

use super::{Invitation, sql};
use crate::members::add::{join, new_user};
use crate::sessions::{self, Method, SignedIn};
use crate::sign_in::Outcome;
use crate::tokens::Kind;
use crate::users::{self, methods};
use crate::{NewSession, People, Visit, errors, rules};

/// What somebody says who accepts.
#[derive(Debug, Default)]
pub struct Accept {
    /// What they are called, of a new account.
    pub name: Option<String>,
    /// The password of a new account, or of the one that they have.
    pub password: Option<Secret<String>>,
}

impl People {
    /// Accepts an invitation. `signed_in`: who shows the link, if they are signed in.
    ///
    /// Errors: 404 `link_over`, 401 `sign_in_required` (the address has an account: sign in to it, or show its password), 403
    /// `invitation_for_another` (signed in under another address), 422 `validation_failed`, and those of signing in.
    pub async fn accept_invitation(&self, token: &str, input: Accept, signed_in: Option<&SignedIn>, visit: &Visit) -> Result<Outcome> {
        let hash = self.hasher.shown(Kind::Invitation, token).ok_or_else(errors::link_over)?;
        self.guard.attempt(visit, self.ambient.now())?;
        let read = self.store.read(Scope::system("people"), move |tx| {
            let Some(found) = sql::pending(tx, &hash)? else { return Ok(None) };
            let known = access::people::user_by_email(tx, &found.email)?;
            Ok(Some((found, known)))
        });
        let Some((found, known)) = read.await? else {
            self.guard.failed(visit, self.ambient.now());
            return Err(errors::link_over());
        };
        match (known, signed_in) {
            (Some(user), Some(signed_in)) if signed_in.user == user.id && signed_in.bound_tenant.is_none() => {
                self.join_signed_in(found, hash, signed_in, visit).await.map(Outcome::SignedIn)
            }
            (_, Some(_)) => {
                let text = "You are signed in under another address than the one that was invited. Sign out, and open the link again.";
                Err(Error::forbidden("invitation_for_another", text))
            }
            (None, None) => self.join_as_new(found, hash, input, visit).await.map(Outcome::SignedIn),
            (Some(user), None) => match input.password {
                // Whoever shows the password is let in as at every other time, and is a member once they are.
                Some(password) => self.enter_with_password(&user.email, password, Some(hash), visit).await,
                None => {
                    let text = "The invited address has an account. Sign in to it, and open the link again.";
                    Err(Error::unauthenticated("sign_in_required", text))
                }
            },
        }
    }

    /// A session's token is new when it may do more.
    async fn join_signed_in(&self, found: Invitation, hash: [u8; 32], signed_in: &SignedIn, visit: &Visit) -> Result<NewSession> {
        let (user, session, methods, proven_at) = (signed_in.user, signed_in.session, signed_in.methods.clone(), signed_in.proven_at);
        let minted = self.hasher.mint(Kind::Session, &self.ambient);
        let new_hash = minted.hash;
        self.store
            .write(Scope::person(user, visit.info()), move |tx| {
                let person = access::people::user(tx, user)?.ok_or_else(errors::link_over)?;
                admit_to(tx, &found, &hash, &person)?;
                let renewed = sessions::sql::renew(tx, session, &new_hash, &methods, proven_at)?;
                if renewed { Ok(()) } else { Err(errors::session_over()) }
            })
            .await?;
        Ok(NewSession { token: minted.token, session, user, expires_at: signed_in.expires_at })
    }

    async fn join_as_new(&self, found: Invitation, hash: [u8; 32], input: Accept, visit: &Visit) -> Result<NewSession> {
        let name = rules::name("/name", input.name.as_deref().or(found.name.as_deref()).unwrap_or_default())?;
        let password = input.password.ok_or_else(|| Error::field("/password", "must be chosen"))?;
        let stored = self.passwords.hash("/password", password, vec![found.email.clone(), name.clone()]).await?;
        // The link came by mail to the address: whoever has it reads what is sent there.
        let user = User { email_verified: found.sent_at.is_some(), ..new_user(&self.ambient, &found.email, &name) };
        let (draft, session) = self.draft(user.id, vec![Method::Password], None, visit);
        let made = self.store.write(Scope::person(user.id, visit.info()), move |tx| {
            users::sql::insert(tx, &user)?;
            methods::set_password(tx, user.id, &stored)?;
            tx.audit_change("user.create", user.id, &(), &user)?;
            admit_to(tx, &found, &hash, &user)?;
            sessions::sql::begin(tx, &draft)
        });
        // Two who accept at once: the address is taken by the first.
        made.await.map_err(|error| if store::is_unique_violation(&error) { errors::link_over() } else { error })?;
        Ok(session)
    }
}

fn admit_to(tx: &mut store::Tx<'_>, found: &Invitation, hash: &[u8; 32], user: &User) -> Result<()> {
    if user.status == UserStatus::Suspended {
        return Err(errors::user_suspended());
    }
    if !sql::accept(tx, found.tenant_id, found.id, hash, user.id)? {
        return Err(errors::link_over());
    }
    join(tx, found.tenant_id, user, found.role)?;
    tx.audit("invitation.accept", found.id)
}

/// Makes somebody who has just signed in a member by the invitation with this hash. Error: 404 `link_over`: it is over, or another's.
pub(crate) fn admit(tx: &mut store::Tx<'_>, hash: &[u8; 32], user: &User) -> Result<()> {
    let found = sql::pending(tx, hash)?.filter(|found| found.email == user.email).ok_or_else(errors::link_over)?;
    admit_to(tx, &found, hash, user)
}

/// The same after the second proof, which must not fail for it: whose invitation was taken back meanwhile is signed in, and no member.
pub(crate) fn admit_if_open(tx: &mut store::Tx<'_>, hash: Option<&[u8]>, user: UserId) -> Result<()> {
    let Some(hash) = hash.and_then(|hash| <[u8; 32]>::try_from(hash).ok()) else { return Ok(()) };
    let Some(user) = access::people::user(tx, user)? else { return Ok(()) };
    if sql::pending(tx, &hash)?.is_some_and(|found| found.email == user.email) { admit(tx, &hash, &user) } else { Ok(()) }
}
