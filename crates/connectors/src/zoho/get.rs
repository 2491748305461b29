//! Reading records by their ids, and looking for a value. Zoho keeps no trace of where a merged record went: it is absent like a deleted one.

use serde_json::Value;

use super::dialect::Speech;
use super::page::{FIELDS, asked};
use super::rows::{self, Listing, MODIFIED};
use super::settings::Settings;
use super::{coql, modules};
use crate::{Call, Fault, RemoteRecord, Session, driver};

/// Records that [`find`] answers at most.
const FOUND: usize = 10;

/// Reads up to 100 records; at most 50 fields.
async fn read(session: &Session, module: &str, ids: &[&str], fields: &[&str]) -> Result<Listing, Fault> {
    let settings = Settings::of(session)?;
    let call = Call::get(settings.path(&[module])?)
        .query("ids", ids.join(","))
        .query("fields", fields.join(","))
        .query("per_page", modules::BATCH.to_string());
    let answer = driver::fetch(session, &Speech, call).await?;
    rows::listing(&answer, fields)
}

/// Adds further fields to records that were read, part by part.
pub(super) async fn complete(session: &Session, module: &str, records: &mut [RemoteRecord], parts: &[Vec<&str>]) -> Result<(), Fault> {
    for part in parts {
        for some in records.chunks_mut(modules::BATCH) {
            let ids: Vec<&str> = some.iter().map(|record| record.id.as_str()).collect();
            let mut rest = read(session, module, &ids, part).await?.records;
            for record in some {
                // One that went in between stays as it was read; the next run learns of its end.
                if let Some(at) = rest.iter().position(|other| other.id == record.id) {
                    let fields = rest.swap_remove(at).fields;
                    record.fields.extend(fields.into_iter().filter(|(name, _)| !matches!(name.as_str(), "id" | MODIFIED)));
                }
            }
        }
    }
    Ok(())
}

/// The records with these ids.
pub(super) async fn get(session: &Session, module: &str, ids: &[String], fields: &[String]) -> Result<Vec<RemoteRecord>, Fault> {
    let names = fields.iter().map(|field| coql::name(field)).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())).collect();
    let mut chunks = names.chunks(FIELDS - 2).map(|part| part.iter().copied().chain(["id", MODIFIED]).collect::<Vec<_>>());
    let (first, more) = (chunks.next().unwrap_or_else(|| vec!["id", MODIFIED]), chunks.collect::<Vec<_>>());
    let mut records = Vec::with_capacity(ids.len());
    for part in ids.chunks(modules::BATCH) {
        let mut found = read(session, module, part, &first).await?.records;
        found.iter_mut().for_each(|record| record.fields.retain(|name, _| names.contains(&name.as_str())));
        complete(session, module, &mut found, &more).await?;
        records.append(&mut found);
    }
    Ok(records)
}

/// The records with this value in this field. By a query, which may know late of what was written.
pub(super) async fn find(
    session: &Session,
    module: &str,
    field: &str,
    value: &Value,
    fields: &[String],
) -> Result<Vec<RemoteRecord>, Fault> {
    let mut found = find_any(session, module, field, std::slice::from_ref(value), fields).await?;
    found.truncate(FOUND);
    Ok(found)
}

/// The records with one of these values in this field: fifty values in a query.
pub(super) async fn find_any(
    session: &Session,
    module: &str,
    field: &str,
    values: &[Value],
    fields: &[String],
) -> Result<Vec<RemoteRecord>, Fault> {
    let values: Vec<&Value> = values.iter().filter(|value| !value.is_null() && **value != "").collect();
    if field == "id" {
        let ids: Vec<String> = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
        return get(session, module, &ids, fields).await;
    }
    let settings = Settings::of(session)?;
    let mut names: Vec<&str> = fields.iter().map(String::as_str).take(FIELDS - 2).collect();
    for own in ["id", MODIFIED] {
        if !names.contains(&own) {
            names.push(own);
        }
    }
    let mut records = Vec::new();
    for part in values.chunks(coql::VALUES) {
        let wanted = if let [one] = part { (*one).clone() } else { Value::Array(part.iter().map(|value| (*value).clone()).collect()) };
        let text = coql::select(module, &names, &[coql::condition(field, &wanted)?], part.len() * FOUND)?;
        // A query costs by the rows that it may bring: one credit up to 200, two up to 1,000.
        let cost = if part.len() * FOUND > 200 { 2 } else { 1 };
        let answer = driver::fetch(session, &Speech, asked(&settings, &text, cost)?).await?;
        records.append(&mut rows::listing(&answer, &names)?.records);
    }
    records.iter_mut().for_each(|record| record.fields.retain(|name, _| fields.contains(name)));
    if fields.len() > FIELDS - 2 {
        let ids: Vec<String> = records.into_iter().map(|record| record.id).collect();
        return get(session, module, &ids, fields).await;
    }
    Ok(records)
}
