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
