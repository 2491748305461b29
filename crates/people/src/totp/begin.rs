//! `POST /api/v1/me/totp`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Result, Secret};

use super::{EnrolmentBody, SECRET_LEN, TotpEnrolment, context, generator};
use crate::People;
use crate::users::methods;

impl People {
    /// Begins the enrolment of an authenticator. Nothing is asked for before [`People::confirm_totp`]; a second beginning replaces the first.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 403 `reauthentication_required`, 409 `totp_is_on`.
    pub async fn begin_totp(&self, caller: &Caller) -> Result<TotpEnrolment> {
        let (user, scope) = self.own_security(caller, true).await?;
        let secret: [u8; SECRET_LEN] = self.ambient.bytes();
        let kept = secret;
        let email = self
            .store
            .write(scope, move |tx| {
                if methods::of(tx, user)?.totp_confirmed_at.is_some() {
                    let text = "An authenticator is set up already. Remove it before you set up another.";
                    return Err(Error::conflict("totp_is_on", text));
                }
                let sealed = tx.sealer().seal(&context(user), &kept)?;
                methods::offer_totp(tx, user, sealed)?;
                let person = access::people::user(tx, user)?.ok_or_else(|| Error::not_found("user"))?;
                tx.audit("user.begin_totp", user)?;
                Ok(person.email)
            })
            .await?;
        let generator = generator(&secret, &self.config.product, &email)?;
        let uri = generator.to_url().map_err(|error| Error::internal(error.to_string()))?;
        Ok(TotpEnrolment { secret: Secret::new(generator.secret().to_base32()), uri: Secret::new(uri) })
    }
}

pub(crate) async fn handle(State(people): State<Arc<People>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<EnrolmentBody>> {
    let enrolment = people.begin_totp(&caller).await?;
    Ok(web::Json(EnrolmentBody { secret: enrolment.secret.reveal().clone(), uri: enrolment.uri.reveal().clone() }))
}
