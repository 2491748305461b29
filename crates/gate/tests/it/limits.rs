//! Limits over HTTP: the tier `basic` allows 60 a minute, 10 at once, 1,000 an hour, 10,000 a day.

use std::time::Duration;

use kernel::Caller;
use serde_json::{Value, json};

use crate::bed::{Answer, Bed};

async fn change_tier(bed: &Bed, change: Value) {
    let input = serde_json::from_value(change).unwrap();
    bed.access.replace_rate_limit(&Caller::system("test", None), "basic", input).await.unwrap();
}

async fn change_client(bed: &Bed, change: Value) {
    let reference = bed.client.parse().unwrap();
    bed.access.update_client(&Caller::system("test", Some(bed.tenant)), reference, serde_json::from_value(change).unwrap()).await.unwrap();
}

fn told(answer: &Answer) -> (&str, &str) {
    (answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining"))
}

testkit::engines! {
    async fn a_burst_passes_and_the_next_waits_as_told(bed: Bed) {
        let key = bed.key(json!({})).await;
        for left in (0..10).rev() {
            let answer = bed.get(&key, "/me").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("x-ratelimit-limit"), "60");
            assert_eq!(answer.header("x-ratelimit-remaining"), (left + 50).to_string());
            assert!(answer.header("ratelimit").starts_with(&format!("\"burst\";r={left};t=")), "{}", answer.header("ratelimit"));
            assert_eq!(answer.header("ratelimit-policy"), "\"burst\";q=10;w=10, \"minute\";q=60;w=60, \"hour\";q=1000;w=3600, \"day\";q=10000;w=86400");
            assert!(answer.header("ratelimit").contains("\"hour\";r="));
        }
        let refused = bed.get(&key, "/me").await;
        refused.assert(429, "rate_limited");
        assert_eq!(refused.header("retry-after"), "1");
        assert!(refused.header("ratelimit").starts_with("\"burst\";r=0;t="));
        bed.clock.advance(Duration::from_secs(1));
        assert_eq!(bed.get(&key, "/me").await.status, 200);
        assert_eq!(bed.get(&bed.key(json!({})).await, "/me").await.status, 200, "another key has limits of its own");
    }

    async fn a_keys_own_limit_takes_the_tiers_place(bed: Bed) {
        let key = bed.key(json!({"rateLimitOverride": {"requests": 2, "window": 1000}})).await;
        let statuses = [bed.get(&key, "/me").await.status, bed.get(&key, "/me").await.status, bed.get(&key, "/me").await.status];
        assert_eq!(statuses.map(|s| s.as_u16()), [200, 200, 429]);
        let number = bed.key(json!({"rateLimitOverride": 3})).await;
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(bed.get(&number, "/me").await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 200, 429]);
    }

    async fn a_call_counts_what_its_endpoint_costs(bed: Bed) {
        let key = bed.key(json!({})).await;
        let dear = bed.get(&key, "/dear").await;
        assert_eq!((dear.status.as_u16(), told(&dear)), (200, ("60", "53")));
        assert!(dear.header("ratelimit").starts_with("\"burst\";r=3;"), "{}", dear.header("ratelimit"));
        let refused = bed.get(&key, "/dear").await;
        refused.assert(429, "rate_limited");
        assert_eq!((refused.header("retry-after"), &refused.body["violatedPolicies"]), ("4", &json!(["burst"])));
        assert_eq!(told(&bed.get(&key, "/me").await), ("60", "52"), "a cheaper one still fits, and the refused one cost nothing");
    }

    async fn an_environment_may_have_limits_of_its_own(bed: Bed) {
        change_tier(&bed, json!({"environments": {"staging": {"requestsPerMinute": 5, "requestsPerHour": 20}}})).await;
        let (live, staging) = (bed.key(json!({})).await, bed.key(json!({"environment": "staging"})).await);
        assert_eq!(told(&bed.get(&live, "/me").await), ("60", "59"));
        let answer = bed.get(&staging, "/me").await;
        assert_eq!(answer.header("ratelimit-policy"), "\"minute\";q=5;w=60, \"hour\";q=20;w=3600, \"day\";q=10000;w=86400");
        for _ in 0..4 {
            bed.get(&staging, "/me").await;
        }
        let refused = bed.get(&staging, "/me").await;
        refused.assert(429, "rate_limited");
        assert_eq!((&refused.body["violatedPolicies"], told(&refused)), (&json!(["minute"]), ("5", "0")));
        assert_eq!(bed.get(&live, "/me").await.status, 200);
    }

    async fn a_clients_own_limits_bind_its_keys_at_once(bed: Bed) {
        let key = bed.key(json!({})).await;
        assert_eq!(told(&bed.get(&key, "/me").await), ("60", "59"));
        change_client(&bed, json!({"rateLimitOverride": {"perMinute": 500, "burst": 200}})).await;
        let raised = bed.get(&key, "/me").await;
        assert_eq!(raised.header("ratelimit-policy").split(", ").next(), Some("\"burst\";q=200;w=24"));
        assert_eq!(raised.header("ratelimit").split(", ").nth(1).and_then(|item| item.split(';').nth(1)), Some("r=498"), "the minute goes on");
        change_client(&bed, json!({"rateLimitOverride": null})).await;
        assert_eq!(bed.get(&key, "/me").await.header("ratelimit-policy").split(", ").next(), Some("\"burst\";q=10;w=10"));
    }

    async fn each_window_is_told_when_it_is_the_nearest_to_its_end(bed: Bed) {
        for (own, policy, limit) in [
            (json!({"perMinute": 4, "perHour": 100, "perDay": 1000}), "minute", "4"),
            (json!({"perMinute": 100, "perHour": 4, "perDay": 1000}), "hour", "4"),
            (json!({"perMinute": 100, "perHour": 100, "perDay": 4}), "day", "4"),
            (json!({"requests": 4, "window": 5000}), "custom", "4"),
        ] {
            let key = bed.key(json!({"rateLimitOverride": own})).await;
            for left in (0..4).rev() {
                let answer = bed.get(&key, "/me").await;
                assert_eq!(told(&answer), (limit, left.to_string().as_str()), "{policy}");
                let reset: i64 = answer.header("x-ratelimit-reset").parse().unwrap();
                assert!(reset > bed.ambient.now().seconds(), "{policy} ends later");
            }
            let refused = bed.get(&key, "/me").await;
            refused.assert(429, "rate_limited");
            assert_eq!((told(&refused), &refused.body["violatedPolicies"]), ((limit, "0"), &json!([policy])));
            assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
        }
    }
}
