//! `/admin`: where the operator begins.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::view::{Operator, View};
use crate::{Portal, answer};

#[derive(Template)]
#[template(path = "admin.html")]
struct Page<'a> {
    v: &'a View,
    blueprint: &'a str,
    public_url: &'a str,
    role: &'a str,
    can_mail: bool,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, person: Operator) -> Response {
    answer::ok(&Page {
        v: &person.view,
        blueprint: &portal.blueprint.name,
        public_url: &portal.public_url,
        role: person.signed.operator.map_or("support", access::people::OperatorRole::as_str),
        can_mail: portal.people.can_mail(),
    })
}
