//! `/portal/invitation`: somebody is invited into a tenant. A new person makes an account, a known one proves who they are, and whoever is
//! signed in already only agrees.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Error, Result};
use people::{Accept, Purpose};
use web::Query;

use super::{Asked, fault, link, sign_in};
use crate::view::{Form, Shared, View};
use crate::{Portal, answer};

const SHOWN: [&str; 2] = ["/name", "/password"];

#[derive(Template)]
#[template(path = "invitation.html")]
struct Page<'a> {
    v: &'a View,
    tenant: &'a str,
    role: Option<&'a str>,
    email: &'a str,
    name: &'a str,
    /// Whoever is signed in, if it is not the person who is invited.
    other_person: Option<&'a str>,
    is_signed_in: bool,
    needs_account: bool,
    fault: Option<String>,
    name_fault: Option<String>,
    password_fault: Option<String>,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>) -> web::Result<Response> {
    Ok(page(&portal, &v, &asked, "", None).await?)
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>, form: Form) -> web::Result<Response> {
    let token = asked.token.as_deref().unwrap_or_default();
    let password = form.given("password").map(|_| form.secret("password"));
    let accept = Accept { name: form.given("name").map(str::to_owned), password };
    match portal.people.accept_invitation(token, accept, v.signed.as_deref(), &v.visit).await {
        Ok(outcome) => Ok(sign_in::go_on(&portal, outcome, answer::HOME)),
        Err(error) if link::is_over(&error) => Ok(over(&v)),
        Err(error) if fault::is_persons(&error) => Ok(page(&portal, &v, &asked, form.get("name"), Some(&error)).await?),
        Err(error) => Err(error.into()),
    }
}

async fn page(portal: &Portal, v: &View, asked: &Asked, name: &str, error: Option<&Error>) -> Result<Response> {
    let link = match portal.people.peek_link(asked.token.as_deref().unwrap_or_default()).await {
        Ok(link) if link.purpose == Purpose::Invitation => link,
        Ok(_) => return Ok(over(v)),
        Err(error) if link::is_over(&error) => return Ok(over(v)),
        Err(error) => return Err(error),
    };
    let email = link.email.as_deref().unwrap_or_default();
    let page = Page {
        v,
        tenant: link.tenant_name.as_deref().unwrap_or_default(),
        role: link.role.map(access::people::Role::as_str),
        email,
        name,
        other_person: v.signed.as_ref().map(|signed| signed.email.as_str()).filter(|own| *own != email),
        is_signed_in: v.signed.is_some(),
        needs_account: link.needs_account,
        fault: fault::of_form(v, error, &SHOWN),
        name_fault: fault::of_field(v, error, "/name"),
        password_fault: fault::of_field(v, error, "/password"),
    };
    Ok(answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &page))
}

fn over(v: &View) -> Response {
    fault::link_over(v, v.t("link.over_invitation"), (people::paths::SIGN_IN, v.t("back_to_sign_in")))
}
