//! Ceremonies that others make up: each is refused, and says no more than that.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use people::passkeys::AddPasskey;
use people::{PasskeyProof, Proof};
use serde_json::{Value, json};

use crate::authenticator::{Authenticator, BACKED_UP, BACKUP_ELIGIBLE, KeyKind, USER_PRESENT, USER_VERIFIED};
use crate::bed::Bed;
use crate::passkeys::{BROWSER, ORIGIN};

/// Changes one member of a response, which is base64url of bytes.
fn changed(shown: &Value, member: &str, change: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut shown = shown.clone();
    let text = shown["response"][member].as_str().unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
    change(&mut bytes);
    shown["response"][member] = json!(URL_SAFE_NO_PAD.encode(bytes));
    shown
}

testkit::engines! {
    async fn what_another_page_asked_for_is_refused(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (mut device, _) = bed.with_passkey("ada@example.com").await;
        for origin in [
            "https://evil.example", "http://api.example.com", "https://api.example.com:8443", "https://api.example.com.evil.example",
            "https://evil.api.example.com", "https://api.example.com/", "null", "",
        ] {
            device.origin = origin.to_owned();
            assert_eq!(bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap_err().code(), "passkey_failed", "{origin}");
        }
        (device.origin, device.cross_origin) = (ORIGIN.to_owned(), true);
        assert_eq!(bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap_err().code(), "passkey_failed", "in a frame");
        (device.cross_origin, device.party) = (false, "example.com".to_owned());
        assert_eq!(bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap_err().code(), "passkey_failed", "another relying party");
        device.party = "api.example.com".to_owned();
        bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap();
    }

    async fn a_challenge_is_good_once_here_and_now(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (mut device, _) = bed.with_passkey("ada@example.com").await;
        let shown = device.sign(&bed.asked(None).await);
        bed.shown(&shown).await.unwrap();
        assert_eq!(bed.shown(&shown).await.unwrap_err().code(), "passkey_failed", "twice");
        let mut asked = bed.asked(None).await;
        let failed = changed(&device.sign(&asked), "signature", |bytes| bytes[8] ^= 1);
        assert_eq!(bed.shown(&failed).await.unwrap_err().code(), "passkey_failed");
        assert_eq!(bed.shown(&device.sign(&asked)).await.unwrap_err().code(), "passkey_failed", "also for an answer that failed");
        asked = bed.asked(None).await;
        let proof = PasskeyProof::of_form(&device.sign(&asked).to_string()).unwrap();
        let elsewhere = bed.people.sign_in_with_passkey(proof, "another browser", &bed.visit()).await.unwrap_err();
        assert_eq!(elsewhere.code(), "passkey_failed");
        asked = bed.asked(None).await;
        bed.advance(Duration::from_secs(300));
        assert_eq!(bed.shown(&device.sign(&asked)).await.unwrap_err().code(), "passkey_failed", "late");
        for made_up in ["", "AAAA", &"A".repeat(43), &"A".repeat(4000)] {
            let shown = device.sign(&json!({"challenge": made_up}));
            assert_eq!(bed.shown(&shown).await.unwrap_err().code(), "passkey_failed", "{made_up}");
        }
        // Many at once: one wins.
        asked = bed.asked(None).await;
        let mut tries = Vec::new();
        for _ in 0..8 {
            let (people, visit, shown) = (bed.people.clone(), bed.visit(), device.sign(&asked).to_string());
            tries.push(tokio::spawn(async move {
                people.sign_in_with_passkey(PasskeyProof::of_form(&shown).unwrap(), BROWSER, &visit).await.is_ok()
            }));
        }
        let mut won = 0;
        for one in tries {
            won += u32::from(one.await.unwrap());
        }
        assert_eq!(won, 1);
    }

    async fn what_was_asked_for_one_purpose_is_nothing_for_another(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (mut device, _) = bed.with_passkey("ada@example.com").await;
        let (session, signed_in) = bed.signed_in("ada@example.com").await;
        let caller = signed_in.caller(None, bed.visit().info()).unwrap();
        let to_add = json!(bed.people.passkey_options(&caller).await.unwrap());
        assert_eq!(bed.shown(&device.sign(&to_add)).await.unwrap_err().code(), "passkey_failed");
        let to_prove = json!(bed.people.passkey_proof_options(&caller).await.unwrap());
        assert_eq!(bed.shown(&device.sign(&to_prove)).await.unwrap_err().code(), "passkey_failed");
        let to_enter = bed.asked(None).await;
        let proof = Proof::Passkey(PasskeyProof::of_form(&device.sign(&to_enter).to_string()).unwrap());
        assert_eq!(bed.people.reauthenticate(session.token.reveal(), proof, &bed.visit()).await.unwrap_err().code(), "passkey_failed");
        let mut other = Authenticator::new(KeyKind::Edwards, ORIGIN);
        let shown = other.register(&bed.asked(None).await).to_string();
        let refused = bed.people.add_passkey(&caller, AddPasskey::of_form("x", &shown).unwrap()).await.unwrap_err();
        assert_eq!(refused.fields()[0].pointer, "/credential");
        // Asked for in one session, answered in another of the same person.
        let (_, second) = bed.signed_in("ada@example.com").await;
        let second = second.caller(None, bed.visit().info()).unwrap();
        let options = json!(bed.people.passkey_options(&caller).await.unwrap());
        let shown = other.register(&options).to_string();
        let refused = bed.people.add_passkey(&second, AddPasskey::of_form("x", &shown).unwrap()).await.unwrap_err();
        assert_eq!(refused.fields()[0].pointer, "/credential");
    }

    async fn a_passkey_is_its_owners_alone(bed: Bed) {
        for email in ["ada@example.com", "eve@example.com"] {
            bed.person(email, None).await;
        }
        let (mut adas, _) = bed.with_passkey("ada@example.com").await;
        let (mut eves, _) = bed.with_passkey("eve@example.com").await;
        // Eve signs, and says that it is Ada's.
        let own = std::mem::replace(&mut eves.user_handle, adas.user_handle.clone());
        assert_eq!(bed.shown(&eves.sign(&bed.asked(None).await)).await.unwrap_err().code(), "passkey_failed");
        eves.user_handle = own;
        let id = std::mem::replace(&mut eves.id, adas.id.clone());
        assert_eq!(bed.shown(&eves.sign(&bed.asked(None).await)).await.unwrap_err().code(), "passkey_failed", "another's id");
        eves.id = id;
        let mut nameless = eves.sign(&bed.asked(None).await);
        nameless["response"]["userHandle"] = Value::Null;
        assert_eq!(bed.shown(&nameless).await.unwrap_err().code(), "passkey_failed", "it must say whose it is");
        // A fresh proof of Ada's by Eve's passkey.
        let (session, signed_in) = bed.signed_in("ada@example.com").await;
        let caller = signed_in.caller(None, bed.visit().info()).unwrap();
        let options = json!(bed.people.passkey_proof_options(&caller).await.unwrap());
        let proof = Proof::Passkey(PasskeyProof::of_form(&eves.sign(&options).to_string()).unwrap());
        assert_eq!(bed.people.reauthenticate(session.token.reveal(), proof, &bed.visit()).await.unwrap_err().code(), "passkey_failed");
        bed.shown(&adas.sign(&bed.asked(None).await)).await.unwrap();
    }

    async fn a_device_must_make_sure_of_the_person(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (mut device, _) = bed.with_passkey("ada@example.com").await;
        for flags in [0, USER_PRESENT, USER_VERIFIED, USER_PRESENT | USER_VERIFIED | BACKED_UP, USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE] {
            device.flags = flags;
            assert_eq!(bed.shown(&device.sign(&bed.asked(None).await)).await.unwrap_err().code(), "passkey_failed", "{flags:#x}");
        }
        let caller = bed.caller("ada@example.com", None).await;
        for flags in [0, USER_PRESENT, USER_VERIFIED, USER_PRESENT | USER_VERIFIED | BACKED_UP] {
            let mut new = Authenticator::new(KeyKind::Elliptic, ORIGIN);
            new.flags = flags;
            assert_eq!(bed.add(&caller, &mut new, "x").await.unwrap_err().fields()[0].pointer, "/credential", "{flags:#x}");
        }
        let mut new = Authenticator::new(KeyKind::Elliptic, "https://evil.example");
        assert_eq!(bed.add(&caller, &mut new, "x").await.unwrap_err().fields()[0].pointer, "/credential");
    }

    async fn what_is_written_otherwise_is_refused(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let (mut device, _) = bed.with_passkey("ada@example.com").await;
        let mut shown = Vec::new();
        let good = device.sign(&bed.asked(None).await);
        shown.push(changed(&good, "authenticatorData", |bytes| bytes.push(0)));
        let good = device.sign(&bed.asked(None).await);
        shown.push(changed(&good, "authenticatorData", |bytes| bytes[32] |= 0x80));
        let good = device.sign(&bed.asked(None).await);
        shown.push(changed(&good, "authenticatorData", |bytes| bytes.truncate(36)));
        let good = device.sign(&bed.asked(None).await);
        shown.push(changed(&good, "authenticatorData", |bytes| bytes[36] ^= 1));
        let mut good = device.sign(&bed.asked(None).await);
        good["type"] = json!("password");
        shown.push(good);
        let mut good = device.sign(&bed.asked(None).await);
        good["response"]["signature"] = json!("no base64url!");
        shown.push(good);
        for bad in &shown {
            assert_eq!(bed.shown(bad).await.unwrap_err().code(), "passkey_failed", "{bad}");
        }
        for bad in ["", "{}", "[]", "null", r#"{"id": 7}"#] {
            assert_eq!(PasskeyProof::of_form(bad).unwrap_err().code(), "passkey_failed", "{bad}");
        }
        let caller = bed.caller("ada@example.com", None).await;
        let mut new = Authenticator::new(KeyKind::Elliptic, ORIGIN);
        let cose = new.cose();
        let mut keys = vec![vec![0xa0], vec![], cose[..cose.len() - 1].to_vec(), [&cose[..], &[0]].concat()];
        // A point off the lengths, another algorithm, another curve, a member twice.
        keys.push(cose.iter().enumerate().map(|(n, byte)| if n == 4 { 0x27 } else { *byte }).collect());
        keys.push([&[cose[0] + 1][..], &cose[1..], &[0x20, 0x01]].concat());
        for key in keys {
            let options = json!(bed.people.passkey_options(&caller).await.unwrap());
            let data = new.new_data(&key);
            let shown = new.register_with(&options, data).to_string();
            let refused = bed.people.add_passkey(&caller, AddPasskey::of_form("x", &shown).unwrap()).await.unwrap_err();
            assert_eq!(refused.fields()[0].pointer, "/credential", "{key:02x?}");
        }
        assert_eq!(bed.count("passkeys").await, 1);
    }

    async fn a_person_has_twenty_at_most(bed: Bed) {
        bed.person("ada@example.com", None).await;
        let caller = bed.caller("ada@example.com", None).await;
        for n in 0..20 {
            bed.add(&caller, &mut Authenticator::new(KeyKind::Edwards, ORIGIN), &format!("{n}")).await.unwrap();
        }
        let one_more = bed.add(&caller, &mut Authenticator::new(KeyKind::Edwards, ORIGIN), "20").await.unwrap_err();
        assert_eq!(one_more.code(), "too_many_passkeys");
    }
}
