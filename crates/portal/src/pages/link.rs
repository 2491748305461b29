//! `/portal/sign-in/link`: asks for a link by mail; opened with its token, signs in by one button, so that no program that looks at links in
//! mails uses it up.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Error, Result};
use people::Purpose;
use web::Query;

use super::{Asked, ask_email, fault, sign_in};
use crate::view::{Form, Shared, View};
use crate::{Portal, answer};

#[derive(Template)]
#[template(path = "open_link.html")]
struct Open<'a> {
    v: &'a View,
    email: &'a str,
    fault: Option<String>,
}

/// The prefix of the messages of the question.
const WORDS: &str = "magic";

pub(crate) async fn show(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>) -> web::Result<Response> {
    match &asked.token {
        None => Ok(ask_email::ask(&v, WORDS, asked.email.as_deref().unwrap_or_default(), None)),
        Some(token) => Ok(open(&portal, &v, token, None).await?),
    }
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>, form: Form) -> web::Result<Response> {
    let Some(token) = &asked.token else { return Ok(request(&portal, &v, &asked, form.get("email")).await?) };
    // The link knows where to go on.
    let next = portal.people.peek_link(token).await.ok().and_then(|link| link.next);
    let next = next.as_deref().and_then(answer::own_path).unwrap_or(answer::HOME);
    match portal.people.redeem_magic_link(token, &v.visit).await {
        Ok(outcome) => Ok(sign_in::go_on(&portal, outcome, next)),
        Err(error) if is_over(&error) => Ok(over(&v)),
        Err(error) if fault::is_persons(&error) => Ok(open(&portal, &v, token, Some(&error)).await?),
        Err(error) => Err(error.into()),
    }
}

async fn request(portal: &Portal, v: &View, asked: &Asked, email: &str) -> Result<Response> {
    let next = asked.next.as_deref().and_then(answer::own_path);
    match portal.people.send_magic_link(email, next, &v.visit).await {
        Ok(()) => Ok(ask_email::to_sent(email)),
        Err(error) if fault::is_persons(&error) => Ok(ask_email::ask(v, WORDS, email, Some(&error))),
        Err(error) => Err(error),
    }
}

async fn open(portal: &Portal, v: &View, token: &str, error: Option<&Error>) -> Result<Response> {
    let link = match portal.people.peek_link(token).await {
        Ok(link) if link.purpose == Purpose::MagicLink => link,
        Ok(_) => return Ok(over(v)),
        Err(error) if is_over(&error) => return Ok(over(v)),
        Err(error) => return Err(error),
    };
    let email = link.email.as_deref().unwrap_or_default();
    let page = Open { v, email, fault: error.map(|error| fault::text(v, error)) };
    Ok(answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &page))
}

/// Whether a link's token opens nothing any more.
pub(super) fn is_over(error: &Error) -> bool {
    matches!(error.code(), "link_over" | "not_found")
}

/// The page that says so, for a link by which one signs in.
pub(super) fn over(v: &View) -> Response {
    fault::link_over(v, v.t("link.over_how"), (people::paths::SIGN_IN, v.t("back_to_sign_in")))
}
