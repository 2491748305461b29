//! The documents that are served, judged by the validators of their formats.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::libraries::script;
use crate::world::{Contractors, World};
use testkit::tools;

/// What the official AsyncAPI parser says; none where it cannot be installed.
fn asyncapi(document: &Value) -> Option<Output> {
    if !tools::present("node", "the AsyncAPI document") || !tools::present("npm", "the AsyncAPI document") {
        return None;
    }
    let dir = tools::npm("asyncapi-npm", &["@asyncapi/parser@^3.4.0"]);
    Some(judged(document, Command::new("node").arg(script("asyncapi.mjs")).arg(dir)))
}

/// What the OpenAPI validator says, likewise.
fn openapi(document: &Value) -> Option<Output> {
    if !tools::present("python3", "the OpenAPI document") {
        return None;
    }
    let python = tools::pip("openapi-pypi", "openapi-spec-validator~=0.9");
    Some(judged(document, Command::new(python).args(["-m", "openapi_spec_validator", "--schema", "3.1"])))
}

fn judged(document: &Value, command: &mut Command) -> Output {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), document.to_string()).unwrap();
    command.arg(file.path()).output().unwrap()
}

#[track_caller]
fn assert_good(output: &Output) {
    let said = || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}", said());
}

async fn judge(world: &World) {
    let client = world.server.client();
    // Both before the judges are asked: they block, and an idle connection does not live for ever.
    let document = client.get("/docs/openapi.json").await.expect(200).json();
    let events = client.get("/docs/asyncapi.json").await.expect(200).json();
    if let Some(output) = openapi(&document) {
        assert_good(&output);
    }
    if let Some(output) = asyncapi(&events) {
        assert_good(&output);
        let count = events["operations"].as_object().unwrap().len();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), format!("{count} {count}"));
    }
}

/// They do not take just anything.
#[test]
fn validators_refuse_other_documents() {
    let info = json!({"title": "x", "version": "1"});
    let parameter = json!({"name": "h", "in": "nowhere", "schema": {}});
    let broken = json!({"openapi": "3.1.0", "info": info, "webhooks": {"a": {"post": {"parameters": [parameter]}}}});
    assert!(openapi(&broken).is_none_or(|output| !output.status.success()));
    let channel = json!({"$ref": "#/channels/c"});
    let broken = json!({"asyncapi": "3.0.0", "info": info, "channels": {"c": {"address": null}}, "operations": {"o": {"action": "shout", "channel": channel}}});
    assert!(asyncapi(&broken).is_none_or(|output| !output.status.success()));
}

#[tokio::test]
async fn validators_take_the_documents_of_insurance_leads() {
    judge(&World::start(testkit::Engine::sqlite(), |settings| settings)).await;
}

#[tokio::test]
async fn validators_take_the_documents_of_contractor_network() {
    let world = World::start(testkit::Engine::sqlite(), |settings| settings.set("TRADEWIND_BLUEPRINT", "contractor-network"));
    judge(&Contractors(world).0).await;
}
