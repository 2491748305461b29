//! Runs: what was lost and what never was, queued in steps.

use std::time::Duration;

use kernel::{Kind, PageRequest, Timestamp};
use serde_json::{Value, json};
use testkit::receiver::{Answer, Receiver};
use webhooks::{Change, Progress, Replay, Started};

use crate::bed::{Bed, SOON};

fn from_json<T: serde::de::DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}

fn begun(started: Started) -> Replay {
    match started {
        Started::Run(run) => *run,
        Started::Counted { .. } => panic!("{started:?} did not begin"),
    }
}

fn counted(started: &Started) -> (u64, bool) {
    match started {
        Started::Counted { total, total_is_exact, .. } => (*total, *total_is_exact),
        Started::Run(run) => panic!("{run:?} began"),
    }
}

async fn finished(bed: &Bed, run: &Replay) -> Replay {
    testkit::wait::until("the run to end", SOON, async || {
        let now = bed.webhooks.replay(&bed.caller(), run.id).await.unwrap();
        (now.status != Progress::Running).then_some(now)
    })
    .await
}

async fn rows(bed: &Bed, sql: &'static str) -> i64 {
    bed.store.read(kernel::Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap()
}

async fn failed(bed: &Bed, count: i64) {
    let all = || async { (rows(bed, "SELECT COUNT(*) FROM deliveries WHERE status = 'failed'").await == count).then_some(()) };
    testkit::wait::until("the deliveries to fail", SOON, all).await;
}

fn long_ago() -> Timestamp {
    Timestamp::parse("2020-01-01T00:00:00Z").unwrap()
}

testkit::engines! {
    /// What failed since some time arrives after all, in steps, each once; a dry run says so before and queues nothing.
    async fn recover_queues_what_failed(bed: Bed) {
        let receiver = Receiver::start();
        receiver.answer(Answer::status(500));
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["*"], "retryConfig": {"maxRetries": 0}})).await.unwrap();
        for n in 0..5 {
            bed.publish("lead.created", json!({"id": format!("e{n}")})).await;
        }
        failed(&bed, 5).await;
        let since = json!({"since": long_ago()});
        let dry: webhooks::Recover = from_json(json!({"since": long_ago(), "dryRun": true}));
        assert_eq!(counted(&bed.webhooks.recover(&bed.caller(), made.id.into(), dry).await.unwrap()), (5, true));
        assert_eq!(bed.webhooks.replays(&bed.caller(), PageRequest::default()).await.unwrap().data, []);
        receiver.answer(Answer::status(204));
        let run = begun(bed.webhooks.recover(&bed.caller(), made.id.into(), from_json(since.clone())).await.unwrap());
        let end = finished(&bed, &run).await;
        assert_eq!((end.status, end.total, end.done, end.passed_over), (Progress::Done, 5, 5, 0));
        receiver.wait_for(10, SOON).await;
        let all = || async { (rows(&bed, "SELECT COUNT(*) FROM deliveries WHERE status = 'delivered'").await == 5).then_some(()) };
        testkit::wait::until("all to arrive", SOON, all).await;
        let again = begun(bed.webhooks.recover(&bed.caller(), made.id.into(), from_json(since.clone())).await.unwrap());
        assert_eq!(finished(&bed, &again).await.done, 0, "nothing is lost any more");
        assert_eq!(bed.webhooks.replays(&bed.caller(), PageRequest::default()).await.unwrap().data.len(), 2);
        for error in [
            bed.webhooks.recover(&bed.stranger, made.id.into(), from_json(since.clone())).await.unwrap_err(),
            bed.webhooks.replay(&bed.stranger, run.id).await.unwrap_err(),
            bed.webhooks.cancel_replay(&bed.stranger, run.id).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::NotFound);
        }
        let late: webhooks::Recover = from_json(json!({"since": bed.ambient.now().plus(Duration::from_hours(1))}));
        assert_eq!(bed.webhooks.recover(&bed.caller(), made.id.into(), late).await.unwrap_err().fields()[0].pointer, "/until");
        bed.webhooks.set_state(&bed.caller(), made.id.into(), Change::Disable).await.unwrap();
        assert_eq!(bed.webhooks.recover(&bed.caller(), made.id.into(), from_json(since)).await.unwrap_err().code(), "webhook_disabled");
        assert!(bed.audited().await.contains(&"replay.create".to_owned()));
    }

    /// Events from before the webhook, and from while it was disabled, get a delivery each; two runs at once make one between them.
    async fn what_never_was_is_made_once(bed: Bed) {
        let receiver = Receiver::start();
        for n in 0..4 {
            bed.publish(if n % 2 == 0 { "lead.created" } else { "lead.updated" }, json!({"id": format!("before{n}")})).await;
        }
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["lead.created"]})).await.unwrap();
        bed.publish("lead.created", json!({"id": "live"})).await;
        // A webhook that is disabled loses what waits for it: this one is to arrive.
        receiver.wait_for(1, SOON).await;
        bed.webhooks.set_state(&bed.caller(), made.id.into(), Change::Disable).await.unwrap();
        bed.publish("lead.created", json!({"id": "meanwhile"})).await;
        bed.webhooks.set_state(&bed.caller(), made.id.into(), Change::Enable).await.unwrap();
        let from = json!({"from": long_ago()});
        let dry: webhooks::Missing = from_json(json!({"from": long_ago(), "dryRun": true}));
        assert_eq!(counted(&bed.webhooks.replay_missing(&bed.caller(), made.id.into(), dry.clone()).await.unwrap()), (3, true));
        let mut runs = Vec::new();
        for _ in 0..3 {
            runs.push(begun(bed.webhooks.replay_missing(&bed.caller(), made.id.into(), from_json(from.clone())).await.unwrap()));
        }
        let mut done = 0;
        for run in &runs {
            let end = finished(&bed, run).await;
            assert_eq!(end.status, Progress::Done);
            done += end.done;
        }
        assert_eq!(done, 3);
        let mut got: Vec<String> =
            receiver.wait_for(4, SOON).await.iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect();
        got.sort();
        assert_eq!(got, ["before0", "before2", "live", "meanwhile"]);
        assert_eq!(rows(&bed, "SELECT COUNT(*) FROM deliveries").await + rows(&bed, "SELECT COUNT(*) FROM queue").await, 4);
        assert_eq!(counted(&bed.webhooks.replay_missing(&bed.caller(), made.id.into(), dry).await.unwrap()), (0, true));
    }

    /// A run that a server left when it died goes on from the place that it had reached: all that is known of it stands in its row.
    async fn a_run_that_was_left_goes_on_from_its_place(bed: Bed) {
        let receiver = Receiver::start();
        for n in 0..6 {
            bed.publish("lead.created", json!({"id": format!("e{n}")})).await;
        }
        let third = bed.events.get(&bed.caller(), "e2".parse().unwrap()).await.unwrap();
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["lead.created"]})).await.unwrap();
        let id: kernel::ReplayId = bed.ambient.id();
        let query = json!({"webhookId": made.id, "from": long_ago(), "to": bed.ambient.now()}).to_string();
        let place = format!("{}.{}", third.created_at.millis(), third.id);
        let (tenant, now) = (bed.tenant, bed.ambient.now());
        let left = move |tx: &mut store::Tx<'_>| {
            tx.exec(
                "INSERT INTO replays (id, tenant_id, webhook_id, kind, query, status, total, total_is_exact, done, passed_over, place, next_at, \
                 created_at, updated_at) VALUES (?1, ?2, ?3, 'missing', ?4, 'running', 6, 1, 3, 0, ?5, ?6, ?6, ?6)",
                &[id.into(), tenant.into(), made.id.into(), query.into(), place.into(), now.into()],
            )
        };
        bed.store.write(kernel::Scope::system("test"), left).await.unwrap();
        let ended = testkit::wait::until("the run to end", SOON, async || {
            let now = bed.webhooks.replay(&bed.caller(), id).await.unwrap();
            (now.status != Progress::Running).then_some(now)
        });
        let ended = ended.await;
        assert_eq!((ended.status, ended.done, ended.total), (Progress::Done, 6, 6));
        let mut got: Vec<String> =
            receiver.wait_for(3, SOON).await.iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect();
        got.sort();
        assert_eq!(got, ["e3", "e4", "e5"]);
    }

    /// A run waits while its destination has enough to do, and can be cancelled; another one makes the rest, and only the rest.
    async fn a_run_waits_and_can_be_cancelled(bed: Bed) {
        let receiver = Receiver::start();
        for chunk in 0..5 {
            let events: Vec<Value> = (0..200).map(|n| json!({"type": "lead.created", "id": format!("e{chunk}-{n}"), "data": {"leadId": "1"}})).collect();
            let batch = serde_json::from_str(&json!({"events": events}).to_string()).unwrap();
            bed.events.publish_batch(&bed.caller(), batch).await.unwrap();
        }
        let made = bed.create(json!({"url": receiver.url("/"), "events": ["lead.created"]})).await.unwrap();
        bed.webhooks.set_state(&bed.caller(), made.id.into(), Change::Pause).await.unwrap();
        let from = || from_json(json!({"from": long_ago()}));
        let run = begun(bed.webhooks.replay_missing(&bed.caller(), made.id.into(), from()).await.unwrap());
        let waits = testkit::wait::until("the run to have queued enough", SOON, async || {
            let now = bed.webhooks.replay(&bed.caller(), run.id).await.unwrap();
            (now.done >= 400).then_some(now)
        });
        let now = waits.await;
        assert_eq!((now.status, now.total), (Progress::Running, 1000));
        assert!(now.done < 1000, "it does not queue everything at once: {now:?}");
        let cancelled = bed.webhooks.cancel_replay(&bed.caller(), run.id).await.unwrap();
        assert_eq!((cancelled.status, bed.webhooks.cancel_replay(&bed.caller(), run.id).await.unwrap().status), (Progress::Cancelled, Progress::Cancelled));
        let second = begun(bed.webhooks.replay_missing(&bed.caller(), made.id.into(), from()).await.unwrap());
        bed.webhooks.set_state(&bed.caller(), made.id.into(), Change::Resume).await.unwrap();
        let end = finished(&bed, &second).await;
        assert_eq!((end.status, end.done + cancelled.done), (Progress::Done, 1000));
        let all = || async { (rows(&bed, "SELECT COUNT(*) FROM deliveries WHERE status = 'delivered'").await == 1000).then_some(()) };
        testkit::wait::until("all to arrive", SOON, all).await;
        assert_eq!(receiver.count(), 1000, "each once");
    }

    /// By filter; and one event, to whom it concerns or to whom one names.
    async fn retries_by_filter_and_single_events(bed: Bed) {
        let receiver = Receiver::start();
        receiver.answer(Answer::status(404));
        let hook = |kinds: Value| json!({"url": receiver.url("/"), "events": kinds, "retryConfig": {"maxRetries": 0}});
        let leads = bed.create(hook(json!(["lead.*"]))).await.unwrap().id;
        bed.publish("lead.created", json!({"id": "one"})).await;
        bed.publish("lead.updated", json!({"id": "two"})).await;
        failed(&bed, 2).await;
        let dry = |body: Value| -> webhooks::ReplayQuery { let mut body = body; body["dryRun"] = json!(true); from_json(body) };
        for (body, count) in [
            (json!({}), 2), (json!({"eventType": "lead.created"}), 1), (json!({"code": 404, "webhookId": leads}), 2), (json!({"code": 500}), 0),
            (json!({"status": "skipped"}), 0), (json!({"reason": "exhausted"}), 2), (json!({"from": bed.ambient.now()}), 0), (json!({"clientId": bed.client}), 2),
        ] {
            let answer = bed.webhooks.retry_all(&bed.caller(), dry(body.clone())).await;
            assert_eq!(answer.map_or_else(|error| panic!("{body} {error:?}"), |answer| counted(&answer).0), count, "{body}");
        }
        assert_eq!(bed.webhooks.retry_all(&bed.stranger, dry(json!({"webhookId": leads}))).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.webhooks.retry_all(&bed.caller(), dry(json!({"status": "pending"}))).await.unwrap_err().fields()[0].pointer, "/status");
        receiver.answer(Answer::status(204));
        let run = begun(bed.webhooks.retry_all(&bed.caller(), from_json(json!({"eventType": "lead.created"}))).await.unwrap());
        assert_eq!(finished(&bed, &run).await.done, 1);
        receiver.wait_for(3, SOON).await;
        let late = bed.create(hook(json!(["quote.sent"]))).await.unwrap().id;
        let all = async |body: Value| bed.webhooks.replay_event(&bed.caller(), "two".parse().unwrap(), from_json(body)).await;
        assert_eq!(all(json!({})).await.unwrap().deliveries, 1, "to whom it concerns");
        receiver.wait_for(4, SOON).await;
        assert_eq!(all(json!({"webhookId": late})).await.unwrap().deliveries, 1, "to whom one names");
        let requests = receiver.wait_for(5, SOON).await;
        assert_eq!(requests[4].header("webhook-id"), Some("two"));
        assert_eq!(bed.webhooks.replay_event(&bed.stranger, "two".parse().unwrap(), from_json(json!({}))).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.webhooks.replay_event(&bed.caller(), "none".parse().unwrap(), from_json(json!({}))).await.unwrap_err().kind(), Kind::NotFound);
        bed.webhooks.set_state(&bed.caller(), late.into(), Change::Disable).await.unwrap();
        assert_eq!(all(json!({"webhookId": late})).await.unwrap_err().code(), "webhook_disabled");
    }
}
