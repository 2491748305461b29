//! `Idempotency-Key` over HTTP.

use std::sync::atomic::Ordering;

use http::Method;
use serde_json::{Value, json};

use crate::bed::{Answer, Bed};

async fn order(bed: &Bed, key: &str, idempotency_key: &str, body: Value) -> Answer {
    let authorization = format!("Bearer {key}");
    let headers = [("authorization", authorization.as_str()), ("idempotency-key", idempotency_key)];
    bed.send(Method::POST, "/orders", &headers, Some(&body)).await
}

async fn service_key(bed: &Bed) -> (String, Vec<(&'static str, String)>) {
    let key = bed.service_key(&bed.store).await;
    let headers = vec![("authorization", format!("Bearer {key}")), ("tradewind-tenant", bed.tenant.to_string())];
    (key, headers)
}

async fn buy(bed: &Bed, headers: &[(&'static str, String)], idempotency_key: &str, body: Value) -> Answer {
    let mut all: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.push(("idempotency-key", idempotency_key));
    bed.send(Method::POST, "/orders", &all, Some(&body)).await
}

testkit::engines! {
    async fn the_first_answer_comes_again_and_the_effect_does_not(bed: Bed) {
        let (_, host) = service_key(&bed).await;
        let first = buy(&bed, &host, "a", json!({"n": 1})).await;
        let second = buy(&bed, &host, "a", json!({"n": 1})).await;
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
        assert_eq!((&first.body, first.header("location")), (&second.body, second.header("location")));
        assert!(first.headers.get("idempotent-replayed").is_none());
        assert_eq!(second.header("idempotent-replayed"), "true");
        assert_eq!(bed.effects.load(Ordering::SeqCst), 1);
        buy(&bed, &host, "a", json!({"n": 2})).await.assert(422, "idempotency_key_reused");
        assert_eq!(buy(&bed, &host, "b", json!({"n": 1})).await.body, json!({"number": 2}));
    }

    async fn a_refusal_is_kept_and_a_missing_scope_is_not(bed: Bed) {
        let (_, host) = service_key(&bed).await;
        let first = buy(&bed, &host, "r", json!({"refuse": true})).await;
        first.assert(422, "validation_failed");
        let second = buy(&bed, &host, "r", json!({"refuse": true})).await;
        assert_eq!(second.body, first.body, "the same answer, request id included");
        assert_eq!(second.header("idempotent-replayed"), "true");
        buy(&bed, &host, "r", json!({})).await.assert(422, "idempotency_key_reused");
        let partner = bed.key(json!({})).await;
        let refused = order(&bed, &partner, "s", json!({})).await;
        refused.assert(403, "insufficient_scope");
        assert!(order(&bed, &partner, "s", json!({})).await.headers.get("idempotent-replayed").is_none());
        for bad in ["", &"x".repeat(256), "ä"] {
            if let Ok(value) = http::HeaderValue::from_str(bad) && value.to_str().is_ok() {
                buy(&bed, &host, bad, json!({})).await.assert(400, "invalid_idempotency_key");
            }
        }
    }

    async fn twins_have_one_effect(bed: Bed) {
        let (_, host) = service_key(&bed).await;
        let twins = (0..8).map(|_| buy(&bed, &host, "twin", json!({"n": 1})));
        let answers = futures_util::future::join_all(twins).await;
        assert_eq!(bed.effects.load(Ordering::SeqCst), 1);
        for answer in answers {
            assert!(matches!(answer.status.as_u16(), 201 | 409), "{}", answer.body);
        }
    }

    async fn a_failure_under_a_key_is_logged_with_its_code(bed: Bed) {
        let (_, host) = service_key(&bed).await;
        buy(&bed, &host, "bad", json!({"refuse": true})).await.assert(422, "validation_failed");
        buy(&bed, &host, "bad", json!({"other": true})).await.assert(422, "idempotency_key_reused");
        bed.usage.flush().await;
        let caller = kernel::Caller::system("test", Some(bed.tenant));
        let rows = bed.usage.request_logs(&caller, Default::default(), Default::default()).await.unwrap().data;
        let mut codes: Vec<_> = rows.iter().map(|row| (row.status, row.error_code.as_deref())).collect();
        codes.sort_unstable();
        assert_eq!(codes, [(422, Some("idempotency_key_reused")), (422, Some("validation_failed"))]);
    }

    async fn our_own_faults_and_refusals_of_the_moment_are_not_kept(bed: Bed) {
        let (_, host) = service_key(&bed).await;
        let first = buy(&bed, &host, "fault", json!({"break": true})).await;
        first.assert(500, "internal");
        assert!(buy(&bed, &host, "fault", json!({"break": true})).await.headers.get("idempotent-replayed").is_none());
        let key = bed.key(json!({"rateLimitOverride": {"requests": 1, "window": 60_000}})).await;
        bed.get(&key, "/me").await;
        order(&bed, &key, "late", json!({})).await.assert(429, "rate_limited");
        bed.clock.advance(std::time::Duration::from_secs(120));
        assert_ne!(order(&bed, &key, "late", json!({})).await.status, 429, "a refusal of the moment is no answer");
    }
}
