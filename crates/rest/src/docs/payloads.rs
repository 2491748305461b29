//! What a webhook gets, as the documents show it: the schemas of event types and of the bodies around them, headers, examples.
//!
//! Types that are not for everybody are left out: the documents are public.

use blueprint::Blueprint;
use blueprint::model::{BodyForm, EventType, EventVersion};
use serde_json::{Map, Value, json};

use crate::shapes;

/// When the examples happened.
const TIME: &str = "2026-01-31T12:00:00.000Z";
const ID: &str = "evt_01jd3m9x7efd2v5k8q0r4tnwye";

/// The types that everybody may know of.
pub(super) fn public(blueprint: &Blueprint) -> impl Iterator<Item = &EventType> {
    blueprint.events.iter().filter(|event| event.feature.is_none())
}

/// The component of a version's `data`. What stands before the first dot is ours, so that no two are the same.
fn component(event: &EventType, version: &EventVersion) -> String {
    if event.versions.len() == 1 { format!("EventData.{}", event.name) } else { format!("EventDataV{}.{}", version.version, event.name) }
}

/// The components of every version of every public type.
pub(super) fn components(blueprint: &Blueprint) -> Map<String, Value> {
    let mut out = Map::new();
    let versions = public(blueprint).flat_map(|event| event.versions.iter().map(move |version| (event, version)));
    for (n, (event, version)) in versions.enumerate() {
        out.extend(shapes::standing_alone(&component(event, version), &format!("EventDefs{n}"), &version.schema));
    }
    out
}

/// `data` of a type: of any of its versions, the default first.
fn data(event: &EventType) -> Value {
    let reference = |version: &EventVersion| json!({"$ref": format!("#/components/schemas/{}", component(event, version))});
    match event.versions.as_slice() {
        [only] => reference(only),
        versions => {
            let (default, others): (Vec<_>, Vec<_>) = versions.iter().partition(|one| one.version == event.default_version);
            json!({"anyOf": default.into_iter().chain(others).map(reference).collect::<Vec<_>>()})
        }
    }
}

/// The schema of the whole body.
pub(super) fn body(form: &BodyForm, event: &EventType) -> Value {
    let Some(Names { names: [id, kind, time, inner], constants }) = Names::of(form) else { return data(event) };
    let mut properties = Map::new();
    properties.insert(id.into(), json!({"type": "string", "description": "The event's id, the same in every attempt"}));
    properties.insert(kind.into(), json!({"const": event.name.as_str()}));
    properties.insert(time.into(), json!({"type": "string", "format": "date-time", "description": "When it happened"}));
    properties.insert(inner.into(), data(event));
    properties.insert(
        "schemaVersion".into(),
        json!({"type": "integer", "description": "The version of the schema of data; only where the publisher chose one"}),
    );
    for (name, value) in constants {
        properties.insert(name.clone(), json!({"const": value}));
    }
    json!({"type": "object", "required": [id, kind, time, inner], "properties": properties})
}

/// An example of the whole body.
pub(super) fn example(form: &BodyForm, event: &EventType) -> Value {
    let Some(Names { names: [id, kind, time, inner], constants }) = Names::of(form) else { return event.example.clone() };
    let mut body = Map::new();
    body.insert(id.into(), ID.into());
    body.insert(kind.into(), event.name.as_str().into());
    body.insert(time.into(), TIME.into());
    body.insert(inner.into(), event.example.clone());
    body.extend(constants.iter().cloned());
    Value::Object(body)
}

/// What the members of a body are called; none: it is `data` alone.
struct Names<'a> {
    names: [&'a str; 4],
    constants: &'a [(String, Value)],
}

impl<'a> Names<'a> {
    fn of(form: &'a BodyForm) -> Option<Self> {
        match form {
            BodyForm::Envelope => Some(Self { names: ["id", "type", "timestamp", "data"], constants: &[] }),
            BodyForm::Legacy { id, event_type, timestamp, data, constants } => {
                Some(Self { names: [id, event_type, timestamp, data], constants })
            }
            BodyForm::DataOnly => None,
        }
    }
}

/// A header of every delivery.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) about: &'static str,
    pub(super) schema: Value,
}

/// The headers of a delivery: those of Standard Webhooks, ours, and those that the blueprint names.
pub(super) fn headers(blueprint: &Blueprint) -> Vec<Header> {
    let text = || json!({"type": "string"});
    let webhooks = &blueprint.webhooks;
    let fixed = [
        ("webhook-id", "The event's id, the same in every attempt: what a receiver knows repeats by", text()),
        ("webhook-timestamp", "When this attempt was made, in Unix seconds", json!({"type": "string", "pattern": "^[0-9]+$"})),
        ("webhook-signature", "Signatures, separated by spaces: v1,<base64 of HMAC-SHA256 of \"<id>.<timestamp>.<body>\">", text()),
        ("webhook-sequence", "The number of this event among those of this webhook: one that is missing shows a gap", text()),
    ];
    let named = [
        (&webhooks.id_header, "The event's id", text()),
        (&webhooks.event_header, "The event's type", text()),
        (&webhooks.timestamp_header, "When this attempt was made", json!({"type": "string", "format": "date-time"})),
        (&webhooks.signature_header, "t=<Unix seconds>,v1=<hex of HMAC-SHA256 of \"<t>.<body>\">", text()),
    ];
    let fixed = fixed.into_iter().map(|(name, about, schema)| Header { name: name.to_owned(), about, schema });
    fixed.chain(named.into_iter().filter_map(|(name, about, schema)| Some(Header { name: name.clone()?, about, schema }))).collect()
}

/// What is to be said of a type: its description, and whether and how it is deprecated.
pub(super) fn about(event: &EventType) -> String {
    let Some(deprecation) = &event.deprecated else { return event.description.clone() };
    let mut words = vec![event.description.clone(), format!("Deprecated since {}.", deprecation.since)];
    words.extend(deprecation.replacement.as_ref().map(|other| format!("Use {other} instead.")));
    words.extend(deprecation.sunset.as_ref().map(|day| format!("It may be gone from {day}.")));
    words.extend(deprecation.note.clone());
    words.retain(|text| !text.is_empty());
    words.join(" ")
}
