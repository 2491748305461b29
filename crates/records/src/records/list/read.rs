//! The statements of lists.

use kernel::{Error, PageRequest, Result};
use store::{Tx, Value};

use super::choose::{self, RARE, Source};
use super::plan::{Place, Plan};
use super::{Found, Order};
use crate::query::{Binder, Columns, Test, stored};
use crate::records::sql;
use crate::search;

/// Highest number of rows that a list which is merged in memory skips: past it, go on by cursor.
const SKIPPED: u64 = 20_000;

/// The columns of a record `r`.
pub(crate) const COLUMNS: &str = "r.id, r.number, r.external_id, r.document, r.revision, r.created_at, r.updated_at";

/// At most `most` rows of a part of a list.
pub(super) fn page(tx: &mut Tx<'_>, plan: &Plan, page: &PageRequest, most: usize) -> Result<Vec<Found>> {
    let after = page.cursor.as_ref().map(|cursor| plan.place(cursor)).transpose()?;
    rows(tx, plan, after.as_ref(), page.offset(), most)
}

/// At most `most` rows after a place, or past `skip` rows from the beginning.
pub(crate) fn rows(tx: &mut Tx<'_>, plan: &Plan, after: Option<&Place>, skip: u64, most: usize) -> Result<Vec<Found>> {
    let part = Part { after, skip, most };
    match choose::source(tx, plan)? {
        Source::Newest => newest(tx, plan, &part),
        Source::Sorted => walk(tx, plan, &part, None),
        Source::Values(at) => values(tx, plan, at, &part),
        Source::Rare(at) => rare(tx, plan, at, &part),
        Source::Search => search::walk(tx, plan, after, part.skipped()?, most),
        Source::SearchSorted(at) => search_sorted(tx, plan, at, &part),
    }
}

/// Which rows of all.
struct Part<'a> {
    after: Option<&'a Place>,
    skip: u64,
    most: usize,
}

impl Part<'_> {
    fn skipped(&self) -> Result<usize> {
        if self.skip > SKIPPED {
            return Err(Error::field("/page", format!("lies more than {SKIPPED} rows into a searched list; go on by cursor")));
        }
        Ok(usize::try_from(self.skip).unwrap_or(usize::MAX))
    }
}

/// Reads [`COLUMNS`].
pub(super) fn record(row: &store::Row<'_>) -> Result<crate::records::Record> {
    sql::read(row)
}

fn read(row: &store::Row<'_>) -> Result<Found> {
    Ok((sql::read(row)?, row.get::<String>(7)?))
}

/// All conditions but those that the source fulfils.
pub(super) fn conditions(plan: &Plan, but: Option<usize>, columns: Columns<'_>, bind: &mut Binder) -> String {
    let rest = plan.conditions.iter().enumerate().filter(|(at, _)| Some(*at) != but);
    rest.map(|(_, condition)| format!(" AND {}", condition.sql(columns, bind))).collect()
}

/// That a record has what is looked for, where its row is not at hand.
fn needle(plan: &Plan, id: &str, bind: &mut Binder) -> String {
    let Some(needle) = &plan.needle else { return String::new() };
    let pattern = bind.bind(&needle.pattern);
    format!(" AND (SELECT t.search_text FROM records t WHERE t.tenant_id = ?1 AND t.id = {id}) LIKE {pattern} ESCAPE '!'")
}

/// That a record stands after the place where the list goes on.
pub(crate) fn beyond(order: &Order, after: Option<&Place>, value: Option<&str>, created: &str, id: &str, bind: &mut Binder) -> String {
    let Some(place) = after else { return String::new() };
    let compare = order.beyond();
    let first = value.zip(place.value.as_ref()).map(|(column, value)| (format!("{column}, "), format!("{}, ", bind.bind(value))));
    let (left, right) = first.unwrap_or_default();
    let (ms, last) = (bind.bind(place.created), bind.bind(place.id));
    format!(" AND ({left}{created}, {id}) {compare} ({right}{ms}, {last})")
}

fn newest(tx: &mut Tx<'_>, plan: &Plan, part: &Part<'_>) -> Result<Vec<Found>> {
    let mut bind = Binder(plan.params());
    let columns = Columns { id: "r.id", created: "r.created_at", own: None };
    let mut wanted = conditions(plan, None, columns, &mut bind);
    wanted.push_str(&beyond(&plan.order, part.after, None, "r.created_at", "r.id", &mut bind));
    let (limit, offset) = (bind.bind(rows_of(part.most)), bind.bind(part.skip));
    let direction = plan.order.direction();
    let sql = format!(
        "SELECT {COLUMNS}, '' FROM records r WHERE r.tenant_id = ?1 AND r.resource = ?2{wanted} \
         ORDER BY r.created_at {direction}, r.id {direction} LIMIT {limit} OFFSET {offset}"
    );
    tx.query(&sql, &bind.0, read)
}

/// Walks `record_fields` in the order of its index: of the member that the list is sorted by, or of one value of another.
fn walk(tx: &mut Tx<'_>, plan: &Plan, part: &Part<'_>, only: Option<(usize, &str, &str)>) -> Result<Vec<Found>> {
    let mut bind = Binder(plan.params());
    let member = only.map(|(_, member, _)| member).or(plan.order.field.as_deref()).unwrap_or_default();
    let field = bind.bind(member);
    let columns = Columns { id: "p.record_id", created: "p.created_at", own: Some((member, "p.value")) };
    let mut wanted = only.map_or_else(String::new, |(_, _, form)| format!(" AND p.value = {}", bind.bind(form)));
    wanted.push_str(&conditions(plan, only.map(|(at, ..)| at), columns, &mut bind));
    wanted.push_str(&needle(plan, "p.record_id", &mut bind));
    let value = only.is_none().then_some("p.value");
    wanted.push_str(&beyond(&plan.order, part.after, value, "p.created_at", "p.record_id", &mut bind));
    let (limit, offset) = (bind.bind(rows_of(part.most)), bind.bind(part.skip));
    let direction = plan.order.direction();
    let leading = value.map(|column| format!("{column} {direction}, ")).unwrap_or_default();
    let shown = if value.is_some() { "q.value" } else { "''" };
    // Apart from the join: PostgreSQL takes plans that differ by less than a hundredth for equal, and beside a walk that it thinks dear a scan of
    // all records for each row looks like that.
    let sql = format!(
        "WITH q AS MATERIALIZED (SELECT p.record_id, p.value FROM record_fields p WHERE p.tenant_id = ?1 AND p.resource = ?2 \
         AND p.field = {field}{wanted} ORDER BY {leading}p.created_at {direction}, p.record_id {direction} LIMIT {limit} OFFSET {offset}) \
         SELECT {COLUMNS}, {shown} FROM q CROSS JOIN records r WHERE r.tenant_id = ?1 AND r.id = q.record_id"
    );
    let mut found = tx.query(&sql, &bind.0, read)?;
    arrange(&mut found, &plan.order);
    Ok(found)
}

/// The records of a few values, merged.
fn values(tx: &mut Tx<'_>, plan: &Plan, at: usize, part: &Part<'_>) -> Result<Vec<Found>> {
    let Some((member, Test::OneOf(forms))) = choose::test(plan, at) else { return newest(tx, plan, part) };
    if let [form] = forms.as_slice() {
        return walk(tx, plan, part, Some((at, member, form)));
    }
    if part.skip > SKIPPED {
        return newest(tx, plan, part);
    }
    let skip = part.skipped()?;
    let each = Part { after: part.after, skip: 0, most: skip + part.most };
    let mut found = Vec::new();
    for form in forms {
        found.extend(walk(tx, plan, &each, Some((at, member, form)))?);
    }
    arrange(&mut found, &plan.order);
    Ok(found.into_iter().skip(skip).take(part.most).collect())
}

/// The few records of a rare value: all that match, sorted.
fn rare(tx: &mut Tx<'_>, plan: &Plan, at: usize, part: &Part<'_>) -> Result<Vec<Found>> {
    let Some((member, test)) = choose::test(plan, at) else { return newest(tx, plan, part) };
    let mut bind = Binder(plan.params());
    let field = bind.bind(member);
    let held = test.sql("p.value", &mut bind);
    let source = format!(
        "(SELECT p.record_id FROM record_fields p WHERE p.tenant_id = ?1 AND p.resource = ?2 AND p.field = {field} AND {held} LIMIT {RARE}) q"
    );
    few(tx, plan, part, &source, Some(at), bind)
}

/// The records that `source` names, as far as they match, sorted by the engine.
fn few(tx: &mut Tx<'_>, plan: &Plan, part: &Part<'_>, source: &str, but: Option<usize>, mut bind: Binder) -> Result<Vec<Found>> {
    let columns = Columns { id: "r.id", created: "r.created_at", own: None };
    let mut wanted = conditions(plan, but, columns, &mut bind);
    if let Some(needle) = &plan.needle {
        wanted.push_str(&format!(" AND r.search_text LIKE {} ESCAPE '!'", bind.bind(&needle.pattern)));
    }
    let value = plan.order.field.as_ref().map(|field| stored(field, "r.id", &mut bind));
    wanted.push_str(&beyond(&plan.order, part.after, value.as_deref(), "r.created_at", "r.id", &mut bind));
    let (limit, offset) = (bind.bind(rows_of(part.most)), bind.bind(part.skip));
    let direction = plan.order.direction();
    let leading = if value.is_some() { format!("8 {direction}, ") } else { String::new() };
    let sql = format!(
        "SELECT {COLUMNS}, {} FROM {source} CROSS JOIN records r WHERE r.tenant_id = ?1 AND r.resource = ?2 AND r.id = q.record_id{wanted} \
         ORDER BY {leading}r.created_at {direction}, r.id {direction} LIMIT {limit} OFFSET {offset}",
        value.as_deref().unwrap_or("''"),
    );
    tx.query(&sql, &bind.0, read)
}

/// If the search finds little, or little of it has the filter's value, that is sorted; otherwise a walk in the order of the list meets it soon.
fn search_sorted(tx: &mut Tx<'_>, plan: &Plan, at: Option<usize>, part: &Part<'_>) -> Result<Vec<Found>> {
    let filter = at.and_then(|at| choose::test(plan, at));
    match search::sorted(tx, plan, filter, part.after, part.skipped()?, part.most)? {
        Some(found) => Ok(found),
        None => walk(tx, plan, part, None),
    }
}

/// In the order of the list.
pub(crate) fn arrange(found: &mut [Found], order: &Order) {
    found.sort_by(|(a, a_value), (b, b_value)| {
        let up = (a_value, a.created_at, a.id).cmp(&(b_value, b.created_at, b.id));
        if order.descending { up.reverse() } else { up }
    });
}

/// A limit as a parameter.
pub(crate) fn rows_of(most: usize) -> Value {
    Value::from(u64::try_from(most).unwrap_or(u64::MAX))
}
