//! Telling: an alert's change as an event of its tenant, and of the operator's own tenant.

use kernel::{Result, TenantId};
use serde_json::{Value, json};
use store::Tx;

use crate::Alerts;
use crate::alerts::{Alert, Status, sql};

/// Most alerts of which the operator is told in one transaction.
const STEP: u32 = 200;

/// The event that tells of an alert's present status, if that is not new.
pub(crate) fn of_status(alert: &Alert) -> &'static str {
    if alert.status == Status::Closed { events::ALERT_CLOSED } else { events::ALERT_UPDATED }
}

fn data(alert: &Alert) -> Value {
    json!({
        "alertId": alert.id, "tenantId": alert.tenant_id, "rule": alert.rule, "severity": alert.severity, "status": alert.status,
        "subject": alert.subject, "summary": alert.summary, "value": alert.value, "threshold": alert.threshold, "unit": alert.unit,
        "count": alert.count, "openedAt": alert.opened_at, "lastSeenAt": alert.last_seen_at, "closedAt": alert.closed_at,
        "closedReason": alert.closed_reason,
    })
}

impl Alerts {
    /// Tells the alert's tenant, in the transaction of the change.
    pub(crate) fn tell_tenant(&self, tx: &mut Tx<'_>, alert: &Alert, event: &str) -> Result<()> {
        alert.tenant_id.map_or(Ok(()), |tenant| self.events.report(tx, tenant, event, &data(alert)))
    }

    /// Tells the tenant and the operator. Only by the system: nobody else reaches both.
    pub(crate) fn tell(&self, tx: &mut Tx<'_>, alert: &Alert, event: &str) -> Result<()> {
        self.tell_tenant(tx, alert, event)?;
        self.tell_operator(tx, alert, event)
    }

    fn tell_operator(&self, tx: &mut Tx<'_>, alert: &Alert, event: &str) -> Result<()> {
        match self.operators_tenant(tx)? {
            Some(operator) if alert.tenant_id != Some(operator) => self.events.report(tx, operator, event, &data(alert)),
            _ => Ok(()),
        }
    }

    /// Looked up each time: it may be made, or deleted, while the server runs, and alerts are few.
    fn operators_tenant(&self, tx: &mut Tx<'_>) -> Result<Option<TenantId>> {
        self.operator.as_ref().map_or(Ok(None), |reference| access::tenants::find(tx, reference))
    }

    /// Tells the operator what people did to alerts since the last look: they act in the scope of their tenant.
    pub(crate) fn tell_rest(&self, tx: &mut Tx<'_>) -> Result<u64> {
        let rest = sql::untold(tx, STEP)?;
        for kept in &rest {
            self.tell_operator(tx, &kept.alert, of_status(&kept.alert))?;
            sql::told(tx, kept.alert.tenant_id, kept.alert.id)?;
        }
        Ok(rest.len() as u64)
    }
}
