//! `alerts.acknowledge`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{AlertId, Caller, Permission, Result};

use super::{Alert, closed, missing, sql};
use crate::Alerts;
use crate::authority::reach;
use crate::tell;

impl Alerts {
    /// Says that somebody has taken an alert up; once more changes nothing. Needs `alerts.write`. Errors: 404; 409 `alert_closed`.
    pub async fn acknowledge(self: &Arc<Self>, caller: &Caller, id: AlertId) -> Result<Alert> {
        let reach = reach(caller, Permission::AlertsWrite)?;
        let (alerts, tenant, by) = (Arc::clone(self), reach.tenant, caller.actor().to_string());
        self.store
            .answer(reach.scope, move |tx| {
                let found = sql::get(tx, tenant, id)?.ok_or_else(missing)?.alert;
                if found.closed_at.is_some() {
                    return Err(closed());
                }
                if !sql::acknowledge(tx, found.tenant_id, id, &by, alerts.operator.is_some())? {
                    return Ok(found);
                }
                tx.audit("alert.acknowledge", id)?;
                let after = sql::get(tx, tenant, id)?.ok_or_else(missing)?.alert;
                alerts.tell_tenant(tx, &after, tell::of_status(&after))?;
                Ok(after)
            })
            .await
    }
}

pub(crate) async fn handle(
    State(alerts): State<Arc<Alerts>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<AlertId>,
    _: Option<web::Json<web::Nothing>>,
) -> web::Result<web::Json<Alert>> {
    Ok(web::Json(alerts.acknowledge(&caller, id).await?))
}
