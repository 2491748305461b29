//! Ends sessions: one, or all but the one at hand.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kernel::{Error, SessionId};

use super::security;
use crate::Portal;
use crate::view::{Account, Form};

pub(crate) async fn end(State(portal): State<Arc<Portal>>, person: Account, form: Form) -> web::Result<Response> {
    let caller = person.caller()?;
    if form.get("session") == "others" {
        portal.people.revoke_other_sessions(&caller).await?;
        return Ok(security::after("sessions"));
    }
    let id: SessionId = form.get("session").parse().map_err(|_| Error::not_found("session"))?;
    portal.people.revoke_session(&caller, id).await?;
    Ok(security::after("session"))
}
