//! `GET /api/v1/me`.

use std::sync::Arc;

use access::people::{Membership, User};
use axum::extract::State;
use http::HeaderMap;
use kernel::{Caller, Error, Result};
use serde::Serialize;

use crate::People;

/// Who is asking.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// The person.
    pub user: User,
    /// Their tenants, by name.
    pub memberships: Vec<Membership>,
    /// What a writing call with this session's cookie repeats in `X-CSRF-Token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
}

impl People {
    /// The caller and their tenants. Error: 403 `people_only`.
    pub async fn me(&self, caller: &Caller) -> Result<Me> {
        let (id, _, scope) = caller.myself()?;
        let read = self.store.read(scope, move |tx| {
            let user = access::people::user(tx, id)?.ok_or_else(|| Error::not_found("user"))?;
            Ok((user, access::people::memberships_of(tx, id)?))
        });
        let (user, memberships) = read.await?;
        Ok(Me { user, memberships, csrf_token: None })
    }
}

pub(crate) async fn handle(
    State(people): State<Arc<People>>,
    web::Auth(caller): web::Auth,
    headers: HeaderMap,
) -> web::Result<web::Json<Me>> {
    let mut me = people.me(&caller).await?;
    // The session may be for one tenant only: what it shows is what it may do.
    if let Some(signed_in) = people.lookup_headers(&headers).await? {
        me.memberships = signed_in.memberships.to_vec();
        me.csrf_token = Some(signed_in.csrf().to_owned());
    }
    Ok(web::Json(me))
}
