//! Figures as a table, for spreadsheets and pipelines: a row for each bucket of the series, or one row of totals. A figure by a member's values
//! has a column for each value: `topics.price`.

use axum::response::{IntoResponse as _, Response};
use blueprint::model::{Metric, MetricAnswer};
use kernel::{Error, Result};
use records::Measurement;
use serde_json::{Map, Value};

use crate::bulk::{write_csv_line, write_csv_record};

/// How figures are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As the product's answers are.
    Json,
    /// A table.
    Csv,
    /// A row a line.
    Ndjson,
}

/// The names that `format` may have.
pub(super) const FORMS: [&str; 3] = ["json", "csv", "ndjson"];

/// What `format` asks for. Error: 422.
pub(super) fn form(texts: &Map<String, Value>) -> Result<Form> {
    match texts.get("format").and_then(Value::as_str) {
        None | Some("json") => Ok(Form::Json),
        Some("csv") => Ok(Form::Csv),
        Some("ndjson") => Ok(Form::Ndjson),
        Some(_) => Err(Error::field("/format", format!("must be one of {}", FORMS.join(", ")))),
    }
}

/// The table, in this form.
pub(super) fn table(metric: &Metric, measured: Measurement, form: Form) -> Response {
    let rows = rows(metric, measured);
    let mut out = String::new();
    if form == Form::Ndjson {
        for row in rows {
            out.push_str(&Value::Object(row).to_string());
            out.push('\n');
        }
        return ([("content-type", "application/x-ndjson")], out).into_response();
    }
    let mut columns: Vec<String> = Vec::new();
    for name in rows.iter().flat_map(Map::keys) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    write_csv_line(&mut out, columns.iter().map(String::as_str));
    rows.iter().for_each(|row| write_csv_record(&mut out, &columns, row));
    ([("content-type", "text/csv; charset=utf-8")], out).into_response()
}

fn rows(metric: &Metric, measured: Measurement) -> Vec<Map<String, Value>> {
    let flat = |row: Map<String, Value>| {
        let mut out = Map::new();
        for (name, value) in row {
            match value {
                Value::Object(by) => out.extend(by.into_iter().map(|(key, value)| (format!("{name}.{key}"), value))),
                value => {
                    out.insert(name, value);
                }
            }
        }
        out
    };
    match measured.series {
        Some(series) if metric.answer == MetricAnswer::Series || !series.is_empty() => {
            series.into_iter().filter_map(|row| if let Value::Object(row) = row { Some(flat(row)) } else { None }).collect()
        }
        _ => vec![flat(measured.totals)],
    }
}
