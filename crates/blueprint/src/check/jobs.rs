//! Types of jobs.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::report::{Report, is_member, is_name};
use super::{events, nearest, upstreams};
use crate::file::jobs as form;
use crate::file::json as json_of;
use crate::model::{EventType, JobExecutor, JobRecord, JobType, JobWebhook, Resource, Scope};
use crate::schema::Schema;
use crate::{Fault, suggest};

/// Most retries, the longest wait before one, and the longest time-out, in seconds.
const MAX_RETRIES: usize = 20;
const MAX_WAIT: u64 = 7 * 24 * 3600;
/// Waits before retries when the file says nothing; the last one repeats.
const WAITS: &[u64] = &[5, 30, 120, 600];
/// Silence after which a worker counts as dead: whoever stops a server or a worker waits no longer than that.
const MAX_LEASE: u64 = 30;
/// The longest time that a job may be given: 30 days.
const MAX_DEADLINE: u64 = 30 * 24 * 3600;

/// What jobs refer to.
pub(super) struct Declared<'a> {
    pub(super) scopes: &'a [Scope],
    pub(super) events: &'a [EventType],
    pub(super) resources: &'a [Resource],
}

impl Declared<'_> {
    pub(super) fn check(&self, jobs: Vec<form::Job>, report: &mut Report) -> Vec<JobType> {
        report.distinct("job", jobs.iter().map(|job| job.name.clone()), |i| format!("jobs[{i}].name"));
        jobs.into_iter().enumerate().filter_map(|(i, job)| one(&format!("jobs[{i}]"), job, self, report)).collect()
    }
}

fn one(place: &str, job: form::Job, declared: &Declared<'_>, report: &mut Report) -> Option<JobType> {
    let at = |member: &str| format!("{place}.{member}");
    let fits = job.name.split('.').all(|word| is_name(word, 64, first, rest)) && job.name.len() <= 64;
    report.expect(fits, at("name"), "must be lower-case words of letters, digits, - and _ joined by dots, such as call.analyze");
    report.prose(at("description"), &job.description, 0, 500);
    for (member, scope) in [("scope", Some(&job.scope)), ("read_scope", job.read_scope.as_ref())] {
        if let Some(scope) = scope.filter(|scope| !scope.is_empty()) {
            report.known(at(member), "scope", scope, declared.scopes.iter().map(|scope| scope.name.as_str()));
        }
    }
    let mut number = |member: &str, given: Option<u64>, range: RangeInclusive<u64>| {
        let text = format!("must be {} to {}", range.start(), range.end());
        given.filter(|value| report.expect(range.contains(value), at(member), text))
    };
    let deadline = number("deadline_seconds", job.deadline_seconds, 1..=MAX_DEADLINE);
    let lease = number("lease_seconds", job.lease_seconds, 1..=MAX_LEASE).unwrap_or(MAX_LEASE);
    let retries = number("retries", job.retries, 0..=MAX_RETRIES as u64);
    let concurrency = number("concurrency", job.concurrency, 1..=100_000);
    let per_tenant = number("concurrency_per_tenant", job.concurrency_per_tenant, 1..=100_000);
    let webhook_timeout = number("webhook.timeout_seconds", job.webhook.timeout_seconds, 1..=120);
    let priority = job.priority.unwrap_or(0);
    report.expect((-100..=100).contains(&priority), at("priority"), "must be -100 to 100");
    let input = schema(&at("input"), job.input, true, report);
    let result = job.result.and_then(|result| schema(&at("result"), result, false, report));
    let record = job.record.map(|record| self::record(&at("record"), record, input.as_ref(), declared.resources, report));
    let webhook = job.webhook.retry_schedule_seconds;
    Some(JobType {
        executor: executor(&at("executor"), job.executor, report),
        retry_schedule_ms: schedule(place, retries, job.retry_schedule_seconds, report),
        completed: event(&at("events.completed"), job.events.completed, declared.events, report),
        failed: event(&at("events.failed"), job.events.failed, declared.events, report),
        webhook: JobWebhook {
            retry_schedule_ms: webhook.map(|waits| self::waits(&at("webhook.retry_schedule_seconds"), &waits, report)),
            timeout_ms: webhook_timeout.map(|seconds| seconds * 1000),
        },
        read_scope: job.read_scope.unwrap_or_else(|| job.scope.clone()),
        name: job.name,
        description: job.description,
        scope: job.scope,
        priority,
        deadline_ms: deadline.map(|seconds| seconds * 1000),
        lease_ms: lease * 1000,
        concurrency: concurrency.and_then(|most| u32::try_from(most).ok()),
        concurrency_per_tenant: per_tenant.and_then(|most| u32::try_from(most).ok()),
        input: input?,
        result,
        record,
    })
}

fn first(byte: u8) -> bool {
    byte.is_ascii_lowercase()
}

fn rest(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
}

fn schema(place: &str, schema: Value, object: bool, report: &mut Report) -> Option<Value> {
    let schema = json_of(schema).map_err(|why| report.add(place, why)).ok()?;
    let is_object = schema.get("type").is_some_and(|kind| kind == "object");
    report.expect(is_object || !object, place, "must be a JSON Schema with type = \"object\"");
    match Schema::compile(&schema) {
        Ok(_) => Some(schema),
        Err(why) => {
            report.add(place, format!("is not a usable JSON Schema: {why}"));
            None
        }
    }
}

fn executor(place: &str, executor: form::Executor, report: &mut Report) -> JobExecutor {
    let http = match executor {
        form::Executor::Worker => return JobExecutor::Worker,
        form::Executor::Unknown(name) => {
            let suggestion = nearest(&name, &["worker"]);
            let message = "is \"worker\", or a table with type = \"http\" and url";
            report.faults.push(Fault { suggestion, ..Fault::new(place, message) });
            return JobExecutor::Worker;
        }
        form::Executor::Http(http) => http,
    };
    report.expect(http.kind == "http", format!("{place}.type"), "must be http: only that executor is written as a table");
    if let Err(why) = upstreams::url(&http.url) {
        report.add(format!("{place}.url"), why);
    }
    let timeout = http.timeout_seconds.unwrap_or(30);
    report.expect((1..=600).contains(&timeout), format!("{place}.timeout_seconds"), "must be 1 to 600");
    let within = http.update_within_seconds.unwrap_or(300);
    report.expect((1..=86_400).contains(&within), format!("{place}.update_within_seconds"), "must be 1 to 86400");
    JobExecutor::Http { url: http.url, timeout_ms: timeout.saturating_mul(1000), update_within_ms: within.saturating_mul(1000) }
}

/// As many waits as retries: those that are given, the last one repeated.
fn schedule(place: &str, retries: Option<u64>, given: Option<Vec<u64>>, report: &mut Report) -> Vec<u64> {
    let at = format!("{place}.retry_schedule_seconds");
    let most = |retries: u64| usize::try_from(retries).unwrap_or(MAX_RETRIES);
    let Some(given) = given else {
        return (0..most(retries.unwrap_or(3))).map(|i| WAITS[i.min(WAITS.len() - 1)] * 1000).collect();
    };
    let waits = waits(&at, &given, report);
    let Some(retries) = retries.map(most) else { return waits };
    if waits.is_empty() && retries > 0 || waits.len() > retries {
        report.add(
            at,
            format!("has {} waits for {retries} retries; leave one of the two out, or repeat the last wait by fewer", waits.len()),
        );
        return waits;
    }
    (0..retries).filter_map(|i| waits.get(i).or(waits.last()).copied()).collect()
}

fn waits(place: &str, waits: &[u64], report: &mut Report) -> Vec<u64> {
    report.expect(waits.len() <= MAX_RETRIES, place, format!("has {} waits; {MAX_RETRIES} are allowed", waits.len()));
    for (i, wait) in waits.iter().enumerate() {
        report.expect((1..=MAX_WAIT).contains(wait), format!("{place}[{i}]"), format!("must be 1 to {MAX_WAIT} seconds (7 days)"));
    }
    waits.iter().map(|wait| (*wait).min(MAX_WAIT) * 1000).collect()
}

fn event(place: &str, name: Option<String>, declared: &[EventType], report: &mut Report) -> Option<kernel::EventType> {
    let name = name?;
    if !report.known(place, "event", &name, declared.iter().map(|event| event.name.as_str())) {
        return None;
    }
    events::name(&name).map_err(|why| report.add(place, why)).ok()
}

fn record(place: &str, record: form::Record, input: Option<&Value>, resources: &[Resource], report: &mut Report) -> JobRecord {
    let at = |member: &str| format!("{place}.{member}");
    let known = report.known(at("resource"), "resource", &record.resource, resources.iter().map(|resource| resource.name.as_str()));
    let resource = resources.iter().find(|resource| known && resource.name == record.resource);
    let members = resource.and_then(|resource| resource.schema.get("properties")?.as_object());
    let named = [
        ("job", record.job.as_ref()),
        ("status", record.status.as_ref()),
        ("result", record.result.as_ref()),
        ("error", record.error.as_ref()),
    ];
    let copied = record.members.keys().map(|name| (format!("members.{name}"), Some(name)));
    for (member, name) in named.into_iter().map(|(member, name)| (member.to_owned(), name)).chain(copied) {
        let (Some(name), Some(members)) = (name, members) else { continue };
        if !members.contains_key(name) {
            let suggestion = suggest::nearest(name, members.keys().map(String::as_str)).map(str::to_owned);
            let message = format!("the schema of {} has no member {name:?}", record.resource);
            report.faults.push(Fault { suggestion, ..Fault::new(at(&member), message) });
        }
    }
    let taken = named.iter().filter_map(|(_, name)| name.cloned()).chain(record.members.keys().cloned());
    report.distinct("member", taken.collect::<Vec<_>>(), |_| place.to_owned());
    for (name, path) in &record.members {
        let fits = path.len() <= 200 && path.split('.').all(|word| !word.is_empty());
        report.expect(fits, at(&format!("members.{name}")), "must be the place of a value in the result, such as scores.overall");
    }
    let id_member = record.id_member.unwrap_or_else(|| format!("{}Id", record.resource));
    report.expect(is_member(&id_member), at("id_member"), "must be letters, digits and _");
    let declared = input.and_then(|input| input.get("properties")?.get(&id_member)).is_some();
    let what = "must be a member of the input: it names the record (or write create = true)";
    report.expect(record.create || input.is_none() || declared, at("id_member"), what);
    report.expect(!record.create || !declared, at("id_member"), "is made when the job starts: it must not be a member of the input");
    JobRecord {
        resource: record.resource,
        id_member,
        create: record.create,
        job: record.job,
        status: record.status,
        result: record.result,
        error: record.error,
        members: record.members.into_iter().collect(),
    }
}
