//! The access log and traces of the real server.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use testkit::receiver::Receiver;
use testkit::{Engine, engine, wait};

use crate::world::{SOON, World, received};

fn spans(collector: &Receiver) -> Vec<Span> {
    let traces = collector.requests().into_iter().filter(|one| one.path == "/v1/traces");
    let decoded = traces.map(|one| ExportTraceServiceRequest::decode(one.body).unwrap());
    decoded.flat_map(|one| one.resource_spans).flat_map(|one| one.scope_spans).flat_map(|one| one.spans).collect()
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let value = span.attributes.iter().find(|one| one.key == name)?.value.clone()?.value?;
    Some(match value {
        Any::StringValue(text) => text,
        Any::IntValue(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_request_is_in_the_access_log_and_in_its_callers_trace() {
    let collector = Receiver::start();
    let engine = Engine::sqlite();
    let log = engine.data_dir().join("access.log");
    let mut world = World::start(engine, |settings| {
        settings.set("TRADEWIND_ACCESS_LOG", log.to_str().unwrap()).set("TRADEWIND_OTLP_ENDPOINT", &collector.url(""))
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let tenant = world.tenant("Acme").await;
        let key = tenant.key().await;
        let receiver = Receiver::start();
        tenant.webhook(&receiver.url("/"), &["lead.created"]).await;
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let traced = key.http.with("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
        let answer = traced.get("/api/v1/leads?search=tw_live_secret").await.expect(200);
        let missing = traced.get("/api/v1/leads/999").await.expect(404);
        world.server.client().get("/nowhere").await.assert_status(404);
        tenant.publish("lead.created", &json!({"leadId": "1"})).await;
        received(&receiver, 1).await;
        let told = receiver.requests()[0].header("traceparent").map(str::to_owned);
        world.server.terminate();
        let text = std::fs::read_to_string(&log).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |id: &str| lines.iter().find(|line| line["requestId"] == id).unwrap_or_else(|| panic!("no line for {id} in\n{text}"));
        let line = of(answer.header("x-request-id").unwrap());
        assert_eq!((&line["status"], &line["endpoint"], &line["keyId"]), (&json!(200), &json!("/api/v1/leads"), &json!(key.id)), "{line}");
        assert_eq!((&line["tenantId"], &line["clientId"], &line["traceId"]), (&json!(tenant.id), &json!(tenant.client), &json!(trace)));
        let line = of(missing.header("x-request-id").unwrap());
        assert_eq!((&line["status"], &line["endpoint"]), (&json!(404), &json!("/api/v1/leads/{id}")), "{line}");
        assert!(line["error"].is_string(), "{line}");
        assert!(lines.iter().any(|line| line["path"] == "/nowhere" && line["status"] == 404 && line.get("keyId").is_none()));
        assert!(!text.contains("secret") && !text.contains(&key.token), "{text}");
        let spans = wait::until("the spans", SOON, async || Some(spans(&collector)).filter(|all| !all.is_empty())).await;
        let request = spans.iter().find(|span| span.name == "GET /api/v1/leads").unwrap();
        let id: String = request.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(id, trace);
        assert_eq!(attribute(request, "tradewind.request.id").as_deref(), answer.header("x-request-id"));
        assert_eq!(attribute(request, "http.response.status_code").as_deref(), Some("200"));
        let attempt = spans.iter().find(|span| span.name == "deliver lead.created").unwrap();
        assert_eq!(attribute(attempt, "http.response.status_code").as_deref(), Some("204"));
        assert_eq!(attribute(attempt, "tradewind.tenant.id").as_deref(), Some(tenant.id.as_str()));
        // The receiver can go on in the attempt's trace.
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(told, Some(format!("00-{}-{}-01", hex(&attempt.trace_id), hex(&attempt.span_id))));
    });
}

#[test]
fn settings_that_cannot_be_used_end_the_start() {
    engine::run(Engine::sqlite(), async |engine: Engine| {
        for (name, value, word) in [
            ("TRADEWIND_OTLP_ENDPOINT", "collector", "TRADEWIND_OTLP_ENDPOINT"),
            ("TRADEWIND_ACCESS_LOG", "/no/such/dir/a.log", "access log"),
            ("TRADEWIND_TLS_KEY", "/no/such/key.pem", "TRADEWIND_TLS_CERT"),
        ] {
            let output = testkit::server::Settings::new(&engine).set(name, value).run(&["serve"]);
            assert_eq!(output.status.code(), Some(1), "{name}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains(word), "{name}: {said}");
        }
    });
}
