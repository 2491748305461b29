//! What metrics look at: rows of `record_points`, made of a record when it is written, so that no figure reads a document.

use blueprint::model::{Condition, Metric, Resource};
use kernel::{Error, Result, TenantId, Timestamp};
use serde_json::{Map, Value};
use store::Tx;

use super::decimal::{self, SCALE};
use crate::fields::canonical;
use crate::records::Record;

/// Items of a list that are counted; further ones of a record are not.
const MAX_ITEMS: usize = 50;
const COLUMNS: usize = 22;
const INSERT: &str = "INSERT INTO record_points (tenant_id, metric, facet, subject, at, record_id, item, value, \
                      label1, label2, label3, label4, label5, label6, \
                      number1, number2, number3, number4, number5, number6, number7, number8) VALUES";

/// A metric, with the places of its members in the columns.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) metric: Metric,
    /// The members behind `label1`, `label2`, ….
    labels: Vec<String>,
    /// The members behind `number1`, …, and the decimal places that are kept of them.
    numbers: Vec<(String, u32)>,
    lists: Vec<String>,
}

impl Measured {
    pub(crate) fn new(metric: &Metric, resource: &Resource) -> Self {
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let numbers = metric.measures().into_iter().map(|path| (path.to_owned(), scale(&resource.schema, path))).collect();
        Self { labels: owned(metric.labels()), numbers, lists: owned(metric.lists()), metric: metric.clone() }
    }

    /// The column with a member's values.
    pub(crate) fn label(&self, member: &str) -> Result<String> {
        let at = self.labels.iter().position(|name| name == member);
        at.map(|at| format!("label{}", at + 1)).ok_or_else(|| Error::internal(format!("the metric has no column for {member}")))
    }

    /// The column with a member's numbers, and their decimal places.
    pub(crate) fn number(&self, member: &str) -> Result<(String, u32)> {
        let at = self.numbers.iter().position(|(name, _)| name == member);
        at.map(|at| (format!("number{}", at + 1), self.numbers[at].1))
            .ok_or_else(|| Error::internal(format!("the metric has no column for {member}")))
    }

    /// What rows depend on, as a text that changes with it.
    pub(crate) fn declaration(&self) -> String {
        let metric = &self.metric;
        let only: Vec<(&str, &[Value])> = metric.only.iter().map(|one| (one.field.as_str(), one.values.as_slice())).collect();
        let subject = metric.subject.as_ref().map(|subject| &subject.field);
        let zone = metric.time.as_ref().map(|_| &metric.timezone);
        serde_json::json!([metric.resource, metric.time, zone, subject, only, self.labels, self.numbers, self.lists]).to_string()
    }

    /// A record's rows: none if it does not count.
    fn rows(&self, tenant: TenantId, record: &Record) -> Vec<store::Value> {
        let document = &record.document;
        let metric = &self.metric;
        if !metric.only.iter().all(|condition| holds(condition, document)) {
            return Vec::new();
        }
        let Some(at) = self.at(record) else { return Vec::new() };
        let subject = match &metric.subject {
            None => String::new(),
            Some(subject) => match find(document, &subject.field).and_then(canonical) {
                Some(value) => value,
                None => return Vec::new(),
            },
        };
        let mut rows = Vec::with_capacity(COLUMNS);
        self.row(&mut rows, (tenant, record), ("", 0, None), &subject, at);
        for list in &self.lists {
            for (n, item) in items(document, list).into_iter().enumerate() {
                self.row(&mut rows, (tenant, record), (list, n, Some(item)), &subject, at);
            }
        }
        rows
    }

    fn row(
        &self,
        rows: &mut Vec<store::Value>,
        (tenant, record): (TenantId, &Record),
        (facet, n, value): (&str, usize, Option<String>),
        subject: &str,
        at: Timestamp,
    ) {
        let null = || std::iter::repeat(store::Value::Null);
        rows.extend([tenant.into(), self.metric.name.as_str().into(), facet.into(), subject.into(), at.into(), record.id.into()]);
        rows.extend([store::Value::Int(n as i64), value.into()]);
        let labels = self.labels.iter().map(|path| find(&record.document, path).and_then(canonical).into());
        rows.extend(labels.chain(null()).take(Metric::MAX_LABELS));
        let numbers = self.numbers.iter().map(|(path, scale)| {
            let number = find(&record.document, path).and_then(Value::as_number);
            number.and_then(|number| decimal::scaled(number, *scale)).into()
        });
        rows.extend(numbers.chain(null()).take(Metric::MAX_MEASURES));
    }

    /// When a record counts.
    fn at(&self, record: &Record) -> Option<Timestamp> {
        let Some(member) = &self.metric.time else { return Some(record.created_at) };
        let text = find(&record.document, member)?.as_str()?;
        if text.len() != 10 {
            return Timestamp::parse(text).ok();
        }
        // A day begins in the zone of the metric.
        let day: jiff::civil::Date = text.parse().ok()?;
        let zone = jiff::tz::TimeZone::get(&self.metric.timezone).ok()?;
        Some(Timestamp::from_millis(day.to_zoned(zone).ok()?.start_of_day().ok()?.timestamp().as_millisecond()))
    }
}

/// Brings a record's rows from `before` (none: a new record) to `after`.
pub(crate) fn write(tx: &mut Tx<'_>, tenant: TenantId, metrics: &[Measured], before: Option<&Record>, after: &Record) -> Result<()> {
    for measured in metrics {
        let rows = measured.rows(tenant, after);
        let old = before.map(|record| measured.rows(tenant, record)).unwrap_or_default();
        if rows == old {
            continue;
        }
        if !old.is_empty() {
            let sql = "DELETE FROM record_points WHERE tenant_id || '' = ?1 AND metric || '' = ?2 AND record_id = ?3";
            tx.exec(sql, &[tenant.into(), measured.metric.name.as_str().into(), after.id.into()])?;
        }
        tx.insert_rows(INSERT, COLUMNS, &rows, "ON CONFLICT DO NOTHING")?;
    }
    Ok(())
}

/// The value at a path into a document.
fn find<'a>(document: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let first = document.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

fn holds(condition: &Condition, document: &Map<String, Value>) -> bool {
    let Some(value) = find(document, &condition.field).and_then(canonical) else { return false };
    condition.values.iter().filter_map(canonical).any(|wanted| wanted == value)
}

/// The different items of a list.
fn items(document: &Map<String, Value>, list: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in find(document, list).and_then(Value::as_array).into_iter().flatten().filter_map(canonical) {
        if out.len() < MAX_ITEMS && !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

/// None for what the schema says is whole, so that the largest whole numbers fit.
fn scale(schema: &Value, path: &str) -> u32 {
    let property = path.split('.').try_fold(schema, |schema, name| schema.get("properties")?.get(name));
    let whole = match property.and_then(|property| property.get("type")) {
        Some(Value::String(one)) => one == "integer",
        Some(Value::Array(many)) => many.iter().all(|one| one == "integer" || one == "null"),
        _ => false,
    };
    if whole { 0 } else { SCALE }
}
