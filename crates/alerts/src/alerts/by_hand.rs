//! What somebody does to an alert by hand.

use std::sync::Arc;

use kernel::{AlertId, Caller, Permission, Result};
use store::Tx;

use super::{Alert, missing, sql};
use crate::Alerts;
use crate::authority::reach;
use crate::tell;

/// Who does it, and whether the operator is to be told.
pub(super) struct Hand<'a> {
    pub(super) by: &'a str,
    pub(super) untold: bool,
}

impl Alerts {
    /// Does `act` to an alert that the caller reaches, in one transaction with its audit row and what the tenant is told. `act` answers whether
    /// it changed anything; if not, nothing is audited and nobody told.
    ///
    /// Errors: 403 `insufficient_scope`, 404, those of `act`.
    pub(super) async fn by_hand(
        self: &Arc<Self>,
        caller: &Caller,
        id: AlertId,
        action: &'static str,
        act: impl FnOnce(&mut Tx<'_>, &Alert, &Hand<'_>) -> Result<bool> + Send + 'static,
    ) -> Result<Alert> {
        let reach = reach(caller, Permission::AlertsWrite)?;
        let (alerts, tenant, by) = (Arc::clone(self), reach.tenant, caller.actor().to_string());
        self.store
            .answer(reach.scope, move |tx| {
                let found = sql::get(tx, tenant, id)?.ok_or_else(missing)?.alert;
                if !act(tx, &found, &Hand { by: &by, untold: alerts.operator.is_some() })? {
                    return Ok(found);
                }
                tx.audit(action, id)?;
                let after = sql::get(tx, tenant, id)?.ok_or_else(missing)?.alert;
                alerts.tell_tenant(tx, &after, tell::of_status(&after))?;
                Ok(after)
            })
            .await
    }
}
