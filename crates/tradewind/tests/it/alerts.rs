//! Alerts from outside: what the tenant's receiver, its Slack channel and the operator's mailbox get.

use serde_json::json;
use testkit::mail::Relay;
use testkit::receiver::{Answer, Receiver};
use testkit::{Bed, Engine, wait};

use crate::world::{SOON, World, assert_signed, received, rows, text};

/// With a relay, and a tenant of the operator's own.
struct Watched {
    world: World,
    relay: Relay,
}

impl Bed for Watched {
    async fn open(engine: Engine) -> Self {
        let relay = Relay::start(None);
        let url = format!("smtp://{}", relay.address());
        let world = World::start(engine, |settings| {
            settings
                .set("TRADEWIND_ALERT_INTERVAL", "1")
                .set("TRADEWIND_SMTP_URL", &url)
                .set("TRADEWIND_MAIL_FROM", "Alerts <alerts@tradewind.example>")
                .set("TRADEWIND_MAIL_DOMAINS", "example.com")
                .set("TRADEWIND_OPERATOR_TENANT", "ext:operations")
        });
        Self { world, relay }
    }
}

testkit::engines! {
    /// A key that is switched off and still used: one alert, to the tenant by webhook and Slack, to the operator by e-mail; acknowledged,
    /// resolved.
    async fn an_alert_reaches_whom_it_concerns(watched: Watched) {
        let Watched { world, relay } = &watched;
        let operations = world.operator.post("/api/v1/tenants", &json!({"name": "Operations", "externalId": "operations"})).await.expect(201).json();
        let host = world.operator.with("tradewind-tenant", &text(&operations["id"]));
        let client = host.post("/api/v1/api-clients", &json!({"name": "Mail"})).await.expect(201).json();
        let hooks = format!("/api/v1/api-clients/{}/webhooks", text(&client["id"]));
        let elsewhere = json!({"destination": {"type": "email", "to": ["ops@elsewhere.example"]}, "events": ["alert.*"]});
        host.post(&hooks, &elsewhere).await.assert_problem(422, "validation_failed");
        let email = json!({"destination": {"type": "email", "to": ["ops@example.com"]}, "events": ["alert.*"], "filter": {"data.severity": "critical"}});
        host.post(&hooks, &email).await.assert_status(201);

        let acme = world.tenant("Acme").await;
        let (receiver, slack) = (Receiver::start(), Receiver::start());
        slack.answer(Answer::status(200).body("ok"));
        let hook = acme.webhook(&receiver.url("/alerts"), &["alert.*"]).await;
        let address = slack.url("/services/T0/B0/hush");
        let body = json!({"destination": {"type": "slack", "incomingWebhookUrl": address}, "events": ["alert.opened"]});
        let made = acme.webhook_with(body).await;
        let shown = acme.host.get(&format!("/api/v1/webhooks/{}", made.id)).await.expect(200);
        assert_eq!(shown.json()["destination"]["incomingWebhookUrl"], "***");

        let set = acme.host.put("/api/v1/alert-rules/failed_authentication", &json!({"threshold": 5})).await.expect(200).json();
        assert_eq!((&set["threshold"], &set["isDefault"], &set["unit"]), (&json!(5.0), &json!(false), &json!("failures")));
        let key = acme.key().await;
        key.http.get("/api/v1/leads").await.assert_status(200);
        acme.host.patch(&format!("/api/v1/api-keys/{}", key.id), &json!({"enabled": false})).await.assert_status(200);
        for _ in 0..25 {
            key.http.get("/api/v1/leads").await.assert_problem(401, "invalid_credential");
        }

        let got = received(&receiver, 1).await.remove(0);
        assert_signed(&got, &hook.secret);
        let event = got.json();
        let data = &event["data"];
        assert_eq!((&data["rule"], &data["subject"], &data["tenantId"]), (&json!("failed_authentication"), &json!(key.id), &json!(acme.id)));
        let message = received(&slack, 1).await.remove(0).json();
        assert!(message["text"].as_str().unwrap().contains(&key.id), "{message}");
        // It is critical once the counts of all calls have been written.
        wait::until("an e-mail", SOON, async || (!relay.messages().is_empty()).then_some(())).await;
        let mail = relay.messages().remove(0);
        assert_eq!((mail.from.as_str(), mail.to.as_slice()), ("alerts@tradewind.example", ["ops@example.com".to_owned()].as_slice()));
        assert!(mail.header("subject").unwrap().contains("failed authentication"), "{}", mail.data);

        let list = acme.host.get("/api/v1/alerts?status=open&rule=failed_authentication").await.expect(200).json();
        assert_eq!(rows(&list).len(), 1, "{list}");
        let path = format!("/api/v1/alerts/{}", text(&rows(&list)[0]["id"]));
        assert_eq!(rows(&acme.host.get("/api/v1/alerts?severity=info").await.expect(200).json()).len(), 0);
        let taken = acme.host.post(&format!("{path}/acknowledge"), &json!({})).await.expect(200).json();
        assert_eq!(taken["status"], "acknowledged");
        let done = acme.host.post(&format!("{path}/resolve"), &json!({})).await.expect(200).json();
        assert_eq!((&done["status"], &done["closedReason"]), (&json!("closed"), &json!("resolved")));
        acme.host.post(&format!("{path}/resolve"), &json!({})).await.assert_problem(409, "alert_closed");
        acme.host.get("/api/v1/alerts?status=nonsense").await.assert_problem(422, "validation_failed");
        acme.host.put("/api/v1/alert-rules/brute_force", &json!({})).await.assert_problem(404, "not_found");
        let types = wait::until("the closing", SOON, async || {
            let types: Vec<String> = receiver.requests().iter().map(|one| text(&one.json()["eventType"])).collect();
            types.contains(&"alert.closed".to_owned()).then_some(types)
        })
        .await;
        assert_eq!(types.iter().filter(|name| *name == "alert.opened").count(), 1, "{types:?}");
        // The operator, who names no tenant, sees everybody's.
        let all = world.operator.get("/api/v1/alerts").await.expect(200).json();
        assert!(rows(&all).iter().any(|alert| alert["tenantId"] == json!(acme.id)), "{all}");
    }

    /// The gate tells of what it refuses: a key over its limits is its tenant's matter, an address that guesses is the operator's.
    async fn what_the_gate_refuses_is_watched(world: World) {
        let acme = world.tenant("Acme").await;
        world.operator.put("/api/v1/alert-rules/brute_force", &json!({"threshold": 5, "severity": "info"})).await.assert_status(200);
        acme.host.put("/api/v1/alert-rules/rate_limit_breaches", &json!({"threshold": 3})).await.assert_status(200);
        let key = acme.key_with(json!({"rateLimitOverride": {"requests": 2, "window": 60_000}})).await;
        for _ in 0..8 {
            key.http.get("/api/v1/leads").await;
            world.server.client().bearer("nobody's key").get("/api/v1/leads").await.assert_problem(401, "invalid_credential");
        }
        let seen = wait::until("two alerts", SOON, async || {
            let all = world.operator.get("/api/v1/alerts?status=open").await.expect(200).json();
            (rows(&all).len() == 2).then_some(all)
        })
        .await;
        let by_rule = |rule: &str| rows(&seen).iter().find(|alert| alert["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {seen}")).clone();
        let (limited, guessed) = (by_rule("rate_limit_breaches"), by_rule("brute_force"));
        assert_eq!((&limited["subject"], &limited["tenantId"]), (&json!(key.id), &json!(acme.id)));
        assert_eq!((&guessed["subject"], &guessed["tenantId"]), (&json!("127.0.0.1"), &json!(null)));
        let path = format!("/api/v1/alerts/{}", text(&guessed["id"]));
        acme.host.get(&path).await.assert_problem(404, "not_found");
        world.operator.get(&path).await.assert_status(200);
    }
}
