//! The egress proxy from outside: every delivery leaves through it, by vetted address, and its faults are told as its own.

use serde_json::json;
use testkit::Engine;
use testkit::connect_proxy::{Conduct, ConnectProxy};
use testkit::receiver::Receiver;

use crate::world::{World, assert_signed, received, rows, text};

testkit::engines! {
    async fn deliveries_leave_through_the_proxy(engine: Engine) {
        let proxy = ConnectProxy::start(Conduct::Ask("dXNlcjpodXNo".to_owned()));
        let setting = format!("http://user:hush@{}", proxy.address());
        let world = World::start(engine, |settings| settings.set("TRADEWIND_EGRESS_PROXY", &setting));
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        let hook = json!({"url": receiver.url("/"), "events": ["*"], "retryConfig": {"maxRetries": 0}});
        let webhook = tenant.webhook_with(hook).await;
        tenant.publish("lead.created", &json!({"leadId": "1"})).await;
        assert_signed(&received(&receiver, 1).await[0], &webhook.secret);
        assert!(proxy.asked().iter().all(|asked| asked.target == receiver.address().to_string()));
        // What the verdict refuses never reaches the proxy.
        let path = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let refused = tenant.host.post(&path, &json!({"url": "http://169.254.169.254/", "events": ["*"]})).await;
        refused.assert_problem(422, "url_refused");
        drop(proxy);
        // The connection that was open has gone with the proxy: the next attempt finds nobody there.
        let event = text(&tenant.publish("lead.created", &json!({"leadId": "2"})).await["id"]);
        let delivery = tenant.delivery(&event, |row| row["status"] == "failed").await;
        let attempts = tenant.host.get(&format!("/api/v1/deliveries/{}/attempts", text(&delivery["id"]))).await.expect(200).json();
        let attempt = rows(&attempts)[0].to_string();
        assert!(attempt.contains("the egress proxy") && !attempt.contains("hush"), "{attempt}");
        assert_eq!(receiver.count(), 1);
    }
}
