//! Service keys, as the command line handles them.

use std::time::Duration;

use access::service_keys::{self, NewServiceKey};
use kernel::{Credential, IdRef, Kind, Permission};

use crate::bed::{Bed, owned};

testkit::engines! {
    async fn are_made_listed_rotated_and_revoked(bed: Bed) {
        let made = service_keys::create(&bed.store, NewServiceKey { name: Some("host".into()), ..NewServiceKey::default() }).await.unwrap();
        assert!(made.key.reveal().starts_with("tws_live_"));
        let principal = bed.admitted(made.key.reveal()).await.unwrap();
        assert!(principal.caller().operate().is_ok() && principal.tier.is_none() && principal.tenant.is_none());

        bed.advance(1);
        let next = service_keys::rotate(&bed.store, &made.info.id.to_string(), Duration::from_secs(60)).await.unwrap();
        bed.admitted(made.key.reveal()).await.unwrap();
        bed.admitted(next.key.reveal()).await.unwrap();
        bed.advance(60);
        assert_eq!(bed.refused(made.key.reveal()).await, "invalid_credential");
        let shown = next.info.mask.rsplit_once('_').unwrap().0.to_owned();
        service_keys::revoke(&bed.store, &shown).await.unwrap();
        assert_eq!(bed.refused(next.key.reveal()).await, "invalid_credential");
        let statuses: Vec<_> = service_keys::list(&bed.store).await.unwrap().into_iter().map(|key| (key.name, key.status)).collect();
        assert_eq!(statuses, [("host".into(), "expired".to_owned()), ("host".into(), "revoked".to_owned())]);
        assert_eq!(service_keys::revoke(&bed.store, "tws_live_nothing").await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(service_keys::rotate(&bed.store, &shown, Duration::ZERO).await.unwrap_err().code(), "key_revoked");
        let actions = bed.audit_actions().await;
        assert_eq!(actions, ["service_key.create", "service_key.create", "service_key.rotate", "service_key.revoke"]);
    }

    async fn may_be_bound_and_narrowed(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let bound = NewServiceKey { tenant: Some("ext:Acme-1".into()), permissions: Some(owned(&["events.publish"])), ..NewServiceKey::default() };
        let bound = service_keys::create(&bed.store, bound).await.unwrap();
        let principal = bed.admitted(bound.key.reveal()).await.unwrap();
        assert_eq!(principal.credential, Credential::ServiceKey { key: bound.info.id, bound: Some(tenant.id) });
        let caller = principal.caller();
        assert!(caller.operate().is_err() && caller.allow(Permission::EventsPublish).is_ok() && caller.allow(Permission::ClientsRead).is_err());

        let unknown = NewServiceKey { permissions: Some(owned(&["fly"])), ..NewServiceKey::default() };
        assert_eq!(service_keys::create(&bed.store, unknown).await.unwrap_err().code(), "unknown_permission");
        let nowhere = NewServiceKey { tenant: Some("ext:nobody".into()), ..NewServiceKey::default() };
        assert_eq!(service_keys::create(&bed.store, nowhere).await.unwrap_err().kind(), Kind::NotFound);

        bed.access.delete_tenant(&bed.operator(), IdRef::Id(tenant.id)).await.unwrap();
        assert_eq!(bed.refused(bound.key.reveal()).await, "invalid_credential");
    }
}
