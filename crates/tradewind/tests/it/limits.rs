//! Rate limits as a partner meets them: every window at once, the fields that tell about them, and the way back in.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::http::{Client, Response};
use testkit::wait;

use crate::world::{World, assert_is_problem};

const PATH: &str = "/api/v1/scopes";

/// Calls until the first refusal: how many were admitted, in how long, and the refusal. Panics if there is none in `most` calls.
async fn until_refused(who: &Client, most: u32) -> (u32, Duration, Response) {
    let begun = Instant::now();
    for admitted in 0..most {
        let answer = who.get(PATH).await;
        if answer.status == 429 {
            return (admitted, begun.elapsed(), answer);
        }
        answer.assert_status(200);
    }
    panic!("none of {most} calls was refused");
}

fn number(answer: &Response, header: &str) -> u64 {
    let text = answer.header(header).unwrap_or_else(|| panic!("no {header} in {:?}", answer.headers));
    text.parse().unwrap_or_else(|_| panic!("{header}: {text}"))
}

/// `r=` and `t=` of a policy in the `RateLimit` field.
fn field(answer: &Response, policy: &str) -> (u64, u64) {
    let text = answer.header("ratelimit").unwrap_or_else(|| panic!("no RateLimit in {:?}", answer.headers));
    let item = text
        .split(',')
        .map(str::trim)
        .find(|item| item.starts_with(&format!("\"{policy}\"")))
        .unwrap_or_else(|| panic!("no {policy} in {text}"));
    let value = |name: &str| {
        let found = item.split(';').find_map(|part| part.trim().strip_prefix(name));
        found.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {item}"))
    };
    (value("r="), value("t="))
}

testkit::engines! {
    async fn each_tier_admits_its_burst_and_then_its_pace(world: World) {
        let tenant = world.tenant("Acme").await;
        for (tier, per_minute, burst) in [("basic", 60, 10), ("standard", 120, 20), ("premium", 300, 50), ("enterprise", 600, 100)] {
            let client = tenant.host.post("/api/v1/api-clients", &json!({"name": tier, "rateLimitTier": tier})).await.expect(201).json();
            let key = tenant.key_with(json!({"clientId": client["id"], "rateLimitOverride": null})).await;
            let (admitted, took, refused) = until_refused(&key.http, per_minute).await;
            let refilled = u32::try_from(took.as_millis()).unwrap() * per_minute / 60_000 + 1;
            assert!((burst..=burst + refilled).contains(&admitted), "{tier}: {admitted} admitted in {took:?}");
            assert_is_problem(tier, &refused);
            refused.assert_problem(429, "rate_limited");
            assert_eq!(number(&refused, "retry-after"), 1, "{tier}: the next one is refilled within a second");
            let other = tenant.key_with(json!({"clientId": client["id"], "rateLimitOverride": null})).await;
            other.http.get(PATH).await.assert_status(200);
        }
    }

    async fn the_fields_tell_of_every_window(world: World) {
        let tenant = world.tenant("Acme").await;
        let client = tenant.host.post("/api/v1/api-clients", &json!({"name": "Basic", "rateLimitTier": "basic"})).await.expect(201).json();
        let key = tenant.key_with(json!({"clientId": client["id"], "rateLimitOverride": null})).await;
        let first = key.http.get(PATH).await.expect(200);
        let policy = first.header("ratelimit-policy").unwrap();
        assert_eq!(policy, "\"burst\";q=10;w=10, \"minute\";q=60;w=60, \"hour\";q=1000;w=3600, \"day\";q=10000;w=86400");
        for (name, left, most) in [("burst", 9, 10), ("minute", 59, 60), ("hour", 999, 3600), ("day", 9999, 86_400)] {
            let (remaining, reset) = field(&first, name);
            assert_eq!(remaining, left, "{name}");
            assert!(reset <= most, "{name} resets in {reset} s");
        }
        assert_eq!(
            (number(&first, "x-ratelimit-limit"), number(&first, "x-ratelimit-remaining")),
            (60, 59),
            "the window nearest to its end"
        );
        let reset = first.header("x-ratelimit-reset").unwrap();
        assert!(reset.len() == 24 && reset.ends_with('Z'), "{reset}");
        let second = key.http.get("/api/v1/leads/rec_00000000000000000000000000").await.expect(404);
        assert!(number(&second, "x-ratelimit-remaining") <= 58 && field(&second, "day").0 <= 9998, "failures count, and carry the fields");
        assert!(world.server.client().get(PATH).await.expect(401).header("x-ratelimit-limit").is_none());
    }

    async fn a_refused_key_is_admitted_when_the_answer_said_so(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"rateLimitOverride": {"requests": 5, "window": 1000}})).await;
        // A window that slides in two cells may admit some twice across an edge, and no more.
        let (admitted, _, refused) = until_refused(&key.http, 30).await;
        assert!((5..=10).contains(&admitted), "{admitted}");
        assert_eq!(refused.header("ratelimit-policy"), Some("\"custom\";q=5;w=1"));
        assert_eq!(field(&refused, "custom").0, 0);
        let announced = Duration::from_secs(number(&refused, "retry-after"));
        assert!(announced <= Duration::from_secs(1), "{announced:?}");
        let begun = Instant::now();
        let admitted = async || (key.http.get(PATH).await.status == 200).then_some(());
        wait::until("the key's being admitted again", Duration::from_secs(5), admitted).await;
        // A window's quota that is partly back is enough for one.
        assert!(begun.elapsed() <= announced + Duration::from_millis(900), "{:?} for an announced {announced:?}", begun.elapsed());
    }

    async fn the_hour_and_the_day_hold_beside_the_minute(world: World) {
        let tenant = world.tenant("Acme").await;
        for (own, policy, window) in [
            (json!({"perMinute": 1000, "perHour": 7, "burst": 1000}), "hour", 3600),
            (json!({"perMinute": 1000, "perHour": 1000, "perDay": 7, "burst": 1000}), "day", 86_400),
        ] {
            let key = tenant.key_with(json!({"rateLimitOverride": own})).await;
            let (admitted, _, refused) = until_refused(&key.http, 20).await;
            assert_eq!(admitted, 7, "{policy}");
            let wait = number(&refused, "retry-after");
            assert!((1..=2 * window).contains(&wait), "{policy}: {wait}");
            assert_eq!(field(&refused, policy).0, 0);
            assert_eq!((number(&refused, "x-ratelimit-limit"), number(&refused, "x-ratelimit-remaining")), (7, 0));
            assert!(refused.text().contains(policy), "{}", refused.text());
            let minute = field(&refused, "minute").0;
            key.http.get(PATH).await.assert_status(429);
            assert!(field(&key.http.get(PATH).await, "minute").0 >= minute, "what is refused is not counted");
        }
    }

    async fn service_keys_are_not_limited(world: World) {
        let tenant = world.tenant("Acme").await;
        for _ in 0..300 {
            let answer = tenant.host.get(PATH).await.expect(200);
            assert!(answer.header("retry-after").is_none());
        }
    }

    async fn the_operator_changes_a_tier_for_the_running_server(world: World) {
        let tenant = world.tenant("Acme").await;
        let client = tenant.host.post("/api/v1/api-clients", &json!({"name": "Basic", "rateLimitTier": "basic"})).await.expect(201).json();
        let key = tenant.key_with(json!({"clientId": client["id"], "rateLimitOverride": null})).await;
        until_refused(&key.http, 60).await;
        let limits = json!({"requestsPerMinute": 5000, "requestsPerHour": 50_000, "requestsPerDay": 500_000, "burst": 5000});
        tenant.key().await.http.put("/api/v1/rate-limits/basic", &limits).await.assert_status(403);
        world.operator.put("/api/v1/rate-limits/basic", &limits).await.assert_status(200);
        let shown = tenant.host.get("/api/v1/rate-limits").await.expect(200).json();
        assert_eq!(shown["data"]["basic"]["requestsPerMinute"], 5000, "{shown}");
        let raised = async || (key.http.get(PATH).await.header("x-ratelimit-limit") != Some("60")).then_some(());
        wait::until("the new limits", Duration::from_secs(5), raised).await;
        for _ in 0..50 {
            key.http.get(PATH).await.assert_status(200);
        }
        world.operator.put("/api/v1/rate-limits/no-such-tier", &limits).await.assert_status(404);
    }
}
