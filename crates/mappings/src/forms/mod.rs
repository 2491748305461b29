//! What a value is, and the same value as something else.

mod convert;
mod moments;
mod numbers;

use serde::{Deserialize, Serialize};

pub(crate) use convert::convert;
pub(crate) use moments::Moment;
pub(crate) use numbers::{decimal, number, shift};

/// The form of a value. Vendors write one thing in many forms: a number as text, a moment in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ValueForm)]
pub enum Form {
    /// Whatever it is.
    Any,
    /// A text.
    Text,
    /// A number.
    Number,
    /// A number as a text: `"12.5"`.
    NumberText,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// `"true"` or `"false"`.
    BooleanText,
    /// `2026-11-22`. Of a moment: its day in UTC.
    Date,
    /// A day as the milliseconds from 1970 to its midnight in UTC.
    DateMs,
    /// `2026-11-22T18:00:00.000Z` (RFC 3339, UTC).
    Datetime,
    /// `2026-11-22T18:00:00.000+0000`, as Salesforce writes it.
    DatetimeOffset,
    /// Milliseconds since 1970.
    DatetimeMs,
    /// Seconds since 1970.
    DatetimeSeconds,
    /// A list.
    List,
    /// A list as one text, with `;` between its items.
    ListText,
}

impl Form {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Text => "text",
            Self::Number => "number",
            Self::NumberText => "number_text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::BooleanText => "boolean_text",
            Self::Date => "date",
            Self::DateMs => "date_ms",
            Self::Datetime => "datetime",
            Self::DatetimeOffset => "datetime_offset",
            Self::DatetimeMs => "datetime_ms",
            Self::DatetimeSeconds => "datetime_seconds",
            Self::List => "list",
            Self::ListText => "list_text",
        }
    }
}
