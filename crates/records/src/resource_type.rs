//! A resource type, ready for use: what the blueprint declares, compiled.

use std::collections::HashSet;

use blueprint::Schema;
use blueprint::model::{IdForm, Metric, Naming, Resource};
use kernel::{Error, FieldError, Result, Timestamp};
use serde_json::{Map, Value};

use crate::metrics::points::Measured;
use crate::records::Record;

/// A declared kind of thing, with its schema compiled.
#[derive(Debug)]
pub struct ResourceType {
    resource: Resource,
    schema: Schema,
    external_id_member: &'static str,
    /// Declared members that may be null: on the wire they are null where a record has none.
    nullable: HashSet<String>,
    required: HashSet<String>,
    /// Members with a row in `record_fields`, and whether lists are sorted by them.
    indexed: Vec<(String, bool)>,
    /// The metrics that look at its records.
    measured: Vec<Measured>,
}

impl ResourceType {
    /// Of a blueprint that was read. Error: internal, when its schema does not compile.
    pub fn compile(resource: &Resource, naming: Naming) -> Result<Self> {
        let schema = Schema::compile(&resource.schema).map_err(|why| Error::internal(format!("schema of {}: {why}", resource.name)))?;
        let nullable = properties(resource).filter(|(_, property)| may_be_null(property)).map(|(name, _)| name.clone()).collect();
        let required = resource.schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let required = required.filter_map(Value::as_str).map(str::to_owned).collect();
        let mut indexed: Vec<(String, bool)> = resource.sort.iter().map(|name| (name.clone(), true)).collect();
        indexed.extend(resource.filters.iter().filter(|name| !resource.sort.contains(name)).map(|name| (name.clone(), false)));
        let external_id_member = match naming {
            Naming::Camel => "externalId",
            Naming::Snake => "external_id",
        };
        Ok(Self { resource: resource.clone(), schema, external_id_member, nullable, required, indexed, measured: Vec::new() })
    }

    /// With those of the metrics that look at its records.
    pub(crate) fn measured_by(mut self, metrics: &[Metric]) -> Self {
        let own = metrics.iter().filter(|metric| metric.resource == self.resource.name);
        self.measured = own.map(|metric| Measured::new(metric, &self.resource)).collect();
        self
    }

    pub(crate) fn measured(&self) -> &[Measured] {
        &self.measured
    }

    /// The declaration.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Its singular name.
    pub fn name(&self) -> &str {
        &self.resource.name
    }

    /// The wire name of a record's `externalId`.
    pub fn external_id_member(&self) -> &'static str {
        self.external_id_member
    }

    /// A record as it goes over the wire: `id`, the host's id if there is one, the members in the order of the schema (null where one
    /// that may be null is absent), the times.
    pub fn wire(&self, record: &Record) -> Map<String, Value> {
        let mut out = Map::new();
        let number = record.number.filter(|_| self.resource.id_form == IdForm::Integer);
        out.insert("id".into(), number.map_or_else(|| Value::String(record.id.to_string()), Value::from));
        if let Some(external) = record.external_id.as_ref().filter(|_| !self.resource.singleton) {
            out.insert(self.external_id_member.into(), Value::String(external.clone()));
        }
        for (name, _) in properties(&self.resource) {
            match record.document.get(name) {
                Some(value) => out.insert(name.clone(), value.clone()),
                None if self.nullable.contains(name) => out.insert(name.clone(), Value::Null),
                None => None,
            };
        }
        for (name, value) in &record.document {
            if !out.contains_key(name) {
                out.insert(name.clone(), value.clone());
            }
        }
        out.insert(self.resource.created_field.clone(), Value::String(record.created_at.to_string()));
        if let Some(updated) = &self.resource.updated_field {
            out.insert(updated.clone(), Value::String(record.updated_at.to_string()));
        }
        out
    }

    /// The record's id as children of it hold it: its number, or our id.
    pub fn id_value(&self, record: &Record) -> Value {
        match record.number {
            Some(number) if self.resource.id_form == IdForm::Integer => Value::from(number),
            _ => Value::String(record.id.to_string()),
        }
    }

    /// The record's id in words: its number, or our id.
    pub fn id_text(&self, record: &Record) -> String {
        match record.number {
            Some(number) if self.resource.id_form == IdForm::Integer => number.to_string(),
            _ => record.id.to_string(),
        }
    }

    pub(crate) fn check(&self, document: &Value) -> Vec<FieldError> {
        self.schema.check(document, "")
    }

    pub(crate) fn indexed(&self) -> &[(String, bool)] {
        &self.indexed
    }

    pub(crate) fn is_declared(&self, member: &str) -> bool {
        properties(&self.resource).any(|(name, _)| name == member)
    }

    pub(crate) fn is_required(&self, member: &str) -> bool {
        self.required.contains(member)
    }

    /// Whether absent and null mean the same for this member.
    pub(crate) fn null_is_absent(&self, member: &str) -> bool {
        self.nullable.contains(member) && !self.required.contains(member)
    }

    /// Whether only the server sets this member.
    pub(crate) fn is_server_set(&self, member: &str) -> bool {
        let resource = &self.resource;
        matches!(member, "id" | "externalId" | "external_id")
            || member == resource.created_field
            || resource.updated_field.as_deref() == Some(member)
            || resource.is_derived(member)
    }

    /// Default values of the members that have one.
    pub(crate) fn defaults(&self) -> impl Iterator<Item = (&String, &Value)> {
        properties(&self.resource).filter_map(|(name, property)| Some((name, property.get("default")?)))
    }

    /// The types that the schema allows a member to have; empty: any.
    pub(crate) fn types_of(&self, member: &str) -> Vec<&str> {
        let property = properties(&self.resource).find(|(name, _)| *name == member).map(|(_, property)| property);
        match property.and_then(|property| property.get("type")) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Sets the stamps of a creation, or of an update, to `now`.
    pub(crate) fn stamp(&self, document: &mut Map<String, Value>, now: Timestamp, creating: bool) {
        for stamp in &self.resource.stamps {
            if if creating { stamp.on_create } else { stamp.on_update } {
                document.insert(stamp.field.clone(), Value::String(now.to_string()));
            }
        }
    }
}

impl ResourceType {
    /// Sets the stamps of members that take a value now and had another one before.
    pub(crate) fn stamp_values(&self, before: &Map<String, Value>, document: &mut Map<String, Value>, now: Timestamp) {
        for stamp in &self.resource.stamps {
            let taken = stamp
                .on_value
                .as_ref()
                .is_some_and(|(member, value)| document.get(member) == Some(value) && before.get(member) != Some(value));
            if taken {
                document.insert(stamp.field.clone(), Value::String(now.to_string()));
            }
        }
    }
}

fn properties(resource: &Resource) -> impl Iterator<Item = (&String, &Value)> {
    resource.schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn may_be_null(property: &Value) -> bool {
    match property.get("type") {
        Some(Value::String(one)) => one == "null",
        Some(Value::Array(many)) => many.iter().any(|one| one == "null"),
        _ => property.get("enum").and_then(Value::as_array).is_some_and(|values| values.contains(&Value::Null)),
    }
}
