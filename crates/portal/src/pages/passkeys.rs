//! `/portal/security/passkeys`: a passkey is added, by the page's script, or taken away.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use kernel::{Error, PasskeyId, Result};
use people::passkeys::AddPasskey;

use super::{confirm, fault, security};
use crate::view::{Account, Form, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/security/passkeys";

/// The faults that stand at the field.
const SHOWN: [&str; 1] = ["/name"];

#[derive(Template)]
#[template(path = "passkeys.html")]
struct Page<'a> {
    v: &'a View,
    fault: Option<String>,
    name_fault: Option<String>,
}

/// Asks for a fresh proof first: the device is not troubled for what would be refused.
pub(crate) async fn show(State(portal): State<Arc<Portal>>, person: Account) -> web::Result<Response> {
    match person.caller()?.require_fresh(portal.ambient.now()) {
        Ok(()) => Ok(page(&person.view, None)),
        Err(_) => Ok(confirm::first(PATH)),
    }
}

/// What the device is asked for, as JSON for the page's script.
pub(crate) async fn options(State(portal): State<Arc<Portal>>, person: Account, _: Form) -> web::Result<Response> {
    Ok(web::Json(portal.people.passkey_options(&person.caller()?).await?).into_response())
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, person: Account, form: Form) -> web::Result<Response> {
    let caller = person.caller()?;
    let added = match AddPasskey::of_form(form.get("name"), form.get("credential")) {
        Ok(input) => portal.people.add_passkey(&caller, input).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(_) => Ok(security::after("passkey")),
        Err(error) if confirm::is_wanted(&error) => Ok(confirm::first(PATH)),
        Err(error) if fault::is_persons(&error) => Ok(page(&person.view, Some(&error))),
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn remove(State(portal): State<Arc<Portal>>, person: Account, form: Form) -> web::Result<Response> {
    match removed(&portal, &person, form.get("id")).await {
        Ok(()) => Ok(security::after("passkey_removed")),
        Err(error) if confirm::is_wanted(&error) => Ok(confirm::first(security::PATH)),
        Err(error) if fault::is_persons(&error) => Ok(security::failed(&portal, &person, &error).await?),
        Err(error) => Err(error.into()),
    }
}

async fn removed(portal: &Portal, person: &Account, id: &str) -> Result<()> {
    let id: PasskeyId = id.parse().map_err(|_| Error::not_found("passkey"))?;
    portal.people.remove_passkey(&person.caller()?, id).await
}

fn page(v: &View, error: Option<&Error>) -> Response {
    let page = Page { v, fault: fault::of_form(v, error, &SHOWN), name_fault: fault::of_field(v, error, "/name") };
    answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &page)
}
