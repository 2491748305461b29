//! Lists: what is asked for becomes the query that REST asks too, and its rows a part of a connection.

use std::sync::Arc;

use kernel::{Cursor, Error, PageRequest, Result};
use records::{Edges, Filter, Operand, Query, Sort};
use serde_json::Value;

use super::Run;
use super::arguments::{Arguments, filter, text};
use super::collect::{Chosen, asks_for};
use super::thing::{Listed, Raw, Thing};
use crate::documents::cost::UNSAID;
use crate::model::{Exposed, Field, Form, Model};

/// Most records of one list.
const MAX: u64 = 100;

/// A list that is to be read.
pub(super) struct Asked {
    /// What of.
    pub(super) query: Query,
    /// How many are wanted, which may be none.
    wanted: usize,
    /// Whether they are wanted from the end: the order of `query` is turned around.
    backwards: bool,
    /// Whether a place was named to go on from.
    from_place: bool,
}

/// What `arguments` ask of a list. `name`: of the list, which its cursors are bound to.
///
/// Errors: 422 `validation_failed`, 400 `malformed_cursor`, `invalid_cursor`.
pub(super) fn asked(model: &Model, exposed: &Exposed, field: &Field, name: &str, arguments: &Arguments) -> Result<Asked> {
    let number = |name: &str| arguments.get(name).filter(|value| !value.is_null());
    let (first, last) = (number("first").or_else(|| number("limit")), number("last"));
    let (after, before) = (text(arguments, "after"), text(arguments, "before"));
    let backwards = last.is_some() || first.is_none() && before.is_some();
    if first.is_some() && (last.is_some() || before.is_some()) || last.is_some() && after.is_some() || after.is_some() && before.is_some() {
        return Err(Error::field("/first", "goes with after; last goes with before"));
    }
    let (count, pointer) = if backwards { (last, "/last") } else { (first, "/first") };
    let wanted = match count {
        None => UNSAID,
        Some(value) => value.as_u64().filter(|count| *count <= MAX).ok_or_else(|| Error::field(pointer, format!("must be 0 to {MAX}")))?,
    };
    let of_filter = field.arguments.iter().find(|argument| argument.name == "filter").map_or("", |argument| argument.ty.name());
    let sent = arguments.get("filter").cloned().unwrap_or_default();
    let equal = equalities(field, arguments);
    let (search, sort) = (text(arguments, "search").map(str::to_owned), order(exposed, arguments)?);
    let bound = [("filter", format!("{sent}{equal:?}")), ("search", search.clone().unwrap_or_default()), ("sort", format!("{sort:?}"))];
    let bound = kernel::page::binding(name, bound.map(|(name, value)| (name.to_owned(), value)));
    let place = if backwards { before } else { after };
    let cursor = place.map(|text| Cursor::decode_for(text, bound)).transpose()?;
    let from_place = cursor.is_some();
    let sort = if backwards { Some(turned(exposed, sort)) } else { sort };
    let limit = u32::try_from(wanted.max(1)).unwrap_or(1);
    let query = Query {
        filter: equal.and(filter(model, of_filter, &sent)),
        search,
        sort,
        page: PageRequest { limit, cursor, page: None, bound },
        ..Query::default()
    };
    Ok(Asked { query, wanted: usize::try_from(wanted).unwrap_or_default(), backwards, from_place })
}

/// Arguments that are comparisons by themselves: those with a place in the record.
fn equalities(field: &Field, arguments: &Arguments) -> Filter {
    let each = field.arguments.iter().filter_map(|argument| {
        let value = arguments.get(&argument.name).filter(|value| !value.is_null())?;
        Some(Filter::eq(argument.member.first()?.clone(), Operand::Json(value.clone())))
    });
    Filter::All(each.collect())
}

fn order(exposed: &Exposed, arguments: &Arguments) -> Result<Option<Sort>> {
    let Some(sort) = arguments.get("sort").filter(|sort| !sort.is_null()) else { return Ok(None) };
    let word = sort.get("field").and_then(Value::as_str).unwrap_or_default();
    let member = exposed.sorts.get(word).ok_or_else(|| Error::field("/sort", "is not an order of this list"))?;
    let descending = sort.get("direction").and_then(Value::as_str) == Some("DESC");
    Ok(Some(Sort { field: member.clone(), descending }))
}

/// The same order from its end.
fn turned(exposed: &Exposed, sort: Option<Sort>) -> Sort {
    let newest = || Sort { field: exposed.kind.resource().created_field.clone(), descending: true };
    let Sort { field, descending } = sort.unwrap_or_else(newest);
    Sort { field, descending: !descending }
}

impl Asked {
    /// What was read, as a part of a connection.
    pub(super) fn part(&self, found: Edges) -> Listed {
        let mut edges: Vec<_> = found.edges.into_iter().map(|edge| (Arc::new(edge.record), edge.cursor)).collect();
        let more = found.has_more || edges.len() > self.wanted;
        edges.truncate(self.wanted);
        if self.backwards {
            edges.reverse();
        }
        let (has_next, has_previous) = if self.backwards { (self.from_place, more) } else { (more, self.from_place) };
        Listed { edges, bound: self.query.page.bound, has_next, has_previous, total: found.total }
    }
}

/// A part of a list in the form in which the schema shows it.
pub(super) fn shown(form: Form, listed: Listed) -> Raw {
    match form {
        Form::Connection => Raw::One(Thing::Listed(Arc::new(listed))),
        Form::Plain => Raw::Many(listed.edges.into_iter().map(|(record, _)| Raw::One(Thing::Record(record))).collect()),
    }
}

impl Run<'_> {
    /// The records of a resource type.
    pub(super) async fn list(&self, exposed: &Exposed, form: Form, field: &Field, one: &Chosen<'_>, arguments: &Arguments) -> Result<Raw> {
        let scope = self.read(exposed)?;
        let name = format!("graphql/{}", exposed.kind.name());
        let mut asked = asked(self.ready.model, exposed, field, &name, arguments)?;
        asked.query.total = form == Form::Connection && asks_for(self.ready, &one.sets, "totalCount");
        let found = self.sources.records.edges(&scope, exposed.kind.name(), asked.query.clone()).await?;
        Ok(shown(form, asked.part(found)))
    }
}
