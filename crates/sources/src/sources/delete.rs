//! `sources.delete`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, Permission, Result, SourceId};

use super::sql;
use crate::{Sources, TOPIC, quarantine};

impl Sources {
    /// Deletes a source and its quarantine. Events that it brought stay. Error: 404.
    pub async fn delete(&self, caller: &Caller, id: SourceId) -> Result<()> {
        let scope = caller.allow(Permission::WebhooksWrite)?;
        let tenant = scope.tenant();
        self.store
            .answer(scope, move |tx| {
                if sql::delete(tx, tenant, id)? == 0 {
                    return Err(Error::not_found("source"));
                }
                quarantine::sql::delete_of_source(tx, tenant, id)?;
                tx.audit("source.delete", id)?;
                tx.notify(TOPIC, id);
                Ok(())
            })
            .await
    }
}

pub(crate) async fn handle(
    State(sources): State<Arc<Sources>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<SourceId>,
) -> web::Result<web::NoContent> {
    sources.delete(&caller, id).await?;
    Ok(web::NoContent)
}
