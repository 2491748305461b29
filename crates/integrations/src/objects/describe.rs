//! `integrations.objects.get`: an object as the vendor says today, how it changed, what it resembles.

use std::sync::Arc;

use axum::extract::State;
use connectors::ObjectSchema;
use kernel::{Caller, Error, IntegrationId, Permission, Result, TenantScope, Timestamp};
use mappings::FieldMapping;
use serde::Deserialize;

use super::{Described, drift, propose, sql};
use crate::Integrations;
use crate::integrations::into_error;

/// For which of our resource types a mapping is proposed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Wish {
    resource_type: Option<String>,
}

impl Integrations {
    /// Asks the vendor for an object's fields. With `resource_type` a mapping is proposed.
    ///
    /// Errors: 404; 409 `integration_disabled`, `connector_without_calls`, `vendor_unauthorized`; 422 for an unknown resource type; 502
    /// `vendor_refused`, `vendor_unavailable`; 503 `vendor_rate_limited`, `vendor_quota_exhausted`.
    pub async fn describe(
        self: &Arc<Self>,
        caller: &Caller,
        id: IntegrationId,
        object: &str,
        resource_type: Option<&str>,
    ) -> Result<Described> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let (schema, connector) = self.schema(&scope, id, object).await?;
        let proposed_mappings = resource_type.map(|name| self.propose(&connector, name, &schema)).transpose()?;
        let (accepted, accepted_at) = self.accepted(&scope, id, &schema).await?;
        Ok(Described { drift: drift(&accepted, &schema), schema, proposed_mappings, accepted_at })
    }

    /// An object's fields as they are today, and the connector's slug. Errors: as [`Integrations::describe`].
    pub(crate) async fn schema(self: &Arc<Self>, scope: &TenantScope, id: IntegrationId, object: &str) -> Result<(ObjectSchema, String)> {
        let (connector, session) = self.session(scope, id).await?;
        if connector.about().objects.iter().all(|about| about.name != object) {
            return Err(Error::not_found("object"));
        }
        let schema = connector.describe(&session, object).await.map_err(|fault| into_error(&fault))?;
        Ok((schema, connector.about().id.clone()))
    }

    fn propose(&self, connector: &str, resource_type: &str, schema: &ObjectSchema) -> Result<Vec<FieldMapping>> {
        let resources = &self.parts.blueprint.resources;
        let resource = resources.iter().find(|resource| resource.name == resource_type || resource.plural == resource_type);
        let resource = resource.ok_or_else(|| {
            let known: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
            Error::field("/resourceType", format!("must be one of {}", known.join(", ")))
        })?;
        Ok(propose::propose(connector, resource, schema))
    }

    /// What was accepted; whoever looks first accepts what is there.
    async fn accepted(&self, scope: &TenantScope, id: IntegrationId, schema: &ObjectSchema) -> Result<(ObjectSchema, Timestamp)> {
        let (tenant, object) = (scope.tenant(), schema.object.clone());
        let kept = self.parts.store.read(scope.clone(), move |tx| sql::get(tx, tenant, id, &object)).await?;
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let first = schema.clone();
        let scope = TenantScope::system("integrations", tenant);
        self.parts.store.write(scope, move |tx| sql::put(tx, tenant, id, &first, false)).await?;
        Ok((schema.clone(), self.parts.ambient.now()))
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path2(id, object): web::Path2<IntegrationId, String>,
    web::Query(wish): web::Query<Wish>,
) -> web::Result<web::Json<Described>> {
    Ok(web::Json(integrations.describe(&caller, id, &object, wish.resource_type.as_deref()).await?))
}
