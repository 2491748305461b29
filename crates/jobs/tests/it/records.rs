//! Jobs and the records that they work on.

use kernel::TenantScope;
use serde_json::json;
use testkit::engines;

use crate::bed::Bed;

engines! {
    /// Starting makes the record, the result changes it.
    async fn a_job_makes_its_record_and_its_result_changes_it(bed: Bed) {
        let job = bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        let call = bed.record(&job).await;
        assert_eq!((&call["transcript"], &call["status"], &call["jobId"]), (&json!("Hi."), &json!("pending"), &json!(job.id)));
        let lease = bed.take("call.analyze").await;
        assert_eq!(lease.input["callId"], json!(job.record_id));
        assert_eq!(bed.record(&job).await["status"], "processing", "who has the job finds its record so");
        bed.complete(&lease, json!({"score": 88, "talkRatio": 0.4})).await.unwrap();
        let call = bed.record(&job).await;
        assert_eq!((&call["status"], &call["score"]), (&json!("completed"), &json!(88)));
        assert_eq!(call["analysis"], json!({"score": 88, "talkRatio": 0.4}));
        let told = bed.told().await;
        assert_eq!((told[0].0.as_str(), &told[0].1["callId"], &told[0].1["result"]["score"]), ("call.analyzed", &json!(job.record_id), &json!(88)));
    }

    /// A failure is told too; what the record does not take is for the worker to mend.
    async fn a_failure_is_told_to_the_record(bed: Bed) {
        let job = bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        let lease = bed.take("call.analyze").await;
        bed.fail(&lease, json!({"retry": false})).await.unwrap();
        let call = bed.record(&job).await;
        assert_eq!((&call["status"], &call["failure"]["code"]), (&json!("failed"), &json!("broken")));
        assert_eq!(bed.told().await[0].0, "call.analysis_failed");
        let cancelled = bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        bed.jobs.cancel(&bed.host(), cancelled.id).await.unwrap();
        assert_eq!(bed.record(&cancelled).await["status"], "cancelled");
    }

    /// A record shows that its job waits again, whatever became of the worker; an end stays.
    async fn a_record_shows_how_its_job_stands(bed: Bed) {
        let job = bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        let first = bed.take("call.analyze").await;
        bed.fail(&first, json!({"retryAfterSeconds": 1})).await.unwrap();
        assert_eq!(bed.record(&job).await["status"], "pending", "it is tried again");
        bed.pass(2).await;
        let silent = bed.take("call.analyze").await;
        assert_eq!(bed.record(&job).await["status"], "processing");
        bed.pass(11).await;
        assert_eq!(bed.record(&job).await["status"], "pending", "its worker fell silent");
        let last = bed.take("call.analyze").await;
        assert_eq!((bed.record(&job).await["status"].clone(), silent.attempt, last.attempt), (json!("processing"), 2, 3));
        bed.jobs.cancel(&bed.host(), job.id).await.unwrap();
        assert_eq!(bed.record(&job).await["status"], "cancelled");
        bed.complete(&last, json!({"score": 1})).await.unwrap_err();
        assert_eq!(bed.record(&job).await["status"], "cancelled");
    }

    /// A record that is gone is no reason that its job does not end; one that is there may be worked on again.
    async fn a_job_may_work_on_a_record_that_is_there(bed: Bed) {
        let first = bed.start("call.analyze", json!({"transcript": "Hi."})).await;
        let id = first.record_id.clone().unwrap();
        let again = bed.start("call.again", json!({"callId": id})).await;
        assert_eq!(again.record_id, first.record_id);
        let scope = TenantScope::system("test", bed.tenant);
        bed.records.delete(&scope, "call", id.parse().unwrap()).await.unwrap();
        let lease = bed.take("call.again").await;
        assert_eq!(bed.complete(&lease, json!(null)).await.unwrap().status, jobs::Status::Completed);
        let lost = bed.take("call.analyze").await;
        assert_eq!(bed.complete(&lost, json!({"score": 1})).await.unwrap().status, jobs::Status::Completed);
    }

    /// A declared endpoint's body is the input, but for the webhook.
    async fn an_endpoint_starts_a_job_from_its_body(bed: Bed) {
        let scope = TenantScope::system("test", bed.tenant);
        let body = json!({"transcript": "Hi.", "webhookUrl": "http://127.0.0.1:1/hook"});
        let started = bed.jobs.start_declared(scope.clone(), Some(bed.client), "call.analyze", body.as_object().unwrap().clone()).await.unwrap();
        assert_eq!(started.record, Some(("callId".to_owned(), started.job.record_id.clone().unwrap())));
        assert!(started.job.webhook_secret.unwrap().starts_with("whsec_"));
        for (body, place) in [(json!({}), "/transcript"), (json!({"transcript": "x", "more": 1}), "/more"), (json!({"transcript": "x", "webhookUrl": 1}), "/webhookUrl")] {
            let error = bed.jobs.start_declared(scope.clone(), Some(bed.client), "call.analyze", body.as_object().unwrap().clone()).await.unwrap_err();
            assert_eq!(error.fields()[0].pointer, place);
        }
    }
}

impl Bed {
    async fn record(&self, job: &jobs::Job) -> serde_json::Value {
        let scope = TenantScope::system("test", self.tenant);
        let reference = job.record_id.as_ref().unwrap().parse().unwrap();
        let record = self.records.get(&scope, "call", reference).await.unwrap();
        serde_json::Value::Object(record.document)
    }
}
