//! `tradewind maintenance on / off`.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::http::Client;
use testkit::receiver::Receiver;
use testkit::wait;

use crate::world::{SOON, World, received};

/// How late a server may notice.
const NOTICE: Duration = Duration::from_secs(1);

fn switch(world: &World, arguments: &[&str]) -> String {
    let output = world.server.settings().run(&[&["maintenance"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

testkit::engines! {
    async fn partners_wait_and_everything_else_goes_on(world: World) {
        let mut world = world;
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let receiver = Receiver::start();
        tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
        key.http.get("/api/v1/leads").await.assert_status(200);
        assert!(switch(&world, &["status"]).contains("off"));
        assert!(switch(&world, &["on", "--retry-after", "120", "--message", "Back at noon."]).contains("Retry-After: 120"));
        let ended = Instant::now();
        let refused = wait::until("maintenance", SOON, async || {
            let answer = key.http.get("/api/v1/leads").await;
            (answer.status == 503).then_some(answer)
        })
        .await;
        assert!(ended.elapsed() < NOTICE, "{:?}", ended.elapsed());
        refused.assert_problem(503, "maintenance");
        assert_eq!((refused.header("retry-after"), &refused.json()["detail"]), (Some("120"), &json!("Back at noon.")));
        key.http.post("/api/v1/events", &json!({"type": "lead.created", "data": {"leadId": "1"}})).await.assert_status(503);
        // A stranger learns nothing by it.
        world.server.client().bearer("tw_live_nothing").get("/api/v1/leads").await.assert_status(401);
        // Operators and host backends, their deliveries, health and metrics.
        world.operator.get("/api/v1/tenants").await.assert_status(200);
        tenant.publish("lead.created", &json!({"leadId": "1"})).await;
        received(&receiver, 1).await;
        world.server.client().get("/health/ready").await.assert_status(200);
        let metrics = Client::new(world.server.admin_base()).get("/metrics").await.expect(200).text();
        assert!(metrics.contains("tradewind_maintenance 1") && metrics.contains("tradewind_maintenance_refusals_total"), "{metrics}");
        world.server.terminate();
        world.server.restart();
        let key = world.server.client().bearer(&key.token);
        key.get("/api/v1/leads").await.assert_problem(503, "maintenance");
        switch(&world, &["off"]);
        wait::until("its end", NOTICE, async || (key.get("/api/v1/leads").await.status == 200).then_some(())).await;
    }
}
