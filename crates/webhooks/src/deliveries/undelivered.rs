//! `deliveries.undelivered`: what a customer did not get, and why.
//!
//! Three lists under one address, since they are walked along three indexes: deliveries that ended without having arrived (the default); pairs
//! that a filter kept apart (`reason=filtered`), which stand in their event; and events that match a webhook but never had a delivery for it
//! (`reason=missing`), which stand nowhere and are looked for.

use std::sync::Arc;

use axum::extract::State;
use dispatch::deliveries::{DeliveryFilter, Status};
use events::{FilteredQuery, Stretch};
use kernel::{
    Caller, Cursor, DeliveryId, DestinationId, Error, Event, EventId, EventType, Page, PageRequest, Permission, Result, TenantId, Timestamp,
};
use serde::Serialize;
use serde_json::value::RawValue;
use store::Tx;

use super::{DeliveryQuery, DeliveryView, PAYLOAD_IN_LIST, raw, with_payloads};
use crate::index::Listener;
use crate::replays::missing::look;
use crate::{WebhookPath, Webhooks};

/// Events that one page looks through for what is missing.
const LOOK: u32 = 1000;

/// An event that a webhook did not get.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Undelivered {
    /// Its delivery ended otherwise.
    Ended(Box<DeliveryView>),
    /// It never had a delivery.
    Never(NeverAttempted),
}

/// A pair of event and webhook without a delivery.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NeverAttempted {
    /// Null: there is no delivery.
    pub id: Option<DeliveryId>,
    /// The event.
    pub event_id: EventId,
    /// The event's type.
    #[schema(value_type = String)]
    pub event_type: EventType,
    /// The webhook.
    pub webhook_id: DestinationId,
    /// `skipped`.
    pub status: Status,
    /// `filtered`: its filter turned the event away. `missing`: it was not there, or disabled, when the event was accepted.
    pub reason: &'static str,
    /// When the event was accepted.
    pub event_created_at: Timestamp,
    /// The event's `data`, unless it has more than 64 KiB.
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Box<RawValue>>,
}

impl NeverAttempted {
    fn of(event: &Event, webhook: DestinationId, reason: &'static str) -> Result<Self> {
        Ok(Self {
            id: None,
            event_id: event.id.clone(),
            event_type: event.event_type.clone(),
            webhook_id: webhook,
            status: Status::Skipped,
            reason,
            event_created_at: event.created_at,
            payload: (!event.data.is_empty() && event.data.len() <= PAYLOAD_IN_LIST).then(|| raw(&event.data)).transpose()?,
        })
    }
}

impl Webhooks {
    /// What failed or was skipped, the newest first; `reason` `filtered` and `missing` (for one webhook, the oldest first) ask for what never
    /// had a delivery. By cursor only.
    ///
    /// Errors: 404 for another's webhook; 422.
    pub async fn undelivered(&self, caller: &Caller, query: DeliveryQuery, page: PageRequest) -> Result<Page<Undelivered>> {
        let scope = caller.allow(Permission::WebhooksRead)?;
        let tenant = scope.tenant();
        if page.page.is_some() {
            return Err(Error::field("/page", "this list goes on by cursor only"));
        }
        if query.status.is_some_and(|status| !matches!(status, Status::Failed | Status::Skipped)) {
            return Err(Error::field("/status", "must be failed or skipped"));
        }
        if query.reason.as_deref() == Some("missing") && query.webhook_id.is_none() {
            return Err(Error::field("/webhookId", "must name the webhook that missed something"));
        }
        let now = self.ambient.now();
        self.store
            .read(scope, move |tx| match query.reason.as_deref() {
                Some("filtered") => filtered(tx, tenant, &query, &page),
                Some("missing") => missing(tx, tenant, &query, &page, now),
                _ => ended(tx, tenant, query, &page),
            })
            .await
    }
}

fn ended(tx: &mut Tx<'_>, tenant: TenantId, query: DeliveryQuery, page: &PageRequest) -> Result<Page<Undelivered>> {
    let filter = DeliveryFilter { lost: true, ..DeliveryFilter::from(query) };
    let found = dispatch::deliveries::list(tx, tenant, &filter, page)?;
    let rows = with_payloads(tx, tenant, found.data, PAYLOAD_IN_LIST)?;
    Ok(Page { data: rows.into_iter().map(|row| Undelivered::Ended(Box::new(row))).collect(), pagination: found.pagination })
}

/// A pair's place: the event's, and the webhook's among those that the event names.
fn cursor(row: &NeverAttempted) -> Cursor {
    Cursor { key: row.event_created_at.millis(), id: format!("{}.{}", row.event_id, row.webhook_id) }
}

fn event_of(cursor: &Cursor) -> Result<(Timestamp, EventId, String)> {
    let fault = || Error::malformed("malformed_cursor", "Send the cursor exactly as nextCursor gave it, or none to begin again.");
    let (event, webhook) = cursor.id.split_once('.').ok_or_else(fault)?;
    Ok((Timestamp::from_millis(cursor.key), event.parse().map_err(|_| fault())?, webhook.to_owned()))
}

fn filtered(tx: &mut Tx<'_>, tenant: TenantId, query: &DeliveryQuery, page: &PageRequest) -> Result<Page<Undelivered>> {
    let place = page.cursor.as_ref().map(event_of).transpose()?;
    let mut events = Vec::new();
    let search = FilteredQuery {
        destination: query.webhook_id,
        event_type: query.event_type.clone(),
        from: query.from,
        to: query.to,
        before: place.as_ref().map(|(at, id, _)| (*at, id.clone())),
    };
    // The event where the last page ended may have more webhooks to show.
    if let Some((at, id, _)) = &place {
        let next = Timestamp::from_millis(at.millis() + 1);
        let same = FilteredQuery { from: Some(*at), to: Some(next), before: None, ..search.clone() };
        events.extend(events::filtered(tx, tenant, &same, u32::MAX >> 1)?.into_iter().filter(|(event, _)| event.id == *id));
    }
    events.extend(events::filtered(tx, tenant, &search, page.limit + 1)?);
    let mut rows = Vec::new();
    for (event, webhooks) in events {
        let shown = place.as_ref().filter(|(_, id, _)| *id == event.id).map(|(_, _, webhook)| webhook.clone());
        for webhook in webhooks {
            let wanted =
                query.webhook_id.is_none_or(|only| only == webhook) && shown.as_ref().is_none_or(|last| webhook.to_string() > *last);
            if wanted {
                rows.push(NeverAttempted::of(&event, webhook, "filtered")?);
            }
        }
    }
    Ok(Page::from_rows(rows, page, None, cursor).map(Undelivered::Never))
}

fn missing(tx: &mut Tx<'_>, tenant: TenantId, query: &DeliveryQuery, page: &PageRequest, now: Timestamp) -> Result<Page<Undelivered>> {
    let webhook = query.webhook_id.ok_or_else(|| Error::not_found("webhook"))?;
    let listener = Listener::of(&WebhookPath::from(webhook).find(tx, tenant)?)?;
    let mut after = page.cursor.as_ref().map(event_of).transpose()?.map(|(at, id, _)| (at, id));
    let mut rows = Vec::new();
    let mut looked = 0;
    let wanted = usize::try_from(page.limit).unwrap_or(usize::MAX);
    while rows.len() <= wanted {
        let stretch = Stretch { from: query.from.unwrap_or_default(), to: query.to.unwrap_or(now), after: after.take(), limit: LOOK };
        let found = look(tx, tenant, &listener, &stretch)?;
        let matching = found.missing.iter().filter(|event| query.event_type.as_ref().is_none_or(|only| only == event.event_type.as_str()));
        for event in matching {
            rows.push(NeverAttempted::of(event, webhook, "missing")?);
        }
        looked += LOOK;
        let Some(next) = found.next else { break };
        if looked >= LOOK * 10 && rows.len() <= wanted {
            // A long stretch without anything: the next page goes on from here, whether or not this one has rows.
            let place = Cursor { key: next.0.millis(), id: format!("{}.{webhook}", next.1) };
            let mut part = Page::from_rows(rows, page, None, cursor).map(Undelivered::Never);
            part.pagination.next_cursor = Some(place.encode(page.bound));
            return Ok(part);
        }
        after = Some(next);
    }
    Ok(Page::from_rows(rows, page, None, cursor).map(Undelivered::Never))
}

pub(super) async fn handle(
    State(webhooks): State<Arc<Webhooks>>,
    web::Auth(caller): web::Auth,
    web::Query(query): web::Query<DeliveryQuery>,
    web::Paging(page): web::Paging,
) -> web::Result<web::Json<Page<Undelivered>>> {
    Ok(web::Json(webhooks.undelivered(&caller, query, page).await?))
}
