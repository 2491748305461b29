//! `/portal/set-up`: the first person of a server, by the link that it printed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Error, Result};
use people::{Purpose, SetUp};
use web::Query;

use super::{Asked, fault, link, sign_in};
use crate::view::{Form, Shared, View};
use crate::{Portal, answer};

/// The fields that say themselves what is wrong with them.
const SHOWN: [&str; 3] = ["/name", "/email", "/password"];

#[derive(Template)]
#[template(path = "set_up.html")]
struct Page<'a> {
    v: &'a View,
    name: &'a str,
    email: &'a str,
    fault: Option<String>,
    name_fault: Option<String>,
    email_fault: Option<String>,
    password_fault: Option<String>,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>) -> web::Result<Response> {
    Ok(page(&portal, &v, &asked, ("", ""), None).await?)
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>, form: Form) -> web::Result<Response> {
    let (name, email) = (form.get("name"), form.get("email"));
    let input = SetUp { email: email.to_owned(), name: name.to_owned(), password: form.secret("password") };
    match portal.people.set_up(asked.token.as_deref().unwrap_or_default(), input, &v.visit).await {
        Ok(session) => Ok(sign_in::signed_in(&portal, &session, "/admin")),
        Err(error) if link::is_over(&error) => Ok(link::over(&v)),
        Err(error) if fault::is_persons(&error) => Ok(page(&portal, &v, &asked, (name, email), Some(&error)).await?),
        Err(error) => Err(error.into()),
    }
}

async fn page(portal: &Portal, v: &View, asked: &Asked, (name, email): (&str, &str), error: Option<&Error>) -> Result<Response> {
    match portal.people.peek_link(asked.token.as_deref().unwrap_or_default()).await {
        Ok(link) if link.purpose == Purpose::SetUp => {}
        Ok(_) => return Ok(link::over(v)),
        Err(error) if link::is_over(&error) => return Ok(link::over(v)),
        Err(error) => return Err(error),
    }
    let page = Page {
        v,
        name,
        email,
        fault: fault::of_form(v, error, &SHOWN),
        name_fault: fault::of_field(v, error, "/name"),
        email_fault: fault::of_field(v, error, "/email"),
        password_fault: fault::of_field(v, error, "/password"),
    };
    Ok(answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &page))
}
