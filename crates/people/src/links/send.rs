//! Links by mail, and one that is handed over on the command line.

use std::sync::Arc;
use std::time::Duration;

use access::people::{User, UserStatus};
use kernel::{Error, Result, Scope, Secret, UserId};
use store::Store;

use super::{NewLink, Purpose, sql};
use crate::mails::{self, Occasion};
use crate::tokens::{Hasher, Kind};
use crate::users::methods;
use crate::{People, Visit, config, errors, paths, rules};

/// How long a link that signs in is good.
const MAGIC_GOOD_FOR: Duration = Duration::from_mins(15);
/// How long a link for a new password is good: by mail, and handed over.
const RESET_GOOD_FOR: Duration = Duration::from_hours(1);
const HANDED_GOOD_FOR: Duration = Duration::from_hours(24);
/// Most mails to one person, of one purpose, within the life of its link.
const MOST_MAILS: u64 = 3;

/// A link by which a person sets a password, for whoever runs the server to hand over.
pub(crate) async fn reset_link(store: &Store, public_url: &str, user: UserId) -> Result<Secret<String>> {
    let hasher = Hasher::load(store).await?;
    let minted = hasher.mint(Kind::Link, store.ambient());
    let hash = minted.hash;
    let link = NewLink { purpose: Purpose::PasswordReset, user: Some(user), good_for: HANDED_GOOD_FOR, ..NewLink::default() };
    store
        .write(Scope::system("people"), move |tx| {
            sql::insert(tx, &hash, &link)?;
            tx.audit("user.make_reset_link", user)
        })
        .await?;
    Ok(Secret::new(config::link(public_url, paths::RESET_PASSWORD, minted.token.reveal())))
}

impl People {
    /// Sends a link that signs in, if somebody has this address. `next`: the path where the person wanted to go.
    ///
    /// The answer is the same, and as quick, if nobody has it. Errors: 409 `mail_not_configured`, 429 `too_many_attempts`.
    pub async fn send_magic_link(self: &Arc<Self>, email: &str, next: Option<&str>, visit: &Visit) -> Result<()> {
        let next = rules::next(next);
        self.send(email, Purpose::MagicLink, MAGIC_GOOD_FOR, next, visit)
    }

    /// Sends a link for a new password, if somebody has this address. As [`People::send_magic_link`].
    pub async fn send_password_reset(self: &Arc<Self>, email: &str, visit: &Visit) -> Result<()> {
        self.send(email, Purpose::PasswordReset, RESET_GOOD_FOR, None, visit)
    }

    /// Nobody waits for what follows, so that its length tells nothing.
    fn send(self: &Arc<Self>, email: &str, purpose: Purpose, good_for: Duration, next: Option<String>, visit: &Visit) -> Result<()> {
        if !self.can_mail() {
            return Err(errors::mail_not_configured());
        }
        self.guard.mail(visit, self.ambient.now())?;
        let (people, email, visit) = (Arc::clone(self), rules::typed_email(email), visit.clone());
        tokio::spawn(async move {
            if let Err(error) = people.find_and_send(email, purpose, good_for, next, &visit).await {
                tracing::warn!(?error, "a link could not be sent");
            }
        });
        Ok(())
    }

    async fn find_and_send(
        &self,
        email: String,
        purpose: Purpose,
        good_for: Duration,
        next: Option<String>,
        visit: &Visit,
    ) -> Result<(), Error> {
        let minted = self.hasher.mint(Kind::Link, &self.ambient);
        let hash = minted.hash;
        let made = self.store.write(Scope::system("people"), move |tx| {
            let user = access::people::user_by_email(tx, &email)?.filter(|user| user.status == UserStatus::Active);
            let Some(user) = user else { return Ok::<Option<User>, Error>(None) };
            methods::hold(tx, user.id)?;
            let since = tx.now().minus(good_for);
            if sql::sent_since(tx, user.id, purpose, since)? >= MOST_MAILS {
                return Ok(None);
            }
            sql::insert(tx, &hash, &NewLink { purpose, user: Some(user.id), email: Some(email), bound: None, next, good_for })?;
            tx.audit("user.send_link", user.id)?;
            Ok(Some(user))
        });
        let Some(user) = made.await? else { return Ok(()) };
        let (path, occasion) = match purpose {
            Purpose::PasswordReset => (paths::RESET_PASSWORD, Occasion::PasswordReset),
            _ => (paths::MAGIC_LINK, Occasion::MagicLink),
        };
        let url = self.link(path, minted.token.reveal());
        let address = visit.ip.map(|ip| ip.to_string());
        let language = user.language.as_deref().unwrap_or(&self.config.language);
        self.mail(mails::write(&self.config.product, &user.email, language, &occasion, &url, address.as_deref())).await
    }
}
