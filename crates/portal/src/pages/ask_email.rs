//! Pages that ask for an e-mail address and send a link to it. They say the same whether there is such a person.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use web::Query;

use super::Asked;
use super::fault::{self, Message};
use crate::view::{Shared, View};
use crate::{Portal, answer};

/// Where the form leads: a page of its own, so that reloading sends nothing again.
pub(crate) const SENT: &str = "/portal/sign-in/sent";

#[derive(Template)]
#[template(path = "ask_email.html")]
struct Page<'a> {
    v: &'a View,
    /// Which page: the prefix of its messages.
    page: &'a str,
    email: &'a str,
    fault: Option<String>,
    no_fault: Option<&'a str>,
}

/// The question.
pub(super) fn ask(v: &View, page: &str, email: &str, error: Option<&Error>) -> Response {
    let template = Page { v, page, email, fault: error.map(|error| fault::text(v, error)), no_fault: None };
    answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &template)
}

/// To the page that says to look into the mail.
pub(super) fn to_sent(email: &str) -> Response {
    let email: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
    answer::to(&format!("{SENT}?email={email}"))
}

pub(crate) async fn sent(State(_): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>) -> Response {
    let text = v.t1("sent.text", "email", asked.email.as_deref().unwrap_or_default());
    let link = Some((people::paths::SIGN_IN, v.t("back_to_sign_in")));
    answer::ok(&Message { v: &v, title: v.t("sent.title"), text: &text, request: None, link })
}
