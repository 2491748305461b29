//! The routes, through a router with a guard that authenticates and nothing else.

use std::sync::Arc;

use access::Access;
use axum::body::Body;
use axum::extract::Request;
use axum::response::IntoResponse as _;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::bed::Bed;

fn router(access: &Arc<Access>) -> axum::Router {
    let access = Arc::clone(access);
    access.routes().into_router(move |_, route| {
        let access = Arc::clone(&access);
        route.layer(axum::middleware::from_fn(move |mut request: Request, next: axum::middleware::Next| {
            let access = Arc::clone(&access);
            async move {
                let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
                match access.authenticate(bearer.trim_start_matches("Bearer "), None).await {
                    Ok(principal) => {
                        request.extensions_mut().insert(principal.caller());
                        next.run(request).await
                    }
                    Err(error) => web::Failure(error).into_response(),
                }
            }
        }))
    })
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    body: Value,
}

async fn call(router: &axum::Router, bearer: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    let request = match body {
        Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    };
    let response = router.clone().oneshot(request.unwrap()).await.unwrap();
    let status = response.status();
    let location = response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status, location, body }
}

testkit::engines! {
    async fn a_host_sets_up_a_partner(bed: Bed) {
        let api = router(&bed.access);
        let service = access::service_keys::create(&bed.store, access::service_keys::NewServiceKey::default()).await.unwrap();
        let host = service.key.reveal().as_str();
        let tenant = call(&api, host, Method::POST, "/api/v1/tenants", Some(json!({"name": "Acme", "externalId": "a"}))).await;
        assert_eq!(tenant.status, StatusCode::CREATED);
        let location = tenant.location.unwrap();
        assert_eq!(call(&api, host, Method::GET, &location, None).await.body, tenant.body);
        assert_eq!(call(&api, host, Method::GET, "/api/v1/tenants/ext:a", None).await.body, tenant.body);

        let body = json!({"tenantId": "ext:a", "name": "Robot", "externalId": "r", "scopes": ["self:manage", "leads:read"]});
        let client = call(&api, host, Method::POST, "/api/v1/api-clients", Some(body)).await;
        assert_eq!((client.status, client.location), (StatusCode::CREATED, Some(format!("/api/v1/api-clients/{}", client.body["id"].as_str().unwrap()))));
        let key = call(&api, host, Method::POST, "/api/v1/api-keys", Some(json!({"tenantId": "ext:a", "clientId": "ext:r", "name": "k"}))).await;
        assert_eq!(key.status, StatusCode::CREATED);
        let (partner, key_path) = (key.body["key"].as_str().unwrap().to_owned(), key.location.unwrap());

        let read = call(&api, &partner, Method::GET, &key_path, None).await;
        assert_eq!((read.status, read.body.get("key"), &read.body["mask"]), (StatusCode::OK, None, &key.body["mask"]));
        let listed = call(&api, &partner, Method::GET, "/api/v1/api-clients?search=robot&limit=1", None).await;
        assert_eq!((listed.body["data"].as_array().unwrap().len(), &listed.body["pagination"]["total"]), (1, &json!(1)));
        let patched = call(&api, &partner, Method::PATCH, "/api/v1/api-clients/ext:r", Some(json!({"description": "d"}))).await;
        assert_eq!((patched.status, &patched.body["description"]), (StatusCode::OK, &json!("d")));
        assert_eq!(call(&api, &partner, Method::GET, "/api/v1/scopes", None).await.body["data"][0]["name"], "leads:read");
        assert_eq!(call(&api, &partner, Method::GET, "/api/v1/rate-limits", None).await.body["data"]["basic"]["burst"], 10);

        let rotated = call(&api, &partner, Method::POST, &format!("{key_path}/rotate"), None).await;
        assert_eq!(rotated.status, StatusCode::CREATED);
        assert_eq!(call(&api, &partner, Method::GET, &key_path, None).await.status, StatusCode::UNAUTHORIZED);
        let partner = rotated.body["key"].as_str().unwrap();
        let own = format!("/api/v1/api-clients/ext:r/api-keys/{}", rotated.body["id"].as_str().unwrap());
        assert_eq!(call(&api, partner, Method::DELETE, &own, None).await.status, StatusCode::NO_CONTENT);
        assert_eq!(call(&api, partner, Method::GET, "/api/v1/scopes", None).await.body["code"], "invalid_credential");
    }

    async fn bad_requests_are_problems(bed: Bed) {
        let api = router(&bed.access);
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, Some(&["self:manage"])).await.client.id;
        let partner = bed.key(&tenant, client).await.key;
        let own = format!("/api/v1/api-clients/{client}");
        for (method, path, body, status, code, pointer) in [
            (Method::POST, "/api/v1/tenants", json!({"name": "x"}), 403, "operator_only", None),
            (Method::POST, "/api/v1/api-clients", json!({"name": "x", "colour": 1}), 422, "validation_failed", Some("/colour")),
            (Method::POST, "/api/v1/api-clients", json!({}), 422, "validation_failed", Some("/name")),
            (Method::POST, "/api/v1/api-clients", json!({"name": "a\u{0}"}), 422, "validation_failed", Some("/name")),
            (Method::PATCH, own.as_str(), json!({"status": "asleep"}), 422, "validation_failed", Some("/status")),
            (Method::PUT, own.as_str(), json!({"name": "x".repeat(10_000), "scopes": []}), 422, "validation_failed", Some("/name")),
            (Method::POST, "/api/v1/api-keys", json!({"clientId": client, "name": "k", "expiresInDays": -1}), 422, "validation_failed", Some("/expiresInDays")),
            (Method::PATCH, "/api/v1/api-keys/key_nonsense", json!({}), 404, "not_found", None),
            (Method::PATCH, "/api/v1/api-clients/ext:nobody", json!({}), 404, "not_found", None),
            (Method::PUT, "/api/v1/rate-limits/basic", json!({}), 403, "operator_only", None),
        ] {
            let answer = call(&api, &partner, method, path, Some(body.clone())).await;
            assert_eq!((answer.status.as_u16(), answer.body["code"].as_str()), (status, Some(code)), "{path} {body:.60} {}", answer.body);
            assert_eq!(answer.body["errors"][0]["pointer"].as_str(), pointer, "{path} {}", answer.body);
        }
        for query in ["limit=0", "limit=-1", "limit=999999999999", "status=asleep", "search=%00"] {
            let answer = call(&api, &partner, Method::GET, &format!("/api/v1/api-clients?{query}"), None).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        }
    }
}
