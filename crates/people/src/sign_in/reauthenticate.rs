//! Proving anew who one is, before something dangerous.

use std::sync::Arc;

use kernel::{Result, Scope};

use super::Proof;
use crate::sessions::{NewSession, sql};
use crate::tokens::{Kind, Minted};
use crate::{People, Visit, errors, guard};

impl People {
    /// Shows a proof in a session that exists. Its token is new afterwards: whoever had the old one has nothing.
    ///
    /// Errors: 401 `session_over`, 401 `second_step_failed`, 401 `passkey_failed`, 403 `host_session` (such a session stays what it is), 429 `too_many_attempts`.
    pub async fn reauthenticate(self: &Arc<Self>, token: &str, proof: Proof, visit: &Visit) -> Result<NewSession> {
        let signed_in = self.lookup(token).await?.ok_or_else(errors::session_over)?;
        if signed_in.bound_tenant.is_some() {
            return Err(errors::not_in_host_session());
        }
        self.guard.attempt(visit, self.ambient.now())?;
        self.count_attempt(&signed_in.email, Some(signed_in.user), visit).await?;
        let checked = self.check(signed_in.user, proof, &signed_in.session.to_string()).await;
        let check = self.noting_failure(visit, checked)?;
        let mut methods = signed_in.methods.clone();
        if !methods.contains(&check.method()) {
            methods.push(check.method());
        }
        let Minted { token, hash } = self.hasher.mint(Kind::Session, &self.ambient);
        let (user, session, now) = (signed_in.user, signed_in.session, self.ambient.now());
        let account = self.account(&signed_in.email);
        let renewed = self.store.write(Scope::person(user, visit.info()), move |tx| {
            check.apply(tx, user)?;
            guard::forgive(tx, account)?;
            tx.audit("session.reauthenticate", session)?;
            if sql::renew(tx, session, &hash, &methods, now)? { Ok(()) } else { Err(errors::session_over()) }
        });
        self.noting_failure(visit, renewed.await)?;
        Ok(NewSession { token, session, user, expires_at: signed_in.expires_at })
    }
}
