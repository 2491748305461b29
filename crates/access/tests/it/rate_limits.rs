//! Tiers.

use access::rate_limits::ReplaceTier;
use serde_json::json;

use crate::bed::Bed;

fn change_key(value: serde_json::Value) -> access::keys::UpdateKey {
    serde_json::from_value(value).unwrap()
}

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

    async fn a_tier_has_a_quota_and_limits_of_its_own_for_each_environment(bed: Bed) {
        let change = json!({"monthlyQuota": {"limit": 1000, "refillDay": 15}, "environments": {"staging": {"requestsPerMinute": 5, "burst": 2}}});
        let replace = async |change: &serde_json::Value| {
            let change: ReplaceTier = serde_json::from_value(change.clone()).unwrap();
            bed.access.replace_rate_limit(&bed.operator(), "basic", change).await
        };
        let shown = serde_json::to_value(replace(&change).await.unwrap()).unwrap();
        assert_eq!((&shown["monthlyQuota"], &shown["environments"]), (&change["monthlyQuota"], &change["environments"]));
        let tiers = bed.access.tiers();
        let (staging, live) = (tiers.get("basic").unwrap().windows("staging"), tiers.get("basic").unwrap().windows("production"));
        assert_eq!((staging.per_minute, staging.per_hour, staging.burst), (Some(5), Some(1000), Some(2)));
        assert_eq!((live.per_minute, live.burst), (Some(60), Some(10)));
        for (bad, place) in [
            (json!({"monthlyQuota": {"limit": 0}}), "/monthlyQuota/limit"),
            (json!({"monthlyQuota": {"limit": 1, "refillDay": 32}}), "/monthlyQuota/refillDay"),
            (json!({"environments": {"beta": {}}}), "/environments/beta"),
            (json!({"environments": {"staging": {"burst": 0}}}), "/environments/staging/burst"),
        ] {
            assert_eq!(replace(&bad).await.unwrap_err().fields()[0].pointer, place, "{bad}");
        }
        let back = replace(&json!({})).await.unwrap();
        assert!(back.monthly_quota.is_none() && back.environments.is_empty(), "absent is the blueprint's own");
    }

    async fn a_clients_and_a_keys_own_are_kept_and_only_the_operator_sets_a_clients(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let host = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let reference = || kernel::IdRef::Id(client);
        let change = |value: serde_json::Value| serde_json::from_value(value).unwrap();
        let own = json!({"rateLimitOverride": {"perHour": 77}, "monthlyQuota": {"limit": 9, "refillDay": 1}});
        let shown = bed.access.update_client(&host, reference(), change(own.clone())).await.unwrap();
        assert_eq!(serde_json::to_value(&shown.rate_limit_override).unwrap(), own["rateLimitOverride"]);
        // PUT keeps what it does not name.
        let put = serde_json::from_value(json!({"name": "Renamed"})).unwrap();
        let kept = bed.access.replace_client(&host, reference(), put).await.unwrap();
        assert_eq!(serde_json::to_value(kept.monthly_quota).unwrap(), own["monthlyQuota"]);
        let create = json!({"clientId": client, "name": "k", "monthlyQuota": {"limit": 3}});
        let key = bed.key_with(&tenant, client, serde_json::from_value(create).unwrap()).await.unwrap();
        assert_eq!(serde_json::to_value(key.info.monthly_quota).unwrap(), json!({"limit": 3, "refillDay": 1}));
        let principal = bed.admitted(&key.key).await.unwrap();
        assert_eq!((principal.quota.unwrap().limit, principal.client_quota.unwrap().limit), (3, 9));
        assert!(principal.client_limits.is_some() && principal.limits.is_none());
        let partner = principal.caller();
        for field in ["monthlyQuota", "rateLimitOverride"] {
            let error = bed.access.update_client(&partner, reference(), change(json!({field: null}))).await.unwrap_err();
            assert_eq!(error.code(), "operator_only", "{field}");
        }
        // A key's own windows are compared with its client's.
        let raised = |count: u32| change_key(json!({"rateLimitOverride": {"perHour": count}}));
        assert_eq!(bed.access.update_key(&partner, key.info.id, raised(78)).await.unwrap_err().code(), "limit_exceeds_tier");
        bed.access.update_key(&partner, key.info.id, raised(77)).await.unwrap();
        for bad in [json!({"monthlyQuota": {"limit": 0}}), json!({"monthlyQuota": {"limit": 5, "refillDay": 0}})] {
            assert_eq!(bed.access.update_key(&host, key.info.id, change_key(bad)).await.unwrap_err().code(), "validation_failed");
        }
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
