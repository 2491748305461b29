//! Jobs are handed out, kept, ended; and taken from those who fall silent.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::engines;

use crate::bed::{Bed, SOON, ask};

engines! {
    /// From beginning to end, as everybody sees it.
    async fn a_worker_does_a_job(bed: Bed) {
        let job = bed.start("plain", json!({"n": 1})).await;
        let lease = bed.take("plain").await;
        assert_eq!((lease.id, lease.attempt, lease.tenant_id), (job.id, 1, bed.tenant));
        assert_eq!(lease.input, json!({"n": 1}));
        assert_eq!(bed.get(job.id).await.status, jobs::Status::Processing);
        assert_eq!(bed.beat(&lease, 40).await.unwrap(), 40);
        assert_eq!(bed.beat(&lease, 10).await.unwrap(), 40, "progress never goes back");
        assert_eq!(bed.get(job.id).await.progress, 40);
        let done = bed.complete(&lease, json!({"answer": 42})).await.unwrap();
        assert_eq!((done.status, done.progress), (jobs::Status::Completed, 100));
        let shown = bed.get(job.id).await;
        assert_eq!(shown.result, Some(json!({"answer": 42})));
        assert!(shown.completed_at.is_some() && shown.error.is_none());
        let told = bed.told().await;
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0.as_str(), &told[0].1["jobId"]), ("job.completed", &json!(job.id)));
    }

    /// The lease that ended a job may say so again; nobody else can end it.
    async fn one_completion_wins(bed: Bed) {
        bed.start("plain", json!({})).await;
        let first = bed.take("plain").await;
        bed.pass(31).await;
        let second = bed.take("plain").await;
        assert_eq!((second.id, second.attempt), (first.id, 2));
        for late in [bed.complete(&first, json!({"by": 1})).await, bed.fail(&first, json!({})).await] {
            let error = late.unwrap_err();
            assert_eq!((error.code(), error.kind()), ("lease_lost", kernel::Kind::Conflict));
        }
        assert_eq!(bed.beat(&first, 99).await.unwrap_err().code(), "lease_lost");
        bed.complete(&second, json!({"by": 2})).await.unwrap();
        assert_eq!(bed.complete(&second, json!({"by": 3})).await.unwrap().result, Some(json!({"by": 2})), "the first answer was lost");
        assert_eq!(bed.complete(&first, json!({"by": 1})).await.unwrap_err().code(), "lease_lost");
        assert_eq!(bed.fail(&second, json!({})).await.unwrap_err().code(), "lease_lost", "what is completed cannot fail");
        assert_eq!(bed.get(first.id).await.result, Some(json!({"by": 2})));
        assert_eq!(bed.told().await.len(), 1, "it ended once");
    }

    /// A sign of life keeps the lease; silence loses it; what was reached stays.
    async fn silence_loses_a_job(bed: Bed) {
        bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        let lease = bed.take("call.analyze").await;
        for _ in 0..5 {
            bed.pass(9).await;
            bed.beat(&lease, 60).await.unwrap();
        }
        assert!(bed.lease(&["call.analyze"], 1).await.is_empty());
        bed.pass(10).await;
        let job = bed.get(lease.id).await;
        assert_eq!((job.status, job.progress), (jobs::Status::Pending, 60));
        let again = bed.take("call.analyze").await;
        assert_eq!((again.id, again.progress), (lease.id, 60));
        assert_eq!(bed.beat(&again, 5).await.unwrap(), 60);
    }

    /// A job that has cost too many workers is given up.
    async fn a_job_that_kills_its_workers_is_given_up(bed: Bed) {
        let job = bed.start("plain", json!({})).await;
        for _ in 0..20 {
            bed.take("plain").await;
            bed.pass(31).await;
        }
        let job = bed.get(job.id).await;
        assert_eq!((job.status, job.error.unwrap().code.as_str()), (jobs::Status::Failed, "worker_lost"));
        assert_eq!(bed.told().await[0].0, "job.failed");
    }

    /// Failures are tried again by the schedule; the last one is for good.
    async fn failures_are_tried_again_as_declared(bed: Bed) {
        let job = bed.start("plain", json!({})).await;
        for wait in [5, 60] {
            let lease = bed.take("plain").await;
            let put_off = bed.fail(&lease, json!({})).await.unwrap();
            assert_eq!((put_off.status, put_off.error.unwrap().code.as_str()), (jobs::Status::Pending, "broken"));
            let due = put_off.next_attempt_at.unwrap().since(put_off.started_at.unwrap());
            assert!(due >= Duration::from_secs(wait * 9 / 10), "{due:?}");
            assert_eq!(bed.fail(&lease, json!({})).await.unwrap().status, jobs::Status::Pending, "the same lease says so again");
            assert!(bed.lease(&["plain"], 1).await.is_empty());
            bed.pass(wait * 11 / 10 + 1).await;
        }
        let lease = bed.take("plain").await;
        assert_eq!(lease.attempt, 3);
        let failed = bed.fail(&lease, json!({})).await.unwrap();
        assert_eq!(failed.status, jobs::Status::Failed);
        assert_eq!(bed.told().await.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["job.failed"]);
        assert_eq!(bed.get(job.id).await.attempts, 3);
    }

    /// The worker may know better than the schedule.
    async fn a_worker_says_whether_and_when_to_try_again(bed: Bed) {
        bed.start("plain", json!({})).await;
        let lease = bed.take("plain").await;
        bed.fail(&lease, json!({"retryAfterSeconds": 7200})).await.unwrap();
        bed.pass(7199).await;
        assert!(bed.lease(&["plain"], 1).await.is_empty());
        bed.pass(1).await;
        let lease = bed.take("plain").await;
        assert_eq!(bed.fail(&lease, json!({"retry": false})).await.unwrap().status, jobs::Status::Failed);
    }

    /// Past its deadline a job has failed, whether it waits or somebody has it.
    async fn deadlines_end_jobs(bed: Bed) {
        let (waiting, running) = (
            bed.create(json!({"type": "plain", "deadline": bed.clock_in(20)})).await.unwrap(),
            bed.create(json!({"type": "plain", "deadline": bed.clock_in(20), "priority": 9})).await.unwrap(),
        );
        let lease = bed.take_one("plain").await;
        assert_eq!(lease.id, running.id);
        bed.pass(19).await;
        bed.beat(&lease, 10).await.unwrap();
        bed.pass(1).await;
        for id in [waiting.id, running.id] {
            let job = bed.get(id).await;
            assert_eq!((job.status, job.error.unwrap().code.as_str()), (jobs::Status::Failed, "deadline_exceeded"));
        }
        assert_eq!(bed.complete(&lease, json!({})).await.unwrap_err().code(), "lease_lost");
        assert_eq!(bed.told().await.len(), 2);
    }

    /// Whoever waits gets what comes, at once, and nobody else gets it too.
    async fn a_poll_waits_for_what_comes(bed: Bed) {
        let polls: Vec<_> = (0..3)
            .map(|_| {
                let (jobs, worker) = (bed.jobs.clone(), bed.worker());
                tokio::spawn(async move { (jobs.lease(&worker, ask(&["plain"], 1, 20)).await.unwrap().data, Instant::now()) })
            })
            .collect();
        let begun = Instant::now();
        let mut made: Vec<_> = Vec::new();
        for n in 0..3 {
            made.push(bed.start("plain", json!({"n": n})).await.id);
        }
        let mut got = Vec::new();
        for poll in polls {
            let (leased, at) = poll.await.unwrap();
            assert!(at.duration_since(begun) < Duration::from_secs(10));
            got.extend(leased.into_iter().map(|lease| lease.id));
        }
        got.sort();
        assert_eq!(got, made);
    }

    /// A worker of another tenant that waits too takes nobody's notice away.
    async fn a_strangers_poll_does_not_swallow_a_notice(bed: Bed) {
        let theirs = kernel::Caller::system("worker", Some(bed.other));
        let poll = |worker: kernel::Caller, wait: u32| {
            let jobs = bed.jobs.clone();
            tokio::spawn(async move { jobs.lease(&worker, ask(&["plain"], 1, wait)).await.unwrap().data.len() })
        };
        let (first, ours) = (poll(theirs, 3), poll(bed.worker(), 20));
        bed.start("plain", json!({})).await;
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), ours).await.unwrap().unwrap(), 1);
        assert_eq!(first.await.unwrap(), 0);
    }

    /// A server that stops lets nobody wait.
    async fn closing_ends_polls(bed: Bed) {
        let (jobs, worker) = (bed.jobs.clone(), bed.worker());
        let poll = tokio::spawn(async move { jobs.lease(&worker, ask(&["plain"], 1, 60)).await.unwrap().data.len() });
        bed.jobs.close();
        assert_eq!(tokio::time::timeout(SOON, poll).await.unwrap().unwrap(), 0);
    }

    /// On PostgreSQL another server's jobs wake who waits here; on SQLite another process's do.
    async fn jobs_of_another_server_wake_who_waits(bed: Bed) {
        let second = bed.second_node().await;
        let (jobs, worker) = (second.jobs.clone(), bed.worker());
        let poll = tokio::spawn(async move { jobs.lease(&worker, ask(&["plain"], 1, 30)).await.unwrap().data.len() });
        bed.start("plain", json!({})).await;
        assert_eq!(tokio::time::timeout(SOON, poll).await.unwrap().unwrap(), 1);
        second.dispatch.drain(Duration::from_secs(1)).await;
        second.jobs.close();
    }

    /// A worker of one tenant gets its tenant's jobs, and can say nothing about others'.
    async fn a_tenants_worker_keeps_to_its_tenant(bed: Bed) {
        let theirs = kernel::Caller::system("test", Some(bed.other));
        bed.jobs.create(&theirs, crate::bed::new(json!({"type": "plain", "input": {"whose": "theirs"}}))).await.unwrap();
        bed.start("plain", json!({"whose": "ours"})).await;
        let own = kernel::Caller::new(
            kernel::Credential::ServiceKey { key: kernel::Ambient::system().id(), bound: Some(bed.tenant) },
            Some(bed.tenant),
            std::sync::Arc::from([]),
            [kernel::Permission::JobsWork].into_iter().collect(),
        );
        let leased = bed.jobs.lease(&own, ask(&[], 9, 0)).await.unwrap().data;
        assert_eq!(leased.iter().map(|lease| lease.input["whose"].as_str().unwrap()).collect::<Vec<_>>(), ["ours"]);
        let foreign = bed.take("plain").await;
        let done = serde_json::from_value(json!({"leaseToken": foreign.lease_token})).unwrap();
        assert_eq!(bed.jobs.complete(&own, foreign.id, done).await.unwrap_err().code(), "not_found");
        let crossed = serde_json::from_value(json!({"leaseToken": leased[0].lease_token})).unwrap();
        assert_eq!(bed.jobs.complete(&own, foreign.id, crossed).await.unwrap_err().code(), "not_found");
        bed.complete(&foreign, json!(null)).await.unwrap();
    }

    /// What a worker says is checked.
    async fn bad_words_of_workers_are_refused(bed: Bed) {
        bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        let lease = bed.take("call.analyze").await;
        assert_eq!(bed.complete(&lease, json!({"score": "high"})).await.unwrap_err().fields()[0].pointer, "/result/score");
        assert_eq!(bed.complete(&lease, json!({})).await.unwrap_err().fields()[0].pointer, "/result/score");
        let refused = bed.complete(&lease, json!({"score": 101})).await.unwrap_err();
        assert_eq!((refused.code(), refused.fields()[0].pointer.as_str()), ("result_refused", "/score"));
        assert_eq!(bed.beat(&lease, 101).await.unwrap_err().fields()[0].pointer, "/progress");
        assert_eq!(bed.beat(&lease, -1).await.unwrap_err().fields()[0].pointer, "/progress");
        let wordless = json!({"error": {"code": "Not A Word", "message": "x"}});
        assert_eq!(bed.fail(&lease, wordless).await.unwrap_err().fields()[0].pointer, "/error/code");
        for (types, max, wait, place) in
            [(vec!["nope"], 1, 0, "/types/0"), (vec!["hosted"], 1, 0, "/types/0"), (vec![], 33, 0, "/max"), (vec![], 0, 0, "/max"), (vec![], 1, 61, "/waitSeconds")]
        {
            let error = bed.jobs.lease(&bed.worker(), ask(&types, max, wait)).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, place);
        }
        for token in ["", "x", "ten_x~1~2~plain", "~~~~"] {
            let forged = jobs::Lease { lease_token: token.to_owned(), ..lease.clone() };
            assert_eq!(bed.beat(&forged, 1).await.unwrap_err().fields()[0].pointer, "/leaseToken", "{token}");
        }
        // A type that was written into the token: no other type's rules, nor places, are to be had by it.
        for kind in ["plain", "nope"] {
            let real = lease.lease_token.rsplit_once('~').unwrap().0;
            let forged = jobs::Lease { lease_token: format!("{real}~{kind}"), ..lease.clone() };
            assert_eq!(bed.complete(&forged, json!({"score": "high"})).await.unwrap_err().code(), "lease_lost", "{kind}");
            assert_eq!(bed.beat(&forged, 1).await.unwrap_err().code(), "lease_lost", "{kind}");
            assert_eq!(bed.fail(&forged, json!({"error": {"code": "bad", "message": "x"}})).await.unwrap_err().code(), "lease_lost", "{kind}");
        }
        let large = json!({"score": 1, "text": "x".repeat(600 * 1024)});
        assert_eq!(bed.complete(&lease, large).await.unwrap_err().code(), "job_too_large");
        bed.complete(&lease, json!({"score": 88})).await.unwrap();
    }
}
