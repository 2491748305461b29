//! Who is at the door and how often, as the real server sees it: addresses behind proxies, guesses, limits across servers, quotas.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::http::{Client, Response};
use testkit::{Engine, engine, redis, wait};

use crate::world::{SOON, World, rows};

const PATH: &str = "/api/v1/scopes";
const PARTNER: &str = "203.0.113.7";

async fn said(who: &Client, header: &str, value: &str) -> Response {
    who.request("GET".parse().unwrap(), PATH).header(header, value).send().await
}

/// Without trusted proxies, behind one that is not this test, and behind this test.
#[test]
fn a_spoofed_address_never_passes_an_allow_list() {
    for (proxies, believed) in [(None, false), (Some("10.0.0.0/8,2001:db8::/32"), false), (Some("127.0.0.0/8,::1/128"), true)] {
        engine::run(Engine::sqlite(), async |engine: Engine| {
            let world = World::start(engine, |settings| match proxies {
                Some(networks) => settings.set("TRADEWIND_TRUSTED_PROXIES", networks),
                None => settings,
            });
            let tenant = world.tenant("Acme").await;
            let key = tenant.key_with(json!({"allowedIps": [PARTNER]})).await;
            key.http.get(PATH).await.assert_problem(403, "ip_not_allowed");
            for value in [format!("{PARTNER}, 198.51.100.1"), format!("{PARTNER}, unknown"), "127.0.0.1".into(), "".into()] {
                said(&key.http, "x-forwarded-for", &value).await.assert_problem(403, "ip_not_allowed");
            }
            for header in ["forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"] {
                let value = if header == "forwarded" { format!("for={PARTNER}") } else { PARTNER.to_owned() };
                said(&key.http, header, &value).await.assert_problem(403, "ip_not_allowed");
            }
            let one = said(&key.http, "x-forwarded-for", PARTNER).await;
            let chain = said(&key.http, "x-forwarded-for", &format!("198.51.100.1, {PARTNER}, 127.0.0.1")).await;
            assert_eq!((one.status == 200, chain.status == 200), (believed, believed), "{proxies:?}");
            let logged = wait::until("twelve calls in the log", SOON, async || {
                let logged = tenant.host.get("/api/v1/request-logs?limit=100").await.expect(200).json();
                let of_key = |row: &&Value| row["apiKeyId"] == key.id.as_str();
                let addresses: Vec<Value> = rows(&logged).iter().filter(of_key).map(|row| row["ip"].clone()).collect();
                (addresses.len() >= 12).then_some(addresses)
            })
            .await;
            let seen = logged.iter().filter(|ip| **ip == PARTNER).count();
            assert_eq!(seen, if believed { 2 } else { 0 }, "the log shows whom the list was asked about");
        });
    }
}

#[test]
fn guesses_are_limited_by_the_clients_address() {
    engine::run(Engine::sqlite(), async |engine: Engine| {
        let world = World::start(engine, |settings| {
            settings.set("TRADEWIND_TRUSTED_PROXIES", "127.0.0.0/8").set("TRADEWIND_FAILED_AUTH_PER_MINUTE", "5")
        });
        let tenant = world.tenant("Acme").await;
        let good = tenant.key().await;
        said(&good.http, "x-forwarded-for", PARTNER).await.assert_status(200);
        let guess = world.server.client().bearer("tw_live_nonsense");
        for _ in 0..5 {
            said(&guess, "x-forwarded-for", PARTNER).await.assert_problem(401, "invalid_credential");
        }
        let held = said(&guess, "x-forwarded-for", PARTNER).await;
        held.assert_problem(429, "too_many_failures");
        assert!(held.header("retry-after").unwrap().parse::<u64>().unwrap() <= 12);
        said(&guess, "x-forwarded-for", "198.51.100.9").await.assert_problem(401, "invalid_credential");
        said(&good.http, "x-forwarded-for", PARTNER).await.assert_status(200);
    });
}

#[test]
fn servers_share_limits_by_redis_and_say_when_they_cannot() {
    engine::run(Engine::postgres(), async |engine: Engine| {
        let redis = redis::Server::start().unwrap();
        let world = World::start(engine, |settings| settings.set("TRADEWIND_REDIS_URL", redis.url()));
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(world.engine.data_dir().join("master.key"), dir.path().join("master.key")).unwrap();
        let second = world.server.settings().second_node(dir.path().to_owned()).set("TRADEWIND_REDIS_URL", redis.url()).start();
        let nodes = [world.server.client(), second.client()];
        let part = async |node: &Client| node.get("/health/ready").await.expect(200).json()["checks"]["redis"].clone();
        for node in &nodes {
            wait::until("Redis on every node", SOON, async || (part(node).await == "ok").then_some(())).await;
        }
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"rateLimitOverride": {"requests": 30, "window": 86_400_000}})).await;
        let statuses = async |count: usize| {
            let mut found: Vec<u16> = Vec::new();
            for n in 0..count {
                found.push(nodes[n % 2].bearer(&key.token).get(PATH).await.status.as_u16());
            }
            found.iter().filter(|status| **status == 200).count()
        };
        assert_eq!(statuses(60).await, 30);
        drop(redis);
        assert_eq!(statuses(20).await, 0, "each goes on from what it knew");
        for node in &nodes {
            wait::until("degraded, not unready", SOON, async || (part(node).await == "degraded").then_some(())).await;
        }
        let metrics = Client::new(world.server.admin_base()).get("/metrics").await.expect(200).text();
        assert!(metrics.lines().any(|line| line == "tradewind_limits_redis_up 0"), "{metrics}");
        nodes[0].bearer(&world.service_key).get(PATH).await.assert_status(200);
    });
}

testkit::engines! {
    async fn a_quota_is_remembered_by_a_server_that_stops(world: World) {
        let mut world = world;
        let tenant = world.tenant("Acme").await;
        let client = format!("/api/v1/api-clients/{}", tenant.client);
        let shown = tenant.host.patch(&client, &json!({"monthlyQuota": {"limit": 10, "refillDay": 31}})).await.expect(200).json();
        assert_eq!(shown["monthlyQuota"], json!({"limit": 10, "refillDay": 31}));
        let key = tenant.key().await;
        for _ in 0..6 {
            key.http.get(PATH).await.assert_status(200);
        }
        assert!(world.server.terminate().success());
        world.server.restart();
        for _ in 0..4 {
            key.http.get(PATH).await.assert_status(200);
        }
        let refused = key.http.get(PATH).await;
        refused.assert_problem(429, "quota_exceeded");
        assert_eq!(refused.json()["violatedPolicies"], json!(["month"]));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=31 * 86_400).contains(&wait), "{wait}");
        // The operator gives more, at once; the partner itself cannot.
        let own = tenant.key_with(json!({"clientId": tenant.client})).await;
        assert_ne!(own.http.patch(&client, &json!({"monthlyQuota": null})).await.status, 200);
        tenant.host.patch(&client, &json!({"monthlyQuota": {"limit": 100}})).await.assert_status(200);
        let admitted = async || (key.http.get(PATH).await.status == 200).then_some(());
        wait::until("the new quota", Duration::from_secs(5), admitted).await;
    }

    async fn pages_of_allowed_origins_may_call(world: World) {
        let tenant = world.tenant("Acme").await;
        let client = format!("/api/v1/api-clients/{}", tenant.client);
        let page = "https://app.example.com";
        tenant.host.patch(&client, &json!({"allowedOrigins": [page]})).await.assert_status(200);
        let key = tenant.key().await;
        let options = async |origin: &str| {
            let request = world.server.client().request("OPTIONS".parse().unwrap(), "/api/v1/leads").header("origin", origin);
            request.header("access-control-request-method", "POST").header("access-control-request-headers", "authorization").send().await
        };
        let preflight = wait::until("the origin", SOON, async || {
            let answer = options(page).await;
            answer.header("access-control-allow-origin").is_some().then_some(answer)
        })
        .await;
        assert_eq!((preflight.status.as_u16(), preflight.header("access-control-allow-origin")), (204, Some(page)));
        assert!(options("https://evil.example.com").await.header("access-control-allow-origin").is_none());
        let answer = said(&key.http, "origin", page).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(page));
        assert!(said(&key.http, "origin", "https://evil.example.com").await.header("access-control-allow-origin").is_none());
        let gone: Value = tenant.host.patch(&client, &json!({"allowedOrigins": []})).await.expect(200).json();
        assert_eq!(gone["allowedOrigins"], json!([]));
        wait::until("no more", SOON, async || said(&key.http, "origin", page).await.header("access-control-allow-origin").is_none().then_some(())).await;
    }
}
