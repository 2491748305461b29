//! Storing the events of a verified call.

use std::sync::Arc;

use events::Envelope;
use kernel::{Error, Event, EventId, Result, TenantScope, Timestamp};
use serde::Serialize;
use store::Tx;

use super::interpret::Found;
use crate::Sources;
use crate::cache::Loaded;
use crate::sources::sql;

/// What became of a verified call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Events that it brought, new and known before.
    pub events: Vec<EventId>,
    /// How many of them were known before: the call, or that part of it, is a repetition.
    pub repeated: usize,
    /// How many were passed over by the source's `events` or `filter`.
    pub filtered: usize,
}

impl Outcome {
    /// For the metric.
    pub(crate) fn name(&self) -> &'static str {
        match self.events.len() {
            0 => "filtered",
            count if count == self.repeated => "repeated",
            _ => "accepted",
        }
    }
}

impl Sources {
    /// Stores what the source wants of `found`, in one transaction, and answers after the commit.
    ///
    /// Error: 404 when the source was deleted or disabled meanwhile.
    pub(crate) async fn accept(&self, source: Arc<Loaded>, found: Vec<Found>, at: Timestamp) -> Result<Outcome> {
        let (wanted, filtered) = self.select(&source, found, at);
        if wanted.is_empty() {
            return Ok(Outcome { filtered, ..Outcome::default() });
        }
        let events = Arc::clone(&self.events);
        let scope = TenantScope::system("sources", source.tenant);
        let emitted = self.store.write(scope, move |tx| emit(tx, &events, &source, wanted)).await?;
        Ok(Outcome { filtered, ..emitted })
    }

    /// The events that the source wants, and how many it does not.
    pub(crate) fn select(&self, source: &Loaded, found: Vec<Found>, at: Timestamp) -> (Vec<Event>, usize) {
        let count = found.len();
        let events = found.into_iter().map(|found| Event {
            tenant: source.tenant,
            id: found.id.unwrap_or_else(|| self.ambient.event_id()),
            event_type: found.event_type,
            occurred_at: at,
            created_at: at,
            data: found.data,
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        });
        let wanted: Vec<Event> = events.filter(|event| source.wants(event)).collect();
        let filtered = count - wanted.len();
        (wanted, filtered)
    }
}

/// The part inside the transaction. The source is looked at once more: nothing enters by one that is gone.
fn emit(tx: &mut Tx<'_>, events: &events::Events, source: &Loaded, wanted: Vec<Event>) -> Result<Outcome> {
    if !sql::is_enabled(tx, source.tenant, source.id)? {
        return Err(Error::not_found("source"));
    }
    emit_anyway(tx, events, wanted)
}

/// The same for a source that need not be enabled: a release.
pub(crate) fn emit_anyway(tx: &mut Tx<'_>, events: &events::Events, wanted: Vec<Event>) -> Result<Outcome> {
    let emitted = events.emit(tx, wanted)?;
    Ok(Outcome {
        repeated: emitted.iter().filter(|event| !event.is_new).count(),
        events: emitted.into_iter().map(|event| event.id).collect(),
        filtered: 0,
    })
}

impl Loaded {
    /// Whether this event passes `events` and `filter`.
    fn wants(&self, event: &Event) -> bool {
        let whole = event.event_type.as_str();
        let short = whole.splitn(3, '.').nth(2).unwrap_or(whole);
        let named = self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(short) || pattern.matches(whole));
        named && self.filter.as_ref().is_none_or(|filter| filter.accepts(&Envelope::new(event)))
    }
}
