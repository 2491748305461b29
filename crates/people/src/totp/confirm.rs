//! `POST /api/v1/me/totp/confirm`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, Scope, Secret};
use serde::{Deserialize, Serialize};

use super::{recovery, take};
use crate::People;
use crate::sessions::sql as sessions;
use crate::users::methods;

/// The first code of a new authenticator.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConfirmTotp {
    /// Six digits.
    code: String,
}

/// Codes for when the authenticator is lost, this once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecoveryCodes {
    /// Each is good once.
    pub(super) recovery_codes: Vec<String>,
}

impl People {
    /// Ends the enrolment with a first code: from now on, signing in asks for one. Answers ten recovery codes, this once; the person's other
    /// sessions end.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 409 `totp_is_on`, 409 `totp_not_begun`, 422 `validation_failed` at `/code`, 429 `too_many_attempts`.
    pub async fn confirm_totp(&self, caller: &Caller, code: &str) -> Result<Vec<Secret<String>>> {
        let (user, scope) = self.own_security(caller, false).await?;
        let session = caller.person().map(|(_, session)| session);
        let known = self.store.read(Scope::system("people"), move |tx| access::people::user(tx, user)).await?;
        let email = known.map(|user| user.email).unwrap_or_default();
        self.count_attempt_of(caller, &email, user).await?;
        let (codes, hashes) = recovery::mint(&self.hasher, &self.ambient, user);
        let (code, account) = (code.to_owned(), self.account(&email));
        self.store
            .write(scope, move |tx| {
                let known = methods::of(tx, user)?;
                if known.totp_confirmed_at.is_some() {
                    return Err(Error::conflict("totp_is_on", "An authenticator is set up already."));
                }
                if known.totp.is_none() {
                    return Err(Error::conflict("totp_not_begun", "There is no authenticator to confirm. Begin again."));
                }
                if !take(tx, user, known.totp.as_deref(), &code)? {
                    return Err(Error::field("/code", "is not the code that the authenticator shows now"));
                }
                methods::confirm_totp(tx, user)?;
                methods::set_recovery_codes(tx, user, &hashes)?;
                crate::guard::forgive(tx, account)?;
                sessions::end_all(tx, user, session)?;
                tx.notify(access::people::USER_TOPIC, user);
                tx.audit("user.enable_totp", user)
            })
            .await?;
        Ok(codes)
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<ConfirmTotp>,
) -> web::Result<web::Json<RecoveryCodes>> {
    let codes = people.confirm_totp(&caller, &input.code).await?;
    Ok(web::Json(RecoveryCodes { recovery_codes: codes.iter().map(|code| code.reveal().clone()).collect() }))
}
