//! `/portal/security/totp`: an authenticator is enrolled (its key as a picture and as text, then a code that proves it) or taken away.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use people::TotpEnrolment;

use super::{confirm, fault, recovery_codes, security};
use crate::view::{Account, Form, View};
use crate::{Portal, answer, qr};

pub(crate) const PATH: &str = "/portal/security/totp";

#[derive(Template)]
#[template(path = "totp.html")]
struct Page<'a> {
    v: &'a View,
    enrolment: Option<Shown<'a>>,
    is_begun: bool,
    fault: Option<String>,
    code_fault: Option<String>,
}

/// The key, as a picture and as text.
struct Shown<'a> {
    svg: String,
    secret: &'a str,
}

pub(crate) async fn show(person: Account) -> Response {
    page(&Page { v: &person.view, enrolment: None, is_begun: false, fault: None, code_fault: None }, None)
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, person: Account, form: Form) -> web::Result<Response> {
    let caller = person.caller()?;
    let done = match form.get("act") {
        "begin" => portal.people.begin_totp(&caller).await.and_then(|enrolment| begun(&person.view, &enrolment)),
        "off" => portal.people.disable_totp(&caller).await.map(|()| security::after("totp_off")),
        _ => match portal.people.confirm_totp(&caller, form.get("code")).await {
            Ok(codes) => Ok(recovery_codes::shown(&person.view, &codes)),
            Err(error) if error.fields().iter().any(|fault| fault.pointer == "/code") => Ok(wrong_code(&person.view, &error)),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(response) => Ok(response),
        Err(error) if confirm::is_wanted(&error) => Ok(confirm::first(if form.get("act") == "off" { security::PATH } else { PATH })),
        Err(error) if fault::is_persons(&error) => Ok(failed(&person.view, &error)),
        Err(error) => Err(error.into()),
    }
}

fn begun(v: &View, enrolment: &TotpEnrolment) -> kernel::Result<Response> {
    let svg = qr::svg(enrolment.uri.reveal(), &web::html::escape(v.t("totp.picture")))?;
    let shown = Shown { svg, secret: enrolment.secret.reveal() };
    Ok(page(&Page { v, enrolment: Some(shown), is_begun: true, fault: None, code_fault: None }, None))
}

/// The key is not shown again: the app has it, or the person begins anew.
fn wrong_code(v: &View, error: &Error) -> Response {
    let code_fault = fault::of_field(v, Some(error), "/code");
    page(&Page { v, enrolment: None, is_begun: true, fault: None, code_fault }, Some(error))
}

fn failed(v: &View, error: &Error) -> Response {
    let fault = Some(fault::text(v, error));
    page(&Page { v, enrolment: None, is_begun: false, fault, code_fault: None }, Some(error))
}

fn page(page: &Page<'_>, error: Option<&Error>) -> Response {
    answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), page)
}
