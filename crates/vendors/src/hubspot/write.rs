//! What may be written, and what events it makes.

use serde_json::{Value, json};

use super::events::Event;
use super::failure::Failure;
use super::portal::{Portal, Property, Scene, Type};
use crate::stand::text::{parse_time, rfc3339};
use crate::tables::How;

impl Portal {
    /// A new row of `{"properties", "associations"}`; its number.
    pub(super) fn create(&mut self, scene: &Scene<'_>, kind: &str, body: &Value) -> Result<u64, Failure> {
        let found = self.kind(kind)?;
        let given = checked(found, &body["properties"])?;
        unique(found, &given, None)?;
        let links = self.asked_links(kind, &body["associations"])?;
        if found.name == "leads" && !links.iter().any(|(to, _, _)| matches!(to.as_str(), "contacts" | "companies")) {
            return Err(Failure::invalid("Lead must be associated with a contact or a company"));
        }
        let found = self.kind_mut(kind)?;
        let id = found.rows.insert(given.iter().map(|(name, text)| (name.as_str(), text.clone())), scene.change());
        let name = found.name.clone();
        self.tell(scene, &name, id, &Event::Creation);
        for (property, text) in given {
            self.tell(scene, &name, id, &Event::PropertyChange(property, text));
        }
        for (to, to_id, label) in links {
            self.link(scene, (&name, id), (&to, to_id), label);
        }
        Ok(id)
    }

    /// Changes properties of a row that is there.
    pub(super) fn update(&mut self, scene: &Scene<'_>, kind: &str, id: u64, properties: &Value) -> Result<(), Failure> {
        let found = self.kind(kind)?;
        let given = checked(found, properties)?;
        unique(found, &given, Some(id))?;
        let found = self.kind_mut(kind)?;
        let pairs = given.iter().map(|(name, text)| (name.as_str(), text.clone()));
        let changed = found.rows.update(id, pairs, scene.change()).ok_or_else(Failure::not_found)?;
        let name = found.name.clone();
        for (property, old, new) in changed {
            if old.unwrap_or_default() != new {
                self.tell(scene, &name, id, &Event::PropertyChange(property.to_string(), new));
            }
        }
        Ok(())
    }

    /// Archives a row, or deletes it for good.
    pub(super) fn remove(&mut self, scene: &Scene<'_>, kind: &str, id: u64, how: How) -> Result<(), Failure> {
        let found = self.kind_mut(kind)?;
        let name = found.name.clone();
        if !found.rows.remove(id, how, scene.change()) {
            return Err(Failure::not_found());
        }
        self.tell(scene, &name, id, if how == How::Purged { &Event::PrivacyDeletion } else { &Event::Deletion });
        Ok(())
    }

    /// Merges the second row into the first: what the first lacks it takes from the second.
    pub(super) fn merge(&mut self, scene: &Scene<'_>, kind: &str, primary: u64, other: u64) -> Result<(), Failure> {
        if primary == other {
            return Err(Failure::invalid("Cannot merge an object with itself"));
        }
        let found = self.kind_mut(kind)?;
        let name = found.name.clone();
        let (kept, gone) = (found.rows.get(primary).cloned(), found.rows.get(other).cloned());
        let (Some(kept), Some(gone)) = (kept, gone) else { return Err(Failure::not_found()) };
        let mut taken: Vec<(String, String)> = gone
            .fields
            .iter()
            .filter(|(name, text)| !text.is_empty() && kept.get(name).is_none_or(String::is_empty))
            .map(|(name, text)| (name.to_string(), text.clone()))
            .collect();
        let before = kept.get("hs_merged_object_ids").filter(|text| !text.is_empty()).map(|text| format!("{text};")).unwrap_or_default();
        taken.push(("hs_merged_object_ids".to_owned(), format!("{before}{other}")));
        if let (Some(_), Some(email)) = (kept.get("email"), gone.get("email")) {
            taken.push(("hs_additional_emails".to_owned(), email.clone()));
        }
        found.rows.remove(other, How::Merged(primary), scene.change());
        found.rows.update(primary, taken.iter().map(|(name, text)| (name.as_str(), text.clone())), scene.change());
        let moved: Vec<_> =
            self.links.iter().filter(|link| (link.0 == name && link.1 == other) || (link.2 == name && link.3 == other)).cloned().collect();
        for link in moved {
            self.links.remove(&link);
            let (from, to) = (
                if link.0 == name && link.1 == other { primary } else { link.1 },
                if link.2 == name && link.3 == other { primary } else { link.3 },
            );
            self.links.insert((link.0, from, link.2, to, link.4));
        }
        self.tell(scene, &name, primary, &Event::Merge(other));
        Ok(())
    }
}

/// The properties as they are stored. Errors name all that is wrong, as HubSpot does.
fn checked(kind: &Type, properties: &Value) -> Result<Vec<(String, String)>, Failure> {
    let Some(map) = properties.as_object() else { return Err(Failure::invalid("Invalid input JSON: properties is missing")) };
    let (mut given, mut wrong) = (Vec::new(), Vec::new());
    for (name, value) in map {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let outcome = match kind.property(name) {
            None => Err((format!("Property \"{name}\" does not exist"), "PROPERTY_DOESNT_EXIST")),
            Some(property) if property.is_read_only => {
                Err((format!("\"{name}\" is a read only property; its value cannot be set."), "READ_ONLY_VALUE"))
            }
            Some(property) => typed(property, &text),
        };
        match outcome {
            Ok(text) => given.push((name.clone(), text)),
            Err((message, error)) => {
                wrong.push(json!({"isValid": false, "message": message, "error": error, "name": name, "localizedErrorMessage": message}));
            }
        }
    }
    if wrong.is_empty() {
        return Ok(given);
    }
    let errors = wrong
        .iter()
        .map(|one| json!({"message": one["message"], "code": one["error"], "context": {"propertyName": [one["name"]]}}))
        .collect();
    Err(Failure { errors, ..Failure::invalid(format!("Property values were not valid: {}", Value::Array(wrong))) })
}

/// A value of the property's type, as it is stored.
fn typed(property: &Property, text: &str) -> Result<String, (String, &'static str)> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let wrong = |kind: &str, code| (format!("{text} was not a valid {kind}."), code);
    match property.kind.as_str() {
        "number" => text.parse::<f64>().map(|_| text.to_owned()).map_err(|_| wrong("number", "INVALID_LONG")),
        "bool" => match text {
            "true" | "false" => Ok(text.to_owned()),
            _ => Err(wrong("boolean", "INVALID_BOOLEAN")),
        },
        "datetime" => time(text).map(rfc3339).ok_or_else(|| wrong("datetime", "INVALID_DATE")),
        "date" => {
            let at = time(text).or_else(|| parse_time(&format!("{text}T00:00:00Z"))).ok_or_else(|| wrong("date", "INVALID_DATE"))?;
            if at.rem_euclid(86_400_000) != 0 {
                return Err((format!("{text} is at {}, not midnight!", rfc3339(at)), "INVALID_DATE"));
            }
            Ok(rfc3339(at)[..10].to_owned())
        }
        "enumeration" if !property.options.is_empty() => {
            let known = text.split(';').all(|one| property.options.iter().any(|option| option == one));
            let message = format!("{text} was not one of the allowed options: {:?}", property.options);
            if known { Ok(text.to_owned()) } else { Err((message, "INVALID_OPTION")) }
        }
        _ if property.name == "email" => {
            let good = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !text.contains(' '));
            // Addresses are kept in lower case.
            if good { Ok(text.to_lowercase()) } else { Err((format!("Email address {text} is invalid"), "INVALID_EMAIL")) }
        }
        _ if text.chars().count() > 65_536 => Err((format!("{} is too long", property.name), "INVALID_LENGTH")),
        _ => Ok(text.to_owned()),
    }
}

/// Milliseconds of a number or an RFC 3339 time.
pub(super) fn time(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| parse_time(text))
}

fn unique(kind: &Type, given: &[(String, String)], own: Option<u64>) -> Result<(), Failure> {
    for (name, text) in
        given.iter().filter(|(name, text)| !text.is_empty() && kind.property(name).is_some_and(|property| property.is_unique))
    {
        if let Some(other) = kind.rows.find(name, text).filter(|other| Some(*other) != own) {
            let message = if name == "email" {
                format!("Contact already exists. Existing ID: {other}")
            } else {
                format!(
                    "Cannot set PropertyValueCoordinates{{propertyName={name}, value={text}}} on {other}. {other} already has that value."
                )
            };
            return Err(Failure::new(409, "CONFLICT", message));
        }
    }
    Ok(())
}
