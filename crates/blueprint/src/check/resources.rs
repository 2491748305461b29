//! The kinds of things.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::report::{Report, is_member, is_word};
use super::{events, history, nearest, structure};
use crate::file::form::Transition as Transitions;
use crate::file::{form, json as json_of};
use crate::model::{Emits, EventType, IdForm, Parent, Resource, Scope, Stamp, Transition};
use crate::schema::Schema;
use crate::{Fault, suggest};

/// Members of the query of a list that a filter cannot have as its name.
const QUERY: &[&str] = &["page", "limit", "cursor", "search", "sort", "fields", "filter", "total"];

/// One resource while it is checked.
pub(super) struct Context<'a> {
    pub(super) place: String,
    schema: &'a Value,
    pub(super) properties: &'a Map<String, Value>,
    events: &'a [EventType],
}

/// What resources refer to.
pub(super) struct Declared<'a> {
    pub(super) naming: form::Naming,
    pub(super) events: &'a [EventType],
    pub(super) scopes: &'a [Scope],
}

pub(super) fn check(resources: Vec<form::Resource>, declared: &Declared<'_>, report: &mut Report) -> Vec<Resource> {
    let names: HashSet<String> = resources.iter().map(|resource| resource.name.clone()).collect();
    report.distinct("resource", resources.iter().map(|resource| &resource.name), |i| format!("resources[{i}].name"));
    report.distinct("plural", resources.iter().map(|resource| &resource.plural), |i| format!("resources[{i}].plural"));
    let one = |(i, resource)| one(format!("resources[{i}]"), resource, declared, &names, report);
    let checked: Vec<Resource> = resources.into_iter().enumerate().filter_map(one).collect();
    generations(&checked, report);
    history::check(&checked, report);
    checked
}

/// Parents of parents, which must come to an end.
fn generations(resources: &[Resource], report: &mut Report) {
    for (i, resource) in resources.iter().enumerate() {
        let mut above: Vec<&str> = resource.parents.iter().map(|parent| parent.resource.as_str()).collect();
        let mut at = 0;
        while let Some(name) = above.get(at).copied() {
            if name == resource.name && at > 0 {
                report.add(format!("resources[{i}].parents"), "lead back to this resource type");
                return;
            }
            let further = resources.iter().filter(|other| other.name == name).flat_map(|other| &other.parents);
            let new: Vec<&str> = further.map(|parent| parent.resource.as_str()).filter(|name| !above.contains(name)).collect();
            above.extend(new);
            at += 1;
        }
    }
}

fn one(place: String, resource: form::Resource, declared: &Declared<'_>, names: &HashSet<String>, report: &mut Report) -> Option<Resource> {
    let Declared { naming, events, scopes } = *declared;
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
    let computed = context.computed(resource.computed, report);
    for stamp in stamps.iter().filter(|stamp| computed.iter().any(|one| one.field == stamp.field)) {
        report.add(format!("{}.computed", context.place), format!("{} is a stamp already", stamp.field));
    }
    context.server_set(&resource.server_set, report);
    let guarded = context.guarded(resource.guarded, scopes, report);
    let derived = stamps.iter().map(|stamp| &stamp.field).chain(computed.iter().map(|one| &one.field));
    for field in derived.filter(|field| guarded.iter().any(|one| one.field == **field)) {
        report.add(format!("{}.guarded", context.place), format!("{field} is set by the server: nobody can set it"));
    }
    let states = context.states(resource.states, report);
    let parents = context.parents(resource.parents, names, &resource.name, report);
    let initial = context.initial(resource.singleton, resource.initial, report);
    let scopes = structure::scopes(&context.place, resource.scopes, scopes, report);
    let id_member = if camel { format!("{}Id", camel_case(&resource.name)) } else { format!("{}_id", resource.name.replace('-', "_")) };
    let emits = context.emits(resource.emits, id_member, [&created_field, &updated_field], report);
    Some(Resource {
        name: resource.name,
        plural: resource.plural,
        id_form: match resource.id_form {
            form::IdForm::TypeId => IdForm::TypeId,
            form::IdForm::Integer => IdForm::Integer,
        },
        filters: with_parents(resource.filters, &parents),
        search: resource.search,
        sort: resource.sort,
        unique: resource.unique,
        stamps,
        computed,
        guarded,
        server_set: resource.server_set,
        states,
        parents,
        singleton: resource.singleton,
        history: history::of(resource.history),
        initial,
        scopes,
        created_field,
        updated_field: Some(updated_field).filter(|name| !name.is_empty()),
        emits,
        schema,
    })
}

/// The members that name parents are filters too: so that a parent's children are found by an index.
fn with_parents(mut filters: Vec<String>, parents: &[Parent]) -> Vec<String> {
    for parent in parents {
        if !filters.contains(&parent.field) {
            filters.push(parent.field.clone());
        }
    }
    filters
}

/// Whether a member of a resource may have this value.
pub(super) fn accepts(resource: &Resource, member: &str, value: &Value) -> bool {
    let Some(properties) = resource.schema.get("properties").and_then(Value::as_object) else { return true };
    let context = Context { place: String::new(), schema: &resource.schema, properties, events: &[] };
    context.property(member).is_none_or(|schema| schema.accepts(value))
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
    pub(super) fn property(&self, name: &str) -> Option<Schema> {
        let mut alone = json!({ "allOf": [self.properties.get(name)?] });
        for table in ["$defs", "definitions"] {
            if let Some(shared) = self.schema.get(table) {
                alone[table] = shared.clone();
            }
        }
        Schema::compile(&alone).ok()
    }

    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        self.schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn has(&self, place: String, name: &str, report: &mut Report) -> bool {
        if self.properties.contains_key(name) {
            return true;
        }
        let suggestion = suggest::nearest(name, self.properties.keys().map(String::as_str)).map(str::to_owned);
        report.faults.push(Fault { suggestion, ..Fault::new(place, format!("the schema has no member {name:?}")) });
        false
    }

    /// Whether a member may hold a value that `fits`; a schema that says nothing about types may.
    pub(super) fn may_be(&self, name: &str, fits: &[&str]) -> bool {
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
            let named = !stamp.on.is_empty() || !stamp.when.is_empty();
            report.expect(named, format!("{place}.on"), "must name create, update or both (or write when = { status = \"done\" })");
            let on_value = self.moment(&place, stamp.when, report);
            let at = format!("{place}.field");
            if self.has(at.clone(), &stamp.field, report) {
                let time = Value::String("2025-01-31T09:30:00.000Z".to_owned());
                let fits = self.property(&stamp.field).is_some_and(|schema| schema.accepts(&time));
                report.expect(fits, &at, "must be a text that may hold a time such as 2025-01-31T09:30:00.000Z");
                let settable = on_create || !self.required().any(|name| name == stamp.field);
                report.expect(settable, &at, "is required, but set at an update only: no record could be created");
            }
            converted.push(Stamp { on_update: stamp.on.contains(&form::Moment::Update), on_create, on_value, field: stamp.field });
        }
        converted
    }

    /// The one member and value at which a stamp is set.
    fn moment(&self, place: &str, when: Map<String, Value>, report: &mut Report) -> Option<(String, Value)> {
        let at = format!("{place}.when");
        report.expect(when.len() <= 1, &at, "must name one member and its value");
        let (field, value) = when.into_iter().next()?;
        if self.has(at.clone(), &field, report) {
            self.allowed(&at, &field, &value, report);
        }
        Some((field, value))
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
            let Transitions { field, from, to, at_creation, .. } = &transition;
            let made = |event| Transition { field: field.clone(), from: from.clone(), to: to.clone(), at_creation: *at_creation, event };
            transitions.extend(event.map(made));
            self.transition(&format!("{at}.transitions[{i}]"), &transition, report);
        }
        let pairs = transitions.iter().map(|t| (&t.field, format!("{:?} {}", t.from, t.to)));
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
        for (i, from) in transition.from.iter().enumerate() {
            self.allowed(&format!("{place}.from[{i}]"), &transition.field, from, report);
        }
        self.allowed(&format!("{place}.to"), &transition.field, &transition.to, report);
    }

    /// A member must be able to have this value.
    pub(super) fn allowed(&self, place: &str, field: &str, value: &Value, report: &mut Report) {
        if self.property(field).is_some_and(|schema| schema.accepts(value)) {
            return;
        }
        let choices = self.properties.get(field).and_then(|property| property.get("enum")).and_then(Value::as_array);
        let choices: Vec<&str> = choices.into_iter().flatten().filter_map(Value::as_str).collect();
        let suggestion = value.as_str().and_then(|value| nearest(value, &choices));
        let shown = crate::schema::short(&value.to_string());
        let message = format!("the schema of {field} does not allow {shown}");
        report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
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
