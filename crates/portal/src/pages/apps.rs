//! `/portal/apps`: the applications that may act for somebody, and their end.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::{Error, PageRequest, TenantId};
use oauth::consents::{AppFilter, AuthorizedApp, AuthorizedAppId};
use web::Query;

use super::Asked;
use crate::view::{Account, Form, View};
use crate::{Portal, answer};

pub(crate) const PATH: &str = "/portal/apps";

/// Most that are shown of one tenant.
const MOST: u32 = 100;

#[derive(Template)]
#[template(path = "apps.html")]
struct Page<'a> {
    v: &'a View,
    /// With the name of the tenant whose data it may use.
    apps: Vec<(&'a str, AuthorizedApp)>,
    is_withdrawn: bool,
}

pub(crate) async fn show(State(portal): State<Arc<Portal>>, person: Account, Query(asked): Query<Asked>) -> web::Result<Response> {
    let mut apps = Vec::new();
    for place in person.signed.memberships.iter() {
        let caller = person.signed.caller(Some(place.tenant_id), Arc::clone(&person.view.info))?;
        let page =
            portal.oauth.list_consents(&caller, &AppFilter::default(), PageRequest { limit: MOST, ..PageRequest::default() }).await?;
        apps.extend(page.data.into_iter().map(|app| (place.tenant_name.as_str(), app)));
    }
    Ok(answer::ok(&Page { v: &person.view, apps, is_withdrawn: asked.done.as_deref() == Some("withdrawn") }))
}

pub(crate) async fn withdraw(State(portal): State<Arc<Portal>>, person: Account, form: Form) -> web::Result<Response> {
    let id: AuthorizedAppId = form.get("app").parse().map_err(|_| Error::not_found("authorized app"))?;
    let tenant: TenantId = form.get("tenant").parse().map_err(|_| Error::not_found("tenant"))?;
    let caller = person.signed.caller(Some(tenant), Arc::clone(&person.view.info))?;
    portal.oauth.withdraw_consent(&caller, id).await?;
    Ok(answer::to(&format!("{PATH}?done=withdrawn")))
}
