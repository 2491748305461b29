//! Limits over HTTP: the tier `basic` allows 60 a minute, 10 at once, 1,000 an hour, 10,000 a day.

use std::time::Duration;

use serde_json::json;

use crate::bed::Bed;

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
}
