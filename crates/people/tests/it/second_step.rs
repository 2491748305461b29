//! Authenticators and recovery codes.

use std::time::Duration;

use people::{Method, Outcome, Proof, SecondFactor};

use crate::bed::{Bed, PASSWORD, pending, secret};

testkit::engines! {
    async fn who_has_an_authenticator_is_asked_for_its_code(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (other, _) = bed.signed_in("ada@example.com").await;
        let (totp, _) = bed.authenticator("ada@example.com").await;
        assert!(!bed.is_signed_in(&other.token).await, "other sessions end when an authenticator is set up");
        let outcome = bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap();
        let Outcome::SecondStep(owed) = outcome else { panic!("nothing is owed") };
        assert_eq!(owed.methods, [SecondFactor::Totp, SecondFactor::RecoveryCode]);
        assert!(bed.people.lookup(owed.token.reveal()).await.unwrap().is_none(), "what is owed is no session");
        let step = async |code: String| bed.people.second_step(owed.token.reveal(), Proof::Totp(code), &bed.visit()).await;
        assert_eq!(step("000000".into()).await.unwrap_err().code(), "second_step_failed");
        let begun = step(bed.code(&totp)).await.unwrap();
        let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
        assert_eq!(signed_in.methods, [Method::Password, Method::Totp]);
        assert_eq!(step(bed.code(&totp)).await.unwrap_err().code(), "second_step_over", "what was owed is settled");
    }

    async fn a_code_is_good_once_and_so_is_one_before_it(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (totp, _) = bed.authenticator("ada@example.com").await;
        let owed = || async { pending(bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap()) };
        let before = bed.code(&totp);
        bed.advance(Duration::from_secs(30));
        let now = bed.code(&totp);
        bed.people.second_step(owed().await.reveal(), Proof::Totp(now.clone()), &bed.visit()).await.unwrap();
        for used in [now, before] {
            let refused = bed.people.second_step(owed().await.reveal(), Proof::Totp(used), &bed.visit()).await.unwrap_err();
            assert_eq!(refused.code(), "second_step_failed");
        }
        bed.advance(Duration::from_secs(30));
        let typed = bed.code(&totp);
        let typed = format!(" {} {} ", &typed[..3], &typed[3..]);
        bed.people.second_step(owed().await.reveal(), Proof::Totp(typed), &bed.visit()).await.unwrap();
    }

    async fn of_many_who_show_the_same_code_at_once_one_gets_in(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (totp, codes) = bed.authenticator("ada@example.com").await;
        for proof in [bed.code(&totp), codes[3].clone()] {
            let mut tries = Vec::new();
            for _ in 0..6 {
                let owed = pending(bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap());
                let (people, visit, text) = (bed.people.clone(), bed.visit(), proof.clone());
                let proof = if text.len() == 6 { Proof::Totp(text) } else { Proof::RecoveryCode(text) };
                tries.push((people, owed, proof, visit));
                // Owing is not failing: only to keep the account's count of attempts low.
                bed.forgive("ada@example.com").await;
            }
            let tries: Vec<_> = tries
                .into_iter()
                .map(|(people, owed, proof, visit)| tokio::spawn(async move { people.second_step(owed.reveal(), proof, &visit).await.is_ok() }))
                .collect();
            let mut won = 0;
            for one in tries {
                won += u32::from(one.await.unwrap());
            }
            assert_eq!(won, 1);
        }
    }

    async fn recovery_codes_are_good_once_each(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (_, codes) = bed.authenticator("ada@example.com").await;
        assert_eq!(codes.len(), 10);
        let owed = || async { pending(bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap()) };
        let people = &bed.people;
        let show = |owed: kernel::Secret<String>, code: String| {
            let visit = bed.visit();
            async move { people.second_step(owed.reveal(), Proof::RecoveryCode(code), &visit).await }
        };
        // As people type them: upper case, without the hyphen, an O for a zero.
        let typed = codes[0].to_uppercase().replace('-', " ").replace('0', "O");
        let begun = show(owed().await, typed).await.unwrap();
        let caller = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap().caller(None, bed.visit().info()).unwrap();
        assert_eq!(bed.people.security(&caller).await.unwrap().recovery_codes_left, 9);
        assert_eq!(show(owed().await, codes[0].clone()).await.unwrap_err().code(), "second_step_failed");
        let fresh = bed.people.new_recovery_codes(&caller).await.unwrap();
        assert_eq!(show(owed().await, codes[1].clone()).await.unwrap_err().code(), "second_step_failed");
        show(owed().await, fresh[1].reveal().clone()).await.unwrap();
        assert!(bed.audit_actions().await.iter().any(|action| action == "user.use_recovery_code"));
    }

    async fn five_wrong_codes_or_ten_minutes_end_it(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (totp, _) = bed.authenticator("ada@example.com").await;
        let owed = pending(bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap());
        let step = async |code: String| bed.people.second_step(owed.reveal(), Proof::Totp(code), &bed.visit()).await;
        for _ in 0..5 {
            assert_eq!(step("000000".into()).await.unwrap_err().code(), "second_step_failed");
        }
        assert_eq!(step(bed.code(&totp)).await.unwrap_err().code(), "second_step_over");
        let owed = pending(bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap());
        bed.advance(Duration::from_secs(601));
        let late = bed.people.second_step(owed.reveal(), Proof::Totp(bed.code(&totp)), &bed.visit()).await.unwrap_err();
        assert_eq!(late.code(), "second_step_over");
    }

    async fn one_persons_proof_is_nothing_of_anothers(bed: Bed) {
        for email in ["ada@example.com", "ben@example.com"] {
            bed.person(email, None).await;
        }
        let (totp, codes) = bed.authenticator("ada@example.com").await;
        bed.authenticator("ben@example.com").await;
        for proof in [Proof::Totp(bed.code(&totp)), Proof::RecoveryCode(codes[0].clone())] {
            let owed = pending(bed.people.sign_in_with_password("ben@example.com", secret(PASSWORD), &bed.visit()).await.unwrap());
            let refused = bed.people.second_step(owed.reveal(), proof, &bed.visit()).await.unwrap_err();
            assert_eq!(refused.code(), "second_step_failed");
        }
    }
}

impl Bed {
    async fn forgive(&self, _: &str) {
        let forget = |tx: &mut store::Tx<'_>| tx.exec("DELETE FROM sign_in_failures", &[]).map(drop);
        self.store.write(kernel::Scope::system("test"), forget).await.unwrap();
    }
}
