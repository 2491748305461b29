//! What was deleted.
//!
//! HubSpot has no feed of deletions, but three things together tell most of it:
//!
//! * the list of archived records, each with its time; there is no way to ask for the latest only, so the whole of it is looked through;
//! * the survivors of merges: a merge changes the survivor, which names those that went into it;
//! * webhooks, the only ones that tell of a deletion for good (GDPR). Without them a complete scan does.
//!
//! An archived record can be restored for 90 days and is no longer listed after that: a cursor that is older has missed some.

use std::time::Duration;

use kernel::Timestamp;

use super::cursors::{self, Place};
use super::dialect::Speech;
use super::objects;
use super::rows::{self, MERGED, Wanted};
use super::search::{self, Search};
use super::settings::Settings;
use crate::driver::Watermark;
use crate::{Call, DeletedPage, Deletion, Fault, Session, driver};

/// How long archived records are listed, less a day for the edges.
const KEPT: Duration = Duration::from_hours(89 * 24);
/// A first cursor is ours and not HubSpot's: so far may our clock be ahead.
const SKEW: Duration = Duration::from_mins(5);

pub(super) async fn deleted(session: &Session, object: &str, cursor: Option<&str>, token: Option<&str>) -> Result<DeletedPage, Fault> {
    let Some(cursor) = cursor else {
        let from = session.ambient.now().minus(SKEW);
        return Ok(DeletedPage { cursor: Some(cursors::cursor(from)), ..DeletedPage::default() });
    };
    let since = cursors::since(cursor)?;
    if session.ambient.now().since(since) > KEPT {
        return Err(Fault::stale("HubSpot lists deleted records for 90 days, and the cursor is older."));
    }
    match token.map(Place::parse).transpose()? {
        None => bin(session, object, since, None).await,
        Some(Place::Bin { mark, after }) => bin(session, object, since, Some((mark, after))).await,
        Some(Place::Merges { mark, last }) => merges(session, object, since, mark, last).await,
        Some(_) => Err(Fault::stale("The page's token belongs to another kind of run.")),
    }
}

/// A page of the archived records.
async fn bin(session: &Session, object: &str, since: Timestamp, place: Option<(Watermark, String)>) -> Result<DeletedPage, Fault> {
    let settings = Settings::of(session)?;
    let call = Call::get(settings.objects(object, &[])?)
        .query("limit", objects::BATCH.to_string())
        .query("archived", "true")
        .query("properties", "hs_object_id")
        .query_if("after", place.as_ref().map(|(_, after)| after.as_str()));
    let sent = session.ambient.now();
    let answer = driver::fetch(session, &Speech::of(&settings), call).await?;
    let listing = rows::listing(&answer.body, &Wanted::new([]))?;
    let mut mark = place.map(|(mark, _)| mark).unwrap_or_default();
    mark.began(&answer, sent);
    listing.rows.iter().for_each(|row| mark.saw(row.archived_at));
    // One without a time is told each time rather than never.
    let recent = listing.rows.iter().filter(|row| row.archived_at.is_none_or(|at| at >= since));
    let deletions = recent.map(|row| Deletion { id: row.record.id.clone(), at: row.archived_at, merged_into: None }).collect();
    let next = listing.after.map_or(Place::Merges { mark, last: 0 }, |after| Place::Bin { mark, after });
    Ok(DeletedPage { deletions, next: Some(next.text()), cursor: None })
}

/// A page of the records that changed and into which others were merged, whenever that was.
async fn merges(session: &Session, object: &str, since: Timestamp, mark: Watermark, last: u64) -> Result<DeletedPage, Fault> {
    let settings = Settings::of(session)?;
    let search = search::changed_since(Search::by(None)?, object, since.minus(settings.lookback)).and(MERGED, "HAS_PROPERTY", None).and(
        "hs_object_id",
        "GT",
        Some(last.to_string()),
    );
    let listing = match search.first(session, object, &["hs_object_id", MERGED], search::PAGE).await {
        // Not every type of object has that property: what cannot be merged was not.
        Err(Fault::Refused { .. }) => rows::Listing::default(),
        other => other?,
    };
    let next = if search::is_last(&listing) { None } else { Some(Place::Merges { mark, last: search::furthest(&listing, last)? }.text()) };
    let mut deletions = Vec::new();
    for row in &listing.rows {
        let one = |id: &String| Deletion { id: id.clone(), at: row.record.modified_at, merged_into: Some(row.record.id.clone()) };
        deletions.extend(row.merged.iter().map(one));
    }
    let cursor = next.is_none().then(|| cursors::cursor(mark.cursor(Some(since)).max(since)));
    Ok(DeletedPage { deletions, next, cursor })
}
