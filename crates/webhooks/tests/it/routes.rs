//! The HTTP surface, without a gate: the caller is put into the request.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use testkit::receiver::Receiver;
use tower::ServiceExt as _;

use crate::bed::{Bed, SOON};

async fn send(bed: &Bed, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let router = bed.webhooks.routes().into_router(|_, route| route);
    let mut request = Request::builder().method(method).uri(path).extension(bed.caller());
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let response = router.oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
}

testkit::engines! {
    /// Every route answers, in both forms of path.
    async fn every_route(bed: Bed) {
        let receiver = Receiver::start();
        let collection = "/api/v1/api-clients/ext:app/webhooks";
        let (status, made) = send(&bed, "POST", collection, Some(json!({"url": receiver.url("/"), "events": ["*"]}))).await;
        assert_eq!((status, made["secret"].is_string()), (StatusCode::CREATED, true), "{made}");
        let (status, list) = send(&bed, "GET", collection, None).await;
        assert_eq!((status, &list["data"][0]["id"], &list["data"][0]["secret"]), (StatusCode::OK, &made["id"], &Value::Null));
        bed.publish("lead.created", json!({})).await;
        receiver.wait_for(1, SOON).await;
        let id = made["id"].as_str().unwrap();
        for one in [format!("{collection}/{id}"), format!("/api/v1/api-clients/{}/webhooks/{id}", bed.client), format!("/api/v1/webhooks/{id}")] {
            for (method, tail, body) in [
                ("GET", "", None),
                ("PATCH", "", Some(json!({"name": "n"}))),
                ("PUT", "", Some(json!({"url": receiver.url("/"), "events": ["*"]}))),
                ("POST", "/pause", None),
                ("POST", "/resume", None),
                ("POST", "/disable", None),
                ("POST", "/enable", None),
                ("POST", "/test", None),
                ("POST", "/rotate-secret", None),
                ("POST", "/rotate-secret", Some(json!({"overlapSeconds": 5}))),
                ("GET", "/deliveries?status=delivered&eventType=lead.created&limit=5", None),
            ] {
                let (status, body) = send(&bed, method, &format!("{one}{tail}"), body).await;
                assert_eq!(status, StatusCode::OK, "{method} {one}{tail} {body}");
            }
        }
        let (status, list) = send(&bed, "GET", "/api/v1/deliveries?eventType=lead.created", None).await;
        assert_eq!((status, &list["data"][0]["payload"]["leadId"]), (StatusCode::OK, &json!("1")));
        let delivery = list["data"][0]["id"].as_str().unwrap();
        assert_eq!(send(&bed, "GET", &format!("/api/v1/deliveries/{delivery}"), None).await.0, StatusCode::OK);
        let (status, attempts) = send(&bed, "GET", &format!("/api/v1/deliveries/{delivery}/attempts"), None).await;
        assert_eq!((status, attempts["data"].is_array()), (StatusCode::OK, true));
        assert_eq!(send(&bed, "POST", &format!("/api/v1/deliveries/{delivery}/retry"), None).await.0, StatusCode::ACCEPTED);
        assert_eq!(send(&bed, "GET", "/api/v1/undelivered", None).await.0, StatusCode::OK);
        for path in ["/api/v1/deliveries?status=lost", "/api/v1/undelivered?status=delivered", "/api/v1/deliveries?code=x"] {
            assert_eq!(send(&bed, "GET", path, None).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        }
        assert_eq!(send(&bed, "DELETE", &format!("/api/v1/webhooks/{id}"), None).await.0, StatusCode::NO_CONTENT);
        for path in [format!("/api/v1/webhooks/{id}"), format!("{collection}/{id}"), "/api/v1/webhooks/nonsense".to_owned()] {
            assert_eq!(send(&bed, "GET", &path, None).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        let (status, problem) = send(&bed, "POST", collection, Some(json!({"url": "x", "events": ["*"], "colour": 1}))).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/colour")));
    }
}
