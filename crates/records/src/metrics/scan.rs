//! One pass over the rows of a metric in its buckets: what each figure needs, added up by the database in whole numbers.

use std::collections::BTreeSet;

use blueprint::model::{Aggregate, Condition, Figure};
use kernel::{Error, Result};
use store::{Tx, Value};

use super::points::Measured;
use crate::fields::canonical;

/// Numbers are added up in two parts, so that a million of the largest do not overflow.
const PART: i128 = 1_000_000;

/// What rows are looked at.
pub(crate) struct Rows {
    pub(crate) tenant: kernel::TenantId,
    /// The values that the subject may have; one that is empty where the metric has none.
    pub(crate) subjects: Vec<String>,
    /// For each filter the column and the values that it may have.
    pub(crate) filters: Vec<(String, Vec<String>)>,
    /// Most rows that are looked at.
    pub(crate) most: u32,
}

/// What is added up for one figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Records with a value.
    pub(crate) count: i64,
    pub(crate) total: i128,
    pub(crate) least: Option<i64>,
    pub(crate) most: Option<i64>,
}

impl Sum {
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.total += other.total;
        self.least = [self.least, other.least].into_iter().flatten().min();
        self.most = [self.most, other.most].into_iter().flatten().max();
    }
}

/// What a pass is to find.
pub(crate) struct Pass<'a> {
    pub(crate) measured: &'a Measured,
    pub(crate) figures: Vec<&'a Figure>,
    /// The member to group by, and whether it is a list.
    pub(crate) by: Option<(&'a str, bool)>,
    /// Most groups, the most frequent ones; none: all.
    pub(crate) top: Option<u32>,
}

/// For each bucket (by its place) and group the sums of the figures, in their order; groups in the order of their frequency.
pub(crate) type Found = Vec<(usize, Option<String>, Vec<Sum>)>;

impl Pass<'_> {
    /// Looks at the rows in `buckets` (from, until; none overlap).
    ///
    /// Error: 422 `too_many_records`.
    pub(crate) fn run(&self, tx: &mut Tx<'_>, rows: &Rows, buckets: &[(i64, i64)]) -> Result<Found> {
        let (sql, params) = self.statement(rows, buckets)?;
        let mut looked_at = 0_i64;
        let mut found: Found = tx.query(&sql, &params, |row| {
            looked_at = row.get(2)?;
            let sums = (0..self.figures.len()).map(|i| {
                let at = 3 + i * 5;
                let (high, low): (Option<i64>, Option<i64>) = (row.get(at + 1)?, row.get(at + 2)?);
                let total = i128::from(high.unwrap_or(0)) * PART + i128::from(low.unwrap_or(0));
                Ok(Sum { count: row.get(at)?, total, least: row.get(at + 3)?, most: row.get(at + 4)? })
            });
            Ok((usize::try_from(row.get::<i64>(0)?).unwrap_or_default(), row.get(1)?, sums.collect::<Result<Vec<_>>>()?))
        })?;
        if looked_at > rows.most.into() {
            return Err(too_many(rows.most));
        }
        if self.by.is_some() {
            // Records without a value belong to no group.
            found.retain(|(_, group, _)| group.is_some());
            found.truncate(self.top.map_or(usize::MAX, |top| top as usize));
        }
        Ok(found)
    }

    fn statement(&self, rows: &Rows, buckets: &[(i64, i64)]) -> Result<(String, Vec<Value>)> {
        let facet = self.by.filter(|(_, list)| *list).map_or("", |(member, _)| member);
        let mut text =
            Text { params: vec![rows.tenant.into(), self.measured.metric.name.as_str().into(), facet.into()], used: BTreeSet::new() };
        let mut wanted = format!("p.tenant_id = ?1 AND p.metric = ?2 AND p.facet = ?3 AND {}", text.one_of("p.subject", &rows.subjects));
        for (column, values) in &rows.filters {
            let condition = text.one_of(&format!("p.{column}"), values);
            wanted = format!("{wanted} AND {condition}");
        }
        let figures = self.figures.iter().map(|figure| self.figure(figure, &mut text)).collect::<Result<String>>()?;
        let group = match self.by {
            None => None,
            Some((_, true)) => Some(text.column("value".to_owned())),
            Some((member, false)) => Some(text.column(self.measured.label(member)?)),
        };
        let slots = text.slots(buckets);
        let limit = text.bind((i64::from(rows.most) + 1).into());
        let taken: String = text.used.iter().map(|column| format!(", p.{column}")).collect();
        let label = group.clone().unwrap_or_else(|| "CAST(NULL AS TEXT)".to_owned());
        let grouped = group.map_or_else(|| "q.n".to_owned(), |group| format!("q.n, {group}"));
        let top = self.top.map_or_else(String::new, |top| format!(" LIMIT ?{}", text.bind((i64::from(top) + 1).into())));
        let sql = format!(
            "WITH b (n, since, until) AS (VALUES {slots}) \
             SELECT q.n, {label}, CAST(SUM(COUNT(*)) OVER () AS BIGINT){figures} FROM \
             (SELECT b.n{taken} FROM b CROSS JOIN record_points p WHERE {wanted} AND p.at >= b.since AND p.at < b.until LIMIT ?{limit}) q \
             GROUP BY {grouped} ORDER BY COUNT(*) DESC, {grouped}{top}"
        );
        Ok((sql, text.params))
    }

    /// Five columns of one figure: how many, the two parts of the sum, the least and the most.
    fn figure(&self, figure: &Figure, text: &mut Text) -> Result<String> {
        let mut value = match figure.of.field() {
            None => "1".to_owned(),
            Some(member) => text.column(self.measured.number(member)?.0),
        };
        let mut conditions = Vec::new();
        for Condition { field, values } in &figure.only {
            let column = text.column(self.measured.label(field)?);
            let values: Vec<String> = values.iter().filter_map(canonical).collect();
            conditions.push(text.one_of(&column, &values));
        }
        if !conditions.is_empty() {
            value = format!("CASE WHEN {} THEN {value} END", conditions.join(" AND "));
        }
        let none = "CAST(NULL AS BIGINT)";
        Ok(match figure.of {
            Aggregate::Count => format!(", COUNT({value}), {none}, {none}, {none}, {none}"),
            Aggregate::Sum(_) | Aggregate::Avg(_) => {
                format!(", COUNT({value}), CAST(SUM({value} / {PART}) AS BIGINT), CAST(SUM({value} % {PART}) AS BIGINT), {none}, {none}")
            }
            Aggregate::Min(_) => format!(", COUNT({value}), {none}, {none}, MIN({value}), {none}"),
            Aggregate::Max(_) => format!(", COUNT({value}), {none}, {none}, {none}, MAX({value})"),
            Aggregate::Ratio(..) => return Err(Error::internal("a ratio is not looked for")),
        })
    }
}

/// A statement in the making: its parameters, and the columns of the rows that it takes.
struct Text {
    params: Vec<Value>,
    used: BTreeSet<String>,
}

impl Text {
    fn bind(&mut self, value: Value) -> usize {
        self.params.push(value);
        self.params.len()
    }

    /// A column, as the outer query names it.
    fn column(&mut self, name: String) -> String {
        let named = format!("q.{name}");
        self.used.insert(name);
        named
    }

    fn one_of(&mut self, column: &str, values: &[String]) -> String {
        if values.is_empty() {
            return "1 = 0".to_owned();
        }
        let places: Vec<String> = values.iter().map(|value| format!("?{}", self.bind(value.into()))).collect();
        format!("{column} IN ({})", places.join(", "))
    }

    /// The buckets as rows. Few lengths, so that few statements are prepared; what is added is empty.
    fn slots(&mut self, buckets: &[(i64, i64)]) -> String {
        let padded = buckets.iter().copied().chain(std::iter::repeat((0, 0))).take(buckets.len().next_power_of_two());
        let rows: Vec<String> = padded
            .enumerate()
            .map(|(n, (from, until))| {
                let (from, until) = (self.bind(from.into()), self.bind(until.into()));
                format!("(CAST({n} AS BIGINT), CAST(?{from} AS BIGINT), CAST(?{until} AS BIGINT))")
            })
            .collect();
        rows.join(", ")
    }
}

fn too_many(most: u32) -> Error {
    let detail = format!("More than {most} records count in this period. Shorten it, or narrow the figures by a filter.");
    Error::invalid("too_many_records", detail)
}
