//! What a caller gets who sends something wrong.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::{Caller, ClientId, Error, EventId, IdRef};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::{Accepted, Access, Api, Auth, Created, Endpoint, Json, NoContent, Paging, Path, Path2, Query, RawJson, RenderError};

#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Thing {
    name: String,
    #[serde(default)]
    inner_list: Vec<Inner>,
}

#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Inner {
    size: u8,
}

#[derive(Deserialize)]
struct Envelope {
    data: Box<RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    size: Option<u8>,
}

async fn create(State(prefix): State<Arc<str>>, Json(thing): Json<Thing>) -> web::Result<Created<Thing>> {
    Ok(Created { location: format!("{prefix}/{}", thing.name), body: thing })
}

async fn panics() -> NoContent {
    panic!("on purpose")
}

async fn slow_down() -> web::Result<NoContent> {
    Err(Error::unavailable("busy", "Later.").retry_after(std::time::Duration::from_millis(1500)).into())
}

struct Plain;

impl RenderError for Plain {
    fn render(&self, error: &Error, _: kernel::RequestId) -> (StatusCode, &'static str, Vec<u8>) {
        (web::status(error.kind()), "text/plain", error.code().into())
    }
}

fn api() -> Api {
    Api::new()
        .route(Endpoint::post("/things", "things.create").body::<Thing>().answers::<Thing>(201), create, Arc::<str>::from("/things"))
        .route(Endpoint::post("/small", "small.create").body_limit(16), async |_: Json<Value>| NoContent, ())
        .route(Endpoint::post("/maybe", "maybe.create"), async |body: Option<Json<Value>>| web::Json(body.is_some()), ())
        .route(
            Endpoint::post("/raw", "raw.create"),
            async |raw: RawJson<Envelope>| Accepted(json!([raw.value.data.get(), raw.bytes.len()])),
            (),
        )
        .route(Endpoint::get("/clients/{id}", "clients.get"), async |_: Path<ClientId>| NoContent, ())
        .route(Endpoint::delete("/clients/{clientId}", "clients.delete"), async |_: Path<ClientId>| NoContent, ())
        .route(Endpoint::get("/refs/{id}", "refs.get"), async |_: Path<IdRef<ClientId>>| NoContent, ())
        .route(Endpoint::get("/clients/{id}/events/{event}", "two.get"), async |_: Path2<ClientId, EventId>| NoContent, ())
        .route(Endpoint::get("/names/{name}", "names.get"), async |Path(name): Path<String>| web::Json(name), ())
        .route(Endpoint::get("/list", "list"), async |Paging(page): Paging, Query(_): Query<Value>| web::Json(page.limit), ())
        .route(Endpoint::get("/filter", "filter"), async |Query(filter): Query<Filter>| web::Json(filter.size), ())
        .route(Endpoint::get("/panic", "panic"), panics, ())
        .route(Endpoint::get("/busy", "busy").needs(Access::Public), slow_down, ())
        .route(Endpoint::get("/plain", "plain").errors(Arc::new(Plain)), slow_down, ())
        .route(Endpoint::get("/me", "me"), async |Auth(caller): Auth| web::Json(caller.actor().to_string()), ())
}

fn router() -> axum::Router {
    api().into_router(|_, route| route)
}

async fn call(request: Request<Body>) -> (Response<()>, Bytes) {
    let (parts, body) = router().oneshot(request).await.unwrap().into_parts();
    assert!(parts.headers[web::REQUEST_ID_HEADER].to_str().unwrap().starts_with("req_"));
    (Response::from_parts(parts, ()), body.collect().await.unwrap().to_bytes())
}

async fn get(path: &str) -> (u16, Value) {
    let (head, body) = call(Request::get(path).body(Body::empty()).unwrap()).await;
    (head.status().as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn post(path: &str, body: impl Into<Body>) -> (u16, Value) {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap();
    let (head, body) = call(request).await;
    (head.status().as_u16(), serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn a_good_body_is_created() {
    let request =
        Request::post("/things").header("content-type", "application/json; charset=UTF-8").body(Body::from(r#"{"name":"x"}"#)).unwrap();
    let (head, body) = call(request).await;
    assert_eq!((head.status(), &head.headers()["location"]), (StatusCode::CREATED, &"/things/x".parse().unwrap()));
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), json!({"name": "x", "innerList": []}));
}

#[tokio::test]
async fn broken_rules_point_to_their_place() {
    for (body, pointer) in [
        (r#"{"name":1}"#, "/name"),
        (r#"{}"#, "/name"),
        (r#"{"name":"x","colour":1}"#, "/colour"),
        (r#"{"name":"x","name":"y"}"#, "/name"),
        (r#"{"name":"x","innerList":[{"size":1},{"size":-1}]}"#, "/innerList/1/size"),
        (r#"{"name":"x","innerList":[{"size":1,"a/b":2}]}"#, "/innerList/0/a~1b"),
        (r#"{"name":"x\u0000"}"#, "/name"),
        (r#"[]"#, ""),
    ] {
        let (status, problem) = post("/things", body).await;
        assert_eq!(
            (status, &problem["code"], &problem["errors"][0]["pointer"]),
            (422, &json!("validation_failed"), &json!(pointer)),
            "{body}"
        );
        assert!(!problem["errors"][0]["detail"].as_str().unwrap().contains("line 1"), "{problem}");
    }
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let deep = format!("{{\"name\":{}", "[".repeat(200_000));
    let deep_raw = format!("{{\"data\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    for body in
        [&b"{"[..], b"", b"{\"name\":\"\xff\"}", b"{\"name\":\"x\"} x", b"{\"colour\":1, nonsense", b"{\"name\":\"\0\"}", deep.as_bytes()]
    {
        let (status, problem) = post("/things", body.to_vec()).await;
        assert_eq!((status, &problem["code"]), (400, &json!("malformed_json")));
    }
    assert_eq!(post("/raw", deep_raw).await.0, 400);
}

#[tokio::test]
async fn media_types_are_exactly_one_json() {
    let status = async |types: &[&str]| {
        let request = types.iter().fold(Request::post("/things"), |request, value| request.header("content-type", *value));
        let (head, _) = call(request.body(Body::from(r#"{"name":"x"}"#)).unwrap()).await;
        head.status().as_u16()
    };
    for bad in [
        &[][..],
        &["text/plain"],
        &["application/json", "application/json"],
        &["application/json; charset=latin1"],
        &["application/json, text/plain"],
        &["application/jsonx"],
    ] {
        assert_eq!(status(bad).await, 415, "{bad:?}");
    }
    for good in ["application/json", "APPLICATION/JSON;charset=\"utf-8\"", "application/merge-patch+json"] {
        assert_eq!(status(&[good]).await, 201, "{good}");
    }
}

#[tokio::test]
async fn bodies_over_the_limit_are_too_large_with_or_without_a_length() {
    assert_eq!(post("/small", r#"{"a":1}"#).await.0, 204);
    let (status, problem) = post("/small", r#"{"a":1,"b":2,"c":3}"#).await;
    assert_eq!((status, &problem["code"]), (413, &json!("body_too_large")));
    let parts = [r#"{"a":1,""#, r#"b":2,"c""#, ":3}"].map(|part| Ok::<_, std::io::Error>(Bytes::from_static(part.as_bytes())));
    assert_eq!(post("/small", Body::from_stream(futures_util::stream::iter(parts))).await.0, 413);
    let parts = [r#"{"a""#, ":1}"].map(|part| Ok::<_, std::io::Error>(Bytes::from_static(part.as_bytes())));
    assert_eq!(post("/small", Body::from_stream(futures_util::stream::iter(parts))).await.0, 204);
    assert_eq!(post("/things", vec![b' '; 2 * 1024 * 1024]).await.0, 413);
    let (status, problem) = post("/small", "[1]").await;
    assert_eq!((status, &problem["code"]), (422, &json!("validation_failed")), "an array is not read by position");
    let broken = [Ok(Bytes::from_static(b"[")), Err(std::io::Error::other("gone"))];
    assert_eq!(post("/small", Body::from_stream(futures_util::stream::iter(broken))).await.1["code"], "body_incomplete");
}

#[tokio::test]
async fn an_optional_body_may_be_missing() {
    let (head, body) = call(Request::post("/maybe").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status().as_u16(), &body[..]), (200, &b"false"[..]));
    assert_eq!(post("/maybe", "{}").await, (200, json!(true)));
    assert_eq!(post("/maybe", "{").await.0, 400);
}

#[tokio::test]
async fn raw_payloads_keep_their_bytes() {
    let body = r#"{"data": {"b" : 1.0e2, "a":  "é\u00e9"}}"#;
    assert_eq!(post("/raw", body).await, (202, json!([r#"{"b" : 1.0e2, "a":  "é\u00e9"}"#, body.len()])));
}

#[tokio::test]
async fn ids_that_cannot_exist_are_not_found() {
    let good = "cli_01h455vb4pex5vsknk084sn02q";
    assert_eq!(get(&format!("/clients/{good}")).await.0, 204);
    for bad in ["x", "cli_", "ten_01h455vb4pex5vsknk084sn02q", "%00", "%ff", "..%2f..", "%E2%82"] {
        let (status, problem) = get(&format!("/clients/{bad}")).await;
        assert_eq!((status, &problem["code"]), (404, &json!("not_found")), "{bad}");
    }
    assert_eq!(get("/clients/x").await.1["detail"], Error::not_found("client").detail());
    assert_eq!(get("/refs/ext:abc").await.0, 204);
    assert_eq!(get("/refs/ext:a%20b").await.0, 404);
    assert_eq!(get(&format!("/clients/{good}/events/e-1")).await.0, 204);
    assert_eq!(get(&format!("/clients/{good}/events/e%2f1")).await.0, 404);
    assert_eq!(get("/names/a%2Fb%20c").await, (200, json!("a/b c")));
    assert_eq!(get("/names/a%00b").await.0, 404);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let (head, body) = call(Request::get("/nowhere").body(Body::empty()).unwrap()).await;
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((head.status().as_u16(), &head.headers()["content-type"]), (404, &"application/problem+json".parse().unwrap()));
    assert_eq!(problem["type"], "/docs/errors#not_found");
    assert_eq!(problem["requestId"], head.headers()["x-request-id"].to_str().unwrap());
    let (head, body) = call(Request::put("/clients/x").body(Body::empty()).unwrap()).await;
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((head.status().as_u16(), &problem["code"]), (405, &json!("method_not_allowed")));
    let mut allow: Vec<_> = head.headers()["allow"].to_str().unwrap().split(',').map(str::trim).collect();
    allow.sort_unstable();
    assert_eq!(allow, ["DELETE", "GET", "HEAD"]);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_is_served() {
    let router = router();
    for (path, expected) in [("/panic", 500), ("/names/x", 200)] {
        let response = router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), expected);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("on purpose"));
    }
}

#[tokio::test]
async fn failures_are_shown_in_the_endpoints_form() {
    let (head, body) = call(Request::get("/busy").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status().as_u16(), &head.headers()["retry-after"]), (503, &"2".parse().unwrap()));
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["code"], "busy");
    let (head, body) = call(Request::get("/plain").body(Body::empty()).unwrap()).await;
    assert_eq!((&head.headers()["content-type"], &body[..]), (&"text/plain".parse().unwrap(), &b"busy"[..]));
}

#[tokio::test]
async fn queries_are_checked() {
    assert_eq!(get("/filter?size=3").await, (200, json!(3)));
    for (query, pointer) in [("size=300", "/size"), ("size=x", "/size"), ("colour=1", "/colour"), ("size=%00", "/size")] {
        let (status, problem) = get(&format!("/filter?{query}")).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{query}: {problem}");
    }
    assert_eq!(get("/list?limit=7&other=1").await, (200, json!(7)));
    assert_eq!(get("/list").await, (200, json!(20)));
    for (query, status) in [("limit=0", 422), ("limit=-1", 422), ("limit=101", 422), ("limit=1&limit=2", 422), ("cursor=!", 400)] {
        assert_eq!(get(&format!("/list?{query}")).await.0, status, "{query}");
    }
}

#[tokio::test]
async fn the_caller_comes_from_the_gate() {
    assert_eq!(get("/me").await.0, 401);
    let mut request = Request::get("/me").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Caller::system("test", None));
    assert_eq!(&call(request).await.1[..], b"\"system:test\"");
}

#[test]
#[should_panic(expected = "both serve")]
fn two_endpoints_of_one_address_are_found_at_start() {
    let twice = || Api::new().route(Endpoint::get("/a/{id}", "a"), panics, ()).route(Endpoint::get("/a/{key}", "b"), panics, ());
    drop(twice().into_router(|_, route| route));
}
