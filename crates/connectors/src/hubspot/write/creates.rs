//! New records.

use serde_json::{Value, json};

use super::super::dialect::between;
use super::super::rows::Wanted;
use super::super::settings::Settings;
use super::super::{associations, get};
use super::batch::{self, Input, Said, Verb};
use super::{Item, Told};
use crate::{Fault, Outcome, RemoteRecord, Session, WriteAct};

/// Making a record twice makes two, unless it has a unique value.
const CREATE: Verb = Verb { name: "create", repeatable: false };

pub(super) async fn run(session: &Session, object: &str, items: &[Item<'_>]) -> Told {
    let (mut inputs, mut told) = (Vec::new(), Vec::new());
    for (at, write) in items {
        let mut properties = batch::properties(&write.fields);
        // An empty value is no value; HubSpot takes no offence, but some properties may be read only where they are empty.
        properties.retain(|_, value| value != "");
        match associations::of_new(object, &write.fields) {
            Ok(links) => inputs.push(Input { at: *at, id: String::new(), body: json!({"properties": properties, "associations": links}) }),
            Err(fault) => told.push((*at, Outcome::Failed(fault))),
        }
    }
    let wanted = Wanted::new(items.iter().flat_map(|(_, write)| write.fields.keys()).map(String::as_str));
    if inputs.is_empty() {
        return Ok(told);
    }
    let said = batch::run(session, object, CREATE, &inputs, &wanted).await?;
    for (at, said) in said {
        let Some((_, write)) = items.iter().find(|(own, _)| *own == at) else { continue };
        let outcome = match said {
            Said::Done(row) => Outcome::Created(with_written(row.record, &write.fields)),
            Said::Unknown(fault) => Outcome::Unknown(fault),
            Said::Failed(fault) => refused(session, object, &write.act, fault).await,
        };
        told.push((at, outcome));
    }
    Ok(told)
}

/// A refusal may mean that the record is there.
async fn refused(session: &Session, object: &str, act: &WriteAct, fault: Fault) -> Outcome {
    let Fault::Refused { message, .. } = &fault else { return Outcome::Failed(fault) };
    let Some(id) = taken_by(message) else { return Outcome::Failed(fault) };
    if id.is_some() {
        return Outcome::Exists { id };
    }
    // It is there, and HubSpot does not say where.
    let WriteAct::Create { unique: Some((field, value)) } = act else { return Outcome::Exists { id: None } };
    let is_unique = Settings::of(session).is_ok_and(|settings| settings.is_unique(object, field));
    let found = if is_unique { get::find(session, object, field, value, &[]).await.unwrap_or_default() } else { Vec::new() };
    Outcome::Exists { id: found.into_iter().next().map(|record| record.id) }
}

/// Whether a message says that a unique value is taken, and by which record: `Contact already exists. Existing ID: 101`, or
/// `…{propertyName=vat, value=1} on 101. 102 already has that value.`
fn taken_by(message: &str) -> Option<Option<String>> {
    let digits = |text: &str| {
        let id: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
        (!id.is_empty()).then_some(id)
    };
    if let Some(id) = message.split("Existing ID:").nth(1) {
        return Some(digits(id));
    }
    if let Some((before, _)) = message.split_once(" already has that value") {
        return Some(before.rsplit(' ').next().and_then(digits));
    }
    if message.contains("already exists") {
        return Some(between(message, "ID: ", &['.', ' ', ',']).and_then(digits));
    }
    None
}

/// A record as the answer shows it; what was told to be nothing is nothing, and the answer leaves such things out.
pub(super) fn with_written(mut record: RemoteRecord, written: &serde_json::Map<String, Value>) -> RemoteRecord {
    record.fields.retain(|name, _| written.contains_key(name));
    for (name, value) in written {
        if associations::target(name).is_some() {
            // No answer to a write shows associations; they are as they were told, or the item failed.
            record.fields.insert(name.clone(), value.clone());
        } else if super::super::values::told(value).is_empty() {
            record.fields.entry(name.clone()).or_insert(Value::Null);
        }
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_about_taken_values() {
        let some = |id: &str| Some(Some(id.to_owned()));
        assert_eq!(taken_by("Contact already exists. Existing ID: 101"), some("101"));
        assert_eq!(taken_by("Cannot set PropertyValueCoordinates{propertyName=vat, value=1} on 7. 8 already has that value."), some("8"));
        assert_eq!(taken_by("A contact with that email already exists"), Some(None));
        for message in ["The object was changed by somebody else", "Email address x is invalid", ""] {
            assert_eq!(taken_by(message), None, "{message}");
        }
    }
}
