//! `/portal/security/identities`: the tie to an account at another provider is made or cut.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{confirm, external, fault, security};
use crate::Portal;
use crate::view::{Account, Form};

pub(crate) async fn send(State(portal): State<Arc<Portal>>, person: Account, form: Form) -> web::Result<Response> {
    let caller = person.caller()?;
    let done = match form.given("connect") {
        Some(slug) => {
            let next = format!("{}?done=identity", security::PATH);
            let way = portal.people.begin_link(&caller, slug, Some(&next), &person.view.browser).await;
            way.map(|way| external::leave(&portal, &person.view, slug, way.reveal()))
        }
        None => portal.people.remove_identity(&caller, form.get("remove")).await.map(|()| security::after("identity_removed")),
    };
    match done {
        Ok(response) => Ok(response),
        Err(error) if confirm::is_wanted(&error) => Ok(confirm::first(security::PATH)),
        Err(error) if fault::is_persons(&error) => Ok(security::failed(&portal, &person, &error).await?),
        Err(error) => Err(error.into()),
    }
}
