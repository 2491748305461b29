//! What a list is to read, checked against its resource type.

use std::sync::Arc;

use kernel::{Cursor, Error, RecordId, Result, TenantId};
use store::Value;

use crate::query::{Condition, Query};
use crate::records::Record;
use crate::resource_type::ResourceType;
use crate::search::Needle;

/// What a list is to read.
pub(crate) struct Plan {
    pub(crate) tenant: TenantId,
    pub(crate) kind: Arc<ResourceType>,
    /// All must hold.
    pub(crate) conditions: Vec<Condition>,
    pub(crate) needle: Option<Needle>,
    pub(crate) order: Order,
}

/// The order of a list; records with the same value follow each other in the order of their creation.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// The member; none: the creation time.
    pub(crate) field: Option<String>,
    pub(crate) descending: bool,
}

/// A place in a list: go on after here.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) value: Option<String>,
    pub(crate) created: i64,
    pub(crate) id: RecordId,
}

impl Plan {
    pub(crate) fn new(kind: &Arc<ResourceType>, tenant: TenantId, query: &Query) -> Result<Self> {
        let needle = match &query.search {
            Some(text) => Needle::of(kind, text)?,
            None => None,
        };
        let order = match &query.sort {
            Some(sort) => order(kind, &sort.field, sort.descending)?,
            None => Order { field: None, descending: true },
        };
        Ok(Self { tenant, kind: Arc::clone(kind), conditions: Condition::of(kind, &query.filter)?, needle, order })
    }

    /// The first two parameters of every statement.
    pub(crate) fn params(&self) -> Vec<Value> {
        vec![self.tenant.into(), self.kind.name().into()]
    }

    /// The place that a cursor names. Error: 400 `malformed_cursor`, if it is of another list.
    pub(crate) fn place(&self, cursor: &Cursor) -> Result<Place> {
        let fault = || Error::malformed("malformed_cursor", "This cursor belongs to another list. Send none to begin again.");
        let (id, value) = match (&self.order.field, cursor.id.split_once('.')) {
            (None, None) => (cursor.id.as_str(), None),
            (Some(_), Some((id, value))) => (id, Some(value.to_owned())),
            _ => return Err(fault()),
        };
        Ok(Place { value, created: cursor.key, id: id.parse().map_err(|_| fault())? })
    }
}

impl Order {
    /// SQL's word.
    pub(crate) fn direction(&self) -> &'static str {
        if self.descending { "DESC" } else { "ASC" }
    }

    /// Whether a row stands after a place.
    pub(crate) fn is_beyond(&self, after: Option<&Place>, (record, value): &(Record, String)) -> bool {
        let Some(place) = after else { return true };
        let own = (value.as_str(), record.created_at.millis(), record.id);
        let theirs = (place.value.as_deref().unwrap_or_default(), place.created, place.id);
        if self.descending { own < theirs } else { own > theirs }
    }

    /// SQL's comparison with the place after which a list goes on.
    pub(crate) fn beyond(&self) -> &'static str {
        if self.descending { "<" } else { ">" }
    }
}

fn order(kind: &ResourceType, field: &str, descending: bool) -> Result<Order> {
    let resource = kind.resource();
    if field == resource.created_field {
        return Ok(Order { field: None, descending });
    }
    if !resource.sort.iter().any(|name| name == field) {
        let names: Vec<&str> = resource.sort.iter().chain([&resource.created_field]).map(String::as_str).collect();
        return Err(Error::field("/sort", format!("must be one of {}", names.join(", "))));
    }
    Ok(Order { field: Some(field.to_owned()), descending })
}
