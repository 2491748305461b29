//! An object's properties, and its associations as fields.

use serde::Deserialize;

use super::dialect::Speech;
use super::settings::Settings;
use super::{associations, objects};
use crate::{Call, Fault, FieldAbout, FieldKind, ObjectSchema, Session, driver};

#[derive(Debug, Deserialize)]
struct Answer {
    results: Vec<Property>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Property {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: String,
    field_type: String,
    options: Vec<Choice>,
    has_unique_value: bool,
    hubspot_defined: bool,
    calculated: bool,
    archived: bool,
    modification_metadata: Modification,
    number_display_hint: Option<String>,
    show_currency_symbol: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Modification {
    read_only_value: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    value: String,
}

pub(super) async fn describe(session: &Session, object: &str) -> Result<ObjectSchema, Fault> {
    let settings = Settings::of(session)?;
    let answer = driver::ask(session, &Speech::of(&settings), Call::get(settings.properties(object)?)).await?;
    let read: Answer = serde_json::from_value(answer.json)
        .map_err(|error| Fault::Unavailable { message: format!("HubSpot's list of properties cannot be read: {error}") })?;
    let mut fields: Vec<_> =
        read.results.into_iter().filter(|property| !property.archived).map(|property| field(property, object)).collect();
    fields.extend(associations::fields(object).map(|(name, to)| FieldAbout {
        label: format!("{} (id)", objects::known(to).map_or(to, |known| known.singular)),
        // HubSpot makes no lead without one of the two; that is the nearest that a list of fields can say.
        required: object == "leads" && to == "contacts",
        name,
        kind: FieldKind::Reference,
        read_only: false,
        unique: false,
        custom: false,
        options: Vec::new(),
    }));
    Ok(ObjectSchema { object: object.to_owned(), fields })
}

fn field(property: Property, object: &str) -> FieldAbout {
    let is_money = property.show_currency_symbol == Some(true) || property.number_display_hint.as_deref() == Some("currency");
    let kind = match (property.kind.as_str(), property.field_type.as_str()) {
        _ if property.name == "email" => FieldKind::Email,
        ("phone_number", _) | (_, "phonenumber") => FieldKind::Phone,
        _ if matches!(property.name.as_str(), "phone" | "mobilephone") => FieldKind::Phone,
        ("number", _) if is_money => FieldKind::Money,
        ("number", _) => FieldKind::Number,
        ("bool", _) | (_, "booleancheckbox") => FieldKind::Boolean,
        ("date", _) => FieldKind::Date,
        ("datetime", _) => FieldKind::DateTime,
        ("enumeration", "checkbox") => FieldKind::Choices,
        ("enumeration", _) => FieldKind::Choice,
        ("string", _) => FieldKind::Text,
        _ => FieldKind::Other,
    };
    let is_own_key = objects::known(object).is_some_and(|known| known.unique == Some(property.name.as_str()));
    FieldAbout {
        required: object == "leads" && property.name == "hs_lead_name",
        kind,
        read_only: property.modification_metadata.read_only_value || property.calculated,
        unique: property.has_unique_value || is_own_key,
        custom: !property.hubspot_defined,
        options: property.options.into_iter().map(|option| option.value).collect(),
        name: property.name,
        label: property.label,
    }
}
