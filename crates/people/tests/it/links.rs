//! Links by mail.

use std::time::Duration;

use people::{Method, Outcome, Proof, Purpose};

use crate::bed::{Bed, PASSWORD, pending, secret, session};

testkit::engines! {
    async fn a_magic_link_signs_in_once_and_is_not_used_up_by_looking(bed: Bed) {
        let user = bed.person("ada@example.com", None).await;
        bed.people.send_magic_link("Ada@example.com", Some("/portal/webhooks"), &bed.visit()).await.unwrap();
        let token = bed.mailed_token("ada@example.com", 1).await;
        for _ in 0..2 {
            let link = bed.people.peek_link(&token).await.unwrap();
            assert_eq!((link.purpose, link.email.as_deref()), (Purpose::MagicLink, Some("ada@example.com")));
            assert_eq!(link.next.as_deref(), Some("/portal/webhooks"));
        }
        let begun = session(bed.people.redeem_magic_link(&token, &bed.visit()).await.unwrap());
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!((signed_in.user, signed_in.methods.as_slice()), (user.id, &[Method::MagicLink][..]));
        assert!(bed.people.get_user(&bed.operator(), user.id).await.unwrap().email_verified);
        assert_eq!(bed.people.redeem_magic_link(&token, &bed.visit()).await.unwrap_err().code(), "link_over");
        assert_eq!(bed.people.peek_link(&token).await.unwrap_err().code(), "link_over");
    }

    async fn of_many_who_follow_a_link_at_once_one_gets_in(bed: Bed) {
        bed.person("ada@example.com", None).await;
        bed.people.send_magic_link("ada@example.com", None, &bed.visit()).await.unwrap();
        let token = bed.mailed_token("ada@example.com", 1).await;
        let tries: Vec<_> = (0..10)
            .map(|_| {
                let (people, token, visit) = (bed.people.clone(), token.clone(), bed.visit());
                tokio::spawn(async move { people.redeem_magic_link(&token, &visit).await.is_ok() })
            })
            .collect();
        let mut won = 0;
        for one in tries {
            won += u32::from(one.await.unwrap());
        }
        assert_eq!((won, bed.count("sessions").await), (1, 1));
    }

    async fn an_authenticator_is_asked_for_after_a_link_too(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (totp, _) = bed.authenticator("ada@example.com").await;
        bed.people.send_magic_link("ada@example.com", None, &bed.visit()).await.unwrap();
        let owed = pending(bed.people.redeem_magic_link(&bed.mailed_token("ada@example.com", 1).await, &bed.visit()).await.unwrap());
        bed.people.second_step(owed.reveal(), Proof::Totp(bed.code(&totp)), &bed.visit()).await.unwrap();
        bed.people.send_password_reset("ada@example.com", &bed.visit()).await.unwrap();
        let token = bed.mailed_token("ada@example.com", 2).await;
        let outcome = bed.people.reset_password(&token, secret("another harbour, much later"), &bed.visit()).await.unwrap();
        assert!(matches!(outcome, Outcome::SecondStep(_)));
    }

    async fn a_new_password_ends_everything_that_was_before(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (before, _) = bed.signed_in("ada@example.com").await;
        for _ in 0..2 {
            bed.people.send_password_reset("ada@example.com", &bed.visit()).await.unwrap();
        }
        let token = bed.mailed_token("ada@example.com", 2).await;
        let weak = bed.people.reset_password(&token, secret("short"), &bed.visit()).await.unwrap_err();
        assert_eq!(weak.fields()[0].pointer, "/password");
        let begun = session(bed.people.reset_password(&token, secret("another harbour, much later"), &bed.visit()).await.unwrap());
        assert!(!bed.is_signed_in(&before.token).await && bed.is_signed_in(&begun.token).await);
        assert_eq!(bed.count("one_time_links").await, 0, "the other link is over too");
        let with = async |password| bed.people.sign_in_with_password("ada@example.com", secret(password), &bed.visit()).await;
        assert_eq!(with(PASSWORD).await.unwrap_err().code(), "sign_in_failed");
        with("another harbour, much later").await.unwrap();
    }

    async fn links_grow_old(bed: Bed) {
        bed.person("ada@example.com", None).await;
        bed.people.send_magic_link("ada@example.com", None, &bed.visit()).await.unwrap();
        let token = bed.mailed_token("ada@example.com", 1).await;
        bed.advance(Duration::from_secs(15 * 60));
        assert_eq!(bed.people.peek_link(&token).await.unwrap_err().code(), "link_over");
        assert_eq!(bed.people.redeem_magic_link(&token, &bed.visit()).await.unwrap_err().code(), "link_over");
        assert_eq!(bed.people.let_go().await.unwrap(), 1);
    }

    async fn whoever_asks_learns_nothing_and_nobody_is_flooded(bed: Bed) {
        bed.person("ada@example.com", None).await;
        bed.people.send_magic_link("nobody@example.com", None, &bed.visit()).await.unwrap();
        for n in 0..5 {
            let visit = crate::bed::visit_from(&bed, &format!("203.0.113.{n}"));
            bed.people.send_magic_link("ada@example.com", None, &visit).await.unwrap();
        }
        // The last of them comes through only after the others were decided.
        bed.mailed_token("ada@example.com", 3).await;
        bed.people.send_password_reset("ada@example.com", &bed.visit()).await.unwrap();
        bed.mailed_token("ada@example.com", 4).await;
        assert!(bed.mails_to("nobody@example.com").is_empty());
        for _ in 0..4 {
            bed.people.send_magic_link("nobody@example.com", None, &bed.visit()).await.unwrap();
        }
        let refused = bed.people.send_magic_link("nobody@example.com", None, &bed.visit()).await.unwrap_err();
        assert_eq!(refused.code(), "too_many_attempts");
    }

    async fn a_link_of_one_purpose_is_nothing_of_another(bed: Bed) {
        bed.person("ada@example.com", None).await;
        bed.people.send_magic_link("ada@example.com", None, &bed.visit()).await.unwrap();
        let token = bed.mailed_token("ada@example.com", 1).await;
        let reset = bed.people.reset_password(&token, secret(PASSWORD), &bed.visit()).await;
        assert_eq!(reset.unwrap_err().code(), "link_over");
        assert_eq!(bed.people.redeem_portal_link(&token, &bed.visit()).await.unwrap_err().code(), "link_over");
        assert!(bed.people.lookup(&token).await.unwrap().is_none());
        let elsewhere = bed.people.send_magic_link("ada@example.com", Some("//evil.example"), &bed.visit()).await;
        elsewhere.unwrap();
        let token = bed.mailed_token("ada@example.com", 2).await;
        assert_eq!(bed.people.peek_link(&token).await.unwrap().next, None, "nobody is taken to another host");
    }
}
