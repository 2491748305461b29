//! Monthly quotas over HTTP: of a client by all its keys, of a key, across restarts, nodes and refills.

use axum::Router;
use gate::CounterOptions;
use http::Method;
use kernel::{Caller, Timestamp};
use serde_json::{Value, json};

use crate::bed::{Answer, Bed};

async fn set(bed: &Bed, change: Value) {
    let reference = bed.client.parse().unwrap();
    bed.access.update_client(&Caller::system("test", Some(bed.tenant)), reference, serde_json::from_value(change).unwrap()).await.unwrap();
}

async fn call(bed: &Bed, router: &Router, key: &str, path: &str) -> Answer {
    bed.send_to(router, "10.1.2.3", Method::GET, path, &[("authorization", &format!("Bearer {key}"))], None).await
}

/// `r=` of a policy in the `RateLimit` field.
fn left(answer: &Answer, policy: &str) -> u64 {
    let field = answer.header("ratelimit");
    let item = field.split(", ").find(|item| item.starts_with(&format!("\"{policy}\"")));
    let item = item.unwrap_or_else(|| panic!("no {policy} in {field}"));
    item.split(';').find_map(|part| part.strip_prefix("r=")).unwrap().parse().unwrap()
}

testkit::engines! {
    async fn all_keys_of_a_client_share_its_quota_until_the_refill(bed: Bed) {
        set(&bed, json!({"monthlyQuota": {"limit": 12, "refillDay": 15}, "rateLimitOverride": 1000})).await;
        let (one, two) = (bed.key(json!({})).await, bed.key(json!({})).await);
        for used in 1..=5 {
            let answer = bed.get(if used % 2 == 0 { &one } else { &two }, "/me").await;
            assert_eq!((answer.status.as_u16(), left(&answer, "month")), (200, 12 - used));
            assert!(answer.header("ratelimit-policy").ends_with("\"month\";q=12"), "{}", answer.header("ratelimit-policy"));
            assert_eq!(answer.header("x-ratelimit-limit"), "1000", "a month's quota is no window to wait for");
        }
        assert_eq!(bed.get(&one, "/dear").await.status, 200, "it costs 7");
        let refused = bed.get(&two, "/me").await;
        refused.assert(429, "quota_exceeded");
        assert_eq!(refused.body["violatedPolicies"], json!(["month"]));
        // From the first of March, noon, to the fifteenth.
        assert_eq!(refused.header("retry-after"), (13 * 86_400 + 43_200).to_string());
        assert_eq!(left(&refused, "month"), 0);
        let minute = left(&refused, "minute");
        assert_eq!(left(&bed.get(&two, "/me").await, "minute"), minute, "what is refused is counted nowhere");
        bed.clock.set(Timestamp::parse("2026-03-15T00:00:00Z").unwrap());
        assert_eq!(left(&bed.get(&two, "/me").await, "month"), 11);
    }

    async fn what_was_used_and_when_it_refills_is_shown(bed: Bed) {
        set(&bed, json!({"monthlyQuota": {"limit": 12, "refillDay": 15}, "rateLimitOverride": 1000})).await;
        let (one, two) = (bed.key(json!({})).await, bed.key(json!({"monthlyQuota": {"limit": 4}})).await);
        let host = bed.service_key(&bed.store).await;
        let (bearer, tenant) = (format!("Bearer {host}"), bed.tenant.to_string());
        let headers = [("authorization", bearer.as_str()), ("tradewind-tenant", tenant.as_str())];
        let shown = async |router: &Router, path: &str| {
            let answer = bed.send_to(router, "10.1.2.3", Method::GET, path, &headers, None).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body
        };
        let of_client = format!("/api/v1/api-clients/{}/quota", bed.client);
        let month = |used: u64| json!({"policy": "month", "limit": 12, "used": used, "remaining": 12 - used, "refillDay": 15,
            "periodStart": "2026-02-15T00:00:00.000Z", "refillsAt": "2026-03-15T00:00:00.000Z"});
        assert_eq!(shown(&bed.router, &of_client).await, json!({"clientId": bed.client, "quotas": [month(0)]}));
        // Used on two nodes by two keys, and asked of each.
        let (other, _counters) = bed.node(&CounterOptions::default());
        for _ in 0..3 {
            assert_eq!(call(&bed, &bed.router, &one, "/me").await.status, 200);
            assert_eq!(call(&bed, &other, &two, "/me").await.status, 200);
        }
        assert_eq!(shown(&other, &of_client).await["quotas"][0]["used"].as_u64().map(|used| used >= 3), Some(true), "at least its own");
        assert_eq!(shown(&bed.router, &of_client).await["quotas"], json!([month(6)]));
        assert_eq!(shown(&other, &of_client).await["quotas"], json!([month(6)]));
        let id = bed.access.authenticate(&two, None).await.unwrap().key().unwrap();
        let key_month = json!({"policy": "key-month", "limit": 4, "used": 3, "remaining": 1, "refillDay": 1,
            "periodStart": "2026-03-01T00:00:00.000Z", "refillsAt": "2026-04-01T00:00:00.000Z"});
        let of_key = shown(&bed.router, &format!("/api/v1/api-keys/{id}/quota")).await;
        assert_eq!(of_key, json!({"clientId": bed.client, "apiKeyId": id, "quotas": [month(6), key_month]}));
        // Lowered below what was used, then gone.
        set(&bed, json!({"monthlyQuota": {"limit": 5, "refillDay": 15}})).await;
        let lowered = shown(&bed.router, &of_client).await;
        assert_eq!((&lowered["quotas"][0]["used"], &lowered["quotas"][0]["remaining"]), (&json!(6), &json!(0)));
        set(&bed, json!({"monthlyQuota": null})).await;
        assert_eq!(shown(&bed.router, &of_client).await["quotas"], json!([]), "the tier has none");
        bed.send(Method::GET, "/api/v1/api-clients/cli_01k00000000000000000000000/quota", &headers, None).await.assert(404, "not_found");
        bed.send(Method::GET, &of_client, &[("authorization", &format!("Bearer {one}"))], None).await.assert(403, "insufficient_scope");
    }

    async fn a_keys_own_quota_binds_beside_its_clients(bed: Bed) {
        set(&bed, json!({"monthlyQuota": {"limit": 5}})).await;
        let (bound, free) = (bed.key(json!({"monthlyQuota": {"limit": 2}})).await, bed.key(json!({})).await);
        let first = bed.get(&bound, "/me").await;
        assert_eq!((left(&first, "month"), left(&first, "key-month")), (4, 1));
        bed.get(&bound, "/me").await;
        let refused = bed.get(&bound, "/me").await;
        refused.assert(429, "quota_exceeded");
        assert_eq!(refused.body["violatedPolicies"], json!(["key-month"]));
        let other = bed.get(&free, "/me").await;
        assert_eq!((other.status.as_u16(), left(&other, "month")), (200, 2), "what the key's quota refused is not the client's to pay");
        assert!(!other.header("ratelimit").contains("key-month"));
    }

    async fn what_a_window_refuses_costs_no_quota(bed: Bed) {
        set(&bed, json!({"monthlyQuota": {"limit": 50}})).await;
        let key = bed.key(json!({"rateLimitOverride": {"requests": 2, "window": 1000}})).await;
        for _ in 0..5 {
            bed.get(&key, "/me").await;
        }
        let refused = bed.get(&key, "/me").await;
        refused.assert(429, "rate_limited");
        assert_eq!((&refused.body["violatedPolicies"], left(&refused, "month")), (&json!(["custom"]), 48));
    }

    async fn it_survives_a_restart_and_holds_across_nodes(bed: Bed) {
        set(&bed, json!({"monthlyQuota": {"limit": 20}, "rateLimitOverride": 1000})).await;
        let key = bed.key(json!({})).await;
        let (other, others) = bed.node(&CounterOptions::default());
        for _ in 0..6 {
            assert_eq!(call(&bed, &bed.router, &key, "/me").await.status, 200);
            assert_eq!(call(&bed, &other, &key, "/me").await.status, 200);
        }
        // Each knows of its own only, until both have written.
        bed.counters.flush().await.unwrap();
        others.flush().await.unwrap();
        assert_eq!(left(&call(&bed, &other, &key, "/me").await, "month"), 7);
        others.flush().await.unwrap();
        let (after, _) = bed.node(&CounterOptions::default());
        assert_eq!(left(&call(&bed, &after, &key, "/me").await, "month"), 6, "a restart forgets nothing that was written");
    }

    async fn a_purged_clients_row_goes_with_it(bed: Bed) {
        set(&bed, json!({"monthlyQuota": {"limit": 20}})).await;
        let key = bed.key(json!({})).await;
        bed.get(&key, "/me").await;
        bed.counters.flush().await.unwrap();
        let rows = async || {
            let scope = kernel::Scope::system("test");
            bed.store.read(scope, |tx| tx.query_one("SELECT COUNT(*) FROM quota_uses", &[], |row| row.get::<u64>(0))).await.unwrap()
        };
        assert_eq!(rows().await, 1);
        let (tenant, client) = (bed.tenant, bed.client.parse().unwrap());
        let subject = store::Subject::Client(client);
        let purge = move |tx: &mut store::Tx<'_>| store::Lifecycle::purge(&gate::QuotaLifecycle, tx, tenant, &subject);
        bed.store.write(kernel::Scope::system("test"), purge).await.unwrap();
        assert_eq!(rows().await, 0);
    }
}
