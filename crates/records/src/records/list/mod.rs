//! Many records: filtered, searched, in order, a page at a time.
//!
//! What is read, and in which order, is decided here and not by the engine (`choose.rs`): the index of one value holds its records in the
//! order of the list, and so does the search; what is rare is collected and sorted.

mod children;
mod choose;
mod count;
mod edges;
mod plan;
mod read;

use kernel::{Cursor, Page, PageRequest, Result, TenantScope};

use super::Record;
use crate::Records;
use crate::query::Query;

pub use edges::{Children, Edge, Edges};
pub(crate) use plan::{Order, Place, Plan};
pub(crate) use read::{COLUMNS, arrange, beyond, rows, rows_of};

/// A record in a list, with the value that the list is sorted by (empty, if it is by the creation time).
pub(crate) type Found = (Record, String);

impl Records {
    /// The records of `resource` that match, newest first unless another order is asked for.
    ///
    /// Errors: 404 for an unknown resource type, 422 for an undeclared filter or order or a hostile one, 400 `malformed_cursor`.
    pub async fn list(&self, scope: &TenantScope, resource: &str, query: Query) -> Result<Page<Record>> {
        let is_sorted = self.is_sorted(resource, &query)?;
        let (page, found, total) = self.find(scope, resource, query).await?;
        let place = |(record, value): &Found| place_of(record, value, is_sorted);
        Ok(Page::from_rows(found, &page, total, place).map(|(record, _)| record))
    }

    /// Whether a list is in the order of a member.
    fn is_sorted(&self, resource: &str, query: &Query) -> Result<bool> {
        let created = &self.resource_type(resource)?.resource().created_field;
        Ok(query.sort.as_ref().is_some_and(|sort| sort.field != *created))
    }

    /// The rows of a part of a list, one more than its limit if there are more, and the number of all matches if that was asked for.
    async fn find(&self, scope: &TenantScope, resource: &str, query: Query) -> Result<(PageRequest, Vec<Found>, Option<u64>)> {
        let kind = self.resource_type(resource)?;
        let plan = Plan::new(kind, scope.tenant(), &query)?;
        let (page, total) = (query.page, query.total);
        self.store
            .read(scope, move |tx| {
                // One more than asked for tells whether there is more.
                let found = read::page(tx, &plan, &page, page.limit as usize + 1)?;
                let total = if total { Some(count::all(tx, &plan, &page, found.len())?) } else { None };
                Ok((page, found, total))
            })
            .await
    }
}

/// The place of a record in a list; with the value, if the list is sorted by a member.
fn place_of(record: &Record, value: &str, is_sorted: bool) -> Cursor {
    let id = if is_sorted { format!("{}.{value}", record.id) } else { record.id.to_string() };
    Cursor { key: record.created_at.millis(), id }
}
