//! `connectors.create`: a manifest, checked and kept as a new version.

use std::sync::Arc;

use axum::extract::State;
use connectors::Connector as _;
use connectors::manifest::Manifest;
use kernel::{Caller, Error, Permission, Result, Scope, TenantId};
use serde::Deserialize;
use store::Tx;

use super::sql::{self, Row};
use super::{CustomConnector, MAX_PER_TENANT, Source};
use crate::Integrations;

/// Faults of a manifest that are answered at most.
const MOST_FAULTS: usize = 50;

/// A connector in a file.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomConnectorInput {
    /// The manifest: TOML, as docs/connectors.md describes it. At most 256 KB.
    pub manifest: String,
}

impl Integrations {
    /// Keeps a manifest. The same slug again makes a new version, which integrations use from their next session on. A tenant's is the tenant's
    /// only; a service key that names no tenant makes one for all.
    ///
    /// Errors: 403 `insufficient_scope`, `operator_only`; 409 `connector_exists`, `too_many_connectors`; 422 `invalid_connector` with every
    /// fault and its line.
    pub async fn create_connector(self: &Arc<Self>, caller: &Caller, input: CustomConnectorInput) -> Result<CustomConnector> {
        let (scope, tenant) = whose(caller, Permission::IntegrationsWrite)?;
        let manifest = Manifest::read(&input.manifest, "manifest").map_err(|faults| refused(&faults))?;
        let about = manifest.about().clone();
        if self.built_in(&about.id).is_some() {
            let detail = format!("{} is built in. Give the connector an id of its own.", about.id);
            return Err(Error::conflict("connector_exists", detail));
        }
        let source = if tenant.is_some() { Source::Tenant } else { Source::Operator };
        self.parts
            .store
            .answer(scope, move |tx| {
                let row = insert(tx, tenant, about.id.clone(), input.manifest)?;
                tx.audit("connector.create", format!("{}@{}", row.connector, row.version))?;
                let (version, created_at) = (row.version, row.created_at);
                Ok(CustomConnector { id: row.connector, version, source, about, manifest: Some(row.manifest), created_at })
            })
            .await
    }
}

fn insert(tx: &mut Tx<'_>, tenant: Option<TenantId>, connector: String, manifest: String) -> Result<Row> {
    let before = sql::latest(tx, tenant, &connector)?;
    if let Some(tenant) = tenant.filter(|_| before.is_none())
        && sql::count(tx, tenant)? >= MAX_PER_TENANT
    {
        let detail = format!("A tenant has at most {MAX_PER_TENANT} connectors. Delete one first.");
        return Err(Error::conflict("too_many_connectors", detail));
    }
    let version = before.map_or(1, |before| before.version + 1);
    let row = Row { connector, version, manifest, created_at: tx.now() };
    sql::insert(tx, tenant, &row)?;
    Ok(row)
}

/// A tenant's, or the operator's where the caller acts for no tenant.
pub(super) fn whose(caller: &Caller, permission: Permission) -> Result<(Scope, Option<TenantId>)> {
    match caller.tenant() {
        Some(tenant) => Ok((caller.allow(permission)?.into(), Some(tenant))),
        None => Ok((caller.operate()?.into(), None)),
    }
}

fn refused(faults: &blueprint::Faults) -> Error {
    let mut error = Error::invalid("invalid_connector", "The manifest has faults; see errors. `tradewind connector check` shows them too.");
    for fault in faults.list().iter().take(MOST_FAULTS) {
        error = error.at("/manifest", fault.to_string());
    }
    error
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<CustomConnectorInput>,
) -> web::Result<web::Created<CustomConnector>> {
    let body = integrations.create_connector(&caller, input).await?;
    Ok(web::Created { location: format!("/api/v1/connectors/{}", body.id), body })
}
