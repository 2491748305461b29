//! Entities and their fields. Fields that the account added have codes of forty hexadecimal digits, which no other account has.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::account::{Account, Scene};
use super::failure::Failure;
use crate::stand::Answer;
use crate::stand::text::{hex, parse_time};
use crate::tables::Table;

/// One field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) code: String,
    pub(super) name: String,
    /// As definitions say it: `varchar`, `double`, `enum`, `date`, …
    pub(super) kind: String,
    pub(super) is_custom: bool,
    /// Numbers and names of an `enum` or `set`.
    pub(super) options: Vec<(u64, String)>,
}

/// One kind of row.
#[derive(Clone, Debug)]
pub(super) struct Entity {
    pub(super) singular: String,
    pub(super) plural: String,
    pub(super) fields: Vec<Field>,
    pub(super) rows: Table<Value>,
}

const ENTITIES: &[(&str, &str, u64, &str)] = &[
    (
        "person",
        "persons",
        1,
        "name varchar; first_name varchar; last_name varchar; owner_id user; org_id org; emails emails; phones phones; label_ids set; \
         visible_to visible_to; notes text; birthday date; job_title varchar",
    ),
    (
        "organization",
        "organizations",
        1,
        "name varchar; owner_id user; address address; label_ids set; visible_to visible_to; website varchar; linkedin varchar; \
         industry int; annual_revenue double; employee_count int",
    ),
    (
        "deal",
        "deals",
        1,
        "title varchar; owner_id user; value double; currency varchar; person_id people; org_id org; stage_id stage; pipeline_id pipeline; \
         status status; expected_close_date date; probability double; lost_reason varchar; label_ids set; \
         visible_to visible_to; is_archived bool",
    ),
    (
        "lead",
        "leads",
        1,
        "title varchar; owner_id user; person_id people; organization_id org; value money; expected_close_date date; visible_to varchar; \
         label_ids labels; was_seen bool; is_archived bool; origin_id varchar; channel int; channel_id varchar",
    ),
];

impl Field {
    fn declared(text: &str) -> Option<Self> {
        let (code, kind) = text.trim().split_once(' ')?;
        Some(Self { code: code.to_owned(), name: code.replace('_', " "), kind: kind.to_owned(), is_custom: false, options: Vec::new() })
    }

    fn value(&self) -> Value {
        let options: Vec<_> = self.options.iter().map(|(id, label)| json!({"id": id, "label": label})).collect();
        let kind = match self.kind.as_str() {
            "emails" => "varchar",
            "phones" => "phone",
            "bool" => "boolean",
            "pipeline" => "int",
            "money" => "monetary",
            "labels" => "set",
            kind => kind,
        };
        json!({
            "field_name": self.name, "field_code": self.code, "description": "", "field_type": kind,
            "options": if options.is_empty() { Value::Null } else { json!(options) }, "subfields": null, "is_custom_field": self.is_custom,
            "is_optional_response_field": false,
        })
    }

    /// Whether a value fits: types are strict on v2.
    fn fits(&self, value: &Value) -> bool {
        let entries = |kind: &str| {
            value.as_array().is_some_and(|all| {
                all.iter()
                    .all(|one| one["value"].is_string() && (one["primary"].is_boolean() || one["primary"].is_null()) && !kind.is_empty())
            })
        };
        match self.kind.as_str() {
            _ if value.is_null() => true,
            "user" | "org" | "people" | "stage" | "pipeline" | "visible_to" | "int" => value.is_u64(),
            "double" => value.is_number(),
            "bool" => value.is_boolean(),
            "emails" | "phones" => entries(&self.kind),
            "set" => value.as_array().is_some_and(|all| all.iter().all(Value::is_u64)),
            "labels" => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
            "enum" => value.as_u64().is_some_and(|number| self.options.iter().any(|(id, _)| *id == number)),
            "date" => value.as_str().is_some_and(|text| text.len() == 10 && parse_time(&format!("{text}T00:00:00Z")).is_some()),
            "address" => value.is_object(),
            "money" => value["amount"].is_number() && value["currency"].as_str().is_some_and(|text| text.len() == 3),
            "status" => matches!(value.as_str(), Some("open" | "won" | "lost")),
            _ => value.is_string(),
        }
    }
}

/// By what rows are found: e-mail addresses (the first one), ids of leads.
fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_lowercase()),
        _ => None,
    }
}

/// The entities of a new account.
pub(super) fn entities() -> Vec<Entity> {
    let one = |(singular, plural, first, own): &(&str, &str, u64, &str)| {
        let mut rows = Table::new(*first, key);
        rows.index("id");
        Entity {
            singular: (*singular).to_owned(),
            plural: (*plural).to_owned(),
            fields: own.split(';').filter_map(Field::declared).collect(),
            rows,
        }
    };
    ENTITIES.iter().map(one).collect()
}

impl Entity {
    pub(super) fn field(&self, code: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.code == code)
    }

    /// A field of the account's own: its code.
    pub(super) fn define(&mut self, name: &str, kind: &str, options: &[&str]) -> String {
        let code = hex(&Sha256::digest(format!("{}/{}/{name}", self.plural, self.fields.len())))[..40].to_owned();
        let options = options.iter().zip(1..).map(|(label, id)| (id, (*label).to_owned())).collect();
        self.fields.push(Field { code: code.clone(), name: name.to_owned(), kind: kind.to_owned(), is_custom: true, options });
        code
    }

    /// The fields of a body, checked; those of the account's own come out of `custom_fields`.
    pub(super) fn checked(&self, body: &Map<String, Value>) -> Result<Vec<(String, Value)>, Failure> {
        let mut given = Vec::new();
        let own = body.get("custom_fields").and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name, value, true));
        for (name, value, is_custom) in
            body.iter().filter(|(name, _)| *name != "custom_fields").map(|(name, value)| (name, value, false)).chain(own)
        {
            if matches!(name.as_str(), "add_time" | "update_time" | "stage_change_time" | "im" | "postal_address") {
                continue;
            }
            let field = self.field(name).filter(|field| field.is_custom == is_custom);
            let field = field.ok_or_else(|| Failure::invalid(&format!("{name}: unrecognized key")))?;
            if !field.fits(value) {
                return Err(Failure::invalid(&format!("{name}: invalid type, expected {}", field.kind)));
            }
            given.push((name.clone(), value.clone()));
        }
        Ok(given)
    }
}

pub(super) fn answer(account: &mut Account, scene: &Scene<'_>, singular: &str, rest: &[&str]) -> Result<Answer, Failure> {
    let plural = format!("{singular}s");
    match (scene.call.method.as_str(), rest) {
        ("GET", []) => {
            let fields: Vec<_> = account.entity(&plural)?.fields.iter().map(Field::value).collect();
            Ok(Answer::json(200, &json!({"success": true, "data": fields, "additional_data": {}})))
        }
        ("GET", [code]) => {
            let field = account.entity(&plural)?.field(code).ok_or_else(|| Failure::not_found("Field not found"))?;
            Ok(Answer::json(200, &json!({"success": true, "data": field.value()})))
        }
        ("POST", []) => {
            let body = scene.body()?;
            let text = |name: &str| {
                body[name].as_str().filter(|text| !text.is_empty()).ok_or_else(|| Failure::invalid(&format!("{name}: Required")))
            };
            let options: Vec<_> = body["options"].as_array().into_iter().flatten().filter_map(|option| option["label"].as_str()).collect();
            let entity = account.entity_mut(&plural)?;
            let code = entity.define(text("field_name")?, text("field_type")?, &options);
            Ok(Answer::json(200, &json!({"success": true, "data": entity.field(&code).map(Field::value)})))
        }
        _ => Err(Failure::not_found("Unknown method .")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_own_fields_have_forty_digits_and_are_strict() {
        let mut person = entities().remove(0);
        let code = person.define("Score", "enum", &["low", "high"]);
        assert_eq!(code.len(), 40);
        let checked = |custom: Value| person.checked(json!({"name": "x", "custom_fields": {&code: custom}}).as_object().unwrap());
        assert_eq!(checked(json!(2)).unwrap().len(), 2);
        assert!(checked(json!(3)).is_err() && checked(json!("high")).is_err());
        assert!(person.checked(json!({"owner_id": "1"}).as_object().unwrap()).is_err());
    }
}
