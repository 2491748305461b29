//! Signing out: the session ends on the server, and the browser forgets it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, header};

use crate::view::{Form, Shared};
use crate::{Portal, answer};

pub(crate) async fn send(State(portal): State<Arc<Portal>>, v: Shared, headers: HeaderMap, form: Form) -> web::Result<Response> {
    if let Some(token) = people::cookie::token(&headers).filter(|_| v.signed.is_some()) {
        portal.people.sign_out(token).await?;
    }
    let next = form.given("next").and_then(answer::own_path);
    // An invitation can be opened by anybody who has its link; all else begins at the door.
    let is_open = next.is_some_and(|next| next.starts_with(people::paths::INVITATION));
    let mut response = match next {
        Some(next) if is_open => answer::to(next),
        next => answer::to_door(next.unwrap_or(answer::HOME)),
    };
    response.headers_mut().append(header::SET_COOKIE, people::cookie::clear(portal.is_https()));
    Ok(response)
}
