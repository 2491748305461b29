//! `integrations.objects.list`: what can be synchronised.

use std::sync::Arc;

use axum::extract::State;
use connectors::ObjectAbout;
use kernel::{Caller, IntegrationId, Permission, Result};
use serde::{Deserialize, Serialize};

use crate::Integrations;

/// Objects of a vendor.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = IntegrationObjects)]
pub(crate) struct Objects {
    /// In the connector's order.
    pub(crate) data: Vec<ObjectAbout>,
}

impl Integrations {
    /// The objects of an integration's connector. Errors: 404; 409 `connector_without_calls`.
    pub async fn objects(self: &Arc<Self>, caller: &Caller, id: IntegrationId) -> Result<Vec<ObjectAbout>> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        Ok(self.connector(&scope, id).await?.about().objects.clone())
    }
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<IntegrationId>,
) -> web::Result<web::Json<Objects>> {
    Ok(web::Json(Objects { data: integrations.objects(&caller, id).await? }))
}
