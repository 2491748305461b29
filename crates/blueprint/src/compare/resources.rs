//! Resource types: what callers read and write.

use super::{Findings, Kind, Reliance, compare_schemas};
use crate::model::{Blueprint, Emits, Resource};

const RESOURCES: Kind = Kind { section: "resources", word: "resource type", removed: "resource_removed", added: "resource_added" };

pub(super) fn compare(old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    report.names(RESOURCES, old.resources.iter().map(|one| one.name.as_str()), new.resources.iter().map(|one| one.name.as_str()));
    for resource in &old.resources {
        if let Some(now) = new.resource(&resource.name) {
            self::resource(resource, now, report);
        }
    }
}

fn resource(was: &Resource, now: &Resource, report: &mut Findings) {
    let place = format!("resources[{:?}]", was.name);
    let read = compare_schemas(&was.schema, &now.schema, Reliance::Reader, &format!("{place}.read"));
    let written = compare_schemas(&was.schema, &now.schema, Reliance::Writer, &format!("{place}.write"));
    if read.is_empty() && written.is_empty() && was.schema != now.schema {
        report.compatible("schema_changed", &place, "whoever reads or writes by the old version still can");
    }
    report.list.extend(read);
    report.list.extend(written);
    if was.id_form != now.id_form {
        report.breaking("id_form_changed", format!("{place}.id_form"), "ids look different");
    }
    let fields = [
        ("created_field", Some(&was.created_field), Some(&now.created_field)),
        ("updated_field", was.updated_field.as_ref(), now.updated_field.as_ref()),
    ];
    for (name, old, new) in fields {
        let at = format!("{place}.{name}");
        match (old, new) {
            (Some(old), Some(new)) if old == new => {}
            (Some(old), _) => report.breaking("property_removed", at, format!("{old} was there, and is not any more")),
            (None, Some(new)) => report.compatible("property_added", at, format!("{new} is new")),
            (None, None) => {}
        }
    }
    for (name, removed, added, old, new) in [
        ("filters", "filter_removed", "filter_added", &was.filters, &now.filters),
        ("search", "search_removed", "search_added", &was.search, &now.search),
        ("sort", "sort_removed", "sort_added", &was.sort, &now.sort),
    ] {
        for gone in old.iter().filter(|one| !new.contains(one)) {
            report.breaking(removed, format!("{place}.{name}"), format!("lists cannot use {gone} any more"));
        }
        for new in new.iter().filter(|one| !old.contains(one)) {
            report.compatible(added, format!("{place}.{name}"), format!("lists can use {new} now"));
        }
    }
    for member in now.unique.iter().filter(|one| !was.unique.contains(one)) {
        report.breaking("unique_added", format!("{place}.unique"), format!("two records with the same {member} are refused now"));
    }
    for stamp in now.stamps.iter().filter(|one| !was.stamps.iter().any(|old| old.field == one.field)) {
        if was.schema.get("properties").is_some_and(|table| table.get(&stamp.field).is_some()) {
            report.breaking("property_read_only", format!("{place}.stamps"), format!("{} is set by the server now", stamp.field));
        }
    }
    rules(was, now, &place, report);
    emits(&was.emits, &now.emits, &place, report);
}

/// Who may set what, what may follow what, and what a record belongs to.
fn rules(was: &Resource, now: &Resource, place: &str, report: &mut Findings) {
    let closed =
        |one: &Resource, member: &str| one.server_set.iter().any(|name| name == member) || one.computed.iter().any(|c| c.field == member);
    let declared = was.schema.get("properties").and_then(serde_json::Value::as_object).into_iter().flatten();
    for (member, _) in declared.filter(|(member, _)| closed(now, member) && !closed(was, member)) {
        report.breaking("property_read_only", format!("{place}.schema"), format!("{member} is set by the server now"));
    }
    if was.singleton != now.singleton {
        report.breaking("resource_changed", format!("{place}.singleton"), "there is one for each tenant, or there are many: not as before");
    }
    for parent in now.parents.iter().filter(|one| !was.parents.iter().any(|old| old.field == one.field && old.resource == one.resource)) {
        let message = format!("{} must name {} now", parent.field, crate::with_article(&parent.resource));
        report.breaking("parent_added", format!("{place}.parents"), message);
    }
    for guard in now.guarded.iter().filter(|one| !was.guarded.contains(one)) {
        let message = format!("{} needs the scope {} now, to be set or changed", guard.field, guard.scope);
        report.breaking("member_guarded", format!("{place}.guarded"), message);
    }
    if let Some(states) = now.states.as_ref().filter(|states| was.states.as_ref() != Some(states)) {
        let message = format!("what may follow which {} is declared otherwise; a change that was allowed may be refused", states.field);
        report.breaking("states_changed", format!("{place}.states"), message);
    }
    let scopes = [("read", &was.scopes.read, &now.scopes.read), ("write", &was.scopes.write, &now.scopes.write)];
    for (name, old, new) in scopes {
        if let Some(old) = old.as_ref().filter(|old| new.as_ref() != Some(old)) {
            report.breaking(
                "resource_scope_changed",
                format!("{place}.scopes.{name}"),
                format!("{old} does not open the records any more"),
            );
        }
    }
}

fn emits(was: &Emits, now: &Emits, place: &str, report: &mut Findings) {
    let at = format!("{place}.emits");
    let names = |emits: &Emits| {
        let own = [&emits.created, &emits.updated, &emits.deleted].map(|event| event.as_ref().map(ToString::to_string));
        own.into_iter()
            .zip(["created", "updated", "deleted"])
            .filter_map(|(event, when)| Some((when.to_owned(), event?)))
            .chain(emits.transitions.iter().map(|one| (format!("{} = {}", one.field, one.to), one.event.to_string())))
            .collect::<Vec<_>>()
    };
    let (had, has) = (names(was), names(now));
    for (when, event) in had.iter().filter(|one| !has.contains(one)) {
        report.breaking("emission_removed", &at, format!("{event} does not follow {when} any more"));
    }
    for (when, event) in has.iter().filter(|one| !had.contains(one)) {
        report.compatible("emission_added", &at, format!("{event} now follows {when}"));
    }
    if !had.is_empty() && was.id_member != now.id_member {
        report.breaking("property_removed", format!("{at}.id_member"), format!("{} is called {} now", was.id_member, now.id_member));
    }
}
