//! What is done when a key is found where others can read it.

use access::keys::KeyStatus;
use access::leaks::{LeakOutcome, LeakPolicy, LeakReport, LeakStatus};
use access::tenants::UpdateTenant;
use kernel::{Caller, IdRef, Permission};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use web::Patch;

use crate::bed::{Bed, pointers};

async fn report(bed: &Bed, caller: &Caller, body: Value) -> Vec<LeakOutcome> {
    bed.access.report_leaks(caller, serde_json::from_value::<LeakReport>(body).unwrap()).await.unwrap().data
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

testkit::engines! {
    async fn a_leak_is_marked_and_told_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let (a, b) = (bed.key(&tenant, client).await, bed.key(&tenant, client).await);
        let body = json!({"leaks": [{"token": a.key, "url": "https://example.com/x"}, {"hash": sha256(&b.key)}, {"token": "nobody's"}, {"hash": sha256("x")}], "source": "a friend"});
        let found = report(&bed, &bed.operator(), body.clone()).await;
        let statuses: Vec<LeakStatus> = found.iter().map(|one| one.status).collect();
        assert_eq!(statuses, [LeakStatus::Reported, LeakStatus::Reported, LeakStatus::Unknown, LeakStatus::Unknown]);
        assert_eq!((found[0].api_key_id, found[0].tenant_id, found[0].action), (Some(a.info.id), Some(tenant.id), Some(LeakPolicy::Notify)));
        assert_eq!(found[2], found[3], "what is unknown says nothing");
        bed.admitted(&a.key).await.unwrap();
        let shown = bed.access.get_key(&bed.acting(&tenant), a.info.id).await.unwrap();
        assert_eq!(shown.leaked_at, Some(bed.ambient.now()));
        let again = report(&bed, &bed.operator(), body).await;
        assert_eq!(again[0].status, LeakStatus::AlreadyReported);
        let told = bed.told().await;
        assert_eq!(told.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["api_key.leaked", "api_key.leaked"], "once each");
        let (_, data) = told.iter().find(|(_, data)| data["apiKeyId"] == json!(a.info.id)).unwrap();
        assert_eq!((&data["source"], &data["url"], &data["action"]), (&json!("a friend"), &json!("https://example.com/x"), &json!("notify")));
        let leaks = bed.audit_actions().await.into_iter().filter(|action| action == "key.leak").count();
        assert_eq!(leaks, 2);
    }

    async fn the_policy_is_the_reports_the_tenants_or_the_installations(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        bed.access.set_leak_policy(LeakPolicy::Shorten(60));
        let settings = |policy: &str| UpdateTenant { settings: Patch::Value(json!({"leakPolicy": policy}).as_object().unwrap().clone()), ..Default::default() };
        let leak = async |more: Value| {
            let key = bed.key(&tenant, client).await;
            bed.admitted(&key.key).await.unwrap();
            let mut body = json!({"leaks": [{"token": key.key}]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let outcome = report(&bed, &bed.operator(), body).await.remove(0);
            (key, outcome)
        };
        let (key, outcome) = leak(json!({})).await;
        assert_eq!(outcome.action, Some(LeakPolicy::Shorten(60)), "the installation's");
        bed.admitted(&key.key).await.unwrap();
        bed.advance(60);
        assert_eq!(bed.refused(&key.key).await, "invalid_credential");

        bed.access.update_tenant(&bed.operator(), IdRef::Id(tenant.id), settings("revoke")).await.unwrap();
        let (key, outcome) = leak(json!({})).await;
        assert_eq!(outcome.action, Some(LeakPolicy::Revoke), "the tenant's");
        assert_eq!(bed.refused(&key.key).await, "invalid_credential", "at once, though it was cached");
        assert_eq!(bed.access.get_key(&bed.acting(&tenant), key.info.id).await.unwrap().status, KeyStatus::Revoked);
        let ended = report(&bed, &bed.operator(), json!({"leaks": [{"token": key.key}]})).await;
        assert_eq!(ended[0].status, LeakStatus::AlreadyReported);

        let (key, outcome) = leak(json!({"policy": "notify"})).await;
        assert_eq!(outcome.action, Some(LeakPolicy::Notify), "the report's");
        bed.admitted(&key.key).await.unwrap();
        let bad = bed.access.update_tenant(&bed.operator(), IdRef::Id(tenant.id), settings("explode")).await.unwrap_err();
        assert_eq!(pointers(&bad), ["/settings/leakPolicy"]);
    }

    /// Nobody is there to take the new key when a leak rotates the old one: it waits, sealed, and is fetched once.
    async fn a_successor_waits_to_be_claimed(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let dual = access::clients::UpdateClient { dual_auth: Patch::Value(true), ..Default::default() };
        bed.access.update_client(&caller, IdRef::Id(client), dual).await.unwrap();
        let old = bed.key(&tenant, client).await;
        let outcome = report(&bed, &bed.operator(), json!({"leaks": [{"token": old.key}], "policy": "rotate:3600"})).await.remove(0);
        let successor = outcome.successor_id.unwrap();
        bed.access.authenticate(&old.key, old.secret.as_deref()).await.unwrap();

        let (other, _) = (bed.tenant("Other").await, ());
        assert_eq!(bed.access.claim_key(&bed.acting(&other), successor).await.unwrap_err().code(), "not_found");
        let weak = bed.client(&tenant, Some(&["self:manage"])).await.client.id;
        let weak = bed.admitted(&bed.key(&tenant, weak).await.key).await.unwrap().caller();
        assert!(weak.require(Permission::KeysWrite).is_ok());
        assert_eq!(bed.access.claim_key(&weak, successor).await.unwrap_err().code(), "scope_exceeds_client", "the key holds more than it");

        let claimed = bed.access.claim_key(&caller, successor).await.unwrap();
        assert_eq!(claimed.id, successor);
        let principal = bed.access.authenticate(&claimed.key, claimed.secret.as_deref()).await.unwrap();
        assert_eq!((principal.key(), principal.lineage), (Some(successor), Some(old.info.id)));
        assert_eq!(bed.access.claim_key(&caller, successor).await.unwrap_err().code(), "nothing_to_claim");
        assert_eq!(bed.access.claim_key(&caller, old.info.id).await.unwrap_err().code(), "nothing_to_claim");
        bed.advance(3600);
        assert!(bed.access.authenticate(&old.key, old.secret.as_deref()).await.is_err());
        let told: Vec<_> = bed.told().await;
        let (_, leak) = told.iter().find(|(name, _)| name == "api_key.leaked").unwrap();
        assert_eq!(leak["successorId"], json!(successor));
        let all = serde_json::to_string(&told).unwrap();
        assert!(!all.contains(&claimed.key), "no event carries a key");
    }

    async fn only_the_operator_reports_and_a_named_tenant_bounds_it(bed: Bed) {
        let (mine, theirs) = (bed.tenant("Mine").await, bed.tenant("Theirs").await);
        let (own, other) = (bed.client(&mine, None).await.client.id, bed.client(&theirs, None).await.client.id);
        let (own, other) = (bed.key(&mine, own).await, bed.key(&theirs, other).await);
        let body = json!({"leaks": [{"token": own.key}, {"token": other.key}]});
        let partner = bed.admitted(&own.key).await.unwrap().caller();
        let refused = bed.access.report_leaks(&partner, serde_json::from_value(body.clone()).unwrap()).await;
        assert_eq!(refused.unwrap_err().code(), "operator_only");
        let found = report(&bed, &bed.acting(&mine), body).await;
        assert_eq!((found[0].status, found[1].status), (LeakStatus::Reported, LeakStatus::Unknown));
        assert_eq!(found[1].tenant_id, None);
        for (bad, place) in [
            (json!({"leaks": []}), "/leaks"),
            (json!({"leaks": [{"url": "x"}]}), "/leaks/0"),
            (json!({"leaks": [{"token": "a", "hash": "b"}]}), "/leaks/0"),
            (json!({"leaks": [{"hash": "b"}]}), "/leaks/0/hash"),
        ] {
            let error = bed.access.report_leaks(&bed.operator(), serde_json::from_value(bad).unwrap()).await.unwrap_err();
            assert_eq!(pointers(&error), [place]);
        }
    }

    async fn a_service_key_leaks_too(bed: Bed) {
        let service = access::service_keys::create(&bed.store, access::service_keys::NewServiceKey::default()).await.unwrap();
        bed.admitted(service.key.reveal()).await.unwrap();
        let body = json!({"leaks": [{"token": service.key.reveal()}], "policy": "revoke"});
        let found = report(&bed, &bed.operator(), body.clone()).await.remove(0);
        assert_eq!((found.status, found.action, found.tenant_id), (LeakStatus::Reported, Some(LeakPolicy::Revoke), None));
        assert_eq!(bed.refused(service.key.reveal()).await, "invalid_credential");
        assert_eq!(report(&bed, &bed.operator(), body).await[0].status, LeakStatus::Ended);
        assert!(bed.audit_actions().await.contains(&"service_key.leak".to_owned()));
        assert!(bed.told().await.is_empty());
    }
}
