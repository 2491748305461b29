//! Everybody, as the operator sees them.

use access::people::{OperatorRole, Role, UserStatus};
use kernel::{Kind, PageRequest};
use people::users::{CreateUser, UpdateUser, UserFilter};
use web::Patch;

use crate::bed::{Bed, PASSWORD, secret, token_of};

testkit::engines! {
    async fn accounts_are_made_listed_and_found(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.person("ada@example.com", Some((&tenant, Role::Owner))).await;
        bed.operators_person("root@example.com", OperatorRole::Admin).await;
        let taken = CreateUser { email: "ADA@example.com".into(), ..CreateUser::default() };
        assert_eq!(bed.people.create_user(&bed.operator(), taken).await.unwrap_err().code(), "email_taken");
        let found = |filter: UserFilter| async {
            let page = bed.people.list_users(&bed.operator(), filter, PageRequest::default()).await.unwrap();
            assert_eq!(page.pagination.total, Some(page.data.len() as u64));
            page.data.into_iter().map(|user| user.email).collect::<Vec<_>>()
        };
        assert_eq!(found(UserFilter::default()).await, ["root@example.com", "ada@example.com"]);
        assert_eq!(found(UserFilter { search: Some("BYRON".into()), ..UserFilter::default() }).await, ["ada@example.com"]);
        assert!(found(UserFilter { search: Some("%".into()), ..UserFilter::default() }).await.is_empty());
        assert_eq!(found(UserFilter { operator_role: Some(OperatorRole::Admin), ..UserFilter::default() }).await, ["root@example.com"]);
        let partner = bed.caller("ada@example.com", Some(&tenant)).await;
        assert_eq!(bed.people.list_users(&partner, UserFilter::default(), PageRequest::default()).await.unwrap_err().code(), "operator_only");
        let nowhere = CreateUser { email: "x@example.com".into(), role: Some(Role::Viewer), ..CreateUser::default() };
        assert_eq!(bed.people.create_user(&bed.operator(), nowhere).await.unwrap_err().fields()[0].pointer, "/role");
    }

    async fn a_new_address_is_unproven_and_ends_the_sessions(bed: Bed) {
        let user = bed.person("ada@example.com", None).await;
        bed.person("ben@example.com", None).await;
        let (begun, _) = bed.signed_in("ada@example.com").await;
        let to = |email: &str| UpdateUser { email: Some(email.into()), ..UpdateUser::default() };
        assert_eq!(bed.people.update_user(&bed.operator(), user.id, to("ben@example.com")).await.unwrap_err().code(), "email_taken");
        bed.people.send_magic_link("ada@example.com", None, &bed.visit()).await.unwrap();
        let link = bed.mailed_token("ada@example.com", 1).await;
        let after = bed.people.update_user(&bed.operator(), user.id, to("Countess@example.com")).await.unwrap();
        assert_eq!(after.email, "countess@example.com");
        assert!(!bed.is_signed_in(&begun.token).await);
        assert_eq!(bed.people.redeem_magic_link(&link, &bed.visit()).await.unwrap_err().code(), "link_over");
        assert!(!bed.people.get_user(&bed.operator(), user.id).await.unwrap().email_verified);
        bed.signed_in("countess@example.com").await;
    }

    async fn the_last_operator_stays(bed: Bed) {
        let root = bed.operators_person("root@example.com", OperatorRole::Admin).await;
        let help = bed.operators_person("help@example.com", OperatorRole::Support).await;
        let caller = bed.caller("root@example.com", None).await;
        let role = |role| UpdateUser { operator_role: role, ..UpdateUser::default() };
        let suspend = UpdateUser { status: Some(UserStatus::Suspended), ..UpdateUser::default() };
        for change in [role(Patch::Null), role(Patch::Value(OperatorRole::Support)), suspend] {
            assert_eq!(bed.people.update_user(&caller, root.id, change).await.unwrap_err().code(), "last_operator");
        }
        assert_eq!(bed.people.delete_user(&caller, root.id).await.unwrap_err().code(), "last_operator");
        bed.people.update_user(&caller, help.id, role(Patch::Value(OperatorRole::Admin))).await.unwrap();
        bed.people.update_user(&caller, root.id, role(Patch::Null)).await.unwrap();
        let after = bed.caller("root@example.com", None).await;
        assert!(after.operate().is_err());
    }

    async fn a_suspended_person_loses_what_applications_may_do_for_them(bed: Bed) {
        let (one, two) = (bed.tenant("Acme").await, bed.tenant("Globex").await);
        let user = bed.person("ada@example.com", Some((&one, Role::Owner))).await;
        bed.people
            .add_member(&bed.acting(&two), people::members::AddMember { email: "ada@example.com".into(), name: None, role: Role::Viewer })
            .await
            .unwrap();
        let suspend = UpdateUser { status: Some(UserStatus::Suspended), ..UpdateUser::default() };
        bed.people.update_user(&bed.operator(), user.id, suspend).await.unwrap();
        let mut left = bed.witness.0.lock().unwrap().clone();
        left.sort();
        let mut expected = vec![(one.id, user.id), (two.id, user.id)];
        expected.sort();
        assert_eq!(left, expected);
        let role = bed.store.read(kernel::Scope::system("test"), move |tx| access::people::role_of(tx, one.id, user.id)).await.unwrap();
        assert_eq!(role, None, "nothing acts for somebody who is suspended");
    }

    async fn a_person_who_is_removed_leaves_nothing_but_the_audit_log(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let user = bed.person("ada@example.com", Some((&tenant, Role::Owner))).await;
        let (begun, _) = bed.signed_in("ada@example.com").await;
        bed.authenticator("ada@example.com").await;
        bed.people.make_reset_link(&bed.operator(), user.id).await.unwrap();
        bed.people.delete_user(&bed.operator(), user.id).await.unwrap();
        assert!(!bed.is_signed_in(&begun.token).await);
        for table in ["users", "memberships", "sessions", "sign_in_methods", "recovery_codes", "one_time_links"] {
            assert_eq!(bed.count(table).await, 0, "{table}");
        }
        assert_eq!(bed.people.get_user(&bed.operator(), user.id).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(*bed.witness.0.lock().unwrap(), [(tenant.id, user.id)]);
        let link = bed.people.make_reset_link(&bed.operator(), user.id).await;
        assert_eq!(link.unwrap_err().kind(), Kind::NotFound);
    }

    async fn the_operator_signs_people_out_and_hands_links_over(bed: Bed) {
        let user = bed.person("ada@example.com", None).await;
        let (begun, _) = bed.signed_in("ada@example.com").await;
        assert_eq!(bed.people.sessions_of(&bed.operator(), user.id).await.unwrap()[0].id, begun.session);
        assert_eq!(bed.people.end_sessions_of(&bed.operator(), user.id).await.unwrap(), 1);
        assert!(!bed.is_signed_in(&begun.token).await);
        let link = bed.people.make_reset_link(&bed.operator(), user.id).await.unwrap();
        bed.people.reset_password(&token_of(link.reveal()), secret("another harbour, much later"), &bed.visit()).await.unwrap();
        assert!(!bed.people.get_user(&bed.operator(), user.id).await.unwrap().email_verified, "the link did not come by mail");
        let old = bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await;
        assert_eq!(old.unwrap_err().code(), "sign_in_failed");
    }
}
