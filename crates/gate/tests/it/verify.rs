//! What a host is told of the limit that refused a use: the tier `basic` allows 60 a minute, 10 at once.

use http::Method;
use kernel::Timestamp;
use serde_json::{Value, json};

use crate::bed::Bed;

/// Asks for a use of `key` that costs so much. The code and `rateLimit`.
async fn verify(bed: &Bed, host: &str, key: &str, cost: u64) -> (String, Value) {
    let headers = [("authorization", &*format!("Bearer {host}"))];
    let body = json!({"key": key, "cost": cost});
    let answer = bed.send(Method::POST, "/api/v1/api-keys/verify", &headers, Some(&body)).await;
    answer.assert(200, answer.body["code"].as_str().unwrap());
    (answer.body["code"].as_str().unwrap().to_owned(), answer.body["rateLimit"].clone())
}

testkit::engines! {
    async fn a_refusal_tells_of_the_policy_that_it_names(bed: Bed) {
        let (host, key) = (bed.service_key(&bed.store).await, bed.key(json!({})).await);
        let (code, told) = verify(&bed, &host, &key, 7).await;
        assert_eq!((code.as_str(), &told["policy"], &told["limit"], &told["remaining"]), ("VALID", &json!("minute"), &json!(60), &json!(53)));
        let (code, told) = verify(&bed, &host, &key, 5).await;
        assert_eq!(code, "RATE_LIMITED");
        // Seven of ten are used, one comes back a second: two are missing, and in seven seconds it is whole.
        let whole = Timestamp::parse("2026-03-01T12:00:07Z").unwrap();
        assert_eq!(told, json!({"limit": 10, "remaining": 3, "reset": whole, "policy": "burst", "retryAfter": 2}));
        let own = bed.key(json!({"rateLimitOverride": {"perMinute": 20, "burst": 20}})).await;
        verify(&bed, &host, &own, 15).await;
        let (_, told) = verify(&bed, &host, &own, 6).await;
        assert_eq!((&told["policy"], &told["limit"], &told["remaining"]), (&json!("minute"), &json!(20), &json!(5)));
        assert_eq!(told["reset"], json!(Timestamp::parse("2026-03-01T12:01:00Z").unwrap()));
    }

    async fn what_costs_more_than_a_limit_holds_is_not_asked_to_come_back(bed: Bed) {
        let host = bed.service_key(&bed.store).await;
        let key = bed.key(json!({})).await;
        verify(&bed, &host, &key, 1).await;
        let (code, told) = verify(&bed, &host, &key, 59).await;
        let whole = Timestamp::parse("2026-03-01T12:00:01Z").unwrap();
        assert_eq!((code.as_str(), told), ("RATE_LIMITED", json!({"limit": 10, "remaining": 9, "reset": whole, "policy": "burst"})));
        let (_, told) = verify(&bed, &host, &key, 10).await;
        assert_eq!((&told["policy"], &told["retryAfter"]), (&json!("burst"), &json!(1)), "as much as it holds will pass");
        // The minute's wait is the longer one, but the burst never has room: it is told.
        let full = bed.key(json!({"rateLimitOverride": {"perMinute": 60, "burst": 59}})).await;
        verify(&bed, &host, &full, 59).await;
        let (_, told) = verify(&bed, &host, &full, 60).await;
        assert_eq!((&told["policy"], &told["limit"], told.get("retryAfter")), (&json!("burst"), &json!(59), None));
        let quota = bed.key(json!({"monthlyQuota": {"limit": 5}})).await;
        let (code, told) = verify(&bed, &host, &quota, 6).await;
        assert_eq!((code.as_str(), &told["policy"], &told["limit"], told.get("retryAfter")), ("USAGE_EXCEEDED", &json!("key-month"), &json!(5), None));
        let both = bed.key(json!({"monthlyQuota": {"limit": 15}})).await;
        verify(&bed, &host, &both, 5).await;
        let (code, told) = verify(&bed, &host, &both, 11).await;
        assert_eq!((code.as_str(), &told["policy"], told.get("retryAfter")), ("RATE_LIMITED", &json!("burst"), None), "a refill changes nothing");
        // An ordinary call is told when to come back, as ever.
        let small = bed.key(json!({"rateLimitOverride": {"requests": 5, "window": 60_000}})).await;
        let refused = bed.get(&small, "/dear").await;
        refused.assert(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "60");
    }
}
