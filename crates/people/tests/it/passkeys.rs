//! Passkeys: made, used, named, removed.

use std::time::Duration;

use access::people::UserStatus;
use kernel::Caller;
use people::passkeys::{AddPasskey, Passkey};
use people::users::UpdateUser;
use people::{Method, NewSession, PasskeyProof, Proof};
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, BACKED_UP, BACKUP_ELIGIBLE, KeyKind};
use crate::bed::{Bed, PASSWORD, secret};

pub(crate) const ORIGIN: &str = "https://api.example.com";
pub(crate) const BROWSER: &str = "a browser";

impl Bed {
    pub(crate) async fn add(&self, caller: &Caller, device: &mut Authenticator, name: &str) -> kernel::Result<Passkey> {
        let options = json!(self.people.passkey_options(caller).await?);
        let shown = device.register(&options);
        self.people.add_passkey(caller, AddPasskey::of_form(name, &shown.to_string())?).await
    }

    pub(crate) async fn asked(&self, email: Option<&str>) -> Value {
        json!(self.people.passkey_sign_in_options(email, BROWSER, &self.visit()).await.unwrap())
    }

    pub(crate) async fn shown(&self, shown: &Value) -> kernel::Result<NewSession> {
        self.people.sign_in_with_passkey(PasskeyProof::of_form(&shown.to_string())?, BROWSER, &self.visit()).await
    }

    /// Somebody with a passkey.
    pub(crate) async fn with_passkey(&self, email: &str) -> (Authenticator, Passkey) {
        let mut device = Authenticator::new(KeyKind::Elliptic, ORIGIN);
        let passkey = self.add(&self.caller(email, None).await, &mut device, "Laptop").await.unwrap();
        (device, passkey)
    }
}

testkit::engines! {
    async fn where_browsers_have_no_passkeys_the_refusal_says_where_they_do(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let bare = bed.configured(|config| config.relying_party = None).await;
        let refused = bare.passkey_sign_in_options(None, BROWSER, &bed.visit()).await.unwrap_err();
        assert_eq!(refused.code(), "passkeys_unavailable");
        for part in ["https:// and a name", "http://localhost", "not an IP address"] {
            assert!(refused.detail().contains(part), "{}", refused.detail());
        }
    }

    async fn every_kind_of_key_signs_in_and_stands_for_two_proofs(bed: Bed) {
        let ada = bed.person("ada@example.com", None).await;
        let caller = bed.caller("ada@example.com", None).await;
        bed.authenticator("ada@example.com").await;
        for kind in [KeyKind::Edwards, KeyKind::Elliptic, KeyKind::Rsa] {
            let mut device = Authenticator::new(kind, ORIGIN);
            let options = json!(bed.people.passkey_options(&caller).await.unwrap());
            assert_eq!((&options["rp"]["id"], &options["user"]["name"]), (&json!("api.example.com"), &json!("ada@example.com")));
            assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
            let made = bed.add(&caller, &mut device, "").await.unwrap();
            assert_eq!((made.name.as_str(), made.is_synced, made.last_used_at), ("Passkey", false, None));
            for _ in 0..2 {
                let options = bed.asked(None).await;
                assert_eq!(options["allowCredentials"], json!([]), "nobody is told which passkeys there are");
                let begun = bed.shown(&device.sign(&options)).await.unwrap();
                let signed_in = bed.people.lookup(begun.token.reveal()).await.unwrap().unwrap();
                assert_eq!((signed_in.user, signed_in.methods.as_slice(), signed_in.has_passkey), (ada.id, &[Method::Passkey][..], true));
            }
        }
        let options = json!(bed.people.passkey_options(&caller).await.unwrap());
        assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 3);
        let listed = bed.people.list_passkeys(&caller).await.unwrap();
        assert!(listed.len() == 3 && listed.iter().all(|one| one.last_used_at.is_some() && one.suspected_copy_at.is_none()));
        assert_eq!(bed.people.security(&caller).await.unwrap().passkeys, 3);
    }

    async fn an_address_narrows_it_and_tells_nothing(bed: Bed) {
        for email in ["ada@example.com", "ben@example.com"] {
            bed.person(email, None).await;
        }
        let (mut device, _) = bed.with_passkey("ada@example.com").await;
        let (known, unknown) = (bed.asked(Some("Ada@example.com ")).await, bed.asked(Some("nobody@example.com")).await);
        let shape = |options: &Value| options.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!((shape(&known), &known["allowCredentials"]), (shape(&unknown), &unknown["allowCredentials"]));
        assert_eq!(bed.shown(&device.sign(&unknown)).await.unwrap_err().code(), "passkey_failed");
        let other = bed.asked(Some("ben@example.com")).await;
        assert_eq!(bed.shown(&device.sign(&other)).await.unwrap_err().code(), "passkey_failed");
        bed.shown(&device.sign(&known)).await.unwrap();
    }

    async fn adding_and_removing_want_a_fresh_proof_which_a_passkey_is(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (mut device, passkey) = bed.with_passkey("ada@example.com").await;
        let (session, signed_in) = bed.signed_in("ada@example.com").await;
        bed.advance(Duration::from_secs(601));
        let caller = |signed: &people::SignedIn| signed.caller(None, bed.visit().info()).unwrap();
        let stale = caller(&signed_in);
        assert_eq!(bed.people.passkey_options(&stale).await.unwrap_err().code(), "reauthentication_required");
        assert_eq!(bed.people.remove_passkey(&stale, passkey.id).await.unwrap_err().code(), "reauthentication_required");
        let options = json!(bed.people.passkey_proof_options(&stale).await.unwrap());
        assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
        let mut proof = || Proof::Passkey(PasskeyProof::of_form(&device.sign(&options).to_string()).unwrap());
        let renewed = bed.people.reauthenticate(session.token.reveal(), proof(), &bed.visit()).await.unwrap();
        assert!(renewed.session == session.session && !bed.is_signed_in(&session.token).await, "its token is new");
        let again = bed.people.reauthenticate(renewed.token.reveal(), proof(), &bed.visit()).await.unwrap_err();
        assert_eq!(again.code(), "passkey_failed", "what was asked is good once");
        let signed_in = bed.people.lookup(renewed.token.reveal()).await.unwrap().unwrap();
        assert_eq!(signed_in.methods, [Method::Password, Method::Passkey]);
        let caller = caller(&signed_in);
        assert_eq!(bed.people.rename_passkey(&caller, passkey.id, "Old laptop").await.unwrap().name, "Old laptop");
        assert_eq!(bed.people.rename_passkey(&caller, passkey.id, " ").await.unwrap_err().code(), "validation_failed");
        bed.people.remove_passkey(&caller, passkey.id).await.unwrap();
        assert_eq!(bed.people.remove_passkey(&caller, passkey.id).await.unwrap_err().code(), "not_found");
        let options = bed.asked(None).await;
        assert_eq!(bed.shown(&device.sign(&options)).await.unwrap_err().code(), "passkey_failed", "a removed passkey is none");
        let acts = bed.audit_actions().await;
        for act in ["passkey.create", "passkey.update", "passkey.delete", "session.reauthenticate"] {
            assert!(acts.iter().any(|one| one == act), "{act} is not in {acts:?}");
        }
    }

    async fn nobody_reaches_anothers_passkeys(bed: Bed) {
        for email in ["ada@example.com", "eve@example.com"] {
            bed.person(email, None).await;
        }
        let (mut device, passkey) = bed.with_passkey("ada@example.com").await;
        let eve = bed.caller("eve@example.com", None).await;
        assert_eq!(bed.people.rename_passkey(&eve, passkey.id, "Mine").await.unwrap_err().code(), "not_found");
        assert_eq!(bed.people.remove_passkey(&eve, passkey.id).await.unwrap_err().code(), "not_found");
        assert!(bed.people.list_passkeys(&eve).await.unwrap().is_empty());
        assert_eq!(bed.people.passkey_proof_options(&eve).await.unwrap_err().code(), "not_found");
        let known = bed.add(&eve, &mut device, "Stolen").await.unwrap_err();
        assert_eq!(known.code(), "passkey_known", "one key is one person's");
        for error in [
            bed.people.list_passkeys(&bed.operator()).await.unwrap_err(),
            bed.people.passkey_options(&bed.operator()).await.unwrap_err(),
            bed.people.list_identities(&bed.operator()).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), "people_only");
        }
    }

    async fn a_counter_that_does_not_go_on_is_noted(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let caller = bed.caller("ada@example.com", None).await;
        let mut device = Authenticator::new(KeyKind::Elliptic, ORIGIN);
        (device.counter, device.flags) = (10, device.flags | BACKUP_ELIGIBLE | BACKED_UP);
        assert!(bed.add(&caller, &mut device, "Phone").await.unwrap().is_synced);
        let noted = async || bed.people.list_passkeys(&caller).await.unwrap()[0].suspected_copy_at.is_some();
        bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap();
        assert!(!noted().await);
        device.counter = 5;
        bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap();
        assert!(noted().await);
        let suspected = async || bed.audit_actions().await.iter().filter(|act| *act == "passkey.suspect_copy").count();
        assert_eq!(suspected().await, 1);
        device.counter = 100;
        bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap();
        assert_eq!((suspected().await, noted().await), (1, true), "the note stays");
    }

    async fn the_last_way_in_is_not_taken_away(bed: Bed) {
        let people = bed.without_mail().await;
        let user = bed.person("ada@example.com", None).await;
        let (_, passkey) = bed.with_passkey("ada@example.com").await;
        let caller = bed.caller("ada@example.com", None).await;
        let forget = "UPDATE sign_in_methods SET password_hash = NULL";
        bed.store.write(kernel::Scope::system("test"), move |tx| tx.exec(forget, &[]).map(drop)).await.unwrap();
        assert_eq!(people.remove_passkey(&caller, passkey.id).await.unwrap_err().code(), "last_sign_in_method");
        let (_, second) = bed.add_second(&caller).await;
        people.remove_passkey(&caller, passkey.id).await.unwrap();
        bed.people.remove_passkey(&caller, second.id).await.unwrap();
        assert_eq!(bed.count("passkeys").await, 0, "whoever is sent links can do without");
        bed.people.delete_user(&bed.operator(), user.id).await.unwrap();
    }

    async fn who_is_suspended_or_gone_does_not_come_in(bed: Bed) {
        let ada = bed.person("ada@example.com", None).await;
        let (mut device, _) = bed.with_passkey("ada@example.com").await;
        let suspend = UpdateUser { status: Some(UserStatus::Suspended), ..UpdateUser::default() };
        let asked = bed.asked(None).await;
        bed.people.update_user(&bed.operator(), ada.id, suspend).await.unwrap();
        assert_eq!(bed.shown(&device.sign(&asked)).await.unwrap_err().code(), "user_suspended");
        bed.people.delete_user(&bed.operator(), ada.id).await.unwrap();
        assert_eq!((bed.count("passkeys").await, bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap_err().code()), (0, "passkey_failed"));
        let refused = bed.people.sign_in_with_password("ada@example.com", secret(PASSWORD), &bed.visit()).await.unwrap_err();
        assert_eq!(refused.code(), "sign_in_failed");
    }
}

impl Bed {
    async fn add_second(&self, caller: &Caller) -> (Authenticator, Passkey) {
        let mut device = Authenticator::new(KeyKind::Edwards, ORIGIN);
        let passkey = self.add(caller, &mut device, "Key ring").await.unwrap();
        (device, passkey)
    }
}
