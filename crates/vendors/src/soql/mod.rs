//! The part of SOQL that connectors use; Zoho's COQL is read as if it were that.
//!
//! `SELECT` of fields, of fields of a referred row (one step), of `FIELDS(ALL|STANDARD|CUSTOM)`, of `COUNT()`, `COUNT(f)`, `MIN(f)`,
//! `MAX(f)`; `WHERE` with all comparisons, `LIKE`, `IN`, `NOT IN`, `AND`, `OR`, `NOT`; `ORDER BY` with `NULLS`; `LIMIT`, `OFFSET`. Not:
//! subqueries, `GROUP BY`, date functions, relative dates.

mod matches;
mod parse;
mod tokens;

pub(crate) use matches::{Known, compare, matches};
pub(crate) use parse::parse;

/// A value in a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// `2026-01-31`, as written.
    Date(String),
    /// Milliseconds.
    DateTime(i64),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// What a row must satisfy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(String, Operator, Literal),
    In { field: String, values: Vec<Literal>, is_negated: bool },
}

/// What is selected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    Field(String),
    Fields(String),
    /// Function, field (nothing in `COUNT()`), alias.
    Aggregate(String, Option<String>, Option<String>),
}

/// A field to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) field: String,
    pub(crate) is_descending: bool,
    pub(crate) nulls_last: bool,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub(crate) items: Vec<Item>,
    pub(crate) object: String,
    pub(crate) condition: Option<Condition>,
    pub(crate) orders: Vec<Order>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

impl Query {
    /// Without what `OFFSET` and `LIMIT` leave out.
    pub(crate) fn bounded(&self, rows: Vec<u64>) -> Vec<u64> {
        rows.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }

    /// The fields that the condition and the order name.
    pub(crate) fn named(&self) -> Vec<(&str, Option<&Literal>)> {
        let mut named: Vec<_> = self.orders.iter().map(|order| (order.field.as_str(), None)).collect();
        if let Some(condition) = &self.condition {
            condition.named(&mut named);
        }
        named
    }
}

impl Condition {
    fn named<'c>(&'c self, named: &mut Vec<(&'c str, Option<&'c Literal>)>) {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().for_each(|one| one.named(named)),
            Self::Not(one) => one.named(named),
            Self::Compare(field, _, literal) => named.push((field, Some(literal))),
            Self::In { field, values, .. } => named.extend(values.iter().map(|value| (field.as_str(), Some(value)))),
        }
    }

    /// A time before which no row can satisfy this, by the field that has the time of change.
    pub(crate) fn since(&self, modified: &str) -> Option<i64> {
        match self {
            Self::And(all) => all.iter().filter_map(|one| one.since(modified)).max(),
            Self::Compare(field, Operator::Greater | Operator::GreaterOrEqual | Operator::Equal, Literal::DateTime(at)) => {
                field.eq_ignore_ascii_case(modified).then_some(*at)
            }
            _ => None,
        }
    }
}
