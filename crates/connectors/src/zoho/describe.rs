//! A module's fields.

use serde::Deserialize;
use serde_json::Value;

use super::dialect::Speech;
use super::settings::Settings;
use crate::{Call, Fault, FieldAbout, FieldKind, ObjectSchema, Session, driver};

#[derive(Debug, Deserialize)]
struct Answer {
    fields: Vec<Field>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Field {
    api_name: String,
    field_label: String,
    data_type: String,
    system_mandatory: bool,
    read_only: bool,
    field_read_only: bool,
    custom_field: bool,
    unique: Value,
    pick_list_values: Vec<Choice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    actual_value: String,
}

pub(super) async fn describe(session: &Session, module: &str) -> Result<ObjectSchema, Fault> {
    let settings = Settings::of(session)?;
    let call = Call::get(settings.path(&["settings", "fields"])?).query("module", module);
    let answer = driver::ask(session, &Speech, call).await?;
    let read: Answer = serde_json::from_value(answer.json)
        .map_err(|error| Fault::Unavailable { message: format!("Zoho's list of fields cannot be read: {error}") })?;
    Ok(ObjectSchema { object: module.to_owned(), fields: read.fields.into_iter().map(field).collect() })
}

fn field(field: Field) -> FieldAbout {
    let kind = match field.data_type.as_str() {
        "text" | "textarea" | "website" => FieldKind::Text,
        "email" => FieldKind::Email,
        "phone" => FieldKind::Phone,
        "integer" | "bigint" | "double" | "percent" if field.api_name != "id" => FieldKind::Number,
        "currency" => FieldKind::Money,
        "boolean" => FieldKind::Boolean,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::DateTime,
        "picklist" => FieldKind::Choice,
        "multiselectpicklist" => FieldKind::Choices,
        "lookup" | "ownerlookup" | "userlookup" => FieldKind::Reference,
        _ => FieldKind::Other,
    };
    FieldAbout {
        kind,
        required: field.system_mandatory,
        read_only: field.read_only || field.field_read_only,
        unique: field.unique.as_object().is_some_and(|unique| !unique.is_empty()),
        custom: field.custom_field,
        options: field.pick_list_values.into_iter().map(|choice| choice.actual_value).filter(|value| !value.is_empty()).collect(),
        label: if field.field_label.is_empty() { field.api_name.clone() } else { field.field_label },
        name: field.api_name,
    }
}
