//! What people change of themselves.

use std::time::Duration;

use people::me::UpdateProfile;
use web::Patch;

use crate::bed::{Bed, PASSWORD, secret};

testkit::engines! {
    async fn a_changed_password_ends_the_other_sessions_and_renews_this_one(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (other, _) = bed.signed_in("ada@example.com").await;
        let (begun, signed_in) = bed.signed_in("ada@example.com").await;
        let caller = signed_in.caller(None, bed.visit().info()).unwrap();
        let people = &bed.people;
        let change = |current: Option<&str>, new: &str| {
            let (current, new, visit) = (current.map(secret), secret(new), bed.visit());
            let caller = caller.clone();
            async move { people.change_password(&caller, current, new, &visit).await }
        };
        for (current, new, pointer) in [
            (None, "another harbour, much later", "/currentPassword"),
            (Some("wrong"), "another harbour, much later", "/currentPassword"),
            (Some(PASSWORD), "ada@example.com", "/newPassword"),
            (Some(PASSWORD), "password1234", "/newPassword"),
        ] {
            let error = change(current, new).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("validation_failed", pointer));
        }
        let renewed = change(Some(PASSWORD), "another harbour, much later").await.unwrap();
        assert_eq!(renewed.session, begun.session);
        assert!(bed.is_signed_in(&renewed.token).await && !bed.is_signed_in(&begun.token).await && !bed.is_signed_in(&other.token).await);
        let with = async |password| bed.people.sign_in_with_password("ada@example.com", secret(password), &bed.visit()).await;
        assert!(with(PASSWORD).await.is_err() && with("another harbour, much later").await.is_ok());
        assert!(bed.audit_actions().await.iter().any(|action| action == "user.change_password"));
    }

    async fn an_authenticator_is_set_up_by_its_first_code_and_removed_by_a_fresh_proof(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let caller = bed.caller("ada@example.com", None).await;
        assert_eq!(bed.people.confirm_totp(&caller, "123456").await.unwrap_err().code(), "totp_not_begun");
        let enrolment = bed.people.begin_totp(&caller).await.unwrap();
        assert!(enrolment.uri.reveal().contains("issuer=Tradewind") && enrolment.uri.reveal().contains("ada%40example.com"));
        assert!(!format!("{enrolment:?}").contains(enrolment.secret.reveal().as_str()));
        let wrong = bed.people.confirm_totp(&caller, "000000").await.unwrap_err();
        assert_eq!((wrong.code(), wrong.fields()[0].pointer.as_str()), ("validation_failed", "/code"));
        // Not confirmed: not asked for.
        bed.signed_in("ada@example.com").await;
        let (totp, _) = bed.authenticator("ada@example.com").await;
        assert!(bed.people.security(&caller).await.unwrap().totp_since.is_some());
        assert_eq!(bed.people.begin_totp(&caller).await.unwrap_err().code(), "totp_is_on");
        bed.advance(Duration::from_secs(601));
        assert_eq!(bed.people.disable_totp(&caller).await.unwrap_err().code(), "reauthentication_required");
        let outcome = bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap();
        let owed = crate::bed::pending(outcome);
        let begun = bed.people.second_step(owed.reveal(), people::Proof::Totp(bed.code(&totp)), &bed.visit()).await.unwrap();
        let fresh = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap().caller(None, bed.visit().info()).unwrap();
        bed.people.disable_totp(&fresh).await.unwrap();
        bed.signed_in("ada@example.com").await;
        assert_eq!(bed.count("recovery_codes").await, 0);
    }

    async fn name_and_language_are_ones_own(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (begun, signed_in) = bed.signed_in("ada@example.com").await;
        let caller = signed_in.caller(None, bed.visit().info()).unwrap();
        let input = UpdateProfile { name: Some("עדה".into()), language: Patch::Value("he".into()) };
        let user = bed.people.update_profile(&caller, input).await.unwrap();
        assert_eq!((user.name.as_str(), user.language.as_deref()), ("עדה", Some("he")));
        let after = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!((after.name.as_str(), after.language.as_deref()), ("עדה", Some("he")), "the session knows at once");
        let kept = bed.people.update_profile(&caller, UpdateProfile::default()).await.unwrap();
        assert_eq!(kept.language.as_deref(), Some("he"));
        for bad in [UpdateProfile { name: Some("a\nb".into()), ..UpdateProfile::default() }, UpdateProfile { name: None, language: Patch::Value("<x>".into()) }] {
            assert_eq!(bed.people.update_profile(&caller, bad).await.unwrap_err().code(), "validation_failed");
        }
        assert_eq!(bed.people.me(&bed.operator()).await.unwrap_err().code(), "people_only");
        assert_eq!(bed.people.me(&caller).await.unwrap().user.name, "עדה");
    }
}
