//! Lists of deliveries, newest first.

use kernel::{ClientId, Cursor, DestinationId, EventId, Page, PageRequest, Result, TenantId, Timestamp};
use store::{Tx, Value};

use super::{Delivery, Status, sql};

/// Which deliveries; what is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// How far they are.
    pub status: Option<Status>,
    /// Everything that has not arrived: pending, failed or skipped.
    pub undelivered: bool,
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
struct Where {
    text: String,
    values: Vec<Value>,
}

impl Where {
    fn and(&mut self, column_and_operator: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.text.push_str(&format!(" AND {column_and_operator} ?{}", self.values.len()));
    }
}

/// The tenant's deliveries, newest first.
pub fn list(tx: &mut Tx<'_>, tenant: TenantId, filter: &DeliveryFilter, page: &PageRequest) -> Result<Page<Delivery>> {
    let mut both = conditions(tenant, filter);
    if let Some(cursor) = &page.cursor {
        both.and("id <", cursor.id.as_str());
    }
    let wants_pending = filter.reason.is_none() && filter.status.is_none_or(|status| status == Status::Pending);
    let wants_finished = filter.status != Some(Status::Pending);
    let shared = both.text.clone();
    let mut arms = Vec::new();
    if wants_pending {
        arms.push(format!("SELECT {} FROM queue WHERE {shared}", sql::PENDING));
    }
    if wants_finished {
        both.text = shared;
        if let Some(status) = filter.status {
            both.and("status =", status.as_str());
        }
        if filter.undelivered {
            both.and("status <>", Status::Delivered.as_str());
        }
        if let Some(reason) = &filter.reason {
            both.and("reason =", reason);
        }
        arms.push(format!("SELECT {} FROM deliveries WHERE {}", sql::FINISHED, both.text));
    }
    if arms.is_empty() {
        return Ok(Page::from_rows(Vec::new(), page, None, cursor));
    }
    let mut values = both.values;
    values.extend([Value::from(page.limit + 1), page.offset().into()]);
    let text = format!("{} ORDER BY id DESC LIMIT ?{} OFFSET ?{}", arms.join(" UNION ALL "), values.len() - 1, values.len());
    let rows = tx.query(&text, &values, sql::read)?;
    Ok(Page::from_rows(rows, page, None, cursor))
}

fn cursor(row: &Delivery) -> Cursor {
    Cursor { key: 0, id: row.id.to_string() }
}

fn conditions(tenant: TenantId, filter: &DeliveryFilter) -> Where {
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
    if let Some(from) = filter.from {
        both.and("created_at >=", from);
    }
    if let Some(to) = filter.to {
        both.and("created_at <", to);
    }
    if let Some(code) = filter.code {
        both.and("last_status_code =", code);
    }
    both
}
