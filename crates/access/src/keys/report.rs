//! Operational events about keys, in the transaction of what they tell of.

use std::sync::{Arc, OnceLock, Weak};

use events::Events;
use kernel::Result;
use serde_json::{Value, json};
use store::Tx;

use super::Stored;
use crate::{Access, background};

/// Who makes events. Weak: events do not need keys to live on.
#[derive(Clone, Default)]
pub(crate) struct Reporter(Arc<OnceLock<Weak<Events>>>);

impl Reporter {
    /// Emits `name` about `key`, with what `more` adds. Nothing of it is secret.
    pub(crate) fn report(&self, tx: &mut Tx<'_>, key: &Stored, name: &str, more: impl FnOnce(&mut Value)) -> Result<()> {
        let Some(events) = self.0.get().and_then(Weak::upgrade) else { return Ok(()) };
        let mut data = json!({
            "apiKeyId": key.id, "keyId": key.shown_id, "name": key.name, "clientId": key.client, "environment": key.environment,
            "lineageId": key.lineage, "expiresAt": key.expires_at, "lastUsedAt": key.last_used_at, "requestCount": key.request_count,
        });
        more(&mut data);
        events.report(tx, key.tenant, name, &data)
    }
}

impl Access {
    /// Sets who makes the operational events about keys, and begins to look for keys that end. Once, at wiring; without it nobody is told.
    /// Needs a tokio runtime.
    pub fn set_events(self: &Arc<Self>, events: &Arc<Events>) {
        match self.reporter.0.set(Arc::downgrade(events)) {
            Ok(()) => drop(tokio::spawn(background::remind_regularly(Arc::downgrade(self)))),
            Err(_) => debug_assert!(false, "the events are set once"),
        }
    }

    pub(crate) fn report(&self, tx: &mut Tx<'_>, key: &Stored, name: &str, more: impl FnOnce(&mut Value)) -> Result<()> {
        self.reporter.report(tx, key, name, more)
    }
}
