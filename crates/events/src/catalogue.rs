//! The declared event types, with the schemas of all their versions compiled once.

use std::collections::HashMap;
use std::sync::Arc;

use blueprint::model::{self, OnSchemaFault};
use blueprint::{Blueprint, Schema};
use kernel::{Error, EventType, FieldError, Result};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::features::Features;
use crate::readable::{self, Unreadable};
use crate::shallow::Shallow;

/// Every declared type.
pub(crate) struct Catalogue {
    names: Vec<String>,
    types: HashMap<String, Arc<Declared>>,
    /// Other names, and what they stand for.
    aliases: HashMap<EventType, EventType>,
    /// Whether some type is not for everybody.
    restricted: bool,
}

/// One of them.
pub(crate) struct Declared {
    /// As the blueprint says it.
    pub(crate) model: model::EventType,
    /// In the order of the model's versions.
    versions: Vec<Compiled>,
}

struct Compiled {
    number: u32,
    schema: Schema,
    shallow: Option<Shallow>,
}

/// What a check found, when it does not refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// In what ways `data` breaks its schema; empty: in none.
    pub(crate) faults: Vec<FieldError>,
    /// Whether it is to be kept apart for that.
    pub(crate) hold: bool,
}

/// What is to be checked.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) event_type: &'a EventType,
    pub(crate) version: Option<u32>,
    pub(crate) data: &'a RawValue,
    /// The pointer of the event in the request.
    pub(crate) at: &'a str,
}

impl Catalogue {
    pub(crate) fn new(blueprint: &Blueprint) -> Result<Self> {
        let mut types = HashMap::new();
        for event in &blueprint.events {
            let compiled = |one: &model::EventVersion| {
                let schema = Schema::compile(&one.schema).map_err(Error::internal)?;
                Ok(Compiled { number: one.version, schema, shallow: Shallow::of(&one.schema) })
            };
            let versions = event.versions.iter().map(compiled).collect::<Result<_>>()?;
            types.insert(event.name.to_string(), Arc::new(Declared { model: event.clone(), versions }));
        }
        let names = blueprint.events.iter().map(|event| event.name.to_string()).collect();
        let aliases =
            blueprint.events.iter().flat_map(|event| event.aliases.iter().map(|alias| (alias.clone(), event.name.clone()))).collect();
        Ok(Self { names, types, aliases, restricted: blueprint.events.iter().any(|event| event.feature.is_some()) })
    }

    /// Every name, in the blueprint's order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Puts the type's name in the place of an alias.
    pub(crate) fn rename(&self, event_type: &mut EventType) {
        if let Some(name) = self.aliases.get(event_type) {
            *event_type = name.clone();
        }
    }

    /// Whether some type is not for everybody.
    pub(crate) fn is_restricted(&self) -> bool {
        self.restricted
    }

    /// Whether there is such a type, for everybody.
    pub(crate) fn is_open(&self, name: &str) -> bool {
        self.types.get(name).is_some_and(|declared| declared.model.feature.is_none())
    }

    /// The feature that this type asks for.
    pub(crate) fn feature_of(&self, name: &str) -> Option<&str> {
        self.types.get(name)?.model.feature.as_deref()
    }

    /// A type that somebody with these features can see.
    pub(crate) fn get(&self, name: &str, features: &Features) -> Option<&Declared> {
        self.types.get(name).map(AsRef::as_ref).filter(|declared| features.allow(declared.model.feature.as_deref()))
    }

    /// Checks that the type and the version are declared and that `data` satisfies the schema.
    ///
    /// Errors: 422 `unknown_event_type`, 422 `unknown_schema_version`, 400 `duplicate_member`, 422 `validation_failed` where the type rejects.
    pub(crate) fn check(&self, question: Question<'_>, features: &Features) -> Result<Verdict> {
        let event_type = question.event_type;
        let verdict = self.judge(question, features)?;
        if verdict.faults.is_empty() || verdict.hold || self.mode(event_type) == OnSchemaFault::Warn {
            return Ok(verdict);
        }
        let detail = format!("data breaks the schema of {event_type}; see errors, and GET /api/v1/event-types/{event_type}.");
        Err(Error::invalid("validation_failed", detail).with_fields(verdict.faults))
    }

    fn mode(&self, event_type: &EventType) -> OnSchemaFault {
        self.types.get(event_type.as_str()).map_or(OnSchemaFault::Reject, |declared| declared.model.on_schema_fault)
    }

    /// The same, but that data which breaks its schema is no error.
    pub(crate) fn judge(&self, question: Question<'_>, features: &Features) -> Result<Verdict> {
        let Question { event_type, version, data, at } = question;
        let Some(declared) = self.get(event_type.as_str(), features) else { return Err(self.unknown(event_type.as_str(), at, features)) };
        let compiled = declared.compiled(version, at)?;
        let place = format!("{at}/data");
        readable::check(data.get()).map_err(|why| unreadable(why, &place))?;
        if compiled.shallow.as_ref().is_some_and(|shallow| shallow.accepts(data.get())) {
            return Ok(Verdict::default());
        }
        let value: Value = serde_json::from_str(data.get()).map_err(|error| Error::field(&place, format!("cannot be read: {error}")))?;
        let faults = compiled.schema.check(&value, &place);
        let hold = !faults.is_empty() && declared.model.on_schema_fault == OnSchemaFault::Quarantine;
        Ok(Verdict { faults, hold })
    }

    fn unknown(&self, name: &str, at: &str, features: &Features) -> Error {
        let detail = match self.nearest(name, features) {
            Some(near) => format!("is not a declared event type; did you mean {near}?"),
            None => "is not a declared event type; GET /api/v1/webhook-events lists them".to_owned(),
        };
        Error::invalid("unknown_event_type", "There is no such event type; see errors.").at(format!("{at}/type"), detail)
    }

    /// The visible name that differs least, if it differs in at most a third of its characters.
    fn nearest(&self, typed: &str, features: &Features) -> Option<&str> {
        let visible = self.names.iter().filter(|name| self.get(name, features).is_some());
        let near = visible.map(|name| (distance(typed.as_bytes(), name.as_bytes()), name));
        near.filter(|(distance, name)| *distance <= name.len() / 3).min_by_key(|(distance, _)| *distance).map(|(_, name)| name.as_str())
    }
}

impl Declared {
    /// A version by its number, or the one that counts when none is named.
    fn compiled(&self, version: Option<u32>, at: &str) -> Result<&Compiled> {
        let number = version.unwrap_or(self.model.default_version);
        self.versions.iter().find(|one| one.number == number).ok_or_else(|| {
            let known = self.versions.iter().map(|one| one.number.to_string()).collect::<Vec<_>>().join(", ");
            let detail = format!("{} has no version {number}; it has {known}", self.model.name);
            Error::invalid("unknown_schema_version", "There is no such version of the event type; see errors.")
                .at(format!("{at}/schemaVersion"), detail)
        })
    }
}

fn unreadable(why: Unreadable, place: &str) -> Error {
    match why {
        Unreadable::Duplicate { pointer } => {
            let detail = "An object has the same member twice: readers disagree about which one counts. Send each once.";
            Error::malformed("duplicate_member", detail).at(format!("{place}{pointer}"), "occurs twice")
        }
        Unreadable::Value(error) => Error::field(place, format!("cannot be read: {error}")),
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
