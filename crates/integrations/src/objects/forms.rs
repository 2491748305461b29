//! The forms in which vendors write what a field holds.

use connectors::FieldKind;
use mappings::Form;

/// The form of a vendor's field, for `remoteType`. `None`: values stay as they are. HubSpot writes everything as text.
pub fn form_of(connector: &str, kind: FieldKind) -> Option<Form> {
    let is_texts = connector == "hubspot";
    Some(match kind {
        FieldKind::Number | FieldKind::Money if is_texts => Form::NumberText,
        FieldKind::Boolean if is_texts => Form::BooleanText,
        FieldKind::Number | FieldKind::Money => Form::Number,
        FieldKind::Boolean => Form::Boolean,
        FieldKind::Date => Form::Date,
        FieldKind::DateTime if connector == "salesforce" => Form::DatetimeOffset,
        FieldKind::DateTime => Form::Datetime,
        FieldKind::Choices if is_texts || connector == "salesforce" => Form::ListText,
        FieldKind::Choices => Form::List,
        FieldKind::Text | FieldKind::Email | FieldKind::Phone | FieldKind::Choice => Form::Text,
        FieldKind::Reference | FieldKind::Other => return None,
    })
}

/// The form of one of our members, by its JSON Schema.
pub(super) fn form_of_member(schema: &serde_json::Value) -> Option<Form> {
    let kind = match &schema["type"] {
        serde_json::Value::String(kind) => kind.as_str(),
        serde_json::Value::Array(kinds) => kinds.iter().filter_map(serde_json::Value::as_str).find(|kind| *kind != "null")?,
        _ => return None,
    };
    Some(match (kind, schema["format"].as_str()) {
        ("string", Some("date")) => Form::Date,
        ("string", Some("date-time")) => Form::Datetime,
        ("string", _) => Form::Text,
        ("integer", _) => Form::Integer,
        ("number", _) => Form::Number,
        ("boolean", _) => Form::Boolean,
        ("array", _) => Form::List,
        _ => return None,
    })
}
