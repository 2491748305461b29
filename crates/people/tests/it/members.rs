//! Who may do what to whom.

use std::time::Duration;

use access::people::{OperatorRole, Role};
use kernel::{Kind, PageRequest, Permission};
use people::members::{AddMember, UpdateMember};

use crate::bed::Bed;

testkit::engines! {
    async fn roles_permit_what_they_say(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let mut permitted = Vec::new();
        for role in Role::ALL {
            let email = format!("{role}@example.com");
            bed.person(&email, Some((&tenant, role))).await;
            let caller = bed.caller(&email, Some(&tenant)).await;
            let holds = |permission| caller.allow(permission).is_ok();
            assert!(holds(Permission::KeysRead) && holds(Permission::MembersRead), "{role}");
            assert_eq!(holds(Permission::KeysWrite), role >= Role::Developer);
            assert_eq!((holds(Permission::MembersWrite), holds(Permission::AuditRead)), (role >= Role::Admin, role >= Role::Admin));
            assert_eq!(holds(Permission::OwnersWrite), role == Role::Owner);
            assert!(caller.allow_scope("leads:read").is_ok());
            assert_eq!(caller.allow_scope("leads:write").is_ok(), role >= Role::Developer, "{role}");
            assert!(caller.operate().is_err());
            permitted.push(caller.permissions());
        }
        assert!(permitted.windows(2).all(|pair| pair[0].is_within(pair[1])));
    }

    async fn the_operators_people_see_every_tenant_and_support_changes_nothing(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.operators_person("root@example.com", OperatorRole::Admin).await;
        bed.operators_person("help@example.com", OperatorRole::Support).await;
        let (root, help) = (bed.caller("root@example.com", Some(&tenant)).await, bed.caller("help@example.com", Some(&tenant)).await);
        assert!(root.operate().is_ok() && root.allow(Permission::KeysWrite).is_ok() && root.allow_scope("leads:write").is_ok());
        assert!(help.operate().is_err() && help.allow(Permission::KeysWrite).is_err() && help.allow_scope("leads:write").is_err());
        assert!(help.allow(Permission::KeysRead).is_ok() && help.allow(Permission::AuditRead).is_ok() && help.allow_scope("leads:read").is_ok());
        let own = bed.caller("help@example.com", None).await;
        assert!(own.acting_for(Some(tenant.id)).is_ok());
        let somebody = bed.person("ada@example.com", None).await;
        assert_eq!(somebody.operator_role, None);
        let nobody = bed.caller("ada@example.com", None).await;
        assert_eq!(nobody.acting_for(Some(tenant.id)).unwrap_err().kind(), Kind::NotFound);
    }

    async fn nobody_grants_or_takes_what_they_lack(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let owner = bed.person("owner@example.com", Some((&tenant, Role::Owner))).await;
        let admin = bed.person("admin@example.com", Some((&tenant, Role::Admin))).await;
        let dev = bed.person("dev@example.com", Some((&tenant, Role::Developer))).await;
        let (as_owner, as_admin, as_dev) = (
            bed.caller("owner@example.com", Some(&tenant)).await,
            bed.caller("admin@example.com", Some(&tenant)).await,
            bed.caller("dev@example.com", Some(&tenant)).await,
        );
        let to = |role| UpdateMember { role };
        assert_eq!(bed.people.update_member(&as_dev, dev.id, to(Role::Admin)).await.unwrap_err().code(), "insufficient_scope");
        assert_eq!(bed.people.update_member(&as_admin, admin.id, to(Role::Owner)).await.unwrap_err().code(), "role_exceeds_own");
        assert_eq!(bed.people.update_member(&as_admin, owner.id, to(Role::Viewer)).await.unwrap_err().code(), "role_exceeds_own");
        assert_eq!(bed.people.remove_member(&as_admin, owner.id).await.unwrap_err().code(), "role_exceeds_own");
        bed.people.update_member(&as_admin, dev.id, to(Role::Admin)).await.unwrap();
        assert_eq!(bed.people.update_member(&as_owner, owner.id, to(Role::Viewer)).await.unwrap_err().code(), "last_owner");
        assert_eq!(bed.people.remove_member(&as_owner, owner.id).await.unwrap_err().code(), "last_owner");
        bed.people.update_member(&as_owner, admin.id, to(Role::Owner)).await.unwrap();
        bed.people.update_member(&as_owner, owner.id, to(Role::Viewer)).await.unwrap();
        // Leaving needs no permission.
        let as_viewer = bed.caller("owner@example.com", Some(&tenant)).await;
        bed.people.remove_member(&as_viewer, owner.id).await.unwrap();
        let actions = bed.audit_actions().await;
        for action in ["member.create", "member.update", "member.delete"] {
            assert!(actions.iter().any(|known| known == action), "{action}");
        }
    }

    async fn of_two_owners_who_leave_at_once_one_stays(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let mut callers = Vec::new();
        for email in ["ada@example.com", "ben@example.com"] {
            let user = bed.person(email, Some((&tenant, Role::Owner))).await;
            callers.push((bed.caller(email, Some(&tenant)).await, user.id));
        }
        let both: Vec<_> = callers
            .into_iter()
            .map(|(caller, id)| {
                let people = bed.people.clone();
                tokio::spawn(async move { people.remove_member(&caller, id).await.is_ok() })
            })
            .collect();
        let mut left = 0;
        for one in both {
            left += u32::from(one.await.unwrap());
        }
        assert_eq!(left, 1);
    }

    async fn making_an_owner_wants_a_fresh_proof(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.person("owner@example.com", Some((&tenant, Role::Owner))).await;
        let dev = bed.person("dev@example.com", Some((&tenant, Role::Developer))).await;
        let caller = bed.caller("owner@example.com", Some(&tenant)).await;
        bed.advance(Duration::from_secs(601));
        let refused = bed.people.update_member(&caller, dev.id, UpdateMember { role: Role::Owner }).await.unwrap_err();
        assert_eq!(refused.code(), "reauthentication_required");
        bed.people.update_member(&caller, dev.id, UpdateMember { role: Role::Viewer }).await.unwrap();
    }

    async fn hosts_add_members_and_lists_go_by_address(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let add = |email: &str| AddMember { email: email.into(), name: Some("Ada".into()), role: Role::Viewer };
        for n in [2, 0, 1] {
            bed.people.add_member(&bed.acting(&tenant), add(&format!("p{n}@example.com"))).await.unwrap();
        }
        assert_eq!(bed.people.add_member(&bed.acting(&tenant), add("P1@example.com")).await.unwrap_err().code(), "already_member");
        let page = PageRequest { limit: 2, ..PageRequest::default() };
        let first = bed.people.list_members(&bed.acting(&tenant), page.clone()).await.unwrap();
        assert_eq!(first.data.iter().map(|one| one.email.as_str()).collect::<Vec<_>>(), ["p0@example.com", "p1@example.com"]);
        let cursor = kernel::Cursor::decode(first.pagination.next_cursor.as_deref().unwrap()).unwrap();
        let rest = bed.people.list_members(&bed.acting(&tenant), PageRequest { cursor: Some(cursor), ..page }).await.unwrap();
        assert_eq!((rest.data.len(), rest.data[0].email.as_str(), rest.pagination.next_cursor), (1, "p2@example.com", None));
        let got = bed.people.get_member(&bed.acting(&tenant), rest.data[0].user_id).await.unwrap();
        assert_eq!(got, rest.data[0]);
    }
}
