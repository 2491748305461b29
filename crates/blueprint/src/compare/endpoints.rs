//! Declared routes.

use super::Findings;
use crate::model::{Blueprint, Endpoint};

pub(super) fn compare(old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    for endpoint in &old.endpoints {
        match new.endpoints.iter().find(|now| key(now) == key(endpoint)) {
            Some(now) => self::endpoint(endpoint, now, old, new, report),
            None => gone(endpoint, old, new, report),
        }
    }
    for endpoint in new.endpoints.iter().filter(|now| !old.endpoints.iter().any(|was| key(was) == key(now))) {
        report.compatible("endpoint_added", place(endpoint), "a new endpoint");
    }
}

/// Method and path without the names of placeholders, which callers do not see.
fn key(endpoint: &Endpoint) -> (String, String) {
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    let base = if endpoint.public { "/public" } else { endpoint.base.as_deref().unwrap_or_default() };
    (endpoint.method.clone(), format!("{base}{}", endpoint.path.split('/').map(blank).collect::<Vec<_>>().join("/")))
}

fn place(endpoint: &Endpoint) -> String {
    format!("endpoints[\"{} {}\"]", endpoint.method, endpoint.path)
}

/// An endpoint that does the same elsewhere, and did not before, has moved.
fn gone(endpoint: &Endpoint, old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    let moved = new.endpoints.iter().find(|now| {
        now.operation == endpoint.operation && now.resource == endpoint.resource && !old.endpoints.iter().any(|was| key(was) == key(now))
    });
    match moved {
        Some(now) => report.breaking("endpoint_moved", place(endpoint), format!("is {} {} now", now.method, now.path)),
        None => report.breaking("endpoint_removed", place(endpoint), "the endpoint is gone"),
    }
}

fn endpoint(was: &Endpoint, now: &Endpoint, old: &Blueprint, new: &Blueprint, report: &mut Findings) {
    let place = place(was);
    if was.operation != now.operation || was.resource != now.resource {
        report.breaking("endpoint_changed", &place, "does something else now");
    }
    if was.scope != now.scope {
        // Whoever held the old scope must still get in.
        let admitted = now.scope.is_empty()
            || new.expand_scopes(std::slice::from_ref(&was.scope)).contains(&now.scope) && old.scope(&was.scope).is_some();
        if admitted {
            report.compatible("endpoint_scope_changed", format!("{place}.scope"), "whoever could call it still can");
        } else {
            report.breaking("endpoint_scope_changed", format!("{place}.scope"), format!("needs {} now", now.scope));
        }
    }
    let lost: Vec<&String> = match (&was.writable, &now.writable) {
        (Some(old), Some(new)) => old.iter().filter(|one| !new.contains(one)).collect(),
        _ => Vec::new(),
    };
    for member in lost {
        report.breaking("writable_removed", format!("{place}.writable"), format!("{member} cannot be written any more"));
    }
    if let (None, Some(new)) = (&was.writable, &now.writable) {
        report.breaking("writable_removed", format!("{place}.writable"), format!("only {} can be written now", new.join(", ")));
    }
    let dearer = format!("from {} to {}", was.cost, now.cost);
    match now.cost.cmp(&was.cost) {
        std::cmp::Ordering::Greater => report.breaking("cost_raised", format!("{place}.cost"), dearer),
        std::cmp::Ordering::Less => report.compatible("cost_lowered", format!("{place}.cost"), dearer),
        std::cmp::Ordering::Equal => {}
    }
    if now.limit.1 < was.limit.1 {
        report.breaking("limit_lowered", format!("{place}.max_limit"), format!("from {} to {}", was.limit.1, now.limit.1));
    }
    if now.limit.0 != was.limit.0 {
        report.compatible("limit_changed", format!("{place}.limit"), format!("from {} to {}", was.limit.0, now.limit.0));
    }
    match (was.total, now.total) {
        (true, false) => report.breaking("total_removed", format!("{place}.total"), "lists do not tell the total any more"),
        (false, true) => report.compatible("total_added", format!("{place}.total"), "lists tell the total now"),
        _ => {}
    }
    answers(was, now, &place, report);
    retirement(was, now, &place, report);
}

/// What an endpoint answers, and what it calls things.
fn answers(was: &Endpoint, now: &Endpoint, place: &str, report: &mut Findings) {
    if was.answer != now.answer {
        report.breaking("answer_changed", format!("{place}.answer"), "answers look different");
    }
    if was.status != now.status {
        report.breaking("answer_changed", format!("{place}.status"), "successes have another status");
    }
    if was.member != now.member || was.parent != now.parent || was.metric != now.metric || was.jobs != now.jobs {
        report.breaking("endpoint_changed", place, "does something else now");
    }
    let (Some(was), Some(now)) = (&was.manage, &now.manage) else { return };
    if was.managed.id != now.managed.id || was.client != now.client {
        report.breaking("endpoint_changed", place, "does something else now");
    }
    for (name, _) in was.body.iter().filter(|one| !now.body.contains(one)) {
        report.breaking("property_removed", format!("{place}.operation.body"), format!("{name} cannot be sent any more"));
    }
    for query in was.query.iter().filter(|one| !now.query.iter().any(|other| other.name == one.name)) {
        report.breaking("parameter_removed", format!("{place}.operation.query"), format!("{} is no parameter any more", query.name));
    }
}

/// That an endpoint goes is no break before it goes; that it goes sooner than was said is one.
fn retirement(was: &Endpoint, now: &Endpoint, place: &str, report: &mut Findings) {
    if was.retirement == now.retirement {
        return;
    }
    let sunset = |endpoint: &Endpoint| endpoint.retirement.as_ref().and_then(|one| one.sunset_at.clone());
    match (sunset(was), sunset(now)) {
        (Some(old), Some(new)) if new < old => {
            report.breaking("sunset_advanced", format!("{place}.sunset_at"), format!("from {old} to {new}"));
        }
        _ if now.retirement.is_none() => report.compatible("endpoint_kept", format!("{place}.deprecated_at"), "is not deprecated any more"),
        _ => report.compatible("endpoint_deprecated", format!("{place}.deprecated_at"), "is on its way out; it works as before"),
    }
}
