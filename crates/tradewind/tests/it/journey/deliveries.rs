//! From an event to a receiver, and what is kept of it.

use serde_json::json;
use testkit::receiver::{Answer, Receiver};

use crate::world::{SOON, World, assert_signed, assert_signed_legacy, received, rows, text};

testkit::engines! {
    async fn an_event_arrives_signed_and_is_listed(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let receiver = Receiver::start();
        let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let made = key.http.post(&path, &json!({"url": receiver.url("/hook"), "events": ["lead.*"], "name": "Mine"})).await.expect(201);
        let webhook = made.json();
        let (id, secret) = (text(&webhook["id"]), text(&webhook["secret"]));
        assert!(id.starts_with("wh_") && secret.starts_with("whsec_"), "{webhook}");
        assert!(made.header("location").is_some_and(|place| place.ends_with(&id)), "{:?}", made.headers);
        let seen = key.http.get(&format!("{path}/{id}")).await.expect(200).json();
        assert_eq!((&seen["id"], &seen["url"], seen.get("secret")), (&webhook["id"], &webhook["url"], None), "the secret is shown once");

        let event = json!({"type": "lead.created", "id": "order-1", "data": {"leadId": "1", "weird": "ü☃\"\\/\u{1F600}"}});
        let published = tenant.host.post("/api/v1/events", &event).await.expect(202).json();
        assert_eq!(published, json!({"id": "order-1", "type": "lead.created", "deliveries": 1}));

        let came = received(&receiver, 1).await.remove(0);
        assert_signed(&came, &secret);
        assert_signed_legacy(&came, "x-webhook-signature", &secret);
        assert_eq!((came.method.as_str(), came.path.as_str()), ("POST", "/hook"));
        assert_eq!((came.header("webhook-id"), came.header("x-webhook-id")), (Some("order-1"), Some("order-1")));
        assert_eq!((came.header("x-webhook-event"), came.header("content-type")), (Some("lead.created"), Some("application/json")));
        let at = came.header("x-webhook-timestamp").unwrap();
        assert!(at.ends_with('Z') && at.contains('T'), "{at}");
        let body = came.json();
        assert_eq!((&body["id"], &body["eventType"], &body["version"]), (&json!("order-1"), &json!("lead.created"), &json!("1.0")));
        assert_eq!(body["data"], event["data"]);
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "eventType", "timestamp", "data", "version"]);

        let delivery = tenant.delivery("order-1", |row| row["status"] == "delivered").await;
        let delivery_id = text(&delivery["id"]);
        assert!(delivery_id.starts_with("dlv_"), "{delivery}");
        assert_eq!(
            (&delivery["webhookId"], &delivery["eventType"], &delivery["attemptCount"]),
            (&json!(id), &json!("lead.created"), &json!(1))
        );
        assert!(delivery["deliveredAt"].is_string() && delivery["nextRetryAt"].is_null(), "{delivery}");
        let one = key.http.get(&format!("/api/v1/deliveries/{delivery_id}")).await.expect(200).json();
        assert_eq!((&one["id"], &one["status"]), (&delivery["id"], &json!("delivered")));
        for list in [format!("/api/v1/webhooks/{id}/deliveries"), format!("{path}/{id}/deliveries")] {
            let list = key.http.get(&list).await.expect(200).json();
            assert_eq!(rows(&list).iter().map(|row| &row["id"]).collect::<Vec<_>>(), [&delivery["id"]], "{list}");
        }
        let attempts = testkit::wait::until("the attempt's log row", SOON, || async {
            let list = key.http.get(&format!("/api/v1/deliveries/{delivery_id}/attempts")).await.expect(200).json();
            (!rows(&list).is_empty()).then_some(list)
        })
        .await;
        assert_eq!(rows(&attempts).len(), 1, "{attempts}");
        assert_eq!(rows(&attempts)[0]["statusCode"], 204, "{attempts}");
        let stored = tenant.host.get("/api/v1/events/order-1").await.expect(200).json();
        assert_eq!((&stored["data"], &stored["deliveries"]), (&event["data"], &json!(1)));
    }

    async fn a_failed_delivery_is_kept_and_can_be_retried(world: World) {
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        receiver.answer(Answer::status(500).body("out of order"));
        let retry = json!({"maxRetries": 0});
        let webhook = tenant.webhook_with(json!({"url": receiver.url("/"), "events": ["lead.created"], "retryConfig": retry})).await;
        let event = text(&tenant.publish("lead.created", &json!({"leadId": "1"})).await["id"]);
        let failed = tenant.delivery(&event, |row| row["status"] == "failed").await;
        assert_eq!((&failed["reason"], &failed["attemptCount"]), (&json!("exhausted"), &json!(1)), "{failed}");
        let id = text(&failed["id"]);
        let undelivered = tenant.host.get("/api/v1/undelivered").await.expect(200).json();
        assert!(rows(&undelivered).iter().any(|row| row["id"] == failed["id"]), "{undelivered}");

        receiver.answer(Answer::status(200));
        tenant.host.post(&format!("/api/v1/deliveries/{id}/retry"), &json!({})).await.assert_status(202);
        let delivered = tenant.delivery(&event, |row| row["status"] == "delivered").await;
        assert_eq!(delivered["id"], failed["id"]);
        let came = receiver.requests();
        assert_eq!(came.len(), 2);
        for request in &came {
            assert_signed(request, &webhook.secret);
            assert_eq!((request.header("webhook-id"), &request.body), (Some(event.as_str()), &came[0].body), "the same on every attempt");
        }
        let undelivered = tenant.host.get("/api/v1/undelivered").await.expect(200).json();
        assert!(rows(&undelivered).iter().all(|row| row["id"] != failed["id"]), "{undelivered}");
        let attempts = testkit::wait::until("both attempts' log rows", SOON, || async {
            let list = tenant.host.get(&format!("/api/v1/deliveries/{id}/attempts")).await.expect(200).json();
            (rows(&list).len() == 2).then_some(list)
        })
        .await;
        let mut codes: Vec<i64> = rows(&attempts).iter().map(|row| row["statusCode"].as_i64().unwrap()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [200, 500]);
    }

    async fn a_test_delivery_is_sent_on_demand(world: World) {
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        let webhook = tenant.webhook(&receiver.url("/t"), &["lead.created"]).await;
        let answer = tenant.host.post(&format!("/api/v1/webhooks/{}/test", webhook.id), &json!({})).await;
        let result = answer.expect(200).json();
        assert_eq!((&result["success"], &result["responseCode"]), (&json!(true), &json!(204)), "{result}");
        let came = received(&receiver, 1).await.remove(0);
        assert_signed(&came, &webhook.secret);
        assert_signed_legacy(&came, "x-webhook-signature", &webhook.secret);
        assert_eq!(came.header("x-webhook-event"), Some("test.webhook"));
        assert_eq!(came.json()["data"]["test"], true);
        receiver.answer(Answer::status(500).body("broken"));
        let answer = tenant.host.post(&format!("/api/v1/webhooks/{}/test", webhook.id), &json!({})).await;
        let result = answer.expect(200).json();
        assert_eq!((&result["success"], &result["responseCode"], &result["responseBody"]), (&json!(false), &json!(500), &json!("broken")));
    }

    async fn an_event_id_is_taken_once(world: World) {
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        tenant.webhook(&receiver.url("/"), &["*"]).await;
        let event = json!({"type": "lead.created", "id": "once", "data": {"leadId": "1"}});
        let first = tenant.host.post("/api/v1/events", &event).await.expect(202).json();
        let again = tenant.host.post("/api/v1/events", &event).await.expect(202).json();
        assert_eq!(first, again);
        let batch =
            json!({"events": [event, {"type": "no.such", "data": {}}, {"type": "lead.updated", "id": "last", "data": {"leadId": "2"}}]});
        let answer = tenant.host.post("/api/v1/events/batch", &batch).await.expect(202).json();
        let entries = rows(&answer);
        assert_eq!((entries.len(), &entries[0]["id"], &entries[2]["id"]), (3, &json!("once"), &json!("last")), "{answer}");
        assert_eq!((&entries[1]["error"]["code"], &entries[1]["error"]["status"]), (&json!("unknown_event_type"), &json!(422)), "{answer}");
        let came = received(&receiver, 2).await;
        tenant.delivery("once", |row| row["status"] == "delivered").await;
        assert_eq!(came.iter().filter(|one| one.header("webhook-id") == Some("once")).count(), 1);
        assert_eq!(came.len(), 2);
    }
}
