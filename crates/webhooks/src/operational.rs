//! Operational events about webhooks and deliveries, emitted in the transaction of what they tell of.
//!
//! A delivery of an operational event that fails, and what follows from it for its webhook, makes no further operational event: two
//! receivers that are both down would otherwise report each other for ever.

use std::sync::{Arc, Weak};

use dispatch::{Ended, Observer, State, Turn, destinations};
use events::Events;
use kernel::{DestinationId, EventType, Kind, Result, TenantId};
use serde_json::json;
use store::Tx;

use crate::subscriptions::sql;

/// Which webhooks were said to be failing: each is said once, until something arrives again.
const TELL: &str = "INSERT INTO failing_webhooks (webhook_id, tenant_id, since) VALUES (?1, ?2, ?3) ON CONFLICT (webhook_id) DO NOTHING";
const TAKE_BACK: &str = "DELETE FROM failing_webhooks WHERE webhook_id = ?1 AND tenant_id = ?2";

/// Makes operational events of what the delivery engine tells. The binary gives it to `dispatch::Dispatch::set_observer`.
pub struct OperationalEvents(Weak<Events>);

impl OperationalEvents {
    /// Holds the events weakly: they hold the webhooks, which hold the engine.
    pub fn new(events: &Arc<Events>) -> Arc<Self> {
        Arc::new(Self(Arc::downgrade(events)))
    }
}

/// A webhook goes.
pub(crate) fn forget(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId) -> Result<()> {
    tx.exec(TAKE_BACK, &[id.into(), tenant.into()]).map(drop)
}

impl Observer for OperationalEvents {
    fn lost(&self, tx: &mut Tx<'_>, lost: &[Ended]) -> Result<()> {
        let Some(events) = self.0.upgrade() else { return Ok(()) };
        for one in lost.iter().filter(|one| !events::is_operational(one.event_type.as_str())) {
            let data = json!({
                "deliveryId": one.delivery, "webhookId": one.destination, "clientId": one.client, "eventId": one.event,
                "eventType": one.event_type, "reason": one.reason, "attemptCount": one.attempts, "responseCode": one.status_code,
                "errorMessage": one.error,
            });
            events.report(tx, one.tenant, events::DELIVERY_EXHAUSTED, &data)?;
        }
        Ok(())
    }

    fn turned(&self, tx: &mut Tx<'_>, tenant: TenantId, destination: DestinationId, turn: &Turn, cause: Option<&EventType>) -> Result<()> {
        if let Turn::Disabled(_) = turn {
            // With the destination, so that no crash in between leaves a subscription that listens for nobody.
            sql::set_state(tx, tenant, destination, State::Disabled)?;
        }
        let Some(events) = self.0.upgrade().filter(|_| !cause.is_some_and(|cause| events::is_operational(cause.as_str()))) else {
            return Ok(());
        };
        let client = match destinations::get(tx, tenant, destination) {
            Ok(found) => found.client,
            // It is deleted meanwhile: nobody misses the news.
            Err(error) if error.kind() == Kind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let (name, is_news, data) = match turn {
            Turn::Failing(since) => {
                let told = [destination.into(), tenant.into(), (*since).into()];
                let is_news = tx.exec(TELL, &told)? > 0;
                (events::WEBHOOK_FAILING, is_news, json!({"webhookId": destination, "clientId": client, "failingSince": since}))
            }
            Turn::Recovered => {
                let is_news = tx.exec(TAKE_BACK, &[destination.into(), tenant.into()])? > 0;
                (events::WEBHOOK_RECOVERED, is_news, json!({"webhookId": destination, "clientId": client}))
            }
            Turn::Disabled(reason) => {
                tx.exec(TAKE_BACK, &[destination.into(), tenant.into()])?;
                (events::WEBHOOK_DISABLED, true, json!({"webhookId": destination, "clientId": client, "reason": reason}))
            }
        };
        if !is_news {
            return Ok(());
        }
        events.report(tx, tenant, name, &data)
    }
}
