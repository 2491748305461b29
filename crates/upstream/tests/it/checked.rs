//! A body that must satisfy a schema before the backend sees it.

use serde_json::json;

use crate::backend::{Backend, mirror};
use crate::bed::{Bed, blueprint};

#[tokio::test]
async fn only_a_body_that_satisfies_the_schema_reaches_the_backend() {
    let backend = Backend::http(mirror).await;
    let endpoints = r#"
[[endpoints]]
method = "POST"
path = "/orders"
scope = "orders"
[endpoints.operation]
type = "upstream"
upstream = "shop"
max_request_bytes = 1000
schema = { type = "object", required = ["item"], properties = { item = { type = "string" }, count = { type = "integer", minimum = 1 } }, additionalProperties = false }
"#;
    let bed = Bed::of(&blueprint(&[backend.url()], "", endpoints)).await;
    let client = bed.client();
    let refused = client.post("/shop/orders", &json!({"count": 0})).await;
    refused.assert_problem(422, "validation_failed");
    let mut pointers: Vec<_> = refused.json()["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].clone()).collect();
    pointers.sort_by_key(ToString::to_string);
    assert_eq!(pointers, [json!("/count"), json!("/item")]);
    let send = |kind: &'static str, body: String| client.request(http::Method::POST, "/shop/orders").body(kind, body).send();
    send("application/json", "{".into()).await.assert_problem(400, "malformed_json");
    send("application/json", r#"{"item":"a","item":"b"}"#.into()).await.assert_problem(400, "duplicate_member");
    send("text/plain", r#"{"item":"a"}"#.into()).await.assert_problem(415, "unsupported_media_type");
    send("application/json", json!({"item": "x".repeat(1000)}).to_string()).await.assert_problem(413, "body_too_large");
    assert_eq!(backend.connections(), 0);
    let spaced = "{ \"item\" : \"bread\" }";
    let answer = send("application/json", spaced.into()).await.expect(200);
    assert!(answer.text().contains(&format!("body: {}\n", spaced.len())), "its bytes go on as they came: {}", answer.text());
    assert_eq!(bed.logged(1).await[0].request, spaced.len() as u64);
}
