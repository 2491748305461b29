//! How often somebody may try.

use std::time::Duration;

use kernel::Kind;

use crate::bed::{Bed, PASSWORD, secret, visit_from};

testkit::engines! {
    async fn many_passwords_on_one_account_must_wait_longer_each_time(bed: Bed) {
        bed.person("ada@example.com", None).await;
        // From many networks, so that only the account's bound is met.
        let people = &bed.people;
        let attempt = |n: u32, password: &'static str| {
            let visit = visit_from(&bed, &format!("203.0.113.{n}"));
            async move { people.sign_in_with_password("ada@example.com", secret(password), &visit).await }
        };
        for n in 0..10 {
            assert_eq!(attempt(n, "wrong").await.unwrap_err().code(), "sign_in_failed", "{n}");
        }
        let held = attempt(11, PASSWORD).await.unwrap_err();
        assert_eq!((held.code(), held.kind(), held.wait()), ("too_many_attempts", Kind::RateLimited, Some(Duration::from_secs(31))));
        bed.advance(Duration::from_secs(30));
        assert_eq!(attempt(12, "wrong").await.unwrap_err().code(), "sign_in_failed");
        assert_eq!(attempt(13, PASSWORD).await.unwrap_err().wait(), Some(Duration::from_secs(61)));
        bed.advance(Duration::from_secs(60));
        attempt(14, PASSWORD).await.unwrap();
        assert_eq!(attempt(15, "wrong").await.unwrap_err().code(), "sign_in_failed", "who came in is forgiven");
    }

    async fn no_stranger_locks_somebody_out_at_home(bed: Bed) {
        bed.person("ada@example.com", None).await;
        bed.signed_in("ada@example.com").await;
        for n in 0..10 {
            let visit = visit_from(&bed, &format!("203.0.113.{n}"));
            bed.people.sign_in_with_password("ada@example.com", secret("wrong"), &visit).await.unwrap_err();
        }
        let stranger = visit_from(&bed, "203.0.113.200");
        let held = bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &stranger).await.unwrap_err();
        assert_eq!(held.code(), "too_many_attempts");
        bed.signed_in("ada@example.com").await;
    }

    async fn an_address_that_nobody_has_is_held_up_like_any_other(bed: Bed) {
        for n in 0..11 {
            let visit = visit_from(&bed, &format!("203.0.113.{n}"));
            let refused = bed.people.sign_in_with_password("nobody@example.com", secret(PASSWORD), &visit).await.unwrap_err();
            assert_eq!(refused.code(), if n < 10 { "sign_in_failed" } else { "too_many_attempts" });
        }
        bed.advance(Duration::from_secs(24 * 3600));
        assert_eq!(bed.people.let_go().await.unwrap(), 1);
    }

    async fn one_password_on_many_accounts_is_stopped_by_network(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let people = &bed.people;
        let attempt = |n: u32, ip: &'static str| {
            let (visit, email) = (visit_from(&bed, ip), format!("p{n}@example.com"));
            async move { people.sign_in_with_password(&email, secret("summer2026summer"), &visit).await.unwrap_err().code() }
        };
        for n in 0..20 {
            assert_eq!(attempt(n, "2001:db8::1").await, "sign_in_failed", "{n}");
        }
        assert_eq!(attempt(21, "2001:db8::ffff").await, "too_many_attempts", "the network, not the address");
        assert_eq!(attempt(22, "2001:db8:0:1::1").await, "sign_in_failed");
        bed.signed_in("ada@example.com").await;
        bed.advance(Duration::from_secs(60));
        assert_eq!(attempt(23, "2001:db8::1").await, "sign_in_failed");
    }

    async fn attempts_at_the_same_moment_are_all_counted(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let tries: Vec<_> = (0..60)
            .map(|n| {
                let (people, visit) = (bed.people.clone(), visit_from(&bed, &format!("203.0.113.{n}")));
                tokio::spawn(async move { people.sign_in_with_password("ada@example.com", secret("wrong"), &visit).await.unwrap_err().code() })
            })
            .collect();
        let mut judged = 0;
        for one in tries {
            judged += u32::from(one.await.unwrap() == "sign_in_failed");
        }
        // On PostgreSQL a few transactions may read before the others have written.
        assert!((10..=30).contains(&judged), "{judged}");
    }
}
