//! `/portal/confirm`: whoever does something dangerous proves once more who they are.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use kernel::Error;
use people::{PasskeyProof, Proof};
use web::Query;

use super::{Asked, external, fault, second_step, sign_in};
use crate::view::{Account, Form, Person, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/confirm";

#[derive(Template)]
#[template(path = "confirm.html")]
struct Page<'a> {
    v: &'a View,
    email: &'a str,
    back: &'a str,
    has_password: bool,
    has_totp: bool,
    has_passkey: bool,
    /// The other providers by which the person signs in: the way to each, and its name.
    providers: Vec<(String, String)>,
    fault: Option<String>,
    no_fault: Option<&'a str>,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, person: Person, Query(asked): Query<Asked>) -> Response {
    page(&portal, &person, &asked, None).await
}

pub(crate) async fn send(
    State(portal): State<Arc<Portal>>,
    person: Person,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    form: Form,
) -> web::Result<Response> {
    let token = people::cookie::token(&headers).unwrap_or_default();
    let proof = match (form.given("credential"), form.given("code")) {
        (Some(credential), _) => Proof::Passkey(PasskeyProof::of_form(credential)?),
        (None, Some(code)) => second_step::proof(code),
        (None, None) => Proof::Password(form.secret("password")),
    };
    match portal.people.reauthenticate(token, proof, &person.view.visit).await {
        Ok(session) => Ok(sign_in::signed_in(&portal, &session, asked.next())),
        Err(error) if fault::is_persons(&error) => Ok(page(&portal, &person, &asked, Some(&error)).await),
        Err(error) => Err(error.into()),
    }
}

/// What a passkey is asked for, as JSON for the page's script.
pub(crate) async fn passkey_options(State(portal): State<Arc<Portal>>, person: Account, _: Form) -> web::Result<Response> {
    Ok(web::Json(portal.people.passkey_proof_options(&person.caller()?).await?).into_response())
}

/// A wrong password and a wrong code are one error to `people`; the person is told which they typed.
fn text(v: &View, error: &Error, has_password: bool) -> String {
    if has_password && error.code() == "second_step_failed" { v.t("confirm.wrong").to_owned() } else { fault::text(v, error) }
}

/// Whether an operation asks for a fresh proof.
pub(super) fn is_wanted(error: &Error) -> bool {
    error.code() == "reauthentication_required"
}

/// Asks for it, and leads back to `path`.
pub(super) fn first(path: &str) -> Response {
    answer::to(&answer::with_next(PATH, Some(path)))
}

async fn page(portal: &Portal, person: &Person, asked: &Asked, error: Option<&Error>) -> Response {
    let (v, signed) = (&*person.view, &person.signed);
    let template = Page {
        v,
        email: &signed.email,
        back: asked.next(),
        has_password: signed.has_password,
        has_totp: signed.has_totp,
        has_passkey: signed.has_passkey && portal.people.offers_passkeys(),
        providers: external::ways(portal, external::CONFIRM, asked.next(), |issuer| signed.issuers.iter().any(|own| own == issuer)),
        fault: error.map(|error| text(v, error, signed.has_password)),
        no_fault: None,
    };
    let status = error.map_or(http::StatusCode::OK, |error| web::status(error.kind()));
    let pending = sign_in::request_behind(portal, asked.next()).await;
    sign_in::leading_to(answer::page(status, &template), pending.as_ref())
}
