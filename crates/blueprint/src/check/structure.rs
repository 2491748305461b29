//! What holds records together: parents, states, what is computed, who may set what.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::report::Report;
use super::resources::Context;
use crate::file::form;
use crate::model::{Computed, ComputedForm, Guarded, OnDelete, Parent, ResourceScopes, Scope, States};

/// Most parents of one resource type, and most members that one computed member is made of.
const MAX_PARENTS: usize = 4;
const MAX_PARTS: usize = 20;

impl Context<'_> {
    pub(super) fn computed(&self, computed: Vec<form::Computed>, report: &mut Report) -> Vec<Computed> {
        let names: Vec<String> = computed.iter().map(|one| one.field.clone()).collect();
        report.distinct("computed member", &names, |i| format!("{}.computed[{i}].field", self.place));
        let one = |(i, one): (usize, form::Computed)| self.compute(&format!("{}.computed[{i}]", self.place), one, &names, report);
        computed.into_iter().enumerate().filter_map(one).collect()
    }

    fn compute(&self, place: &str, written: form::Computed, computed: &[String], report: &mut Report) -> Option<Computed> {
        let form::Computed { field, text, sum, product, copy } = written;
        let given = [text.is_some(), sum.is_some(), product.is_some(), copy.is_some()].iter().filter(|given| **given).count();
        if !report.expect(given == 1, place, "must say one of text, sum, product, copy") {
            return None;
        }
        if !self.has(format!("{place}.field"), &field, report) {
            return None;
        }
        let required = self.required().any(|name| name == field);
        let (form, member) = match (text, sum, product, copy) {
            (Some(text), ..) => (ComputedForm::Text(text), "text"),
            (_, Some(sum), ..) => (ComputedForm::Sum(sum), "sum"),
            (_, _, Some(product), _) => (ComputedForm::Product(product), "product"),
            (.., copy) => (ComputedForm::Copy(copy.unwrap_or_default().split('.').map(str::to_owned).collect()), "copy"),
        };
        report.expect(!required || member == "text", format!("{place}.field"), "is required, but what it is computed of may be absent");
        let at = format!("{place}.{member}");
        let parts = self.parts(&at, &form, report)?;
        report.expect((1..=MAX_PARTS).contains(&parts.len()), &at, format!("must name 1 to {MAX_PARTS} members"));
        let types: &[&str] = match form {
            ComputedForm::Text(_) => &["string"],
            ComputedForm::Sum(_) | ComputedForm::Product(_) => &["number", "integer"],
            ComputedForm::Copy(_) => &[],
        };
        let fits = types.is_empty() || self.may_be(&field, types);
        report.expect(fits, format!("{place}.field"), format!("must be {}", crate::with_article(types.first().unwrap_or(&"value"))));
        for part in &parts {
            if !self.has(at.clone(), part, report) {
                continue;
            }
            // One step only: nothing depends on the order in which members are computed.
            report.expect(!computed.contains(part), &at, format!("{part} is computed itself"));
            let numeric = matches!(form, ComputedForm::Sum(_) | ComputedForm::Product(_));
            report.expect(!numeric || self.may_be(part, &["number", "integer"]), &at, format!("{part} must be a number"));
        }
        Some(Computed { field, form })
    }

    /// The members that it is made of.
    fn parts(&self, place: &str, form: &ComputedForm, report: &mut Report) -> Option<Vec<String>> {
        match form {
            ComputedForm::Sum(members) | ComputedForm::Product(members) => Some(members.clone()),
            ComputedForm::Copy(way) => Some(vec![way.first().cloned().unwrap_or_default()]),
            ComputedForm::Text(text) => {
                let names: Result<Vec<String>, ()> =
                    text.split('{').skip(1).map(|rest| rest.split_once('}').map(|(name, _)| name.to_owned()).ok_or(())).collect();
                names.map_err(|()| report.add(place, "a name in braces has no end: {firstName} {lastName}")).ok()
            }
        }
    }

    pub(super) fn server_set(&self, names: &[String], report: &mut Report) {
        let place = |i: usize| format!("{}.server_set[{i}]", self.place);
        for (i, name) in names.iter().enumerate() {
            self.has(place(i), name, report);
        }
        report.distinct("member", names, place);
    }

    /// Members whose change needs a scope of its own.
    pub(super) fn guarded(&self, guarded: Vec<form::Guarded>, scopes: &[Scope], report: &mut Report) -> Vec<Guarded> {
        for (i, one) in guarded.iter().enumerate() {
            let at = |member: &str| format!("{}.guarded[{i}].{member}", self.place);
            report.known(at("scope"), "scope", &one.scope, scopes.iter().map(|scope| scope.name.as_str()));
            if !self.has(at("field"), &one.field, report) {
                continue;
            }
            for (n, value) in one.to.iter().enumerate() {
                self.allowed(&at(&format!("to[{n}]")), &one.field, value, report);
            }
            let begins = self.properties[&one.field].get("default").is_some_and(|default| one.to.contains(default));
            report.expect(!begins, at("to"), "names the default value, with which every record begins");
            let required = one.to.is_empty() && self.required().any(|name| name == one.field);
            report.expect(
                !required,
                at("field"),
                "is required: nobody without the scope could create a record; name the guarded values by to",
            );
        }
        guarded.into_iter().map(|one| Guarded { field: one.field, to: one.to, scope: one.scope }).collect()
    }

    pub(super) fn states(&self, states: Option<form::States>, report: &mut Report) -> Option<States> {
        let states = states?;
        let at = |member: &str| format!("{}.states.{member}", self.place);
        if !self.has(at("field"), &states.field, report) || !self.texts(&at("field"), &states.field, report) {
            return None;
        }
        for (i, value) in states.initial.iter().enumerate() {
            self.allowed(&at(&format!("initial[{i}]")), &states.field, value, report);
        }
        if let Some(default) = self.properties[&states.field].get("default") {
            let fits = states.initial.is_empty() || states.initial.contains(default);
            report.expect(fits, at("initial"), format!("lacks {default}, with which a record begins by default"));
        }
        let mut next = Vec::new();
        for (from, to) in states.next {
            let place = at(&format!("next.{from}"));
            self.allowed(&place, &states.field, &Value::String(from.clone()), report);
            let Value::Array(to) = to else {
                report.add(place, "must be the list of values that may follow");
                continue;
            };
            for (i, value) in to.iter().enumerate() {
                self.allowed(&format!("{place}[{i}]"), &states.field, value, report);
            }
            next.push((Value::String(from), to));
        }
        Some(States { field: states.field, initial: states.initial, next })
    }

    fn texts(&self, place: &str, field: &str, report: &mut Report) -> bool {
        report.expect(self.may_be(field, &["string"]), place, "must be a text, such as a status")
    }

    pub(super) fn parents(&self, parents: Vec<form::Parent>, names: &HashSet<String>, own: &str, report: &mut Report) -> Vec<Parent> {
        let at = |i: usize, member: &str| format!("{}.parents[{i}].{member}", self.place);
        report.expect(parents.len() <= MAX_PARENTS, format!("{}.parents", self.place), format!("must be at most {MAX_PARENTS}"));
        report.distinct("member", parents.iter().map(|parent| parent.field.clone()), |i| at(i, "field"));
        report.distinct("parent", parents.iter().map(|parent| parent.resource.clone()), |i| at(i, "resource"));
        let mut checked = Vec::new();
        for (i, parent) in parents.into_iter().enumerate() {
            report.known(at(i, "resource"), "resource", &parent.resource, names.iter().map(String::as_str));
            report.expect(parent.resource != own, at(i, "resource"), "is this very resource type");
            if self.has(at(i, "field"), &parent.field, report) {
                let fits = self.may_be(&parent.field, &["string", "integer"]);
                report.expect(fits, at(i, "field"), "holds the parent's id: it must be a text, or an integer where the parent's ids are");
            }
            let on_delete = match parent.on_delete {
                form::OnDelete::Refuse => OnDelete::Refuse,
                form::OnDelete::Cascade => OnDelete::Cascade,
                form::OnDelete::Keep => OnDelete::Keep,
            };
            checked.push(Parent { field: parent.field, resource: parent.resource, on_delete });
        }
        checked
    }

    /// A singleton's members at first: with the defaults they must make a record.
    pub(super) fn initial(&self, singleton: bool, initial: Map<String, Value>, report: &mut Report) -> Vec<(String, Value)> {
        let place = format!("{}.initial", self.place);
        if !singleton {
            report.expect(initial.is_empty(), place, "belongs to singleton = true");
            return Vec::new();
        }
        for (name, value) in &initial {
            let at = format!("{place}.{name}");
            if !self.has(at.clone(), name, report) {
                continue;
            }
            let sample = value.as_str().map_or_else(|| value.clone(), |text| Value::String(text.replace("{tenant.name}", "Acme")));
            self.allowed(&at, name, &sample, report);
        }
        for name in self.required() {
            let there = initial.contains_key(name) || self.properties.get(name).is_some_and(|property| property.get("default").is_some());
            report.expect(there, &place, format!("lacks {name}, which the schema requires: the record could not begin"));
        }
        initial.into_iter().collect()
    }
}

/// The scopes of the generic routes.
pub(super) fn scopes(place: &str, written: form::ResourceScopes, declared: &[Scope], report: &mut Report) -> ResourceScopes {
    for (member, scope) in [("read", &written.read), ("write", &written.write), ("delete", &written.delete)] {
        if let Some(scope) = scope {
            report.known(format!("{place}.scopes.{member}"), "scope", scope, declared.iter().map(|scope| scope.name.as_str()));
        }
    }
    ResourceScopes { delete: written.delete.or_else(|| written.write.clone()), read: written.read, write: written.write }
}
