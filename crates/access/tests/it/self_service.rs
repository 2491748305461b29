//! What a key may do to keys: nothing that makes any of them freer than it is itself.

use access::keys::{CreateKey, RotateKey, UpdateKey};
use kernel::{Caller, KeyId};
use serde_json::{Value, json};

use crate::bed::Bed;

fn input(mut value: Value) -> CreateKey {
    value["clientId"] = json!("cli_x");
    value["name"] = json!("key");
    serde_json::from_value(value).unwrap()
}

async fn refused(bed: &Bed, caller: &Caller, key: KeyId, change: Value) -> &'static str {
    let change: UpdateKey = serde_json::from_value(change).unwrap();
    bed.access.update_key(caller, key, change).await.unwrap_err().code()
}

async fn refused_change(bed: &Bed, caller: &Caller, key: KeyId) -> &'static str {
    refused(bed, caller, key, json!({"enabled": true})).await
}

testkit::engines! {
    async fn no_key_lengthens_its_own_life_or_anothers_beyond_it(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let short = bed.key_with(&tenant, client, input(json!({"expiresInDays": 1}))).await.unwrap();
        let other = bed.key_with(&tenant, client, input(json!({"expiresInDays": 2}))).await.unwrap();
        let caller = bed.admitted(&short.key).await.unwrap().caller();
        for change in [json!({"expiresAt": "2099-01-01T00:00:00Z"}), json!({"expiresAt": null})] {
            assert_eq!(refused(&bed, &caller, short.info.id, change.clone()).await, "validation_failed");
            assert_eq!(refused(&bed, &caller, other.info.id, change).await, "validation_failed");
        }
        let sooner = bed.ambient.now().plus(std::time::Duration::from_secs(3600));
        let change: UpdateKey = serde_json::from_value(json!({"expiresAt": sooner, "notes": "soon"})).unwrap();
        assert_eq!(bed.access.update_key(&caller, short.info.id, change).await.unwrap().expires_at, Some(sooner));
    }

    async fn a_bound_key_frees_none(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let bound = bed.key_with(&tenant, client, input(json!({"allowedIps": ["203.0.113.0/24"]}))).await.unwrap();
        let other = bed.key(&tenant, client).await;
        let caller = bed.admitted(&bound.key).await.unwrap().caller();
        for change in [json!({"allowedIps": []}), json!({"allowedEndpoints": ["/api/v1/leads*"]})] {
            assert_eq!(refused(&bed, &caller, bound.info.id, change).await, "key_is_restricted");
        }
        assert_eq!(refused(&bed, &caller, other.info.id, json!({"notes": "n"})).await, "key_is_restricted");
        assert_eq!(bed.access.rotate_key(&caller, other.info.id, RotateKey::default()).await.unwrap_err().code(), "key_is_restricted");
        let next = bed.access.rotate_key(&caller, bound.info.id, RotateKey::default()).await.unwrap();
        assert_eq!(next.info.allowed_ips, ["203.0.113.0/24"], "itself it may rotate: the new one is bound as well");
    }

    async fn what_the_operator_switched_off_only_the_operator_switches_on(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let (own, other) = (bed.key(&tenant, client).await, bed.key(&tenant, client).await);
        let (partner, operator) = (bed.admitted(&own.key).await.unwrap().caller(), bed.acting(&tenant));
        let set = async |caller: &Caller, on: bool| {
            let change: UpdateKey = serde_json::from_value(json!({"enabled": on})).unwrap();
            bed.access.update_key(caller, other.info.id, change).await.map(|key| (key.enabled, key.disabled_by_operator))
        };
        // What a partner switched off, a partner switches on.
        assert_eq!(set(&partner, false).await.unwrap(), (false, false));
        assert_eq!(set(&partner, true).await.unwrap(), (true, false));
        assert_eq!(set(&operator, false).await.unwrap(), (false, true));
        let refused = set(&partner, true).await.unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (kernel::Kind::Forbidden, "switched_off_by_operator"));
        assert_eq!(set(&partner, false).await.unwrap(), (false, true), "nor by way of switching it off oneself");
        assert_eq!(bed.refused(&other.key).await, "invalid_credential");
        let next = bed.access.rotate_key(&partner, other.info.id, RotateKey::default()).await.unwrap();
        assert_eq!((next.info.enabled, next.info.disabled_by_operator), (false, true), "nor by rotating it");
        assert_eq!(refused_change(&bed, &partner, next.info.id).await, "switched_off_by_operator");
        let on: UpdateKey = serde_json::from_value(json!({"enabled": true})).unwrap();
        bed.access.update_key(&operator, next.info.id, on).await.unwrap();
        bed.admitted(&next.key).await.unwrap();
        // One that a partner switched off becomes the operator's when they say so too.
        let off: UpdateKey = serde_json::from_value(json!({"enabled": false})).unwrap();
        bed.access.update_key(&partner, next.info.id, off.clone()).await.unwrap();
        bed.access.update_key(&operator, next.info.id, off).await.unwrap();
        assert_eq!(refused_change(&bed, &partner, next.info.id).await, "switched_off_by_operator");
    }

    async fn a_client_that_the_operator_suspended_works_again_by_the_operator_only(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let (own, other) = (bed.client(&tenant, None).await.client.id, bed.client(&tenant, None).await.client.id);
        let partner = bed.admitted(&bed.key(&tenant, own).await.key).await.unwrap().caller();
        let operator = bed.acting(&tenant);
        let change = async |caller: &Caller, change: Value| {
            let change: access::clients::UpdateClient = serde_json::from_value(change).unwrap();
            bed.access.update_client(caller, kernel::IdRef::Id(other), change).await.map(|_| ()).map_err(|error| error.code())
        };
        let (active, suspended) = (json!({"status": "active"}), json!({"status": "suspended"}));
        // A partner's own suspension stays the partner's, whatever else the operator changes.
        change(&partner, suspended.clone()).await.unwrap();
        change(&operator, json!({"description": "seen"})).await.unwrap();
        change(&partner, active.clone()).await.unwrap();
        change(&operator, suspended.clone()).await.unwrap();
        assert_eq!(change(&partner, active.clone()).await, Err("switched_off_by_operator"));
        change(&partner, json!({"description": "still", "status": "suspended"})).await.unwrap();
        assert_eq!(change(&partner, active.clone()).await, Err("switched_off_by_operator"));
        let whole: access::clients::ClientInput = serde_json::from_value(json!({"name": "CRM", "status": "active"})).unwrap();
        let replaced = bed.access.replace_client(&partner, kernel::IdRef::Id(other), whole).await;
        assert_eq!(replaced.unwrap_err().code(), "switched_off_by_operator");
        change(&operator, active).await.unwrap();
        change(&partner, suspended).await.unwrap();
        change(&partner, json!({"status": "active"})).await.unwrap();
    }

    async fn a_limit_in_windows_is_lowered_and_never_lifted(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        for (limit, higher, lower) in [
            (json!({"perMinute": 5, "perHour": 50}), json!({"perMinute": 5}), json!({"perMinute": 4, "perHour": 50})),
            (json!({"requests": 2, "window": 60_000}), json!({"requests": 3, "window": 60_000}), json!({"requests": 1, "window": 60_000})),
            (json!(5), json!({"perHour": 10}), json!({"perMinute": 5, "perHour": 10})),
        ] {
            let key = bed.key_with(&tenant, client, input(json!({"rateLimitOverride": limit}))).await.unwrap();
            let caller = bed.admitted(&key.key).await.unwrap().caller();
            assert_eq!(refused(&bed, &caller, key.info.id, json!({"rateLimitOverride": higher})).await, "limit_exceeds_tier", "{limit}");
            let change: UpdateKey = serde_json::from_value(json!({"rateLimitOverride": lower})).unwrap();
            let lowered = bed.access.update_key(&caller, key.info.id, change).await.unwrap();
            assert_eq!(serde_json::to_value(lowered.rate_limit_override).unwrap(), lower);
            assert_eq!(refused(&bed, &caller, key.info.id, json!({"rateLimitOverride": limit})).await, "limit_exceeds_tier", "not back");
        }
    }

    async fn limits_that_are_set_are_lowered_only(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let limited = json!({"rateLimitOverride": 3, "monthlyQuota": {"limit": 10}});
        let key = bed.key_with(&tenant, client, input(limited)).await.unwrap();
        let caller = bed.admitted(&key.key).await.unwrap().caller();
        for change in [
            json!({"rateLimitOverride": null}),
            json!({"rateLimitOverride": 4}),
            json!({"monthlyQuota": null}),
            json!({"monthlyQuota": {"limit": 11}}),
            json!({"monthlyQuota": {"limit": 10, "refillDay": 9}}),
        ] {
            assert_eq!(refused(&bed, &caller, key.info.id, change.clone()).await, "limit_exceeds_tier", "{change}");
        }
        let lower: UpdateKey = serde_json::from_value(json!({"rateLimitOverride": 2, "monthlyQuota": {"limit": 5}})).unwrap();
        bed.access.update_key(&caller, key.info.id, lower).await.unwrap();
        let lift: UpdateKey = serde_json::from_value(json!({"rateLimitOverride": null, "monthlyQuota": null})).unwrap();
        bed.access.update_key(&bed.acting(&tenant), key.info.id, lift).await.unwrap();
    }
}
