//! What the operator hears: everything, in a tenant of its own.

use serde_json::json;

use crate::bed::Bed;

testkit::engines! {
    /// The operator's tenant gets what tenants get, and what is no tenant's; what a person does is told with the next look.
    async fn the_operators_tenant_hears_of_everything(bed: Bed) {
        bed.fail("key_0", 30).await;
        bed.look().await;
        let operator = bed.operator().await;
        assert!(bed.told(operator).await.is_empty(), "it was made later");
        bed.fail("key_1", 30).await;
        for _ in 0..100 {
            bed.signals.note(signals::Kind::FailedAddress, None, "203.0.113.7", "");
        }
        bed.signals.flush().await.unwrap();
        assert_eq!(bed.looked().await, (2, 0, 0));
        let told = bed.told(operator).await;
        let mut tenants: Vec<_> = told.iter().map(|(name, data)| (name.as_str(), data["tenantId"].clone(), data["subject"].clone())).collect();
        tenants.sort_by_key(|(_, tenant, _)| tenant.is_null());
        assert_eq!(tenants, [
            ("alert.opened", json!(bed.tenant), json!("key_1")),
            ("alert.opened", json!(null), json!("203.0.113.7")),
        ]);
        let alert = bed.alerts_of(Some(bed.tenant)).await.into_iter().find(|alert| alert.subject == "key_1").unwrap();
        bed.minutes(1);
        bed.alerts.acknowledge(&bed.caller(), alert.id).await.unwrap();
        assert_eq!(bed.told(operator).await.len(), 2);
        bed.look().await;
        bed.look().await;
        let told = bed.told(operator).await;
        assert_eq!((told.len(), told[2].0.as_str(), &told[2].1["status"]), (3, "alert.updated", &json!("acknowledged")));
        bed.minutes(1);
        bed.alerts.resolve(&bed.caller(), alert.id).await.unwrap();
        bed.look().await;
        assert_eq!(bed.told(operator).await[3].1["closedReason"], "resolved");
        // A stranger heard nothing of all that.
        assert!(bed.told(bed.stranger).await.is_empty());
    }

    /// An alert of the operator's own tenant is told there once.
    async fn its_own_alerts_are_told_once(bed: Bed) {
        let operator = bed.operator().await;
        for _ in 0..20 {
            bed.signals.note(signals::Kind::FailedKey, Some(operator), "key_1", "wrong secret");
        }
        bed.signals.flush().await.unwrap();
        bed.look().await;
        assert_eq!(bed.told_types(operator).await, ["alert.opened"]);
    }
}
