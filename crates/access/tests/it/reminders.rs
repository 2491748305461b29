//! Tenants are told of keys that end and of rotations that are due: once, by one server.

use std::sync::Arc;

use access::keys::{CreateKey, UpdateKey};
use serde_json::json;
use web::Patch;

use crate::bed::{Bed, blueprint};

const DAY: u64 = 86_400;

fn input(value: serde_json::Value) -> CreateKey {
    let mut value = value;
    value["clientId"] = json!("cli_x");
    value["name"] = json!("key");
    serde_json::from_value(value).unwrap()
}

testkit::engines! {
    async fn a_key_that_ends_is_announced_and_its_end_is_told(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let holder = bed.ambient.id();
        let made = bed.key_with(&tenant, client, input(json!({"expiresInDays": 30, "metadata": {"a": 1}}))).await.unwrap();
        bed.key(&tenant, client).await;
        assert_eq!(bed.access.remind(holder).await.unwrap(), 0, "nothing is near");
        for (days, expected) in [(23, "api_key.expiring"), (6, "api_key.expiring"), (1, "api_key.expired")] {
            bed.advance(days * DAY);
            assert_eq!(bed.access.remind(holder).await.unwrap(), 1);
            assert_eq!(bed.access.remind(holder).await.unwrap(), 0, "once");
            assert_eq!(bed.told_types().await.last().unwrap(), expected);
        }
        let told = bed.told().await;
        assert_eq!(told.len(), 3);
        let (_, last) = &told[2];
        assert_eq!((&last["apiKeyId"], &last["keyId"], &last["inUse"]), (&json!(made.info.id), &json!(made.info.key_id), &json!(false)));
        assert!(!serde_json::to_string(&told.iter().map(|one| &one.1).collect::<Vec<_>>()).unwrap().contains(&made.key[made.info.key_id.len()..]));
        // Its schema holds of what is sent.
        let view = bed.events.event_type(&bed.acting(&tenant), "api_key.expired", None).await.unwrap();
        assert!(blueprint::Schema::compile(&view.schema).unwrap().check(last, "").is_empty());
    }

    async fn an_end_that_moves_is_announced_anew(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let holder = bed.ambient.id();
        let made = bed.key_with(&tenant, client, input(json!({"expiresInDays": 8}))).await.unwrap();
        bed.advance(2 * DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 1);
        let later = UpdateKey { expires_at: Patch::Value(bed.ambient.now().plus(std::time::Duration::from_hours(24 * 20))), ..Default::default() };
        bed.access.update_key(&caller, made.info.id, later).await.unwrap();
        bed.advance(10 * DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 0);
        bed.advance(4 * DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 1);
        let off = UpdateKey { enabled: Patch::Value(false), ..Default::default() };
        bed.access.update_key(&caller, made.info.id, off).await.unwrap();
        bed.advance(30 * DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 0, "what is switched off is nobody's worry");
        assert_eq!(bed.told_types().await, ["api_key.expiring", "api_key.expiring"]);
    }

    async fn a_due_rotation_is_told_every_week_until_it_is_done(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let holder = bed.ambient.id();
        let made = bed.key_with(&tenant, client, input(json!({"rotationFrequencyDays": 90}))).await.unwrap();
        bed.advance(90 * DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 1);
        bed.advance(6 * DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 0);
        bed.advance(DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 1);
        bed.advance(1);
        bed.access.rotate_key(&bed.acting(&tenant), made.info.id, access::keys::RotateKey::default()).await.unwrap();
        bed.advance(60 * DAY);
        assert_eq!(bed.access.remind(holder).await.unwrap(), 0, "the new one is young");
        let told = bed.told().await;
        let types: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(types, ["api_key.rotation_due", "api_key.rotation_due", "api_key.rotated"]);
        assert_eq!(told[0].1["rotationDueAt"], json!(made.info.created_at.plus(std::time::Duration::from_hours(24 * 90))));
    }

    /// Two servers look at once: one of them does, and each key is told once; when it is gone, the other goes on.
    async fn one_server_tells(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        for _ in 0..120 {
            bed.key_with(&tenant, client, input(json!({"expiresInDays": 3}))).await.unwrap();
        }
        let elsewhere = bed.other_process().await;
        let other = access::Access::new(elsewhere, bed.ambient.clone(), Arc::new(blueprint()), Vec::new()).await.unwrap();
        other.set_events(&bed.events);
        bed.advance(2 * DAY);
        let (a, b) = (bed.ambient.id(), bed.ambient.id());
        let (here, there) = tokio::join!(bed.access.remind(a), other.remind(b));
        let (here, there) = (here.unwrap(), there.unwrap());
        assert!(here + there == 120 && (here == 0 || there == 0), "{here} and {there}: more than a transaction's worth, by one server");
        assert_eq!(bed.told().await.len(), 120);
        // Whoever held it says nothing any more.
        bed.advance(2 * DAY);
        let (first, second) = if here > 0 { (other.remind(b).await, bed.access.remind(a).await) } else { (bed.access.remind(a).await, other.remind(b).await) };
        assert_eq!((first.unwrap(), second.unwrap()), (120, 0));
    }
}
