//! `/portal/device`: a person types the code that a device shows, and decides (RFC 8628 §3.3). The code is shown again beside the question, so
//! that nobody allows a device that they do not have before them (§5.4).

use std::sync::Arc;

use access::people::Membership;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Error, Result, TenantId};
use oauth::clients::AppCard;
use oauth::device::DeviceRequest;
use oauth::requests::Approval;
use oauth::scope::ScopeLine;
use serde::Deserialize;
use web::Query;

use super::choose::{Choose, places, signed};
use super::fault::{self, Message};
use crate::view::{Form, Person, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = oauth::device::PAGE;

/// The query of the page.
#[derive(Deserialize)]
pub(crate) struct Asked {
    /// The code, as it was typed or comes with the device's picture.
    #[serde(default)]
    user_code: String,
    /// The tenant that was chosen.
    tenant: Option<TenantId>,
}

#[derive(Template)]
#[template(path = "device.html")]
struct Type<'a> {
    v: &'a View,
    code: &'a str,
    fault: Option<String>,
    no_fault: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "device_confirm.html")]
struct Confirm<'a> {
    v: &'a View,
    here: &'a str,
    code: &'a str,
    app: &'a AppCard,
    scopes: &'a [ScopeLine],
    tenant: &'a str,
    person: &'a str,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, person: Person, Query(asked): Query<Asked>) -> web::Result<Response> {
    let (v, code) = (&*person.view, asked.user_code.trim());
    if code.is_empty() {
        return Ok(type_it(v, code, None));
    }
    match portal.oauth.device_request(code, v.info.ip).await {
        Ok(request) => Ok(confirm(&person, &request, code, asked.tenant)?),
        Err(error) if is_mistyped(&error) => Ok(type_it(v, code, Some(&error))),
        Err(error) => Err(error.into()),
    }
}

fn confirm(person: &Person, request: &DeviceRequest, code: &str, named: Option<TenantId>) -> Result<Response> {
    let v = &*person.view;
    let places = places(&person.signed, request.only_tenant);
    let place: &Membership = match (named, places.as_slice()) {
        (Some(named), _) => places.iter().find(|place| place.tenant_id == named).ok_or_else(|| Error::not_found("tenant"))?,
        (None, [only]) => only,
        (None, choices) => {
            let here = address(code, None);
            return Ok(
                Choose { v, here: &here, app: &request.app.name, action: PATH, field: ("user_code", code), choices }.show(&person.signed)
            );
        }
    };
    let here = address(code, Some(place.tenant_id));
    let (tenant, email) = (&place.tenant_name, &person.signed.email);
    // As devices show it, however it was typed.
    let code = code.to_uppercase();
    Ok(answer::ok(&Confirm { v, here: &here, code: &code, app: &request.app, scopes: &request.scopes, tenant, person: email }))
}

pub(crate) async fn send(
    State(portal): State<Arc<Portal>>,
    person: Person,
    Query(asked): Query<Asked>,
    form: Form,
) -> web::Result<Response> {
    let v = &*person.view;
    let is_allowed = form.get("decision") == "allow";
    let caller = person.signed.caller(asked.tenant, Arc::clone(&v.info))?;
    let approval = is_allowed.then(Approval::default);
    match portal.oauth.answer_device(&caller, &signed(&person.signed), &asked.user_code, v.info.ip, approval).await {
        Ok(()) if is_allowed => Ok(done(v, v.t("device.allowed"), v.t("device.allowed_how"))),
        Ok(()) => Ok(done(v, v.t("device.denied"), v.t("device.denied_how"))),
        Err(error) if is_mistyped(&error) => Ok(type_it(v, &asked.user_code, Some(&error))),
        Err(error) => Err(error.into()),
    }
}

fn type_it(v: &View, code: &str, error: Option<&Error>) -> Response {
    let fault =
        error.map(|error| if error.kind() == kernel::Kind::NotFound { v.t("device.wrong").to_owned() } else { fault::text(v, error) });
    let page = Type { v, code, fault, no_fault: None };
    answer::page(error.map_or(http::StatusCode::OK, |error| web::status(error.kind())), &page)
}

fn is_mistyped(error: &Error) -> bool {
    matches!(error.kind(), kernel::Kind::NotFound | kernel::Kind::RateLimited)
}

fn done(v: &View, title: &str, text: &str) -> Response {
    answer::ok(&Message { v, title, text, request: None, link: Some((answer::HOME, v.t("error.home"))) })
}

fn address(code: &str, tenant: Option<TenantId>) -> String {
    let tenant = tenant.map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
    let code: String = url::form_urlencoded::byte_serialize(code.as_bytes()).collect();
    format!("{PATH}?user_code={code}{tenant}")
}
