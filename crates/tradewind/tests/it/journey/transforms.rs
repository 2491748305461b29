//! Transforms from outside: the functions run in processes of the served binary.

use serde_json::{Value, json};
use testkit::receiver::Receiver;

use crate::world::{SOON, World, assert_signed, received, rows, text};

/// The attempts of a delivery, once there is one.
async fn attempts(world_key: &testkit::http::Client, delivery: &str) -> Value {
    testkit::wait::until("an attempt's log row", SOON, || async {
        let list = world_key.get(&format!("/api/v1/deliveries/{delivery}/attempts")).await.expect(200).json();
        (!rows(&list).is_empty()).then_some(list)
    })
    .await
}

testkit::engines! {
    async fn a_transform_shapes_what_is_sent_and_signed(world: World) {
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        let source = "function handler(webhook) {
          webhook.body = { text: `Lead ${webhook.body.data.leadId} is here` };
          webhook.method = 'PUT';
          webhook.url += '/shaped';
          webhook.headers['X-Extra'] = 'yes';
          webhook.id = 'forged';
          return webhook;
        }";
        let webhook = tenant.webhook_with(json!({"url": receiver.url("/hook"), "events": ["lead.created"], "transform": source})).await;
        let event = text(&tenant.publish("lead.created", &json!({"leadId": "42"})).await["id"]);
        let came = received(&receiver, 1).await.remove(0);
        assert_signed(&came, &webhook.secret);
        assert_eq!((came.method.as_str(), came.path.as_str()), ("PUT", "/hook/shaped"));
        assert_eq!(came.json(), json!({"text": "Lead 42 is here"}));
        assert_eq!((came.header("x-extra"), came.header("webhook-id")), (Some("yes"), Some(event.as_str())));
        let path = format!("/api/v1/webhooks/{}", webhook.id);
        assert_eq!(tenant.host.get(&path).await.expect(200).json()["transform"], json!(source));

        tenant.host.patch(&path, &json!({"transform": "w => ({ cancel: true })"})).await.assert_status(200);
        let cancelled = text(&tenant.publish("lead.created", &json!({"leadId": "43"})).await["id"]);
        let skipped = tenant.delivery(&cancelled, |row| row["status"] == "skipped").await;
        assert_eq!(skipped["reason"], "cancelled");

        tenant.host.patch(&path, &json!({"transform": null, "content": "thin"})).await.assert_status(200);
        let thin = text(&tenant.publish("lead.created", &json!({"leadId": "44"})).await["id"]);
        let came = received(&receiver, 2).await.remove(1);
        assert_signed(&came, &webhook.secret);
        let place = text(&came.json()["url"]);
        assert!(came.json().get("data").is_none() && place.ends_with(&format!("/api/v1/events/{thin}")), "{place}");
        let place = &place[place.find("/api/").unwrap()..];
        assert_eq!(tenant.host.get(place).await.expect(200).json()["data"], json!({"leadId": "44"}));
    }

    /// What no engine can interrupt is ended with its process; the server and other webhooks go on.
    async fn hostile_transforms_cost_an_attempt(world: World) {
        let (tenant, other) = (world.tenant("Mallory").await, world.tenant("Acme").await);
        let receiver = Receiver::start();
        let hostile = [
            ("w => { for (;;) {} }", "100 ms"),
            ("w => { const all = []; for (;;) all.push('x'.repeat(10000) + all.length) }", "MB of memory"),
            ("w => Array.prototype.reverse.call({ length: 2 ** 53 - 1 })", "was stopped"),
            ("w => ({ body: 'x'.repeat(2e6) })", "larger than"),
        ];
        for (source, _) in hostile {
            let retry = json!({"maxRetries": 0});
            tenant.webhook_with(json!({"url": receiver.url("/no"), "events": ["*"], "transform": source, "name": source, "retryConfig": retry})).await;
        }
        other.webhook_with(json!({"url": receiver.url("/yes"), "events": ["*"], "transform": "w => { w.body = 1; return w }"})).await;
        tenant.publish("lead.created", &json!({"leadId": "1"})).await;
        other.publish("lead.created", &json!({"leadId": "1"})).await;
        let came = received(&receiver, 1).await.remove(0);
        assert_eq!((came.path.as_str(), came.json()), ("/yes", json!(1)));
        let failed = testkit::wait::until("four failed deliveries", SOON, || async {
            let list = tenant.host.get("/api/v1/deliveries?status=failed").await.expect(200).json();
            (rows(&list).len() == hostile.len()).then_some(list)
        });
        let mut said = Vec::new();
        for row in rows(&failed.await) {
            assert_eq!((&row["reason"], &row["attemptCount"]), (&json!("exhausted"), &json!(1)), "{row}");
            let attempts = attempts(&tenant.host, row["id"].as_str().unwrap()).await;
            assert_eq!(rows(&attempts)[0]["errorKind"], "transform", "{attempts}");
            said.push(text(&rows(&attempts)[0]["error"]));
        }
        for (source, part) in hostile {
            assert!(said.iter().any(|text| text.contains(part)), "{source}: {said:?}");
        }
        assert_eq!(receiver.count(), 1);
    }

    async fn a_source_is_checked_and_can_be_tried(world: World) {
        let tenant = world.tenant("Acme").await;
        let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let body = json!({"url": "https://93.184.215.14/", "events": ["*"], "transform": "function handler(w) {\n  return w +;\n}"});
        let refused = tenant.host.post(&path, &body).await.expect(422).json();
        assert_eq!((&refused["code"], &refused["errors"][0]["pointer"]), (&json!("invalid_transform"), &json!("/transform")));
        assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("line 2"), "{refused}");

        let key = tenant.key().await;
        let event = json!({"type": "lead.created", "data": {"firstName": "Ada"}});
        let source = "(w) => { w.body = { hello: w.body.data.firstName }; w.headers[\"x-source\"] = \"demo\"; return w }";
        let input = json!({"transform": source, "event": event, "url": "https://example.com/hook", "httpMethod": "PUT"});
        let tried = key.http.post("/api/v1/transforms/preview", &input).await.expect(200).json();
        assert_eq!((&tried["success"], &tried["request"]["method"], &tried["request"]["body"]), (&json!(true), &json!("PUT"), &json!({"hello": "Ada"})));
        assert_eq!((&tried["request"]["url"], &tried["request"]["headers"]["x-source"]), (&json!("https://example.com/hook"), &json!("***")));
        let failed = key.http.post("/api/v1/transforms/preview", &json!({"transform": "w => {\n  w.a.b }"})).await.expect(200).json();
        assert_eq!((&failed["success"], &failed["error"]["line"]), (&json!(false), &json!(2)), "{failed}");
    }
}
