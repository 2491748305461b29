//! `GET /api/v1/me/security`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::users::methods;
use crate::{People, identities, passkeys};

/// How a person signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Security {
    /// Whether there is a password.
    pub has_password: bool,
    /// Since when an authenticator is asked for; none: it is not.
    pub totp_since: Option<Timestamp>,
    /// Recovery codes that were not used.
    pub recovery_codes_left: u32,
    /// How many passkeys there are.
    pub passkeys: u32,
    /// How many other providers there are by which the person signs in.
    pub identities: u32,
}

impl People {
    /// How the caller signs in. Error: 403 `people_only`.
    pub async fn security(&self, caller: &Caller) -> Result<Security> {
        let (user, _, scope) = caller.myself()?;
        self.store
            .read(scope, move |tx| {
                let known = methods::of(tx, user)?;
                Ok(Security {
                    has_password: known.password_hash.is_some(),
                    totp_since: known.totp_confirmed_at,
                    recovery_codes_left: methods::recovery_codes_left(tx, user)?,
                    passkeys: passkeys::sql::count(tx, user)?,
                    identities: u32::try_from(identities::sql::of_user(tx, user)?.len()).unwrap_or(u32::MAX),
                })
            })
            .await
    }
}

pub(crate) async fn handle(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<Security>> {
    Ok(web::Json(people.security(&caller).await?))
}
