//! The webhook that a job asks for itself.

use serde_json::{Value, json};
use testkit::engines;
use testkit::receiver::{Answer, Receiver};
use web::signature::{DEFAULT_TOLERANCE, WebhookSecret, verify_standard};

use crate::bed::{Bed, SOON};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

engines! {
    /// Signed, retried as the type says, and in the log of deliveries.
    async fn the_end_is_told_where_the_job_asks(bed: Bed) {
        let receiver = Receiver::start();
        receiver.script([Answer::status(503)]);
        let job = bed.with_webhook(&receiver.url("/done"), None).await;
        let secret = job["webhookSecret"].as_str().unwrap().to_owned();
        let lease = bed.take("call.analyze").await;
        bed.complete(&lease, json!({"score": 5})).await.unwrap();
        let got = receiver.wait_for(2, SOON).await;
        assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"), "the second is a retry of the first");
        let body: Value = got[1].json();
        assert_eq!((&body["type"], &body["data"]["jobId"], &body["data"]["result"]["score"]), (&json!("call.analyzed"), &job["id"], &json!(5)));
        verify(&got[1], &secret).unwrap();
        assert!(bed.get(lease.id).await.webhook_secret.is_none(), "a secret is in one answer only");
        let delivered = async || bed.count("SELECT COUNT(*) FROM deliveries WHERE status = 'delivered'").await;
        testkit::wait::until("the delivery is in the log", SOON, async || (delivered().await == 1).then_some(())).await;
    }

    /// One address has one secret, unless the caller brings another: both sign for a while.
    async fn an_address_keeps_its_secret(bed: Bed) {
        let receiver = Receiver::start();
        let url = receiver.url("/done");
        let first = bed.with_webhook(&url, None).await;
        let second = bed.with_webhook(&url, None).await;
        assert!(first["webhookSecret"].is_string() && second["webhookSecret"].is_null());
        assert_eq!(first["webhookId"], second["webhookId"]);
        let third = bed.with_webhook(&url, Some(SECRET)).await;
        assert_eq!((&third["webhookId"], &third["webhookSecret"]), (&first["webhookId"], &Value::Null));
        for lease in bed.lease(&["call.analyze"], 3).await {
            bed.complete(&lease, json!({"score": 5})).await.unwrap();
        }
        for got in receiver.wait_for(3, SOON).await {
            verify(&got, SECRET).unwrap();
            verify(&got, first["webhookSecret"].as_str().unwrap()).unwrap();
        }
        assert_eq!(bed.count("SELECT COUNT(*) FROM destinations").await, 1);
    }

    /// The verdict on the address is taken at once; a webhook belongs to a client; addresses are bounded.
    async fn addresses_are_judged_when_the_job_is_made(bed: Bed) {
        for (url, secret, code) in [
            ("http://10.0.0.1/x", None, "url_refused"),
            ("ftp://example.com/x", None, "url_refused"),
            ("http://[::ffff:169.254.169.254]/x", None, "url_refused"),
            ("not a url", None, "url_refused"),
            ("http://127.0.0.1:1/x", Some("hush"), "invalid_webhook_secret"),
        ] {
            let error = bed.try_webhook(url, secret).await.unwrap_err();
            assert_eq!(error.code(), code, "{url}");
        }
        let without = json!({"type": "plain", "webhookUrl": "http://127.0.0.1:1/x"});
        let error = bed.jobs.create(&bed.host(), crate::bed::new(without)).await.unwrap_err();
        assert_eq!(error.code(), "client_required");
        assert_eq!(bed.count("SELECT COUNT(*) FROM jobs").await, 0);
        for n in 0..100 {
            bed.try_webhook(&format!("http://127.0.0.1:1/{n}"), Some(SECRET)).await.unwrap();
        }
        assert_eq!(bed.try_webhook("http://127.0.0.1:1/more", Some(SECRET)).await.unwrap_err().code(), "too_many_job_webhooks");
        bed.try_webhook("http://127.0.0.1:1/7", Some(SECRET)).await.unwrap();
    }
}

fn verify(got: &testkit::receiver::Received, secret: &str) -> kernel::Result<()> {
    let header = |name: &str| got.header(name).unwrap_or_default().to_owned();
    let (id, at, signatures) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let now = kernel::Ambient::system().now().seconds();
    verify_standard(&[WebhookSecret::parse(secret)?], &id, &at, &signatures, &got.body, now, DEFAULT_TOLERANCE)
}

impl Bed {
    async fn try_webhook(&self, url: &str, secret: Option<&str>) -> kernel::Result<Value> {
        let mut body = json!({"type": "call.analyze", "input": {"transcript": "Hi."}, "webhookUrl": url});
        if let Some(secret) = secret {
            body["webhookSecret"] = secret.into();
        }
        let job = self.jobs.create(&self.key(&["calls:write"]), crate::bed::new(body)).await?;
        Ok(serde_json::to_value(job).unwrap())
    }

    async fn with_webhook(&self, url: &str, secret: Option<&str>) -> Value {
        self.try_webhook(url, secret).await.unwrap()
    }
}
