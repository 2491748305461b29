//! What calls came to, who did what, and that the log of it is whole: from outside.

use std::time::Duration;

use kernel::{Ambient, Scope};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store};
use testkit::http::Client;

use crate::world::{SOON, World, lead, rows, text};

/// A report, once it has so many calls: rows are on their way for a moment.
async fn counted(client: &Client, path: &str, calls: u64) -> Value {
    testkit::wait::until(&format!("{calls} calls in {path}"), SOON, || async {
        let report = client.get(path).await.expect(200).json();
        (report["totalRequests"] == calls).then_some(report)
    })
    .await
}

/// The database under a running server, by a hand that may write to it.
async fn database(world: &World) -> Store {
    let ambient = Ambient::system();
    let (key, _) = MasterKey::load_or_create(world.server.settings().data_dir(), &ambient).unwrap();
    let database = world.engine.database_url().map_or_else(|| Database::Sqlite(world.engine.data_dir()), Database::Postgres);
    let mut config = Config::new(database, key, ambient, Vec::new());
    config.exclusive = false;
    Store::open(config).await.unwrap()
}

testkit::engines! {
    async fn calls_are_counted_for_tenant_client_and_key(world: World) {
        let tenant = world.tenant("Acme").await;
        let (key, other) = (tenant.key().await, tenant.key().await);
        for _ in 0..5 {
            key.http.get("/api/v1/leads").await.assert_status(200);
        }
        key.http.get("/api/v1/leads/rec_00000000000000000000000000").await.assert_status(404);
        key.http.post("/api/v1/leads", &lead("Ada")).await.assert_status(201);
        other.http.get("/api/v1/leads").await.assert_status(200);
        let own = format!("/api/v1/api-keys/{}/usage?period=24h", key.id);
        let report = counted(&tenant.host, &own, 7).await;
        assert_eq!((&report["successfulRequests"], &report["failedRequests"], &report["groupBy"]), (&json!(6), &json!(1), &json!("hour")));
        assert_eq!(report["topErrorCodes"], json!([{"statusCode": 404, "errorCode": "not_found", "count": 1}]));
        let busiest = &report["requestsByEndpoint"][0];
        assert_eq!((&busiest["endpoint"], &busiest["method"], &busiest["count"]), (&json!("/api/v1/leads"), &json!("GET"), &json!(5)));
        assert!(report["p95ResponseTime"].as_f64().unwrap() > 0.0 && report["requestBytes"].as_u64().unwrap() > 50, "{report}");
        let client = counted(&tenant.host, &format!("/api/v1/api-clients/{}/usage", tenant.client), 8).await;
        assert_eq!(client["requestsByChild"][0]["apiKeyId"], json!(key.id));
        let narrowed = counted(&tenant.host, &format!("/api/v1/usage?apiKeyId={}&status=404", key.id), 1).await;
        assert_eq!(narrowed["requestsByStatus"]["4xx"], 1);
        tenant.host.get("/api/v1/usage?period=7w").await.assert_problem(422, "validation_failed");
        tenant.host.get("/api/v1/usage?groupBy=year").await.assert_problem(422, "validation_failed");

        // A rotated key goes on where it was.
        let rotated = tenant.host.post(&format!("/api/v1/api-keys/{}/rotate", key.id), &json!({"gracePeriodSeconds": 60})).await.expect(201).json();
        let successor = text(&rotated["id"]);
        world.server.client().bearer(&text(&rotated["key"])).get("/api/v1/leads").await.assert_status(200);
        counted(&tenant.host, &format!("/api/v1/api-keys/{successor}/usage"), 8).await;
        let log = tenant.host.get(&format!("/api/v1/request-logs?apiKeyId={}&status=4xx&errorCode=not_found", key.id)).await.expect(200).json();
        let row = &rows(&log)[0];
        assert_eq!((&row["environment"], &row["success"], &row["units"], &row["actor"]), (&json!("production"), &json!(false), &json!(1), &Value::Null));
    }

    async fn what_a_quota_refuses_costs_no_units(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"monthlyQuota": {"limit": 3}})).await;
        for call in 0..6 {
            key.http.get("/api/v1/leads").await.assert_status(if call < 3 { 200 } else { 429 });
        }
        let report = counted(&tenant.host, &format!("/api/v1/api-keys/{}/usage?period=24h", key.id), 6).await;
        assert_eq!((&report["units"], &report["failedRequests"]), (&json!(3), &json!(3)));
    }

    async fn a_dashboard_shows_calls_webhooks_and_limits(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"rateLimitOverride": {"perMinute": 50}})).await;
        let hook = tenant.webhook("http://127.0.0.1:9/", &["lead.converted"]).await;
        key.http.get("/api/v1/leads").await.assert_status(200);
        let path = format!("/api/v1/api-clients/{}/dashboard", tenant.client);
        let board = testkit::wait::until("the call to be counted", SOON, || async {
            let board = tenant.host.get(&path).await.expect(200).json();
            (board["usage"]["totalRequests"] == 1).then_some(board)
        }).await;
        assert_eq!((&board["clientId"], &board["webhooks"][0]["webhookId"]), (&json!(tenant.client), &json!(hook.id)));
        let limits = board["rateLimits"].as_array().unwrap().iter().find(|limits| limits["apiKeyId"] == key.id.as_str()).unwrap();
        let minute = limits["limits"].as_array().unwrap().iter().find(|limit| limit["policy"] == "minute").unwrap();
        assert_eq!((&minute["limit"], &minute["remaining"]), (&json!(50), &json!(49)), "looking costs nothing: {limits}");
        // Who may see usage only sees that much.
        let narrow = tenant.key_scoped(&["analytics:read"]).await;
        let board = narrow.http.get(&path).await.expect(200).json();
        assert_eq!((&board["webhooks"], &board["rateLimits"]), (&Value::Null, &Value::Null));
    }

    async fn lines_for_billing_are_told_by_cursor(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        key.http.get("/api/v1/leads").await.assert_status(200);
        for who in [&world.operator, &tenant.host] {
            let export = who.get("/api/v1/usage/export?cursor=17&limit=5").await.expect(200);
            assert_eq!((export.header("content-type"), export.header("tradewind-next-cursor")), (Some("application/x-ndjson"), Some("17")));
            assert!(export.header("tradewind-closed-until").unwrap().ends_with(":00:00.000Z") && export.body.is_empty(), "the hour is not over");
        }
        key.http.get("/api/v1/usage/export?limit=0").await.assert_problem(422, "validation_failed");
        tenant.key_scoped(&[]).await.http.get("/api/v1/usage/export").await.assert_status(403);
    }

    async fn acts_are_told_with_before_after_and_from_where(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let path = format!("/api/v1/api-keys/{}", key.id);
        let agent = tenant.host.with("user-agent", "audit-test/1");
        let change = agent.request("PATCH".parse().unwrap(), &path).json(&json!({"name": "Renamed"})).send().await.expect(200);
        let log = tenant.host.get(&format!("/api/v1/audit-log?object={}&action=key.*", key.id)).await.expect(200).json();
        let entry = &rows(&log)[0];
        assert_eq!((&entry["action"], &entry["before"], &entry["after"]), (&json!("key.update"), &json!({"name": "A key"}), &json!({"name": "Renamed"})));
        assert_eq!((&entry["userAgent"], &entry["ip"], &entry["actorType"]), (&json!("audit-test/1"), &json!("127.0.0.1"), &json!("service_key")));
        assert_eq!(entry["requestId"].as_str(), change.header("x-request-id"));
        let made = &rows(&log)[1];
        assert_eq!((&made["action"], &made["before"]), (&json!("key.create"), &Value::Null));
        assert!(!log.to_string().contains(&key.token), "no secret in it");
        let hook = tenant.webhook_with(json!({"url": "http://127.0.0.1:9/", "events": ["*"], "auth": {"type": "bearer", "token": "t0p-secret"}})).await;
        let flat = format!("/api/v1/webhooks/{}", hook.id);
        let secret = json!({"auth": {"type": "bearer", "token": "t1p-secret"}, "customHeaders": {"X-Key": "t2p-secret"}, "name": "n"});
        tenant.host.request("PATCH".parse().unwrap(), &flat).json(&secret).send().await.assert_status(200);
        let log = tenant.host.get(&format!("/api/v1/audit-log?object={}", hook.id)).await.expect(200);
        assert!(!log.text().contains("p-secret") && !log.text().contains(&hook.secret), "{}", log.text());
        assert_eq!(rows(&log.json())[0]["after"]["name"], "n");
        // The operator sees its own acts and every tenant's; a tenant's caller does not see the operator's.
        let all = world.operator.get("/api/v1/audit-log?limit=100").await.expect(200).json();
        let actions: Vec<&str> = rows(&all).iter().filter_map(|entry| entry["action"].as_str()).collect();
        assert!(actions.contains(&"tenant.create") && actions.contains(&"key.update"), "{actions:?}");
        let own = tenant.host.get("/api/v1/audit-log?limit=100").await.expect(200).json();
        assert!(rows(&own).iter().all(|entry| entry["tenantId"] == tenant.id.as_str()));
    }

    /// The command, beside a running server: whole, and then altered by a hand.
    async fn verify_log_finds_a_hand_in_the_log(world: World) {
        let tenant = world.tenant("Acme").await;
        tenant.key().await;
        let verify = || world.server.settings().run(&["verify-log"]);
        let output = verify();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.starts_with("The audit log is whole: "), "{said}");
        let store = database(&world).await;
        let chain = tenant.id.clone();
        let alter = "UPDATE audit_log SET actor = 'svc_x' WHERE chain = ?1 AND seq = 2";
        assert_eq!(store.write(Scope::system("test"), move |tx| tx.exec(alter, &[chain.into()])).await.unwrap(), 1);
        let output = verify();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert_eq!(said.trim(), format!("{}: row 2 was altered, or is not the one that was written there", tenant.id));
    }

    /// The log is wiped as a whole while the server runs; and, with what an operator kept elsewhere, an earlier state is told from the present one.
    async fn verify_log_finds_a_log_that_was_wiped(world: World) {
        let tenant = world.tenant("Acme").await;
        tenant.key().await;
        let dir = tempfile::tempdir().unwrap();
        let anchor = dir.path().join("ends.txt");
        let verify = || {
            let output = world.server.settings().run(&["verify-log", "--anchor", &anchor.display().to_string()]);
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
        };
        let (code, said) = verify();
        assert!(code == Some(0) && said.contains("has the ends of 2 chains now"), "{said}");
        tenant.key().await;
        let (code, said) = verify();
        assert_eq!(code, Some(0), "{said}");
        // Somebody knows of a row that this database does not have: that of another installation, or of a later day.
        let kept = std::fs::read_to_string(&anchor).unwrap();
        let later: String = kept.lines().map(|line| if line.starts_with(&tenant.id) { format!("{} 99 {}\n", tenant.id, "ab".repeat(32)) } else { format!("{line}\n") }).collect();
        std::fs::write(&anchor, &later).unwrap();
        let (code, said) = verify();
        assert_eq!((code, std::fs::read_to_string(&anchor).unwrap()), (Some(1), later), "{said}");
        assert!(said.contains(&format!("{}: row 99 is not there any more", tenant.id)), "{said}");
        let store = database(&world).await;
        for table in ["audit_log", "audit_heads", "audit_roots"] {
            store.write(Scope::system("test"), move |tx| tx.exec(&format!("DELETE FROM {table}"), &[])).await.unwrap();
        }
        let lost = "the log's root is missing, or was not written by this installation: the log may have been removed as a whole";
        assert_eq!(verify(), (Some(1), format!("{lost}\n")));
        tenant.key().await;
        assert_eq!(verify(), (Some(1), format!("{lost}\n")), "nor do the next acts heal it");
    }

    /// A server that is killed forgets at most the last moments; what it logged is counted, and nothing twice.
    async fn counts_agree_with_the_log_after_a_kill(world: World) {
        let mut world = world;
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        for _ in 0..40 {
            key.http.get("/api/v1/scopes").await.assert_status(200);
        }
        counted(&tenant.host, &format!("/api/v1/api-keys/{}/usage?period=24h", key.id), 40).await;
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let http = key.http.clone();
            running.spawn(async move { drop(http.request("GET".parse().unwrap(), "/api/v1/scopes").try_send().await) });
        }
        running.join_next().await;
        tokio::time::timeout(Duration::from_millis(300), running.join_all()).await.ok();
        world.server.kill9();
        world.server.restart();
        let report = tenant.host.get(&format!("/api/v1/api-keys/{}/usage?period=24h", key.id)).await.expect(200).json();
        let (mut logged, mut query) = (0, format!("?limit=100&apiKeyId={}", key.id));
        loop {
            let list = tenant.host.get(&format!("/api/v1/request-logs{query}")).await.expect(200).json();
            logged += rows(&list).len() as u64;
            let Some(cursor) = list["pagination"]["nextCursor"].as_str() else { break };
            query = format!("?limit=100&apiKeyId={}&cursor={cursor}", key.id);
        }
        assert!(logged >= 40);
        assert_eq!(report["totalRequests"], logged, "rows and counts commit together");
    }
}
