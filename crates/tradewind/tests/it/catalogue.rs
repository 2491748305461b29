//! Event types with versions, flags and a quarantine, from outside; and the command that compares blueprints.

use std::process::Output;

use serde_json::{Value, json};
use testkit::receiver::Receiver;
use testkit::server::Settings;
use testkit::{Bed, Engine};

use crate::world::{World, assert_signed, received, rows, text};

const BLUEPRINT: &str = r#"
name = "bakery"
default_tier = "basic"
product = { title = "Bakery" }
tiers = [{ name = "basic" }]
scopes = [{ name = "all", grants = ["events.read", "events.publish", "webhooks.read", "webhooks.write"] }]
publishing = { on_schema_fault = "quarantine" }

[[events]]
name = "order.made"
version = 2
schema = { type = "object", required = ["orderId"], properties = { orderId = { type = "string" } } }
example = { orderId = "1" }
[[events.versions]]
version = 1
schema = { type = "object", required = ["id"], properties = { id = { type = "integer" } } }
example = { id = 1 }

[[events]]
name = "order.baked"
feature = "ovens"
schema = { type = "object" }
example = {}
"#;

/// A server with a blueprint of its own.
struct Bakery {
    world: World,
    _file: tempfile::NamedTempFile,
}

fn file(blueprint: &str) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), blueprint).unwrap();
    file
}

impl Bed for Bakery {
    async fn open(engine: Engine) -> Self {
        let file = file(BLUEPRINT);
        let path = file.path().display().to_string();
        Self { world: World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", &path)), _file: file }
    }
}

testkit::engines! {
    /// What breaks its schema waits, is nobody else's, and goes out when it is released, as any other event would.
    async fn a_released_event_is_delivered(bed: Bakery) {
        let (a, b) = (bed.world.tenant("A").await, bed.world.tenant("B").await);
        let receiver = Receiver::start();
        let webhook = a.webhook(&receiver.url("/"), &["order.*"]).await;
        let bad = json!({"type": "order.made", "id": "q-1", "data": {"orderId": 7}});
        let answer = a.host.post("/api/v1/events", &bad).await.expect(202).json();
        assert_eq!(answer, json!({"id": "q-1", "type": "order.made", "deliveries": 0, "warnings": 1, "quarantined": true}));
        let one = "/api/v1/events/quarantine/q-1";
        let release = format!("{one}/release");
        let (theirs, scopeless) = (b.key().await.http, a.key_scoped(&[]).await.http);
        for stranger in [&b.host, &theirs] {
            stranger.get(one).await.assert_problem(404, "not_found");
            stranger.post(&release, &json!({"force": true})).await.assert_problem(404, "not_found");
            stranger.delete(one).await.assert_problem(404, "not_found");
            assert!(rows(&stranger.get("/api/v1/events/quarantine").await.expect(200).json()).is_empty());
        }
        scopeless.get(one).await.assert_problem(403, "insufficient_scope");
        scopeless.post(&release, &json!({})).await.assert_problem(403, "insufficient_scope");
        let held = a.host.get(one).await.expect(200).json();
        assert_eq!((&held["data"], &held["problems"][0]["pointer"]), (&json!({"orderId": 7}), &json!("/data/orderId")));
        a.host.post(&release, &json!({})).await.assert_problem(422, "validation_failed");
        // A version that is named is on the wire; without one the body is as it always was.
        let old = json!({"type": "order.made", "id": "v-1", "schemaVersion": 1, "data": {"id": 1}});
        a.host.post("/api/v1/events", &old).await.assert_status(202);
        let released = a.host.post(&release, &json!({"force": true})).await.expect(202).json();
        assert_eq!((&released["deliveries"], released.get("quarantined")), (&json!(1), None));
        let came = received(&receiver, 2).await;
        let body = |id: &str| -> Value {
            let request = came.iter().find(|one| one.header("webhook-id") == Some(id)).unwrap();
            assert_signed(request, &webhook.secret);
            serde_json::from_slice(&request.body).unwrap()
        };
        assert_eq!((&body("q-1")["data"], body("q-1").get("schemaVersion")), (&json!({"orderId": 7}), None));
        assert_eq!((&body("v-1")["data"], &body("v-1")["schemaVersion"]), (&json!({"id": 1}), &json!(1)));
        a.host.get(one).await.assert_problem(404, "not_found");
        let event = a.host.get("/api/v1/events/q-1").await.expect(200).json();
        assert_eq!(event["warnings"][0]["pointer"], "/data/orderId");
        // Discarded, it is gone, and its id free.
        let second = json!({"type": "order.made", "id": "q-2", "data": {}});
        a.host.post("/api/v1/events", &second).await.assert_status(202);
        a.host.delete("/api/v1/events/quarantine/q-2").await.assert_status(204);
        a.host.delete("/api/v1/events/quarantine/q-2").await.assert_problem(404, "not_found");
    }

    /// A type with a flag exists for the tenants that have it: in the catalogue, for publishing, for webhooks.
    async fn a_feature_opens_a_type(bed: Bakery) {
        let tenant = bed.world.tenant("A").await;
        let types = async || text_list(&tenant.host.get("/api/v1/webhook-events").await.expect(200).json()["data"]);
        let event = json!({"type": "order.baked", "data": {}});
        let webhooks = format!("/api/v1/api-clients/{}/webhooks", tenant.client);
        let hook = json!({"url": "http://127.0.0.1:9/", "events": ["order.made", "order.baked"]});
        assert_eq!(types().await, ["order.made"]);
        tenant.host.post("/api/v1/events", &event).await.assert_problem(422, "unknown_event_type");
        tenant.host.get("/api/v1/event-types/order.baked").await.assert_problem(404, "not_found");
        let refused = tenant.host.post(&webhooks, &hook).await;
        refused.assert_problem(422, "unknown_event_type");
        assert_eq!(refused.json()["errors"][0]["pointer"], "/events/1");
        let path = format!("/api/v1/tenants/{}", tenant.id);
        let patch = async |features: Value| bed.world.operator.patch(&path, &json!({"settings": {"features": features}})).await;
        patch(json!("ovens")).await.assert_problem(422, "validation_failed");
        patch(json!(["ovens"])).await.assert_status(200);
        assert_eq!(types().await, ["order.made", "order.baked"]);
        assert_eq!(tenant.host.get("/api/v1/event-types/order.baked").await.expect(200).json()["feature"], "ovens");
        tenant.host.post("/api/v1/events", &event).await.assert_status(202);
        let made = tenant.host.post(&webhooks, &hook).await.expect(201).json();
        // Without the flag the webhook stays as it is, and can still be changed otherwise.
        patch(json!([])).await.assert_status(200);
        tenant.host.post("/api/v1/events", &event).await.assert_problem(422, "unknown_event_type");
        let path = format!("/api/v1/webhooks/{}", text(&made["id"]));
        tenant.host.patch(&path, &json!({"name": "Renamed"})).await.assert_status(200);
        // The operator sees everything.
        let all = bed.world.operator.get("/api/v1/webhook-events").await.expect(200).json();
        assert_eq!(text_list(&all["data"]), ["order.made", "order.baked"]);
    }
}

fn text_list(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(text).collect()
}

fn run(arguments: &[&str]) -> Output {
    Settings::new(&Engine::sqlite()).run(arguments)
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn blueprints_are_shown_and_checked_by_name_and_by_path() {
    let own = file(BLUEPRINT);
    let path = own.path().to_str().unwrap();
    assert_eq!(said(&run(&["blueprint", "show", path])).1.trim_end(), BLUEPRINT.trim_end());
    assert!(said(&run(&["blueprint", "show", "insurance-leads"])).1.contains("name = \"insurance-leads\""));
    for one in [path, "insurance-leads", "contractor-network", "call-coaching"] {
        let (code, out, err) = said(&run(&["blueprint", "check", one]));
        assert_eq!((code, out.contains("no faults")), (Some(0), true), "{out}{err}");
        assert_eq!(out.contains(" jobs"), one == "call-coaching", "{out}");
    }
    let (code, _, err) = said(&run(&["blueprint", "check", "insurance-lead"]));
    assert_eq!((code, err.contains("did you mean insurance-leads?")), (Some(1), true), "{err}");
    let broken = file(&BLUEPRINT.replace("feature = \"ovens\"", "feature = \"Ovens!\""));
    let (code, out, _) = said(&run(&["blueprint", "check", broken.path().to_str().unwrap(), "--format", "json"]));
    let faults: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &faults["valid"], &faults["faults"][0]["place"]), (Some(1), &json!(false), &json!("events[1].feature")));
}

#[test]
fn a_new_version_is_held_against_the_old_one() {
    let (old, same) = (file(BLUEPRINT), file(BLUEPRINT));
    let (old, same) = (old.path().to_str().unwrap().to_owned(), same.path().to_str().unwrap().to_owned());
    let against = |new: &str, format: &str| said(&run(&["blueprint", "check", new, "--against", &old, "--format", format]));
    let (code, out, err) = against(&same, "text");
    assert_eq!(code, Some(0), "{out}{err}");
    let new = file(&BLUEPRINT.replace("orderId = { type = \"string\" }", "orderId = { type = [\"string\", \"null\"] }"));
    let (code, out, err) = against(new.path().to_str().unwrap(), "text");
    assert_eq!((code, out.lines().count()), (Some(1), 1), "{out}{err}");
    assert!(out.starts_with("breaking    type_widened  events[\"order.made\"].versions[2].data/orderId: "), "{out}");
    assert!(err.contains("breaks 1 promise"), "{err}");
    let (code, out, _) = against(new.path().to_str().unwrap(), "json");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["compatible"], &found["breaking"]), (Some(1), &json!(false), &json!(1)));
    let first = &found["findings"][0];
    assert_eq!((&first["code"], &first["verdict"]), (&json!("type_widened"), &json!("breaking")));
    // Built-in ones can be compared too.
    let (code, out, _) = said(&run(&["blueprint", "check", "contractor-network", "--against", "insurance-leads"]));
    assert_eq!((code, out.contains("scope_removed")), (Some(1), true));
}

#[test]
fn the_documents_can_be_printed() {
    let (code, out, err) = said(&run(&["asyncapi", "--blueprint", "contractor-network", "--public-url", "https://api.example.com"]));
    assert_eq!(code, Some(0), "{err}");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert!(
        document["info"]["description"].as_str().unwrap().contains("https://api.example.com/docs/openapi.json"),
        "{}",
        document["info"]
    );
    let help = said(&run(&["demo", "--help"])).1.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("demo: a temporary directory"), "{help}");
}

/// Files for containers write `NAME=` for what is not set.
#[test]
fn an_empty_variable_is_not_set() {
    let engine = Engine::sqlite();
    let mut settings = Settings::new(&engine);
    for name in ["BLUEPRINT", "ALLOW_NETWORKS", "TRUSTED_PROXIES", "LISTEN", "ALERT_INTERVAL", "MAIL_DOMAINS", "ENV"] {
        settings = settings.set(&format!("TRADEWIND_{name}"), "");
    }
    let (code, out, err) = said(&settings.run(&["openapi"]));
    assert_eq!((code, err.as_str()), (Some(0), ""), "nothing is applied, and nothing says so");
    let document: Value = serde_json::from_str(&out).unwrap();
    assert!(document["servers"][0]["url"].as_str().unwrap().contains("127.0.0.1:8080"), "{}", document["servers"]);
}
