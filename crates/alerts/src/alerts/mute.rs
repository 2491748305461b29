//! `alerts.mute`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use kernel::{AlertId, Caller, Error, Permission, Result, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::{Alert, missing, sql};
use crate::Alerts;
use crate::authority::reach;

/// The longest time.
const MOST: Duration = Duration::from_hours(24 * 366);

/// Until when nothing is to be told.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mute {
    /// Until then, at most a year from now; null: from now on it is told again.
    pub until: Option<Timestamp>,
}

impl Alerts {
    /// Tells nothing about an alert, nor about later ones of the same rule and subject, until then; it goes on being measured. Needs
    /// `alerts.write`. Errors: 404; 422 `validation_failed`.
    pub async fn mute(&self, caller: &Caller, id: AlertId, mute: Mute) -> Result<Alert> {
        let reach = reach(caller, Permission::AlertsWrite)?;
        let now = self.ambient.now();
        if mute.until.is_some_and(|until| until <= now || until > now.plus(MOST)) {
            return Err(Error::field("/until", "must lie in the future, at most a year from now"));
        }
        let tenant = reach.tenant;
        self.store
            .answer(reach.scope, move |tx| {
                let found = sql::get(tx, tenant, id)?.ok_or_else(missing)?.alert;
                sql::mute(tx, found.tenant_id, id, mute.until)?;
                tx.audit_with("alert.mute", id, &json!({"before": found.muted_until, "after": mute.until}))?;
                Ok(Alert { muted_until: mute.until, ..found })
            })
            .await
    }
}

pub(crate) async fn handle(
    State(alerts): State<Arc<Alerts>>,
    web::Auth(caller): web::Auth,
    web::Path(id): web::Path<AlertId>,
    web::Json(mute): web::Json<Mute>,
) -> web::Result<web::Json<Alert>> {
    Ok(web::Json(alerts.mute(&caller, id, mute).await?))
}
