//! A new password by a link.

use kernel::{Result, Scope, Secret};

use super::{Outcome, sql};
use crate::links::{self, Purpose};
use crate::sessions::{self, Method};
use crate::tokens::Kind;
use crate::users::{self, methods};
use crate::{People, Visit, errors};

impl People {
    /// Sets the password that the link is for, ends every session of the person, and signs them in. The link shows that they read their
    /// mail; who has an authenticator shows a code of it too.
    ///
    /// Errors: 404 `link_over`, 422 `validation_failed` at `/password` (the link is still good), 403 `user_suspended`, 429 `too_many_attempts`.
    pub async fn reset_password(&self, token: &str, password: Secret<String>, visit: &Visit) -> Result<Outcome> {
        let hash = self.hasher.shown(Kind::Link, token).ok_or_else(errors::link_over)?;
        self.guard.attempt(visit, self.ambient.now())?;
        let read = move |tx: &mut store::Tx<'_>| match links::sql::peek(tx, &hash, Purpose::PasswordReset)?.and_then(|link| link.user) {
            Some(user) => access::people::user(tx, user),
            None => Ok(None),
        };
        let Some(user) = self.store.read(Scope::system("people"), read).await? else {
            self.guard.failed(visit, self.ambient.now());
            return Err(errors::link_over());
        };
        let stored = self.passwords.hash("/password", password, vec![user.email.clone(), user.name.clone()]).await?;
        let entry = self.entry(&user, Method::Password, visit);
        let id = user.id;
        self.store
            .write(Scope::person(id, visit.info()), move |tx| {
                let link = links::sql::redeem(tx, &hash, Purpose::PasswordReset)?.ok_or_else(errors::link_over)?;
                if link.email.is_some() {
                    users::sql::verify_email(tx, id)?;
                }
                methods::set_password(tx, id, &stored)?;
                tx.audit("user.reset_password", id)?;
                sessions::sql::end_all(tx, id, None)?;
                sql::drop_all(tx, id)?;
                links::sql::drop_of(tx, id, Purpose::PasswordReset)?;
                let user = access::people::user(tx, id)?.ok_or_else(errors::link_over)?;
                let methods = methods::of(tx, id)?;
                entry.enter(tx, &user, &methods)
            })
            .await
    }
}
