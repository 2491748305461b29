//! The HTTP surface, without a gate: the caller is put into the request.

use axum::Router;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::bed::Bed;

async fn send(bed: &Bed, method: &str, path: &str, body: Option<&str>) -> (StatusCode, Value) {
    let router: Router = bed.events.routes().into_router(|_, route| route);
    let mut request = Request::builder().method(method).uri(path).extension(bed.caller());
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let request = request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{e}: {bytes:?}")))
}

testkit::engines! {
    /// Publishing and reading over HTTP, bytes included.
    async fn publish_and_read(bed: Bed) {
        let data = "{ \"leadId\" : \"\\u0041\", \"n\":1.50 }";
        let (status, body) = send(&bed, "POST", "/api/v1/events", Some(&format!("{{\"type\":\"lead.created\",\"id\":\"h-1\",\"data\":{data}}}"))).await;
        assert_eq!((status, body), (StatusCode::ACCEPTED, json!({"id": "h-1", "type": "lead.created", "deliveries": 3})));
        assert_eq!(bed.planner.seen.lock().unwrap()[0].data, data.as_bytes());
        let (status, body) = send(&bed, "GET", "/api/v1/events/h-1", None).await;
        assert_eq!((status, &body["data"]["leadId"]), (StatusCode::OK, &json!("A")));
        let (status, body) = send(&bed, "GET", "/api/v1/events?type=lead.created&limit=1", None).await;
        assert_eq!((status, &body["data"][0]["id"], &body["pagination"]["limit"]), (StatusCode::OK, &json!("h-1"), &json!(1)));
        let events = format!("{{\"events\":[{{\"type\":\"lead.created\",\"data\":{data}}},{{}}]}}");
        let (status, body) = send(&bed, "POST", "/api/v1/events/batch", Some(&events)).await;
        assert_eq!((status, &body["data"][0]["deliveries"], &body["data"][1]["error"]["status"]), (StatusCode::ACCEPTED, &json!(3), &json!(422)));
        assert_eq!(bed.planner.seen.lock().unwrap()[1].data, data.as_bytes());
    }

    /// Bad bodies are 422 with the place, and store nothing.
    async fn bad_bodies(bed: Bed) {
        for (body, pointer) in [
            (r#"{"type":"lead.created"}"#, "/data"),
            (r#"{"data":{}}"#, "/type"),
            (r#"{"type":"lead.created","data":{"leadId":"1"},"colour":1}"#, "/colour"),
            (r#"{"type":"lead created","data":{"leadId":"1"}}"#, "/type"),
            (r#"{"type":"lead.created","id":"a b","data":{"leadId":"1"}}"#, "/id"),
            (r#"{"type":"lead.created","id":"","data":{"leadId":"1"}}"#, "/id"),
            (r#"{"type":"lead.created","data":{"leadId":"1"},"channels":"x"}"#, "/channels"),
            (r#"{"type":"lead.created","data":{"leadId":"1"},"occurredAt":"yesterday"}"#, "/occurredAt"),
            (r#"{"type":"lead.created","data":{"leadId":"a\u0000"}}"#, "/data/leadId"),
        ] {
            let (status, problem) = send(&bed, "POST", "/api/v1/events", Some(body)).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(pointer)), "{body} {problem}");
        }
        let (status, problem) = send(&bed, "POST", "/api/v1/events", Some(r#"{"type":"lead.created","data":{"leadId":}}"#)).await;
        assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!("malformed_json")));
        assert_eq!(bed.count("events").await, 0);
    }

    /// The declared types, with schema and example.
    async fn types(bed: Bed) {
        let (status, body) = send(&bed, "GET", "/api/v1/webhook-events", None).await;
        assert_eq!((status, &body["data"][0]), (StatusCode::OK, &json!("lead.created")));
        let (status, body) = send(&bed, "GET", "/api/v1/event-types/lead.created", None).await;
        assert_eq!((status, &body["name"], &body["schema"]["required"]), (StatusCode::OK, &json!("lead.created"), &json!(["leadId"])));
        assert!(body["example"]["leadId"].is_string());
        let (status, body) = send(&bed, "GET", "/api/v1/event-types/lead.nothing", None).await;
        assert_eq!((status, &body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    }
}
