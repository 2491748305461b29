//! An object's fields, as `describe` tells them.

use serde_json::Value;

use super::settings::Settings;
use super::{kinds, names};
use crate::{Fault, FieldAbout, FieldKind, ObjectSchema, Session};

/// An object's fields as they are today.
///
/// Errors: as the vendor says.
pub(super) async fn describe(session: &Session, object: &str) -> Result<ObjectSchema, Fault> {
    let settings = Settings::of(session)?;
    let answer = kinds::described(session, &settings, names::object(object)?).await?;
    let name = answer.text("/name").unwrap_or(object).to_owned();
    let fields = answer.json["fields"].as_array().into_iter().flatten().filter_map(field).collect();
    Ok(ObjectSchema { object: name, fields })
}

fn field(field: &Value) -> Option<FieldAbout> {
    let is = |name: &str| field[name] == true;
    let name = field["name"].as_str()?.to_owned();
    let kind = field["type"].as_str().unwrap_or_default();
    let active = field["picklistValues"].as_array().into_iter().flatten().filter(|value| value["active"] == true);
    let is_read_only = !is("createable") && !is("updateable");
    Some(FieldAbout {
        label: field["label"].as_str().unwrap_or(&name).to_owned(),
        kind: about(kind),
        // A flag is never without a value; what the org fills in by itself is not asked for.
        required: is("createable") && !is("nillable") && !is("defaultedOnCreate") && kind != "boolean",
        read_only: is_read_only,
        // By an external id the upsert finds the one record, whether or not the org forbids a second.
        unique: is("unique") || is("externalId"),
        custom: is("custom"),
        options: active.filter_map(|value| value["value"].as_str().map(str::to_owned)).collect(),
        name,
    })
}

fn about(kind: &str) -> FieldKind {
    match kind {
        "email" => FieldKind::Email,
        "phone" => FieldKind::Phone,
        "int" | "long" | "double" | "percent" => FieldKind::Number,
        "currency" => FieldKind::Money,
        "boolean" => FieldKind::Boolean,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::DateTime,
        "picklist" | "combobox" => FieldKind::Choice,
        "multipicklist" => FieldKind::Choices,
        "reference" => FieldKind::Reference,
        "string" | "textarea" | "url" | "id" | "encryptedstring" | "time" => FieldKind::Text,
        _ => FieldKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_required_only_if_somebody_must_give_it() {
        let base = json!({"name": "X__c", "label": "X", "type": "string", "createable": true, "updateable": true, "nillable": false,
            "defaultedOnCreate": false, "unique": false, "externalId": false, "custom": true, "picklistValues": []});
        let with = |name: &str, value: Value| {
            let mut one = base.clone();
            one[name] = value;
            field(&one).unwrap()
        };
        assert!(field(&base).unwrap().required);
        for (name, value) in
            [("nillable", json!(true)), ("defaultedOnCreate", json!(true)), ("type", json!("boolean")), ("createable", json!(false))]
        {
            assert!(!with(name, value).required, "{name}");
        }
        assert!(with("externalId", json!(true)).unique && with("unique", json!(true)).unique && !field(&base).unwrap().unique);
        let values = json!([{"value": "A", "active": true}, {"value": "B", "active": false}]);
        assert_eq!(with("picklistValues", values).options, ["A"]);
        assert_eq!(with("type", json!("location")).kind, FieldKind::Other);
    }
}
