//! Types and their properties.

use serde_json::{Value, json};

use super::failure::Failure;
use super::portal::{Portal, Property, Scene, Type};
use crate::stand::Answer;
use crate::tables::Table;

/// What every type has.
const SYSTEM: &str = "hs_object_id number -; createdate datetime; hs_merged_object_ids string -; hubspot_owner_id string";

/// Plural, number, singular, first row's number, own properties, what is shown where nothing is asked for.
type Declared = (&'static str, &'static str, &'static str, u64, &'static str, &'static [&'static str]);

const TYPES: &[Declared] = &[
    (
        "contacts",
        "0-1",
        "contact",
        101,
        "email string #; firstname string; lastname string; phone string; mobilephone string; jobtitle string; company string; \
         website string; \
         address string; city string; state string; zip string; country string; date_of_birth string; lastmodifieddate datetime -; \
         lifecyclestage enumeration =subscriber|lead|opportunity|customer; hs_lead_status enumeration =NEW|OPEN|CONNECTED; \
         hs_additional_emails string; annualrevenue string; notes string; score number; newsletter bool; birthday date",
        &["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"],
    ),
    (
        "companies",
        "0-2",
        "company",
        20_001,
        "name string; domain string; industry string; phone string; city string; state string; country string; zip string; \
         numberofemployees number; annualrevenue number; description string; hs_lastmodifieddate datetime -; website string",
        &["createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"],
    ),
    (
        "deals",
        "0-3",
        "deal",
        300_001,
        "dealname string; amount number; closedate datetime; dealstage string; pipeline string; dealtype string; description string; \
         hs_lastmodifieddate datetime -",
        &["amount", "closedate", "createdate", "dealname", "dealstage", "hs_lastmodifieddate", "hs_object_id", "pipeline"],
    ),
    (
        "tickets",
        "0-5",
        "ticket",
        400_001,
        "subject string; content string; hs_pipeline string; hs_pipeline_stage string; hs_ticket_priority enumeration =LOW|MEDIUM|HIGH; \
         hs_lastmodifieddate datetime -",
        &[
            "content",
            "createdate",
            "hs_lastmodifieddate",
            "hs_object_id",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_priority",
            "subject",
        ],
    ),
    (
        "leads",
        "0-136",
        "lead",
        500_001,
        "hs_lead_name string; hs_lead_type string; hs_lead_label string; hs_pipeline_stage string; hs_lastmodifieddate datetime -; \
         hs_createdate datetime -",
        &["hs_createdate", "hs_lastmodifieddate", "hs_object_id"],
    ),
];

impl Property {
    /// Reads `name type flags…`: `#` unique, `-` read-only, `=a|b` options.
    pub(super) fn declared(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (name, kind) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut property =
            Self { label: name.replace('_', " "), name, kind, is_unique: false, is_read_only: false, is_own: false, options: Vec::new() };
        for word in words {
            match word.split_at(1) {
                ("#", _) => property.is_unique = true,
                ("-", _) => property.is_read_only = true,
                ("=", options) => property.options = options.split('|').map(str::to_owned).collect(),
                _ => return None,
            }
        }
        Some(property)
    }

    fn value(&self, scene: &Scene<'_>) -> Value {
        let field = match self.kind.as_str() {
            "enumeration" => "select",
            "bool" => "booleancheckbox",
            "number" => "number",
            "date" | "datetime" => "date",
            _ => "text",
        };
        let option = |(at, option): (usize, &String)| {
            json!({"label": option, "value": option, "displayOrder": at, "hidden": false,
            "description": ""})
        };
        let options: Vec<_> = self.options.iter().enumerate().map(option).collect();
        json!({
            "name": self.name, "label": self.label, "type": self.kind, "fieldType": field, "description": "",
                "groupName": "contactinformation",
            "options": options, "displayOrder": -1, "calculated": false, "externalOptions": false, "hasUniqueValue": self.is_unique,
            "hidden": false, "hubspotDefined": !self.is_own, "formField": true, "archived": false,
            "modificationMetadata": {"archivable": self.is_own, "readOnlyDefinition": !self.is_own, "readOnlyValue": self.is_read_only},
            "createdAt": crate::stand::text::rfc3339(0), "updatedAt": crate::stand::text::rfc3339(scene.at),
        })
    }
}

/// By what unique values are compared: without regard to case.
#[allow(clippy::ptr_arg, reason = "a table of texts asks with what it has")]
fn key(value: &String) -> Option<String> {
    (!value.is_empty()).then(|| value.to_lowercase())
}

/// A type of these properties.
pub(super) fn new_type(name: &str, number: &str, singular: &str, first: u64, own: &str, shown: Vec<&'static str>) -> Type {
    let properties: Vec<_> = [SYSTEM, own].into_iter().flat_map(|text| text.split(';')).filter_map(Property::declared).collect();
    let mut rows = Table::new(first, key);
    properties.iter().filter(|property| property.is_unique).for_each(|property| rows.index(&property.name));
    Type { name: name.to_owned(), number: number.to_owned(), singular: singular.to_owned(), properties, shown, rows }
}

/// The types of a new account.
pub(super) fn types() -> Vec<Type> {
    TYPES.iter().map(|(name, number, singular, first, own, shown)| new_type(name, number, singular, *first, own, shown.to_vec())).collect()
}

pub(super) fn answer(portal: &mut Portal, scene: &Scene<'_>, rest: &[&str]) -> Result<Answer, Failure> {
    let Some((kind, rest)) = rest.split_first() else { return Err(Failure::not_found()) };
    portal.kind(kind)?;
    let missing = |name: &str| Failure::new(404, "OBJECT_NOT_FOUND", format!("Property \"{name}\" does not exist"));
    match (scene.call.method.as_str(), rest) {
        ("GET", []) => {
            let results: Vec<_> = portal.kind(kind)?.properties.iter().map(|property| property.value(scene)).collect();
            Ok(Answer::json(200, &json!({"results": results})))
        }
        ("GET", ["groups"]) => Ok(Answer::json(
            200,
            &json!({"results": [{"name": "contactinformation", "label": "Information", "displayOrder": 0, "archived": false}]}),
        )),
        ("POST", []) => {
            let body = scene.body()?;
            let property = portal.kind_mut(kind)?.define(&body)?;
            Ok(Answer::json(201, &property.value(scene)))
        }
        ("GET", [name]) => {
            let found = portal.kind(kind)?.property(name).ok_or_else(|| missing(name))?;
            Ok(Answer::json(200, &found.value(scene)))
        }
        ("PATCH", [name]) => {
            let body = scene.body()?;
            let found =
                portal.kind_mut(kind)?.properties.iter_mut().find(|property| property.name == *name).ok_or_else(|| missing(name))?;
            if let Some(label) = body["label"].as_str() {
                label.clone_into(&mut found.label);
            }
            Ok(Answer::json(200, &found.value(scene)))
        }
        ("DELETE", [name]) => {
            let found = portal.kind_mut(kind)?;
            let is_own = found.property(name).ok_or_else(|| missing(name))?.is_own;
            if !is_own {
                return Err(Failure::invalid("HubSpot's own properties cannot be deleted"));
            }
            found.properties.retain(|property| property.name != *name);
            Ok(Answer::empty(204))
        }
        _ => Err(Failure::not_found()),
    }
}

impl Type {
    /// A property of one's own.
    pub(super) fn define(&mut self, body: &Value) -> Result<Property, Failure> {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let name = text("name");
        if name.is_empty() || name != name.to_lowercase() {
            return Err(Failure::invalid("name must be lower case and not empty"));
        }
        if self.property(&name).is_some() {
            return Err(Failure::new(409, "OBJECT_ALREADY_EXISTS", format!("A property named '{name}' already exists.")));
        }
        let kind = text("type");
        if !["string", "number", "bool", "enumeration", "date", "datetime"].contains(&kind.as_str()) {
            return Err(Failure::invalid(format!("{kind} is not a type of properties")));
        }
        let options =
            body["options"].as_array().into_iter().flatten().filter_map(|option| option["value"].as_str()).map(str::to_owned).collect();
        let label = if text("label").is_empty() { name.clone() } else { text("label") };
        let property =
            Property { name, label, kind, is_unique: body["hasUniqueValue"] == true, is_read_only: false, is_own: true, options };
        if property.is_unique {
            self.rows.index(&property.name);
        }
        self.properties.push(property.clone());
        Ok(property)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_read() {
        for (kind, (name, _, _, _, own, shown)) in types().iter().zip(TYPES) {
            assert_eq!(kind.properties.len(), SYSTEM.split(';').count() + own.split(';').count(), "{name}");
            assert!(shown.iter().all(|name| kind.property(name).is_some()), "{name}");
        }
    }
}
