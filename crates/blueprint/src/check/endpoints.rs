//! The declared routes.

use std::collections::HashMap;

use super::report::Report;
use super::{answers, managed, metrics, of_records, paths, proxied, retirement};
use crate::file::form;
use crate::file::operations::Operation as Written;
use crate::model::{Endpoint, EventType, JobType, Metric, Operation, Resource, Scope, Upstream};

/// Most that one call may count in a limit.
const MAX_COST: u32 = 10_000;

/// Where public endpoints are: the tenant's slug and their path follow.
const PUBLIC: &str = "/public";

/// What endpoints refer to.
pub(super) struct Declared<'a> {
    pub(super) base: &'a str,
    pub(super) scopes: &'a [Scope],
    pub(super) events: &'a [EventType],
    pub(super) resources: &'a [Resource],
    pub(super) upstreams: &'a [Upstream],
    pub(super) metrics: &'a [Metric],
    pub(super) jobs: &'a [JobType],
}

pub(super) fn check(endpoints: Vec<form::Endpoint>, declared: &Declared<'_>, report: &mut Report) -> Vec<Endpoint> {
    collisions(&endpoints, declared.base, report);
    proxied::overlaps(&endpoints, report);
    let one = |(i, endpoint): (usize, form::Endpoint)| self::one(&format!("endpoints[{i}]"), endpoint, declared, report);
    endpoints.into_iter().enumerate().filter_map(one).flat_map(proxied::each_method).collect()
}

/// One endpoint while it is checked.
pub(super) struct Context<'a> {
    pub(super) place: &'a str,
    /// Its own base path, or the product's.
    pub(super) base: &'a str,
    pub(super) written: &'a form::Endpoint,
    pub(super) declared: &'a Declared<'a>,
}

impl Context<'_> {
    pub(super) fn at(&self, member: &str) -> String {
        format!("{}.{member}", self.place)
    }

    /// Reports each member that says something and does not belong to the operation.
    pub(super) fn foreign(&self, whose: &str, allowed: &[&str], report: &mut Report) {
        let written = self.written;
        let given = [
            ("resource", written.resource.is_some()),
            ("parent", written.parent.is_some()),
            ("member", written.member.is_some()),
            ("writable", written.writable.is_some()),
            ("set", !written.set.is_empty()),
            ("emits", written.emits.is_some()),
            ("order", written.order.is_some()),
            ("not_found", written.not_found.is_some()),
            ("public", written.public),
            ("answer", written.answer.is_some()),
            ("status", written.status.is_some()),
        ];
        for (name, _) in given.iter().filter(|(name, given)| *given && !allowed.contains(name)) {
            report.add(self.at(name), format!("does not belong to {whose}"));
        }
    }
}

fn one(place: &str, mut written: form::Endpoint, declared: &Declared<'_>, report: &mut Report) -> Option<Endpoint> {
    let operation = std::mem::take(&mut written.operation);
    if let Some(base) = &written.base
        && let Err(why) = paths::base(base)
    {
        report.add(format!("{place}.base"), why);
    }
    let own = written.base.as_deref().unwrap_or(declared.base);
    let context = Context { place, base: if written.public { PUBLIC } else { own }, written: &written, declared };
    let mut checked = blank(&written);
    common(&context, &operation, &mut checked, report);
    match operation {
        Written::Named(name) if name == "health" => health(&context, &mut checked, report),
        Written::Named(name) => of_records::check(&context, &name, &mut checked, report)?,
        Written::Upstream(call) => {
            checked.operation = Operation::Upstream;
            checked.upstream = Some(proxied::call(&context, *call, report));
        }
        Written::Manage(call) => managed::check(&context, *call, &mut checked, report)?,
        Written::Metric(call) => metric(&context, &call.metric, &mut checked, report),
        Written::Job(start) => job(&context, start.job, &mut checked, report),
        Written::JobBatch(start) => {
            job(&context, start.job, &mut checked, report);
            checked.operation = Operation::JobBatch;
        }
        Written::JobStatus(status) => job_status(&context, status.jobs, &mut checked, report),
    }
    checked.limit = of_records::limits(&context, checked.operation, report);
    answers::check(&context, &mut checked, report);
    checked.retirement = retirement::check(place, &written, report);
    Some(checked)
}

/// An endpoint with what needs no check.
fn blank(written: &form::Endpoint) -> Endpoint {
    Endpoint {
        method: written.method.clone(),
        path: written.path.clone(),
        base: written.base.clone(),
        public: written.public,
        operation: Operation::Health,
        resource: written.resource.clone().unwrap_or_default(),
        parent: None,
        member: written.member.clone(),
        set: Vec::new(),
        emits: None,
        order: None,
        metric: String::new(),
        jobs: Vec::new(),
        manage: None,
        upstream: None,
        scope: written.scope.clone().unwrap_or_default(),
        summary: written.summary.clone(),
        writable: written.writable.clone(),
        limit: (0, 0),
        total: written.total.unwrap_or(false),
        not_found: written.not_found.clone(),
        answer: None,
        status: written.status,
        cost: written.cost.unwrap_or(1),
        retirement: None,
    }
}

/// What every endpoint says.
fn common(context: &Context<'_>, operation: &Written, checked: &mut Endpoint, report: &mut Report) {
    let (written, declared) = (context.written, context.declared);
    match written.scope.as_deref() {
        Some("") => {}
        Some(scope) => {
            report.known(context.at("scope"), "scope", scope, declared.scopes.iter().map(|scope| scope.name.as_str()));
        }
        // What these need is told by what they do.
        None if matches!(operation, Written::Manage(_) | Written::Job(_) | Written::JobStatus(_) | Written::JobBatch(_))
            || written.public => {}
        None if matches!(operation, Written::Named(name) if name == "health") => {}
        None => report.add(context.place, "scope is missing"),
    }
    if written.public {
        public(context, report);
    }
    report.prose(context.at("summary"), &written.summary, 0, 500);
    report.prose(context.at("not_found"), written.not_found.as_deref().unwrap_or("-"), 1, 500);
    report.expect((1..=MAX_COST).contains(&checked.cost), context.at("cost"), format!("must be 1 to {MAX_COST}"));
    if let Some(event) = &written.emits
        && report.known(context.at("emits"), "event", event, declared.events.iter().map(|event| event.name.as_str()))
    {
        checked.emits = event.parse().ok();
    }
}

/// What strangers may call, below a tenant's name.
fn public(context: &Context<'_>, report: &mut Report) {
    let written = context.written;
    report.expect(
        written.base.is_none(),
        context.at("base"),
        "does not belong to a public endpoint: it is at /public/<tenant's slug><path>",
    );
    let scope = written.scope.as_deref().unwrap_or_default();
    report.expect(scope.is_empty(), context.at("scope"), "does not belong to a public endpoint: nobody shows a credential");
    let costs = written.cost.unwrap_or(1) == 1;
    report.expect(costs, context.at("cost"), "does not belong to a public endpoint: calls are counted by address");
    if let Ok(names) = paths::placeholders(PUBLIC, &written.path) {
        report.expect(
            !names.contains(&"tenant"),
            context.at("path"),
            "names a placeholder {tenant}, which stands for the tenant's slug before it",
        );
    }
}

fn health(context: &Context<'_>, checked: &mut Endpoint, report: &mut Report) {
    checked.operation = Operation::Health;
    report.expect(context.written.method == "GET", context.at("method"), "health is served by GET");
    context.foreign("health", &["answer", "status"], report);
    match paths::placeholders(context.base, &context.written.path) {
        Ok(names) => {
            report.expect(names.is_empty(), context.at("path"), "must not have a placeholder");
        }
        Err(why) => report.add(context.at("path"), why),
    }
}

fn metric(context: &Context<'_>, name: &str, checked: &mut Endpoint, report: &mut Report) {
    (checked.operation, checked.metric) = (Operation::Metric, name.to_owned());
    report.known(context.at("operation.metric"), "metric", name, context.declared.metrics.iter().map(|metric| metric.name.as_str()));
    report.expect(context.written.method == "GET", context.at("method"), "a metric is served by GET");
    context.foreign("a metric's endpoint", &["not_found", "public", "answer", "status"], report);
    let metric = context.declared.metrics.iter().find(|metric| metric.name == name);
    match (paths::placeholders(context.base, &context.written.path), metric) {
        (Ok(names), Some(metric)) => metrics::path(&context.at("path"), &names, metric, report),
        (Ok(_), None) => {}
        (Err(why), _) => report.add(context.at("path"), why),
    }
}

fn job(context: &Context<'_>, name: String, checked: &mut Endpoint, report: &mut Report) {
    let (jobs, written) = (context.declared.jobs, context.written);
    report.known(context.at("operation.job"), "job", &name, jobs.iter().map(|job| job.name.as_str()));
    report.expect(written.method == "POST", context.at("method"), "a job is started by POST");
    context.foreign("the endpoint of a job", &["answer", "status"], report);
    no_placeholder(context, report);
    if let Some(job) = jobs.iter().find(|job| job.name == name && written.scope.is_none()) {
        checked.scope.clone_from(&job.scope);
    }
    (checked.operation, checked.jobs) = (Operation::Job, vec![name]);
}

fn job_status(context: &Context<'_>, names: Vec<String>, checked: &mut Endpoint, report: &mut Report) {
    let (jobs, written) = (context.declared.jobs, context.written);
    for (i, name) in names.iter().enumerate() {
        report.known(context.at(&format!("operation.jobs[{i}]")), "job", name, jobs.iter().map(|job| job.name.as_str()));
    }
    report.expect(written.method == "GET", context.at("method"), "a job is shown by GET");
    context.foreign("the endpoint of a job", &["not_found", "answer", "status"], report);
    match paths::placeholders(context.base, &written.path) {
        Ok(placeholders) => {
            report.expect(placeholders.len() == 1, context.at("path"), "must name the job by one placeholder such as {id}");
        }
        Err(why) => report.add(context.at("path"), why),
    }
    let mut shown = jobs.iter().filter(|job| names.is_empty() || names.contains(&job.name));
    if let (None, Some(job)) = (&written.scope, shown.next())
        && shown.all(|other| other.read_scope == job.read_scope)
    {
        checked.scope.clone_from(&job.read_scope);
    }
    (checked.operation, checked.jobs) = (Operation::JobStatus, names);
}

fn no_placeholder(context: &Context<'_>, report: &mut Report) {
    match paths::placeholders(context.base, &context.written.path) {
        Ok(names) => {
            report.expect(names.is_empty(), context.at("path"), "must not have a placeholder");
        }
        Err(why) => report.add(context.at("path"), why),
    }
}

/// Two endpoints that answer the same requests, or paths of one shape that name the placeholder differently (which no router accepts).
fn collisions(endpoints: &[form::Endpoint], base: &str, report: &mut Report) {
    let mut shapes: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, endpoint) in endpoints.iter().enumerate() {
        let own = if endpoint.public { "/public/{}" } else { endpoint.base.as_deref().unwrap_or(base) };
        let others = shapes.entry(format!("{own}{}", paths::shape(&endpoint.path))).or_default();
        let same = others.iter().find(|other| proxied::same_method(&endpoints[**other].method, &endpoint.method));
        if let Some(same) = same {
            report.add(
                format!("endpoints[{i}].path"),
                format!("{} {} is declared already by endpoints[{same}]", endpoint.method, endpoint.path),
            );
        } else if let Some(first) = others.first().filter(|first| endpoints[**first].path != endpoint.path) {
            let path = &endpoints[*first].path;
            report.add(format!("endpoints[{i}].path"), format!("has the same shape as {path}; give the placeholder the same name"));
        }
        others.push(i);
    }
}
