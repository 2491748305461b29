//! Faults of declared metrics, each a small change of one good file.

use blueprint::model::{Aggregate, Bucket};
use blueprint::parse;

use crate::cases::{changed, said};

const GOOD: &str = r#"
name = "small"
default_tier = "basic"

[product]
title = "Small"

[[scopes]]
name = "calls:read"

[[tiers]]
name = "basic"

[[resources]]
name = "agent"
plural = "agents"
schema = { type = "object", properties = { name = { type = "string" } } }

[[resources]]
name = "call"
plural = "calls"
[resources.schema]
type = "object"
[resources.schema.properties]
status = { enum = ["open", "done"] }
agentId = { type = "string" }
cost = { type = ["number", "null"] }
seconds = { type = "integer" }
at = { type = "string", format = "date" }
tags = { type = "array", items = { type = "string" } }
analysis = { type = "object", additionalProperties = false, properties = { score = { type = "number" } } }
more = { type = "object" }

[[metrics]]
name = "figures"
resource = "call"
time = "at"
timezone = "Europe/Berlin"
where = { status = ["open", "done"] }
filters = ["agentId"]
periods = ["7d", "30d"]
default_period = "7d"
[metrics.series]
bucket = "day"
buckets = ["week"]
label = "{from}"
[[metrics.figures]]
name = "calls"
of = "count"
[[metrics.figures]]
name = "score"
of = "avg"
field = "analysis.score"
[[metrics.figures]]
name = "rate"
of = "ratio"
figures = ["score", "calls"]
[[metrics.figures]]
name = "tags"
of = "count"
by = "tags"
in = "totals"

[[metrics]]
name = "performance"
resource = "call"
subject = { field = "agentId", resource = "agent" }
figures = [{ name = "calls", of = "count" }]

[[endpoints]]
method = "GET"
path = "/figures"
operation = { type = "metric", metric = "figures" }
scope = "calls:read"

[[endpoints]]
method = "GET"
path = "/agents/{id}/performance"
operation = { type = "metric", metric = "performance" }
scope = "calls:read"
"#;

/// What is replaced, by what, and how the faults begin (without their lines).
const CASES: &[(&str, &str, &[&str])] = &[
    (
        "resource = \"call\"\ntime",
        "resource = \"cal\"\ntime",
        &[
            "metrics[0].resource: there is no resource \"cal\"; did you mean call?",
            "endpoints[0].operation.metric: there is no metric \"figures\"",
        ],
    ),
    ("time = \"at\"", "time = \"cost\"", &["metrics[0].time: must be a text that may hold a time or a date"]),
    ("time = \"at\"", "time = \"agentid\"", &["metrics[0].time: the schema of call has no member \"agentid\"; did you mean agentId?"]),
    ("Europe/Berlin", "Europa/Berlin", &["metrics[0].timezone: there is no time zone \"Europa/Berlin\""]),
    (
        "[\"open\", \"done\"] }\nfilters",
        "[\"opne\"] }\nfilters",
        &["metrics[0].where.status: the schema of status does not allow \"opne\"; did you mean open?"],
    ),
    ("filters = [\"agentId\"]", "filters = [\"tags\"]", &["metrics[0].filters[0]: must be a text, a number or a truth value"]),
    ("filters = [\"agentId\"]", "filters = [\"agent\"]", &["metrics[0].filters[0]: the schema of call has no member \"agent\""]),
    ("periods = [\"7d\", \"30d\"]", "periods = [\"7days\", \"30d\"]", &["metrics[0].periods[0]: is a number and h, d, w, m or y"]),
    ("default_period = \"7d\"", "default_period = \"8d\"", &["metrics[0].default_period: is not one of periods"]),
    ("default_period = \"7d\"", "default_period = \"7d\"\nmax_days = 10", &["metrics[0].max_days: is shorter than a period that is named"]),
    ("bucket = \"day\"", "bucket = \"dya\"", &["metrics[0].series.bucket: \"dya\" is not one of the choices; did you mean day?"]),
    ("label = \"{from}\"", "label = \"{to}\"", &["metrics[0].series.label: must contain {from}"]),
    ("buckets = [\"week\"]", "buckets = [\"hour\"]", &["metrics[0].series.label: tells days"]),
    (
        "field = \"analysis.score\"",
        "field = \"analysis.scroe\"",
        &["metrics[0].figures[1].field: the schema of call has no member \"analysis.scroe\"; did you mean score?"],
    ),
    ("field = \"analysis.score\"", "field = \"agentId\"", &["metrics[0].figures[1].field: must be a number to be computed with"]),
    ("field = \"analysis.score\"\n", "", &["metrics[0].figures[1]: field is missing"]),
    ("of = \"avg\"", "of = \"average\"", &["metrics[0].figures[1].of: \"average\" is not one of the choices"]),
    (
        "[\"score\", \"calls\"]",
        "[\"score\", \"call\"]",
        &["metrics[0].figures[2].figures[1]: there is no figure \"call\"; did you mean calls?"],
    ),
    ("[\"score\", \"calls\"]", "[\"score\", \"tags\"]", &["metrics[0].figures[2].figures[1]: must be a single figure"]),
    ("[\"score\", \"calls\"]", "[\"score\"]", &["metrics[0].figures[2].figures: must name two figures"]),
    ("in = \"totals\"", "in = \"both\"", &["metrics[0].figures[3].by: has any number of values: say in = \"totals\""]),
    ("name = \"tags\"\n", "name = \"series\"\n", &["metrics[0].figures[3].name: is taken"]),
    ("name = \"tags\"\n", "name = \"calls\"\n", &["metrics[0].figures[3].name: this figure is declared twice"]),
    (
        "name = \"performance\"\n",
        "name = \"figures\"\n",
        &["metrics[1].name: this metric is declared twice", "endpoints[1].operation.metric: there is no metric \"performance\""],
    ),
    (
        "metric = \"figures\" }",
        "metric = \"figure\" }",
        &["endpoints[0].operation.metric: there is no metric \"figure\"; did you mean figures?"],
    ),
    ("path = \"/figures\"", "path = \"/figures/{id}\"", &["endpoints[0].path: must not have a placeholder, for figures has no subject"]),
    (
        "/agents/{id}/performance",
        "/agents/performance",
        &["endpoints[1].path: must name the agentId by a placeholder such as {id}, for performance has a subject"],
    ),
    (
        "resource = \"agent\" }",
        "resource = \"agnet\" }",
        &["metrics[1].subject.resource: there is no resource \"agnet\"; did you mean agent?"],
    ),
];

#[test]
fn every_fault_of_a_metric_has_its_line_and_a_suggestion() {
    let mut wrong = Vec::new();
    for (good, bad, expected) in CASES {
        let shown = said(&changed(GOOD, good, bad));
        if shown.len() != expected.len() || shown.iter().zip(*expected).any(|(fault, expected)| !fault.starts_with(expected)) {
            wrong.push(format!("{bad}: {shown:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_metric_is_read_with_its_defaults() {
    let small = parse(GOOD, "test").unwrap();
    let metric = small.metric("figures").unwrap();
    let series = metric.series.as_ref().unwrap();
    assert_eq!((series.buckets.as_slice(), metric.max_days), ([Bucket::Day, Bucket::Week].as_slice(), 366));
    assert_eq!((&metric.figures[1].of, metric.figures[1].decimals), (&Aggregate::Avg("analysis.score".to_owned()), 2));
    assert!(metric.figures[3].by.as_ref().unwrap().list && !metric.figures[3].in_series);
    let performance = small.metric("performance").unwrap();
    assert_eq!((performance.default_period.to_string(), performance.timezone.as_str()), ("30d".to_owned(), "UTC"));
}
