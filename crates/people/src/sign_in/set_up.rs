//! The first start: nobody can sign in yet, so a link is printed where only who runs the server reads it. There is no password before somebody
//! chooses one.

use std::time::Duration;

use access::people::{OperatorRole, User, UserStatus};
use kernel::{Result, Scope, Secret, Timestamp};
use store::Store;

use crate::links::{self, NewLink, Purpose};
use crate::sessions::{self, Method, NewSession};
use crate::tokens::{Hasher, Kind};
use crate::users::{self, methods};
use crate::{People, Visit, config, errors, paths, rules};

/// How long the link is good. A restart prints another.
const GOOD_FOR: Duration = Duration::from_hours(24);
/// Within which time several servers start together.
const TOGETHER: Duration = Duration::from_mins(2);

/// Who sets the installation up.
#[derive(Debug)]
pub struct SetUp {
    /// The address by which they will sign in.
    pub email: String,
    /// What they are called; may be empty.
    pub name: String,
    /// The password that they choose.
    pub password: Secret<String>,
}

/// The link by which the first person of the operator makes an account, if nobody has one. Links of an earlier start are over.
pub async fn set_up_link(store: &Store, public_url: &str) -> Result<Option<Secret<String>>> {
    let hasher = Hasher::load(store).await?;
    let minted = hasher.mint(Kind::Link, store.ambient());
    let (hash, url) = (minted.hash, config::link(public_url, paths::SET_UP, minted.token.reveal()));
    let made = store.write(Scope::system("people"), move |tx| {
        if users::sql::is_anybody(tx)? {
            return Ok(false);
        }
        // Servers that start together on one database each print one.
        let before = tx.now().minus(TOGETHER);
        links::sql::drop_before(tx, Purpose::SetUp, before)?;
        links::sql::insert(tx, &hash, &NewLink { purpose: Purpose::SetUp, good_for: GOOD_FOR, ..NewLink::default() })?;
        Ok(true)
    });
    Ok(made.await?.then(|| Secret::new(url)))
}

impl People {
    /// Whether nobody has an account yet.
    pub async fn needs_set_up(&self) -> Result<bool> {
        Ok(!self.store.read(Scope::system("people"), users::sql::is_anybody).await?)
    }

    /// Makes the first account, the operator's, and signs its owner in.
    ///
    /// Errors: 404 `link_over`, 422 `validation_failed` (the link is still good), 429 `too_many_attempts`.
    pub async fn set_up(&self, token: &str, input: SetUp, visit: &Visit) -> Result<NewSession> {
        let hash = self.hasher.shown(Kind::Link, token).ok_or_else(errors::link_over)?;
        self.guard.attempt(visit, self.ambient.now())?;
        let (email, name) = (rules::email("/email", &input.email)?, rules::name("/name", &input.name)?);
        let peeked = self.store.read(Scope::system("people"), move |tx| links::sql::peek(tx, &hash, Purpose::SetUp)).await?;
        if peeked.is_none() {
            self.guard.failed(visit, self.ambient.now());
            return Err(errors::link_over());
        }
        let stored = self.passwords.hash("/password", input.password, vec![email.clone(), name.clone()]).await?;
        let now = self.ambient.now();
        let user = User {
            id: self.ambient.id(),
            email,
            email_verified: false,
            name,
            status: UserStatus::Active,
            operator_role: Some(OperatorRole::Admin),
            language: None,
            created_at: now,
            updated_at: now,
        };
        let (draft, session) = self.draft(user.id, vec![Method::SetUp, Method::Password], None, visit);
        self.store
            .write(Scope::person(user.id, visit.info()), move |tx| {
                links::sql::redeem(tx, &hash, Purpose::SetUp)?.ok_or_else(errors::link_over)?;
                if users::sql::is_anybody(tx)? {
                    return Err(errors::link_over());
                }
                links::sql::drop_before(tx, Purpose::SetUp, Timestamp::from_millis(i64::MAX))?;
                users::sql::insert(tx, &user)?;
                methods::set_password(tx, user.id, &stored)?;
                tx.audit_change("user.create", user.id, &(), &user)?;
                sessions::sql::begin(tx, &draft)
            })
            .await?;
        Ok(session)
    }
}
