//! Reads each section, and each item of a list, on its own, so that one fault does not hide the others.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::form::File;
use super::operations::{Operation, TABLES};
use super::typed;
use crate::{Fault, suggest};

const SECTIONS: &[&str] = &[
    "name",
    "default_tier",
    "product",
    "style",
    "keys",
    "scopes",
    "tiers",
    "publishing",
    "events",
    "resources",
    "endpoints",
    "upstreams",
    "webhooks",
    "jobs",
    "metrics",
];

pub(super) fn read(mut content: Map<String, Value>) -> Result<File, Vec<Fault>> {
    let mut faults = Vec::new();
    for name in content.keys().filter(|name| !SECTIONS.contains(&name.as_str())) {
        let suggestion = suggest::nearest(name, SECTIONS.iter().copied()).map(str::to_owned);
        faults.push(Fault { suggestion, ..Fault::new(name, "is not a section of a blueprint") });
    }
    let operations = take_operations(&mut content);
    let mut reader = Reader { content, faults };
    let mut file = File {
        name: reader.required("name"),
        default_tier: reader.required("default_tier"),
        product: reader.required("product"),
        style: reader.optional("style"),
        keys: reader.optional("keys"),
        scopes: reader.list("scopes"),
        tiers: reader.list("tiers"),
        publishing: reader.optional("publishing"),
        events: reader.list("events"),
        resources: reader.list("resources"),
        endpoints: reader.list("endpoints"),
        upstreams: reader.list("upstreams"),
        webhooks: reader.optional("webhooks"),
        jobs: reader.list("jobs"),
        metrics: reader.list("metrics"),
    };
    for (i, written) in operations.into_iter().enumerate() {
        let operation = reader.operation(i, written);
        if let (Some(endpoint), Some(operation)) = (file.endpoints.get_mut(i), operation) {
            endpoint.operation = operation;
        }
    }
    if reader.faults.is_empty() { Ok(file) } else { Err(reader.faults) }
}

/// What each endpoint says of its operation, taken out: it is read by its own type. One that cannot have any is none.
fn take_operations(content: &mut Map<String, Value>) -> Vec<Option<Value>> {
    let endpoints = content.get_mut("endpoints").and_then(Value::as_array_mut).into_iter().flatten();
    endpoints.map(|endpoint| endpoint.as_object_mut().map(|members| members.shift_remove("operation").unwrap_or(Value::Null))).collect()
}

struct Reader {
    content: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Reader {
    fn required<T: DeserializeOwned + Default>(&mut self, section: &str) -> T {
        if !self.content.contains_key(section) {
            self.faults.push(Fault::new("", format!("{section} is missing")));
        }
        self.optional(section)
    }

    fn optional<T: DeserializeOwned + Default>(&mut self, section: &str) -> T {
        self.content.remove(section).and_then(|value| self.one(section, value)).unwrap_or_default()
    }

    fn list<T: DeserializeOwned>(&mut self, section: &str) -> Vec<T> {
        match self.content.remove(section) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                let present = items.into_iter().enumerate().filter(|(_, item)| !item.is_null());
                present.filter_map(|(i, item)| self.one(&format!("{section}[{i}]"), item)).collect()
            }
            Some(_) => {
                self.faults.push(Fault::new(section, format!("is a list; write [[{section}]] above each of its items")));
                Vec::new()
            }
        }
    }

    /// Reads the operation of an endpoint by its type.
    fn operation(&mut self, i: usize, written: Option<Value>) -> Option<Operation> {
        let place = format!("endpoints[{i}].operation");
        let value = match written? {
            Value::Null => {
                self.faults.push(Fault::new(format!("endpoints[{i}]"), "operation is missing"));
                return None;
            }
            Value::String(name) => return Some(Operation::Named(name)),
            value => value,
        };
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(match kind.as_str() {
            "upstream" => Operation::Upstream(self.one(&place, value)?),
            "metric" => Operation::Metric(self.one(&place, value)?),
            "job" => Operation::Job(self.one(&place, value)?),
            "job-status" => Operation::JobStatus(self.one(&place, value)?),
            "job-batch" => Operation::JobBatch(self.one(&place, value)?),
            "manage" => Operation::Manage(self.one(&place, value)?),
            _ if value.is_object() => {
                let suggestion = suggest::nearest(&kind, TABLES.iter().copied()).map(str::to_owned);
                let message = format!("type must be one of {}; other operations are written by their names: \"list\"", TABLES.join(", "));
                self.faults.push(Fault { suggestion, ..Fault::new(format!("{place}.type"), message) });
                return None;
            }
            _ => {
                self.faults.push(Fault::new(place, "must be a name such as \"list\", or a table with a type"));
                return None;
            }
        })
    }

    fn one<T: DeserializeOwned>(&mut self, place: &str, value: Value) -> Option<T> {
        typed(place, value).map_err(|fault| self.faults.push(fault)).ok()
    }
}
