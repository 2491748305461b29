//! What was deleted: the feed `sobjects/{object}/deleted`, which reaches back fifteen days.
//!
//! The feed has ids and times. Where a record was merged, and whether one has come back out of the bin meanwhile, is asked for with
//! `queryAll`. Salesforce cuts times to minutes and needs spans of a minute at least, so that each look begins a little before the last one
//! ended: a deletion may be told twice.

use std::collections::HashMap;
use std::time::Duration;

use http::Method;
use kernel::Timestamp;
use serde_json::Value;

use super::dialect::RestDialect;
use super::settings::Settings;
use super::tokens::{self, SpanToken};
use super::{ids, lookup, names, times};
use crate::{Call, DeletedPage, Deletion, Fault, RemoteRecord, Session, driver};

/// How far before its cursor a look begins.
const OVERLAP: Duration = Duration::from_secs(90);
/// The shortest span that is asked for.
const SHORTEST: Duration = Duration::from_mins(3);
/// Without a cursor the feed is asked only how far it has come; clocks may differ by as much.
const FIRST_LOOK: Duration = Duration::from_hours(24);

/// A part of what was deleted.
///
/// Errors: [`Fault::Stale`] when the feed does not reach back so far; as the vendor says.
pub(super) async fn deleted(session: &Session, object: &str, cursor: Option<&str>, token: Option<&str>) -> Result<DeletedPage, Fault> {
    let settings = Settings::of(session)?;
    let object = names::object(object)?;
    let now = session.ambient.now();
    let Some(cursor) = cursor else {
        let feed = Feed::read(session, &settings, object, now.minus(FIRST_LOOK), now).await?;
        return Ok(DeletedPage { cursor: Some(feed.covered.unwrap_or(now).to_string()), ..DeletedPage::default() });
    };
    let since = tokens::cursor(cursor)?;
    let span = match token {
        Some(text) => SpanToken::read(text)?,
        None => SpanToken { from: since.minus(OVERLAP).min(now.minus(SHORTEST)), to: now },
    };
    let feed = match Feed::read(session, &settings, object, span.from, span.to).await {
        Err(Fault::Refused { code, .. }) if matches!(code.as_str(), "EXCEEDED_ID_LIMIT" | "answer_too_large") => {
            return halved(&span);
        }
        Err(Fault::Refused { code, message, .. }) if code == "INVALID_REPLICATION_DATE" => return Err(Fault::Stale { message }),
        other => other?,
    };
    if let Some(earliest) = feed.earliest.filter(|earliest| *earliest > since) {
        let message = format!("the feed of deletions begins at {earliest}, after {since}");
        return Err(Fault::Stale { message });
    }
    let deletions = confirmed(session, &settings, object, feed.deletions).await?;
    if span.to < now.minus(SHORTEST) {
        // A part of a span that was halved; the rest begins where this one ends.
        let next = SpanToken { from: span.to.minus(OVERLAP), to: now };
        return Ok(DeletedPage { deletions, next: Some(next.write()), cursor: None });
    }
    let covered = feed.covered.unwrap_or(span.from).max(since);
    Ok(DeletedPage { deletions, next: None, cursor: Some(covered.to_string()) })
}

/// The first half of a span with too many deletions, as the next page.
fn halved(span: &SpanToken) -> Result<DeletedPage, Fault> {
    let half = span.to.since(span.from) / 2;
    if half < SHORTEST {
        return Err(Fault::Stale { message: "more was deleted within minutes than the feed can say".to_owned() });
    }
    let next = SpanToken { from: span.from, to: span.from.plus(half) };
    Ok(DeletedPage { next: Some(next.write()), ..DeletedPage::default() })
}

/// What the feed says.
struct Feed {
    deletions: Vec<(String, Option<Timestamp>)>,
    earliest: Option<Timestamp>,
    covered: Option<Timestamp>,
}

impl Feed {
    async fn read(session: &Session, settings: &Settings, object: &str, from: Timestamp, to: Timestamp) -> Result<Self, Fault> {
        let call: Call = settings.call(Method::GET, &["sobjects", object, "deleted"])?;
        let call = call.query("start", from.to_string()).query("end", to.to_string());
        let answer = driver::ask(session, &RestDialect, call).await?;
        let time = |name: &str| answer.json[name].as_str().and_then(times::parse);
        let rows = answer.json["deletedRecords"].as_array().into_iter().flatten();
        let one = |row: &Value| Some((ids::full(row["id"].as_str()?)?, row["deletedDate"].as_str().and_then(times::parse)));
        Ok(Self { deletions: rows.filter_map(one).collect(), earliest: time("earliestDateAvailable"), covered: time("latestDateCovered") })
    }
}

/// The deletions that still hold, with where merged records went.
async fn confirmed(
    session: &Session,
    settings: &Settings,
    object: &str,
    deletions: Vec<(String, Option<Timestamp>)>,
) -> Result<Vec<Deletion>, Fault> {
    if deletions.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: Vec<_> = deletions.iter().map(|(id, _)| id.clone()).collect();
    let bin = lookup::bin(session, settings, object, &wanted).await?;
    let known: HashMap<String, RemoteRecord> = bin.into_iter().map(|record| (record.id.clone(), record)).collect();
    let held = |(id, at): (String, Option<Timestamp>)| match known.get(&id) {
        Some(record) if !record.deleted => None,
        record => Some(Deletion { id, at, merged_into: record.and_then(|record| record.merged_into.clone()) }),
    };
    Ok(deletions.into_iter().filter_map(held).collect())
}
