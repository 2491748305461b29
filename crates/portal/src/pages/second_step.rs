//! `/portal/sign-in/second`: the code that follows the password. What the first step proved waits in a cookie.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, header};
use kernel::{Error, Secret};
use people::Proof;
use web::Query;

use super::{Asked, fault, sign_in};
use crate::view::{Form, Shared, View, cookies};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/sign-in/second";

/// Holds what the first step has proved.
const PENDING: &str = "tradewind_second_step";
/// As long as `people` waits.
const WAIT: Duration = Duration::from_mins(10);
/// Digits of an authenticator's code.
const DIGITS: usize = 6;

#[derive(Template)]
#[template(path = "second_step.html")]
struct Page<'a> {
    v: &'a View,
    fault: Option<String>,
    no_fault: Option<&'a str>,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    if pending(&portal, &headers).is_none() {
        return answer::to_door(asked.next());
    }
    page(&portal, &v, &asked, None).await
}

pub(crate) async fn send(
    State(portal): State<Arc<Portal>>,
    v: Shared,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    form: Form,
) -> web::Result<Response> {
    let Some(pending) = pending(&portal, &headers) else { return Ok(answer::to_door(asked.next())) };
    match portal.people.second_step(pending, proof(form.get("code")), &v.visit).await {
        Ok(session) => Ok(forget(sign_in::signed_in(&portal, &session, asked.next()), &portal)),
        Err(error) if fault::is_persons(&error) => Ok(page(&portal, &v, &asked, Some(&error)).await),
        Err(error) => Err(error.into()),
    }
}

/// Six digits are the authenticator's; whatever else is typed is taken for a recovery code.
pub(super) fn proof(typed: &str) -> Proof {
    let code: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() == DIGITS && code.bytes().all(|b| b.is_ascii_digit()) { Proof::Totp(code) } else { Proof::RecoveryCode(code) }
}

async fn page(portal: &Portal, v: &View, asked: &Asked, error: Option<&Error>) -> Response {
    let template = Page { v, fault: error.map(|error| fault::text(v, error)), no_fault: None };
    let status = error.map_or(http::StatusCode::OK, |error| web::status(error.kind()));
    let pending = sign_in::request_behind(portal, asked.next()).await;
    sign_in::leading_to(answer::page(status, &template), pending.as_ref())
}

fn name(portal: &Portal) -> String {
    cookies::host_name(PENDING, portal.is_https())
}

fn pending<'a>(portal: &Portal, headers: &'a HeaderMap) -> Option<&'a str> {
    cookies::read(headers, &name(portal)).filter(|token| !token.is_empty())
}

/// Keeps what was proved, for the second step.
pub(super) fn remember(mut response: Response, token: &Secret<String>, portal: &Portal) -> Response {
    let mut cookie = cookies::set(&name(portal), token.reveal(), Some(WAIT), portal.is_https());
    cookie.set_sensitive(true);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

fn forget(mut response: Response, portal: &Portal) -> Response {
    let cookie = cookies::set(&name(portal), "", Some(Duration::ZERO), portal.is_https());
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_says_what_it_is() {
        assert!(matches!(proof("123 456"), Proof::Totp(code) if code == "123456"));
        assert!(matches!(proof("7k3f-9q2m"), Proof::RecoveryCode(_)));
        assert!(matches!(proof("1234567"), Proof::RecoveryCode(_)));
    }
}
