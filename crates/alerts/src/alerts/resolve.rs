//! `alerts.resolve`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{AlertId, Caller, Result};

use super::{Alert, closed, sql};
use crate::Alerts;

impl Alerts {
    /// Closes an alert by hand. It does not open again before its condition was over once, or a day has passed. Needs `alerts.write`.
    /// Errors: 404; 409 `alert_closed`.
    pub async fn resolve(self: &Arc<Self>, caller: &Caller, id: AlertId) -> Result<Alert> {
        self.by_hand(caller, id, "alert.resolve", |tx, found, hand| {
            let end = sql::End { reason: "resolved", by: Some(hand.by), standing: true, untold: hand.untold };
            if sql::close(tx, found.tenant_id, found.id, &end)? { Ok(true) } else { Err(closed()) }
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
