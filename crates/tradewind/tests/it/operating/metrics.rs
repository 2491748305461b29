//! `/metrics` of a working server.

use std::collections::BTreeMap;

use telemetry::CATALOGUE;
use testkit::http::Client;
use testkit::receiver::{Answer, Receiver};
use testkit::wait;

use crate::world::{SOON, World, lead, received};

/// Every sample by its name with labels.
async fn scrape(world: &World) -> (String, BTreeMap<String, f64>) {
    let answer = Client::new(world.server.admin_base()).get("/metrics").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = answer.text();
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let samples = samples.map(|line| line.rsplit_once(' ').unwrap()).map(|(name, value)| (name.to_owned(), value.parse().unwrap()));
    (text.clone(), samples.collect())
}

testkit::engines! {
    async fn a_working_server_counts_what_it_does(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let receiver = Receiver::start();
        receiver.answer(Answer::status(503));
        tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
        for _ in 0..200 {
            key.http.get("/api/v1/leads").await.assert_status(200);
        }
        key.http.post("/api/v1/leads", &lead("Ada")).await.assert_status(201);
        key.http.get("/api/v1/leads/999").await.assert_status(404);
        world.server.client().bearer("tw_live_nothing").get("/api/v1/leads").await.assert_status(401);
        received(&receiver, 1).await;
        let (text, samples) = wait::until("a delivery in the queue", SOON, async || {
            let (text, samples) = scrape(&world).await;
            let tried = samples.contains_key("tradewind_delivery_attempts_total{outcome=\"failed\"}");
            (tried && samples["tradewind_queue_pending"] >= 1.0).then_some((text, samples))
        })
        .await;
        let at_least = |name: &str, least: f64| {
            let found = samples.get(name).unwrap_or_else(|| panic!("no {name} in\n{text}"));
            assert!(*found >= least, "{name} is {found}, not {least}");
        };
        at_least("tradewind_requests_total{status=\"2xx\"}", 201.0);
        at_least("tradewind_requests_total{status=\"4xx\"}", 2.0);
        at_least("tradewind_gate_seconds_count{phase=\"whole\"}", 203.0);
        at_least("tradewind_gate_seconds_bucket{phase=\"whole\",le=\"+Inf\"}", 203.0);
        // One in sixteen by chance: that none of two hundred is, happens once in 400,000 runs.
        for phase in ["authenticate", "limit", "operation"] {
            at_least(&format!("tradewind_gate_seconds_count{{phase=\"{phase}\"}}"), 1.0);
        }
        at_least("tradewind_credential_cache_total{outcome=\"hit\"}", 200.0);
        at_least("tradewind_credential_cache_total{outcome=\"miss\"}", 1.0);
        at_least("tradewind_delivery_attempts_total{outcome=\"failed\"}", 1.0);
        at_least("tradewind_store_group_size_count", 1.0);
        at_least("tradewind_store_commit_seconds_count", 1.0);
        at_least("tradewind_connections", 1.0);
        at_least("tradewind_disk_free_bytes", 1.0);
        at_least("process_resident_memory_bytes", 1e6);
        at_least("process_cpu_seconds_total", 0.01);
        at_least("process_open_fds", 3.0);
        assert!(samples["tradewind_queue_oldest_seconds"] < 120.0 && samples["tradewind_maintenance"] == 0.0, "{text}");
        let named = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).filter_map(|line| line.split(' ').next());
        for name in named {
            assert!(CATALOGUE.iter().any(|metric| metric.name == name), "{name} is served and not listed");
        }
        // A scrape says nothing of anybody.
        assert!(!text.contains(&tenant.id) && !text.contains(&key.id) && !text.contains("tw_live"), "{text}");
        let outside = world.server.client().get("/metrics").await;
        outside.assert_problem(404, "not_found");
    }
}
