//! Signatures: symmetric, asymmetric, the products' own; and what receivers say about them.

use std::sync::Arc;
use std::time::Duration;

use dispatch::acceptances::{self, Acceptances};
use dispatch::signing_keys::{self, SigningKeys};
use dispatch::{Dispatch, Policy};
use kernel::{DestinationId, TenantId};
use serde_json::{Value, json};
use testkit::receiver::{Answer, Received, Receiver};
use web::signature::{PublicKey, WebhookSecret, verify_asymmetric, verify_legacy, verify_standard};

use crate::bed::{Bed, LIMIT, system};
use crate::http::client;

/// A dispatcher whose HTTP channel can sign in every way.
struct Signing {
    dispatch: Arc<Dispatch>,
    keys: Arc<SigningKeys>,
    acceptances: Arc<Acceptances>,
    receiver: Receiver,
}

impl Signing {
    async fn open(bed: &Bed, blueprint: &str) -> Self {
        let (keys, acceptances) = (SigningKeys::new(&bed.store), Acceptances::new(&bed.store));
        let product = blueprint::load(blueprint).unwrap().webhooks;
        let channel = dispatch::http::HttpChannel::new(client(), &product).unwrap();
        bed.extra.lock().unwrap().push(Arc::new(channel.with_signing(Arc::clone(&keys), Arc::clone(&acceptances))));
        Self { dispatch: bed.dispatch().await, keys, acceptances, receiver: Receiver::start() }
    }

    /// A webhook that alone gets what is published from now on.
    async fn webhook(&self, bed: &Bed, change: Value) -> DestinationId {
        let mut config = json!({ "url": self.receiver.url("/") });
        for (name, value) in change.as_object().unwrap() {
            config[name] = value.clone();
        }
        let config = self.dispatch.channel("http").unwrap().check(&config).await.unwrap();
        let policy = Policy { schedule_ms: Vec::new(), ..Policy::default() };
        let id = bed.destination_on("http", config, policy).await;
        bed.only(&[id]);
        id
    }

    /// The next delivery.
    async fn next(&self, bed: &Bed) -> Received {
        self.receiver.take();
        bed.publish(1).await;
        self.receiver.wait_for(1, LIMIT).await.remove(0)
    }

    async fn public(&self, bed: &Bed, tenant: TenantId) -> Vec<PublicKey> {
        self.keys.public(Some(tenant), bed.ambient.now()).await.unwrap().into_iter().map(|key| key.public).collect()
    }
}

async fn ensure(bed: &Bed, tenant: TenantId) {
    bed.store.write(kernel::TenantScope::system("test", tenant), move |tx| signing_keys::ensure(tx, tenant)).await.unwrap();
}

async fn rotate(bed: &Bed, overlap: u64) -> Result<String, kernel::Error> {
    let tenant = bed.tenant;
    let rotate = move |tx: &mut store::Tx<'_>| signing_keys::rotate(tx, tenant, tx.now().plus(Duration::from_secs(overlap)));
    bed.store.write(kernel::TenantScope::system("test", tenant), rotate).await.map(|key| key.kid)
}

fn header<'a>(got: &'a Received, name: &str) -> &'a str {
    got.header(name).unwrap_or_else(|| panic!("no {name} in {:?}", got.headers))
}

/// How many `v1` and `v1a` entries there are.
fn entries(got: &Received) -> (usize, usize) {
    let all = || header(got, "webhook-signature").split(' ');
    (all().filter(|one| one.starts_with("v1,")).count(), all().filter(|one| one.starts_with("v1a,")).count())
}

fn verifies(bed: &Bed, got: &Received, keys: &[PublicKey]) -> bool {
    let (id, at, signature) = (header(got, "webhook-id"), header(got, "webhook-timestamp"), header(got, "webhook-signature"));
    verify_asymmetric(keys, id, at, signature, &got.body, bed.ambient.now().seconds(), 300).is_ok()
}

fn secret(bed: &Bed) -> (WebhookSecret, Value) {
    let made = WebhookSecret::generate(&bed.ambient);
    let entry = json!({ "secret": made.text().reveal() });
    (made, entry)
}

testkit::engines! {
    async fn v1a_verifies_with_the_published_key_and_with_no_other(bed: Bed) {
        let signing = Signing::open(&bed, "insurance-leads").await;
        let other: TenantId = bed.ambient.id();
        ensure(&bed, bed.tenant).await;
        ensure(&bed, bed.tenant).await;
        ensure(&bed, other).await;
        let (own, strange) = (signing.public(&bed, bed.tenant).await, signing.public(&bed, other).await);
        assert_eq!((own.len(), strange.len()), (1, 1), "a tenant has one key until it rotates");
        let (made, entry) = secret(&bed);
        signing.webhook(&bed, json!({ "signature": "v1a", "secrets": [entry] })).await;
        let got = signing.next(&bed).await;
        assert!(verifies(&bed, &got, &own) && !verifies(&bed, &got, &strange));
        // Nothing that needs a secret: not the product's own form either.
        assert_eq!((entries(&got), got.header("X-Webhook-Signature")), ((0, 1), None));
        signing.webhook(&bed, json!({ "signature": "both", "secrets": [entry] })).await;
        let got = signing.next(&bed).await;
        assert_eq!(entries(&got), (1, 1));
        assert!(verifies(&bed, &got, &own));
        let (id, at, now) = (header(&got, "webhook-id"), header(&got, "webhook-timestamp"), bed.ambient.now().seconds());
        verify_standard(std::slice::from_ref(&made), id, at, header(&got, "webhook-signature"), &got.body, now, 0).unwrap();
        verify_legacy(made.text().reveal(), header(&got, "X-Webhook-Signature"), &got.body, now, 0).unwrap();
        // The private part is sealed.
        let stored: Vec<u8> = bed.store.read(system(), |tx| tx.query_one("SELECT seed FROM signing_keys LIMIT 1", &[], |row| row.get(0))).await.unwrap();
        assert!(stored.len() > 32);
        // All tenants' keys are there where nobody is named, an unknown tenant's are none.
        assert_eq!(signing.keys.public(None, bed.ambient.now()).await.unwrap().len(), 2);
        assert!(signing.public(&bed, bed.ambient.id()).await.is_empty());
    }

    async fn keys_rotate_with_an_overlap(bed: Bed) {
        let signing = Signing::open(&bed, "contractor-network").await;
        ensure(&bed, bed.tenant).await;
        signing.webhook(&bed, json!({ "signature": "v1a" })).await;
        let old = signing.public(&bed, bed.tenant).await;
        assert!(verifies(&bed, &signing.next(&bed).await, &old));
        let kid = rotate(&bed, 60).await.unwrap();
        let both = signing.public(&bed, bed.tenant).await;
        assert_eq!((both.len(), both[0].kid() == kid, both[1]), (2, true, old[0]), "the newest comes first");
        let got = signing.next(&bed).await;
        assert_eq!(entries(&got), (0, 2));
        assert!(verifies(&bed, &got, &both[..1]) && verifies(&bed, &got, &old), "either key verifies");
        bed.clock.advance(Duration::from_secs(60));
        assert_eq!(signing.public(&bed, bed.tenant).await, both[..1]);
        let got = signing.next(&bed).await;
        assert_eq!(entries(&got), (0, 1));
        assert!(verifies(&bed, &got, &both[..1]) && !verifies(&bed, &got, &old));
        // An overlap of nothing is for a key that is lost.
        rotate(&bed, 0).await.unwrap();
        assert!(!verifies(&bed, &signing.next(&bed).await, &both[..1]));
        for _ in 1..signing_keys::MAX_KEYS {
            rotate(&bed, 3600).await.unwrap();
        }
        assert_eq!(rotate(&bed, 3600).await.unwrap_err().code(), "too_many_keys");
        rotate(&bed, 0).await.unwrap();
        assert_eq!(signing.public(&bed, bed.tenant).await.len(), 1);
    }

    async fn nothing_is_sent_unsigned(bed: Bed) {
        let signing = Signing::open(&bed, "insurance-leads").await;
        signing.webhook(&bed, json!({ "signature": "v1a" })).await;
        bed.publish(1).await;
        bed.wait_ended("exhausted", 1).await;
        bed.wait_quiet(&signing.dispatch).await;
        assert_eq!(crate::http::kinds(&bed).await, ["signing"]);
        assert_eq!(signing.receiver.count(), 0);
    }

    /// During a rotation: which secret the receiver still holds.
    async fn receivers_say_what_they_verified(bed: Bed) {
        let signing = Signing::open(&bed, "insurance-leads").await;
        ensure(&bed, bed.tenant).await;
        let ((new, new_entry), (old, old_entry)) = (secret(&bed), secret(&bed));
        let id = signing.webhook(&bed, json!({ "signature": "both", "secrets": [new_entry, old_entry] })).await;
        let key = signing.public(&bed, bed.tenant).await[0].kid();
        for said in ["2", "2", "1", key.as_str(), "4", "nonsense", ""] {
            signing.receiver.answer(Answer::status(204).header("webhook-signature-accepted", said));
            signing.next(&bed).await;
        }
        // A failed delivery proves nothing.
        signing.receiver.answer(Answer::status(401).header("webhook-signature-accepted", "1"));
        signing.next(&bed).await;
        bed.wait_quiet(&signing.dispatch).await;
        signing.acceptances.flush().await.unwrap();
        let tenant = bed.tenant;
        let counted = bed.store.read(system(), move |tx| acceptances::of(tx, tenant, id)).await.unwrap();
        let count = |kid: &str| counted.iter().find(|one| one.kid == kid).map(|one| one.accepted);
        assert_eq!((count(&old.kid()), count(&new.kid()), count(&key), counted.len()), (Some(2), Some(1), Some(1), 3));
        let other = bed.ambient.id();
        assert!(bed.store.read(system(), move |tx| acceptances::of(tx, other, id)).await.unwrap().is_empty());
        // Counts add up, and go with their webhook.
        signing.receiver.answer(Answer::status(204).header("webhook-signature-accepted", "2"));
        signing.next(&bed).await;
        bed.wait_quiet(&signing.dispatch).await;
        signing.acceptances.flush().await.unwrap();
        let counted = bed.store.read(system(), move |tx| acceptances::of(tx, tenant, id)).await.unwrap();
        assert_eq!(counted.iter().find(|one| one.kid == old.kid()).map(|one| one.accepted), Some(3));
        bed.store.write(system(), move |tx| dispatch::destinations::delete(tx, tenant, id)).await.unwrap();
        assert_eq!(bed.number("SELECT COUNT(*) FROM signature_acceptances").await, 0);
    }

    /// Insurance leads: `X-Webhook-Signature: t=…,v1=…` beside id, event and time in headers of their own.
    async fn the_form_of_insurance_leads(bed: Bed) {
        let signing = Signing::open(&bed, "insurance-leads").await;
        let (made, entry) = secret(&bed);
        signing.webhook(&bed, json!({ "secrets": [entry] })).await;
        let got = signing.next(&bed).await;
        let now = bed.ambient.now();
        verify_legacy(made.text().reveal(), header(&got, "X-Webhook-Signature"), &got.body, now.seconds(), 0).unwrap();
        assert_eq!(header(&got, "X-Webhook-Signature").split_once(',').unwrap().0, format!("t={}", now.seconds()));
        assert_eq!((header(&got, "X-Webhook-Event"), header(&got, "X-Webhook-Timestamp")), ("lead.created", now.to_string().as_str()));
        assert_eq!(header(&got, "X-Webhook-Id"), header(&got, "webhook-id"));
        let body = got.json();
        assert_eq!((&body["eventType"], &body["version"]), (&json!("lead.created"), &json!("1.0")));
    }

    /// Contractor network: `X-TPX-Signature` over the bare payload, stale after five minutes.
    async fn the_form_of_contractor_network(bed: Bed) {
        let signing = Signing::open(&bed, "contractor-network").await;
        let (made, entry) = secret(&bed);
        signing.webhook(&bed, json!({ "secrets": [entry] })).await;
        let got = signing.next(&bed).await;
        let now = bed.ambient.now().seconds();
        let (text, signature) = (made.text().reveal(), header(&got, "X-TPX-Signature"));
        verify_legacy(text, signature, &got.body, now + 300, 300).unwrap();
        assert_eq!(verify_legacy(text, signature, &got.body, now + 301, 300).unwrap_err().code(), "stale_timestamp");
        assert_eq!((&got.body[..], header(&got, "X-TPX-Event")), (&br#"{"leadId":"1"}"#[..], "lead.created"));
    }

    /// School tenants: `authType` none, basic, bearer and hmac, beside the standard's signature.
    async fn the_forms_of_school_tenants(bed: Bed) {
        let signing = Signing::open(&bed, "insurance-leads").await;
        let (made, entry) = secret(&bed);
        for (auth, name, value) in [
            (json!({ "type": "none" }), "authorization", None),
            (json!({ "type": "basic", "username": "school", "password": "pass:word" }), "authorization", Some("Basic c2Nob29sOnBhc3M6d29yZA==")),
            (json!({ "type": "bearer", "token": "tok" }), "authorization", Some("Bearer tok")),
        ] {
            signing.webhook(&bed, json!({ "secrets": [entry], "auth": auth })).await;
            assert_eq!(signing.next(&bed).await.header(name), value, "{auth}");
        }
        signing.webhook(&bed, json!({ "secrets": [entry], "auth": { "type": "hmac", "secret": "key", "header": "X-School-Signature" } })).await;
        let got = signing.next(&bed).await;
        use hmac::{KeyInit as _, Mac as _};
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"key").unwrap();
        mac.update(&got.body);
        let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(header(&got, "X-School-Signature"), expected);
        let (id, at, now) = (header(&got, "webhook-id"), header(&got, "webhook-timestamp"), bed.ambient.now().seconds());
        verify_standard(&[made], id, at, header(&got, "webhook-signature"), &got.body, now, 0).unwrap();
    }

    /// Call coaching and helpdesk reports ask for an HMAC-SHA256 signature with protection against replay: the standard's.
    async fn the_form_of_call_coaching_and_helpdesk_reports(bed: Bed) {
        let signing = Signing::open(&bed, "insurance-leads").await;
        let (made, entry) = secret(&bed);
        signing.webhook(&bed, json!({ "secrets": [entry] })).await;
        let got = signing.next(&bed).await;
        let keys = [made];
        let (id, at, signature) = (header(&got, "webhook-id"), header(&got, "webhook-timestamp"), header(&got, "webhook-signature"));
        let now = bed.ambient.now().seconds();
        verify_standard(&keys, id, at, signature, &got.body, now + 300, 300).unwrap();
        assert_eq!(verify_standard(&keys, id, at, signature, &got.body, now + 301, 300).unwrap_err().code(), "stale_timestamp");
        assert_eq!(verify_standard(&keys, "another", at, signature, &got.body, now, 300).unwrap_err().code(), "invalid_signature");
    }
}
