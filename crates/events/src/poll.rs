//! `events.poll`: reading on, with a place that the server keeps for a named consumer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use kernel::{Caller, DestinationId, Error, PageRequest, Permission, Result, TenantScope};
use serde::{Deserialize, Serialize};

use crate::ahead::{self, Found};
use crate::consumers::{self, ConsumerKey, Start};
use crate::interest::Interest;
use crate::position::Position;
use crate::wakes::{Kindred, Seat};
use crate::{EventView, Events};

/// Longest wait.
const MAX_WAIT_SECONDS: u64 = 30;
/// Wait before looking again at what an older transaction holds back.
const HELD: Duration = Duration::from_millis(20);

/// What to read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PollQuery {
    /// The name under which the server keeps the place.
    pub consumer: Option<String>,
    /// Where to go on. With a consumer it acknowledges everything before it.
    pub cursor: Option<String>,
    /// Types and patterns, separated by commas.
    pub event_types: Option<String>,
    /// Where a reader without a place begins.
    pub start: Start,
    /// How long to wait for something, at most 30.
    pub wait_seconds: u64,
    /// Instead: the deliveries of this webhook …
    pub webhook: Option<DestinationId>,
    /// … after this number of its sequence.
    pub after_sequence: Option<i64>,
}

/// An event that was read.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolledEvent {
    /// The event.
    #[serde(flatten)]
    pub event: EventView,
    /// The place after it: as `cursor` it goes on here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Its number in the sequence of the webhook that was asked for: the header `webhook-sequence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
}

/// What a poll answers.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Polled {
    /// The events, the oldest first.
    pub data: Vec<PolledEvent>,
    /// The place after them: send it as `cursor` with the next poll, which acknowledges them. Absent when a webhook was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Whether more is there already.
    pub has_more: bool,
    /// As in every list; `nextCursor` is `cursor`.
    pub pagination: kernel::page::Pagination,
}

impl Polled {
    fn new(found: Found, limit: u32) -> Self {
        let cursor = Some(found.next.encode());
        let each = |(place, event): (Position, EventView)| PolledEvent { event, cursor: Some(place.encode()), sequence: None };
        let pagination = kernel::page::Pagination { limit, next_cursor: cursor.clone(), ..Default::default() };
        Self { data: found.events.into_iter().map(each).collect(), cursor, has_more: found.more, pagination }
    }
}

/// Who waits, and for what.
struct Waiting<'a> {
    caller: &'a Caller,
    scope: &'a TenantScope,
    interest: &'a Interest,
    limit: usize,
}

impl Events {
    /// The events after the cursor, or after the place that the consumer has acknowledged; waits for some if it is asked to.
    ///
    /// Errors: 403; 400 `malformed_cursor`; 422 for a bad name, type or wait; 409 `too_many_consumers`; 404 for another's webhook.
    pub async fn poll(&self, caller: &Caller, query: PollQuery, limit: u32) -> Result<Polled> {
        let scope = caller.allow(Permission::EventsRead)?;
        if query.wait_seconds > MAX_WAIT_SECONDS {
            return Err(Error::field("/waitSeconds", format!("must be 0 to {MAX_WAIT_SECONDS}")));
        }
        if let Some(webhook) = query.webhook {
            return self.poll_webhook(caller, webhook, &query, limit).await;
        }
        if query.after_sequence.is_some() {
            return Err(Error::field("/afterSequence", "goes with webhook"));
        }
        let interest = Interest::new(caller, query.event_types.as_deref())?;
        let from = self.begin(caller, &scope, &query).await?;
        let waiting = Waiting { caller, scope: &scope, interest: &interest, limit: limit as usize };
        let found = self.wait(waiting, from, Duration::from_secs(query.wait_seconds)).await?;
        Ok(Polled::new(found, limit))
    }

    /// Where to read on; what the cursor acknowledges is kept.
    async fn begin(&self, caller: &Caller, scope: &TenantScope, query: &PollQuery) -> Result<Position> {
        let cursor = query.cursor.as_deref().map(Position::decode).transpose()?;
        let (tenant, start) = (scope.tenant(), query.start);
        let Some(name) = query.consumer.clone() else {
            return match cursor {
                Some(cursor) => Ok(cursor),
                None => self.store.read(scope, move |tx| start.position(tx, tenant)).await,
            };
        };
        let key = ConsumerKey::new(caller, name)?;
        let asked = key.clone();
        let known = self.store.read(scope, move |tx| consumers::committed(tx, tenant, &asked)).await?;
        // Most polls that find nothing change nothing: they cost no transaction.
        let stands = match (&known, &cursor) {
            (Some(known), Some(cursor)) => known >= cursor,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let committed = match known.filter(|_| stands) {
            Some(known) => known,
            None => {
                let place = cursor.clone();
                self.store.write(scope, move |tx| consumers::acknowledge(tx, tenant, &key, place, start)).await?
            }
        };
        Ok(cursor.unwrap_or(committed))
    }

    /// Looks, and looks again whenever something was committed, until there is something or the time is over.
    async fn wait(&self, who: Waiting<'_>, from: Position, wait: Duration) -> Result<Found> {
        let Waiting { caller, scope, interest, limit } = who;
        // Too many who wait: this one is answered at once, as if it had not asked to.
        let mut seat = if wait.is_zero() { None } else { self.wakes.sit(caller, scope.tenant(), Kindred::Poll).ok() };
        let (begun, mut from) = (Instant::now(), from);
        loop {
            seat.iter_mut().for_each(Seat::look);
            let found = self.look(scope, from, interest, limit).await?;
            let left = wait.saturating_sub(begun.elapsed());
            let Some(seat) = seat.as_mut().filter(|seat| found.events.is_empty() && !left.is_zero() && !seat.is_over()) else {
                return Ok(found);
            };
            if !found.more {
                seat.wait(if found.held { left.min(HELD) } else { left }).await;
            }
            from = found.next;
        }
    }

    /// One look from a place.
    pub(crate) async fn look(&self, scope: &TenantScope, from: Position, interest: &Interest, limit: usize) -> Result<Found> {
        let (tenant, interest) = (scope.tenant(), interest.clone());
        self.store.read(scope, move |tx| ahead::read(tx, tenant, &from, &interest, limit)).await
    }
}

pub(crate) async fn handle(
    State(events): State<Arc<Events>>,
    web::Auth(caller): web::Auth,
    web::Query(query): web::Query<PollQuery>,
    uri: axum::extract::RawQuery,
) -> web::Result<web::Json<Polled>> {
    Ok(web::Json(events.poll(&caller, query, limit(uri.0.as_deref().unwrap_or_default())?).await?))
}

/// `limit`, as in every list; the cursor is another one than theirs.
fn limit(query: &str) -> Result<u32> {
    let mut limits = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "limit").map(|(_, value)| value);
    let (limit, second) = (limits.next(), limits.next());
    if second.is_some() {
        return Err(Error::field("/limit", "must be given once"));
    }
    let limits = (kernel::page::DEFAULT_LIMIT, kernel::page::MAX_LIMIT);
    Ok(PageRequest::parse(limit.as_deref(), None, None, limits, 0)?.limit)
}
