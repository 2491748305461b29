//! `alerts.resolve`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{AlertId, Caller, Permission, Result};

use super::{Alert, closed, missing, sql};
use crate::Alerts;
use crate::authority::reach;
use crate::tell;

impl Alerts {
    /// Closes an alert by hand. It does not open again before its condition was over once, or a day has passed. Needs `alerts.write`.
    /// Errors: 404; 409 `alert_closed`.
    pub async fn resolve(self: &Arc<Self>, caller: &Caller, id: AlertId) -> Result<Alert> {
        let reach = reach(caller, Permission::AlertsWrite)?;
        let (alerts, tenant, by) = (Arc::clone(self), reach.tenant, caller.actor().to_string());
        self.store
            .answer(reach.scope, move |tx| {
                let found = sql::get(tx, tenant, id)?.ok_or_else(missing)?.alert;
                let end = sql::End { reason: "resolved", by: Some(&by), standing: true, untold: alerts.operator.is_some() };
                if !sql::close(tx, found.tenant_id, id, &end)? {
                    return Err(closed());
                }
                tx.audit("alert.resolve", id)?;
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
    Ok(web::Json(alerts.resolve(&caller, id).await?))
}
