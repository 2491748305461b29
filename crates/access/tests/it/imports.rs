//! Keys of other systems.

use std::sync::Arc;
use std::time::Duration;

use access::keys::{ImportKey, KeyStatus, RotateKey};
use kernel::{Kind, Scope};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::bed::{Bed, blueprint, pointers};

/// As another system made it.
const FOREIGN: &str = "sk_prod_9f8e7d6c5b4a39281706f5e4d3c2b1a0";

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn import(client: kernel::ClientId, more: serde_json::Value) -> ImportKey {
    let mut body = json!({"hash": sha256(FOREIGN), "clientId": client, "name": "from the old system"});
    let serde_json::Value::Object(more) = more else { panic!("more members of an object") };
    body.as_object_mut().unwrap().extend(more);
    serde_json::from_value(body).unwrap()
}

testkit::engines! {
    async fn a_foreign_key_goes_on_working(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        assert_eq!(bed.refused(FOREIGN).await, "invalid_credential");
        assert!(bed.access.try_authenticate_cached(FOREIGN, None).is_some(), "without imports such a text is not even looked up");
        let body = json!({"scopes": ["leads:read"], "allowedIps": ["203.0.113.0/24"], "mask": "sk_prod_9f8e…", "metadata": {"old": 7}, "expiresInDays": 1});
        let made = bed.access.import_key(&caller, import(client, body)).await.unwrap();
        assert_eq!((made.mask.as_str(), made.key_id.as_str(), made.status), ("sk_prod_9f8e…", "sk_prod_9f8e…", KeyStatus::Active));
        for _ in 0..2 {
            let principal = bed.admitted(FOREIGN).await.unwrap();
            assert_eq!((principal.key(), &*principal.scopes), (Some(made.id), ["leads:read".to_owned()].as_slice()));
            assert!(!principal.ip_allowed("198.51.100.1".parse().unwrap()));
        }
        assert!(bed.access.try_authenticate_cached(FOREIGN, None).unwrap().is_ok(), "and is cached");
        assert_eq!(bed.refused(&format!("{FOREIGN}x")).await, "invalid_credential");
        assert!(bed.access.try_authenticate_cached(&format!("{FOREIGN}x"), None).is_none(), "what nobody has is not cached");
        // Neither the text nor its plain hash is stored.
        let stored: Vec<String> = bed.store
            .read(Scope::system("test"), |tx| tx.query("SELECT key_id || fingerprint || mask || metadata FROM api_keys", &[], |row| row.get(0)))
            .await
            .unwrap();
        assert!(!stored[0].contains(FOREIGN) && !stored[0].contains(&sha256(FOREIGN)), "{stored:?}");
        bed.advance(86_400);
        assert_eq!(bed.refused(FOREIGN).await, "invalid_credential", "it ends like any other");
        assert_eq!(bed.audit_actions().await.last().unwrap(), "key.import");
    }

    async fn a_body_has_the_members_of_both(bed: Bed) {
        let refused = |body: serde_json::Value| serde_json::from_value::<ImportKey>(body).unwrap_err().to_string();
        let whole = json!({"hash": sha256(FOREIGN), "clientId": "cli_x", "name": "n", "mask": null, "notes": "kept"});
        let read: ImportKey = serde_json::from_value(whole.clone()).unwrap();
        assert_eq!((read.key.notes.as_deref(), read.mask), (Some("kept"), None));
        let with = |name: &str, value: serde_json::Value| { let mut body = whole.clone(); body[name] = value; body };
        assert!(refused(with("nonsense", json!(1))).contains("unknown field `nonsense`"));
        assert!(refused(json!({"clientId": "cli_x", "name": "n"})).contains("missing field `hash`"));
        assert!(refused(json!({"hash": "x", "name": "n"})).contains("missing field `clientId`"));
        assert!(serde_json::from_str::<ImportKey>(r#"{"hash": "x", "hash": "y", "clientId": "c", "name": "n"}"#).unwrap_err().to_string().contains("duplicate field `hash`"));
        drop(bed);
    }

    async fn it_is_revoked_and_rotated_like_any_other(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let made = bed.access.import_key(&caller, import(client, json!({}))).await.unwrap();
        assert!(made.mask.starts_with("imported_"), "{}", made.mask);
        bed.admitted(FOREIGN).await.unwrap();
        let grace = RotateKey { grace_period_seconds: 60, ..RotateKey::default() };
        let next = bed.access.rotate_key(&caller, made.id, grace).await.unwrap();
        assert!(next.key.starts_with("ins_live_") && next.info.lineage_id == made.id);
        bed.admitted(FOREIGN).await.unwrap();
        bed.access.revoke_key(&caller, None, made.id).await.unwrap();
        assert_eq!(bed.refused(FOREIGN).await, "invalid_credential");
        bed.admitted(&next.key).await.unwrap();
    }

    async fn only_the_operator_imports_and_each_hash_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let partner = bed.admitted(&bed.key(&tenant, client).await.key).await.unwrap().caller();
        assert_eq!(bed.access.import_key(&partner, import(client, json!({}))).await.unwrap_err().code(), "operator_only");
        for (hash, place) in [("", "/hash"), ("xyz", "/hash"), (&sha256("a")[1..], "/hash")] {
            let error = bed.access.import_key(&caller, import(client, json!({"hash": hash}))).await.unwrap_err();
            assert_eq!(pointers(&error), [place], "{hash}");
        }
        // What a script hashes when it has no key: nothing, a line's end, a placeholder.
        for text in ["", "\n", "a", "ab", "null", "undefined\n", "secret"] {
            let error = bed.access.import_key(&caller, import(client, json!({"hash": sha256(text)}))).await.unwrap_err();
            assert_eq!((error.code(), pointers(&error)), ("validation_failed", vec!["/hash"]), "{text:?}");
        }
        let error = bed.access.import_key(&caller, import(client, json!({"scopes": ["leads:fly"]}))).await.unwrap_err();
        assert_eq!(error.code(), "unknown_scope");
        // A hash in capitals is the same hash.
        bed.access.import_key(&caller, import(client, json!({"hash": sha256(FOREIGN).to_uppercase()}))).await.unwrap();
        let again = bed.access.import_key(&caller, import(client, json!({}))).await.unwrap_err();
        assert_eq!((again.kind(), again.code()), (Kind::Conflict, "key_exists"));
        // A key of ours is not taken over a second time under its hash.
        let own = bed.key(&tenant, client).await;
        let error = bed.access.import_key(&caller, import(client, json!({"hash": sha256(&own.key)}))).await.unwrap_err();
        assert_eq!(error.code(), "key_exists");
        bed.admitted(&own.key).await.unwrap();
    }

    /// Another server, which has never seen an imported key, learns that there are some.
    async fn other_servers_learn_of_the_first_import(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let elsewhere = bed.other_process().await;
        let other = access::Access::new(elsewhere, bed.ambient.clone(), Arc::new(blueprint()), Vec::new()).await.unwrap();
        assert!(other.authenticate(FOREIGN, None).await.is_err());
        bed.access.import_key(&bed.acting(&tenant), import(client, json!({}))).await.unwrap();
        testkit::wait::until("the notice to arrive", Duration::from_secs(10), || async { other.authenticate(FOREIGN, None).await.ok() }).await;
        // And one that starts later knows at once.
        let late = access::Access::new(bed.other_process().await, bed.ambient.clone(), Arc::new(blueprint()), Vec::new()).await.unwrap();
        late.authenticate(FOREIGN, None).await.unwrap();
    }
}
