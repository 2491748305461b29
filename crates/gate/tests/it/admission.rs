//! Who comes in, and what is logged of it.

use http::Method;
use kernel::{Caller, PageRequest};
use serde_json::json;
use usage::request_logs::Filter;

use crate::bed::Bed;

testkit::engines! {
    async fn credentials_are_asked_for_and_checked(bed: Bed) {
        let key = bed.key(json!({"scopes": ["leads:read"]})).await;
        assert_eq!(bed.send(Method::GET, "/open", &[], None).await.status, 200);
        for headers in [&[][..], &[("authorization", "Basic abc")], &[("authorization", "Bearer ")], &[("authorization", "\u{7f}")]] {
            let headers: Vec<_> = headers.iter().filter(|(_, value)| value.is_ascii() && !value.contains('\u{7f}')).copied().collect();
            let answer = bed.send(Method::GET, "/me", &headers, None).await;
            answer.assert(401, "missing_credential");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
        let mut wrong = key.clone();
        let last = wrong.pop().unwrap();
        wrong.push(if last == 'a' { 'b' } else { 'a' });
        for bad in ["x", &wrong, &"y".repeat(5000)] {
            bed.get(bad, "/me").await.assert(401, "invalid_credential");
        }
        let answer = bed.get(&key, "/me").await;
        assert_eq!((answer.status.as_u16(), answer.body["tenant"].as_str()), (200, Some(bed.tenant.to_string().as_str())));
        assert!(answer.header("x-request-id").starts_with("req_"));
        assert_eq!(bed.get(&key, "/leads").await.status, 200);
        bed.get(&key, "/tiers").await.assert(403, "operator_only");
        bed.send(Method::POST, "/orders", &[("authorization", &format!("Bearer {key}"))], Some(&json!({}))).await.assert(403, "insufficient_scope");
        let none = bed.key(json!({"scopes": []})).await;
        bed.get(&none, "/leads").await.assert(403, "insufficient_scope");
    }

    async fn allow_lists_bind(bed: Bed) {
        // The peer is 10.1.2.3, in IPv6 clothes.
        let near = bed.key(json!({"allowedIps": ["10.1.0.0/16"]})).await;
        let far = bed.key(json!({"allowedIps": ["192.0.2.7"]})).await;
        assert_eq!(bed.get(&near, "/me").await.status, 200);
        bed.get(&far, "/me").await.assert(403, "ip_not_allowed");
        let only = bed.key(json!({"allowedEndpoints": ["GET /lea*"]})).await;
        assert_eq!(bed.get(&only, "/leads").await.status, 200);
        bed.get(&only, "/me").await.assert(403, "endpoint_not_allowed");
    }

    async fn a_tenants_key_cannot_name_another_tenant(bed: Bed) {
        let key = bed.key(json!({})).await;
        let other = kernel::Ambient::system().id::<kernel::TenantId>().to_string();
        for (named, status) in [(bed.tenant.to_string(), 200), (other, 404), ("ten_nonsense".into(), 404), ("ext:nobody".into(), 404)] {
            let headers = [("authorization", format!("Bearer {key}")), ("tradewind-tenant", named)];
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(bed.send(Method::GET, "/me", &headers, None).await.status.as_u16(), status);
        }
    }

    async fn every_call_is_logged_with_what_is_known(bed: Bed) {
        let key = bed.key(json!({"scopes": []})).await;
        bed.get(&key, &format!("/me?a=1&b={key}&token=x")).await;
        bed.get(&key, "/leads").await;
        bed.get("nonsense", "/me").await;
        bed.usage.flush().await;
        let caller = Caller::system("test", Some(bed.tenant));
        let rows = bed.usage.request_logs(&caller, Filter::default(), PageRequest::default()).await.unwrap().data;
        let mut seen: Vec<_> = rows.iter().map(|row| (row.endpoint.as_str(), row.status, row.error_code.as_deref(), row.query.as_deref())).collect();
        seen.sort_unstable();
        assert_eq!(seen, [("/leads", 403, Some("insufficient_scope"), None), ("/me", 200, None, Some("a=1&b=***&token=***"))]);
        assert!(rows.iter().all(|row| row.ip.as_deref() == Some("10.1.2.3") && row.client_id.is_some() && row.api_key_id.is_some()));
    }
}
