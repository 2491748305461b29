//! The kinds of things.

use serde_json::{Map, Value, json};

use super::report::{Report, is_member, is_word};
use super::{events, nearest};
use crate::file::{form, json as json_of};
use crate::model::{Emits, EventType, IdForm, Resource, Stamp, Transition};
use crate::schema::Schema;
use crate::{Fault, suggest};

/// Members of the query of a list that a filter cannot have as its name.
const QUERY: &[&str] = &["page", "limit", "cursor", "search", "sort"];

/// One resource while it is checked.
struct Context<'a> {
    place: String,
    schema: &'a Value,
    properties: &'a Map<String, Value>,
    events: &'a [EventType],
}

pub(super) fn check(resources: Vec<form::Resource>, naming: form::Naming, events: &[EventType], report: &mut Report) -> Vec<Resource> {
    report.distinct("resource", resources.iter().map(|resource| &resource.name), |i| format!("resources[{i}].name"));
    report.distinct("plural", resources.iter().map(|resource| &resource.plural), |i| format!("resources[{i}].plural"));
    resources.into_iter().enumerate().filter_map(|(i, resource)| one(format!("resources[{i}]"), resource, naming, events, report)).collect()
}

fn one(place: String, resource: form::Resource, naming: form::Naming, events: &[EventType], report: &mut Report) -> Option<Resource> {
    for (member, name) in [("name", &resource.name), ("plural", &resource.plural)] {
        report.expect(is_word(name), format!("{place}.{member}"), "must be lower-case letters, digits, - and _, first a letter");
    }
    let schema = schema(&place, resource.schema, report)?;
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        report.add(format!("{place}.schema.properties"), "must be the table of the record's members");
        return None;
    };
    let camel = naming == form::Naming::Camel;
    let created_field = resource.created_field.unwrap_or_else(|| if camel { "createdAt" } else { "created_at" }.to_owned());
    let updated_field = resource.updated_field.unwrap_or_else(|| if camel { "updatedAt" } else { "updated_at" }.to_owned());
    let context = Context { place, schema: &schema, properties, events };
    members(&context, &[&created_field, &updated_field], report);
    context.listed("filters", &resource.filters, report);
    context.listed("sort", &resource.sort, report);
    context.listed("unique", &resource.unique, report);
    context.searched(&resource.search, report);
    let stamps = context.stamps(resource.stamps, report);
    let id_member = if camel { format!("{}Id", camel_case(&resource.name)) } else { format!("{}_id", resource.name.replace('-', "_")) };
    let emits = context.emits(resource.emits, id_member, [&created_field, &updated_field], report);
    Some(Resource {
        name: resource.name,
        plural: resource.plural,
        id_form: match resource.id_form {
            form::IdForm::TypeId => IdForm::TypeId,
            form::IdForm::Integer => IdForm::Integer,
        },
        filters: resource.filters,
        search: resource.search,
        sort: resource.sort,
        unique: resource.unique,
        stamps,
        created_field,
        updated_field: Some(updated_field).filter(|name| !name.is_empty()),
        emits,
        schema,
    })
}

/// Reads and compiles the schema; members that it does not name are refused unless it says otherwise.
fn schema(place: &str, schema: Value, report: &mut Report) -> Option<Value> {
    let place = format!("{place}.schema");
    let mut schema = json_of(schema).map_err(|why| report.add(&place, why)).ok()?;
    let Some(members) = schema.as_object_mut().filter(|members| members.get("type").is_some_and(|kind| kind == "object")) else {
        report.add(place, "must be a JSON Schema with type = \"object\"");
        return None;
    };
    members.entry("additionalProperties").or_insert(Value::Bool(false));
    match Schema::compile(&schema) {
        Ok(_) => Some(schema),
        Err(why) => {
            report.add(place, format!("is not a usable JSON Schema: {why}"));
            None
        }
    }
}

/// Checks names and default values of the record's members.
fn members(context: &Context<'_>, added: &[&String], report: &mut Report) {
    for field in ["created_field", "updated_field"].iter().zip(added).filter(|(_, name)| !name.is_empty()) {
        report.expect(is_member(field.1), format!("{}.{}", context.place, field.0), "must be letters, digits and _");
    }
    report.expect(added[0] != added[1], format!("{}.updated_field", context.place), "must differ from created_field");
    for (name, property) in context.properties {
        let place = format!("{}.schema.properties.{name}", context.place);
        report.expect(is_member(name), &place, "a member's name is letters, digits and _, at most 64 of them");
        let taken = matches!(name.as_str(), "id" | "externalId" | "external_id") || added.contains(&name);
        report.expect(!taken, &place, "this member is added by the server and cannot be declared");
        if let (Some(default), Some(compiled)) = (property.get("default"), context.property(name)) {
            events::satisfied(&compiled, default, &format!("{place}.default"), report);
        }
    }
    for name in context.required() {
        context.has(format!("{}.schema.required", context.place), name, report);
    }
}

impl Context<'_> {
    /// The schema of one member on its own.
    fn property(&self, name: &str) -> Option<Schema> {
        let mut alone = json!({ "allOf": [self.properties.get(name)?] });
        for table in ["$defs", "definitions"] {
            if let Some(shared) = self.schema.get(table) {
                alone[table] = shared.clone();
            }
        }
        Schema::compile(&alone).ok()
    }

    fn required(&self) -> impl Iterator<Item = &str> {
        self.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    fn has(&self, place: String, name: &str, report: &mut Report) -> bool {
        if self.properties.contains_key(name) {
            return true;
        }
        let suggestion = suggest::nearest(name, self.properties.keys().map(String::as_str)).map(str::to_owned);
        report.faults.push(Fault { suggestion, ..Fault::new(place, format!("the schema has no member {name:?}")) });
        false
    }

    /// Whether a member may hold a value that `fits`; a schema that says nothing about types may.
    fn may_be(&self, name: &str, fits: &[&str]) -> bool {
        match self.properties.get(name).and_then(|property| property.get("type")) {
            None => true,
            Some(Value::String(kind)) => fits.contains(&kind.as_str()),
            Some(kinds) => {
                kinds.as_array().into_iter().flatten().filter_map(Value::as_str).all(|kind| kind == "null" || fits.contains(&kind))
            }
        }
    }

    /// Members that lists are filtered by, sorted by, or that are unique: single values.
    fn listed(&self, list: &str, names: &[String], report: &mut Report) {
        let place = |i: usize| format!("{}.{list}[{i}]", self.place);
        for (i, name) in names.iter().enumerate() {
            if self.has(place(i), name, report) {
                let scalar = self.may_be(name, &["string", "integer", "number", "boolean"]);
                report.expect(scalar, place(i), "must be a text, a number or a truth value");
            }
            report.expect(list != "filters" || !QUERY.contains(&name.as_str()), place(i), "is taken: lists use it themselves");
        }
        report.distinct("member", names, place);
    }

    fn searched(&self, names: &[String], report: &mut Report) {
        let place = |i: usize| format!("{}.search[{i}]", self.place);
        for (i, name) in names.iter().enumerate() {
            if self.has(place(i), name, report) {
                report.expect(self.may_be(name, &["string"]), place(i), "must be a text to be searched");
            }
        }
        report.distinct("member", names, place);
    }

    fn stamps(&self, stamps: Vec<form::Stamp>, report: &mut Report) -> Vec<Stamp> {
        report.distinct("stamp", stamps.iter().map(|stamp| &stamp.field), |i| format!("{}.stamps[{i}].field", self.place));
        let mut converted = Vec::new();
        for (i, stamp) in stamps.into_iter().enumerate() {
            let place = format!("{}.stamps[{i}]", self.place);
            let on_create = stamp.on.contains(&form::Moment::Create);
            report.expect(!stamp.on.is_empty(), format!("{place}.on"), "must name create, update or both");
            let at = format!("{place}.field");
            if self.has(at.clone(), &stamp.field, report) {
                let time = Value::String("2025-01-31T09:30:00.000Z".to_owned());
                let fits = self.property(&stamp.field).is_some_and(|schema| schema.accepts(&time));
                report.expect(fits, &at, "must be a text that may hold a time such as 2025-01-31T09:30:00.000Z");
                let settable = on_create || !self.required().any(|name| name == stamp.field);
                report.expect(settable, &at, "is required, but set at an update only: no record could be created");
            }
            converted.push(Stamp { on_update: stamp.on.contains(&form::Moment::Update), on_create, field: stamp.field });
        }
        converted
    }

    fn emits(&self, emits: form::Emits, id_member: String, added: [&String; 2], report: &mut Report) -> Emits {
        let id_member = emits.id_member.unwrap_or(id_member);
        let at = format!("{}.emits", self.place);
        report.expect(is_member(&id_member), format!("{at}.id_member"), "must be letters, digits and _");
        let taken = self.properties.contains_key(&id_member);
        report.expect(!taken, format!("{at}.id_member"), format!("the record has a member {id_member} of its own"));
        let event = |member: &str, name: &str, report: &mut Report| {
            self.event(&format!("{at}.{member}"), name, [&id_member, added[0], added[1]], report)
        };
        let created = emits.created.and_then(|name| event("created", &name, report));
        let updated = emits.updated.and_then(|name| event("updated", &name, report));
        let deleted = emits.deleted.and_then(|name| event("deleted", &name, report));
        let mut transitions = Vec::new();
        for (i, transition) in emits.transitions.into_iter().enumerate() {
            let event = event(&format!("transitions[{i}].event"), &transition.event, report);
            transitions.extend(event.map(|event| Transition { field: transition.field.clone(), to: transition.to.clone(), event }));
            self.transition(&format!("{at}.transitions[{i}]"), &transition, report);
        }
        let pairs = transitions.iter().map(|t| (&t.field, t.to.to_string()));
        report.distinct("transition", pairs, |i| format!("{at}.transitions[{i}]"));
        Emits { id_member, created, updated, deleted, transitions }
    }

    /// Resolves an event and checks that its data can come from this record.
    fn event(&self, place: &str, name: &str, added: [&String; 3], report: &mut Report) -> Option<kernel::EventType> {
        report.known(place, "event", name, self.events.iter().map(|event| event.name.as_str()));
        let event = self.events.iter().find(|event| event.name.as_str() == name)?;
        for member in event.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let present = self.properties.contains_key(member) || member == "id" || added.iter().any(|name| *name == member);
            report.expect(present, place, format!("{name} requires {member} in its data, which this record does not have"));
        }
        Some(event.name.clone())
    }

    fn transition(&self, place: &str, transition: &form::Transition, report: &mut Report) {
        if !self.has(format!("{place}.field"), &transition.field, report) {
            return;
        }
        if self.property(&transition.field).is_some_and(|schema| schema.accepts(&transition.to)) {
            return;
        }
        let choices = self.properties[&transition.field].get("enum").and_then(Value::as_array);
        let choices: Vec<&str> = choices.into_iter().flatten().filter_map(Value::as_str).collect();
        let suggestion = transition.to.as_str().and_then(|to| nearest(to, &choices));
        let to = crate::schema::short(&transition.to.to_string());
        let message = format!("the schema of {} does not allow {to}", transition.field);
        report.faults.push(Fault { suggestion, ..Fault::new(format!("{place}.to"), message) });
    }
}

/// `policy-holder` to `policyHolder`.
fn camel_case(name: &str) -> String {
    let mut words = name.split(['-', '_']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let mut letters = word.chars();
        let head = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
        text + &head.chain(letters).collect::<String>()
    })
}
