//! By a link that came by mail, or from a host's backend.

use access::people::UserStatus;
use kernel::{Result, Scope};

use super::Outcome;
use crate::links::{self, Purpose};
use crate::sessions::{self, Method, NewSession};
use crate::tokens::Kind;
use crate::users::{self, methods};
use crate::{People, Visit, errors};

impl People {
    /// Signs in by a link that was sent by mail. Who has an authenticator shows a code of it too.
    ///
    /// Errors: 404 `link_over`, 403 `user_suspended`, 429 `too_many_attempts`.
    pub async fn redeem_magic_link(&self, token: &str, visit: &Visit) -> Result<Outcome> {
        let hash = self.hasher.shown(Kind::Link, token).ok_or_else(errors::link_over)?;
        self.guard.attempt(visit, self.ambient.now())?;
        let read = move |tx: &mut store::Tx<'_>| match links::sql::peek(tx, &hash, Purpose::MagicLink)?.and_then(|link| link.user) {
            Some(user) => access::people::user(tx, user),
            None => Ok(None),
        };
        let Some(user) = self.store.read(Scope::system("people"), read).await? else {
            self.guard.failed(visit, self.ambient.now());
            return Err(errors::link_over());
        };
        let (id, entry) = (user.id, self.entry(&user, Method::MagicLink, visit));
        self.store
            .write(Scope::person(id, visit.info()), move |tx| {
                links::sql::redeem(tx, &hash, Purpose::MagicLink)?.ok_or_else(errors::link_over)?;
                users::sql::verify_email(tx, id)?;
                let user = access::people::user(tx, id)?.ok_or_else(errors::link_over)?;
                let methods = methods::of(tx, id)?;
                entry.enter(tx, &user, &methods)
            })
            .await
    }

    /// Signs in by a link that a host's backend made. The session is for that one tenant, in the role that the host named.
    ///
    /// Errors: 404 `link_over`, 403 `user_suspended`, 429 `too_many_attempts`.
    pub async fn redeem_portal_link(&self, token: &str, visit: &Visit) -> Result<NewSession> {
        let hash = self.hasher.shown(Kind::Link, token).ok_or_else(errors::link_over)?;
        self.guard.attempt(visit, self.ambient.now())?;
        let read = self.store.read(Scope::system("people"), move |tx| links::sql::peek(tx, &hash, Purpose::PortalSession)).await?;
        let Some((user, bound)) = read.and_then(|link| link.user.zip(link.bound)) else {
            self.guard.failed(visit, self.ambient.now());
            return Err(errors::link_over());
        };
        let (draft, session) = self.draft(user, vec![Method::Host], Some(bound), visit);
        self.store
            .write(Scope::person(user, visit.info()), move |tx| {
                links::sql::redeem(tx, &hash, Purpose::PortalSession)?.ok_or_else(errors::link_over)?;
                let person = access::people::user(tx, user)?.ok_or_else(errors::link_over)?;
                if person.status == UserStatus::Suspended {
                    return Err(errors::user_suspended());
                }
                // Removed from the tenant since the link was made, or the tenant is gone.
                access::people::membership(tx, bound.0, user)?.ok_or_else(errors::link_over)?;
                sessions::sql::begin(tx, &draft)
            })
            .await?;
        Ok(session)
    }
}
