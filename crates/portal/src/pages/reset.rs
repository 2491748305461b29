//! `/portal/reset-password`: asks for a link by mail; opened with its token, takes a new password.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Error, Result};
use people::Purpose;
use web::Query;

use super::{Asked, ask_email, fault, link, sign_in};
use crate::view::{Form, Shared, View};
use crate::{Portal, answer};

#[derive(Template)]
#[template(path = "new_password.html")]
struct Page<'a> {
    v: &'a View,
    email: &'a str,
    fault: Option<String>,
    password_fault: Option<String>,
}

/// The prefix of the messages of the question.
const WORDS: &str = "reset";

pub(crate) async fn show(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>) -> web::Result<Response> {
    match &asked.token {
        None => Ok(ask_email::ask(&v, WORDS, asked.email.as_deref().unwrap_or_default(), None)),
        Some(token) => Ok(page(&portal, &v, token, None).await?),
    }
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>, form: Form) -> web::Result<Response> {
    let Some(token) = &asked.token else { return Ok(request(&portal, &v, form.get("email")).await?) };
    match portal.people.reset_password(token, form.secret("password"), &v.visit).await {
        Ok(outcome) => Ok(sign_in::go_on(&portal, outcome, answer::HOME)),
        Err(error) if link::is_over(&error) => Ok(link::over(&v)),
        Err(error) if fault::is_persons(&error) => Ok(page(&portal, &v, token, Some(&error)).await?),
        Err(error) => Err(error.into()),
    }
}

async fn request(portal: &Portal, v: &View, email: &str) -> Result<Response> {
    match portal.people.send_password_reset(email, &v.visit).await {
        Ok(()) => Ok(ask_email::to_sent(email)),
        Err(error) if fault::is_persons(&error) => Ok(ask_email::ask(v, WORDS, email, Some(&error))),
        Err(error) => Err(error),
    }
}

async fn page(portal: &Portal, v: &View, token: &str, error: Option<&Error>) -> Result<Response> {
    let link = match portal.people.peek_link(token).await {
        Ok(link) if link.purpose == Purpose::PasswordReset => link,
        Ok(_) => return Ok(link::over(v)),
        Err(error) if link::is_over(&error) => return Ok(link::over(v)),
        Err(error) => return Err(error),
    };
    let page = Page {
        v,
        email: link.email.as_deref().unwrap_or_default(),
        fault: fault::of_form(v, error, &["/password"]),
        password_fault: fault::of_field(v, error, "/password"),
    };
    Ok(answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &page))
}
