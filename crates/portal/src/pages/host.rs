//! `/portal/sign-in/host`: the host's backend made a link and sends its user here. It is redeemed at once: the user has just pressed a
//! button of the host's, and the link lives for a minute or so.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use web::Query;

use super::{Asked, link, sign_in};
use crate::view::Shared;
use crate::{Portal, answer};

pub(crate) async fn enter(State(portal): State<Arc<Portal>>, v: Shared, Query(asked): Query<Asked>) -> web::Result<Response> {
    let token = asked.token.as_deref().unwrap_or_default();
    let next = portal.people.peek_link(token).await.ok().and_then(|link| link.next);
    match portal.people.redeem_portal_link(token, &v.visit).await {
        Ok(session) => {
            let next = next.as_deref().and_then(answer::own_path).unwrap_or(answer::HOME);
            Ok(sign_in::signed_in(&portal, &session, next))
        }
        Err(error) if link::is_over(&error) => Ok(link::over(&v)),
        Err(error) => Err(error.into()),
    }
}
