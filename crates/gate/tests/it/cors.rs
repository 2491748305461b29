//! CORS: a page may read an answer only if the client of the credential allows its origin.

use http::Method;
use kernel::Caller;
use serde_json::json;

use crate::bed::{Answer, Bed};

const PAGE: &str = "https://app.example.com";

async fn allow(bed: &Bed, origins: &[&str]) {
    let reference = bed.client.parse().unwrap();
    let change = serde_json::from_value(json!({"allowedOrigins": origins})).unwrap();
    bed.access.update_client(&Caller::system("test", Some(bed.tenant)), reference, change).await.unwrap();
}

async fn from_page(bed: &Bed, key: &str, path: &str, origin: &str) -> Answer {
    bed.send(Method::GET, path, &[("authorization", &format!("Bearer {key}")), ("origin", origin)], None).await
}

async fn preflight(bed: &Bed, path: &str, origin: &str) -> Answer {
    let asks = [
        ("origin", origin),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization, idempotency-key"),
    ];
    bed.send(Method::OPTIONS, path, &asks, None).await
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

testkit::engines! {
    async fn no_page_may_read_unless_its_origin_is_allowed(bed: Bed) {
        let key = bed.key(json!({})).await;
        let before = from_page(&bed, &key, "/me", PAGE).await;
        assert_eq!((before.status.as_u16(), allowed(&before), before.header("vary")), (200, None, "Origin"));
        allow(&bed, &[PAGE]).await;
        let after = from_page(&bed, &key, "/me", PAGE).await;
        assert_eq!((allowed(&after), after.header("vary")), (Some(PAGE), "Origin"));
        assert!(after.header("access-control-expose-headers").contains("RateLimit"));
        assert!(after.headers.get("access-control-allow-credentials").is_none());
        for other in ["https://evil.example.com", "https://app.example.com:8443", "http://app.example.com", "null", "*"] {
            assert_eq!(allowed(&from_page(&bed, &key, "/me", other).await), None, "{other}");
        }
        assert_eq!(allowed(&bed.get(&key, "/me").await), None, "a server is no page");
        // Refusals to a known credential can be read too; one to nobody cannot.
        let weak = bed.key(json!({"scopes": []})).await;
        let refused = from_page(&bed, &weak, "/leads", PAGE).await;
        refused.assert(403, "insufficient_scope");
        assert_eq!(allowed(&refused), Some(PAGE));
        let nobody = from_page(&bed, "nonsense", "/me", PAGE).await;
        assert_eq!((nobody.status.as_u16(), allowed(&nobody)), (401, None));
        allow(&bed, &[]).await;
        assert_eq!(allowed(&from_page(&bed, &key, "/me", PAGE).await), None);
    }

    async fn one_clients_origin_is_not_anothers(bed: Bed) {
        allow(&bed, &[PAGE]).await;
        let input = serde_json::from_value(json!({"name": "Other"})).unwrap();
        let other = bed.access.create_client(&Caller::system("test", Some(bed.tenant)), input).await.unwrap().client.id;
        let key = bed.key(json!({"clientId": other.to_string()})).await;
        assert_eq!(allowed(&from_page(&bed, &key, "/me", PAGE).await), None);
    }

    async fn a_preflight_is_answered_for_origins_that_somebody_allows(bed: Bed) {
        let before = preflight(&bed, "/leads", PAGE).await;
        assert_eq!((before.status.as_u16(), allowed(&before)), (204, None));
        allow(&bed, &[PAGE]).await;
        let known = testkit::wait::until("the new origin", std::time::Duration::from_secs(10), async || {
            let answer = preflight(&bed, "/leads", PAGE).await;
            allowed(&answer).is_some().then_some(answer)
        })
        .await;
        assert_eq!((known.status.as_u16(), allowed(&known)), (204, Some(PAGE)));
        assert_eq!(known.header("access-control-allow-headers"), "authorization, idempotency-key");
        assert!(known.header("access-control-allow-methods").contains("PUT"));
        assert!(known.header("vary").contains("Origin"));
        assert_eq!(allowed(&preflight(&bed, "/leads", "https://evil.example.com").await), None);
        let plain = bed.send(Method::OPTIONS, "/leads", &[], None).await;
        plain.assert(405, "method_not_allowed");
        assert!(plain.header("allow").contains("GET"));
        assert_eq!(preflight(&bed, "/nowhere", PAGE).await.status, 404);
    }
}
