//! A filter that was checked against its resource type, and its SQL.
//!
//! Each comparison asks for the one row that a record has for the member in `record_fields`, by its primary key, as a scalar: neither engine
//! turns that into a join of its own choosing, so that the statement around it decides what is read and in which order. An absent member is
//! the empty text there, which is less than every value and equal to none: every condition is true or false, never unknown, and a negation
//! says what it seems to say.

use kernel::{Error, Result, Timestamp};
use serde_json::Value as Json;
use store::Value;

use super::filter::{Filter, MAX_TEXT, Op, Operand, Term};
use crate::document::pointer;
use crate::fields;
use crate::resource_type::ResourceType;

/// A checked condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Member(String, Test),
    /// The creation time: SQL's operator and milliseconds.
    Created(&'static str, i64),
}

/// What must hold of a member's stored form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// It is one of these; none: never.
    OneOf(Vec<String>),
    /// It lies between: each bound with whether it belongs to the range.
    Between((String, bool), (String, bool)),
    /// It is there.
    Present,
}

/// Parameters of a statement in the making. The first two are the tenant and the resource type.
#[derive(Clone, Debug)]
pub(crate) struct Binder(pub(crate) Vec<Value>);

impl Binder {
    /// `?n` of a new parameter.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }
}

/// Where a record's columns stand in the statement around a condition.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'a> {
    pub(crate) id: &'a str,
    pub(crate) created: &'a str,
    /// The member whose form is a column of the statement, and that column.
    pub(crate) own: Option<(&'a str, &'a str)>,
}

impl Condition {
    /// The conjuncts of a filter. Errors: 422 for members that are no filters, for operators that do not fit, for hostile sizes.
    pub(crate) fn of(kind: &ResourceType, filter: &Filter) -> Result<Vec<Self>> {
        filter.check_bounds()?;
        Ok(match check(kind, filter)? {
            Self::All(parts) => parts,
            one => vec![one],
        })
    }

    pub(crate) fn sql(&self, columns: Columns<'_>, bind: &mut Binder) -> String {
        let joined = |parts: &[Self], word: &str, bind: &mut Binder| {
            let parts: Vec<String> = parts.iter().map(|part| part.sql(columns, bind)).collect();
            format!("({})", parts.join(word))
        };
        match self {
            Self::All(parts) if parts.is_empty() => "(1 = 1)".to_owned(),
            Self::All(parts) => joined(parts, " AND ", bind),
            Self::Any(parts) => joined(parts, " OR ", bind),
            Self::Not(part) => format!("(NOT {})", part.sql(columns, bind)),
            Self::Created(op, ms) => format!("{} {op} {}", columns.created, bind.bind(*ms)),
            Self::Member(name, test) => match columns.own.filter(|(own, _)| own == name) {
                Some((_, column)) => test.sql(column, bind),
                None => {
                    let value = stored(name, columns.id, bind);
                    test.sql(&value, bind)
                }
            },
        }
    }
}

/// The stored form of a member, or the empty text.
pub(crate) fn stored(member: &str, id: &str, bind: &mut Binder) -> String {
    let name = bind.bind(member);
    format!("COALESCE((SELECT v.value FROM record_fields v WHERE v.tenant_id = ?1 AND v.record_id = {id} AND v.field = {name}), '')")
}

impl Test {
    /// On `value`, an expression that is never NULL.
    pub(crate) fn sql(&self, value: &str, bind: &mut Binder) -> String {
        match self {
            Self::OneOf(forms) if forms.is_empty() => "(1 = 0)".to_owned(),
            Self::OneOf(forms) if forms.len() == 1 => format!("{value} = {}", bind.bind(&forms[0])),
            Self::OneOf(forms) => {
                let places: Vec<String> = forms.iter().map(|form| bind.bind(form)).collect();
                format!("{value} IN ({})", places.join(", "))
            }
            Self::Between((from, from_in), (to, to_in)) => {
                let (from, to) = (bind.bind(from), bind.bind(to));
                let (above, below) = (if *from_in { ">=" } else { ">" }, if *to_in { "<=" } else { "<" });
                // Twice the same expression: a scalar by primary key is cheap.
                format!("({value} {above} {from} AND {value} {below} {to})")
            }
            Self::Present => format!("{value} <> ''"),
        }
    }
}

fn check(kind: &ResourceType, filter: &Filter) -> Result<Condition> {
    let each = |parts: &[Filter]| parts.iter().map(|part| check(kind, part)).collect::<Result<Vec<_>>>();
    Ok(match filter {
        Filter::All(parts) => {
            // Nested conjunctions are one, so that each comparison of it can lead to the records.
            let parts = each(parts)?.into_iter().flat_map(|part| match part {
                Condition::All(inner) => inner,
                one => vec![one],
            });
            Condition::All(parts.collect())
        }
        Filter::Any(parts) if parts.is_empty() => return Err(Error::field("/filter", "an alternative of nothing never holds")),
        Filter::Any(parts) => Condition::Any(each(parts)?),
        Filter::Not(part) => Condition::Not(Box::new(check(kind, part)?)),
        Filter::Is(term) => one(kind, term)?,
    })
}

fn one(kind: &ResourceType, term: &Term) -> Result<Condition> {
    let at = pointer(&term.field);
    for value in &term.values {
        bounded(value, &at)?;
    }
    if term.values.len() != 1 && !term.op.takes_many() {
        return Err(Error::field(at, "must be compared with one value"));
    }
    if term.values.is_empty() {
        return Err(Error::field(at, "must be compared with at least one value"));
    }
    if term.field == kind.resource().created_field {
        return created(term, &at);
    }
    if !kind.is_filter(&term.field) {
        return Err(Error::field(at, format!("is not a filter of this list; {}", choices(kind))));
    }
    let member = |test| Condition::Member(term.field.clone(), test);
    let forms = || -> Vec<String> {
        let mut forms: Vec<String> = term.values.iter().flat_map(|value| fields::forms(kind, &term.field, value)).collect();
        forms.sort();
        forms.dedup();
        forms
    };
    Ok(match term.op {
        Op::Eq | Op::In => member(Test::OneOf(forms())),
        Op::Ne | Op::NotIn => Condition::Not(Box::new(member(Test::OneOf(forms())))),
        Op::Exists => match truth(&term.values[0]) {
            Some(true) => member(Test::Present),
            Some(false) => Condition::Not(Box::new(member(Test::Present))),
            None => return Err(Error::field(at, "exists must be true or false")),
        },
        Op::Gt | Op::Gte | Op::Lt | Op::Lte => {
            let form = fields::forms(kind, &term.field, &term.values[0]).into_iter().next();
            let form = form.ok_or_else(|| Error::field(at, "must be compared with a value of its own type"))?;
            member(range(term.op, form))
        }
    })
}

/// A range among values of the same type: the letters of the forms bound it.
fn range(op: Op, form: String) -> Test {
    let letter = form.chars().next().unwrap_or('s');
    let least = (letter.to_string(), true);
    let above = (char::from_u32(u32::from(letter) + 1).unwrap_or('~').to_string(), false);
    match op {
        Op::Gt => Test::Between((form, false), above),
        Op::Gte => Test::Between((form, true), above),
        Op::Lt => Test::Between(least, (form, false)),
        _ => Test::Between(least, (form, true)),
    }
}

fn created(term: &Term, at: &str) -> Result<Condition> {
    let op = match term.op {
        Op::Eq => "=",
        Op::Gt => ">",
        Op::Gte => ">=",
        Op::Lt => "<",
        Op::Lte => "<=",
        _ => return Err(Error::field(at, "takes eq, gt, gte, lt or lte")),
    };
    let text = match &term.values[0] {
        Operand::Text(text) | Operand::Json(Json::String(text)) => text.as_str(),
        Operand::Json(_) => "",
    };
    let time = Timestamp::parse(text).map_err(|_| Error::field(at, "must be a time in RFC 3339, such as 2026-01-31T09:30:00Z"))?;
    Ok(Condition::Created(op, time.millis()))
}

fn truth(value: &Operand) -> Option<bool> {
    match value {
        Operand::Json(Json::Bool(value)) => Some(*value),
        Operand::Text(text) => text.parse().ok(),
        Operand::Json(_) => None,
    }
}

fn bounded(value: &Operand, at: &str) -> Result<()> {
    let text = match value {
        Operand::Text(text) | Operand::Json(Json::String(text)) => text,
        Operand::Json(Json::Array(_) | Json::Object(_) | Json::Null) => {
            return Err(Error::field(at, "must be compared with a text, a number or a truth value"));
        }
        Operand::Json(_) => return Ok(()),
    };
    if text.contains('\0') {
        return Err(Error::field(at, "must not contain NUL"));
    }
    if text.len() > MAX_TEXT {
        return Err(Error::field(at, format!("must be compared with at most {MAX_TEXT} bytes")));
    }
    Ok(())
}

fn choices(kind: &ResourceType) -> String {
    let resource = kind.resource();
    let sorted = resource.sort.iter().filter(|name| !resource.filters.contains(name));
    let names: Vec<&str> = resource.filters.iter().chain(sorted).chain([&resource.created_field]).map(String::as_str).collect();
    format!("its filters are {}", names.join(", "))
}
