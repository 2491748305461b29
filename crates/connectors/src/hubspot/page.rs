//! Reading many.
//!
//! Everything comes from the list, 100 at a time: it is what HubSpot has, without the search's lag. What changed, and what a filter leaves, comes
//! from the search ([`super::search`]). The cursor that a run ends with is HubSpot's own time at the run's first call; where the run went through
//! the search, the lookback is taken off.

use kernel::Timestamp;

use super::cursors::{self, Place};
use super::dialect::Speech;
use super::rows::{self, Listing, Wanted};
use super::search::{self, Search};
use super::settings::Settings;
use super::{associations, objects};
use crate::driver::Watermark;
use crate::{Call, Fault, Page, PageAsk, RemoteRecord, Session, Span, driver};

/// The longest list of properties in an address, in characters. HubSpot's edge refuses addresses of some 16,000.
const LONGEST: usize = 15_000;

pub(super) async fn page(session: &Session, ask: PageAsk<'_>) -> Result<Page, Fault> {
    let place = ask.token.map(Place::parse).transpose()?;
    let is_filtered = ask.filter.and_then(serde_json::Value::as_object).is_some_and(|filter| !filter.is_empty());
    match (&ask.span, place) {
        (Span::Full, None) if !is_filtered => list(session, &ask, None).await,
        (Span::Full, Some(Place::List { mark, total, after })) if !is_filtered => list(session, &ask, Some((mark, total, after))).await,
        (Span::Full, None) => found(session, &ask, None, None).await,
        (Span::Full, Some(Place::Search { mark, total, last })) => found(session, &ask, None, Some((mark, total, last))).await,
        (Span::Since(cursor), None) => found(session, &ask, Some(cursors::since(cursor)?), None).await,
        (Span::Since(cursor), Some(Place::Search { mark, total, last })) => {
            found(session, &ask, Some(cursors::since(cursor)?), Some((mark, total, last))).await
        }
        _ => Err(Fault::stale("The page's token belongs to another kind of run.")),
    }
}

/// A page of the list.
async fn list(session: &Session, ask: &PageAsk<'_>, place: Option<(Watermark, Option<u64>, String)>) -> Result<Page, Fault> {
    let settings = Settings::of(session)?;
    let (properties, links): (Vec<&str>, Vec<&str>) = {
        let all = ask.fields.iter().map(String::as_str);
        all.partition(|name| associations::target(name).is_none())
    };
    let joined = properties.join(",");
    let fits = joined.len() <= LONGEST;
    let targets: Vec<_> = links.iter().filter_map(|name| associations::target(name)).collect();
    let call = Call::get(settings.objects(ask.object, &[])?)
        .query("limit", objects::BATCH.to_string())
        .query_if("after", place.as_ref().map(|(_, _, after)| after.as_str()))
        .query_if("properties", (fits && !joined.is_empty()).then_some(joined))
        .query_if("associations", (!targets.is_empty()).then(|| targets.join(",")));
    let sent = session.ambient.now();
    let answer = driver::fetch(session, &Speech::of(&settings), call).await?;
    let wanted = if fits { Wanted::new(ask.fields.iter().map(String::as_str)) } else { Wanted::new(links.iter().copied()) };
    let listing = rows::listing(&answer.body, &wanted)?;
    let (mut mark, total) = match place {
        Some((mark, total, _)) => (mark, total),
        None => (Watermark::default(), search::total(session, ask.object).await),
    };
    mark.began(&answer, sent);
    let after = listing.after.clone();
    let mut records = records(listing, &mut mark);
    if !fits {
        complete(session, ask.object, &mut records, &properties).await?;
    }
    let cursor = after.is_none().then(|| cursors::cursor(mark.cursor(None)));
    let next = after.map(|after| Place::List { mark, total, after }.text());
    Ok(Page { records, next, cursor, total })
}

/// More properties than an address holds are read by the records' ids, in a body.
async fn complete(session: &Session, object: &str, records: &mut [RemoteRecord], properties: &[&str]) -> Result<(), Fault> {
    let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
    let mut rest = super::get::read(session, object, &ids, None, properties).await?.rows;
    for record in records {
        // One that went in between is known by its id and its time only; the next run learns of its end.
        if let Some(at) = rest.iter().position(|row| row.record.id == record.id) {
            record.fields.extend(rest.swap_remove(at).record.fields);
        }
    }
    Ok(())
}

/// A page of the search.
async fn found(
    session: &Session,
    ask: &PageAsk<'_>,
    from: Option<Timestamp>,
    place: Option<(Watermark, Option<u64>, u64)>,
) -> Result<Page, Fault> {
    let settings = Settings::of(session)?;
    let last = place.map_or(0, |(_, _, last)| last);
    let mut search = Search::by(ask.filter)?;
    if let Some(from) = from {
        search = search::changed_since(search, ask.object, from);
    }
    let search = search.and("hs_object_id", "GT", Some(last.to_string()));
    let properties = search::properties(ask.fields);
    let sent = session.ambient.now();
    let (listing, answer) = search.page(session, ask.object, &properties).await?;
    let (mut mark, total) = place.map_or((Watermark::default(), listing.total), |(mark, total, _)| (mark, total));
    mark.began(&answer, sent);
    let furthest = if search::is_last(&listing) { None } else { Some(search::furthest(&listing, last)?) };
    let mut records = records(listing, &mut mark);
    associations::fill(session, ask.object, &mut records, ask.fields).await?;
    // A cursor never goes back: what was asked for before is known.
    let until = mark.cursor(from).minus(settings.lookback);
    let cursor = furthest.is_none().then(|| cursors::cursor(from.map_or(until, |from| from.max(until))));
    let next = furthest.map(|last| Place::Search { mark, total, last }.text());
    Ok(Page { records, next, cursor, total })
}

fn records(listing: Listing, mark: &mut Watermark) -> Vec<RemoteRecord> {
    let records: Vec<_> = listing.rows.into_iter().map(|row| row.record).collect();
    records.iter().for_each(|record| mark.saw(record.modified_at));
    records
}
