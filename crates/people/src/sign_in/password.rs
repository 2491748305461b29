//! By e-mail address and password.

use access::people::User;
use kernel::{Result, Scope, Secret};

use super::Outcome;
use crate::passwords::Verdict;
use crate::sessions::Method;
use crate::users::methods::{self, Methods};
use crate::{People, Visit, errors, rules};

impl People {
    /// Signs somebody in.
    ///
    /// Errors: 401 `sign_in_failed`, the same whatever was wrong; 403 `user_suspended`, only after the right password; 429
    /// `too_many_attempts`; 503 `overloaded`.
    pub async fn sign_in_with_password(&self, email: &str, password: Secret<String>, visit: &Visit) -> Result<Outcome> {
        self.enter_with_password(email, password, None, visit).await
    }

    /// The same. `invitation`: what is accepted with it, once everything that is owed was shown. Error beside those: 404 `link_over`.
    pub(crate) async fn enter_with_password(
        &self,
        email: &str,
        password: Secret<String>,
        invitation: Option<[u8; 32]>,
        visit: &Visit,
    ) -> Result<Outcome> {
        let email = rules::typed_email(email);
        self.guard.attempt(visit, self.ambient.now())?;
        let found = self.known(&email).await?;
        self.count_attempt(&email, found.as_ref().map(|(user, _)| user.id), visit).await?;
        let stored = found.as_ref().and_then(|(_, methods)| methods.password_hash.clone());
        let kept = password.clone();
        let verdict = self.passwords.verify(password, stored.clone()).await?;
        let (Some((user, _)), true) = (found, verdict != Verdict::Wrong) else {
            self.guard.failed(visit, self.ambient.now());
            return Err(errors::sign_in_failed());
        };
        let stored = match (verdict, stored) {
            (Verdict::RightButOld, Some(old)) => Some(self.strengthen(&user, kept, old).await),
            (_, stored) => stored,
        };
        let entry = self.entry(&user, Method::Password, visit).accepting(invitation);
        let id = user.id;
        self.store
            .write(Scope::person(id, visit.info()), move |tx| {
                // Read again: between the two the password may have been changed because it was stolen.
                let now = (access::people::user(tx, id)?, methods::of(tx, id)?);
                match now {
                    (Some(user), methods) if methods.password_hash == stored => entry.enter(tx, &user, &methods),
                    _ => Err(errors::sign_in_failed()),
                }
            })
            .await
    }

    /// A person by address, with what proves who they are.
    pub(crate) async fn known(&self, email: &str) -> Result<Option<(User, Methods)>> {
        let email = email.to_owned();
        self.store
            .read(Scope::system("people"), move |tx| match access::people::user_by_email(tx, &email)? {
                Some(user) => {
                    let methods = methods::of(tx, user.id)?;
                    Ok(Some((user, methods)))
                }
                None => Ok(None),
            })
            .await
    }

    /// Keeps a password, which has just been shown, under the cost that passwords have now; what is stored from now on. If it fails, the next
    /// time will do.
    async fn strengthen(&self, user: &User, password: Secret<String>, old: String) -> String {
        let Ok(new) = self.passwords.hash_as_it_is(password).await else { return old };
        let (id, from, to) = (user.id, old.clone(), new.clone());
        match self.store.write(Scope::system("people"), move |tx| methods::rehash(tx, id, &from, &to)).await {
            Ok(()) => new,
            Err(error) => {
                tracing::warn!(?error, "a password could not be kept under its new cost");
                old
            }
        }
    }
}
