//! Traces and logs at a collector, decoded from what arrives.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use kernel::{Ambient, Secret};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use telemetry::{Otlp, OtlpConfig};
use testkit::receiver::{Answer, Receiver};
use tracing_subscriber::layer::SubscriberExt as _;
use web::RequestNote;
use web::outbound::{Client, ClientConfig, UrlPolicy};

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn start(collector: &Receiver, sample: f64) -> Otlp {
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    let config = OtlpConfig {
        endpoint: collector.url("/"),
        headers: vec![("x-vendor-key".into(), Secret::new("sesame".into()))],
        sample,
        version: "1.2.3".into(),
        instance: "one".into(),
    };
    Otlp::start(&config, Client::new(ClientConfig::new(policy)).unwrap()).unwrap()
}

fn spans(collector: &Receiver) -> Vec<Span> {
    let traces = collector.requests().into_iter().filter(|one| one.path == "/v1/traces");
    let decoded = traces.map(|one| ExportTraceServiceRequest::decode(one.body).unwrap());
    decoded.flat_map(|one| one.resource_spans).flat_map(|one| one.scope_spans).flat_map(|one| one.spans).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

fn attribute(list: &[KeyValue], name: &str) -> Option<String> {
    list.iter().find(|one| one.key == name).map(|one| text(one.value.as_ref()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn note() -> RequestNote {
    let ambient = Ambient::system();
    let (tenant, client, key, service_key) = (Some(ambient.id()), None, Some(ambient.id()), None);
    RequestNote { id: ambient.id(), endpoint: Arc::from("/api/v1/leads/{id}"), tenant, client, key, service_key, ip: None, error: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_a_span_under_the_callers_trace() {
    let collector = Receiver::start();
    let otlp = start(&collector, 1.0);
    let caller = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut request = Request::get("/api/v1/leads/rec_1?token=secret").body(()).unwrap();
    request.headers_mut().insert("traceparent", format!("00-{caller}-00f067aa0ba902b7-01").parse().unwrap());
    let span = otlp.traces().begin(&mut request, PEER);
    let passed_on = request.headers()["traceparent"].to_str().unwrap().to_owned();
    assert_eq!(span.run(async { 7 }).await, 7);
    let note = note();
    assert_eq!(span.end(StatusCode::BAD_GATEWAY, Some(&note)), caller);
    otlp.stop().await;
    let all = spans(&collector);
    assert_eq!(all.len(), 1);
    let span = &all[0];
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (caller.to_owned(), "00f067aa0ba902b7".to_owned()));
    // Whatever the request is passed on to continues under our span.
    assert_eq!(passed_on, format!("00-{caller}-{}-01", hex(&span.span_id)));
    assert_eq!(span.name, "GET /api/v1/leads/{id}");
    for (name, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/api/v1/leads/{id}"),
        ("http.response.status_code", "502"),
        ("network.peer.address", "192.0.2.1"),
        ("tradewind.request.id", &note.id.to_string()),
        ("tradewind.key.id", &note.key.unwrap().to_string()),
    ] {
        assert_eq!(attribute(&span.attributes, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(span.status.as_ref().unwrap().code, 2, "a failure of ours is an error");
    assert!(!format!("{span:?}").contains("secret"), "{span:?}");
    let first = &collector.requests()[0];
    assert_eq!((first.header("x-vendor-key"), first.header("content-type")), (Some("sesame"), Some("application/x-protobuf")));
    let resource = ExportTraceServiceRequest::decode(first.body.clone()).unwrap().resource_spans[0].resource.clone().unwrap();
    assert_eq!(attribute(&resource.attributes, "service.name").as_deref(), Some("tradewind"));
    assert_eq!(attribute(&resource.attributes, "service.version").as_deref(), Some("1.2.3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_decides_whether_a_trace_is_kept_and_the_share_decides_otherwise() {
    let collector = Receiver::start();
    let otlp = start(&collector, 0.0);
    for flags in ["00", "01"] {
        let mut request = Request::get("/").body(()).unwrap();
        request
            .headers_mut()
            .insert("traceparent", format!("00-4bf92f3577b34da6a3ce929d0e0e47{flags}-00f067aa0ba902b7-{flags}").parse().unwrap());
        otlp.traces().begin(&mut request, PEER).end(StatusCode::OK, None);
    }
    otlp.traces().begin(&mut Request::get("/").body(()).unwrap(), PEER).end(StatusCode::OK, None);
    // What is no trace context begins a trace of its own, and is not believed.
    let mut forged = Request::get("/").body(()).unwrap();
    forged.headers_mut().insert("traceparent", "00-zz-zz-01".parse().unwrap());
    otlp.traces().begin(&mut forged, PEER).end(StatusCode::OK, None);
    otlp.stop().await;
    let kept: Vec<String> = spans(&collector).iter().map(|span| hex(&span.trace_id)).collect();
    assert_eq!(kept, ["4bf92f3577b34da6a3ce929d0e0e4701"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_in_a_request_belongs_to_its_trace() {
    let collector = Receiver::start();
    let otlp = start(&collector, 1.0);
    let _logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(otlp.log_bridge()));
    let span = otlp.traces().begin(&mut Request::get("/").body(()).unwrap(), PEER);
    span.run(async { tracing::warn!(delivery = "dlv_1", "a delivery is late") }).await;
    let trace = span.end(StatusCode::OK, None);
    let work = otlp.traces().work("deliver lead.created".into(), vec![("tradewind.delivery.id", "dlv_1".into())]);
    work.run(async {}).await;
    work.end(Some(500), Some("status"));
    otlp.stop().await;
    let logs = collector.requests().into_iter().filter(|one| one.path == "/v1/logs");
    let records: Vec<_> = logs
        .flat_map(|one| ExportLogsServiceRequest::decode(one.body).unwrap().resource_logs)
        .flat_map(|one| one.scope_logs)
        .flat_map(|one| one.log_records)
        .filter(|record| record.severity_text == "WARN")
        .collect();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((text(records[0].body.as_ref()), hex(&records[0].trace_id)), ("a delivery is late".to_owned(), trace));
    assert_eq!(attribute(&records[0].attributes, "delivery").as_deref(), Some("dlv_1"));
    let attempt = spans(&collector).into_iter().find(|span| span.name == "deliver lead.created").unwrap();
    assert!(attempt.parent_span_id.is_empty(), "a delivery has a trace of its own");
    assert_eq!(attribute(&attempt.attributes, "http.response.status_code").as_deref(), Some("500"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_fails_holds_nobody_up() {
    let collector = Receiver::start();
    collector.answer(Answer::status(500));
    let otlp = start(&collector, 1.0);
    let begun = std::time::Instant::now();
    for _ in 0..5_000 {
        otlp.traces().begin(&mut Request::get("/").body(()).unwrap(), PEER).end(StatusCode::OK, None);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    tokio::time::timeout(Duration::from_secs(60), otlp.stop()).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_that_is_none_is_refused_at_start() {
    let policy = UrlPolicy { allow_http: true, allow_networks: Vec::new() };
    for endpoint in ["", "collector:4318", "ftp://collector", "http://", "http://c/?x=1"] {
        let config =
            OtlpConfig { endpoint: endpoint.into(), headers: Vec::new(), sample: 1.0, version: String::new(), instance: String::new() };
        let error = Otlp::start(&config, Client::new(ClientConfig::new(policy.clone())).unwrap()).err().unwrap();
        assert_eq!(error.code(), "invalid_otlp_endpoint", "{endpoint}");
    }
}
