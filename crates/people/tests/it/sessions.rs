//! How sessions live and end.

use std::sync::Arc;
use std::time::Duration;

use access::people::Role;
use kernel::Kind;
use people::{People, Proof};

use crate::bed::{Bed, PASSWORD, secret, visit_from};

testkit::engines! {
    async fn a_session_ends_unused_and_at_the_latest_after_fourteen_days(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (unused, _) = bed.signed_in("ada@example.com").await;
        bed.advance(Duration::from_secs(8 * 3600));
        assert!(!bed.is_signed_in(&unused.token).await);
        let (used, _) = bed.signed_in("ada@example.com").await;
        for _ in 0..47 {
            bed.advance(Duration::from_secs(7 * 3600));
            assert!(bed.is_signed_in(&used.token).await, "who comes back stays signed in");
            seen_at(&bed, used.session).await;
        }
        bed.advance(Duration::from_secs(7 * 3600 + 1));
        assert!(!bed.is_signed_in(&used.token).await, "fourteen days are over");
        assert_eq!(bed.people.let_go().await.unwrap(), 2);
        assert_eq!(bed.count("sessions").await, 0);
    }

    async fn a_use_on_one_node_counts_on_the_other(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (begun, _) = bed.signed_in("ada@example.com").await;
        let other = bed.other_node().await;
        assert!(other.lookup(begun.token.reveal()).await.unwrap().is_some());
        for _ in 0..2 {
            bed.advance(Duration::from_secs(5 * 3600));
            assert!(bed.is_signed_in(&begun.token).await);
            seen_at(&bed, begun.session).await;
        }
        // In the other's memory the last use is ten hours old.
        assert!(other.lookup(begun.token.reveal()).await.unwrap().is_some());
    }

    async fn a_session_that_was_revoked_is_refused_on_another_node_within_a_second(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (begun, signed_in) = bed.signed_in("ada@example.com").await;
        let other = bed.other_node().await;
        assert!(other.lookup(begun.token.reveal()).await.unwrap().is_some());
        let caller = signed_in.caller(None, bed.visit().info()).unwrap();
        bed.people.revoke_session(&caller, begun.session).await.unwrap();
        assert!(!bed.is_signed_in(&begun.token).await);
        gone_within_a_second(&other, begun.token.reveal()).await;
    }

    async fn a_role_that_was_taken_away_is_gone_from_every_session(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let user = bed.person("ada@example.com", Some((&tenant, Role::Owner))).await;
        bed.person("ben@example.com", Some((&tenant, Role::Owner))).await;
        let (begun, signed_in) = bed.signed_in("ada@example.com").await;
        assert!(signed_in.caller(Some(tenant.id), bed.visit().info()).is_ok());
        bed.people.remove_member(&bed.acting(&tenant), user.id).await.unwrap();
        let after = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!(after.caller(Some(tenant.id), bed.visit().info()).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.witness.0.lock().unwrap().as_slice(), [(tenant.id, user.id)]);
    }

    async fn people_see_and_end_their_own_sessions_only(bed: Bed) {
        bed.person("ada@example.com", None).await;
        bed.person("ben@example.com", None).await;
        let (first, _) = bed.signed_in("ada@example.com").await;
        let (second, signed_in) = bed.signed_in("ada@example.com").await;
        let (bens, bens_own) = bed.signed_in("ben@example.com").await;
        let ada = signed_in.caller(None, bed.visit().info()).unwrap();
        let listed = bed.people.list_sessions(&ada).await.unwrap();
        assert_eq!(listed.iter().map(|one| (one.id, one.is_current)).collect::<Vec<_>>(), [(second.session, true), (first.session, false)]);
        assert_eq!((listed[0].ip.as_deref(), listed[0].user_agent.as_deref()), (Some("192.0.2.7"), Some("browser")));
        assert_eq!(bed.people.revoke_session(&ada, bens.session).await.unwrap_err().kind(), Kind::NotFound);
        assert!(bed.is_signed_in(&bens.token).await);
        assert_eq!(bed.people.revoke_other_sessions(&ada).await.unwrap(), 1);
        assert!(!bed.is_signed_in(&first.token).await && bed.is_signed_in(&second.token).await);
        bed.people.sign_out(bens.token.reveal()).await.unwrap();
        assert!(!bed.is_signed_in(&bens.token).await);
        bed.people.sign_out("nonsense").await.unwrap();
        drop(bens_own);
    }

    async fn a_fresh_proof_opens_what_is_dangerous_and_makes_the_token_new(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (begun, signed_in) = bed.signed_in("ada@example.com").await;
        bed.advance(Duration::from_secs(601));
        let stale = signed_in.caller(None, bed.visit().info()).unwrap();
        assert_eq!(bed.people.begin_totp(&stale).await.unwrap_err().code(), "reauthentication_required");
        let people = &bed.people;
        let prove = |token: String, password: &str| {
            let (visit, proof) = (bed.visit(), Proof::Password(secret(password)));
            async move { people.reauthenticate(&token, proof, &visit).await }
        };
        let token = begun.token.reveal().clone();
        assert_eq!(prove(token.clone(), "wrong").await.unwrap_err().code(), "second_step_failed");
        assert!(bed.is_signed_in(&begun.token).await, "a wrong proof ends nothing");
        let renewed = prove(token.clone(), PASSWORD).await.unwrap();
        assert_eq!((renewed.session, renewed.expires_at), (begun.session, begun.expires_at), "the session is the same");
        assert!(!bed.is_signed_in(&begun.token).await, "its token before is nobody's");
        assert_eq!(prove(token, PASSWORD).await.unwrap_err().code(), "session_over");
        let fresh = bed.people.lookup(renewed.token.reveal()).await.unwrap().unwrap();
        assert!(fresh.csrf() != signed_in.csrf());
        bed.people.begin_totp(&fresh.caller(None, bed.visit().info()).unwrap()).await.unwrap();
    }

    async fn what_is_no_token_is_nobodys(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (begun, signed_in) = bed.signed_in("ada@example.com").await;
        let token = begun.token.reveal();
        let bent = format!("{}A", &token[..token.len() - 1]);
        for text in ["", "x", " ", &token.to_uppercase(), &format!("{token}x"), signed_in.csrf(), &"a".repeat(5000), "\u{0}", "'"] {
            assert!(bed.people.lookup(text).await.unwrap().is_none(), "{text}");
        }
        assert!(bent == *token || bed.people.lookup(&bent).await.unwrap().is_none());
        assert!(signed_in.is_csrf(signed_in.csrf()) && !signed_in.is_csrf("") && !signed_in.is_csrf(token));
        let _ = visit_from(&bed, "2001:db8::1");
    }
}

/// Waits until a use was written.
async fn seen_at(bed: &Bed, session: kernel::SessionId) {
    let now = bed.ambient.now();
    testkit::wait::until("the last use", Duration::from_secs(10), || async {
        let sql = "SELECT last_seen_at FROM sessions WHERE id = ?1";
        let read = bed
            .store
            .read(kernel::Scope::system("test"), move |tx| tx.query_one(sql, &[session.into()], |row| row.get::<kernel::Timestamp>(0)));
        (read.await.unwrap() == now).then_some(())
    })
    .await;
}

async fn gone_within_a_second(other: &Arc<People>, token: &str) {
    testkit::wait::until("the notice", Duration::from_secs(1), || async { other.lookup(token).await.unwrap().is_none().then_some(()) })
        .await;
}
