//! Many records: filtered, searched, in order, a page at a time.

use kernel::{Cursor, Error, Page, PageRequest, RecordId, Result, TenantId, TenantScope};
use store::{Tx, Value};

use super::{Record, sql};
use crate::resource_type::ResourceType;
use crate::{Records, fields, search};

/// What a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    /// Declared filters: member and the text that its value must equal. Several: all must hold.
    pub filters: Vec<(String, String)>,
    /// Text that a searchable member must contain, whatever the case.
    pub search: Option<String>,
    /// The order; none: newest first.
    pub sort: Option<Sort>,
    /// Which part.
    pub page: PageRequest,
    /// Whether to count all matches.
    pub total: bool,
}

/// An order: by a declared member, or by the creation time under its wire name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    /// The member.
    pub field: String,
    /// Largest first.
    pub descending: bool,
}

impl Records {
    /// The records of `resource` that match, newest first unless another order is asked for.
    ///
    /// Errors: 404 for an unknown resource type, 422 for an undeclared filter or order, 400 `malformed_cursor`.
    pub async fn list(&self, scope: &TenantScope, resource: &str, query: ListQuery) -> Result<Page<Record>> {
        let kind = self.resource_type(resource)?;
        let plan = Plan::new(kind, scope.tenant(), &query)?;
        let page = query.page;
        self.store.read(scope, move |tx| read(tx, &plan, &page, query.total)).await
    }
}

/// A list's statement in the making.
struct Plan {
    from: String,
    conditions: Vec<String>,
    params: Vec<Value>,
    /// The columns that order the list, largest last in significance: perhaps a member's value, then the creation time and the id.
    value: Option<&'static str>,
    created: &'static str,
    id: &'static str,
    descending: bool,
}

impl Plan {
    fn new(kind: &ResourceType, tenant: TenantId, query: &ListQuery) -> Result<Self> {
        let mut plan = Self {
            from: "records r".to_owned(),
            conditions: vec!["r.tenant_id = ?1 AND r.resource = ?2".to_owned()],
            params: vec![tenant.into(), kind.name().into()],
            value: None,
            created: "r.created_at",
            id: "r.id",
            descending: true,
        };
        for (i, (member, text)) in query.filters.iter().enumerate() {
            plan.filter(kind, i, member, text)?;
        }
        if let Some(pattern) = query.search.as_deref().map(search::parameter).transpose()?.flatten() {
            let n = plan.bind(pattern.into());
            plan.conditions.push(search::condition(n));
        }
        if let Some(sort) = &query.sort {
            plan.sort(kind, sort)?;
        }
        Ok(plan)
    }

    fn bind(&mut self, value: Value) -> usize {
        self.params.push(value);
        self.params.len()
    }

    /// A row of `record_fields` joined as `alias`.
    fn join(&mut self, alias: &str, member: &str) {
        let n = self.bind(member.into());
        self.from.push_str(&format!(
            " JOIN record_fields {alias} ON {alias}.record_id = r.id AND {alias}.tenant_id = ?1 AND {alias}.resource = ?2 AND {alias}.field = ?{n}"
        ));
    }

    fn filter(&mut self, kind: &ResourceType, i: usize, member: &str, text: &str) -> Result<()> {
        let pointer = crate::document::pointer(member);
        if !kind.resource().filters.iter().any(|name| name == member) {
            return Err(Error::field(pointer, "is not a filter of this list"));
        }
        if text.contains('\0') {
            return Err(Error::field(pointer, "must not contain NUL"));
        }
        let candidates = fields::candidates(kind, member, text);
        if candidates.is_empty() {
            // A number is looked for, and this is none: nothing matches.
            self.conditions.push("1 = 0".to_owned());
            return Ok(());
        }
        let alias = format!("f{i}");
        self.join(&alias, member);
        if i == 0 && candidates.len() == 1 {
            // The index on one value holds its records in the order of the list.
            (self.created, self.id) = ("f0.created_at", "f0.record_id");
        }
        let places: Vec<String> = candidates.into_iter().map(|form| format!("?{}", self.bind(form.into()))).collect();
        self.conditions.push(format!("{alias}.value IN ({})", places.join(", ")));
        Ok(())
    }

    fn sort(&mut self, kind: &ResourceType, sort: &Sort) -> Result<()> {
        self.descending = sort.descending;
        if sort.field == kind.resource().created_field {
            return Ok(());
        }
        if !kind.resource().sort.contains(&sort.field) {
            return Err(Error::field("/sort", format!("must be one of {}", choices(kind))));
        }
        self.join("s", &sort.field);
        (self.value, self.created, self.id) = (Some("s.value"), "s.created_at", "s.record_id");
        Ok(())
    }

    /// Goes on after the row that the cursor names.
    fn after(&self, cursor: &Cursor) -> Result<(String, Vec<Value>)> {
        let fault = || Error::malformed("malformed_cursor", "This cursor belongs to another list. Send none to begin again.");
        let compare = if self.descending { '<' } else { '>' };
        let next = self.params.len() + 1;
        let (id, value) = match (self.value, cursor.id.split_once('.')) {
            (None, None) => (cursor.id.as_str(), None),
            (Some(column), Some((id, value))) => (id, Some((column, value))),
            _ => return Err(fault()),
        };
        let id: RecordId = id.parse().map_err(|_| fault())?;
        Ok(match value {
            None => (format!("({}, {}) {compare} (?{next}, ?{})", self.created, self.id, next + 1), vec![cursor.key.into(), id.into()]),
            Some((column, value)) => (
                format!("({column}, {}, {}) {compare} (?{next}, ?{}, ?{})", self.created, self.id, next + 1, next + 2),
                vec![value.into(), cursor.key.into(), id.into()],
            ),
        })
    }

    fn order(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let columns = self.value.into_iter().chain([self.created, self.id]);
        columns.map(|column| format!("{column} {direction}")).collect::<Vec<_>>().join(", ")
    }
}

fn choices(kind: &ResourceType) -> String {
    let resource = kind.resource();
    let names = resource.sort.iter().chain([&resource.created_field]);
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn read(tx: &mut Tx<'_>, plan: &Plan, page: &PageRequest, total: bool) -> Result<Page<Record>> {
    let (from, conditions) = (&plan.from, plan.conditions.join(" AND "));
    let total = if total {
        Some(tx.query_one(&format!("SELECT COUNT(*) FROM {from} WHERE {conditions}"), &plan.params, |row| row.get::<u64>(0))?)
    } else {
        None
    };
    let mut params = plan.params.clone();
    let mut wanted = conditions;
    if let Some(cursor) = &page.cursor {
        let (condition, values) = plan.after(cursor)?;
        wanted = format!("{wanted} AND {condition}");
        params.extend(values);
    }
    let (limit, offset) = (params.len() + 1, params.len() + 2);
    // One more than asked for tells whether there is more.
    params.extend([(i64::from(page.limit) + 1).into(), page.offset().into()]);
    let statement = format!(
        "SELECT r.id, r.number, r.external_id, r.document, r.revision, r.created_at, r.updated_at, {} FROM {from} WHERE {wanted} \
         ORDER BY {} LIMIT ?{limit} OFFSET ?{offset}",
        plan.value.unwrap_or("''"),
        plan.order(),
    );
    let rows = tx.query(&statement, &params, |row| Ok((sql::read(row)?, row.get::<String>(7)?)))?;
    let sorted = plan.value.is_some();
    let place = |(record, value): &(Record, String)| Cursor {
        key: record.created_at.millis(),
        id: if sorted { format!("{}.{value}", record.id) } else { record.id.to_string() },
    };
    Ok(Page::from_rows(rows, page, total, place).map(|(record, _)| record))
}
