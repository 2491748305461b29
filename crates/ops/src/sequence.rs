//! The events of a webhook by their numbers.

use dispatch::deliveries::{self, DeliveryFilter};
use events::Sequence;
use kernel::{ClientId, Cursor, DestinationId, Error, EventId, PageRequest, Result, TenantId};
use store::Tx;

/// Deliveries that one statement reads.
const PAGE: u32 = 500;
/// Statements of one call: gaps are near the end.
const PAGES: usize = 40;
/// Deliveries are read in the order in which they were made, the newest first, which is nearly that of their numbers: nodes that publish
/// at once may cross each other. So much further back is read before a number counts as passed.
const SLACK: i64 = 1000;

/// Implements [`Sequence`] over the log of deliveries.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebhookSequence;

impl Sequence for WebhookSequence {
    fn after(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        client: Option<ClientId>,
        webhook: DestinationId,
        after: i64,
        most: usize,
    ) -> Result<Vec<(i64, EventId)>> {
        let found = dispatch::destinations::get(tx, tenant, webhook).map_err(|error| match error.kind() {
            kernel::Kind::NotFound => Error::not_found("webhook"),
            _ => error,
        })?;
        if client.is_some_and(|client| client != found.client) {
            return Err(Error::not_found("webhook"));
        }
        let filter = DeliveryFilter { destination: Some(webhook), ..DeliveryFilter::default() };
        let mut page = PageRequest { limit: PAGE, ..PageRequest::default() };
        let mut numbers = Vec::new();
        for _ in 0..PAGES {
            let rows = deliveries::list(tx, tenant, &filter, &page)?;
            let counted = || rows.data.iter().filter(|row| row.sequence > 0);
            numbers.extend(counted().filter(|row| row.sequence > after).map(|row| (row.sequence, row.event_id.clone())));
            let passed = counted().map(|row| row.sequence).max().is_some_and(|greatest| greatest < after.saturating_sub(SLACK));
            let last = rows.data.last().filter(|_| rows.pagination.next_cursor.is_some() && !passed);
            let Some(last) = last else {
                numbers.sort();
                numbers.dedup();
                numbers.truncate(most);
                return Ok(numbers);
            };
            page.cursor = Some(Cursor { key: 0, id: last.id.to_string() });
        }
        let detail = "This number is too far back. Poll with a consumer, or let the missing deliveries be sent again.";
        Err(Error::conflict("sequence_too_old", detail))
    }
}
