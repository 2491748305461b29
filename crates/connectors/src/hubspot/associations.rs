//! Associations as fields. HubSpot keeps them apart from properties; here `associations.companies` is a field that holds the id of the
//! record's company, or nothing. A lead cannot be made without one.
//!
//! Where a record has several of one kind, the field holds the lowest id: it is the same at each reading, whatever order they come in.

use serde_json::{Map, Value, json};

use super::dialect::Speech;
use super::settings::Settings;
use crate::{Call, Fault, RemoteRecord, Session, driver};

const PREFIX: &str = "associations.";

/// From, to, the type of the association that a new record gets: the primary one where HubSpot has one.
const TYPES: &[(&str, &str, u32)] = &[
    ("contacts", "companies", 1),
    ("companies", "contacts", 2),
    ("deals", "contacts", 3),
    ("deals", "companies", 5),
    ("contacts", "deals", 4),
    ("companies", "deals", 6),
    ("leads", "contacts", 578),
    ("leads", "companies", 610),
    ("tickets", "contacts", 16),
    ("tickets", "companies", 26),
];

/// The object that a field leads to; `None`: it is a property.
pub(super) fn target(field: &str) -> Option<&str> {
    field.strip_prefix(PREFIX)
}

/// The associations that an object has as fields, and whether it needs one of them.
pub(super) fn fields(object: &str) -> impl Iterator<Item = (String, &'static str)> {
    let of = TYPES.iter().filter(move |known| known.0 == object);
    of.map(|known| (format!("{PREFIX}{}", known.1), known.1)).collect::<Vec<_>>().into_iter()
}

/// Puts a field's value among the properties, from the `associations` of a row.
pub(super) fn put(fields: &mut Map<String, Value>, name: &str, linked: Option<&Value>) {
    let to = target(name).unwrap_or_default();
    let results = linked.and_then(|linked| linked[to]["results"].as_array());
    let ids = results.into_iter().flatten().filter_map(|one| one["id"].as_str());
    fields.insert(name.to_owned(), lowest(ids).map_or(Value::Null, Value::from));
}

fn lowest<'i>(ids: impl Iterator<Item = &'i str>) -> Option<String> {
    ids.min_by_key(|id| (id.len(), *id)).map(str::to_owned)
}

/// What a new record is associated with. Errors: [`Fault::Refused`] for a pair that has no known type, or a value that is no id.
pub(super) fn of_new(object: &str, fields: &Map<String, Value>) -> Result<Vec<Value>, Fault> {
    let mut asked = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let Some(to) = target(name) else { continue };
        let label = TYPES.iter().find(|known| (known.0, known.1) == (object, to)).map(|known| known.2);
        let label = label.ok_or_else(|| refused(name, "HubSpot has no such association that this connector knows."))?;
        let kind = json!({"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": label});
        asked.push(json!({"to": {"id": id(name, value)?}, "types": [kind]}));
    }
    Ok(asked)
}

fn id(name: &str, value: &Value) -> Result<String, Fault> {
    let text = super::values::told(value);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) { Ok(text) } else { Err(refused(name, "It holds the id of a record.")) }
}

fn refused(field: &str, message: &str) -> Fault {
    Fault::Refused { code: "INVALID_ASSOCIATION".to_owned(), message: message.to_owned(), field: Some(field.to_owned()) }
}

/// Fills the association fields of records that came from where HubSpot does not show them: searches and batches. One call per kind.
pub(super) async fn fill(session: &Session, object: &str, records: &mut [RemoteRecord], fields: &[String]) -> Result<(), Fault> {
    for (name, to) in fields.iter().filter_map(|name| Some((name, target(name)?))) {
        let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
        for (at, part) in ids.chunks(super::objects::BATCH).enumerate() {
            let known = read(session, object, to, part).await?;
            for record in records.iter_mut().skip(at * super::objects::BATCH).take(part.len()) {
                let all = known.iter().find(|(id, _)| *id == record.id).map(|(_, all)| all.iter().map(String::as_str));
                record.fields.insert(name.clone(), all.and_then(lowest).map_or(Value::Null, Value::from));
            }
        }
    }
    Ok(())
}

/// The associated ids of each record that has some.
async fn read(session: &Session, from: &str, to: &str, ids: &[String]) -> Result<Vec<(String, Vec<String>)>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let settings = Settings::of(session)?;
    let inputs: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    let call = Call::post(settings.associations(from, to, &["batch", "read"])?, json!({"inputs": inputs})).repeatable(true);
    let answer = driver::ask(session, &Speech::of(&settings), call).await?;
    let text = |id: &Value| id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|id| id.to_string()));
    let one = |row: &Value| {
        let to = row["to"].as_array()?.iter().filter_map(|one| text(&one["toObjectId"])).collect();
        Some((text(&row["from"]["id"])?, to))
    };
    Ok(answer.json["results"].as_array().into_iter().flatten().filter_map(one).collect())
}

/// Sets the association fields of records that are there: what was associated goes, what is named comes. Answers per item what went wrong.
pub(super) async fn change(session: &Session, object: &str, name: &str, items: &[(String, &Value)]) -> Result<(), Fault> {
    let to = target(name).unwrap_or_default();
    let settings = Settings::of(session)?;
    let ids: Vec<String> = items.iter().map(|(id, _)| id.clone()).collect();
    let known = read(session, object, to, &ids).await?;
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for (own, value) in items {
        let wanted = if value.is_null() { None } else { Some(id(name, value)?) };
        let has = known.iter().find(|(id, _)| id == own).map(|(_, all)| all.as_slice()).unwrap_or_default();
        old.extend(has.iter().filter(|id| Some(*id) != wanted.as_ref()).map(|id| json!({"from": {"id": own}, "to": [{"id": id}]})));
        new.extend(wanted.filter(|id| !has.contains(id)).map(|id| json!({"from": {"id": own}, "to": {"id": id}})));
    }
    // First the new one: HubSpot refuses to leave a lead without any.
    for (inputs, path) in [(new, ["batch", "associate", "default"].as_slice()), (old, ["batch", "archive"].as_slice())] {
        for part in inputs.chunks(super::objects::BATCH) {
            let call = Call::post(settings.associations(object, to, path)?, json!({"inputs": part})).repeatable(true);
            driver::ask(session, &Speech::of(&settings), call).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_lead_says_whose_it_is() {
        let fields = json!({"hs_lead_name": "x", "associations.contacts": "12", "associations.companies": null});
        let asked = of_new("leads", fields.as_object().unwrap()).unwrap();
        assert_eq!(asked, [json!({"to": {"id": "12"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 578}]})]);
        for fields in [json!({"associations.contacts": "a/b"}), json!({"associations.contacts": ""}), json!({"associations.tickets": "1"})]
        {
            assert!(matches!(of_new("leads", fields.as_object().unwrap()), Err(Fault::Refused { field: Some(_), .. })), "{fields}");
        }
    }

    #[test]
    fn of_several_the_lowest_id_stands_for_all() {
        assert_eq!(lowest(["12", "101", "9"].into_iter()).as_deref(), Some("9"));
        assert_eq!(lowest(std::iter::empty()), None);
    }
}
