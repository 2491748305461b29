//! `expunges.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, ExpungeId, Permission, Result};

use super::{Expunge, sql};
use crate::Retention;

impl Retention {
    /// One of the tenant's runs. Error: 404.
    pub async fn get_expunge(&self, caller: &Caller, id: ExpungeId) -> Result<Expunge> {
        let scope = caller.allow(Permission::EventsErase)?;
        let tenant = scope.tenant();
        self.store.read(scope, move |tx| sql::get(tx, tenant, id)).await?.ok_or_else(|| Error::not_found("expunge"))
    }
}

pub(crate) async fn handle(
    State(retention): State<Arc<Retention>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<ExpungeId>,
) -> web::Result<web::Json<Expunge>> {
    Ok(web::Json(retention.get_expunge(&caller, id).await?))
}
