//! Jobs that the host is called for.

use serde_json::{Value, json};
use testkit::Engine;
use testkit::engines;
use testkit::receiver::{Answer, Received, Receiver};
use testkit::wait::until;
use web::signature::{DEFAULT_TOLERANCE, WebhookSecret, verify_standard};

use crate::bed::{Bed, SOON};

engines! {
    /// A 200 has the result; the call is signed.
    async fn a_host_answers_with_the_result(engine: Engine) {
        let host = Receiver::start();
        host.answer(Answer::status(200).body(r#"{"answer": 42}"#));
        let bed = Bed::with_host(engine, Some(&host.url("/work"))).await;
        bed.jobs.start();
        let job = bed.start("hosted", json!({"n": 1})).await;
        let call = host.wait_for(1, SOON).await.remove(0);
        let data = call.json()["data"].clone();
        assert_eq!((&data["jobId"], &data["input"], &data["attempt"]), (&json!(job.id), &json!({"n": 1}), &json!(1)));
        verify(&bed, &call).await.unwrap();
        bed.ended(job.id, jobs::Status::Completed).await;
        assert_eq!(bed.get(job.id).await.result, Some(json!({"answer": 42})));
    }

    /// A 202 says that the work goes on, by the workers' routes.
    async fn a_host_may_answer_later(engine: Engine) {
        let host = Receiver::start();
        host.answer(Answer::status(202));
        let bed = Bed::with_host(engine, Some(&host.url("/work"))).await;
        bed.jobs.start();
        let job = bed.start("hosted", json!({})).await;
        let token = host.wait_for(1, SOON).await[0].json()["data"]["leaseToken"].clone();
        let sign = serde_json::from_value(json!({"leaseToken": token, "progress": 50})).unwrap();
        assert_eq!(bed.jobs.heartbeat(&bed.worker(), job.id, sign).await.unwrap().progress, 50);
        let done = serde_json::from_value(json!({"leaseToken": token, "result": {"late": true}})).unwrap();
        let done = bed.jobs.complete(&bed.worker(), job.id, done).await.unwrap();
        assert_eq!((done.status, done.progress), (jobs::Status::Completed, 100));
    }

    /// Trouble that passes is tried again; a refusal is for good; what is no result is told.
    async fn trouble_is_tried_again_and_a_refusal_is_not(engine: Engine) {
        let host = Receiver::start();
        host.script([Answer::status(503), Answer::status(200).body("no JSON"), Answer::status(200).body(r#"{"ok": true}"#)]);
        let bed = Bed::with_host(engine, Some(&host.url("/work"))).await;
        bed.jobs.start();
        let job = bed.start("hosted", json!({})).await;
        for (n, code) in [(1, "host_refused"), (2, "invalid_answer")] {
            host.wait_for(n, SOON).await;
            until("the failure is written", SOON, async || {
                let now = bed.get(job.id).await;
                (now.attempts as usize == n && now.next_attempt_at.is_some()).then(|| assert_eq!(now.error.unwrap().code, code))
            })
            .await;
            bed.pass(2).await;
        }
        bed.ended(job.id, jobs::Status::Completed).await;
        host.answer(Answer::status(404));
        let refused = bed.start("hosted", json!({})).await;
        bed.ended(refused.id, jobs::Status::Failed).await;
        let failed = bed.get(refused.id).await;
        assert_eq!((failed.attempts, failed.error.unwrap().code.as_str()), (1, "host_refused"));
    }

    /// A server that stops hands back what it has: the attempt does not count.
    async fn a_server_that_stops_hands_its_jobs_back(engine: Engine) {
        let host = Receiver::start();
        let gate = testkit::receiver::Gate::closed();
        host.answer(Answer::status(200).held(&gate));
        let bed = Bed::with_host(engine, Some(&host.url("/work"))).await;
        bed.jobs.start();
        let job = bed.start("hosted", json!({})).await;
        host.wait_for(1, SOON).await;
        bed.jobs.close();
        until("the job is handed back", SOON, async || {
            let now = bed.get(job.id).await;
            (now.status == jobs::Status::Pending && now.attempts == 0).then_some(())
        })
        .await;
        gate.open();
    }
}

async fn verify(bed: &Bed, call: &Received) -> kernel::Result<()> {
    let installation = jobs::installation_secret(&bed.store).await?;
    let secret = WebhookSecret::parse(jobs::signing_secret(&installation, "hosted").reveal())?;
    let header = |name: &str| call.header(name).unwrap_or_default().to_owned();
    let now = kernel::Ambient::system().now().seconds();
    verify_standard(
        &[secret],
        &header("webhook-id"),
        &header("webhook-timestamp"),
        &header("webhook-signature"),
        &call.body,
        now,
        DEFAULT_TOLERANCE,
    )
}

impl Bed {
    async fn ended(&self, id: kernel::JobId, status: jobs::Status) -> Value {
        until("the job has ended", SOON, async || {
            let job = self.get(id).await;
            job.completed_at.is_some().then(|| {
                assert_eq!(job.status, status, "{job:?}");
                json!({})
            })
        })
        .await
    }
}
