//! `/portal/security/password`: a new password for whoever is signed in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;

use super::{confirm, fault, security};
use crate::view::{Account, Form, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/security/password";

const SHOWN: [&str; 2] = ["/currentPassword", "/newPassword"];

#[derive(Template)]
#[template(path = "password.html")]
struct Page<'a> {
    v: &'a View,
    email: &'a str,
    has_password: bool,
    fault: Option<String>,
    current_fault: Option<String>,
    password_fault: Option<String>,
}

pub(crate) async fn show(person: Account) -> Response {
    page(&person, None)
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, person: Account, form: Form) -> web::Result<Response> {
    let caller = person.caller()?;
    let current = person.signed.has_password.then(|| form.secret("current"));
    match portal.people.change_password(&caller, current, form.secret("password"), &person.view.visit).await {
        Ok(session) => Ok(answer::with_session(security::after("password"), &session.token, &portal)),
        Err(error) if confirm::is_wanted(&error) => Ok(confirm::first(PATH)),
        Err(error) if fault::is_persons(&error) => Ok(page(&person, Some(&error))),
        Err(error) => Err(error.into()),
    }
}

fn page(person: &Account, error: Option<&Error>) -> Response {
    let v = &*person.view;
    let page = Page {
        v,
        email: &person.signed.email,
        has_password: person.signed.has_password,
        fault: fault::of_form(v, error, &SHOWN),
        current_fault: fault::of_field(v, error, "/currentPassword"),
        password_fault: fault::of_field(v, error, "/newPassword"),
    };
    answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &page)
}
