//! What is kept of calls that could not be verified, and how little strangers can do.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::bed::{Bed, Call};
use crate::signing::{generic, github};

async fn kept(bed: &Bed, source: &str) -> Vec<Value> {
    let list = bed.api("GET", &format!("/{source}/quarantine?limit=100"), None).await.expect(200).json();
    list["data"].as_array().unwrap().clone()
}

testkit::engines! {
    /// A subject's calls are found by what events would say of them, and by their text where that cannot be read; others stay.
    async fn a_subject_is_forgotten(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let form = |body: &str| github("wrong", "push", "f", body).with("content-type", "application/x-www-form-urlencoded");
        for call in [
            github("wrong", "push", "d-1", "{\"customer\": {\"id\": \"c-4711\"}}"),
            github("wrong", "push", "d-2", "{\"customer\": {\"id\": \"c-1\"}, \"note\": \"not about c-4711\"}"),
            form("name=x&customer=c%2D4711"),
            form("name=y"),
            github("wrong", "push", "d-3", &format!("{{\"about\": \"c-4711\", \"x\": \"{}\"}}", "x".repeat(70_000))),
        ] {
            bed.call(&id, &call).await.expect(401);
        }
        let tenant = bed.tenant;
        let look = async |dry_run: bool| {
            let forget = move |tx: &mut store::Tx<'_>| {
                let (is_wanted, is_mentioned) =
                    (|payload: &Value| payload["customer"]["id"] == "c-4711", |text: &[u8]| text.windows(6).any(|some| some == b"c-4711"));
                let look = events::Look { after: "", limit: 100, dry_run, key: None, event: None, is_wanted: &is_wanted, is_mentioned: &is_mentioned };
                sources::forget(tx, tenant, &look)
            };
            let looked = bed.store.write(kernel::Scope::system("test"), forget).await.unwrap();
            (looked.examined, looked.found, looked.last.is_some())
        };
        assert_eq!((look(true).await, kept(&bed, &id).await.len()), ((5, 3, true), 5));
        assert_eq!((look(false).await, kept(&bed, &id).await.len()), ((5, 3, true), 2));
        assert_eq!(look(false).await, (2, 0, true));
    }

    /// Visible with its reason, without any secret; releasable once.
    async fn a_refused_call_can_be_seen_and_released(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let mut call = github("wrong", "push", "d-1", "{\"ref\": \"main\"}").with("authorization", "Basic aHVudGVyMg==").with("x-token", "hunter2");
        call.query = "key=hunter2".to_owned();
        bed.call(&id, &call).await.expect(401);
        let rows = kept(&bed, &id).await;
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!((&row["reason"], &row["sourceId"], &row["remoteAddress"]), (&json!("invalid_signature"), &json!(id), &json!("192.0.2.1")));
        assert_eq!((&row["query"], &row["bodyBytes"], &row["releasable"]), (&json!("key=***"), &json!(15), &json!(true)));
        assert_eq!((&row["headers"]["x-github-event"], &row["headers"]["authorization"], &row["headers"]["x-token"]), (&json!("push"), &json!("***"), &json!("***")));
        assert_eq!(row.get("body"), None);
        let call_id = row["id"].as_str().unwrap();
        let one = bed.api("GET", &format!("/{id}/quarantine/{call_id}"), None).await.expect(200);
        assert_eq!(one.json()["body"], "{\"ref\": \"main\"}");
        assert!(!one.text().contains("hunter2") && !one.text().contains("aHVudGVyMg"), "{}", one.text());
        bed.wait(5);
        let released = bed.api("POST", &format!("/{id}/quarantine/{call_id}/release"), None).await.expect(200).json();
        assert_eq!(released, json!({"events": [format!("{id}:d-1")], "repeated": 0, "filtered": 0}));
        let stored = bed.inbound().await;
        assert_eq!((stored[0].event_type.as_str(), stored[0].data.as_str()), ("inbound.github.push", "{\"ref\": \"main\"}"));
        bed.api("POST", &format!("/{id}/quarantine/{call_id}/release"), None).await.expect(404);
        assert_eq!(kept(&bed, &id).await.len(), 0);
        // The vendor's own repetition, good now, adds nothing.
        let again = bed.call(&id, &github("s", "push", "d-1", "{\"ref\": \"main\"}")).await.expect(200).json();
        assert_eq!((&again["repeated"], bed.inbound().await.len()), (&json!(1), 1));
        assert!(bed.audited().await.contains(&"quarantined_call.release".to_owned()));
    }

    async fn every_reason_is_told(bed: Bed) {
        let github_id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        bed.call(&github_id, &Call::new("{}", &[])).await.expect(401);
        let bearer = bed.source(json!({"provider": "bearer", "secret": "s"})).await;
        bed.call(&bearer, &Call::new("{}", &[("authorization", "Bearer x")])).await.expect(401);
        let stripe = bed.source(json!({"provider": "stripe", "secret": "s"})).await;
        bed.call(&stripe, &crate::signing::stripe("s", bed.seconds() - 600, "{}")).await.expect(401);
        let sendgrid = bed.source(json!({"provider": "sendgrid"})).await;
        bed.call(&sendgrid, &Call::new("[]", &[])).await.expect(401);
        let timed = bed.source(json!({"provider": "generic-hmac", "secret": "s", "settings": {"timestampHeader": "x-at"}})).await;
        bed.call(&timed, &generic("s", "{}")).await.expect(401);
        for (id, reason) in [(github_id, "missing_signature"), (bearer, "invalid_credential"), (stripe, "stale_timestamp"), (sendgrid, "no_secret"), (timed, "invalid_timestamp")] {
            let rows = kept(&bed, &id).await;
            assert_eq!((rows.len(), &rows[0]["reason"]), (1, &json!(reason)));
            assert!(rows[0]["detail"].as_str().unwrap().len() > 20);
        }
    }

    /// Rows a minute, rows in all, bytes, days: all have an end; and a good call still comes through.
    async fn strangers_cannot_fill_the_disk(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let forged = github("wrong", "push", "1", "{}");
        let mut answers = std::collections::BTreeMap::new();
        for _ in 0..130 {
            *answers.entry(bed.call(&id, &forged).await.status.as_u16()).or_insert(0) += 1;
        }
        assert_eq!(answers, [(401, 120), (429, 10)].into(), "from one address");
        assert_eq!(kept(&bed, &id).await.len(), 8);
        for n in 0..40 {
            bed.call(&id, &forged.clone().from(IpAddr::from([198, 51, 100, n]))).await.expect(401);
        }
        assert_eq!(kept(&bed, &id).await.len(), 20);
        let good = github("s", "push", "good", "{}").from(IpAddr::from([198, 51, 100, 7]));
        bed.call(&id, &good).await.expect(200);
        for minute in 0..7 {
            bed.wait(60);
            for n in 0..25 {
                bed.call(&id, &forged.clone().from(IpAddr::from([203, 0, minute, n]))).await.expect(401);
            }
        }
        assert_eq!(kept(&bed, &id).await.len(), 100);
        assert_eq!(bed.rows("quarantined_calls").await, 100);
        bed.call(&id, &github("s", "push", "2", "{}")).await.expect(200);
        bed.api("DELETE", &format!("/{id}/quarantine"), None).await.expect(204);
        assert_eq!(bed.rows("quarantined_calls").await, 0);
    }

    /// An address that does not exist costs a look-up now and then, and no row.
    async fn an_unknown_source_costs_nothing(bed: Bed) {
        let call = github("s", "push", "1", "{}");
        let mut refused = 0;
        for n in 0..310_u64 {
            let id = format!("src_{n:0>26}");
            let status = bed.call(&id, &call).await.status.as_u16();
            assert!(status == 404 || (status == 429 && n >= 300), "{n}: {status}");
            refused += u32::from(status == 429);
        }
        assert_eq!(refused, 10);
        assert_eq!((bed.rows("quarantined_calls").await, bed.stored().await.len()), (0, 0));
        // From another address, and for a source that is known, calls still come in.
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let elsewhere = call.clone().from(IpAddr::from([198, 51, 100, 1]));
        // On PostgreSQL the notice of its creation may come late and cost one more look-up, which only the other address still has.
        let known = || async {
            bed.call(&id, &elsewhere).await.expect(200);
            (bed.call(&id, &call).await.status.as_u16() == 200).then_some(())
        };
        testkit::wait::until("the known source answers", std::time::Duration::from_secs(10), known).await;
    }

    async fn a_long_body_is_kept_in_part(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        let body = format!("\"{}\"", "x".repeat(100_000));
        bed.call(&id, &github("wrong", "push", "1", &body)).await.expect(401);
        let row = kept(&bed, &id).await.remove(0);
        assert_eq!((&row["truncated"], &row["bodyBytes"], &row["releasable"]), (&json!(true), &json!(100_002), &json!(false)));
        let path = format!("/{id}/quarantine/{}", row["id"].as_str().unwrap());
        assert_eq!(bed.api("GET", &path, None).await.json()["body"].as_str().unwrap().len(), 64 * 1024);
        assert_eq!(bed.api("POST", &format!("{path}/release"), None).await.expect(409).json()["code"], "call_not_releasable");
        bed.api("DELETE", &path, None).await.expect(204);
        bed.api("DELETE", &path, None).await.expect(404);
    }

    async fn after_two_weeks_it_is_gone(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        bed.call(&id, &github("wrong", "push", "1", "{}")).await.expect(401);
        bed.wait(14 * 86_400 + 1);
        assert_eq!(kept(&bed, &id).await.len(), 0);
        bed.call(&id, &github("wrong", "push", "2", "{}")).await.expect(401);
        assert_eq!(bed.rows("quarantined_calls").await, 1, "the next one makes room");
    }

    /// The tenant is told, at most once a minute for a source.
    async fn a_rejection_is_an_operational_event(bed: Bed) {
        let id = bed.source(json!({"provider": "github", "secret": "s"})).await;
        for _ in 0..3 {
            bed.call(&id, &github("wrong", "push", "1", "{}")).await.expect(401);
        }
        let told = async || bed.stored().await.into_iter().filter(|event| event.event_type == "source.rejected").collect::<Vec<_>>();
        let first = told().await;
        assert_eq!(first.len(), 1);
        let data: Value = serde_json::from_str(&first[0].data).unwrap();
        assert_eq!((&data["sourceId"], &data["provider"], &data["reason"]), (&json!(id), &json!("github"), &json!("invalid_signature")));
        bed.wait(60);
        bed.call(&id, &github("wrong", "push", "1", "{}")).await.expect(401);
        assert_eq!(told().await.len(), 2);
    }
}
