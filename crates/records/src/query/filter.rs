//! Filters as plain data.

use kernel::{Error, Result};
use serde_json::Value;

/// Most comparisons in one filter.
pub const MAX_TERMS: usize = 40;
/// Most values that one filter compares with, over all its comparisons.
pub const MAX_VALUES: usize = 200;
/// Deepest nesting of `and`, `or` and `not`.
pub(super) const MAX_DEPTH: usize = 8;
/// Longest value to compare with, in bytes; and the longest filter as a text, 16 times that.
pub(super) const MAX_TEXT: usize = 1000;

/// A condition on records.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them hold; an empty list holds of every record.
    All(Vec<Filter>),
    /// At least one of them holds; not empty.
    Any(Vec<Filter>),
    /// It does not hold. A record without the member satisfies a negation.
    Not(Box<Filter>),
    /// A comparison.
    Is(Term),
}

impl Default for Filter {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

/// A comparison of one member.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// A declared filter, a member that lists are sorted by, or the creation time's wire name.
    pub field: String,
    /// How.
    pub op: Op,
    /// With what: one value, several for [`Op::In`] and [`Op::NotIn`].
    pub values: Vec<Operand>,
}

/// How a member is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal; holds of records without the member too.
    Ne,
    /// One of several.
    In,
    /// None of several.
    NotIn,
    /// Greater: numbers as numbers, texts by their bytes (so do times in RFC 3339).
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Whether the member is there and not null: `true` or `false`.
    Exists,
}

impl Op {
    /// Every operator with its name.
    pub const ALL: [(&'static str, Self); 9] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("in", Self::In),
        ("nin", Self::NotIn),
        ("gt", Self::Gt),
        ("gte", Self::Gte),
        ("lt", Self::Lt),
        ("lte", Self::Lte),
        ("exists", Self::Exists),
    ];

    /// The operator of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, op)| *op)
    }

    /// Whether it compares with several values.
    pub fn takes_many(self) -> bool {
        matches!(self, Self::In | Self::NotIn)
    }
}

/// A value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A text from a query string: read as the member's types say.
    Text(String),
    /// A value of JSON: compared as what it is.
    Json(Value),
}

impl Filter {
    /// `field` equals `value`.
    pub fn eq(field: impl Into<String>, value: Operand) -> Self {
        Self::Is(Term { field: field.into(), op: Op::Eq, values: vec![value] })
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::All(parts) if parts.iter().all(Self::is_empty))
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (first, second) if first.is_empty() => second,
            (first, second) if second.is_empty() => first,
            (Self::All(mut parts), Self::All(more)) => {
                parts.extend(more);
                Self::All(parts)
            }
            (Self::All(mut parts), one) => {
                parts.push(one);
                Self::All(parts)
            }
            (first, second) => Self::All(vec![first, second]),
        }
    }

    /// Bounds of depth, number and length. Error: 422 at `/filter`.
    pub(crate) fn check_bounds(&self) -> Result<()> {
        let mut size = Size::default();
        self.measure(1, &mut size)?;
        let fault = |detail: String| Err(Error::field("/filter", detail));
        if size.terms > MAX_TERMS {
            return fault(format!("has {} comparisons; {MAX_TERMS} are allowed", size.terms));
        }
        if size.values > MAX_VALUES {
            return fault(format!("compares with {} values; {MAX_VALUES} are allowed", size.values));
        }
        Ok(())
    }

    fn measure(&self, depth: usize, size: &mut Size) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::field("/filter", format!("nests deeper than {MAX_DEPTH} levels")));
        }
        match self {
            Self::All(parts) | Self::Any(parts) => {
                // Empty parts cost something too.
                size.terms += usize::from(parts.is_empty() && depth > 1);
                parts.iter().try_for_each(|part| part.measure(depth + 1, size))
            }
            Self::Not(part) => part.measure(depth + 1, size),
            Self::Is(term) => {
                size.terms += 1;
                size.values += term.values.len();
                Ok(())
            }
        }
    }
}

#[derive(Default)]
struct Size {
    terms: usize,
    values: usize,
}
