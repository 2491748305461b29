//! Objects and their operations.

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::form::{self, Meaning, PageKind};
use super::super::model::{Object, Operation, Request};
use super::super::template::Reference;
use super::report::Report;
use super::requests::Context;
use crate::ObjectAbout;

/// Most objects, and most fields of one.
const MAX_OBJECTS: usize = 50;
const MAX_FIELDS: usize = 500;
/// Most items of one write: each is a request of its own.
const MAX_BATCH: u32 = 50;
/// What pages give requests.
const PAGES: &[&str] = &["page.token", "page.size", "page.offset", "page.number"];

/// The object's line in the catalogue.
pub(super) fn about(object: &Object) -> ObjectAbout {
    let form = &object.form;
    ObjectAbout {
        name: form.name.clone(),
        label: form.label.clone().unwrap_or_else(|| form.name.clone()),
        incremental: object.list.as_ref().is_some_and(|list| list.request.names(&Reference::Cursor)),
        delete_feed: object.deleted.is_some(),
        writable: object.create.is_some() || object.update.is_some() || object.upsert.is_some() || object.delete.is_some(),
        unique_field: form.unique_field.clone(),
        lag_seconds: form.lag_seconds,
        batch: form.batch.unwrap_or(10),
    }
}

impl Context<'_> {
    pub(super) fn objects(&self, value: Option<Value>, errors: Option<&form::Errors>, report: &mut Report) -> Vec<Object> {
        let items = report.items("objects", value, MAX_OBJECTS);
        report.expect(!items.is_empty(), "", "has no [[objects]]: there is nothing to synchronise");
        let objects: Vec<_> =
            items.into_iter().filter_map(|(place, item)| Some((place.clone(), self.object(&place, item, report)?))).collect();
        report.distinct("objects", objects.iter().map(|(place, object)| (format!("{place}.name"), object.form.name.as_str())));
        for (place, object) in &objects {
            sense(place, object, errors, report);
        }
        objects.into_iter().map(|(_, object)| object).collect()
    }

    fn object(&self, place: &str, value: Value, report: &mut Report) -> Option<Object> {
        let Value::Object(mut members) = value else {
            report.add(place, "is a table");
            return None;
        };
        let mut parts = Map::new();
        for name in form::OPERATIONS {
            if let Some(value) = members.shift_remove(*name) {
                parts.insert((*name).to_owned(), value);
            }
        }
        let form: Option<form::Object> = report.typed(place, Value::Object(members), form::OPERATIONS);
        let mut parts = Parts { context: self, place, parts, report };
        let paged = |more: &[&'static str]| [PAGES, more].concat();
        let list: Option<Operation<form::List>> = parts.one("list", "GET", &paged(&["fields", "cursor"]));
        let get: Option<Operation<form::Get>> = parts.one("get", "GET", &["id", "fields"]);
        let get_many = parts.one("get_many", "GET", &["ids", "fields"]);
        let search = parts.many("search", "GET", &["field", "value", "fields"]);
        let create = parts.one("create", "POST", &["record", "record."]);
        let update = parts.one("update", "PATCH", &["id", "record", "record."]);
        let upsert = parts.one("upsert", "PUT", &["field", "value", "record", "record."]);
        let delete = parts.one("delete", "DELETE", &["id"]);
        let deleted: Option<Operation<form::Deleted>> = parts.one("deleted", "GET", &paged(&["cursor"]));
        let schema: Option<Operation<form::Schema>> = parts.one("schema", "GET", &paged(&[]));
        let watch = parts.one("watch", "POST", &["webhook.url", "webhook.secret"]);
        let unwatch = parts.one("unwatch", "DELETE", &["id"]);
        let fields = parts.parts.shift_remove("fields");
        let fields = report.list(&format!("{place}.fields"), fields, MAX_FIELDS).into_iter().map(|(_, field)| field).collect();
        let form = form?;
        Some(Object { form, list, get, get_many, search, create, update, upsert, delete, deleted, schema, fields, watch, unwatch })
    }
}

/// The operations of an object as they are written.
struct Parts<'a, 'c> {
    context: &'a Context<'c>,
    place: &'a str,
    parts: Map<String, Value>,
    report: &'a mut Report,
}

impl Parts<'_, '_> {
    fn one<T: DeserializeOwned>(&mut self, name: &str, method: &str, known: &[&str]) -> Option<Operation<T>> {
        let value = self.parts.shift_remove(name)?;
        self.context.operation(&format!("{}.{name}", self.place), value, method, known, self.report)
    }

    fn many<T: DeserializeOwned>(&mut self, name: &str, method: &str, known: &[&str]) -> Vec<Operation<T>> {
        let value = self.parts.shift_remove(name);
        let items = self.report.items(&format!("{}.{name}", self.place), value, 20);
        items.into_iter().filter_map(|(place, item)| self.context.operation(&place, item, method, known, self.report)).collect()
    }
}

/// What must fit together.
fn sense(place: &str, object: &Object, errors: Option<&form::Errors>, report: &mut Report) {
    let at = |member: &str| format!("{place}.{member}");
    let form = &object.form;
    report.line(&at("name"), &form.name, 1, 100);
    report.pointer(&at("id"), &form.id);
    for (member, pointer) in [("modified_at", &form.modified_at), ("merged_into", &form.merged_into)] {
        report.pointer_if(&at(member), pointer.as_ref());
    }
    report.pointer_if(&at("deleted_when.pointer"), form.deleted_when.as_ref().map(|when| &when.pointer));
    for (i, pointer) in form.fields_at.iter().flatten().enumerate() {
        report.pointer(&at(&format!("fields_at[{i}]")), pointer);
    }
    report.expect(form.batch.is_none_or(|batch| (1..=MAX_BATCH).contains(&batch)), at("batch"), format!("is from 1 to {MAX_BATCH}"));
    report.expect(
        object.list.is_some() || object.get.is_some() || object.get_many.is_some(),
        place,
        "can be neither listed nor read: it needs list or get",
    );
    reading(&at, object, report);
    writing(&at, object, errors, report);
    if object.watch.is_some() != object.unwatch.is_some() {
        report.add(place, "watch and unwatch go together: what was set up must be taken down");
    }
    if let Some(watch) = &object.watch {
        report.pointer(&at("watch.id"), &watch.answer.id);
        report.expect(
            watch.request.names(&Reference::Url),
            at("watch"),
            "names {webhook.url} nowhere: the vendor must learn where to call",
        );
    }
}

fn reading(at: &dyn Fn(&str) -> String, object: &Object, report: &mut Report) {
    if let Some(list) = &object.list {
        report.pointer(&at("list.records"), &list.answer.records);
        report.pointer_if(&at("list.total"), list.answer.total.as_ref());
        pages(&at("list"), &list.request, &list.answer.pages, report);
        let dated = !list.request.names(&Reference::Cursor) || object.form.modified_at.is_some();
        report.expect(dated, at("modified_at"), "is missing: list asks with {cursor}, and records must say when they were changed");
    }
    if let Some(get) = &object.get {
        report.pointer(&at("get.record"), &get.answer.record);
        report.expect(get.request.names(&Reference::Id), at("get"), "names {id} nowhere");
    }
    if let Some(many) = &object.get_many {
        report.pointer(&at("get_many.records"), &many.answer.records);
        report.expect(many.request.names(&Reference::Ids), at("get_many"), "names {ids} nowhere");
        report.expect(many.answer.max.is_none_or(|max| (1..=100).contains(&max)), at("get_many.max"), "is from 1 to 100");
    }
    for (i, search) in object.search.iter().enumerate() {
        report.pointer(&at(&format!("search[{i}].records")), &search.answer.records);
        report.expect(search.request.names(&Reference::Value), at(&format!("search[{i}]")), "names {value} nowhere");
        report.pointer_if(&at(&format!("search[{i}].id")), search.answer.id.as_ref());
        let whole = !search.answer.partial || object.get.is_some() || object.get_many.is_some();
        report.expect(whole, at(&format!("search[{i}].partial")), "needs get: what is found is read anew");
    }
    if let Some(deleted) = &object.deleted {
        for (member, pointer) in [("records", &deleted.answer.records), ("id", &deleted.answer.id)] {
            report.pointer(&at(&format!("deleted.{member}")), pointer);
        }
        pages(&at("deleted"), &deleted.request, &deleted.answer.pages, report);
        report.expect(deleted.request.names(&Reference::Cursor), at("deleted"), "names {cursor} nowhere: since when?");
    }
    if let Some(schema) = &object.schema {
        for (member, pointer) in [("records", &schema.answer.records), ("name", &schema.answer.name)] {
            report.pointer(&at(&format!("schema.{member}")), pointer);
        }
        pages(&at("schema"), &schema.request, &schema.answer.pages, report);
    }
}

fn pages(place: &str, request: &Request, pages: &form::Pages, report: &mut Report) {
    let at = format!("{place}.pages");
    let expect = |report: &mut Report, reference: Reference| {
        let name = reference.name();
        report.expect(request.names(&reference), &at, format!("needs {{{name}}} somewhere in the request"));
    };
    match pages.kind {
        PageKind::Token => expect(report, Reference::Token),
        PageKind::Offset => expect(report, Reference::Offset),
        PageKind::Number => expect(report, Reference::Number),
        PageKind::None | PageKind::Link | PageKind::LinkHeader => {}
    }
    let wants_next = matches!(pages.kind, PageKind::Token | PageKind::Link);
    report.expect(
        wants_next == pages.next.is_some(),
        &at,
        "next is where the answer has the next page's token or link, and goes with those types",
    );
    report.pointer_if(&format!("{at}.next"), pages.next.as_ref());
    report.pointer_if(&format!("{at}.more"), pages.more.as_ref());
    let sized = pages.size.is_some() || !(request.names(&Reference::Size) || (pages.kind == PageKind::Offset && pages.more.is_none()));
    report.expect(sized, &at, "size is missing");
    report.expect(pages.size.is_none_or(|size| (1..=10_000).contains(&size)), format!("{at}.size"), "is from 1 to 10000");
    let overlaps = pages.overlap.is_none_or(|overlap| pages.kind == PageKind::Offset && pages.size.is_some_and(|size| overlap < size));
    report.expect(overlaps, format!("{at}.overlap"), "goes with type = \"offset\" and is less than size");
    report.expect(pages.max.is_none_or(|max| max >= 1), format!("{at}.max"), "is at least 1");
}

fn writing(at: &dyn Fn(&str) -> String, object: &Object, errors: Option<&form::Errors>, report: &mut Report) {
    for (name, write) in [("create", &object.create), ("update", &object.update)] {
        if let Some(write) = write {
            report.pointer_if(&at(&format!("{name}.record")), write.answer.record.as_ref());
            report.pointer_if(&at(&format!("{name}.id")), write.answer.id.as_ref());
        }
    }
    for (name, request) in
        [("update", object.update.as_ref().map(|one| &one.request)), ("delete", object.delete.as_ref().map(|one| &one.request))]
    {
        report.expect(request.is_none_or(|request| request.names(&Reference::Id)), at(name), "names {id} nowhere");
    }
    if let Some(upsert) = &object.upsert {
        let fits = object.form.unique_field.as_ref() == Some(&upsert.answer.by);
        report.expect(fits, at("upsert.by"), "must be the object's unique_field");
        let told = upsert.answer.created.is_some() || upsert.answer.created_status.is_some();
        report.expect(told, at("upsert"), "says not how to tell a new record from a changed one: created or created_status");
        report.expect(upsert.request.method != Method::GET, at("upsert.method"), "cannot be GET");
    }
    let refuses = errors.is_none_or(|errors| errors.rules.iter().any(|rule| rule.means == Meaning::Duplicate));
    let guarded = object.form.unique_field.is_none() || object.create.is_none() || object.upsert.is_some() || refuses;
    let why = "needs an upsert, or a rule of errors with means = \"duplicate\": else a record that is there would be made a second time";
    report.expect(guarded, at("unique_field"), why);
}
