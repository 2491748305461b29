//! `/portal/sign-in/with/{provider}`: the way to another OpenID provider, and back.
//!
//! The way is a link, not a form: browsers hold `form-action` against every redirect that follows a form, and a provider may lead through hosts
//! that nobody knows beforehand. So that no other site sends people on it, only our own pages may begin it (`Sec-Fetch-Site`). Tying an
//! account does begin with a form, which shows the link.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use kernel::Result;
use people::Visit;
use people::external::Callback;
use web::{Path, Query};

use super::fault::Message;
use super::{Asked, fault, sign_in};
use crate::view::{Account, Shared, View};
use crate::{Portal, answer};

/// Where the ways begin: to sign in, and for a fresh proof.
pub(crate) const SIGN_IN: &str = people::external::PATH;
pub(crate) const CONFIRM: &str = "/portal/confirm/with";

/// The ways to the providers whose issuer is wanted, each with its name.
pub(super) fn ways(portal: &Portal, from: &str, next: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let wanted = portal.people.providers().into_iter().filter(|provider| is_wanted(&provider.issuer));
    wanted.map(|provider| (answer::with_next(&format!("{from}/{}", provider.slug), Some(next)), provider.name)).collect()
}

/// Whether another site, or a browser that will not be known again, asks for the way.
fn is_from_elsewhere(v: &View, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    v.is_new_browser || !matches!(site, None | Some("same-origin" | "none"))
}

pub(crate) async fn begin(
    State(portal): State<Arc<Portal>>,
    v: Shared,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> web::Result<Response> {
    if is_from_elsewhere(&v, &headers) {
        return Ok(answer::to_door(asked.next()));
    }
    let way = portal.people.begin_external(&slug, Some(asked.next()), &v.browser, &v.visit).await?;
    Ok(answer::to(way.reveal()))
}

/// The same for a fresh proof.
pub(crate) async fn prove(
    State(portal): State<Arc<Portal>>,
    person: Account,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> web::Result<Response> {
    if is_from_elsewhere(&person.view, &headers) {
        return Ok(super::confirm::first(asked.next()));
    }
    let way = portal.people.begin_external_proof(&person.caller()?, &slug, Some(asked.next()), &person.view.browser).await?;
    Ok(answer::to(way.reveal()))
}

/// The page that a form to tie an account leads to: a link to the provider.
pub(super) fn leave(portal: &Portal, v: &View, slug: &str, way: &str) -> Response {
    let providers = portal.people.providers();
    let name = providers.iter().find(|provider| provider.slug == slug).map_or(slug, |provider| provider.name.as_str());
    let title = v.t1("identity.leave", "provider", name);
    answer::ok(&Message { v, title: &title, text: v.t("identity.leave_how"), request: None, link: Some((way, v.t("identity.go"))) })
}

/// What the provider answers.
pub(crate) async fn back(
    State(portal): State<Arc<Portal>>,
    v: Shared,
    Path(slug): Path<String>,
    Query(back): Query<Callback>,
) -> web::Result<Response> {
    match arrive(&portal, &v, &slug, &back, &v.visit).await {
        Ok(response) => Ok(response),
        // Whoever was signed in stays so; the page says what went wrong.
        Err(error) if fault::is_persons(&error) && v.signed.is_none() => {
            Ok(sign_in::page(&portal, &v, &Asked::default(), None, Some(&error)).await?)
        }
        Err(error) => Err(error.into()),
    }
}

async fn arrive(portal: &Arc<Portal>, v: &View, slug: &str, back: &Callback, visit: &Visit) -> Result<Response> {
    let arrived = portal.people.finish_external(slug, back, &v.browser, v.signed.as_deref(), visit).await?;
    let next = arrived.next.as_deref().and_then(answer::own_path).unwrap_or(answer::HOME);
    Ok(match arrived.outcome {
        Some(outcome) => sign_in::go_on(portal, outcome, next),
        None => answer::to(next),
    })
}
