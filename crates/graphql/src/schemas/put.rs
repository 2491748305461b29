//! `graphql_schema.put`: it is served from the answer on by this node, and within a second by the others.

use std::sync::Arc;

use axum::extract::State;
use kernel::{Caller, Error, FieldError, Permission, Result};

use super::{GraphqlSchema, GraphqlSchemaInput, MAX_COMPLEXITY, MAX_DEPTH, Row, TOPIC, get, sdl, sql};
use crate::Graphql;
use crate::documents::cost::Bounds;

impl Graphql {
    /// Sets the tenant's schema and limits.
    ///
    /// Errors: 403 `insufficient_scope`; 422 `validation_failed`, with line and column of what is wrong in `typeDefs`.
    pub async fn put_schema(&self, caller: &Caller, input: GraphqlSchemaInput) -> Result<GraphqlSchema> {
        let scope = caller.allow(Permission::EndpointsWrite)?;
        let type_defs = input.type_defs.clone().filter(|text| !text.trim().is_empty()).unwrap_or_default();
        let bounds = bounds(&input)?;
        let offer = self.made(&type_defs, bounds).map_err(|faults| {
            let detail = "The type definitions cannot be served; see errors for line and column.";
            let fields = faults.into_iter().map(|fault| FieldError { pointer: "/typeDefs".into(), detail: fault });
            Error::invalid("validation_failed", detail).with_fields(fields.collect())
        })?;
        let tenant = scope.tenant();
        let stored = self
            .store
            .answer(scope, move |tx| {
                let row = Row { type_defs, bounds, updated_at: tx.now() };
                let before = sql::find(tx, tenant)?;
                let before = before.map(|row| serde_json::json!({"typeDefs": row.type_defs, "limits": limits(row.bounds)}));
                let after = serde_json::json!({"typeDefs": row.type_defs, "limits": limits(row.bounds)});
                sql::put(tx, tenant, &row)?;
                tx.audit_change("graphql_schema.put", tenant, &before, &after)?;
                tx.notify(TOPIC, tenant);
                Ok((row.type_defs, row.updated_at))
            })
            .await?;
        let (type_defs, updated_at) = stored;
        Ok(get::view(Some(Row { type_defs, bounds, updated_at }), &offer))
    }
}

fn bounds(input: &GraphqlSchemaInput) -> Result<Bounds> {
    let usual = super::usual();
    let (depth, complexity) = (input.depth_limit.unwrap_or(usual.depth), input.complexity_limit.unwrap_or(usual.complexity));
    if !(1..=MAX_DEPTH).contains(&depth) {
        return Err(Error::field("/depthLimit", format!("must be 1 to {MAX_DEPTH}")));
    }
    if !(1..=MAX_COMPLEXITY).contains(&complexity) {
        return Err(Error::field("/complexityLimit", format!("must be 1 to {MAX_COMPLEXITY}")));
    }
    if input.type_defs.as_ref().is_some_and(|text| text.len() > sdl::MAX_BYTES) {
        return Err(Error::field("/typeDefs", format!("must have at most {} bytes", sdl::MAX_BYTES)));
    }
    Ok(Bounds { depth, complexity, introspection: input.introspection.unwrap_or(usual.introspection) })
}

fn limits(bounds: Bounds) -> serde_json::Value {
    serde_json::json!({"depth": bounds.depth, "complexity": bounds.complexity, "introspection": bounds.introspection})
}

pub(crate) async fn handle(
    State(graphql): State<Arc<Graphql>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<GraphqlSchemaInput>,
) -> web::Result<web::Json<GraphqlSchema>> {
    Ok(web::Json(graphql.put_schema(&caller, input).await?))
}
