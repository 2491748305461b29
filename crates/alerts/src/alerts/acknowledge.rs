//! `alerts.acknowledge`.

use std::sync::Arc;

use axum::extract::State;
use kernel::{AlertId, Caller, Result};

use super::{Alert, closed, sql};
use crate::Alerts;

impl Alerts {
    /// Says that somebody has taken an alert up; once more changes nothing. Needs `alerts.write`. Errors: 404; 409 `alert_closed`.
    pub async fn acknowledge(self: &Arc<Self>, caller: &Caller, id: AlertId) -> Result<Alert> {
        self.by_hand(caller, id, "alert.acknowledge", |tx, found, hand| match found.closed_at {
            Some(_) => Err(closed()),
            None => sql::acknowledge(tx, found.tenant_id, found.id, hand.by, hand.untold),
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
