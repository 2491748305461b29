//! `POST /api/v1/api-keys/verify` and `GET /api/v1/whoami` of the running server.

use serde_json::{Value, json};
use testkit::http::Client;
use testkit::wait;

use crate::world::{SOON, World, rows, text};

const VERIFY: &str = "/api/v1/api-keys/verify";

async fn verify(who: &Client, key: &str, more: Value) -> Value {
    let mut body = json!({"key": key});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    who.post(VERIFY, &body).await.expect(200).json()
}

async fn code(who: &Client, key: &str, more: Value) -> String {
    let answer = verify(who, key, more).await;
    assert_eq!(answer["valid"], answer["code"] == "VALID", "{answer}");
    text(&answer["code"])
}

testkit::engines! {
    async fn every_code_has_its_cause(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({
            "scopes": ["leads:read"], "allowedIps": ["203.0.113.0/24"], "allowedEndpoints": ["GET /orders*"], "rateLimitOverride": {"requests": 3, "window": 3_600_000},
            "metadata": {"plan": "gold"}, "environment": "staging",
        })).await;
        let host = &world.operator;
        let good = json!({"scopes": ["leads:read"], "ip": "203.0.113.9", "endpoint": "GET /orders/{id}"});
        let answer = verify(host, &key.token, good.clone()).await;
        let shown = tenant.host.get(&format!("/api/v1/api-keys/{}", key.id)).await.expect(200).json();
        assert_eq!((&answer["valid"], &answer["code"]), (&json!(true), &json!("VALID")), "{answer}");
        assert_eq!((&answer["keyId"], &answer["apiKeyId"]), (&shown["keyId"], &shown["id"]));
        assert_eq!((text(&answer["tenantId"]), text(&answer["clientId"])), (tenant.id.clone(), tenant.client.clone()));
        assert_eq!((&answer["scopes"], &answer["metadata"], &answer["environment"]), (&json!(["leads:read"]), &json!({"plan": "gold"}), &json!("staging")));
        assert_eq!((&answer["rateLimit"]["limit"], &answer["rateLimit"]["remaining"]), (&json!(3), &json!(2)));

        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            body[name] = value;
            body
        };
        for (body, expected) in [
            (with("ip", json!("198.51.100.1")), "FORBIDDEN"),
            (with("ip", json!("::ffff:198.51.100.1")), "FORBIDDEN"),
            (with("ip", Value::Null), "FORBIDDEN"),
            (with("endpoint", json!("POST /orders")), "FORBIDDEN"),
            (with("endpoint", json!("/orders")), "FORBIDDEN"),
            (with("endpoint", Value::Null), "FORBIDDEN"),
            (with("scopes", json!(["leads:read", "leads:write"])), "INSUFFICIENT_PERMISSIONS"),
            (with("scopes", json!(["no:such"])), "INSUFFICIENT_PERMISSIONS"),
            // A look costs nothing.
            (with("cost", json!(0)), "VALID"),
            (with("ip", json!("::ffff:203.0.113.7")), "VALID"),
            (with("cost", json!(2)), "RATE_LIMITED"),
            (with("cost", json!(1)), "VALID"),
            (with("cost", json!(0)), "VALID"),
            (good.clone(), "RATE_LIMITED"),
        ] {
            assert_eq!(code(host, &key.token, body.clone()).await, expected, "{body}");
        }
        let limited = verify(host, &key.token, good.clone()).await;
        assert_eq!((&limited["rateLimit"]["remaining"], &limited["rateLimit"]["policy"]), (&json!(0), &json!("custom")));
        assert!(limited["rateLimit"]["retryAfter"].as_u64().is_some_and(|wait| wait > 0), "{limited}");

        let typo = format!("{}x", &key.token[..key.token.len() - 1]);
        for bad in ["", "nonsense", &typo, &world.service_key, &"x".repeat(5000)] {
            let answer = verify(host, bad, json!({})).await;
            assert_eq!(answer["code"], "NOT_FOUND", "{bad:.40}");
            assert!(answer["tenantId"].is_null() && answer["scopes"] == json!([]), "{answer}");
        }
        let path = format!("/api/v1/api-keys/{}", key.id);
        tenant.host.patch(&path, &json!({"enabled": false})).await.assert_status(200);
        assert_eq!(code(host, &key.token, good.clone()).await, "DISABLED");
        tenant.host.patch(&path, &json!({"enabled": true})).await.assert_status(200);
        assert_eq!(code(host, &key.token, with("cost", json!(0))).await, "VALID");
        let client = format!("/api/v1/api-clients/{}", tenant.client);
        tenant.host.patch(&client, &json!({"status": "suspended"})).await.assert_status(200);
        assert_eq!(code(host, &key.token, good.clone()).await, "DISABLED");
        tenant.host.patch(&client, &json!({"status": "active"})).await.assert_status(200);
        let end = kernel::Timestamp::from_millis(crate::world::now() * 1000 + 1500);
        tenant.host.patch(&path, &json!({"expiresAt": end})).await.assert_status(200);
        wait::until("the key's end", SOON, || async { (code(host, &key.token, with("cost", json!(0))).await == "EXPIRED").then_some(()) }).await;
        tenant.host.delete(&path).await.assert_status(204);
        assert_eq!(code(host, &key.token, good).await, "NOT_FOUND");
    }

    async fn a_use_that_no_burst_holds_is_not_asked_to_come_back(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"rateLimitOverride": {"perMinute": 120, "burst": 20}})).await;
        assert_eq!(code(&world.operator, &key.token, json!({"cost": 20})).await, "VALID");
        let never = verify(&world.operator, &key.token, json!({"cost": 119})).await;
        let told = &never["rateLimit"];
        assert_eq!((&never["code"], &told["limit"], &told["policy"]), (&json!("RATE_LIMITED"), &json!(20), &json!("burst")), "{never}");
        assert!(told["remaining"].as_u64().is_some_and(|left| left < 20) && told.get("retryAfter").is_none(), "{never}");
        let later = verify(&world.operator, &key.token, json!({"cost": 20})).await;
        let told = &later["rateLimit"];
        assert_eq!((&told["limit"], &told["policy"]), (&json!(20), &json!("burst")), "{later}");
        assert!(told["retryAfter"].as_u64().is_some_and(|wait| (1..=10).contains(&wait)), "{later}");
    }

    async fn a_quota_that_is_used_up_is_usage_exceeded(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"monthlyQuota": {"limit": 5}})).await;
        assert_eq!(code(&world.operator, &key.token, json!({"cost": 4})).await, "VALID");
        let over = verify(&world.operator, &key.token, json!({"cost": 2})).await;
        assert_eq!((&over["code"], &over["rateLimit"]["limit"], &over["rateLimit"]["remaining"]), (&json!("USAGE_EXCEEDED"), &json!(5), &json!(1)));
        // Rotating gives no fresh quota.
        let path = format!("/api/v1/api-keys/{}/rotate", key.id);
        let next = tenant.host.post(&path, &json!({"gracePeriodSeconds": 600})).await.expect(201).json();
        let next = text(&next["key"]);
        assert_eq!(code(&world.operator, &next, json!({"cost": 2})).await, "USAGE_EXCEEDED");
        assert_eq!(code(&world.operator, &next, json!({"cost": 1})).await, "VALID");
        assert_eq!(code(&world.operator, &key.token, json!({"cost": 1})).await, "USAGE_EXCEEDED");
    }

    async fn who_asks_decides_which_keys_exist(world: World) {
        let (ours, theirs) = (world.tenant("Ours").await, world.tenant("Theirs").await);
        let key = ours.key_with(json!({"metadata": {"secret": "plan"}})).await;
        let (own, stranger) = (ours.key().await, theirs.key().await);
        let scopeless = ours.key_scoped(&[]).await;
        assert_eq!(code(&own.http, &key.token, json!({})).await, "VALID");
        assert_eq!(code(&ours.host, &key.token, json!({})).await, "VALID");
        let nobodys = verify(&stranger.http, "nobody's", json!({})).await;
        for who in [&stranger.http, &theirs.host] {
            assert_eq!(verify(who, &key.token, json!({})).await, nobodys, "as if it did not exist");
        }
        // A key without the permission to see keys may verify one that it holds in hand, but does not see what the host keeps about it.
        let answer = verify(&scopeless.http, &key.token, json!({})).await;
        assert_eq!((&answer["code"], &answer["metadata"]), (&json!("VALID"), &Value::Null));
        let refused = world.server.client().post(VERIFY, &json!({"key": key.token})).await;
        refused.assert_problem(401, "missing_credential");
    }

    async fn bad_questions_are_placed(world: World) {
        for (body, place) in [
            (json!({}), "/key"),
            (json!({"key": "k", "ip": "nowhere"}), "/ip"),
            (json!({"key": "k", "endpoint": "orders"}), "/endpoint"),
            (json!({"key": "k", "cost": -1}), "/cost"),
            (json!({"key": "k", "cost": 2_000_000}), "/cost"),
            (json!({"key": "k", "tags": [""]}), "/tags/0"),
            (json!({"key": "k", "wants": 1}), "/wants"),
        ] {
            let answer = world.operator.post(VERIFY, &body).await;
            answer.assert_problem(422, "validation_failed");
            assert_eq!(answer.json()["errors"][0]["pointer"], place, "{body}");
        }
    }

    async fn a_use_is_counted_and_logged_once(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let body = json!({"endpoint": "GET /orders/{id}", "ip": "203.0.113.9", "tags": ["mobile", "v2"], "cost": 3});
        for _ in 0..3 {
            assert_eq!(code(&world.operator, &key.token, body.clone()).await, "VALID");
        }
        assert_eq!(code(&world.operator, &key.token, json!({"endpoint": "GET /orders/{id}", "scopes": ["no:such"]})).await, "INSUFFICIENT_PERMISSIONS");
        let of_key = || async {
            let list = tenant.host.get("/api/v1/request-logs?limit=100").await.expect(200).json();
            let found: Vec<Value> = rows(&list).iter().filter(|row| row["apiKeyId"] == json!(key.id)).cloned().collect();
            (found.len() >= 4).then_some(found)
        };
        let logged = wait::until("the log", SOON, of_key).await;
        assert_eq!(logged.len(), 4, "{logged:#?}");
        let good: Vec<&Value> = logged.iter().filter(|row| row["statusCode"] == 200 || row["status"] == 200).collect();
        assert_eq!(good.len(), 3, "{logged:#?}");
        assert_eq!((&good[0]["endpoint"], &good[0]["method"], &good[0]["ip"]), (&json!("/orders/{id}"), &json!("GET"), &json!("203.0.113.9")), "{:#?}", good[0]);
        let used = || async {
            let shown = tenant.host.get(&format!("/api/v1/api-keys/{}", key.id)).await.expect(200).json();
            (shown["requestCount"] == 4 && shown["lastUsedAt"].is_string()).then_some(())
        };
        wait::until("the key's use", SOON, used).await;
    }

    async fn whoami_tells_a_credential_about_itself(world: World) {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key_with(json!({"scopes": ["leads:read"], "rateLimitOverride": {"perMinute": 50}, "expiresInDays": 3, "allowedIps": ["127.0.0.0/8"]})).await;
        let me = key.http.get("/api/v1/whoami").await.expect(200).json();
        assert_eq!((&me["credential"], &me["apiKeyId"], &me["clientId"]), (&json!("api_key"), &json!(key.id), &json!(tenant.client)));
        assert_eq!((&me["tenantId"], &me["scopes"], &me["environment"]), (&json!(tenant.id), &json!(["leads:read"]), &json!("production")));
        assert_eq!(me["allowedIps"], json!(["127.0.0.0/8"]));
        assert!(me["expiresAt"].is_string() && me["rateLimitTier"].is_string(), "{me}");
        let minute = me["limits"].as_array().unwrap().iter().find(|limit| limit["policy"] == "minute").unwrap().clone();
        assert_eq!((&minute["limit"], &minute["remaining"]), (&json!(50), &json!(49)), "the call itself was counted, the look was not");
        let again = key.http.get("/api/v1/whoami").await;
        assert_eq!(again.header("x-ratelimit-remaining"), Some("48"));
        let host = tenant.host.get("/api/v1/whoami").await.expect(200).json();
        assert_eq!((&host["credential"], &host["tenantId"], &host["limits"]), (&json!("service_key"), &json!(tenant.id), &json!([])));
        assert!(host["permissions"].as_array().unwrap().contains(&json!("keys.write")) && host["serviceKeyId"].is_string());
        assert!(!me.to_string().contains(&key.token[20..]));
    }
}
