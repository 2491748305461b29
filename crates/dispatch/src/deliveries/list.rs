//! Lists of deliveries, newest first.
//!
//! Every list is a walk along an index, from its newest row to the last one that is shown: by id (which begins with the time), by
//! destination, along what has not arrived, or by event. Pending and finished rows are walked apart and merged by the outer `ORDER BY`;
//! what stands on slips, which is little, is added.

use std::time::Duration;

use kernel::id::TypedId as _;
use kernel::{ClientId, Cursor, DeliveryId, DestinationId, EventId, Page, PageRequest, Result, TenantId, Timestamp};
use store::{Tx, Value};

use super::{Delivery, Status, sql};
use crate::queue::{Pending, slips};

/// How long after its event's acceptance a delivery's row can be made, with room to spare; what a replay makes stands in `replayed`.
pub(crate) const PLANNED_WITHIN: Duration = Duration::from_mins(10);
/// Clocks and rounding.
pub(crate) const SLACK: Duration = Duration::from_secs(5);

/// Which deliveries; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// How far they are.
    pub status: Option<Status>,
    /// Everything that has not arrived: pending, failed or skipped.
    pub undelivered: bool,
    /// Everything that ended without having arrived: failed or skipped.
    pub lost: bool,
    /// Why they ended.
    pub reason: Option<String>,
    /// Of this type of event.
    pub event_type: Option<String>,
    /// Of this event.
    pub event: Option<EventId>,
    /// For this destination.
    pub destination: Option<DestinationId>,
    /// For this client's destinations.
    pub client: Option<ClientId>,
    /// Made at this time or later.
    pub from: Option<Timestamp>,
    /// Made before this time.
    pub to: Option<Timestamp>,
    /// With this last status of the receiver.
    pub code: Option<u16>,
}

/// Conditions and their parameters.
pub(super) struct Where {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Where {
    pub(super) fn and(&mut self, column_and_operator: &str, value: impl Into<Value>) {
        let place = self.place(value);
        self.text.push_str(&format!(" AND {column_and_operator} ?{place}"));
    }

    pub(super) fn place(&mut self, value: impl Into<Value>) -> usize {
        self.values.push(value.into());
        self.values.len()
    }
}

/// The tenant's deliveries, newest first.
pub fn list(tx: &mut Tx<'_>, tenant: TenantId, filter: &DeliveryFilter, page: &PageRequest) -> Result<Page<Delivery>> {
    let mut both = conditions(tenant, filter);
    if let Some(cursor) = &page.cursor {
        both.and("id <", cursor.id.as_str());
    }
    let mut arms = Vec::new();
    if wants_pending(filter) {
        arms.extend(pending(tx, tenant, filter, &mut both)?);
    }
    if filter.status != Some(Status::Pending) {
        let finished = finished(filter, &mut both);
        arms.push(format!("SELECT {} FROM deliveries WHERE {finished}", sql::FINISHED));
    }
    let on_slips = on_slips(tx, tenant, filter, page)?;
    // What stands on slips comes between: then the rows before this page are needed as well.
    let offset = if on_slips.is_empty() { page.offset() } else { 0 };
    let rows = if arms.is_empty() { Vec::new() } else { select(tx, &arms, both, page, offset)? };
    Ok(Page::from_rows(merge(on_slips, rows, page), page, None, cursor))
}

/// The rows of all arms after the first `offset`, up to the page's end.
fn select(tx: &mut Tx<'_>, arms: &[String], mut both: Where, page: &PageRequest, offset: u64) -> Result<Vec<Delivery>> {
    let most = page.offset().saturating_add(u64::from(page.limit) + 1);
    let (limit, most, offset) = (both.place(most - offset), both.place(most), both.place(offset));
    // Each arm is cut before they meet, so that neither engine sorts more than is shown.
    let cut = |(n, arm): (usize, &String)| format!("SELECT * FROM ({arm} ORDER BY id DESC LIMIT ?{most}) AS arm{n}");
    let arms: Vec<String> = arms.iter().enumerate().map(cut).collect();
    let text = format!("{} ORDER BY id DESC LIMIT ?{limit} OFFSET ?{offset}", arms.join(" UNION ALL "));
    tx.query(&text, &both.values, sql::read)
}

/// What is pending on slips and matches, the newest first.
fn on_slips(tx: &mut Tx<'_>, tenant: TenantId, filter: &DeliveryFilter, page: &PageRequest) -> Result<Vec<Delivery>> {
    if !wants_pending(filter) {
        return Ok(Vec::new());
    }
    let after = page.cursor.as_ref().map(|cursor| cursor.id.as_str());
    let wanted = |row: &Pending| filter.takes_unattempted(row) && after.is_none_or(|after| row.id.to_string().as_str() < after);
    Ok(slips::of_tenant(tx, tenant, wanted)?.into_iter().map(Delivery::from).collect())
}

/// Brings both together, and leaves out what stands before the page if there is anything on slips.
fn merge(on_slips: Vec<Delivery>, mut rows: Vec<Delivery>, page: &PageRequest) -> Vec<Delivery> {
    if on_slips.is_empty() {
        return rows;
    }
    rows.extend(on_slips);
    rows.sort_by_key(|row| std::cmp::Reverse(row.id));
    let offset = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    rows.into_iter().skip(offset).take(page.limit as usize + 1).collect()
}

impl DeliveryFilter {
    /// Whether a pending delivery that no attempt was made for is asked for.
    fn takes_unattempted(&self, row: &Pending) -> bool {
        self.destination.is_none_or(|id| row.destination == id)
            && self.client.is_none_or(|id| row.client == id)
            && self.event_type.as_ref().is_none_or(|name| row.event_type.as_str() == name)
            && self.event.as_ref().is_none_or(|id| row.event_id == *id)
            && self.from.is_none_or(|from| row.id >= DeliveryId::first_at(from) && row.created_at >= from)
            && self.to.is_none_or(|to| row.id < DeliveryId::first_at(to) && row.created_at < to)
            && self.code.is_none()
    }
}

fn cursor(row: &Delivery) -> Cursor {
    Cursor { key: 0, id: row.id.to_string() }
}

fn wants_pending(filter: &DeliveryFilter) -> bool {
    filter.reason.is_none() && !filter.lost && filter.status.is_none_or(|status| status == Status::Pending)
}

/// The arms that read the queue. Of one event, by the time at which its deliveries were planned, and through what replays noted.
fn pending(tx: &mut Tx<'_>, tenant: TenantId, filter: &DeliveryFilter, both: &mut Where) -> Result<Vec<String>> {
    let Some(event) = &filter.event else {
        return Ok(vec![format!("SELECT {} FROM queue WHERE {}", sql::PENDING, both.text)]);
    };
    let Some(at) = events::accepted_at(tx, tenant, event)? else { return Ok(Vec::new()) };
    let (first, last, place) = (both.place(planned_from(at)), both.place(planned_until(at)), both.place(event));
    let head = format!("SELECT {} FROM queue WHERE {}", sql::PENDING, both.text);
    let planned = format!("{head} AND id >= ?{first} AND id < ?{last}");
    let noted = format!("SELECT delivery_id FROM replayed WHERE tenant_id = ?1 AND event_id = ?{place}");
    let of_replays = format!("{head} AND id IN ({noted}) AND id >= ?{last}");
    Ok(vec![planned, of_replays])
}

/// No delivery that was planned with an event accepted at `at` has a smaller id.
pub(crate) fn planned_from(at: Timestamp) -> DeliveryId {
    DeliveryId::first_at(at.minus(SLACK))
}

/// All of them have smaller ids.
pub(crate) fn planned_until(at: Timestamp) -> DeliveryId {
    DeliveryId::first_at(at.plus(PLANNED_WITHIN))
}

/// The conditions on finished rows. `status <> 'delivered'` stands in the text, or no planner would take the partial indexes.
pub(super) fn finished(filter: &DeliveryFilter, both: &mut Where) -> String {
    let shared = both.text.clone();
    let arrived = filter.status == Some(Status::Delivered) || filter.reason.as_deref() == Some("delivered");
    let lost = filter.undelivered || filter.lost || (!arrived && (filter.status.is_some() || filter.reason.is_some()));
    if lost {
        both.text.push_str(" AND status <> 'delivered'");
    }
    if let Some(status) = filter.status {
        both.and("status =", status.as_str());
    }
    if let Some(reason) = &filter.reason {
        both.and("reason =", reason);
    }
    std::mem::replace(&mut both.text, shared)
}

/// What holds for pending and finished rows alike.
pub(super) fn conditions(tenant: TenantId, filter: &DeliveryFilter) -> Where {
    let mut both = Where { text: "tenant_id = ?1".to_owned(), values: vec![tenant.into()] };
    if let Some(destination) = filter.destination {
        both.and("destination_id =", destination);
    }
    if let Some(client) = filter.client {
        both.and("client_id =", client);
    }
    if let Some(event_type) = &filter.event_type {
        both.and("event_type =", event_type);
    }
    if let Some(event) = &filter.event {
        both.and("event_id =", event);
    }
    // An id begins with the time, so that the walk begins and ends there; the column tells PostgreSQL which partitions matter.
    if let Some(from) = filter.from {
        both.and("id >=", DeliveryId::first_at(from));
        both.and("created_at >=", from);
    }
    if let Some(to) = filter.to {
        both.and("id <", DeliveryId::first_at(to));
        both.and("created_at <", to);
    }
    if let Some(code) = filter.code {
        both.and("last_status_code =", code);
    }
    both
}
