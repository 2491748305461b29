//! Operational events: what Tradewind itself tells a tenant about its webhooks, deliveries, sources, keys, alerts and connections to vendors. They exist under every blueprint.
//!
//! They are events like any other (stored, matched, delivered), with two exceptions: nobody publishes them from outside, and `*` does not mean
//! them. A webhook gets them that names them: `webhook.disabled`, or `webhook.*`.

use bytes::Bytes;
use kernel::{Error, Event, Result, TenantId};
use serde_json::{Value, json};
use store::Tx;

use crate::{EventTypeView, Events, alert_types, job_types, key_types, vault_types};

/// A webhook gets nothing any more, though nobody asked for that.
pub const WEBHOOK_DISABLED: &str = "webhook.disabled";
/// Nothing arrives at a webhook.
pub const WEBHOOK_FAILING: &str = "webhook.failing";
/// Something arrived again at a webhook that was failing.
pub const WEBHOOK_RECOVERED: &str = "webhook.recovered";
/// A delivery failed for good.
pub const DELIVERY_EXHAUSTED: &str = "delivery.exhausted";
/// A source refused a call.
pub const SOURCE_REJECTED: &str = "source.rejected";
/// An event broke its schema and waits to be released.
pub const EVENT_QUARANTINED: &str = "event.quarantined";
/// Another API key took a key's place.
pub const API_KEY_ROTATED: &str = "api_key.rotated";
/// An API key was revoked.
pub const API_KEY_REVOKED: &str = "api_key.revoked";
/// An API key ends before long.
pub const API_KEY_EXPIRING: &str = "api_key.expiring";
/// An API key has ended.
pub const API_KEY_EXPIRED: &str = "api_key.expired";
/// An API key is older than its owner means it to get.
pub const API_KEY_ROTATION_DUE: &str = "api_key.rotation_due";
/// An API key was found where others can read it.
pub const API_KEY_LEAKED: &str = "api_key.leaked";
/// Something needs a look.
pub const ALERT_OPENED: &str = "alert.opened";
/// It got worse, or somebody took it up.
pub const ALERT_UPDATED: &str = "alert.updated";
/// It is over, or somebody said so.
pub const ALERT_CLOSED: &str = "alert.closed";

/// A job completed whose type declares no event for that.
pub const JOB_COMPLETED: &str = "job.completed";
/// A job failed for good whose type declares no event for that.
pub const JOB_FAILED: &str = "job.failed";

/// A vendor was connected.
pub const OAUTH_TOKEN_CONNECTED: &str = "oauth_token.connected";
/// A vendor's token cannot be renewed at the moment.
pub const OAUTH_TOKEN_DEGRADED: &str = "oauth_token.degraded";
/// It was renewed again.
pub const OAUTH_TOKEN_RECOVERED: &str = "oauth_token.recovered";
/// A grant at a vendor is over: somebody has to connect again.
pub const OAUTH_TOKEN_REAUTH_REQUIRED: &str = "oauth_token.reauth_required";
/// A vendor was disconnected.
pub const OAUTH_TOKEN_REVOKED: &str = "oauth_token.revoked";

/// All of them.
pub const OPERATIONAL: &[&str] = &[
    WEBHOOK_DISABLED,
    WEBHOOK_FAILING,
    WEBHOOK_RECOVERED,
    DELIVERY_EXHAUSTED,
    SOURCE_REJECTED,
    EVENT_QUARANTINED,
    ALERT_OPENED,
    ALERT_UPDATED,
    ALERT_CLOSED,
    API_KEY_ROTATED,
    API_KEY_REVOKED,
    API_KEY_EXPIRING,
    API_KEY_EXPIRED,
    API_KEY_ROTATION_DUE,
    API_KEY_LEAKED,
    JOB_COMPLETED,
    JOB_FAILED,
    OAUTH_TOKEN_CONNECTED,
    OAUTH_TOKEN_DEGRADED,
    OAUTH_TOKEN_RECOVERED,
    OAUTH_TOKEN_REAUTH_REQUIRED,
    OAUTH_TOKEN_REVOKED,
];

/// Whether an event of this type is ours.
pub fn is_operational(event_type: &str) -> bool {
    OPERATIONAL.contains(&event_type)
}

impl Events {
    /// Emits an operational event in the transaction of what it tells of. `name`: one of [`OPERATIONAL`]; `data` as its schema says, without
    /// secrets.
    pub fn report(&self, tx: &mut Tx<'_>, tenant: TenantId, name: &str, data: &Value) -> Result<()> {
        self.emit(tx, vec![event(tx, tenant, name, data)?]).map(drop)
    }
}

/// An operational event of now.
pub(crate) fn event(tx: &Tx<'_>, tenant: TenantId, name: &str, data: &Value) -> Result<Event> {
    debug_assert!(is_operational(name), "{name} is not declared here");
    let now = tx.now();
    Ok(Event {
        tenant,
        id: tx.ambient().event_id(),
        event_type: name.parse().map_err(Error::internal)?,
        occurred_at: now,
        created_at: now,
        data: Bytes::from(data.to_string()),
        client: None,
        channels: Vec::new(),
        ordering_key: None,
        deliver_at: None,
        schema_version: None,
    })
}

/// What the catalogue shows of it.
pub(crate) fn view(name: &str) -> Option<EventTypeView> {
    let text = || json!({"type": "string"});
    let maybe = |kind: &str| json!({"type": [kind, "null"]});
    let (webhook, client) = ("wh_01k2x3v7m8e1r9q0s5t6w7y8za", "cli_01k2x3v7m8e1r9q0s5t6w7y8za");
    let (description, members, example) = match name {
        WEBHOOK_DISABLED => (
            "A webhook was disabled, though nobody asked for that: its receiver said 410, or nothing had arrived for days",
            json!({"webhookId": text(), "clientId": text(), "reason": text()}),
            json!({"webhookId": webhook, "clientId": client, "reason": "gone"}),
        ),
        WEBHOOK_FAILING => (
            "Nothing arrives at a webhook; deliveries are held back and its receiver is probed now and then",
            json!({"webhookId": text(), "clientId": text(), "failingSince": text()}),
            json!({"webhookId": webhook, "clientId": client, "failingSince": "2026-01-31T12:00:00.000Z"}),
        ),
        WEBHOOK_RECOVERED => (
            "Something arrived again at a webhook that was failing",
            json!({"webhookId": text(), "clientId": text()}),
            json!({"webhookId": webhook, "clientId": client}),
        ),
        DELIVERY_EXHAUSTED => (
            "A delivery failed for good",
            json!({"deliveryId": text(), "webhookId": text(), "clientId": text(), "eventId": text(), "eventType": text(), "reason": text(),
                   "attemptCount": {"type": "integer"}, "responseCode": maybe("integer"), "errorMessage": maybe("string")}),
            json!({"deliveryId": "dlv_01k2x3v7m8e1r9q0s5t6w7y8za", "webhookId": webhook, "clientId": client,
                   "eventId": "evt_01k2x3v7m8e1r9q0s5t6w7y8za", "eventType": "lead.created", "reason": "exhausted", "attemptCount": 10,
                   "responseCode": 500, "errorMessage": "the receiver answered 500"}),
        ),
        SOURCE_REJECTED => (
            "A source refused a call: its signature did not verify, or it could not be read",
            json!({"sourceId": text(), "provider": text(), "reason": text()}),
            json!({"sourceId": "src_01k2x3v7m8e1r9q0s5t6w7y8za", "provider": "github", "reason": "signature_mismatch"}),
        ),
        EVENT_QUARANTINED => (
            "An event broke its type's schema and waits to be released",
            json!({"eventId": text(), "eventType": text(), "reason": text()}),
            json!({"eventId": "evt_01k2x3v7m8e1r9q0s5t6w7y8za", "eventType": "lead.created", "reason": "/leadId: is required"}),
        ),
        _ => {
            let others = [alert_types::view, key_types::view, job_types::view, vault_types::view];
            return others.into_iter().find_map(|view| view(name));
        }
    };
    let required: Vec<&String> = members.as_object()?.keys().collect();
    let schema = json!({"type": "object", "required": required, "properties": members});
    Some(EventTypeView::of_ours(name, description, schema, example))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_schema_that_its_example_satisfies() {
        for &name in OPERATIONAL {
            let view = view(name).unwrap();
            let schema = blueprint::Schema::compile(&view.schema).unwrap();
            assert!(schema.check(&view.example, "").is_empty(), "{name}");
            assert!(!schema.check(&json!({}), "").is_empty(), "{name}");
        }
        assert!(view("lead.created").is_none() && !is_operational("webhook.other"));
    }
}
