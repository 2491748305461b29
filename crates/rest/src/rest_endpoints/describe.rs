//! A tenant's endpoints for the OpenAPI document of its credentials.

use std::sync::Arc;

use kernel::{Caller, Result};
use records::ResourceType;
use serde_json::Value;
use web::{Access, Endpoint};

use super::endpoint::{RestOperationType, Row};
use super::live::Served;
use super::{OWN, PUBLIC, RestEndpoints};
use crate::generic::{NATIVE, RULES};
use crate::{list_query, shapes};

impl RestEndpoints {
    /// What the caller's tenant has declared and the caller may call, and what of it is public. Empty for a caller that names no tenant.
    pub async fn described(&self, caller: &Caller) -> Result<Vec<Arc<Endpoint>>> {
        let Ok(scope) = caller.tenant_scope() else { return Ok(Vec::new()) };
        let tenant = scope.tenant();
        let table = self.table(tenant).await?;
        if table.all().is_empty() {
            return Ok(Vec::new());
        }
        let slug = self.store.read(&scope, move |tx| access::tenants::slug(tx, tenant)).await?;
        let mut out = Vec::new();
        for Served { row, .. } in table.all().iter().map(Arc::as_ref) {
            // One whose resource type the blueprint has lost answers nothing.
            let Ok(kind) = self.records.resource_type(&row.definition.operation.resource) else { continue };
            let scopes = &row.definition.scopes;
            if scopes.iter().all(|name| caller.require_scope(name).is_ok()) {
                let access = scopes.first().map_or(Access::AnyCredential, |first| Access::Scope(first.clone()));
                out.push(Arc::new(describe(row, kind, OWN, "x", access)));
            }
            if row.definition.public {
                out.push(Arc::new(describe(row, kind, &format!("{PUBLIC}{slug}/"), "public", Access::Public)));
            }
        }
        Ok(out)
    }
}

fn describe(row: &Row, kind: &ResourceType, below: &str, prefix: &str, access: Access) -> Endpoint {
    let (definition, method) = (&row.definition, row.method.as_str());
    let word = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '.' };
    let id: String = format!("{prefix}.{}.{}", method.to_ascii_lowercase(), row.path().replace(['{', '}'], "")).chars().map(word).collect();
    let operation = definition.operation.kind;
    let summary = definition.summary.clone().unwrap_or_else(|| format!("{} {}", title(operation), kind.resource().plural));
    let method = method.parse().expect("an endpoint's methods are HTTP's own");
    let endpoint = Endpoint::new(method, format!("{below}{}", row.path()), id).tag("REST endpoints").summary(summary).needs(access);
    let record = || shapes::reference(kind);
    let body = |whole| definition.schema.clone().unwrap_or_else(|| shapes::body(kind, None, whole));
    match operation {
        RestOperationType::List => {
            let known = list_query::parameters(kind, &RULES);
            let open = known.iter().filter(|(name, _)| !definition.operation.query.contains_key(name));
            let own = own_parameters(definition.schema.as_ref());
            let all: Vec<(&str, &str)> = open.map(|(name, about)| (name.as_str(), about.as_str())).collect();
            let more: Vec<(&str, &str)> =
                own.iter().filter(|one| !all.iter().any(|(name, _)| *name == one.0)).map(|(name, about)| (*name, *about)).collect();
            endpoint.query(&all).query(&more).answers_schema(200, NATIVE.page_schema(&record(), true))
        }
        RestOperationType::Get => endpoint.query(&own_parameters(definition.schema.as_ref())).answers_schema(200, record()),
        RestOperationType::Create => endpoint.body_schema(body(true)).answers_schema(201, record()),
        RestOperationType::Update => endpoint.body_schema(body(false)).answers_schema(200, record()),
        RestOperationType::Delete => endpoint.query(&own_parameters(definition.schema.as_ref())).answers_nothing(),
    }
}

/// The query parameters that an endpoint's own schema names.
fn own_parameters(schema: Option<&Value>) -> Vec<(&str, &str)> {
    let table = schema.and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    table
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.as_str(), schema.get("description").and_then(Value::as_str).unwrap_or_default()))
        .collect()
}

fn title(operation: RestOperationType) -> &'static str {
    match operation {
        RestOperationType::List => "List",
        RestOperationType::Get => "Get one of the",
        RestOperationType::Create => "Create one of the",
        RestOperationType::Update => "Change one of the",
        RestOperationType::Delete => "Delete one of the",
    }
}
