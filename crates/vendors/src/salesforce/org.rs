//! What an org keeps, and the routes below a version.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::bulk::Job;
use super::failure::Failure;
use super::outbound::OutboundMessage;
use super::query::Locator;
use super::schema::{Object, objects};
use super::{Options, Salesforce, bulk, collections, composite, describe, feeds, ids, query, sobjects};
use crate::limits::Day;
use crate::oauth::Grants;
use crate::outbox::Message;
use crate::stand::{Answer, Call};
use crate::tables::{Change, Row, Table};

/// The one organisation.
pub(super) const ORG_ID: &str = "00D5g0000000001EAA";

/// The user who connects, and the one who works at the vendor's site.
pub(super) const CONNECTED: u64 = 1;
pub(super) const PERSON: u64 = 2;

#[derive(Debug)]
pub(super) struct Org {
    pub(super) grants: Grants,
    pub(super) objects: Vec<Object>,
    pub(super) tables: HashMap<String, Table<Value>>,
    pub(super) locators: HashMap<String, Locator>,
    pub(super) jobs: Vec<Job>,
    pub(super) day: Day,
    pub(super) messages: Vec<OutboundMessage>,
    pub(super) refuses_duplicates: bool,
    pub(super) next_message: u64,
    /// Outbound messages of the call that is at work: they leave when it has done what it should.
    pub(super) pending: Vec<Message>,
}

impl Org {
    pub(super) fn new(options: &Options) -> Self {
        let mut org = Self {
            grants: Grants::new(options.policy(), options.app.clone(), CONNECTED),
            objects: Vec::new(),
            tables: HashMap::new(),
            locators: HashMap::new(),
            jobs: Vec::new(),
            day: Day::new(options.daily_calls),
            messages: Vec::new(),
            refuses_duplicates: options.refuses_duplicates,
            next_message: 1,
            pending: Vec::new(),
        };
        objects().into_iter().for_each(|object| org.add_object(object));
        org
    }

    pub(super) fn add_object(&mut self, object: Object) {
        let mut table = Table::new(1, key);
        table.index("Email");
        object.fields.iter().filter(|field| field.is_external_id).for_each(|field| table.index(&field.name));
        self.tables.insert(object.name.clone(), table);
        self.objects.push(object);
    }

    /// Does `work`, and takes everything back where it says so.
    pub(super) fn tried<T>(&mut self, is_atomic: bool, work: impl FnOnce(&mut Self) -> (T, bool)) -> (T, bool) {
        let pending = self.pending.len();
        if is_atomic {
            self.tables.values_mut().for_each(Table::begin);
        }
        let (outcome, failed) = work(self);
        if is_atomic {
            self.tables.values_mut().for_each(|table| table.end(failed));
        }
        if is_atomic && failed {
            self.pending.truncate(pending);
        }
        (outcome, is_atomic && failed)
    }

    /// An object by its name, in whatever case.
    pub(super) fn object(&self, name: &str) -> Result<&Object, Failure> {
        let found = self.objects.iter().find(|object| object.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| Failure::not_found("The requested resource does not exist"))
    }

    pub(super) fn table(&self, object: &str) -> &Table<Value> {
        self.tables.get(object).expect("every object has a table")
    }

    pub(super) fn table_mut(&mut self, object: &str) -> &mut Table<Value> {
        self.tables.get_mut(object).expect("every object has a table")
    }

    /// The row that an id of this object names, also one that is gone.
    pub(super) fn number(&self, object: &Object, id: &str) -> Result<u64, Failure> {
        let found = ids::parse(id).filter(|(prefix, number)| *prefix == object.prefix && self.table(&object.name).any(*number).is_some());
        found
            .map(|(_, number)| number)
            .ok_or_else(|| Failure::not_found("Provided external ID field does not exist or is not accessible: Id"))
    }

    /// The same, but it must be there.
    pub(super) fn present(&self, object: &Object, id: &str) -> Result<&Row<Value>, Failure> {
        self.table(&object.name).get(self.number(object, id)?).ok_or_else(Failure::deleted)
    }

    /// The object and row of any id that is there.
    pub(super) fn anywhere(&self, id: &str) -> Option<(&Object, &Row<Value>)> {
        let (prefix, number) = ids::parse(id)?;
        let object = self.objects.iter().find(|object| object.prefix == prefix)?;
        Some((object, self.table(&object.name).get(number)?))
    }

    /// The routes below `/services/data/vNN.0`.
    pub(super) fn data(&mut self, at: &Salesforce, call: &Call, user: u64, version: &str, rest: &[&str]) -> Result<Answer, Failure> {
        let change = Change { at: at.stand.now() / 1000 * 1000, by: user, lag_ms: at.stand.faults.index_lag_ms() };
        let scene = Scene { at, call, change, version };
        match (call.method.as_str(), rest) {
            ("GET", []) => Ok(Answer::json(200, &resources(version, &call.origin()))),
            ("GET", ["limits"]) => Ok(Answer::json(200, &limits(self))),
            (_, ["sobjects", rest @ ..]) => match (call.method.as_str(), rest) {
                ("GET", []) => Ok(describe::all(self, &scene)),
                ("GET", [object, "describe"]) => describe::one(self, &scene, object),
                ("GET", [object, "deleted"]) => feeds::deleted(self, &scene, object),
                ("GET", [object, "updated"]) => feeds::updated(self, &scene, object),
                _ => sobjects::answer(self, &scene, rest),
            },
            ("GET", ["query" | "queryAll", rest @ ..]) => query::answer(self, &scene, rest),
            (_, ["composite", "sobjects", rest @ ..]) => collections::answer(self, &scene, rest),
            ("POST", ["composite"]) => composite::composite(self, &scene),
            ("POST", ["composite", "batch"]) => composite::batch(self, &scene),
            (_, ["jobs", kind @ ("ingest" | "query"), rest @ ..]) => bulk::answer(self, &scene, kind, rest),
            _ => Err(Failure::not_found("The requested resource does not exist")),
        }
    }
}

/// One call and what its work needs to know.
#[derive(Clone, Copy)]
pub(super) struct Scene<'c> {
    pub(super) at: &'c Salesforce,
    pub(super) call: &'c Call,
    pub(super) change: Change,
    /// `v62.0`, as it was asked for.
    pub(super) version: &'c str,
}

/// By what unique values are compared: without regard to case.
fn key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.to_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn resources(version: &str, origin: &str) -> Value {
    let mut all = json!({});
    for name in ["sobjects", "query", "queryAll", "composite", "limits", "jobs"] {
        all[name] = json!(format!("/services/data/{version}/{name}"));
    }
    all["identity"] = json!(format!("{origin}/id/{ORG_ID}/{}", super::auth::user_id(CONNECTED)));
    all
}

fn limits(org: &Org) -> Value {
    json!({
        "DailyApiRequests": {"Max": org.day.max(), "Remaining": org.day.remaining()},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000 - org.jobs.len().min(10_000)},
        "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
        "DataStorageMB": {"Max": 5, "Remaining": 5},
    })
}
