//! Links by which a host signs its people in.

use std::time::Duration;

use access::people::{OperatorRole, Role, UserStatus};
use kernel::{Kind, Permission};
use people::portal_sessions::CreatePortalSession;
use people::users::UpdateUser;
use people::{Method, Purpose};

use crate::bed::{Bed, PASSWORD, secret, token_of};

fn link(email: &str, role: Role) -> CreatePortalSession {
    CreatePortalSession {
        tenant_id: None,
        email: email.into(),
        name: Some("Ada".into()),
        role,
        next: Some("/portal/webhooks".into()),
        expires_in_seconds: None,
    }
}

testkit::engines! {
    async fn a_host_signs_somebody_into_one_tenant_and_into_nothing_else(bed: Bed) {
        let (mine, other) = (bed.tenant("Acme").await, bed.tenant("Globex").await);
        bed.person("ada@example.com", Some((&other, Role::Owner))).await;
        let made = bed.people.create_portal_session(&bed.acting(&mine), link("ada@example.com", Role::Viewer)).await.unwrap();
        assert!(made.url.starts_with("https://api.example.com/portal/sign-in/host?token="), "{}", made.url);
        let token = token_of(&made.url);
        let seen = bed.people.peek_link(&token).await.unwrap();
        assert_eq!((seen.purpose, seen.next.as_deref(), seen.tenant_name.as_deref()), (Purpose::PortalSession, Some("/portal/webhooks"), Some("Acme")));
        let begun = bed.people.redeem_portal_link(&token, &bed.visit()).await.unwrap();
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!((signed_in.bound_tenant, signed_in.methods.as_slice()), (Some(mine.id), &[Method::Host][..]));
        assert_eq!((signed_in.role_in(mine.id), signed_in.role_in(other.id)), (Some(Role::Viewer), None));
        assert_eq!(signed_in.caller(Some(other.id), bed.visit().info()).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.people.redeem_portal_link(&token, &bed.visit()).await.unwrap_err().code(), "link_over");
        // How the person signs in is not the host's.
        let caller = signed_in.caller(None, bed.visit().info()).unwrap();
        assert_eq!(bed.people.begin_totp(&caller).await.unwrap_err().code(), "host_session");
        let new = secret("another harbour, much later");
        assert_eq!(bed.people.change_password(&caller, Some(secret(PASSWORD)), new, &bed.visit()).await.unwrap_err().code(), "host_session");
        let proof = people::Proof::Password(secret(PASSWORD));
        assert_eq!(bed.people.reauthenticate(begun.token.reveal(), proof, &bed.visit()).await.unwrap_err().code(), "host_session");
    }

    async fn an_operators_person_is_no_operator_in_it(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.operators_person("root@example.com", OperatorRole::Admin).await;
        let made = bed.people.create_portal_session(&bed.acting(&tenant), link("root@example.com", Role::Owner)).await.unwrap();
        let begun = bed.people.redeem_portal_link(&token_of(&made.url), &bed.visit()).await.unwrap();
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!(signed_in.operator, None);
        let caller = signed_in.caller(Some(tenant.id), bed.visit().info()).unwrap();
        assert!(caller.operate().is_err() && caller.allow(Permission::OwnersWrite).is_ok());
        let other = bed.tenant("Globex").await;
        assert!(caller.acting_for(Some(other.id)).is_err());
    }

    async fn only_hosts_make_them_within_what_they_have(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.person("owner@example.com", Some((&tenant, Role::Owner))).await;
        let owner = bed.caller("owner@example.com", Some(&tenant)).await;
        let refused = bed.people.create_portal_session(&owner, link("eve@example.com", Role::Viewer)).await.unwrap_err();
        assert_eq!(refused.code(), "service_key_required");
        let narrow = kernel::Caller::new(
            kernel::Credential::ServiceKey { key: bed.ambient.id(), bound: Some(tenant.id) },
            Some(tenant.id),
            std::sync::Arc::from([]),
            Role::Viewer.permissions(),
        );
        bed.people.create_portal_session(&narrow, link("eve@example.com", Role::Viewer)).await.unwrap();
        let beyond = bed.people.create_portal_session(&narrow, link("eve@example.com", Role::Developer)).await.unwrap_err();
        assert_eq!(beyond.code(), "role_exceeds_own");
        let nowhere = bed.people.create_portal_session(&bed.operator(), link("eve@example.com", Role::Viewer)).await.unwrap_err();
        assert_eq!(nowhere.code(), "tenant_required");
        let named = CreatePortalSession { tenant_id: Some(tenant.id), ..link("eve@example.com", Role::Viewer) };
        bed.people.create_portal_session(&bed.operator(), named).await.unwrap();
        let elsewhere = CreatePortalSession { tenant_id: Some(bed.ambient.id()), ..link("eve@example.com", Role::Viewer) };
        assert_eq!(bed.people.create_portal_session(&bed.operator(), elsewhere).await.unwrap_err().kind(), Kind::NotFound);
        for (next, seconds, pointer) in [(Some("//evil.example"), None, "/next"), (None, Some(0), "/expiresInSeconds"), (None, Some(3601), "/expiresInSeconds")] {
            let bad = CreatePortalSession { next: next.map(str::to_owned), expires_in_seconds: seconds, ..link("eve@example.com", Role::Viewer) };
            assert_eq!(bed.people.create_portal_session(&bed.acting(&tenant), bad).await.unwrap_err().fields()[0].pointer, pointer);
        }
    }

    async fn links_and_sessions_end_with_time_membership_and_tenant(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let make = || async { token_of(&bed.people.create_portal_session(&bed.acting(&tenant), link("ada@example.com", Role::Viewer)).await.unwrap().url) };
        let old = make().await;
        bed.advance(Duration::from_secs(300));
        assert_eq!(bed.people.redeem_portal_link(&old, &bed.visit()).await.unwrap_err().code(), "link_over");
        let begun = bed.people.redeem_portal_link(&make().await, &bed.visit()).await.unwrap();
        let unused = make().await;
        bed.people.remove_member(&bed.acting(&tenant), begun.user).await.unwrap();
        assert!(!bed.is_signed_in(&begun.token).await);
        assert_eq!(bed.people.redeem_portal_link(&unused, &bed.visit()).await.unwrap_err().code(), "link_over");
        let begun = bed.people.redeem_portal_link(&make().await, &bed.visit()).await.unwrap();
        let suspended = bed.people.redeem_portal_link(&make().await, &bed.visit()).await.unwrap();
        bed.access.delete_tenant(&bed.operator(), kernel::IdRef::Id(tenant.id)).await.unwrap();
        assert!(!bed.is_signed_in(&begun.token).await && !bed.is_signed_in(&suspended.token).await);
        assert_eq!(bed.count("sessions").await, 0);
        let again = bed.tenant("Globex").await;
        let suspend = UpdateUser { status: Some(UserStatus::Suspended), ..UpdateUser::default() };
        bed.people.update_user(&bed.operator(), begun.user, suspend).await.unwrap();
        let refused = bed.people.create_portal_session(&bed.acting(&again), link("ada@example.com", Role::Viewer)).await.unwrap_err();
        assert_eq!(refused.code(), "user_suspended");
    }
}
