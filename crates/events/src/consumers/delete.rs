//! `consumers.delete`: forgets a named reader. The next poll under its name begins anew.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result};

use super::{ConsumerKey, sql};
use crate::Events;

impl Events {
    /// Forgets a consumer of the caller's. It takes the permission to change what is delivered: whoever reads by this name begins anew.
    ///
    /// Errors: 403 `insufficient_scope`, 404.
    pub async fn delete_consumer(&self, caller: &Caller, name: String) -> Result<()> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let missing = || Error::not_found("consumer");
        let key = ConsumerKey::new(caller, name).map_err(|_| missing())?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                if !sql::delete(tx, tenant, &key.owner, &key.name)? {
                    return Err(missing());
                }
                tx.audit("consumer.delete", &key.name)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Path(name): web::Path<String>,
) -> web::Result<web::NoContent> {
    events.delete_consumer(&caller, name).await?;
    Ok(web::NoContent)
}
