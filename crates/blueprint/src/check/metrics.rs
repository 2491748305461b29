//! Declared metrics: everything that a figure refers to is a member of its resource, of a type that it can be computed from.

use std::collections::BTreeMap;

use serde_json::Value;

use super::report::{Report, is_word};
use crate::file::metrics as written;
use crate::model::{Bucket, Condition, Metric, MetricAnswer, MetricSubject, Resource, Series, Span};

mod fields;
mod figures;

use fields::Fields;

/// Query parameters of every metric, which no filter can be called.
const QUERY: &[&str] = &["period", "from", "to", "bucket", "timezone", "limit"];
/// Members of the answer that no figure can be called.
const TAKEN: &[&str] = &["period", "series", "success", "data", "from", "to"];
const DEFAULT_MAX_DAYS: u32 = 366;
const MAX_DAYS: u32 = 36_600;
const MAX_BUCKETS: u32 = 1000;
const MAX_FIGURES: usize = 40;

pub(super) fn check(metrics: Vec<written::Metric>, resources: &[Resource], report: &mut Report) -> Vec<Metric> {
    report.distinct("metric", metrics.iter().map(|metric| &metric.name), |i| format!("metrics[{i}].name"));
    metrics.into_iter().enumerate().filter_map(|(i, metric)| one(&format!("metrics[{i}]"), metric, resources, report)).collect()
}

/// What the path of a metric's endpoint names: the metric's subject, if it has one.
pub(super) fn path(place: &str, names: &[&str], metric: &Metric, report: &mut Report) {
    let name = &metric.name;
    let why = match &metric.subject {
        Some(subject) => format!("must name the {} by a placeholder such as {{id}}, for {name} has a subject", subject.field),
        None => format!("must not have a placeholder, for {name} has no subject"),
    };
    report.expect(names.len() == usize::from(metric.subject.is_some()), place, why);
}

fn one(place: &str, metric: written::Metric, resources: &[Resource], report: &mut Report) -> Option<Metric> {
    let at = |name: &str| format!("{place}.{name}");
    report.expect(is_word(&metric.name), at("name"), "must be lower-case letters, digits, - and _, first a letter");
    report.prose(at("description"), &metric.description, 0, 500);
    let known = report.known(at("resource"), "resource", &metric.resource, resources.iter().map(|resource| resource.name.as_str()));
    let resource = resources.iter().find(|resource| resource.name == metric.resource).filter(|_| known)?;
    let fields = Fields { resource };
    let time = metric.time.filter(|name| *name != resource.created_field);
    if let Some(name) = &time {
        fields.time(&at("time"), name, report);
    }
    let subject = metric.subject.map(|subject| self::subject(&at("subject"), subject, &fields, resources, report));
    let only = conditions(&at("where"), metric.only, &fields, report);
    filters(place, &metric.filters, &fields, report);
    let (default_period, periods, max_days) = period(place, metric.default_period, &metric.periods, metric.max_days, report);
    let series = metric.series.map(|series| self::series(&at("series"), series, report));
    let answer = match metric.answer {
        written::Answer::Totals => MetricAnswer::Totals,
        written::Answer::Series => MetricAnswer::Series,
    };
    let has = answer == MetricAnswer::Totals || series.is_some();
    report.expect(has, at("answer"), "is the series, and there is none: add [metrics.series]");
    let figures = figures::check(place, metric.figures, &fields, series.is_some(), report);
    let timezone = timezone(&at("timezone"), metric.timezone, report);
    let metric = Metric {
        name: metric.name,
        description: metric.description,
        resource: metric.resource,
        time,
        timezone,
        subject,
        only,
        filters: metric.filters,
        default_period,
        periods,
        max_days,
        answer,
        series,
        figures,
    };
    for (what, count, most) in [
        ("members that filters, conditions and groups look at", metric.labels().len(), Metric::MAX_LABELS),
        ("members that figures compute with", metric.measures().len(), Metric::MAX_MEASURES),
    ] {
        report.expect(count <= most, place, format!("has {count} {what}; {most} are allowed. Make two metrics of it"));
    }
    Some(metric)
}

fn subject(place: &str, subject: written::Subject, fields: &Fields<'_>, resources: &[Resource], report: &mut Report) -> MetricSubject {
    fields.single(&format!("{place}.field"), &subject.field, report);
    if let Some(name) = &subject.resource {
        report.known(format!("{place}.resource"), "resource", name, resources.iter().map(|resource| resource.name.as_str()));
    }
    MetricSubject { field: subject.field, resource: subject.resource }
}

fn filters(place: &str, filters: &[String], fields: &Fields<'_>, report: &mut Report) {
    let at = |i: usize| format!("{place}.filters[{i}]");
    for (i, name) in filters.iter().enumerate() {
        fields.single(&at(i), name, report);
        report.expect(!QUERY.contains(&name.as_str()), at(i), "is taken: metrics use it themselves");
    }
    report.distinct("filter", filters, at);
}

/// `{ status = "won" }` or `{ status = ["won", "lost"] }`.
fn conditions(place: &str, only: BTreeMap<String, Value>, fields: &Fields<'_>, report: &mut Report) -> Vec<Condition> {
    let one = |(field, value): (String, Value)| {
        let place = format!("{place}.{field}");
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };
        report.expect((1..=100).contains(&values.len()), &place, "must have 1 to 100 values");
        if fields.single(&place, &field, report) {
            values.iter().for_each(|value| fields.accepts(&place, &field, value, report));
        }
        Condition { field, values }
    };
    only.into_iter().map(one).collect()
}

fn period(place: &str, default: Option<String>, names: &[String], max_days: Option<u32>, report: &mut Report) -> (Span, Vec<Span>, u32) {
    let mut read = |at: String, text: &str| {
        let span = Span::parse(text);
        report.expect(span.is_some(), at, "is a number and h, d, w, m or y: 12h, 7d, 4w, 6m, 1y");
        span.unwrap_or(Span { count: 30, unit: crate::model::SpanUnit::Day })
    };
    let periods: Vec<Span> = names.iter().enumerate().map(|(i, text)| read(format!("{place}.periods[{i}]"), text)).collect();
    let month = || periods.first().map_or_else(|| "30d".to_owned(), ToString::to_string);
    let default = read(format!("{place}.default_period"), &default.unwrap_or_else(month));
    let readable = names.iter().all(|name| Span::parse(name).is_some());
    let listed = !readable || periods.is_empty() || periods.contains(&default);
    report.expect(listed, format!("{place}.default_period"), "is not one of periods");
    report.distinct("period", names, |i| format!("{place}.periods[{i}]"));
    let longest = periods.iter().chain([&default]).map(|span| span.days()).max().unwrap_or_default();
    let max_days = max_days.unwrap_or_else(|| longest.max(DEFAULT_MAX_DAYS));
    let at = format!("{place}.max_days");
    report.expect((1..=MAX_DAYS).contains(&max_days), &at, format!("must be 1 to {MAX_DAYS}"));
    report.expect(longest <= max_days, at, format!("is shorter than a period that is named, which has up to {longest} days"));
    (default, periods, max_days)
}

fn series(place: &str, series: written::Series, report: &mut Report) -> Series {
    let bucket = bucket(series.bucket);
    let mut buckets: Vec<Bucket> = series.buckets.iter().copied().map(self::bucket).collect();
    if !buckets.contains(&bucket) {
        buckets.push(bucket);
    }
    buckets.sort_by_key(|bucket| Bucket::ALL.iter().position(|one| one == bucket));
    report.distinct("bucket", series.buckets.iter().map(|bucket| *bucket as usize), |i| format!("{place}.buckets[{i}]"));
    let limit = series.limit.is_none_or(|limit| (1..=MAX_BUCKETS).contains(&limit));
    report.expect(limit, format!("{place}.limit"), format!("must be 1 to {MAX_BUCKETS}"));
    if let Some(label) = &series.label {
        let at = format!("{place}.label");
        report.prose(&at, label, 1, 100);
        report.expect(label.contains("{from}"), &at, "must contain {from}, or every bucket looks the same");
        let rest = label.replace("{from}", "").replace("{to}", "");
        report.expect(!rest.contains(['{', '}']), &at, "has no other placeholders than {from} and {to}");
        let hours = buckets.contains(&Bucket::Hour);
        report.expect(!hours, &at, "tells days: hours need the members from and to, which a series without a label has");
    }
    Series {
        bucket,
        buckets,
        newest_first: matches!(series.order, written::Order::Newest),
        empty: series.empty.unwrap_or(true),
        limit: series.limit,
        label: series.label,
    }
}

/// A period of time, as the model has it.
pub(super) fn bucket(bucket: written::Bucket) -> Bucket {
    match bucket {
        written::Bucket::Hour => Bucket::Hour,
        written::Bucket::Day => Bucket::Day,
        written::Bucket::Week => Bucket::Week,
        written::Bucket::Month => Bucket::Month,
        written::Bucket::Quarter => Bucket::Quarter,
        written::Bucket::Year => Bucket::Year,
    }
}

fn timezone(place: &str, name: Option<String>, report: &mut Report) -> String {
    let name = name.unwrap_or_else(|| "UTC".to_owned());
    if jiff::tz::TimeZone::get(&name).is_err() {
        let near = name.rsplit('/').next().unwrap_or(&name).to_ascii_lowercase();
        let db = jiff::tz::db();
        let mut known = db.available().map(|zone| zone.as_str().to_owned());
        let suggestion = known.find(|zone| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&near)));
        let fault = crate::Fault::new(place, format!("there is no time zone {name:?}; write one of the IANA's, such as Europe/Berlin"));
        report.faults.push(crate::Fault { suggestion, ..fault });
    }
    name
}
