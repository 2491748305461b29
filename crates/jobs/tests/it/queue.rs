//! Jobs begin, wait and are cancelled.

use kernel::PageRequest;
use serde_json::json;
use testkit::engines;

use crate::bed::{Bed, new};

engines! {
    /// What is asked for is what is kept, with the type's own where nothing is said.
    async fn a_job_is_kept_as_it_was_asked_for(bed: Bed) {
        let job = bed.create(json!({"type": "call.analyze", "input": {"transcript": "Hi."}, "priority": 7})).await.unwrap();
        let kept = serde_json::to_value(bed.get(job.id).await).unwrap();
        assert_eq!((&kept["status"], &kept["progress"], &kept["priority"]), (&json!("pending"), &json!(0), &json!(7)));
        assert_eq!(kept["input"]["callType"], "sales", "a default value is filled in");
        assert_eq!(kept["input"]["callId"], kept["recordId"]);
        assert!(kept["deadline"].is_string() && kept["startedAt"].is_null());
        assert_eq!(bed.audited().await.iter().filter(|action| *action == "job.create").count(), 1);
    }

    /// The urgent first, then who came first; a minute of waiting outweighs a point.
    async fn the_urgent_overtake_and_nobody_waits_for_ever(bed: Bed) {
        let mut made = Vec::new();
        for (name, priority) in [("first", 0), ("second", 0), ("urgent", 5), ("idle", -3)] {
            let job = bed.create(json!({"type": "plain", "input": {"name": name}, "priority": priority})).await.unwrap();
            made.push(job.id);
            bed.pass(1).await;
        }
        bed.pass(6 * 60).await;
        bed.create(json!({"type": "plain", "input": {"name": "late and urgent"}, "priority": 5})).await.unwrap();
        let order: Vec<String> =
            bed.lease(&["plain"], 9).await.iter().map(|lease| lease.input["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(order, ["urgent", "first", "second", "late and urgent", "idle"]);
    }

    /// Not before its time, and from then on.
    async fn a_job_begins_when_it_is_to_begin(bed: Bed) {
        let at = bed.clock_in(600);
        let job = bed.create(json!({"type": "plain", "runAt": at})).await.unwrap();
        assert!(bed.lease(&["plain"], 1).await.is_empty());
        bed.pass(599).await;
        assert!(bed.lease(&["plain"], 1).await.is_empty());
        bed.pass(1).await;
        assert_eq!(bed.take("plain").await.id, job.id);
    }

    /// Whoever works on a job that was cancelled learns so; an ended job cannot be cancelled.
    async fn cancelled_is_cancelled(bed: Bed) {
        let (waiting, running) = (bed.start("plain", json!({"n": 1})).await, bed.start("plain", json!({"n": 2})).await);
        let leased = bed.lease(&["plain"], 2).await;
        let lease = leased.iter().find(|lease| lease.id == running.id).unwrap();
        for id in [waiting.id, running.id] {
            assert_eq!(bed.jobs.cancel(&bed.host(), id).await.unwrap().status, jobs::Status::Cancelled);
            assert_eq!(bed.jobs.cancel(&bed.host(), id).await.unwrap_err().code(), "job_ended");
        }
        assert_eq!(bed.beat(lease, 50).await.unwrap_err().code(), "job_cancelled");
        assert_eq!(bed.complete(lease, json!({})).await.unwrap_err().code(), "job_cancelled");
        assert_eq!(bed.fail(lease, json!({})).await.unwrap_err().code(), "job_cancelled");
        bed.pass(3600).await;
        assert!(bed.lease(&["plain"], 1).await.is_empty());
        assert!(bed.told().await.is_empty(), "a cancellation is no event");
        assert_eq!(bed.audited().await.iter().filter(|action| *action == "job.cancel").count(), 2);
    }

    /// Lists are narrowed, paged, and the tenant's own.
    async fn lists_show_what_may_be_seen(bed: Bed) {
        for n in 0..5 {
            bed.start("plain", json!({"n": n})).await;
        }
        bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        let taken = bed.take_one("plain").await;
        bed.complete(&taken, json!({})).await.unwrap();
        let count = async |filter: serde_json::Value| {
            let filter = serde_json::from_value(filter).unwrap();
            bed.jobs.list(&bed.host(), filter, PageRequest::default()).await.unwrap().data.len()
        };
        assert_eq!(count(json!({})).await, 6);
        assert_eq!(count(json!({"status": "completed"})).await, 1);
        assert_eq!(count(json!({"status": "pending", "type": "plain"})).await, 4);
        assert_eq!(count(json!({"status": "failed"})).await, 0);
        let first = bed.jobs.list(&bed.host(), jobs::JobFilter::default(), PageRequest { limit: 4, ..PageRequest::default() }).await.unwrap();
        assert!(first.data.iter().all(|job| job.input.is_none()) && first.pagination.next_cursor.is_some());
        let other = kernel::Caller::system("test", Some(bed.other));
        assert!(bed.jobs.list(&other, jobs::JobFilter::default(), PageRequest::default()).await.unwrap().data.is_empty());
        let analyst = bed.key(&["jobs:read"]);
        let seen = bed.jobs.list(&analyst, jobs::JobFilter::default(), PageRequest::default()).await.unwrap().data;
        assert_eq!(seen.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["call.analyze"]);
        assert_eq!(bed.jobs.get(&analyst, taken.id).await.unwrap_err().code(), "not_found", "of a type that it may not see");
        assert_eq!(
            bed.jobs.list(&bed.key(&["calls:read"]), jobs::JobFilter::default(), PageRequest::default()).await.unwrap_err().code(),
            "insufficient_scope"
        );
    }

    /// A type's scope lets start it; nothing else does, but the permission for all types.
    async fn scopes_say_who_may_start_what(bed: Bed) {
        let analyze = || new(json!({"type": "call.analyze", "input": {"transcript": "Hi."}}));
        let job = bed.jobs.create(&bed.key(&["calls:write"]), analyze()).await.unwrap();
        assert_eq!(job.client_id, Some(bed.client));
        for (scopes, body) in [(&["jobs:read"][..], analyze()), (&["calls:write"][..], new(json!({"type": "plain"})))] {
            assert_eq!(bed.jobs.create(&bed.key(scopes), body).await.unwrap_err().code(), "insufficient_scope");
        }
        assert_eq!(bed.jobs.cancel(&bed.key(&["jobs:read"]), job.id).await.unwrap_err().code(), "insufficient_scope");
        assert_eq!(bed.jobs.cancel(&bed.key(&["calls:read"]), job.id).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.jobs.lease(&bed.key(&["calls:write"]), crate::bed::ask(&[], 1, 0)).await.unwrap_err().code(), "insufficient_scope");
        let stranger = kernel::Caller::system("test", Some(bed.other));
        assert_eq!(bed.jobs.get(&stranger, job.id).await.unwrap_err().code(), "not_found");
        assert_eq!(bed.jobs.cancel(&stranger, job.id).await.unwrap_err().code(), "not_found");
        bed.jobs.cancel(&bed.key(&["calls:write"]), job.id).await.unwrap();
    }

    /// Every rule says where it was broken, and nothing is stored.
    async fn bad_input_is_refused_with_its_place(bed: Bed) {
        let (past, far) = (bed.clock_in(0), bed.clock_in(400 * 86_400));
        for (body, code, place) in [
            (json!({"type": "nope"}), "unknown_job_type", "/type"),
            (json!({"type": "call.analyze"}), "validation_failed", "/input/transcript"),
            (json!({"type": "call.analyze", "input": {"transcript": 1}}), "validation_failed", "/input/transcript"),
            (json!({"type": "call.analyze", "input": {"transcript": "x", "more": 1}}), "validation_failed", "/input/more"),
            (json!({"type": "plain", "priority": 101}), "validation_failed", "/priority"),
            (json!({"type": "plain", "runAt": far}), "validation_failed", "/runAt"),
            (json!({"type": "plain", "deadline": past}), "validation_failed", "/deadline"),
            (json!({"type": "plain", "deadline": bed.clock_in(5), "runAt": bed.clock_in(6)}), "validation_failed", "/deadline"),
            (json!({"type": "plain", "webhookSecret": "whsec_x"}), "validation_failed", "/webhookSecret"),
            (json!({"type": "call.again", "input": {"callId": "rec_01jd3m9x7efd2v5k8q0r4tnwye"}}), "validation_failed", "/input/callId"),
            (json!({"type": "call.again", "input": {"callId": "../x"}}), "validation_failed", "/input/callId"),
        ] {
            let error = bed.create(body.clone()).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), (code, place), "{body}");
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 0);
        let large = json!({"type": "plain", "input": {"text": "x".repeat(1024 * 1024)}});
        assert_eq!(bed.create(large).await.unwrap_err().code(), "job_too_large");
    }

    /// With a tenant go its jobs; with the lifetime of metadata those that ended long ago.
    async fn jobs_go_with_their_tenant_and_in_time(bed: Bed) {
        for n in 0..3 {
            bed.start("plain", json!({"n": n})).await;
        }
        let done = bed.take_one("plain").await;
        bed.complete(&done, json!({})).await.unwrap();
        let (tenant, before) = (bed.tenant, bed.later(10));
        let old = async || bed.store.write(kernel::Scope::system("test"), move |tx| jobs::delete_old(tx, tenant, before, 10)).await.unwrap();
        assert_eq!((old().await, old().await), (1, 0));
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 2);
        let jobs = bed.jobs.clone();
        bed.store
            .write(kernel::Scope::system("test"), move |tx| store::Lifecycle::purge(&*jobs, tx, tenant, &store::Subject::Tenant))
            .await
            .unwrap();
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 0);
    }
}

impl Bed {
    fn later(&self, seconds: u64) -> kernel::Timestamp {
        use kernel::Clock as _;
        self.clock.now().plus(std::time::Duration::from_secs(seconds))
    }

    pub(crate) fn clock_in(&self, seconds: u64) -> String {
        self.later(seconds).to_string()
    }

    pub(crate) async fn take_one(&self, kind: &str) -> jobs::Lease {
        self.lease(&[kind], 1).await.remove(0)
    }
}
