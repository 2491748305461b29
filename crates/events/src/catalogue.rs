//! The declared event types, with their schemas compiled once.

use std::collections::HashMap;
use std::sync::Arc;

use blueprint::{Blueprint, Schema};
use kernel::{Error, EventType, Result};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::event_types::EventTypeView;
use crate::shallow::Shallow;

/// Every declared type.
pub(crate) struct Catalogue {
    names: Vec<String>,
    types: HashMap<String, Arc<Declared>>,
}

/// One of them.
pub(crate) struct Declared {
    pub(crate) view: EventTypeView,
    schema: Schema,
    shallow: Option<Shallow>,
}

impl Catalogue {
    pub(crate) fn new(blueprint: &Blueprint) -> Result<Self> {
        let mut types = HashMap::new();
        for event in &blueprint.events {
            let view = EventTypeView {
                name: event.name.to_string(),
                description: event.description.clone(),
                schema: event.schema.clone(),
                example: event.example.clone(),
            };
            let schema = Schema::compile(&event.schema).map_err(Error::internal)?;
            types.insert(view.name.clone(), Arc::new(Declared { view, schema, shallow: Shallow::of(&event.schema) }));
        }
        let names = blueprint.events.iter().map(|event| event.name.to_string()).collect();
        Ok(Self { names, types })
    }

    /// Every name, in the blueprint's order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Declared> {
        self.types.get(name).map(AsRef::as_ref)
    }

    /// Checks that `event_type` is declared and that `data` satisfies its schema. `at` is the pointer of the event in the request.
    ///
    /// Errors: 422 `unknown_event_type`, 422 `validation_failed`.
    pub(crate) fn check(&self, event_type: &EventType, data: &RawValue, at: &str) -> Result<()> {
        let Some(declared) = self.get(event_type.as_str()) else { return Err(self.unknown(event_type.as_str(), at)) };
        let place = format!("{at}/data");
        crate::readable::check(data.get()).map_err(|error| Error::field(&place, format!("cannot be read: {error}")))?;
        if declared.shallow.as_ref().is_some_and(|shallow| shallow.accepts(data.get())) {
            return Ok(());
        }
        let value: Value = serde_json::from_str(data.get()).map_err(|error| Error::field(&place, format!("cannot be read: {error}")))?;
        let faults = declared.schema.check(&value, &place);
        if faults.is_empty() {
            return Ok(());
        }
        let detail = format!("data breaks the schema of {event_type}; see errors, and GET /api/v1/event-types/{event_type}.");
        Err(Error::invalid("validation_failed", detail).with_fields(faults))
    }

    fn unknown(&self, name: &str, at: &str) -> Error {
        let detail = match self.nearest(name) {
            Some(near) => format!("is not a declared event type; did you mean {near}?"),
            None => "is not a declared event type; GET /api/v1/webhook-events lists them".to_owned(),
        };
        Error::invalid("unknown_event_type", "There is no such event type; see errors.").at(format!("{at}/type"), detail)
    }

    /// The declared name that differs least, if it differs in at most a third of its characters.
    fn nearest(&self, typed: &str) -> Option<&str> {
        let near = self.names.iter().map(|name| (distance(typed.as_bytes(), name.as_bytes()), name));
        near.filter(|(distance, name)| *distance <= name.len() / 3).min_by_key(|(distance, _)| *distance).map(|(_, name)| name.as_str())
    }
}

/// Levenshtein's distance. Both texts are short: an event type has at most 128 characters.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
