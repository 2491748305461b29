//! Which signatures a webhook carries, the tenant's keys, and authentication at the receiver, through the operations.

use std::sync::Arc;

use kernel::{Caller, Credential, Kind, Permission};
use serde_json::{Value, json};
use testkit::receiver::{Answer, Receiver};
use testkit::tls::Authority;
use web::signature::{PublicKey, WebhookSecret, verify_asymmetric};
use webhooks::{RotateSecret, WebhookPatch, WebhookPath};

use crate::bed::{Bed, SOON, input};

fn patch(body: Value) -> WebhookPatch {
    serde_json::from_value(body).unwrap()
}

fn overlap(seconds: u64) -> RotateSecret {
    RotateSecret { overlap_seconds: Some(seconds) }
}

fn of(url: &str, change: &Value) -> Value {
    let mut body = json!({"url": url, "events": ["*"]});
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

testkit::engines! {
    /// A key is made when the first webhook asks for one; another tenant has another.
    async fn a_webhook_that_asks_for_v1a_makes_the_tenants_key(bed: Bed) {
        let caller = bed.caller();
        let made = bed.create(of("http://127.0.0.1:9/", &json!({}))).await.unwrap();
        assert_eq!(serde_json::to_value(&made).unwrap()["signature"], "v1");
        assert!(bed.webhooks.keys(&caller).await.unwrap().data.is_empty());
        let changed = bed.webhooks.update(&caller, made.id.into(), patch(json!({"signature": "both"}))).await.unwrap();
        assert_eq!(serde_json::to_value(&changed).unwrap()["signature"], "both");
        let keys = bed.webhooks.keys(&caller).await.unwrap().data;
        assert_eq!(keys.len(), 1);
        let receiver = Receiver::start();
        bed.create(of(&receiver.url("/"), &json!({"signature": "v1a"}))).await.unwrap();
        assert_eq!(bed.webhooks.keys(&caller).await.unwrap().data.len(), 1, "one key serves all of a tenant's webhooks");
        assert!(bed.webhooks.keys(&bed.stranger).await.unwrap().data.is_empty());
        bed.publish("lead.created", json!({})).await;
        let got = receiver.wait_for(1, SOON).await.remove(0);
        let header = |name: &str| got.header(name).unwrap().to_owned();
        let public = PublicKey::parse(&keys[0].public_key).unwrap();
        let now = bed.ambient.now().seconds();
        let (id, at, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
        verify_asymmetric(&[public], &id, &at, &signature, &got.body, now, 60).unwrap();
        // What is published is that key, in both forms.
        let set = serde_json::to_value(bed.webhooks.key_set(Some(bed.tenant)).await.unwrap()).unwrap();
        assert_eq!((&set["keys"][0]["kid"], &set["keys"][0]["whpk"]), (&json!(public.kid()), &json!(public.text())));
        assert_eq!((&set["keys"][0]["kty"], &set["keys"][0]["crv"], &set["keys"][0]["use"]), (&json!("OKP"), &json!("Ed25519"), &json!("sig")));
        assert!(set["keys"][0].get("d").is_none() && set["keys"][0].get("exp").is_none());
        let audited = bed.audited().await;
        assert_eq!(audited.iter().filter(|action| *action == "signing_key.create").count(), 1);
        // `null` is the default again.
        let back = bed.webhooks.update(&caller, made.id.into(), patch(json!({"signature": null}))).await.unwrap();
        assert_eq!(serde_json::to_value(&back).unwrap()["signature"], "v1");
    }

    async fn keys_rotate(bed: Bed) {
        let caller = bed.caller();
        bed.create(of("http://127.0.0.1:9/", &json!({"signature": "v1a"}))).await.unwrap();
        let old = bed.webhooks.keys(&caller).await.unwrap().data.remove(0);
        let new = bed.webhooks.rotate_key(&caller, overlap(3600)).await.unwrap();
        assert!(new.kid != old.kid && new.expires_at.is_none());
        let kids: Vec<(String, bool)> =
            bed.webhooks.keys(&caller).await.unwrap().data.into_iter().map(|key| (key.kid, key.expires_at.is_some())).collect();
        assert_eq!(kids, [(new.kid.clone(), false), (old.kid.clone(), true)]);
        let set = bed.webhooks.key_set(Some(bed.tenant)).await.unwrap();
        assert_eq!(set.keys.iter().map(|key| key.exp.is_some()).collect::<Vec<_>>(), [false, true]);
        bed.webhooks.rotate_key(&caller, overlap(0)).await.unwrap();
        assert_eq!(bed.webhooks.key_set(Some(bed.tenant)).await.unwrap().keys.len(), 1, "without an overlap all others end at once");
        let error = bed.webhooks.rotate_key(&caller, overlap(30 * 86_400 + 1)).await.unwrap_err();
        assert_eq!(error.fields()[0].pointer, "/overlapSeconds");
        assert!(bed.audited().await.iter().any(|action| action == "signing_key.rotate"));
        let credential = Credential::Key { key: bed.ambient.id(), client: bed.client };
        let reader = Caller::new(credential, Some(bed.tenant), Arc::from([]), [Permission::WebhooksRead].into_iter().collect());
        assert_eq!(bed.webhooks.rotate_key(&reader, overlap(0)).await.unwrap_err().code(), "insufficient_scope");
        bed.webhooks.keys(&reader).await.unwrap();
    }

    /// What signs is listed with its end and what the receiver said, and never itself.
    async fn secrets_are_listed_without_themselves(bed: Bed) {
        let caller = bed.caller();
        let receiver = Receiver::start();
        let made = bed.create(of(&receiver.url("/"), &json!({"signature": "both"}))).await.unwrap();
        let first = made.secret.clone().unwrap();
        let rotated = bed.webhooks.rotate_secret(&caller, made.id.into(), overlap(3600)).await.unwrap();
        // The receiver still holds the old secret: the second entry is the one that it verifies.
        receiver.answer(Answer::status(204).header("webhook-signature-accepted", "2"));
        bed.publish("lead.created", json!({})).await;
        receiver.wait_for(1, SOON).await;
        let listed = testkit::wait::until("the receiver's word", SOON, async || {
            let listed = bed.webhooks.secrets(&caller, made.id.into()).await.unwrap();
            listed.data.iter().any(|one| one.accepted_count > 0).then_some(listed)
        })
        .await;
        let kid = |text: &str| WebhookSecret::parse(text).unwrap().kid();
        let kids: Vec<(&str, &str, u64)> = listed.data.iter().map(|one| (one.version.as_str(), one.kid.as_str(), one.accepted_count)).collect();
        let key = bed.webhooks.keys(&caller).await.unwrap().data.remove(0);
        assert_eq!(kids, [("v1", kid(&rotated.secret).as_str(), 0), ("v1", kid(&first).as_str(), 1), ("v1a", key.kid.as_str(), 0)]);
        assert_eq!((listed.data[0].expires_at, listed.data[1].expires_at), (None, Some(rotated.previous_valid_until)));
        assert!(listed.data.iter().all(|one| one.created_at.is_some()) && listed.data[1].last_accepted_at.is_some());
        assert_eq!(listed.data[2].public_key.as_deref(), Some(key.public_key.as_str()));
        assert_eq!(listed.keys_url, Some(format!("/.well-known/webhook-keys?tenant={}", bed.tenant)));
        let text = serde_json::to_string(&listed).unwrap();
        assert!(!text.contains("whsec_") && !text.contains(first.trim_start_matches("whsec_")), "{text}");
        // The same words stand in the webhook's statistics.
        let stats = bed.webhooks.stats(&caller, Some(made.id.into()), webhooks::StatsQuery::default()).await.unwrap();
        let said = serde_json::to_value(&stats).unwrap()["acceptedSignatures"].clone();
        assert_eq!((&said[0]["kid"], &said[0]["acceptedCount"]), (&json!(kid(&first)), &json!(1)));
        assert_eq!(bed.webhooks.secrets(&bed.stranger, made.id.into()).await.unwrap_err().kind(), Kind::NotFound);
        // Without an overlap the old one is gone.
        bed.webhooks.rotate_secret(&caller, made.id.into(), overlap(0)).await.unwrap();
        let left = bed.webhooks.secrets(&caller, made.id.into()).await.unwrap();
        assert_eq!(left.data.iter().filter(|one| one.version == "v1").count(), 1);
    }

    /// Every kind of authentication is accepted, shown without its secrets, and kept by changes that do not name it.
    async fn authentication_is_shown_without_its_secrets(bed: Bed) {
        let authority = Authority::new();
        let ours = authority.client("tradewind");
        for (auth, shown) in [
            (
                json!({"type": "oauth2", "tokenUrl": "https://93.184.215.14/token", "clientId": "c", "clientSecret": "s3cret", "scopes": ["a"], "audience": "x"}),
                json!({"type": "oauth2", "tokenUrl": "https://93.184.215.14/token", "clientId": "c", "scopes": ["a"], "clientAuthentication": "header", "audience": "x"}),
            ),
            (
                json!({"type": "oauth2", "tokenUrl": "https://93.184.215.14/token", "clientId": "c", "clientSecret": "s3cret", "clientAuthentication": "body"}),
                json!({"type": "oauth2", "tokenUrl": "https://93.184.215.14/token", "clientId": "c", "scopes": [], "clientAuthentication": "body"}),
            ),
            (
                json!({"type": "mtls", "certificate": ours.certificate, "privateKey": ours.key}),
                json!({"type": "mtls", "certificate": ours.certificate}),
            ),
        ] {
            let body = of("https://93.184.215.14/", &json!({"auth": auth, "caCertificate": authority.certificate()}));
            let made = bed.create(body).await.unwrap();
            let path = || WebhookPath::from(made.id);
            let changed = bed.webhooks.update(&bed.caller(), path(), patch(json!({"name": "n"}))).await.unwrap();
            let view = serde_json::to_value(&changed).unwrap();
            assert_eq!((&view["auth"], &view["caCertificate"]), (&shown, &json!(authority.certificate())));
            assert!(!view.to_string().contains("s3cret") && !view.to_string().contains("PRIVATE"), "{view}");
            let (tenant, id) = (bed.tenant, made.id);
            let found = bed.store.read(kernel::TenantScope::system("test", tenant), move |tx| dispatch::destinations::get(tx, tenant, id)).await.unwrap();
            let kept = found.config["auth"].to_string();
            assert!(kept.contains("s3cret") || kept.contains("PRIVATE"), "the secret stays: {}", kept.len());
            let none = bed.webhooks.update(&bed.caller(), path(), patch(json!({"auth": null, "caCertificate": null}))).await.unwrap();
            assert_eq!((none.auth, none.ca_certificate), (json!({"type": "none"}), None));
        }
    }

    async fn faults_of_authentication_name_their_place(bed: Bed) {
        let authority = Authority::new();
        let (one, two) = (authority.client("one"), authority.client("two"));
        let oauth = |change: Value| {
            let mut auth = json!({"type": "oauth2", "tokenUrl": "https://93.184.215.14/", "clientId": "c", "clientSecret": "s"});
            for (name, value) in change.as_object().unwrap() {
                auth[name] = value.clone();
            }
            json!({"auth": auth})
        };
        for (change, code, pointer) in [
            (oauth(json!({"tokenUrl": "https://10.0.0.1/"})), "url_refused", "/auth/tokenUrl"),
            (oauth(json!({"clientSecret": ""})), "validation_failed", "/auth/clientSecret"),
            (oauth(json!({"scopes": ["a b"]})), "validation_failed", "/auth/scopes/0"),
            (json!({"auth": {"type": "mtls", "certificate": one.certificate, "privateKey": two.key}}), "validation_failed", "/auth/privateKey"),
            (json!({"auth": {"type": "mtls", "certificate": "x", "privateKey": one.key}}), "validation_failed", "/auth/certificate"),
            (json!({"auth": {"type": "mtls", "certificate": one.certificate, "privateKey": one.key}, "url": "http://127.0.0.1:9/"}), "validation_failed", "/url"),
            (json!({"caCertificate": "x"}), "validation_failed", "/caCertificate"),
        ] {
            let error = bed.create(of("https://93.184.215.14/", &change)).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), (code, pointer), "{error:?}");
            assert!(!format!("{error:?}").contains("PRIVATE"));
        }
    }

    /// Two tenants' deliveries: neither key verifies the other's, although both stand in the set of all.
    async fn one_tenants_key_is_no_others(bed: Bed) {
        bed.create(of("http://127.0.0.1:9/", &json!({"signature": "v1a"}))).await.unwrap();
        let body = of("http://127.0.0.1:9/", &json!({"signature": "v1a"}));
        bed.webhooks.create(&bed.stranger, kernel::IdRef::Id(bed.strange_client), input(body)).await.unwrap();
        let (ours, theirs) = (bed.webhooks.keys(&bed.caller()).await.unwrap(), bed.webhooks.keys(&bed.stranger).await.unwrap());
        assert_ne!(ours.data[0].kid, theirs.data[0].kid);
        let all = bed.webhooks.key_set(None).await.unwrap();
        assert_eq!(all.keys.len(), 2);
        let own = bed.webhooks.key_set(Some(bed.tenant)).await.unwrap();
        assert_eq!(own.keys.iter().map(|key| key.kid.as_str()).collect::<Vec<_>>(), [ours.data[0].kid.as_str()]);
        assert!(bed.webhooks.key_set(Some(bed.ambient.id())).await.unwrap().keys.is_empty());
    }
}
