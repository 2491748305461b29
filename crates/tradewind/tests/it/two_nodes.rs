//! More than one process on the same data.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::receiver::{Answer, Gate, Receiver};
use testkit::server::Server;
use testkit::{Engine, engine, wait};

use crate::world::{SOON, World, received, rows, text};

/// How late another process may notice that a credential is revoked.
const NOTICE: Duration = Duration::from_secs(1);
/// Leases last at most 30 s; after that another node works on.
const TAKE_OVER: Duration = Duration::from_secs(60);

/// A second server on the same database, with the same master key.
pub(crate) fn second(world: &World, dir: &tempfile::TempDir) -> Server {
    let master = "master.key";
    std::fs::copy(world.engine.data_dir().join(master), dir.path().join(master)).unwrap();
    world.server.settings().second_node(dir.path().to_owned()).start()
}

/// Polls until the credential is refused; how long that took.
async fn refused_after(begun: Instant, client: &testkit::http::Client) -> Duration {
    wait::until("the credential's being refused", SOON, || async { (client.get("/api/v1/scopes").await.status == 401).then_some(()) })
        .await;
    begun.elapsed()
}

#[test]
fn a_key_revoked_on_one_node_is_refused_on_the_other_within_a_second() {
    engine::run(Engine::postgres(), async |world: World| {
        let dir = tempfile::tempdir().unwrap();
        let other = second(&world, &dir);
        let tenant = world.tenant("Acme").await;
        for _ in 0..5 {
            let key = tenant.key().await;
            let there = other.client().bearer(&key.token);
            // Known on both, in both caches.
            key.http.get("/api/v1/scopes").await.assert_status(200);
            there.get("/api/v1/scopes").await.assert_status(200);
            tenant.host.delete(&format!("/api/v1/api-keys/{}", key.id)).await.assert_status(204);
            let begun = Instant::now();
            key.http.get("/api/v1/scopes").await.assert_problem(401, "invalid_credential");
            let took = refused_after(begun, &there).await;
            assert!(took < NOTICE, "refused only after {took:?}");
        }
        // The same for a client that is suspended, and for a deleted tenant.
        let key = tenant.key().await;
        let there = other.client().bearer(&key.token);
        there.get("/api/v1/scopes").await.assert_status(200);
        tenant.host.patch(&format!("/api/v1/api-clients/{}", tenant.client), &json!({"status": "suspended"})).await.assert_status(200);
        wait::until("the client's suspension", NOTICE, || async { (there.get("/api/v1/scopes").await.status == 403).then_some(()) }).await;
        world.operator.delete(&format!("/api/v1/tenants/{}", tenant.id)).await.assert_status(204);
        let took = refused_after(Instant::now(), &there).await;
        assert!(took < NOTICE, "refused only after {took:?}");
    });
}

/// Polls every node until it answers so; each must within a second of `begun`.
async fn on_every_node(
    what: &str,
    begun: Instant,
    nodes: &[testkit::http::Client],
    path: &str,
    holds: impl Fn(&testkit::http::Response) -> bool,
) {
    for node in nodes {
        wait::until(what, SOON, || async { holds(&node.get(path).await).then_some(()) }).await;
        assert!(begun.elapsed() < NOTICE, "{what}: only after {:?}", begun.elapsed());
    }
}

#[test]
fn keys_tiers_and_allow_lists_change_on_every_one_of_three_nodes_within_a_second() {
    engine::run(Engine::postgres(), async |world: World| {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let others = [second(&world, &dirs[0]), second(&world, &dirs[1])];
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"rateLimitOverride": null})).await;
        let nodes = [key.http.clone(), others[0].client().bearer(&key.token), others[1].client().bearer(&key.token)];
        let (path, whoami) = (format!("/api/v1/api-keys/{}", key.id), "/api/v1/whoami");
        for node in &nodes {
            node.get(whoami).await.assert_status(200);
        }
        for round in 1..=3 {
            // An allow-list that leaves us out, and is taken back.
            tenant.host.patch(&path, &json!({"allowedIps": ["203.0.113.0/24"]})).await.assert_status(200);
            on_every_node("the allow-list", Instant::now(), &nodes, whoami, |answer| answer.status == 403).await;
            tenant.host.patch(&path, &json!({"allowedIps": null})).await.assert_status(200);
            on_every_node("the open list", Instant::now(), &nodes, whoami, |answer| answer.status == 200).await;
            // A tier with another limit; the client's tier.
            let limits = json!({"requestsPerMinute": 5000 + round, "requestsPerHour": null, "requestsPerDay": null, "burst": null});
            world.operator.put("/api/v1/rate-limits/premium", &limits).await.assert_status(200);
            let client = format!("/api/v1/api-clients/{}", tenant.client);
            tenant.host.patch(&client, &json!({"rateLimitTier": "premium"})).await.assert_status(200);
            let limit = (5000 + round).to_string();
            let has = |answer: &testkit::http::Response| answer.header("x-ratelimit-limit") == Some(limit.as_str());
            on_every_node("the tier", Instant::now(), &nodes, whoami, has).await;
            tenant.host.patch(&client, &json!({"rateLimitTier": "enterprise"})).await.assert_status(200);
            on_every_node("the other tier", Instant::now(), &nodes, whoami, |answer| answer.status == 200 && !has(answer)).await;
            // Off and on again; what a host is told of it, too.
            tenant.host.patch(&path, &json!({"enabled": false})).await.assert_status(200);
            on_every_node("switching off", Instant::now(), &nodes, whoami, |answer| answer.status == 401).await;
            tenant.host.patch(&path, &json!({"enabled": true})).await.assert_status(200);
            on_every_node("switching on", Instant::now(), &nodes, whoami, |answer| answer.status == 200).await;
        }
        tenant.host.delete(&path).await.assert_status(204);
        on_every_node("the revocation", Instant::now(), &nodes, whoami, |answer| answer.status == 401).await;
    });
}

#[test]
fn a_second_server_on_the_same_files_refuses_to_start() {
    engine::run(Engine::sqlite(), async |world: World| {
        let why = world.server.settings().second_node(world.engine.data_dir()).try_start().expect_err("SQLite's files have one server");
        assert!(why.contains("exit status: 1"), "{why}");
        world.operator.get("/api/v1/tenants").await.assert_status(200);
    });
}

#[test]
fn a_webhook_made_on_one_node_gets_the_events_of_the_other() {
    engine::run(Engine::postgres(), async |world: World| {
        let dir = tempfile::tempdir().unwrap();
        let other = second(&world, &dir);
        let tenant = world.tenant("Acme").await;
        let there = other.client().bearer(&world.service_key).with("tradewind-tenant", &tenant.id);
        let receiver = Receiver::start();
        tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
        let begun = Instant::now();
        let published = wait::until("an event that the new webhook gets", SOON, || async {
            let answer = there.post("/api/v1/events", &json!({"type": "lead.created", "data": {"leadId": "1"}})).await.expect(202).json();
            (answer["deliveries"] == 1).then_some(answer)
        })
        .await;
        assert!(begun.elapsed() < NOTICE, "{:?}", begun.elapsed());
        let id = text(&published["id"]);
        let came = received(&receiver, 1).await;
        assert!(came.iter().any(|one| one.header("webhook-id") == Some(&id)));
    });
}

#[test]
fn the_deliveries_of_a_killed_node_are_finished_by_the_other() {
    engine::run(Engine::postgres(), async |mut world: World| {
        let dir = tempfile::tempdir().unwrap();
        let other = second(&world, &dir);
        let tenant = world.tenant("Acme").await;
        let receiver = Receiver::start();
        let gate = Gate::closed();
        receiver.answer(Answer::status(204).held(&gate));
        tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
        let events: Vec<Value> =
            (0..200).map(|n| json!({"type": "lead.created", "id": format!("e{n}"), "data": {"leadId": "1"}})).collect();
        let answer = tenant.host.post("/api/v1/events/batch", &json!({"events": events})).await.expect(202).json();
        assert!(rows(&answer).iter().all(|entry| entry["deliveries"] == 1), "{answer}");
        // Some are under way, and none is answered.
        received(&receiver, 1).await;
        world.server.kill9();
        gate.open();
        let arrived = |all: &[testkit::receiver::Received]| {
            all.iter().filter_map(|one| one.header("webhook-id")).map(str::to_owned).collect::<HashSet<_>>().len() == 200
        };
        wait::until("every event", TAKE_OVER, async || arrived(&receiver.requests()).then_some(())).await;
        let there = other.client().bearer(&world.service_key).with("tradewind-tenant", &tenant.id);
        wait::until("every delivery's end", TAKE_OVER, || async {
            let pending = there.get("/api/v1/deliveries?status=pending&limit=100").await.expect(200).json();
            rows(&pending).is_empty().then_some(())
        })
        .await;
        let (mut delivered, mut query) = (0, "?status=delivered&limit=100".to_owned());
        loop {
            let list = there.get(&format!("/api/v1/deliveries{query}")).await.expect(200).json();
            delivered += rows(&list).len();
            match list["pagination"]["nextCursor"].as_str() {
                Some(cursor) => query = format!("?status=delivered&limit=100&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(delivered, 200, "each delivery has ended once");
    });
}

testkit::engines! {
    /// The command line is another process: the running server must notice what it does.
    async fn service_keys_are_made_and_revoked_beside_the_running_server(world: World) {
        let settings = world.server.settings();
        let made = settings.run(&["service-key", "create", "--name", "short-lived"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let token = String::from_utf8(made.stdout).unwrap();
        assert_eq!(token.lines().count(), 1, "standard output has the key and nothing else: {token}");
        let client = world.server.client().bearer(token.trim());
        client.get("/api/v1/tenants").await.assert_status(200);
        let list = settings.run(&["service-key", "list"]);
        let list = String::from_utf8(list.stdout).unwrap();
        assert!(!list.contains(token.trim()), "a list shows no key");
        let line = list.lines().find(|line| line.contains("short-lived")).unwrap_or_else(|| panic!("not listed: {list}"));
        let id = line
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .find(|word| word.starts_with("svc_"))
            .unwrap_or_else(|| panic!("no id: {line}"));
        let begun = Instant::now();
        let revoked = settings.run(&["service-key", "revoke", id]);
        assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
        let ended = Instant::now();
        let took = refused_after(ended, &client).await;
        assert!(took < NOTICE, "refused only {took:?} after the command's end ({:?} after its start)", begun.elapsed());
        world.operator.get("/api/v1/tenants").await.assert_status(200);
        let unknown = settings.run(&["service-key", "revoke", "svc_00000000000000000000000000"]);
        assert_eq!(unknown.status.code(), Some(1), "{}", String::from_utf8_lossy(&unknown.stderr));
        assert_eq!(settings.run(&["service-key", "revoke"]).status.code(), Some(2), "wrong usage");
    }
}
