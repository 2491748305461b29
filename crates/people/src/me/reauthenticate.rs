//! `POST /api/v1/me/reauthenticate`, and `…/options` for a passkey.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, header};
use kernel::{Error, Secret, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::passkeys::RequestOptions;
use crate::sessions::NewSession;
use crate::sign_in::PasskeyProof;
use crate::webauthn::Assertion;
use crate::{People, Proof, cookie, errors};

/// A proof of who one is: exactly one of these.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ShowProof {
    /// The password.
    password: Option<String>,
    /// A code of the authenticator.
    code: Option<String>,
    /// One of the recovery codes.
    recovery_code: Option<String>,
    /// What the browser gave for `POST /api/v1/me/reauthenticate/options`.
    passkey: Option<Assertion>,
}

impl ShowProof {
    fn proof(self) -> Result<Proof, Error> {
        match (self.password, self.code, self.recovery_code, self.passkey) {
            (Some(password), None, None, None) => Ok(Proof::Password(Secret::new(password))),
            (None, Some(code), None, None) => Ok(Proof::Totp(code)),
            (None, None, Some(code), None) => Ok(Proof::RecoveryCode(code)),
            (None, None, None, Some(shown)) => Ok(Proof::Passkey(PasskeyProof(shown))),
            _ => Err(Error::field("", "must have one of password, code, recoveryCode and passkey")),
        }
    }
}

/// A session whose token is new. The cookie has it; calls repeat the new token against forgery.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Renewed {
    /// The session, the same as before.
    session_id: SessionId,
    /// For `X-CSRF-Token` from now on.
    csrf_token: String,
    /// When the session ends at the latest.
    expires_at: Timestamp,
}

impl Renewed {
    pub(super) fn of(people: &People, session: &NewSession) -> Self {
        let csrf_token = people.hasher.csrf(session.token.reveal());
        Self { session_id: session.session, csrf_token, expires_at: session.expires_at }
    }
}

impl People {
    /// The cookie of a session whose token is new, under the name that the request's cookie has.
    pub(super) fn cookie(&self, session: &NewSession, headers: &HeaderMap) -> HeaderValue {
        cookie::set(&session.token, cookie::is_secure(headers))
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    headers: HeaderMap,
    web::Json(input): web::Json<ShowProof>,
) -> web::Result<Response> {
    caller.myself()?;
    let token = cookie::token(&headers).ok_or_else(errors::session_over)?;
    let renewed = people.reauthenticate(token, input.proof()?, &people.visit_of(&caller)).await?;
    Ok(([(header::SET_COOKIE, people.cookie(&renewed, &headers))], web::Json(Renewed::of(&people, &renewed))).into_response())
}

pub(crate) async fn handle_options(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
) -> web::Result<web::Json<RequestOptions>> {
    Ok(web::Json(people.passkey_proof_options(&caller).await?))
}
