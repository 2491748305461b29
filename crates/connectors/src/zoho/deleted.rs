//! The feed of deleted records: those in the bin and those that are gone for good, merged ones among these (Zoho does not say into which).

use std::time::Duration;

use kernel::Timestamp;
use serde_json::Value;

use super::cursors::{self, Place};
use super::dialect::{Speech, UNCHANGED};
use super::settings::Settings;
use crate::driver::{Answer, Watermark};
use crate::{Call, DeletedPage, Deletion, Fault, Session, driver, times};

/// How long Zoho keeps deleted records in its bin, less a day for the edges.
const KEPT: Duration = Duration::from_hours(59 * 24);
/// A first cursor is ours and not Zoho's: so far may our clock be ahead.
const SKEW: Duration = Duration::from_mins(5);

pub(super) async fn deleted(session: &Session, module: &str, cursor: Option<&str>, token: Option<&str>) -> Result<DeletedPage, Fault> {
    let Some(cursor) = cursor else {
        let from = session.ambient.now().minus(SKEW);
        return Ok(DeletedPage { cursor: Some(cursors::cursor(from)), ..DeletedPage::default() });
    };
    let since = cursors::since(cursor)?;
    if session.ambient.now().since(since) > KEPT {
        return Err(Fault::stale("Zoho keeps deleted records for 60 days, and the cursor is older."));
    }
    let (mark, number) = match token.map(Place::parse).transpose()? {
        None => (Watermark::default(), 1),
        Some(Place::Deleted { mark, page }) => (mark, page),
        Some(_) => return Err(Fault::stale("The page's token belongs to another kind of run.")),
    };
    page(session, module, since, mark, number).await
}

async fn page(session: &Session, module: &str, since: Timestamp, mut mark: Watermark, number: u64) -> Result<DeletedPage, Fault> {
    let settings = Settings::of(session)?;
    let call = Call::get(settings.path(&[module, "deleted"])?)
        .query("type", "all")
        .query("page", number.to_string())
        .query("per_page", "200")
        .header("if-modified-since", &cursors::time(since.minus(Duration::from_secs(1))))
        .cost(2);
    let sent = session.ambient.now();
    let answer = match driver::ask(session, &Speech, call).await {
        Err(Fault::NotFound { message }) if message == UNCHANGED => None,
        other => Some(other?),
    };
    if let Some(answer) = &answer {
        mark.began(answer, sent);
    }
    let deletions: Vec<Deletion> = answer.iter().flat_map(rows).collect();
    deletions.iter().for_each(|deletion| mark.saw(deletion.at));
    let more = answer.is_some_and(|answer| answer.json["info"]["more_records"] == true);
    let next = more.then(|| Place::Deleted { mark, page: number + 1 }.text());
    // Without an answer there is no time of Zoho's, and none is needed: nothing was deleted.
    let until = mark.cursor(Some(since)).minus(settings.overlap).max(since);
    let cursor = next.is_none().then(|| cursors::cursor(until));
    Ok(DeletedPage { deletions, next, cursor })
}

fn rows(answer: &Answer) -> Vec<Deletion> {
    let one = |row: &Value| {
        let at = row["deleted_time"].as_str().and_then(times::parse);
        Some(Deletion { id: row["id"].as_str()?.to_owned(), at, merged_into: None })
    };
    answer.json["data"].as_array().into_iter().flatten().filter_map(one).collect()
}
