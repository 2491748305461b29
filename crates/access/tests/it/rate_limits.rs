//! Tiers.

use access::rate_limits::ReplaceTier;
use serde_json::json;

use crate::bed::Bed;

testkit::engines! {
    async fn the_operator_changes_tiers_at_run_time(bed: Bed) {
        let listed = serde_json::to_value(bed.access.tiers().listing()).unwrap();
        assert_eq!(listed["data"]["basic"], json!({"requestsPerMinute": 60, "requestsPerHour": 1000, "requestsPerDay": 10_000, "burst": 10}));
        assert_eq!(listed["data"].as_object().unwrap().keys().collect::<Vec<_>>(), ["basic", "standard", "premium", "enterprise"]);

        let change: ReplaceTier = serde_json::from_value(json!({"requestsPerMinute": 5, "requestsPerDay": null})).unwrap();
        bed.access.replace_rate_limit(&bed.operator(), "basic", change.clone()).await.unwrap();
        let tiers = bed.access.tiers();
        let basic = tiers.get("basic").unwrap();
        assert_eq!((basic.per_minute, basic.per_hour, basic.per_day, basic.burst), (Some(5), Some(1000), None, Some(10)));
        assert_eq!(tiers.or_default("gone").unwrap().name, "standard");
        let back = bed.access.replace_rate_limit(&bed.operator(), "basic", ReplaceTier::default()).await.unwrap();
        assert_eq!((back.requests_per_minute, back.requests_per_day), (Some(60), Some(10_000)), "absent is the blueprint's own");

        let refuse = async |name: &str, change| bed.access.replace_rate_limit(&bed.operator(), name, change).await.unwrap_err();
        assert_eq!(refuse("gold", ReplaceTier::default()).await.kind(), kernel::Kind::NotFound);
        let zero: ReplaceTier = serde_json::from_value(json!({"burst": 0})).unwrap();
        assert_eq!(refuse("basic", zero).await.fields()[0].pointer, "/burst");
        let tenant = bed.tenant("Acme").await;
        let key = bed.key(&tenant, bed.client(&tenant, None).await.client.id).await;
        let partner = bed.admitted(&key.key).await.unwrap().caller();
        assert_eq!(bed.access.replace_rate_limit(&partner, "basic", change).await.unwrap_err().code(), "operator_only");
    }

    async fn other_nodes_follow(bed: Bed) {
        let elsewhere = bed.other_process().await;
        let other = access::Access::new(elsewhere, bed.ambient.clone(), std::sync::Arc::new(crate::bed::blueprint()), Vec::new()).await.unwrap();
        let change: ReplaceTier = serde_json::from_value(json!({"requestsPerMinute": 7})).unwrap();
        // This process's LISTEN may not stand yet when the first notice is sent.
        testkit::wait::until("the tier to arrive", std::time::Duration::from_secs(5), || async {
            other.replace_rate_limit(&bed.operator(), "premium", change.clone()).await.unwrap();
            (bed.access.tiers().get("premium")?.per_minute == Some(7)).then_some(())
        })
        .await;
    }
}
