//! Rotation: what goes on, what ends, and when.

use access::keys::{CreateKey, KeyStatus, RotateKey};
use kernel::IdRef;
use serde_json::json;

use crate::bed::{Bed, pointers};

fn grace(seconds: u32) -> RotateKey {
    RotateKey { grace_period_seconds: seconds, ..RotateKey::default() }
}

fn input(value: serde_json::Value) -> CreateKey {
    let mut value = value;
    value["clientId"] = json!("cli_x");
    value["name"] = json!("key");
    serde_json::from_value(value).unwrap()
}

testkit::engines! {
    async fn the_new_key_goes_on_in_the_same_line(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let body = json!({
            "scopes": ["leads:read"], "environment": "staging", "allowedIps": ["203.0.113.0/24"], "allowedEndpoints": ["/api/v1/leads*"],
            "rateLimitOverride": {"perMinute": 5}, "monthlyQuota": {"limit": 100}, "rotationFrequencyDays": 90, "notes": "n",
            "metadata": {"plan": "gold"},
        });
        let first = bed.key_with(&tenant, client, input(body)).await.unwrap();
        assert_eq!((first.info.lineage_id, first.info.rotated_from, first.info.last_rotated_at), (first.info.id, None, None));
        bed.access.touch(first.info.id, bed.ambient.now());
        bed.access.flush().await.unwrap();
        bed.advance(60);
        let second = bed.access.rotate_key(&caller, first.info.id, grace(3600)).await.unwrap();
        bed.advance(1);
        let third = bed.access.rotate_key(&caller, second.info.id, grace(3600)).await.unwrap();

        let (a, b) = (serde_json::to_value(&first.info).unwrap(), serde_json::to_value(&third.info).unwrap());
        for name in ["scopes", "environment", "allowedIps", "allowedEndpoints", "rateLimitOverride", "monthlyQuota", "rotationFrequencyDays",
            "notes", "metadata", "name", "clientId", "lineageId"] {
            assert_eq!(a[name], b[name], "{name}");
        }
        assert_eq!((third.info.rotated_from, third.info.last_rotated_at), (Some(second.info.id), Some(bed.ambient.now())));
        // Counted and limited as one, so that rotating gives no fresh quota.
        let (old, new) = (bed.admitted(&first.key).await.unwrap(), bed.admitted(&third.key).await.unwrap());
        assert_eq!((&old.limit_id, old.lineage, old.limits.clone()), (&new.limit_id, new.lineage, new.limits.clone()));
        let line = bed.store.read(kernel::Scope::system("test"), {
            let (tenant, id) = (tenant.id, second.info.id);
            move |tx| access::keys::line(tx, tenant, id)
        });
        assert_eq!(line.await.unwrap(), (client, vec![first.info.id, second.info.id, third.info.id]));
        // The old one says what took its place, until when it lives, and when it was last used.
        let old = bed.access.get_key(&caller, first.info.id).await.unwrap();
        let now = bed.ambient.now();
        assert_eq!((old.rotated_to, old.expires_at), (Some(second.info.id), Some(now.plus(std::time::Duration::from_secs(3599)))));
        assert_eq!((old.last_used_at, old.rotation_due_at), (Some(first.info.created_at), None));
        assert!(third.info.rotation_due_at.is_some());
        assert_eq!(bed.told_types().await, ["api_key.rotated", "api_key.rotated"]);
        let told = bed.told().await;
        let (_, data) = told.iter().find(|(_, data)| data["apiKeyId"] == json!(first.info.id)).unwrap();
        assert_eq!((&data["successorId"], &data["requestCount"]), (&json!(second.info.id), &json!(1)));
    }

    async fn a_life_in_days_begins_anew_and_a_fixed_end_stays(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let days = bed.key_with(&tenant, client, input(json!({"expiresInDays": 30}))).await.unwrap();
        let fixed = bed.key_with(&tenant, client, input(json!({"expiresAt": "2099-01-01T00:00:00Z"}))).await.unwrap();
        bed.advance(20 * 86_400);
        let next = bed.access.rotate_key(&caller, days.info.id, grace(60)).await.unwrap();
        assert_eq!(next.info.expires_at, Some(bed.ambient.now().plus(std::time::Duration::from_hours(30 * 24))));
        let after = bed.access.rotate_key(&caller, next.info.id, grace(60)).await.unwrap();
        assert_eq!(after.info.expires_at, next.info.expires_at, "the successor's successor too");
        let stays = bed.access.rotate_key(&caller, fixed.info.id, grace(60)).await.unwrap();
        assert_eq!(stays.info.expires_at, fixed.info.expires_at);
    }

    async fn a_key_is_rotated_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let first = bed.key(&tenant, client).await;
        let second = bed.access.rotate_key(&caller, first.info.id, grace(3600)).await.unwrap();
        let error = bed.access.rotate_key(&caller, first.info.id, grace(3600)).await.unwrap_err();
        assert_eq!(error.code(), "key_rotated");
        assert!(error.detail().contains(&second.info.id.to_string()), "{}", error.detail());
        bed.admitted(&first.key).await.unwrap();
        assert_eq!(bed.count("api_keys").await, 2);
    }

    /// What a key makes ends no later than the key, by whatever route.
    async fn a_key_cannot_make_its_own_life_longer(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, Some(&["self:manage"])).await.client.id;
        let made = bed.key_with(&tenant, client, input(json!({"expiresInDays": 2}))).await.unwrap();
        bed.advance(86_400);
        let itself = bed.admitted(&made.key).await.unwrap().caller();
        let next = bed.access.rotate_key(&itself, made.info.id, RotateKey::default()).await.unwrap();
        assert_eq!(next.info.expires_at, made.info.expires_at);
    }

    async fn a_replaced_key_lives_on_while_it_is_used_if_asked_so(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let holder = bed.ambient.id();
        let (used, unused) = (bed.key(&tenant, client).await, bed.key(&tenant, client).await);
        let how = RotateKey { grace_period_seconds: 7200, extend_while_used: true };
        let short = RotateKey { grace_period_seconds: 60, extend_while_used: true };
        assert_eq!(pointers(&bed.access.rotate_key(&caller, used.info.id, short).await.unwrap_err()), ["/gracePeriodSeconds"]);
        for key in [&used, &unused] {
            bed.access.rotate_key(&caller, key.info.id, how).await.unwrap();
        }
        bed.advance(3600);
        bed.admitted(&used.key).await.unwrap();
        bed.access.touch(used.info.id, bed.ambient.now());
        bed.access.flush().await.unwrap();
        assert_eq!(bed.access.remind(holder).await.unwrap(), 2);
        bed.advance(3600);
        bed.admitted(&used.key).await.unwrap();
        assert_eq!(bed.refused(&unused.key).await, "invalid_credential");
        bed.access.remind(holder).await.unwrap();
        let told = bed.told().await;
        let of = |key: &access::keys::KeyWithToken| -> Vec<_> {
            let id = json!(key.info.id);
            told.iter().filter(|(_, data)| data["apiKeyId"] == id).map(|(name, data)| (name.as_str(), data["extended"].as_bool())).collect()
        };
        assert_eq!(of(&used), [("api_key.rotated", None), ("api_key.expiring", Some(true))]);
        assert_eq!(of(&unused), [("api_key.rotated", None), ("api_key.expiring", Some(false)), ("api_key.expired", None)]);
        // Nobody uses it any more: it ends.
        bed.advance(2 * 86_400);
        assert_eq!(bed.refused(&used.key).await, "invalid_credential");
    }

    async fn a_key_that_is_switched_off_is_rotated_switched_off(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let made = bed.key(&tenant, client).await;
        let off = access::keys::UpdateKey { enabled: web::Patch::Value(false), ..Default::default() };
        let shown = bed.access.update_key(&caller, made.info.id, off).await.unwrap();
        assert!(!shown.enabled);
        let next = bed.access.rotate_key(&caller, made.info.id, RotateKey::default()).await.unwrap();
        assert_eq!((next.info.status, next.info.enabled), (KeyStatus::Disabled, false));
        assert_eq!(bed.refused(&next.key).await, "invalid_credential");
        let listed = bed.access.list_keys(&caller, IdRef::Id(client), kernel::PageRequest::default()).await.unwrap();
        assert_eq!(listed.data.len(), 2);
    }
}
