//! What is a person's own: profile, password, authenticator. Operations for signed-in people only; those that change how one signs in are
//! closed to a session that a host began, and the dangerous ones want a fresh proof ([`kernel::Caller::require_fresh`]).

mod get;
mod password;
mod reauthenticate;
mod security;
mod update;

use std::net::IpAddr;

use kernel::{Caller, Result, Scope, UserId};

use crate::sessions::sql;
use crate::{People, Visit, errors};

pub use get::Me;
pub use security::Security;
pub use update::UpdateProfile;

pub(crate) use get::handle as get;
pub(crate) use password::{ChangePassword, handle as change_password};
pub(crate) use reauthenticate::{Renewed, ShowProof, handle as reauthenticate, handle_options as proof_options};
pub(crate) use security::handle as security;
pub(crate) use update::handle as update;

impl People {
    /// A person's authority over how they sign in. Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`.
    pub(crate) async fn own_security(&self, caller: &Caller, fresh: bool) -> Result<(UserId, Scope)> {
        let (user, session, scope) = caller.myself()?;
        let is_bound = self.store.read(scope.clone(), move |tx| sql::is_bound(tx, session)).await?;
        if is_bound {
            return Err(errors::not_in_host_session());
        }
        if fresh {
            caller.require_fresh(self.ambient.now())?;
        }
        Ok((user, scope))
    }

    /// Counts an attempt in a request of somebody who is signed in.
    pub(crate) async fn count_attempt_of(&self, caller: &Caller, email: &str, user: UserId) -> Result<()> {
        let visit = self.visit_of(caller);
        self.guard.attempt(&visit, self.ambient.now())?;
        self.count_attempt(email, Some(user), &visit).await
    }

    /// Who is at the other end of a caller's request.
    pub(crate) fn visit_of(&self, caller: &Caller) -> Visit {
        let request = caller.request();
        let ip: Option<IpAddr> = request.and_then(|request| request.ip);
        let user_agent = request.and_then(|request| request.user_agent.clone());
        Visit { ip, user_agent, request: request.map_or_else(|| self.ambient.id(), |request| request.id) }
    }
}
