//! `consumers.list`: the caller's named readers.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result};
use serde::Serialize;

use super::{ConsumerView, owner, sql};
use crate::Events;

/// All of them: there are at most a hundred.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Consumers {
    /// By name.
    pub(crate) data: Vec<ConsumerView>,
}

impl Events {
    /// The consumers of the caller's client; of the tenant's host, for a service key.
    pub async fn consumers(&self, caller: &Caller) -> Result<Vec<ConsumerView>> {
        let scope = caller.allow(Permission::EventsRead)?;
        let (tenant, owner) = (scope.tenant(), owner(caller));
        self.store.read(scope, move |tx| sql::list(tx, tenant, &owner)).await
    }
}

pub(crate) async fn handle(State(events): State<Arc<Events>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<Consumers>> {
    Ok(web::Json(Consumers { data: events.consumers(&caller).await? }))
}
