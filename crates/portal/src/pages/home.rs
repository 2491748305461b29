//! `/portal`: where whoever has signed in begins.

use std::sync::Arc;

use access::people::Membership;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::view::{Person, View};
use crate::{Portal, answer};

#[derive(Template)]
#[template(path = "home.html")]
struct Page<'a> {
    v: &'a View,
    name: &'a str,
    places: &'a [Membership],
}

pub(crate) async fn show(State(_): State<Arc<Portal>>, person: Person) -> Response {
    let signed = &person.signed;
    let name = if signed.name.is_empty() { &signed.email } else { &signed.name };
    answer::ok(&Page { v: &person.view, name, places: &signed.memberships })
}
