//! Declared metrics: figures, series, subjects, and what changes of records do to them.

use std::time::Duration;

use blueprint::Blueprint;
use kernel::{Kind, TenantScope};
use records::{MetricQuery, NewRecord, Record, RecordRef, Records};
use serde_json::{Value, json};

use crate::bed::{Bed, members, open, pointers};

const CALLS: &str = r#"
name = "calls"
default_tier = "basic"
[product]
title = "Calls"
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
agentId = { type = ["string", "null"] }
status = { enum = ["done", "failed", "open"], default = "open" }
carrier = { type = ["string", "null"] }
cost = { type = ["number", "null"] }
seconds = { type = ["integer", "null"] }
calledAt = { type = ["string", "null"] }
test = { type = "boolean", default = false }
topics = { type = "array", items = { type = "string" } }
analysis = { type = "object", properties = { score = { type = "number" } } }

[[metrics]]
name = "calls"
resource = "call"
where = { test = false }
filters = ["agentId", "seconds"]
periods = ["7d", "30d", "1y"]
max_days = 400
[metrics.series]
bucket = "day"
buckets = ["hour", "month"]
[[metrics.figures]]
name = "total"
of = "count"
[[metrics.figures]]
name = "done"
of = "count"
where = { status = ["done"] }
[[metrics.figures]]
name = "cost"
of = "sum"
field = "cost"
empty = 0
[[metrics.figures]]
name = "shortest"
of = "min"
field = "seconds"
[[metrics.figures]]
name = "longest"
of = "max"
field = "seconds"
where = { status = "done" }
[[metrics.figures]]
name = "score"
of = "avg"
field = "analysis.score"
[[metrics.figures]]
name = "rate"
of = "ratio"
figures = ["done", "total"]
decimals = 3
[[metrics.figures]]
name = "byStatus"
of = "count"
by = "status"
[[metrics.figures]]
name = "costByCarrier"
of = "sum"
field = "cost"
by = "carrier"
top = 2
in = "totals"
[[metrics.figures]]
name = "topics"
of = "count"
by = "topics"
in = "totals"

[[metrics]]
name = "performance"
resource = "call"
time = "calledAt"
timezone = "America/New_York"
subject = { field = "agentId", resource = "agent" }
default_period = "30d"
[metrics.series]
bucket = "week"
[[metrics.figures]]
name = "calls"
of = "count"

[[metrics]]
name = "history"
resource = "call"
time = "calledAt"
default_period = "5y"
answer = "series"
[metrics.series]
bucket = "quarter"
order = "newest"
empty = false
limit = 2
label = "{from} to {to}"
[[metrics.figures]]
name = "score"
of = "avg"
field = "analysis.score"
decimals = 0
"#;

fn calls() -> Blueprint {
    blueprint::parse(CALLS, "calls").unwrap()
}

/// Everything of it anew: what was declared for `bed` is another blueprint.
async fn ready(bed: &Bed, blueprint: &Blueprint) -> std::sync::Arc<Records> {
    let records = open(&bed.store, &bed.ambient, &bed.planner, blueprint);
    records.prepare().await.unwrap();
    records
}

async fn create(records: &Records, scope: &TenantScope, kind: &str, document: Value) -> Record {
    records.create(scope, kind, NewRecord { document: members(document), ..NewRecord::default() }).await.unwrap()
}

async fn totals(records: &Records, scope: &TenantScope, query: MetricQuery) -> Value {
    Value::Object(records.measure(scope, "calls", query).await.unwrap().totals)
}

fn filtered(member: &str, value: &str) -> MetricQuery {
    MetricQuery { filters: vec![(member.into(), value.into())], ..MetricQuery::default() }
}

testkit::engines! {
    async fn figures_are_those_of_the_records(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        let empty = totals(&records, &scope, MetricQuery::default()).await;
        assert_eq!(
            empty,
            json!({"total": 0, "done": 0, "cost": 0, "shortest": null, "longest": null, "score": null, "rate": null,
                   "byStatus": {"done": 0, "failed": 0, "open": 0}, "costByCarrier": {}, "topics": {}})
        );
        for i in 0..10 {
            let carrier = ["a", "b", "b", "c", "c", "c", "a", "b", "c", "c"][i];
            let status = if i < 4 { "done" } else { "open" };
            let call = json!({"agentId": "x", "status": status, "carrier": carrier, "cost": 0.1, "seconds": i as i64 * 7 - 7,
                              "topics": ["price", "price", carrier], "analysis": {"score": 70.0 + i as f64 / 3.0}});
            create(&records, &scope, "call", call).await;
        }
        create(&records, &scope, "call", json!({"test": true, "cost": 1000, "seconds": -1000})).await;
        create(&records, &scope, "call", json!({"carrier": "d", "cost": 19.99, "agentId": "y"})).await;
        create(&records, &bed.stranger(), "call", json!({"cost": 5, "seconds": 9000})).await;
        let all = totals(&records, &scope, MetricQuery::default()).await;
        assert_eq!(
            all,
            json!({"total": 11, "done": 4, "cost": 20.99, "shortest": -7, "longest": 14, "score": 71.5, "rate": 0.364,
                   "byStatus": {"done": 4, "failed": 0, "open": 7}, "costByCarrier": {"c": 0.5, "b": 0.3},
                   "topics": {"price": 10, "c": 5, "b": 3, "a": 2}})
        );
        assert_eq!(totals(&records, &scope, filtered("agentId", "y")).await["cost"], json!(19.99));
        assert_eq!(totals(&records, &scope, filtered("agentId", "x")).await["cost"], json!(1), "ten tenths are one");
        assert_eq!(totals(&records, &scope, filtered("seconds", "14")).await["total"], json!(1));
        assert_eq!(totals(&records, &scope, filtered("seconds", "no number")).await["total"], json!(0));
    }

    /// A million of them would not drift either: the largest numbers that are kept are added up exactly.
    async fn large_sums_are_exact(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        for cost in [9_000_000_000_000.25, 9_000_000_000_000.5, 0.1, 1e300] {
            create(&records, &scope, "call", json!({"cost": cost, "seconds": i64::MAX})).await;
        }
        let all = totals(&records, &scope, MetricQuery::default()).await;
        assert_eq!((&all["cost"], &all["longest"], &all["shortest"]), (&json!(18_000_000_000_000.85), &Value::Null, &json!(i64::MAX)));
    }

    async fn figures_follow_changes_and_deletions(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        let call = create(&records, &scope, "call", json!({"cost": 3, "status": "open", "topics": ["a", "b"]})).await;
        let reference = || RecordRef::Id(call.id);
        let change = |document: Value| records.update(&scope, "call", reference(), members(document), None);
        change(json!({"cost": 4, "status": "done", "topics": ["b"]})).await.unwrap();
        let now = totals(&records, &scope, MetricQuery::default()).await;
        assert_eq!((&now["cost"], &now["byStatus"]["done"], &now["topics"]), (&json!(4), &json!(1), &json!({"b": 1})));
        change(json!({"test": true})).await.unwrap();
        assert_eq!(totals(&records, &scope, MetricQuery::default()).await["total"], json!(0), "it does not count any more");
        assert_eq!(bed.count("record_points WHERE metric = 'calls'").await, 0);
        change(json!({"test": false})).await.unwrap();
        records.delete(&scope, "call", reference()).await.unwrap();
        assert_eq!(bed.count("record_points").await, 0);
    }

    async fn a_series_tells_every_bucket_of_the_zone(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        // It is noon of 2026-01-31 (UTC).
        create(&records, &scope, "call", json!({"cost": 1, "status": "done"})).await;
        bed.clock.advance(Duration::from_secs(13 * 3600));
        create(&records, &scope, "call", json!({"cost": 2})).await;
        bed.clock.advance(Duration::from_secs(2 * 3600));
        let days = |zone: &str| MetricQuery { from: Some("2026-01-31".into()), timezone: Some(zone.into()), ..MetricQuery::default() };
        let series = |measured: records::Measurement| -> Vec<(String, Value, Value)> {
            let one = |bucket: Value| (bucket["from"].as_str().unwrap().to_owned(), bucket["total"].clone(), bucket["byStatus"]["done"].clone());
            measured.series.unwrap().into_iter().map(one).collect()
        };
        let utc = records.measure(&scope, "calls", days("UTC")).await.unwrap();
        assert_eq!((utc.totals["total"].clone(), utc.period.clone(), utc.timezone.as_str()), (json!(2), None, "UTC"));
        let expected = [("2026-01-31T00:00:00.000Z", 1, 1), ("2026-02-01T00:00:00.000Z", 1, 0)];
        assert_eq!(series(utc), expected.map(|(from, total, done)| (from.to_owned(), json!(total), json!(done))));
        // In Los Angeles both lie in the same day.
        let west = records.measure(&scope, "calls", days("America/Los_Angeles")).await.unwrap();
        assert_eq!(series(west), [("2026-01-31T08:00:00.000Z".to_owned(), json!(2), json!(1))]);
        let hours = MetricQuery { bucket: Some("hour".into()), limit: Some("3".into()), ..MetricQuery::default() };
        let hours = series(records.measure(&scope, "calls", hours).await.unwrap());
        let starts: Vec<&str> = hours.iter().map(|(from, ..)| &from[11..16]).collect();
        assert_eq!((starts, &hours[0].1), (vec!["01:00", "02:00", "03:00"], &json!(1)), "the newest, oldest first");
        assert_eq!(hours[1].1, json!(0));
    }

    async fn a_subject_sees_its_own(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        let document = members(json!({"name": "Ada"}));
        let ada = NewRecord { document, external_id: Some("ada-1".into()), ..NewRecord::default() };
        let ada = records.create(&scope, "agent", ada).await.unwrap();
        let other = create(&records, &scope, "agent", json!({"name": "Bob"})).await;
        for (agent, day) in [(ada.id.to_string(), "2026-01-20"), ("ada-1".into(), "2026-01-19T04:30:00Z"), (other.id.to_string(), "2026-01-20")] {
            create(&records, &scope, "call", json!({"agentId": agent, "calledAt": day})).await;
        }
        create(&records, &scope, "call", json!({"agentId": ada.id, "calledAt": "one day"})).await;
        let ask = |subject: String| MetricQuery { subject: Some(subject), ..MetricQuery::default() };
        for name in [ada.id.to_string(), "ext:ada-1".to_owned()] {
            let measured = records.measure(&scope, "performance", ask(name)).await.unwrap();
            assert_eq!(measured.totals["calls"], json!(2), "what names no time does not count");
            // Half past four in the morning (UTC) of Monday is Sunday in New York.
            let full: Vec<Value> = measured.series.unwrap().into_iter().filter(|bucket| bucket["calls"] == json!(1)).map(|bucket| bucket["from"].clone()).collect();
            assert_eq!(full, ["2026-01-12T05:00:00.000Z", "2026-01-19T05:00:00.000Z"]);
        }
        for (whose, name) in [(&scope, "rec_01jd3m9x7efd2v5k8q0r4tnwye".to_owned()), (&scope, "../x".into()), (&bed.stranger(), ada.id.to_string())] {
            let error = records.measure(whose, "performance", ask(name)).await.unwrap_err();
            assert_eq!((error.kind(), error.code()), (Kind::NotFound, "not_found"));
        }
    }

    async fn the_newest_periods_that_have_something(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        for (day, score) in [("2024-02-01", 40.0), ("2025-03-31", 70.4), ("2025-01-01", 71.0), ("2025-12-31", 90.5)] {
            create(&records, &scope, "call", json!({"calledAt": day, "analysis": {"score": score}})).await;
        }
        let history = records.measure(&scope, "history", MetricQuery::default()).await.unwrap();
        let expected = [json!({"period": "2025-10-01 to 2025-12-31", "score": 91}), json!({"period": "2025-01-01 to 2025-03-31", "score": 71})];
        assert_eq!(history.series.unwrap(), expected);
    }

    async fn what_cannot_be_answered_is_refused_by_name(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        let text = |text: &str| Some(text.to_owned());
        let none = MetricQuery::default;
        for (query, pointer) in [
            (MetricQuery { period: text("2d"), ..none() }, "/period"),
            (MetricQuery { period: text("7d"), from: text("2026-01-01"), ..none() }, "/from"),
            (MetricQuery { from: text("2026-01-31T11:00:00Z"), to: text("2026-01-31T10:00:00Z"), ..none() }, "/to"),
            (MetricQuery { from: text("2026-01-02"), to: text("2026-01-01"), ..none() }, "/to"),
            (MetricQuery { from: text("yesterday"), ..none() }, "/from"),
            (MetricQuery { from: text("2026-02-30"), ..none() }, "/from"),
            (MetricQuery { from: text("2020-01-01"), ..none() }, "/from"),
            (MetricQuery { bucket: text("fortnight"), ..none() }, "/bucket"),
            (MetricQuery { bucket: text("week"), ..none() }, "/bucket"),
            (MetricQuery { bucket: text("hour"), period: text("1y"), ..none() }, "/bucket"),
            (MetricQuery { timezone: text("Europe/Atlantis"), ..none() }, "/timezone"),
            (MetricQuery { timezone: text("../../etc/passwd"), ..none() }, "/timezone"),
            (MetricQuery { limit: text("0"), ..none() }, "/limit"),
            (filtered("cost", "1"), "/cost"),
            (filtered("agentId", "a\0"), "/agentId"),
        ] {
            let error = records.measure(&scope, "calls", query.clone()).await.unwrap_err();
            assert_eq!((error.kind(), pointers(&error)), (Kind::Invalid, vec![pointer]), "{query:?}");
        }
        assert_eq!(records.measure(&scope, "nothing", none()).await.unwrap_err().kind(), Kind::NotFound);
    }

    async fn more_records_than_may_be_looked_at_are_refused(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        for _ in 0..4 {
            create(&records, &scope, "call", json!({"topics": ["a", "b", "c"]})).await;
        }
        let most = |most| MetricQuery { most: Some(most), ..MetricQuery::default() };
        assert_eq!(records.measure(&scope, "calls", most(3)).await.unwrap_err().code(), "too_many_records");
        assert_eq!(records.measure(&scope, "calls", most(4)).await.unwrap_err().code(), "too_many_records", "items of lists count too");
        assert_eq!(totals(&records, &scope, most(12)).await["total"], json!(4));
    }

    /// Metrics that are declared later find the records that were there before, of every tenant; those that are gone leave nothing.
    async fn later_declarations_find_earlier_records(bed: Bed) {
        let none = blueprint::parse(&CALLS[..CALLS.find("[[metrics]]").unwrap()], "calls").unwrap();
        let (before, stranger) = (ready(&bed, &none).await, bed.stranger());
        for n in 0..203 {
            create(&before, &bed.scope(), "call", json!({"cost": n})).await;
        }
        create(&before, &stranger, "call", json!({"cost": 7})).await;
        let records = ready(&bed, &calls()).await;
        assert_eq!(totals(&records, &bed.scope(), MetricQuery::default()).await["total"], json!(203));
        assert_eq!(totals(&records, &stranger, MetricQuery::default()).await["cost"], json!(7));
        let other = blueprint::parse(&CALLS.replace("where = { test = false }", "where = { test = true }"), "calls").unwrap();
        let records = ready(&bed, &other).await;
        assert_eq!(totals(&records, &stranger, MetricQuery::default()).await["total"], json!(0));
        ready(&bed, &none).await;
        assert_eq!(bed.count("record_points").await + bed.count("metric_declarations").await, 0);
    }

    async fn what_is_forgotten_counts_no_more(bed: Bed) {
        let (records, scope) = (ready(&bed, &calls()).await, bed.scope());
        create(&records, &scope, "call", json!({"cost": 1, "topics": ["a"]})).await;
        let tenant = bed.tenant;
        let purge = move |tx: &mut store::Tx<'_>| records::purge_some(tx, tenant, 10);
        assert_eq!(bed.store.write(kernel::Scope::system("test"), purge).await.unwrap(), 1);
        assert_eq!(bed.count("record_points").await, 0);
    }
}
