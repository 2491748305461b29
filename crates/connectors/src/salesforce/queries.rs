//! Running a query: by its address, or, where that would be too long, inside of a composite call's body.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use kernel::Timestamp;
use serde_json::{Value, json};

use super::dialect::RestDialect;
use super::settings::Settings;
use super::soql::Query;
use super::times;
use crate::driver::{self, Answer, Dialect as _, by_status};
use crate::{Call, Fault, Session, Target};

/// Longest address, in bytes. Salesforce takes 16,384 with all headers, and says that 2,000 would be better.
const ADDRESS: usize = 8000;

/// Which rows a query sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that are there.
    There,
    /// Also those in the bin.
    All,
}

/// A part of a query's result.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// The rows.
    pub(super) rows: Vec<Value>,
    /// How many there are in all.
    pub(super) total: u64,
    /// Where the next part is.
    pub(super) next: Option<String>,
    /// When it was answered, by the vendor's clock.
    pub(super) at: Option<Timestamp>,
}

/// Runs a query.
///
/// Errors: as the vendor says.
pub(super) async fn run(session: &Session, settings: &Settings, which: Which, query: &Query) -> Result<Found, Fault> {
    let resource = if which == Which::All { "queryAll" } else { "query" };
    let text = query.text();
    if encoded_length(&text) <= ADDRESS {
        let call = with_options(settings.call(Method::GET, &[resource])?.query("q", text.clone()), settings);
        match driver::ask(session, &RestDialect, call).await {
            Err(Fault::Refused { code, .. }) if code == "URI_TOO_LONG" => {}
            other => return other.map(found),
        }
    }
    inside(session, settings, resource, &text).await
}

/// All rows of a query, for queries that find few.
///
/// Errors: as the vendor says.
pub(super) async fn all(session: &Session, settings: &Settings, which: Which, query: &Query) -> Result<Vec<Value>, Fault> {
    let mut part = run(session, settings, which, query).await?;
    let mut rows = std::mem::take(&mut part.rows);
    while let Some(next) = part.next {
        part = more(session, settings, next).await?;
        rows.append(&mut part.rows);
    }
    Ok(rows)
}

/// The next part of a result.
///
/// Errors: [`Fault::Stale`] when the vendor has forgotten it; as the vendor says.
pub(super) async fn more(session: &Session, settings: &Settings, next: String) -> Result<Found, Fault> {
    let call = with_options(Call::get(Target::Path(next)), settings);
    driver::ask(session, &RestDialect, call).await.map(found)
}

fn with_options(call: Call, settings: &Settings) -> Call {
    match settings.page_size {
        Some(rows) => call.header("sforce-query-options", &format!("batchSize={rows}")),
        None => call,
    }
}

fn found(answer: Answer) -> Found {
    let at = times::answered(&answer.headers);
    of_json(answer.json, at)
}

fn of_json(mut json: Value, at: Option<Timestamp>) -> Found {
    let total = json["totalSize"].as_u64().unwrap_or(0);
    let next = json["nextRecordsUrl"].as_str().filter(|next| next.starts_with("/services/data/")).map(str::to_owned);
    let rows = match json.get_mut("records").map(Value::take) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    };
    Found { rows, total, next, at }
}

/// The query as the only part of a composite call: a body may be long.
async fn inside(session: &Session, settings: &Settings, resource: &str, text: &str) -> Result<Found, Fault> {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let url = format!("/services/data/{}/{resource}?q={encoded}", settings.version);
    let body = json!({"compositeRequest": [{"method": "GET", "url": url, "referenceId": "found"}]});
    let call = with_options(settings.call(Method::POST, &["composite"])?.json(body).repeatable(true), settings);
    let mut answer = driver::ask(session, &RestDialect, call).await?;
    let at = times::answered(&answer.headers);
    let part = &mut answer.json["compositeResponse"][0];
    let status = part["httpStatusCode"].as_u64().and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
    let json = part["body"].take();
    match status {
        Some(status) if status.is_success() => Ok(of_json(json, at)),
        Some(status) => {
            let inner = Answer { status, headers: HeaderMap::new(), body: Bytes::new(), json, at: answer.at };
            Err(RestDialect.refusal(&inner, true).unwrap_or_else(|| by_status(&inner, true, None, None)))
        }
        None => Err(Fault::Unavailable { message: "a composite call was answered without its part".to_owned() }),
    }
}

/// How long a text is in an address.
fn encoded_length(text: &str) -> usize {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'.' | b'_') { 1 } else { 3 }).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_length_in_an_address_is_known(text in "\\PC{0,60}") {
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            prop_assert!(encoded.len() <= encoded_length(&text));
        }
    }
}
