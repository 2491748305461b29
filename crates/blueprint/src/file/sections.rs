//! Reads each section, and each item of a list, on its own, so that one fault does not hide the others.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::form::File;
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
];

/// Kinds of operation that the format has and this build does not serve.
const LATER: &[&str] = &["metric", "job", "singleton"];

pub(super) fn read(mut content: Map<String, Value>) -> Result<File, Vec<Fault>> {
    let mut faults = Vec::new();
    for name in content.keys().filter(|name| !SECTIONS.contains(&name.as_str())) {
        let suggestion = suggest::nearest(name, SECTIONS.iter().copied()).map(str::to_owned);
        faults.push(Fault { suggestion, ..Fault::new(name, "is not a section of a blueprint") });
    }
    refuse_later(&mut content, &mut faults);
    let mut reader = Reader { content, faults };
    let file = File {
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
    };
    if reader.faults.is_empty() { Ok(file) } else { Err(reader.faults) }
}

/// Such an endpoint has members of its own that we cannot judge; it is reported once, for what it is.
fn refuse_later(content: &mut Map<String, Value>, faults: &mut Vec<Fault>) {
    for (i, endpoint) in content.get("endpoints").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let operation = endpoint.get("operation").and_then(Value::as_str).unwrap_or_default();
        if LATER.contains(&operation) {
            faults.push(Fault::new(format!("endpoints[{i}].operation"), format!("{operation} is declared but not served by this version")));
        }
    }
    for endpoint in content.get_mut("endpoints").and_then(Value::as_array_mut).into_iter().flatten() {
        if endpoint.get("operation").and_then(Value::as_str).is_some_and(|operation| LATER.contains(&operation)) {
            *endpoint = Value::Null;
        }
    }
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

    fn one<T: DeserializeOwned>(&mut self, place: &str, value: Value) -> Option<T> {
        let error = match serde_path_to_error::deserialize(value) {
            Ok(content) => return Some(content),
            Err(error) => error,
        };
        let inner = error.path().to_string();
        let path = match inner.as_str() {
            "." | "" => place.to_owned(),
            inner if inner.starts_with('[') => format!("{place}{inner}"),
            inner => format!("{place}.{inner}"),
        };
        self.faults.push(in_words(path, &error.inner().to_string()));
        None
    }
}

/// Serde's texts in ours.
fn in_words(path: String, text: &str) -> Fault {
    let names: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    if let Some(named) = text.strip_prefix("missing field ").and(names.first()) {
        return Fault::new(path, format!("{named} is missing"));
    }
    let unknown = if text.starts_with("unknown field") {
        Some("is not a known member here")
    } else if text.starts_with("unknown variant") {
        Some("is not one of the choices")
    } else {
        None
    };
    if let (Some(what), Some((named, choices))) = (unknown, names.split_first()) {
        let suggestion = suggest::nearest(named, choices.iter().copied()).map(str::to_owned);
        let message = if suggestion.is_some() { format!("{named:?} {what}") } else { format!("{named:?} {what}: {}", choices.join(", ")) };
        return Fault { suggestion, ..Fault::new(path, message) };
    }
    Fault::new(path, number_words(text))
}

fn number_words(text: &str) -> String {
    let words = [
        ("expected u16", "expected a whole number up to 65535"),
        ("expected u32", "expected a whole number, not negative"),
        ("expected u64", "expected a whole number, not negative"),
    ];
    let text = words.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let short: String = text.chars().take(200).collect();
    short.replace("expected a sequence", "expected a list").replace("a map", "a table").replace("map,", "table,")
}
