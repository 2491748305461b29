//! Reading many.
//!
//! A list in the order of ids, 200 at a time, by page tokens; what changed by `If-Modified-Since`. Neither goes through Zoho's search. Page tokens
//! reach 100,000 records and live a day: beyond either the run goes on by queries for ids beyond the last one that was seen, and so do runs with
//! a filter, which lists do not have.

use std::time::Duration;

use kernel::Timestamp;
use serde_json::{Value, json};

use super::cursors::{self, Place};
use super::dialect::{Speech, UNCHANGED};
use super::rows::{self, Listing, MODIFIED};
use super::settings::Settings;
use super::{coql, get};
use crate::driver::Watermark;
use crate::{Call, Fault, Page, PageAsk, RemoteRecord, Session, Span, driver};

/// Records of a list's page.
const PAGE: &str = "200";
/// Records that page tokens reach.
const REACH: u64 = 100_000;
/// Fields of one call.
pub(super) const FIELDS: usize = 50;

/// A place in a list.
struct Spot {
    mark: Watermark,
    total: Option<u64>,
    page_token: String,
    seen: u64,
    last: u64,
}

pub(super) async fn page(session: &Session, ask: PageAsk<'_>) -> Result<Page, Fault> {
    let from = if let Span::Since(cursor) = &ask.span { Some(cursors::since(cursor)?) } else { None };
    let is_filtered = ask.filter.and_then(Value::as_object).is_some_and(|filter| !filter.is_empty());
    match ask.token.map(Place::parse).transpose()? {
        None if is_filtered => query(session, &ask, from, Watermark::default(), None, 0).await,
        None => list(session, &ask, from, None).await,
        Some(Place::List { mark, total, page_token, seen, last }) if !is_filtered => {
            list(session, &ask, from, Some(Spot { mark, total, page_token, seen, last })).await
        }
        Some(Place::Query { mark, total, last }) => query(session, &ask, from, mark, total, last).await,
        Some(_) => Err(Fault::stale("The page's token belongs to another kind of run.")),
    }
}

/// The fields of one call: id and time always, and at most 50 in all. The rest is read by ids.
fn parts<'f>(fields: &[&'f str]) -> (Vec<&'f str>, Vec<Vec<&'f str>>) {
    let own: Vec<&'f str> = fields.iter().copied().filter(|name| !matches!(*name, "id" | MODIFIED)).collect();
    let mut chunks = own.chunks(FIELDS - 2).map(|part| part.iter().copied().chain(["id", MODIFIED]).collect::<Vec<_>>());
    let first = chunks.next().unwrap_or_else(|| vec!["id", MODIFIED]);
    (first, chunks.collect())
}

fn wanted<'f>(ask: &PageAsk<'f>) -> Result<Vec<&'f str>, Fault> {
    ask.fields.iter().map(|field| coql::name(field)).collect()
}

/// A page of the list.
async fn list(session: &Session, ask: &PageAsk<'_>, from: Option<Timestamp>, spot: Option<Spot>) -> Result<Page, Fault> {
    let settings = Settings::of(session)?;
    let fields = wanted(ask)?;
    let (first, more) = parts(&fields);
    let mut call = Call::get(settings.path(&[ask.object])?).query("fields", first.join(",")).query("per_page", PAGE);
    call = match &spot {
        Some(spot) => call.query("page_token", spot.page_token.clone()),
        None => call.query("page", "1"),
    };
    call = call.query("sort_by", "id").query("sort_order", "asc");
    if let Some(from) = from {
        // Changes within the second that is named may not count as later than it.
        call = call.header("if-modified-since", &cursors::time(from.minus(Duration::from_secs(1))));
    }
    let sent = session.ambient.now();
    let (answer, spot) = match (driver::fetch(session, &Speech, call).await, spot) {
        (Ok(answer), spot) => (answer, spot),
        (Err(Fault::NotFound { message }), spot) if message == UNCHANGED => return Ok(nothing(&settings, from, spot, sent)),
        // A token lives a day and belongs to who got it: the ids show the way.
        (Err(Fault::Refused { .. }), Some(spot)) => return query(session, ask, from, spot.mark, spot.total, spot.last).await,
        (Err(fault), _) => return Err(fault),
    };
    let mut listing = rows::listing(&answer, &fields)?;
    let spot = match spot {
        Some(spot) => spot,
        None => Spot { mark: Watermark::default(), total: total(session, ask, from).await, page_token: String::new(), seen: 0, last: 0 },
    };
    let mut mark = spot.mark;
    mark.began(&answer, sent);
    let seen = spot.seen + listing.records.len() as u64;
    let last = listing.records.iter().filter_map(|record| record.id.parse().ok()).max().unwrap_or(spot.last);
    get::complete(session, ask.object, &mut listing.records, &more).await?;
    let total = spot.total;
    let next = match listing.info.next_page_token.take().filter(|_| listing.info.more_records) {
        Some(page_token) if seen < REACH => Some(Place::List { mark, total, page_token, seen, last }),
        Some(_) => Some(Place::Query { mark, total, last }),
        None if listing.info.more_records => Some(Place::Query { mark, total, last }),
        None => None,
    };
    Ok(told(&settings, listing, mark, total, next, from, from.is_some()))
}

/// Nothing changed (304): what was known is known.
fn nothing(settings: &Settings<'_>, from: Option<Timestamp>, spot: Option<Spot>, sent: Timestamp) -> Page {
    let cursor = match (&spot, from) {
        (Some(spot), from) => spot.mark.cursor(from).minus(settings.overlap).max(from.unwrap_or_default()),
        (None, Some(from)) => from,
        (None, None) => sent.minus(settings.overlap),
    };
    Page { cursor: Some(cursors::cursor(cursor)), total: spot.map_or(Some(0), |spot| spot.total), ..Page::default() }
}

/// A page of a query in the order of ids.
async fn query(
    session: &Session,
    ask: &PageAsk<'_>,
    from: Option<Timestamp>,
    mut mark: Watermark,
    total: Option<u64>,
    last: u64,
) -> Result<Page, Fault> {
    let settings = Settings::of(session)?;
    let fields = wanted(ask)?;
    let (first, more) = parts(&fields);
    let mut conditions = vec![format!("id > {}", coql::quoted(&last.to_string()))];
    conditions.extend(from.map(|from| format!("{MODIFIED} >= {}", coql::quoted(&cursors::time(from)))));
    conditions.extend(coql::conditions(ask.filter.and_then(Value::as_object))?);
    let text = coql::select(ask.object, &first, &conditions, coql::PAGE)?;
    let sent = session.ambient.now();
    let answer = driver::fetch(session, &Speech, asked(&settings, &text, 3)?).await?;
    let mut listing = rows::listing(&answer, &fields)?;
    mark.began(&answer, sent);
    let furthest = listing.records.iter().filter_map(|record| record.id.parse().ok()).max();
    get::complete(session, ask.object, &mut listing.records, &more).await?;
    let next = match furthest {
        Some(id) if listing.info.more_records && id <= last => {
            return Err(Fault::Unavailable { message: "Zoho's query does not go on: it repeats ids.".to_owned() });
        }
        Some(last) if listing.info.more_records => Some(Place::Query { mark, total, last }),
        _ => None,
    };
    Ok(told(&settings, listing, mark, total, next, from, true))
}

/// The call of a query. It costs by the rows that it may bring.
pub(super) fn asked(settings: &Settings<'_>, text: &str, cost: u32) -> Result<Call, Fault> {
    Ok(Call::post(settings.path(&["coql"])?, json!({"select_query": text})).repeatable(true).cost(cost))
}

fn told(
    settings: &Settings<'_>,
    listing: Listing,
    mut mark: Watermark,
    total: Option<u64>,
    next: Option<Place>,
    from: Option<Timestamp>,
    overlaps: bool,
) -> Page {
    let records: Vec<RemoteRecord> = listing.records;
    records.iter().for_each(|record| mark.saw(record.modified_at));
    let next = next.map(|place| match place {
        Place::List { total, page_token, seen, last, .. } => Place::List { mark, total, page_token, seen, last },
        Place::Query { total, last, .. } => Place::Query { mark, total, last },
        other => other,
    });
    let until = mark.cursor(from).minus(if overlaps { settings.overlap } else { Duration::ZERO });
    // A cursor never goes back: what was asked for before is known.
    let cursor = next.is_none().then(|| cursors::cursor(from.map_or(until, |from| from.max(until))));
    Page { records, next: next.map(|place| place.text()), cursor, total }
}

/// How many records there are, of a load of everything. `None`: Zoho does not say.
async fn total(session: &Session, ask: &PageAsk<'_>, from: Option<Timestamp>) -> Option<u64> {
    if from.is_some() {
        return None;
    }
    let settings = Settings::of(session).ok()?;
    let answer = driver::ask(session, &Speech, Call::get(settings.path(&[ask.object, "actions", "count"]).ok()?)).await.ok()?;
    answer.json["count"].as_u64().or_else(|| answer.text("/count")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_fifty_fields_take_more_than_one_call() {
        let names: Vec<String> = (0..120).map(|n| format!("F{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (first, more) = parts(&names);
        assert_eq!((first.len(), more.iter().map(Vec::len).collect::<Vec<_>>()), (50, vec![50, 26]));
        assert!(more.iter().all(|part| part.contains(&"id")));
        assert_eq!(parts(&[]), (vec!["id", MODIFIED], Vec::new()));
        assert_eq!(parts(&["id", "Email", MODIFIED]).0, ["Email", "id", MODIFIED]);
    }
}
