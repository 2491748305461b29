//! `/portal/consent`: an application asks for access, and a person decides. `oauth` has checked the request before it leads here; nothing of
//! the request but its handle passes through the browser.
//!
//! The order: signed in → for which tenant → what is asked. Whoever consented before is sent on without being asked.

use std::sync::Arc;

use access::people::Membership;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Caller, Error, Kind, Result, TenantId};
use oauth::clients::AppCard;
use oauth::requests::{Approval, ConsentPage, Denial, Look, PendingRequest};
use serde::Deserialize;
use web::Query;

use super::choose::{Choose, places, signed};
use super::fault::Message;
use super::{confirm, sign_in};
use crate::view::{Form, Person, Shared, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/consent";

/// The query of the page.
#[derive(Deserialize)]
pub(crate) struct Asked {
    /// The handle of the request.
    #[serde(default)]
    request: String,
    /// The tenant that was chosen.
    tenant: Option<TenantId>,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct Page<'a> {
    v: &'a View,
    here: &'a str,
    app: &'a AppCard,
    redirect_host: &'a str,
    tenant: &'a str,
    person: &'a str,
    ask: &'a ConsentPage,
    has_choice: bool,
    choose_path: &'a str,
}

/// The handle of a request in the address of its page.
pub(super) fn handle_in(address: &str) -> Option<String> {
    let query = address.strip_prefix(PATH)?.strip_prefix('?')?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "request").map(|(_, handle)| handle.into_owned())
}

fn address(handle: &str, tenant: Option<TenantId>) -> String {
    let tenant = tenant.map(|tenant| format!("&tenant={tenant}")).unwrap_or_default();
    let handle: String = url::form_urlencoded::byte_serialize(handle.as_bytes()).collect();
    format!("{PATH}?request={handle}{tenant}")
}

/// What is asked, by whom, of whom.
struct Case<'a> {
    portal: &'a Portal,
    v: &'a View,
    person: &'a Person,
    handle: &'a str,
    pending: &'a PendingRequest,
}

impl Case<'_> {
    fn caller(&self, tenant: TenantId) -> Result<Caller> {
        self.person.signed.caller(Some(tenant), Arc::clone(&self.v.info))
    }

    fn show(&self, page: &impl Template) -> Response {
        sign_in::leading_to(answer::ok(page), Some(self.pending))
    }

    /// Asks which; or says that there is nothing to choose from.
    fn choose(&self, choices: &[&Membership]) -> Response {
        let (here, field) = (address(self.handle, None), ("request", self.handle));
        let ask = Choose { v: self.v, here: &here, app: &self.pending.app.name, action: PATH, field, choices };
        sign_in::leading_to(ask.show(&self.person.signed), Some(self.pending))
    }

    fn ask(&self, place: &Membership, ask: &ConsentPage, has_choice: bool) -> Response {
        let (here, choose_path) = (address(self.handle, Some(place.tenant_id)), address(self.handle, None));
        self.show(&Page {
            v: self.v,
            here: &here,
            app: &self.pending.app,
            redirect_host: &self.pending.redirect_host,
            tenant: &place.tenant_name,
            person: &self.person.signed.email,
            ask,
            has_choice,
            choose_path: &choose_path,
        })
    }

    /// Without a page, where the application asked for none.
    async fn silently(&self, denial: Denial) -> Result<Response> {
        Ok(answer::to(&self.portal.oauth.deny(None, self.handle, denial).await?))
    }
}

pub(crate) async fn show(
    State(portal): State<Arc<Portal>>,
    v: Shared,
    Query(asked): Query<Asked>,
    person: std::result::Result<Person, Response>,
) -> web::Result<Response> {
    let pending = match portal.oauth.pending(&asked.request).await {
        Ok(pending) => pending,
        Err(error) if error.kind() == Kind::NotFound => return Ok(over(&v)),
        Err(error) => return Err(error.into()),
    };
    let person = match person {
        Ok(person) => person,
        Err(_) if pending.prompt.none => {
            return Ok(answer::to(&portal.oauth.deny(None, &asked.request, Denial::LoginRequired).await?));
        }
        Err(door) => return Ok(door),
    };
    let case = Case { portal: &portal, v: &v, person: &person, handle: &asked.request, pending: &pending };
    Ok(look(&case, asked.tenant).await?)
}

async fn look(case: &Case<'_>, named: Option<TenantId>) -> Result<Response> {
    let places = places(&case.person.signed, case.pending.only_tenant);
    let place = match (named, places.as_slice()) {
        (_, []) => return Ok(case.choose(&[])),
        (Some(named), _) => *places.iter().find(|place| place.tenant_id == named).ok_or_else(|| Error::not_found("tenant"))?,
        (None, [only]) if !case.pending.prompt.select_account => *only,
        (None, _) if case.pending.prompt.none => return case.silently(Denial::AccountSelectionRequired).await,
        (None, _) => return Ok(case.choose(&places)),
    };
    match case.portal.oauth.look(&case.caller(place.tenant_id)?, &signed(&case.person.signed), case.handle).await {
        Ok(Look::Ask(ask)) => Ok(case.ask(place, &ask, places.len() > 1)),
        Ok(Look::SignInAgain) => Ok(confirm::first(&address(case.handle, Some(place.tenant_id)))),
        Ok(Look::Done { location }) => Ok(answer::to(&location)),
        Err(error) if error.kind() == Kind::NotFound => Ok(over(case.v)),
        Err(error) => Err(error),
    }
}

pub(crate) async fn send(
    State(portal): State<Arc<Portal>>,
    person: Person,
    Query(asked): Query<Asked>,
    form: Form,
) -> web::Result<Response> {
    let (v, handle) = (&*person.view, asked.request.as_str());
    let pending = match portal.oauth.pending(handle).await {
        Ok(pending) => pending,
        Err(error) if error.kind() == Kind::NotFound => return Ok(over(v)),
        Err(error) => return Err(error.into()),
    };
    let case = Case { portal: &portal, v, person: &person, handle, pending: &pending };
    let caller = case.caller(asked.tenant.ok_or_else(|| Error::not_found("tenant"))?)?;
    let decided = if form.get("decision") == "allow" {
        let approval = Approval { scopes: None, remember: form.given("remember").is_some() };
        portal.oauth.approve(&caller, &signed(&case.person.signed), handle, approval).await
    } else {
        portal.oauth.deny(Some(&caller), handle, Denial::AccessDenied).await
    };
    match decided {
        Ok(location) => Ok(answer::to(&location)),
        Err(error) if error.kind() == Kind::NotFound => Ok(over(v)),
        Err(error) => Err(error.into()),
    }
}

fn over(v: &View) -> Response {
    let page = Message {
        v,
        title: v.t("consent.over"),
        text: v.t("consent.over_how"),
        request: None,
        link: Some((answer::HOME, v.t("error.home"))),
    };
    answer::page(http::StatusCode::NOT_FOUND, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handle_is_found_in_the_way_back() {
        assert_eq!(handle_in(&address("twq_live_a", None)).as_deref(), Some("twq_live_a"));
        assert_eq!(handle_in("/portal/consent?tenant=x&request=twq_live_b").as_deref(), Some("twq_live_b"));
        for other in ["/portal/consent", "/portal/consent-x?request=a", "/portal?request=a"] {
            assert_eq!(handle_in(other), None, "{other}");
        }
    }
}
