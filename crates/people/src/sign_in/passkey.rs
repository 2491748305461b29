//! By a passkey: `POST /api/v1/sign-in/passkey/options`, `POST /api/v1/sign-in/passkey`; and a fresh proof by one.

use std::sync::Arc;

use access::people::{User, UserStatus};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{Extensions, HeaderMap, header};
use kernel::{Caller, Result, Scope, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::ceremonies::{Beginning, Purpose};
use crate::passkeys::{self, RequestOptions, Used};
use crate::sessions::{self, Method, NewSession};
use crate::tokens::Kind;
use crate::webauthn::Assertion;
use crate::{People, Visit, cookie, errors, guard, rules};

/// A passkey that somebody shows in place of a password.
#[derive(Debug)]
pub struct PasskeyProof(pub(crate) Assertion);

impl PasskeyProof {
    /// From a form: the browser's answer as JSON. Error: 401 `passkey_failed`.
    pub fn of_form(credential: &str) -> Result<Self> {
        passkeys::shown(credential).map(Self)
    }
}

/// Who wants to sign in.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasskeySignInOptions {
    /// The address of the account that is meant; absent: whose passkey the browser offers.
    email: Option<String>,
}

/// The browser's answer.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PasskeySignIn {
    /// What the browser gave for the options.
    credential: Assertion,
}

/// A session that has begun. The cookie has its token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedInSession {
    /// Who is signed in.
    user_id: UserId,
    /// `ses_…`
    session_id: SessionId,
    /// For `X-CSRF-Token`.
    csrf_token: String,
    /// When the session ends at the latest.
    expires_at: Timestamp,
}

impl People {
    /// What the browser of somebody who wants to sign in is asked for: any passkey of this server, or one of the account with this address,
    /// whether there is such an account or not. `browser`: what tells it from others when it comes back.
    ///
    /// Errors: 409 `passkeys_unavailable`, 429 `too_many_attempts`.
    pub async fn passkey_sign_in_options(&self, email: Option<&str>, browser: &str, visit: &Visit) -> Result<RequestOptions> {
        let party = self.relying_party()?;
        self.guard.ceremony(visit, self.ambient.now())?;
        let email = email.map(rules::typed_email).filter(|email| !email.is_empty());
        let beginning = Beginning { purpose: Purpose::PasskeySignIn, browser, user: None, email: email.as_deref(), next: None };
        let challenge = self.begin_ceremony(Scope::system("people"), beginning).await?;
        Ok(passkeys::request_options(party, &challenge, Vec::new()))
    }

    /// Signs in by a passkey. It is worth two proofs: no code of an authenticator is asked for.
    ///
    /// Errors: 401 `passkey_failed`, the same whatever was wrong; 403 `user_suspended`, only after a right one; 409 `passkeys_unavailable`; 429
    /// `too_many_attempts`.
    pub async fn sign_in_with_passkey(&self, shown: PasskeyProof, browser: &str, visit: &Visit) -> Result<NewSession> {
        self.guard.attempt(visit, self.ambient.now())?;
        let entered = self.enter_with_passkey(&shown.0, browser, visit).await;
        self.noting_failure(visit, entered)
    }

    async fn enter_with_passkey(&self, shown: &Assertion, browser: &str, visit: &Visit) -> Result<NewSession> {
        let used = self.use_passkey(shown, Purpose::PasskeySignIn, browser).await?;
        let id = used.user();
        let user = self.store.read(Scope::system("people"), move |tx| access::people::user(tx, id)).await?;
        let user = user.ok_or_else(errors::passkey_failed)?;
        if !self.is_meant(&used, &user) {
            return Err(errors::passkey_failed());
        }
        let (account, (draft, session)) = (self.account(&user.email), self.draft(id, vec![Method::Passkey], None, visit));
        self.store
            .write(Scope::person(id, visit.info()), move |tx| {
                let user = access::people::user(tx, id)?.ok_or_else(errors::passkey_failed)?;
                if user.status == UserStatus::Suspended {
                    return Err(errors::user_suspended());
                }
                used.apply(tx)?;
                guard::forgive(tx, account)?;
                sessions::sql::begin(tx, &draft)
            })
            .await?;
        Ok(session)
    }

    /// Whether this is the account whose address was typed, if one was.
    fn is_meant(&self, used: &Used, user: &User) -> bool {
        used.begun.account.is_none_or(|account| account == self.account(&user.email))
    }

    /// What the caller's browser is asked for, as a fresh proof: one of their passkeys. Good once, in this session.
    ///
    /// Errors: 403 `people_only`, 403 `host_session`, 404 for whoever has none, 409 `passkeys_unavailable`.
    pub async fn passkey_proof_options(&self, caller: &Caller) -> Result<RequestOptions> {
        let (user, scope) = self.own_security(caller, false).await?;
        let (_, session) = caller.person().ok_or_else(errors::people_only)?;
        let party = self.relying_party()?;
        let known = self.store.read(scope.clone(), move |tx| passkeys::sql::credentials(tx, user)).await?;
        if known.is_empty() {
            return Err(kernel::Error::not_found("passkey"));
        }
        let browser = session.to_string();
        let beginning = Beginning { purpose: Purpose::PasskeyProof, browser: &browser, user: Some(user), email: None, next: None };
        let challenge = self.begin_ceremony(scope, beginning).await?;
        Ok(passkeys::request_options(party, &challenge, known))
    }

    fn is_https(&self) -> bool {
        self.config.public_url.starts_with("https://")
    }
}

pub(crate) async fn handle_options(
    State(people): State<Arc<People>>,
    headers: HeaderMap,
    extensions: Extensions,
    web::Json(input): web::Json<PasskeySignInOptions>,
) -> web::Result<Response> {
    let visit = Visit::of(&headers, &extensions, &people.ambient);
    let browser = people.hasher.mint(Kind::Browser, &people.ambient).token;
    let options = people.passkey_sign_in_options(input.email.as_deref(), browser.reveal(), &visit).await?;
    Ok(([(header::SET_COOKIE, cookie::set_ceremony(&browser, people.is_https()))], web::Json(options)).into_response())
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    headers: HeaderMap,
    extensions: Extensions,
    web::Json(input): web::Json<PasskeySignIn>,
) -> web::Result<Response> {
    let visit = Visit::of(&headers, &extensions, &people.ambient);
    let browser = cookie::ceremony(&headers, people.is_https()).ok_or_else(errors::passkey_failed)?;
    let session = people.sign_in_with_passkey(PasskeyProof(input.credential), browser, &visit).await?;
    let answer = SignedInSession {
        user_id: session.user,
        session_id: session.session,
        csrf_token: people.hasher.csrf(session.token.reveal()),
        expires_at: session.expires_at,
    };
    Ok(([(header::SET_COOKIE, cookie::set(&session.token, people.is_https()))], web::Json(answer)).into_response())
}
