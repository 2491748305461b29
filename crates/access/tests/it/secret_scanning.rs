//! Reports of GitHub's secret scanning: signed, or nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::leaks::{LeakPolicy, ScanningKeys};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::body::Body;
use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use testkit::receiver::{Answer, Receiver};
use tower::ServiceExt as _;
use web::outbound::{Client, ClientConfig, UrlPolicy};

use crate::bed::Bed;

/// A signer and its public key as GitHub publishes it.
struct Signer(EcdsaKeyPair, String);

impl Signer {
    fn new(name: &str) -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(), name.to_owned())
    }

    fn published(&self) -> Value {
        const HEAD: [u8; 26] = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
            0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        let text = STANDARD.encode([HEAD.as_slice(), self.0.public_key().as_ref()].concat());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &text[..64], &text[64..]);
        json!({"key_identifier": self.1, "key": pem, "is_current": true})
    }

    fn sign(&self, body: &str) -> String {
        STANDARD.encode(self.0.sign(&SystemRandom::new(), body.as_bytes()).unwrap())
    }
}

fn list(signers: &[&Signer]) -> String {
    json!({"public_keys": signers.iter().map(|signer| signer.published()).collect::<Vec<_>>()}).to_string()
}

async fn post(bed: &Bed, body: &str, identifier: Option<&str>, signature: Option<&str>) -> (StatusCode, Value) {
    let mut request = Request::builder().method(Method::POST).uri("/secret-scanning/github").header("content-type", "application/json");
    for (name, value) in [("github-public-key-identifier", identifier), ("github-public-key-signature", signature)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let router = bed.access.routes().into_router(|_, route| route);
    let response = router.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status();
    (status, serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap())
}

fn one(token: &str) -> String {
    json!([{"token": token, "type": "ins_api_key", "url": "https://github.com/octocat/hello/blob/1/.env", "source": "content"}]).to_string()
}

testkit::engines! {
    async fn a_signed_report_is_acted_on_and_answered(bed: Bed) {
        let signer = Signer::new("one");
        bed.access.set_secret_scanning(ScanningKeys::given(&list(&[&signer])).unwrap());
        bed.access.set_leak_policy(LeakPolicy::Revoke);
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let key = bed.key(&tenant, client).await;
        bed.admitted(&key.key).await.unwrap();
        let body = json!([
            {"token": key.key, "type": "ins_api_key", "url": "https://github.com/o/r/blob/1/.env", "source": "content", "new_member": 1},
            {"token": "ins_live_nobodys", "type": "ins_api_key", "url": "", "source": "commit"},
        ]).to_string();
        for _ in 0..2 {
            let (status, answer) = post(&bed, &body, Some("one"), Some(&signer.sign(&body))).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
            let labels: Vec<&str> = answer.as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap()).collect();
            assert_eq!(labels, ["true_positive", "false_positive"]);
            assert!(!answer.to_string().contains(&key.key), "no answer carries a token");
        }
        assert_eq!(bed.refused(&key.key).await, "invalid_credential");
        let told = bed.told().await;
        assert_eq!(told.len(), 1, "a repeated report adds nothing: {told:?}");
        assert_eq!((&told[0].1["source"], &told[0].1["action"]), (&json!("github:content"), &json!("revoke")));
    }

    async fn what_is_not_signed_by_a_known_key_does_nothing(bed: Bed) {
        let (signer, stranger) = (Signer::new("one"), Signer::new("two"));
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let key = bed.key(&tenant, client).await;
        let body = one(&key.key);
        let good = signer.sign(&body);
        let (status, _) = post(&bed, &body, Some("one"), Some(&good)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "no keys are configured");
        bed.access.set_secret_scanning(ScanningKeys::given(&list(&[&signer])).unwrap());
        bed.access.set_leak_policy(LeakPolicy::Revoke);
        let forged = stranger.sign(&body);
        let other = signer.sign(&one("another"));
        for (identifier, signature) in [
            (None, None),
            (Some("one"), None),
            (None, Some(good.as_str())),
            (Some("two"), Some(forged.as_str())),
            (Some("one"), Some(forged.as_str())),
            (Some("one"), Some(other.as_str())),
            (Some("one"), Some("not base64!")),
            (Some("one"), Some("")),
        ] {
            let (status, answer) = post(&bed, &body, identifier, signature).await;
            assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &json!("call_not_verified")), "{identifier:?} {signature:?}");
        }
        bed.admitted(&key.key).await.unwrap();
        assert!(bed.told().await.is_empty());
        let nonsense = "{\"not\": \"a list\"}";
        let (status, answer) = post(&bed, nonsense, Some("one"), Some(&signer.sign(nonsense))).await;
        assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("malformed_json")));
        assert!(ScanningKeys::given("{}").is_err() && ScanningKeys::given(&json!({"public_keys": [{"key_identifier": "x", "key": "y"}]}).to_string()).is_err());
    }

    /// Keys are fetched when they are needed, kept, and asked for again at most once a minute, whatever strangers name.
    async fn published_keys_are_fetched_and_kept(bed: Bed) {
        let (first, second) = (Signer::new("one"), Signer::new("two"));
        let publisher = Receiver::start();
        let body = Arc::new(Mutex::new(list(&[&first])));
        publisher.answer(Answer::status(200).body(body.lock().unwrap().clone()));
        let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
        let outbound = Client::new(ClientConfig::new(policy)).unwrap();
        bed.access.set_secret_scanning(ScanningKeys::published(outbound, &publisher.url("/keys"), bed.ambient.clone()).unwrap());
        let text = one("nobody's");
        for _ in 0..3 {
            assert_eq!(post(&bed, &text, Some("one"), Some(&first.sign(&text))).await.0, StatusCode::OK);
        }
        assert_eq!(publisher.count(), 1);
        publisher.answer(Answer::status(200).body(list(&[&first, &second])));
        for _ in 0..5 {
            assert_eq!(post(&bed, &text, Some("two"), Some(&second.sign(&text))).await.0, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(publisher.count(), 1, "strangers cannot make us call out oftener");
        bed.clock.advance(Duration::from_secs(60));
        assert_eq!(post(&bed, &text, Some("two"), Some(&second.sign(&text))).await.0, StatusCode::OK);
        assert_eq!(publisher.count(), 2);
        // The publisher is away: what was good is good.
        publisher.answer(Answer::status(500));
        bed.clock.advance(Duration::from_hours(48));
        assert_eq!(post(&bed, &text, Some("one"), Some(&first.sign(&text))).await.0, StatusCode::OK);
    }
}
