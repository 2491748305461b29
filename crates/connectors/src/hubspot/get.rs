//! Reading records by their ids, or by a unique property. Neither goes through the search: both show what was written a moment ago.

use serde_json::{Value, json};

use super::dialect::Speech;
use super::rows::{self, Listing, MERGED, Wanted};
use super::search::{self, Search};
use super::settings::Settings;
use super::{associations, objects, values};
use crate::{Call, Fault, RemoteRecord, Session, driver};

/// Records that [`find`] answers at most.
const FOUND: usize = 10;

/// Reads by ids, or by `by`, at most 100.
pub(super) async fn read(session: &Session, object: &str, ids: &[String], by: Option<&str>, properties: &[&str]) -> Result<Listing, Fault> {
    let settings = Settings::of(session)?;
    let inputs: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    let asked: Vec<&str> = properties.iter().copied().chain([MERGED]).collect();
    let mut body = json!({"properties": asked, "inputs": inputs});
    if let Some(by) = by {
        body["idProperty"] = json!(by);
    }
    let call = Call::post(settings.objects(object, &["batch", "read"])?, body).repeatable(true);
    let answer = driver::fetch(session, &Speech::of(&settings), call).await?;
    rows::listing(&answer.body, &Wanted::new(properties.iter().copied()))
}

/// The records with these ids. One that was merged comes by the id that was asked for, without fields, and says where it went.
pub(super) async fn get(session: &Session, object: &str, ids: &[String], fields: &[String]) -> Result<Vec<RemoteRecord>, Fault> {
    // Something else than a number is no id, and would spoil the whole call.
    let ids: Vec<String> = ids.iter().filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).cloned().collect();
    let properties = search::properties(fields);
    let mut records: Vec<RemoteRecord> = Vec::with_capacity(ids.len());
    for part in ids.chunks(objects::BATCH) {
        let listing = read(session, object, part, None, &properties).await?;
        let is_there = |id: &String| listing.rows.iter().any(|row| row.record.id == *id);
        let strange = listing.rows.iter().any(|row| !part.contains(&row.record.id));
        for id in part.iter().filter(|id| !is_there(id)) {
            let into = listing.rows.iter().find(|row| row.merged.contains(id)).map(|row| row.record.id.clone());
            let into = match into {
                // HubSpot answered with records that nobody asked for, and none of them owns up to this id.
                None if strange => survivor(session, object, id).await?,
                known => known,
            };
            records.extend(into.map(|into| gone(id, into)));
        }
        let mut asked: Vec<RemoteRecord> =
            listing.rows.into_iter().map(|row| row.record).filter(|record| part.contains(&record.id)).collect();
        associations::fill(session, object, &mut asked, fields).await?;
        records.append(&mut asked);
    }
    Ok(records)
}

fn gone(id: &str, into: String) -> RemoteRecord {
    RemoteRecord { id: id.to_owned(), fields: serde_json::Map::new(), modified_at: None, deleted: false, merged_into: Some(into) }
}

/// The record that HubSpot shows in place of one that was merged.
async fn survivor(session: &Session, object: &str, id: &str) -> Result<Option<String>, Fault> {
    let settings = Settings::of(session)?;
    match driver::fetch(session, &Speech::of(&settings), Call::get(settings.objects(object, &[id])?)).await {
        Ok(answer) => Ok(Some(rows::one(&answer.body, &Wanted::new([]))?.record.id).filter(|into| into != id)),
        Err(Fault::NotFound { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The records with this value in this property.
pub(super) async fn find(
    session: &Session,
    object: &str,
    field: &str,
    value: &Value,
    fields: &[String],
) -> Result<Vec<RemoteRecord>, Fault> {
    let mut found = find_any(session, object, field, std::slice::from_ref(value), fields).await?;
    found.truncate(FOUND);
    Ok(found)
}

/// The records with one of these values in this property, in one call.
pub(super) async fn find_any(
    session: &Session,
    object: &str,
    field: &str,
    values: &[Value],
    fields: &[String],
) -> Result<Vec<RemoteRecord>, Fault> {
    let mut texts: Vec<String> = values.iter().map(values::told).filter(|text| !text.is_empty()).collect();
    texts.sort_unstable();
    texts.dedup();
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    if field == "hs_object_id" {
        return get(session, object, &texts, fields).await;
    }
    let properties = search::properties(fields);
    let settings = Settings::of(session)?;
    let listing = if settings.is_unique(object, field) {
        by_unique(session, object, field, &texts, &properties).await?
    } else {
        Search::by(None)?.any(field, &texts).first(session, object, &properties, search::PAGE).await?
    };
    let mut records: Vec<_> = listing.rows.into_iter().map(|row| row.record).collect();
    associations::fill(session, object, &mut records, fields).await?;
    Ok(records)
}

async fn by_unique(session: &Session, object: &str, field: &str, texts: &[String], properties: &[&str]) -> Result<Listing, Fault> {
    let mut all = Listing::default();
    for part in texts.chunks(objects::BATCH) {
        match read(session, object, part, Some(field), properties).await {
            Err(Fault::NotFound { .. }) => {}
            // One value that HubSpot does not take for one spoils the whole call: each by itself, and that one is nobody's.
            Err(Fault::Refused { .. }) if part.len() > 1 => {
                for text in part {
                    match read(session, object, std::slice::from_ref(text), Some(field), properties).await {
                        Err(Fault::NotFound { .. } | Fault::Refused { .. }) => {}
                        other => all.rows.append(&mut other?.rows),
                    }
                }
            }
            other => all.rows.append(&mut other?.rows),
        }
    }
    Ok(all)
}
