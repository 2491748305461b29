//! `PUT /api/v1/me/password`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use kernel::{Caller, Error, Result, Scope, Secret};
use serde::Deserialize;

use super::reauthenticate::Renewed;
use crate::passwords::Verdict;
use crate::sessions::{Method, NewSession, sql};
use crate::tokens::{Kind, Minted};
use crate::users::methods;
use crate::{People, Visit, errors, guard};

/// A new password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangePassword {
    /// The present one; absent where there is none yet, which wants a fresh proof instead.
    current_password: Option<String>,
    /// The new one: 12 to 256 characters, and none that is tried first.
    new_password: String,
}

impl People {
    /// Sets the caller's own password. Every other session of theirs ends, and this one has a new token.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required` where there is no present password to show, 422
    /// `validation_failed` at `/currentPassword` or `/newPassword`, 429 `too_many_attempts`.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Option<Secret<String>>,
        new: Secret<String>,
        visit: &Visit,
    ) -> Result<NewSession> {
        let (user, scope) = self.own_security(caller, false).await?;
        let (_, session) = caller.person().ok_or_else(errors::people_only)?;
        let read = self.store.read(Scope::system("people"), move |tx| Ok((access::people::user(tx, user)?, methods::of(tx, user)?)));
        let (person, known) = read.await?;
        let person = person.ok_or_else(|| Error::not_found("user"))?;
        match &known.password_hash {
            None => caller.require_fresh(self.ambient.now())?,
            Some(stored) => {
                let wrong = || Error::field("/currentPassword", "is not your present password");
                let shown = current.ok_or_else(wrong)?;
                self.guard.attempt(visit, self.ambient.now())?;
                self.count_attempt(&person.email, Some(user), visit).await?;
                if self.passwords.verify(shown, Some(stored.clone())).await? == Verdict::Wrong {
                    self.guard.failed(visit, self.ambient.now());
                    return Err(wrong());
                }
            }
        }
        let hash = self.passwords.hash("/newPassword", new, vec![person.email.clone(), person.name.clone()]).await?;
        let Minted { token, hash: token_hash } = self.hasher.mint(Kind::Session, &self.ambient);
        let (account, now, compared) = (self.account(&person.email), self.ambient.now(), known.password_hash);
        let expires_at = self
            .store
            .write(scope, move |tx| {
                // Somebody else may have changed it meanwhile: what was shown is then not the present one.
                if methods::of(tx, user)?.password_hash != compared {
                    return Err(Error::field("/currentPassword", "is not your present password"));
                }
                methods::set_password(tx, user, &hash)?;
                guard::forgive(tx, account)?;
                sql::end_all(tx, user, Some(session))?;
                crate::sign_in::drop_pending(tx, user)?;
                tx.notify(access::people::USER_TOPIC, user);
                tx.audit("user.change_password", user)?;
                let stored = sql::of_id(tx, session)?.ok_or_else(errors::session_over)?;
                let mut proven = stored.methods;
                if !proven.contains(&Method::Password) {
                    proven.push(Method::Password);
                }
                sql::renew(tx, session, &token_hash, &proven, now)?;
                Ok(stored.expires_at)
            })
            .await?;
        Ok(NewSession { token, session, user, expires_at })
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    headers: HeaderMap,
    web::Json(input): web::Json<ChangePassword>,
) -> web::Result<Response> {
    let visit = people.visit_of(&caller);
    let current = input.current_password.map(Secret::new);
    let renewed = people.change_password(&caller, current, Secret::new(input.new_password), &visit).await?;
    Ok(([(header::SET_COOKIE, people.cookie(&renewed, &headers))], web::Json(Renewed::of(&people, &renewed))).into_response())
}
