//! What may be written: types, lengths, required and unique fields.

use serde_json::{Map, Value};

use super::failure::Failure;
use super::ids;
use super::org::{Org, Scene};
use super::outbound;
use super::schema::{Field, Object};
use crate::stand::text::parse_time;
use crate::tables::How;

impl Org {
    /// A new row; its id.
    pub(super) fn create(&mut self, scene: &Scene<'_>, object: &str, given: &Map<String, Value>) -> Result<String, Failure> {
        let object = self.object(object)?.clone();
        let fields = self.checked(&object, given, None)?;
        let missing: Vec<_> = object
            .fields
            .iter()
            .filter(|field| field.is_required && !fields.iter().any(|(name, value)| *name == field.name && !value.is_null()))
            .map(|field| field.name.clone())
            .collect();
        if !missing.is_empty() {
            let message = format!("Required fields are missing: [{}]", missing.join(", "));
            return Err(Failure { fields: missing, ..Failure::new(400, "REQUIRED_FIELD_MISSING", message) });
        }
        let number = self.table_mut(&object.name).insert(fields.iter().map(|(name, value)| (name.as_str(), value.clone())), scene.change);
        outbound::tell(self, &object, number);
        Ok(ids::id(&object.prefix, number))
    }

    /// Changes a row.
    pub(super) fn change(&mut self, scene: &Scene<'_>, object: &str, id: &str, given: &Map<String, Value>) -> Result<(), Failure> {
        let object = self.object(object)?.clone();
        let row = self.present(&object, id)?;
        let number = row.id;
        if row.get("IsConverted") == Some(&Value::Bool(true)) {
            return Err(Failure::new(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"));
        }
        let fields = self.checked(&object, given, Some(number))?;
        let emptied: Vec<_> = fields
            .iter()
            .filter(|(name, value)| value.is_null() && object.field(name).is_some_and(|field| field.is_required))
            .map(|(name, _)| name.clone())
            .collect();
        if !emptied.is_empty() {
            let message = format!("Required fields are missing: [{}]", emptied.join(", "));
            return Err(Failure { fields: emptied, ..Failure::new(400, "REQUIRED_FIELD_MISSING", message) });
        }
        self.table_mut(&object.name).update(number, fields.iter().map(|(name, value)| (name.as_str(), value.clone())), scene.change);
        outbound::tell(self, &object, number);
        Ok(())
    }

    /// Puts a row into the bin.
    pub(super) fn delete(&mut self, scene: &Scene<'_>, object: &str, id: &str) -> Result<(), Failure> {
        let object = self.object(object)?.clone();
        let number = self.present(&object, id)?.id;
        self.table_mut(&object.name).remove(number, How::Bin, scene.change);
        Ok(())
    }

    /// The fields as they are stored; an empty text is none.
    fn checked(&self, object: &Object, given: &Map<String, Value>, own: Option<u64>) -> Result<Vec<(String, Value)>, Failure> {
        let mut fields = Vec::new();
        for (name, value) in given.iter().filter(|(name, _)| *name != "attributes") {
            let Some(field) = object.field(name) else {
                let message = format!("No such column '{name}' on sobject of type {}", object.name);
                return Err(Failure::new(400, "INVALID_FIELD", message));
            };
            if field.is_read_only {
                let message = format!("Unable to create/update fields: {}. Please check the security settings of this field.", field.name);
                return Err(Failure::new(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message).on(&field.name));
            }
            fields.push((field.name.clone(), typed(field, value)?));
        }
        self.unique(object, &fields, own)?;
        self.referred(object, &fields)?;
        Ok(fields)
    }

    fn unique(&self, object: &Object, fields: &[(String, Value)], own: Option<u64>) -> Result<(), Failure> {
        let table = self.table(&object.name);
        for (name, value) in fields.iter().filter(|(name, _)| object.field(name).is_some_and(|field| field.is_external_id)) {
            if let Some(other) = table.find(name, value).filter(|other| Some(*other) != own) {
                let id = ids::id(&object.prefix, other);
                let message = format!("duplicate value found: {name} duplicates value on record with id: {}", &id[..15]);
                return Err(Failure::new(400, "DUPLICATE_VALUE", message));
            }
        }
        let email = fields.iter().find(|(name, _)| self.refuses_duplicates && own.is_none() && name == "Email");
        if email.is_some_and(|(name, value)| table.find(name, value).is_some()) {
            return Err(Failure::new(400, "DUPLICATES_DETECTED", "Use one of these records?"));
        }
        Ok(())
    }

    fn referred(&self, object: &Object, fields: &[(String, Value)]) -> Result<(), Failure> {
        for (name, value) in fields {
            let Some(wanted) = object.field(name).and_then(|field| field.refers_to.as_ref()) else { continue };
            let Some(id) = value.as_str() else { continue };
            let known = wanted == "User" || self.anywhere(id).is_some_and(|(found, _)| found.name == *wanted);
            if !known {
                let message = format!("{name}: id value of incorrect type or not found: {id}");
                return Err(Failure::new(400, "INVALID_CROSS_REFERENCE_KEY", message).on(name));
            }
        }
        Ok(())
    }
}

/// A value of the field's type. Numbers and booleans may come as text, as they do from CSV.
fn typed(field: &Field, value: &Value) -> Result<Value, Failure> {
    let wrong = |kind: &str| {
        let message =
            format!("Cannot deserialize instance of {kind} from VALUE_STRING value {value} or request may be missing a required field");
        Failure::new(400, "JSON_PARSER_ERROR", message)
    };
    let text = match value {
        Value::Null => return Ok(Value::Null),
        Value::String(text) if text.is_empty() => return Ok(Value::Null),
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    match field.kind.as_str() {
        "boolean" => match (value, text) {
            (Value::Bool(_), _) => Ok(value.clone()),
            (_, Some(text)) if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            (_, Some(text)) if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err(wrong("boolean")),
        },
        "double" | "currency" | "percent" | "int" => {
            let number = value.as_f64().or_else(|| text?.parse().ok()).ok_or_else(|| wrong(&field.kind))?;
            #[allow(clippy::cast_possible_truncation, reason = "the fraction was looked at, and what does not fit is saturated")]
            let whole = (number.fract() == 0.0 && field.kind == "int").then(|| Value::from(number as i64));
            Ok(whole.unwrap_or_else(|| Value::from(number)))
        }
        "date" => match text {
            Some(text) if text.len() == 10 && parse_time(&format!("{text}T00:00:00Z")).is_some() => Ok(value.clone()),
            _ => Err(wrong("date")),
        },
        "datetime" => {
            let at = text.and_then(parse_time).ok_or_else(|| wrong("datetime"))?;
            Ok(Value::from(super::records::time(at)))
        }
        kind => {
            let text = text.ok_or_else(|| wrong("string"))?;
            if kind == "email" && !(text.contains('@') && !text.contains(' ') && text.split('@').all(|part| !part.is_empty())) {
                let message = format!("{}: invalid email address: {text}", field.name);
                return Err(Failure::new(400, "INVALID_EMAIL_ADDRESS", message).on(&field.name));
            }
            if field.length > 0 && text.chars().count() > field.length {
                let message = format!("{}: data value too large: {text} (max length={})", field.name, field.length);
                return Err(Failure::new(400, "STRING_TOO_LONG", message).on(&field.name));
            }
            Ok(value.clone())
        }
    }
}
