//! Looking records up: by id, by a field's value; and where merged ones went.

use std::collections::HashMap;

use http::Method;
use serde_json::{Value, json};

use super::dialect::RestDialect;
use super::queries::{self, Which};
use super::settings::Settings;
use super::soql::{self, Query};
use super::writes::comparable;
use super::{ids, names, rows};
use crate::{Fault, RemoteRecord, Session, driver};

/// Objects whose records can be merged, which have a field that says into which.
const MERGEABLE: [&str; 3] = ["Account", "Contact", "Lead"];
/// Most records that [`find`] answers.
const FOUND: u32 = 10;
/// How Salesforce begins to say that a field is no external id.
pub(super) const NO_EXTERNAL_ID: &str = "Provided external ID field";
/// Most ids of one call.
const IDS: usize = 200;

/// The records with these ids. Read by their ids and never through an index; those that were merged say where they went.
///
/// Errors: as the vendor says.
pub(super) async fn get(session: &Session, object: &str, wanted: &[String], fields: &[String]) -> Result<Vec<RemoteRecord>, Fault> {
    let settings = Settings::of(session)?;
    let object = names::object(object)?;
    for field in fields {
        names::field(field)?;
    }
    // What is no id names nothing.
    let mut known: Vec<_> = wanted.iter().filter_map(|id| ids::full(id)).collect();
    known.sort();
    known.dedup();
    let mut records = Vec::with_capacity(known.len());
    for chunk in known.chunks(IDS) {
        records.append(&mut read(session, &settings, object, chunk, fields).await?);
    }
    let missing: Vec<_> = known.into_iter().filter(|id| !records.iter().any(|record| record.id == *id)).collect();
    for (id, master) in masters(session, &settings, object, &missing).await? {
        records.push(RemoteRecord { deleted: true, merged_into: Some(master), ..rows::bare(id) });
    }
    Ok(records)
}

async fn read(session: &Session, settings: &Settings, object: &str, ids: &[String], fields: &[String]) -> Result<Vec<RemoteRecord>, Fault> {
    let select = rows::selected(fields, &rows::SYSTEM);
    // A collection gives no fields of other records.
    if select.iter().any(|name| name.contains('.')) {
        let literals: Vec<_> = ids.iter().map(|id| soql::text(id)).collect();
        let query = Query { fields: select, object: object.to_owned(), conditions: soql::within("Id", &literals), ..Query::default() };
        let found = queries::all(session, settings, Which::There, &query).await?;
        return Ok(found.into_iter().filter_map(|row| rows::record(row, fields)).collect());
    }
    let call = settings.call(Method::POST, &["composite", "sobjects", object])?;
    let call = call.json(json!({"ids": ids, "fields": select})).repeatable(true);
    let mut answer = driver::ask(session, &RestDialect, call).await?;
    let found = answer.json.as_array_mut().map(std::mem::take).unwrap_or_default();
    Ok(found.into_iter().filter_map(|row| rows::record(row, fields)).collect())
}

/// Which of these went into which other record by a merge. Empty for objects that cannot be merged.
///
/// Errors: as the vendor says.
pub(super) async fn masters(
    session: &Session,
    settings: &Settings,
    object: &str,
    ids: &[String],
) -> Result<HashMap<String, String>, Fault> {
    if ids.is_empty() || !is_mergeable(object) {
        return Ok(HashMap::new());
    }
    let mut masters = HashMap::new();
    for row in bin(session, settings, object, ids).await? {
        if let Some(master) = row.merged_into {
            masters.insert(row.id, master);
        }
    }
    Ok(masters)
}

/// Whether records of this object can be merged.
pub(super) fn is_mergeable(object: &str) -> bool {
    MERGEABLE.iter().any(|name| name.eq_ignore_ascii_case(object))
}

/// What is known of records that may be in the bin: whether they are, and into what they were merged. Those that are gone for good are absent.
///
/// Errors: as the vendor says.
pub(super) async fn bin(session: &Session, settings: &Settings, object: &str, ids: &[String]) -> Result<Vec<RemoteRecord>, Fault> {
    let mut fields = vec!["Id".to_owned(), "IsDeleted".to_owned()];
    if is_mergeable(object) {
        fields.push("MasterRecordId".to_owned());
    }
    let literals: Vec<_> = ids.iter().map(|id| soql::text(id)).collect();
    let mut found = Vec::new();
    for condition in soql::within("Id", &literals) {
        let query = Query { fields: fields.clone(), object: object.to_owned(), conditions: vec![condition], ..Query::default() };
        let rows = queries::all(session, settings, Which::All, &query).await?;
        found.extend(rows.into_iter().filter_map(|row| rows::record(row, &[])));
    }
    Ok(found)
}

/// The records with this value in this field; at most ten.
///
/// Errors: as the vendor says.
pub(super) async fn find(
    session: &Session,
    object: &str,
    field: &str,
    value: &Value,
    fields: &[String],
) -> Result<Vec<RemoteRecord>, Fault> {
    let settings = Settings::of(session)?;
    let (object, field) = (names::object(object)?, names::field(field)?);
    for name in fields {
        names::field(name)?;
    }
    let select = rows::selected(fields, &rows::SYSTEM);
    if let Some(found) = by_external_id(session, &settings, object, field, value, &select).await? {
        return Ok(found.into_iter().filter_map(|row| rows::record(row, fields)).collect());
    }
    let conditions = vec![format!("{field} = {}", soql::literal(value)?)];
    let query = Query { fields: select, object: object.to_owned(), conditions, order: "Id", limit: Some(FOUND) };
    let found = queries::all(session, &settings, Which::There, &query).await?;
    Ok(found.into_iter().filter_map(|row| rows::record(row, fields)).collect())
}

/// The records with one of these values in this field.
///
/// Errors: as the vendor says.
pub(super) async fn find_any(
    session: &Session,
    object: &str,
    field: &str,
    values: &[Value],
    fields: &[String],
) -> Result<Vec<RemoteRecord>, Fault> {
    if let [value] = values {
        return find(session, object, field, value, fields).await;
    }
    let settings = Settings::of(session)?;
    let (object, field) = (names::object(object)?, names::field(field)?);
    for name in fields {
        names::field(name)?;
    }
    // What no literal can say, no record has.
    let literals: Vec<_> = values.iter().filter(|value| !value.is_null()).filter_map(|value| soql::literal(value).ok()).collect();
    let mut records = Vec::new();
    for condition in soql::within(field, &literals) {
        let select = rows::selected(fields, &rows::SYSTEM);
        let query = Query { fields: select, object: object.to_owned(), conditions: vec![condition], ..Query::default() };
        let found = queries::all(session, &settings, Which::There, &query).await?;
        records.extend(found.into_iter().filter_map(|row| rows::record(row, fields)));
    }
    Ok(records)
}

/// By an external id, which no index delays. `None`: the field is none, or several records have the value.
async fn by_external_id(
    session: &Session,
    settings: &Settings,
    object: &str,
    field: &str,
    value: &Value,
    select: &[String],
) -> Result<Option<Vec<Value>>, Fault> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Ok(None),
    };
    let can_be = names::may_be_external_id(field) && !select.iter().any(|name| name.contains('.'));
    if !can_be || driver::segment(&text).is_err() {
        return Ok(None);
    }
    let call = settings.call(Method::GET, &["sobjects", object, field, &text])?.query("fields", select.join(","));
    match driver::ask(session, &RestDialect, call).await {
        Ok(answer) => Ok(Some(vec![answer.json])),
        Err(Fault::NotFound { message }) if !message.starts_with(NO_EXTERNAL_ID) => Ok(Some(Vec::new())),
        Err(Fault::NotFound { .. } | Fault::Refused { .. }) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The ids of records by the values of a unique field, as [`comparable`] writes them.
///
/// Errors: as the vendor says.
pub(super) async fn by_unique(
    session: &Session,
    settings: &Settings,
    object: &str,
    field: &str,
    values: &[Value],
) -> Result<HashMap<String, String>, Fault> {
    let literals: Result<Vec<_>, _> = values.iter().map(soql::literal).collect();
    let mut found = HashMap::new();
    for condition in soql::within(field, &literals?) {
        let fields = vec!["Id".to_owned(), field.to_owned()];
        let query = Query { fields: fields.clone(), object: object.to_owned(), conditions: vec![condition], order: "Id", limit: None };
        for row in queries::all(session, settings, Which::There, &query).await? {
            let Some(record) = rows::record(row, &fields[1..]) else { continue };
            if let Some(value) = record.fields.get(field).and_then(comparable) {
                // Of several the oldest, as a field need not be unique.
                found.entry(value).or_insert(record.id);
            }
        }
    }
    Ok(found)
}
