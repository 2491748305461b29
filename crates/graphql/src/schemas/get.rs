//! `graphql_schema.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Permission, Result};

use super::{GraphqlSchema, Row, find};
use crate::Graphql;
use crate::served::Offer;

impl Graphql {
    /// The schema that the tenant is served, with its limits.
    pub async fn schema(&self, caller: &Caller) -> Result<GraphqlSchema> {
        let scope = caller.allow(Permission::EndpointsRead)?;
        let tenant = scope.tenant();
        let row = self.store.read(scope, move |tx| find(tx, tenant)).await?;
        let offer = self.offer(tenant).await?;
        Ok(view(row, &offer))
    }
}

pub(super) fn view(row: Option<Row>, offer: &Offer) -> GraphqlSchema {
    let bounds = row.as_ref().map_or_else(super::usual, |row| row.bounds);
    GraphqlSchema {
        type_defs: row.as_ref().map(|row| row.type_defs.clone()).filter(|text| !text.is_empty()),
        depth_limit: bounds.depth,
        complexity_limit: bounds.complexity,
        introspection: bounds.introspection,
        updated_at: row.map(|row| row.updated_at),
        schema: if offer.faults.is_empty() { offer.served.validator.sdl() } else { String::new() },
        faults: offer.faults.to_vec(),
    }
}

pub(crate) async fn handle(State(graphql): State<Arc<Graphql>>, web::Auth(caller): web::Auth) -> web::Result<web::Json<GraphqlSchema>> {
    Ok(web::Json(graphql.schema(&caller).await?))
}
