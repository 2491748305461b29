//! `/portal/sign-in`: e-mail address and password, or a passkey, or another way.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use kernel::{Error, Result};
use oauth::requests::PendingRequest;
use people::{NewSession, Outcome, PasskeyProof, Pending};
use web::Query;

use super::{Asked, consent, external, fault, second_step};
use crate::view::headers::LeadsTo;
use crate::view::{Form, Shared, View};
use crate::{Portal, answer};

/// Where the answer of a passkey is sent.
pub(crate) const PASSKEY: &str = "/portal/sign-in/passkey";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    v: &'a View,
    here: &'a str,
    email: &'a str,
    /// The application that somebody signs in for.
    app: Option<&'a str>,
    needs_set_up: bool,
    can_mail: bool,
    link_path: String,
    offers_passkeys: bool,
    passkey_path: String,
    /// The other providers: the way to each, and its name.
    providers: Vec<(String, String)>,
    fault: Option<String>,
    no_fault: Option<&'a str>,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>) -> web::Result<Response> {
    if v.signed.is_some() {
        return Ok(answer::to(asked.next()));
    }
    Ok(page(&portal, &v, &asked, asked.email.as_deref(), None).await?)
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>, form: Form) -> web::Result<Response> {
    let email = form.get("email");
    match portal.people.sign_in_with_password(email, form.secret("password"), &v.visit).await {
        Ok(outcome) => Ok(go_on(&portal, outcome, asked.next())),
        Err(error) if fault::is_persons(&error) => Ok(page(&portal, &v, &asked, Some(email), Some(&error)).await?),
        Err(error) => Err(error.into()),
    }
}

/// What a passkey is asked for, as JSON for the page's script.
pub(crate) async fn passkey_options(State(portal): State<Arc<Portal>>, v: Shared, _: Form) -> web::Result<Response> {
    let options = portal.people.passkey_sign_in_options(None, &v.browser, &v.visit).await?;
    Ok(web::Json(options).into_response())
}

/// What it answered.
pub(crate) async fn passkey(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>, form: Form) -> web::Result<Response> {
    let entered = match PasskeyProof::of_form(form.get("credential")) {
        Ok(shown) => portal.people.sign_in_with_passkey(shown, &v.browser, &v.visit).await,
        Err(error) => Err(error),
    };
    match entered {
        Ok(session) => Ok(signed_in(&portal, &session, asked.next())),
        Err(error) if fault::is_persons(&error) => Ok(page(&portal, &v, &asked, None, Some(&error)).await?),
        Err(error) => Err(error.into()),
    }
}

/// The page, with what went wrong.
pub(super) async fn page(portal: &Portal, v: &View, asked: &Asked, email: Option<&str>, error: Option<&Error>) -> Result<Response> {
    let pending = request_behind(portal, asked.next()).await;
    let hint = pending.as_ref().and_then(|pending| pending.login_hint.as_deref());
    let here = answer::with_next(people::paths::SIGN_IN, Some(asked.next()));
    let template = Page {
        v,
        here: &here,
        email: email.or(hint).unwrap_or_default(),
        app: pending.as_ref().map(|pending| pending.app.name.as_str()),
        needs_set_up: portal.people.needs_set_up().await?,
        can_mail: portal.people.can_mail(),
        link_path: answer::with_next(people::paths::MAGIC_LINK, Some(asked.next())),
        offers_passkeys: portal.people.offers_passkeys(),
        passkey_path: answer::with_next(PASSKEY, Some(asked.next())),
        providers: external::ways(portal, external::SIGN_IN, asked.next(), |_| true),
        fault: error.map(|error| fault::text(v, error)),
        no_fault: None,
    };
    let status = error.map_or(http::StatusCode::OK, |error| web::status(error.kind()));
    Ok(leading_to(answer::page(status, &template), pending.as_ref()))
}

/// The application's request that somebody signs in for, if `next` leads to one that is still open.
pub(super) async fn request_behind(portal: &Portal, next: &str) -> Option<PendingRequest> {
    let handle = consent::handle_in(next)?;
    portal.oauth.pending(&handle).await.ok()
}

/// Lets the page's form lead to the application: whoever consented before is sent on at once.
pub(super) fn leading_to(mut response: Response, pending: Option<&PendingRequest>) -> Response {
    if let Some(pending) = pending {
        let own_scheme = || format!("{}:", pending.redirect_host);
        response.extensions_mut().insert(LeadsTo(pending.redirect_origin.clone().unwrap_or_else(own_scheme)));
    }
    response
}

/// After the first proof: signed in, or to the second step.
pub(super) fn go_on(portal: &Portal, outcome: Outcome, next: &str) -> Response {
    match outcome {
        Outcome::SignedIn(session) => signed_in(portal, &session, next),
        Outcome::SecondStep(pending) => to_second_step(portal, &pending, next),
    }
}

/// Signed in: the new session's token takes the place of whatever the browser had.
pub(super) fn signed_in(portal: &Portal, session: &NewSession, next: &str) -> Response {
    answer::with_session(answer::to(next), &session.token, portal)
}

fn to_second_step(portal: &Portal, pending: &Pending, next: &str) -> Response {
    second_step::remember(answer::to(&answer::with_next(second_step::PATH, Some(next))), &pending.token, portal)
}
