//! Into a tenant by a link.

use std::time::Duration;

use access::people::Role;
use kernel::{Kind, PageRequest};
use people::invitations::{CreateInvitation, InvitationStatus};
use people::{Accept, Proof, Purpose};

use crate::bed::{Bed, PASSWORD, pending, secret, session, token_of};

fn invite(email: &str, role: Role, send: Option<bool>) -> CreateInvitation {
    CreateInvitation { email: email.into(), role, name: None, send }
}

testkit::engines! {
    async fn somebody_new_is_invited_by_mail_and_chooses_a_password(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.person("owner@example.com", Some((&tenant, Role::Owner))).await;
        let owner = bed.caller("owner@example.com", Some(&tenant)).await;
        let made = bed.people.create_invitation(&owner, invite("Ada@Example.com", Role::Developer, None)).await.unwrap();
        assert_eq!((made.url, made.invitation.status), (None, InvitationStatus::Pending));
        assert!(made.invitation.sent_at.is_some());
        let token = bed.mailed_token("ada@example.com", 1).await;
        let link = bed.people.peek_link(&token).await.unwrap();
        assert_eq!((link.purpose, link.tenant_name.as_deref(), link.role), (Purpose::Invitation, Some("Acme"), Some(Role::Developer)));
        assert!(link.needs_account);
        let accept = |password: Option<&str>| Accept { name: Some("Ada".into()), password: password.map(secret) };
        for bad in [None, Some("short")] {
            let refused = bed.people.accept_invitation(&token, accept(bad), None, &bed.visit()).await.unwrap_err();
            assert_eq!(refused.fields()[0].pointer, "/password");
        }
        let begun = session(bed.people.accept_invitation(&token, accept(Some(PASSWORD)), None, &bed.visit()).await.unwrap());
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!(signed_in.role_in(tenant.id), Some(Role::Developer));
        assert!(bed.people.get_user(&bed.operator(), signed_in.user).await.unwrap().email_verified, "the link came by mail");
        let again = bed.people.accept_invitation(&token, accept(Some(PASSWORD)), None, &bed.visit()).await.unwrap_err();
        assert_eq!(again.code(), "link_over");
        let listed = bed.people.list_invitations(&owner, PageRequest::default()).await.unwrap().data;
        assert_eq!((listed.len(), listed[0].status), (1, InvitationStatus::Accepted));
        assert_eq!(bed.people.revoke_invitation(&owner, listed[0].id).await.unwrap_err().code(), "invitation_over");
        let member = bed.people.create_invitation(&owner, invite("ada@example.com", Role::Viewer, None)).await.unwrap_err();
        assert_eq!(member.code(), "already_member");
    }

    async fn a_link_that_is_handed_over_signs_in_to_no_account_that_exists(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.person("ada@example.com", None).await;
        bed.person("eve@example.com", None).await;
        let made = bed.people.create_invitation(&bed.acting(&tenant), invite("ada@example.com", Role::Admin, Some(false))).await.unwrap();
        let token = token_of(made.url.as_deref().unwrap());
        assert!(!bed.people.peek_link(&token).await.unwrap().needs_account);
        let refused = bed.people.accept_invitation(&token, Accept::default(), None, &bed.visit()).await.unwrap_err();
        assert_eq!((refused.code(), refused.kind()), ("sign_in_required", Kind::Unauthenticated));
        let wrong = Accept { password: Some(secret("wrong")), ..Accept::default() };
        assert_eq!(bed.people.accept_invitation(&token, wrong, None, &bed.visit()).await.unwrap_err().code(), "sign_in_failed");
        let (_, eve) = bed.signed_in("eve@example.com").await;
        let other = bed.people.accept_invitation(&token, Accept::default(), Some(&eve), &bed.visit()).await.unwrap_err();
        assert_eq!(other.code(), "invitation_for_another");
        let (before, ada) = bed.signed_in("ada@example.com").await;
        let begun = session(bed.people.accept_invitation(&token, Accept::default(), Some(&ada), &bed.visit()).await.unwrap());
        assert!(begun.session == before.session && !bed.is_signed_in(&before.token).await, "who may do more has a new token");
        let after = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!(after.role_in(tenant.id), Some(Role::Admin));
    }

    async fn the_password_of_the_account_accepts_too(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        bed.person("ada@example.com", None).await;
        let made = bed.people.create_invitation(&bed.acting(&tenant), invite("ada@example.com", Role::Viewer, Some(false))).await.unwrap();
        let accept = Accept { password: Some(secret(PASSWORD)), ..Accept::default() };
        let outcome = bed.people.accept_invitation(&token_of(made.url.as_deref().unwrap()), accept, None, &bed.visit()).await.unwrap();
        let signed_in = bed.people.lookup(session(outcome).token.reveal()).await.unwrap().unwrap();
        assert_eq!(signed_in.role_in(tenant.id), Some(Role::Viewer));
    }

    async fn nobody_joins_before_the_second_proof(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let ada = bed.person("ada@example.com", None).await;
        let (totp, _) = bed.authenticator("ada@example.com").await;
        let member = async || bed.people.get_member(&bed.acting(&tenant), ada.id).await.is_ok();
        let invite_and_accept = async || {
            let made = bed.people.create_invitation(&bed.acting(&tenant), invite("ada@example.com", Role::Viewer, Some(false))).await.unwrap();
            let accept = Accept { password: Some(secret(PASSWORD)), ..Accept::default() };
            let token = token_of(made.url.as_deref().unwrap());
            (pending(bed.people.accept_invitation(&token, accept, None, &bed.visit()).await.unwrap()), made.invitation.id, token)
        };
        let (owed, id, token) = invite_and_accept().await;
        assert!(!member().await, "the password alone joins nothing");
        assert!(bed.people.peek_link(&token).await.is_ok(), "and uses nothing up");
        let wrong = bed.people.second_step(owed.reveal(), Proof::Totp("000000".into()), &bed.visit()).await.unwrap_err();
        assert_eq!((wrong.code(), member().await), ("second_step_failed", false));
        bed.people.revoke_invitation(&bed.acting(&tenant), id).await.unwrap();
        bed.people.second_step(owed.reveal(), Proof::Totp(bed.code(&totp)), &bed.visit()).await.unwrap();
        assert!(!member().await, "what was taken back meanwhile lets nobody join");
        bed.advance(Duration::from_secs(30));
        let (owed, _, token) = invite_and_accept().await;
        let begun = bed.people.second_step(owed.reveal(), Proof::Totp(bed.code(&totp)), &bed.visit()).await.unwrap();
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!(signed_in.role_in(tenant.id), Some(Role::Viewer));
        assert_eq!(bed.people.peek_link(&token).await.unwrap_err().code(), "link_over");
    }

    async fn what_is_taken_back_replaced_or_old_opens_nothing(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let people = &bed.people;
        let make = || async { people.create_invitation(&bed.acting(&tenant), invite("ada@example.com", Role::Viewer, Some(false))).await };
        let code = |url: Option<String>| {
            let token = token_of(url.as_deref().unwrap());
            async move { people.peek_link(&token).await.map_or_else(|error| error.code(), |_| "good") }
        };
        let (first, second) = (make().await.unwrap(), make().await.unwrap());
        assert_eq!((code(first.url).await, code(second.url.clone()).await), ("link_over", "good"));
        bed.people.revoke_invitation(&bed.acting(&tenant), second.invitation.id).await.unwrap();
        bed.people.revoke_invitation(&bed.acting(&tenant), second.invitation.id).await.unwrap();
        assert_eq!(code(second.url).await, "link_over");
        let third = make().await.unwrap();
        bed.advance(Duration::from_secs(7 * 24 * 3600));
        assert_eq!(code(third.url.clone()).await, "link_over");
        let got = bed.people.get_invitation(&bed.acting(&tenant), third.invitation.id).await.unwrap();
        assert_eq!(got.status, InvitationStatus::Expired);
        bed.people.resend_invitation(&bed.acting(&tenant), third.invitation.id).await.unwrap();
        let token = bed.mailed_token("ada@example.com", 1).await;
        assert!(bed.people.peek_link(&token).await.is_ok());
        assert_eq!(code(third.url).await, "link_over", "the link before it is over");
        let over = bed.people.resend_invitation(&bed.acting(&tenant), second.invitation.id).await.unwrap_err();
        assert_eq!(over.code(), "invitation_over");
    }

    async fn nobody_invites_to_more_than_they_have(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        for role in [Role::Developer, Role::Admin, Role::Owner] {
            bed.person(&format!("{role}@example.com"), Some((&tenant, role))).await;
        }
        let people = &bed.people;
        let with = |caller: kernel::Caller, role| async move {
            people.create_invitation(&caller, invite("new@example.com", role, Some(false))).await.map_or_else(|error| error.code(), |_| "made")
        };
        assert_eq!(with(bed.caller("developer@example.com", Some(&tenant)).await, Role::Viewer).await, "insufficient_scope");
        assert_eq!(with(bed.caller("admin@example.com", Some(&tenant)).await, Role::Owner).await, "role_exceeds_own");
        assert_eq!(with(bed.caller("admin@example.com", Some(&tenant)).await, Role::Admin).await, "made");
        let owner = bed.caller("owner@example.com", Some(&tenant)).await;
        assert_eq!(with(owner.clone(), Role::Owner).await, "made");
        bed.advance(Duration::from_secs(601));
        assert_eq!(with(owner, Role::Owner).await, "reauthentication_required");
    }
}
