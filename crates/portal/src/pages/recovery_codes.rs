//! `/portal/security/recovery-codes`: new codes in place of those that are left, shown once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Secret;

use super::confirm;
use crate::view::{Account, Form, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/security/recovery-codes";

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct Page<'a> {
    v: &'a View,
    codes: Vec<&'a str>,
}

pub(crate) async fn show(person: Account) -> Response {
    answer::ok(&Page { v: &person.view, codes: Vec::new() })
}

pub(crate) async fn send(State(portal): State<Arc<Portal>>, person: Account, _: Form) -> web::Result<Response> {
    match portal.people.new_recovery_codes(&person.caller()?).await {
        Ok(codes) => Ok(shown(&person.view, &codes)),
        Err(error) if confirm::is_wanted(&error) => Ok(confirm::first(PATH)),
        Err(error) => Err(error.into()),
    }
}

/// The page with the codes on it.
pub(super) fn shown(v: &View, codes: &[Secret<String>]) -> Response {
    answer::ok(&Page { v, codes: codes.iter().map(|code| code.reveal().as_str()).collect() })
}
