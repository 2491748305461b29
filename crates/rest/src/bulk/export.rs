//! All records that match, as CSV or NDJSON, written as they are read: a slow reader makes the server read slowly, one that leaves ends it.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};
use kernel::{Error, Result, TenantScope};
use records::{Export, Filter, Records, ResourceType};
use serde_json::Value;
use web::Tally;

use super::csv;
use crate::list_query::{self, Rules, Total};

/// The parameters, for the documentation.
pub(crate) const EXPORT: [(&str, &str); 5] = [
    ("format", "csv or ndjson (the default)"),
    ("filter", list_query::FILTER),
    ("search", "Text to look for in the searchable members"),
    ("sort", "Order: a member; with - before it, largest first. Default: oldest first"),
    ("fields", list_query::FIELDS),
];

const RULES: Rules = Rules { limit: (1, 1), cursors: true, numbered: false, total: Total::Never, strict: true };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Ndjson,
}

/// Answers the records of `kind` that the query string asks for; `also` must hold too.
///
/// Errors: 422 for a bad query.
pub(crate) fn export(records: &Records, scope: &TenantScope, kind: &ResourceType, query: &str, also: Filter) -> Result<Response> {
    let (format, rest) = format(query)?;
    let mut asked = list_query::parse(&rest, kind, &RULES)?.and(also);
    let fields = asked.fields.take();
    let export = records.export(scope, kind.name(), &asked)?;
    let columns: Vec<String> =
        kind.columns().into_iter().filter(|name| fields.as_ref().is_none_or(|names| name == "id" || names.contains(name))).collect();
    let tally = Tally::new();
    let writer = Writer { export, format, fields, columns, is_begun: false, tally: Ending(Arc::clone(&tally)) };
    let body = futures_util::stream::try_unfold(writer, |mut writer| async move {
        let part = writer.next().await.inspect_err(|error| writer.tally.0.set_fault(error.code()))?;
        Ok::<_, Error>(part.map(|part| (part, writer)))
    });
    let mut response = Response::new(Body::from_stream(body));
    let (content_type, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8; header=present", "csv"),
        Format::Ndjson => ("application/x-ndjson", "ndjson"),
    };
    let name = HeaderValue::try_from(format!("attachment; filename=\"{}.{ending}\"", kind.resource().plural)).map_err(Error::internal)?;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(tally);
    Ok(response)
}

/// The format, and the query string without it. A part of a list cannot be exported: all of it is.
fn format(query: &str) -> Result<(Format, String)> {
    let mut format = None;
    let mut rest = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match (name.as_ref(), value.as_ref()) {
            ("format", _) if format.is_some() => return Err(Error::field("/format", "must be given once")),
            ("format", "csv") => format = Some(Format::Csv),
            ("format", "ndjson") => format = Some(Format::Ndjson),
            ("format", _) => return Err(Error::field("/format", "must be csv or ndjson")),
            ("limit" | "page" | "cursor", _) => {
                return Err(Error::field(format!("/{name}"), "does not apply: an export has all that matches"));
            }
            _ => {
                rest.append_pair(&name, &value);
            }
        }
    }
    Ok((format.unwrap_or(Format::Ndjson), rest.finish()))
}

/// Tells the log when the export ends, however it does.
struct Ending(Arc<Tally>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

struct Writer {
    export: Export,
    format: Format,
    fields: Option<Vec<String>>,
    columns: Vec<String>,
    is_begun: bool,
    tally: Ending,
}

impl Writer {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let records = self.export.next().await?;
        let mut out = String::new();
        if !self.is_begun && self.format == Format::Csv {
            csv::write_line(&mut out, self.columns.iter().map(String::as_str));
        }
        let kind = self.export.resource_type();
        for record in &records {
            let wire = kind.wire_of(record, self.fields.as_deref());
            match self.format {
                Format::Csv => csv::write_record(&mut out, &self.columns, &wire),
                Format::Ndjson => {
                    out.push_str(&Value::Object(wire).to_string());
                    out.push('\n');
                }
            }
        }
        let is_over = records.is_empty() && (self.is_begun || out.is_empty());
        self.is_begun = true;
        self.tally.0.add_response(out.len() as u64);
        Ok(if is_over { None } else { Some(Bytes::from(out)) })
    }
}
