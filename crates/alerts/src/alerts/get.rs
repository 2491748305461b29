//! `alerts.get`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{AlertId, Caller, Permission, Result};

use super::{Alert, missing, sql};
use crate::Alerts;
use crate::authority::reach;

impl Alerts {
    /// One alert. Needs `alerts.read`. Error: 404.
    pub async fn get(&self, caller: &Caller, id: AlertId) -> Result<Alert> {
        let reach = reach(caller, Permission::AlertsRead)?;
        let tenant = reach.tenant;
        let found = self.store.read(reach.scope, move |tx| sql::get(tx, tenant, id)).await?;
        found.map(|kept| kept.alert).ok_or_else(missing)
    }
}

pub(crate) async fn handle(
    State(alerts): State<Arc<Alerts>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<AlertId>,
) -> web::Result<web::Json<Alert>> {
    Ok(web::Json(alerts.get(&caller, id).await?))
}
