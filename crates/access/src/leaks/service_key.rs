//! A leaked service key: the operator's own. There is no tenant to tell; the audit log and the server's log say it.

use std::time::Duration;

use kernel::{Result, Scope, ServiceKeyId};
use serde_json::json;

use super::act::Finding;
use super::{LeakOutcome, LeakPolicy, LeakStatus};
use crate::{Access, service_keys};

impl Access {
    /// Applies the installation's policy (or the report's) to a service key. There is no successor: rotating one shortens its life.
    pub(super) async fn act_on_leaked_service_key(&self, scope: Scope, id: ServiceKeyId, finding: Finding) -> Result<LeakOutcome> {
        let policy = finding.policy.or(self.leaks.policy.get().copied()).unwrap_or_default();
        let outcome = self
            .store
            .write(scope, move |tx| {
                let key = service_keys::sql::get(tx, &id.to_string())?;
                let outcome = LeakOutcome { key_id: Some(key.mask), ..LeakOutcome::UNKNOWN };
                if key.status != "active" {
                    return Ok(LeakOutcome { status: LeakStatus::Ended, ..outcome });
                }
                match policy {
                    LeakPolicy::Notify => {}
                    LeakPolicy::Revoke => service_keys::sql::revoke(tx, id)?,
                    LeakPolicy::Shorten(grace) | LeakPolicy::Rotate(grace) => {
                        let end = tx.now().plus(Duration::from_secs(grace.into()));
                        if key.expires_at.is_none_or(|earlier| end < earlier) {
                            service_keys::sql::expire_at(tx, id, end)?;
                        }
                    }
                }
                let detail = json!({"source": finding.source, "url": finding.url, "action": policy.to_string()});
                tx.audit_with("service_key.leak", id, &detail)?;
                tx.notify(service_keys::TOPIC, id);
                Ok(LeakOutcome { status: LeakStatus::Reported, action: Some(policy), ..outcome })
            })
            .await?;
        if outcome.status == LeakStatus::Reported {
            tracing::error!(key = %id, action = %policy, "a service key was found where others can read it: rotate it now");
        }
        Ok(outcome)
    }
}
