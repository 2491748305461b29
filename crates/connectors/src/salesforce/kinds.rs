//! What fields hold, as `describe` says it: for the schema that people see, for literals in filters, for cells of CSV.

use std::collections::HashMap;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::dialect::RestDialect;
use super::settings::Settings;
use super::times;
use crate::driver::{self, Answer};
use crate::{Fault, Session};

/// What a field's values are in JSON, as far as a text must be turned into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// A text.
    #[serde(rename = "t")]
    Text,
    /// True or false.
    #[serde(rename = "b")]
    Flag,
    /// A whole number.
    #[serde(rename = "i")]
    Whole,
    /// A number.
    #[serde(rename = "n")]
    Number,
    /// A day; unquoted in queries.
    #[serde(rename = "d")]
    Day,
    /// A moment; unquoted in queries.
    #[serde(rename = "m")]
    Moment,
}

impl Kind {
    /// Of a field that `describe` calls so.
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "boolean" => Self::Flag,
            "int" | "long" => Self::Whole,
            "double" | "currency" | "percent" => Self::Number,
            "date" => Self::Day,
            "datetime" => Self::Moment,
            _ => Self::Text,
        }
    }

    /// The value that a cell of CSV stands for, the same as JSON would have it. An empty cell is no value.
    pub(super) fn value(self, cell: &str) -> Value {
        if cell.is_empty() {
            return match self {
                Self::Flag => Value::Bool(false),
                _ => Value::Null,
            };
        }
        let text = || Value::from(cell);
        match self {
            Self::Text | Self::Day => text(),
            Self::Flag => Value::Bool(cell.eq_ignore_ascii_case("true")),
            Self::Whole => cell.parse::<i64>().map_or_else(|_| decimal(cell).unwrap_or_else(text), Value::from),
            Self::Number => decimal(cell).unwrap_or_else(text),
            Self::Moment => Value::from(times::as_in_rows(cell)),
        }
    }
}

fn decimal(cell: &str) -> Option<Value> {
    cell.parse().ok().and_then(Number::from_f64).map(Value::Number)
}

/// Asks for an object's description.
///
/// Errors: as the vendor says.
pub(super) async fn described(session: &Session, settings: &Settings, object: &str) -> Result<Answer, Fault> {
    let call = settings.call(Method::GET, &["sobjects", object, "describe"])?;
    driver::ask(session, &RestDialect, call).await
}

/// What the fields of an object hold, by their names in lower case.
///
/// Errors: as the vendor says.
pub(super) async fn kinds(session: &Session, settings: &Settings, object: &str) -> Result<HashMap<String, Kind>, Fault> {
    let answer = described(session, settings, object).await?;
    let fields = answer.json["fields"].as_array().into_iter().flatten();
    let pair = |field: &Value| Some((field["name"].as_str()?.to_ascii_lowercase(), Kind::of(field["type"].as_str()?)));
    Ok(fields.filter_map(pair).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_becomes_what_json_would_have() {
        for (kind, cell, value) in [
            ("string", "x", json!("x")),
            ("string", "", json!(null)),
            ("boolean", "true", json!(true)),
            ("boolean", "", json!(false)),
            ("int", "5", json!(5)),
            ("double", "5", json!(5.0)),
            ("currency", "1.39E8", json!(139_000_000.0)),
            ("double", "", json!(null)),
            ("date", "2027-01-15", json!("2027-01-15")),
            ("datetime", "2027-01-15T08:00:00.000Z", json!("2027-01-15T08:00:00.000+0000")),
            ("double", "much", json!("much")),
            ("double", "NaN", json!("NaN")),
        ] {
            assert_eq!(Kind::of(kind).value(cell), value, "{kind} {cell}");
        }
    }
}
