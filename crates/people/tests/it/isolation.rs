//! Another tenant's people do not exist.

use access::people::Role;
use kernel::{Kind, PageRequest};
use people::invitations::CreateInvitation;
use people::members::UpdateMember;

use crate::bed::Bed;

testkit::engines! {
    async fn another_tenants_members_and_invitations_are_404(bed: Bed) {
        let (mine, theirs) = (bed.tenant("Mine").await, bed.tenant("Theirs").await);
        bed.person("owner@example.com", Some((&mine, Role::Owner))).await;
        let other = bed.person("other@example.com", Some((&theirs, Role::Owner))).await;
        let input = CreateInvitation { email: "new@example.com".into(), role: Role::Viewer, name: None, send: Some(false) };
        let invitation = bed.people.create_invitation(&bed.acting(&theirs), input).await.unwrap().invitation.id;
        let caller = bed.caller("owner@example.com", Some(&mine)).await;
        for caller in [caller, bed.acting(&mine)] {
            for error in [
                bed.people.get_member(&caller, other.id).await.unwrap_err(),
                bed.people.update_member(&caller, other.id, UpdateMember { role: Role::Viewer }).await.unwrap_err(),
                bed.people.remove_member(&caller, other.id).await.unwrap_err(),
                bed.people.get_invitation(&caller, invitation).await.unwrap_err(),
                bed.people.revoke_invitation(&caller, invitation).await.unwrap_err(),
                bed.people.resend_invitation(&caller, invitation).await.unwrap_err(),
            ] {
                assert_eq!((error.kind(), error.code()), (Kind::NotFound, "not_found"), "{error:?}");
            }
            assert!(bed.people.list_invitations(&caller, PageRequest::default()).await.unwrap().data.is_empty());
            let members = bed.people.list_members(&caller, PageRequest::default()).await.unwrap().data;
            assert_eq!(members.iter().map(|one| one.email.as_str()).collect::<Vec<_>>(), ["owner@example.com"]);
        }
        bed.people.get_member(&bed.acting(&theirs), other.id).await.unwrap();
        bed.people.get_invitation(&bed.acting(&theirs), invitation).await.unwrap();
    }
}
