//! An engine with real worker processes, and short ways to ask it.

use std::path::PathBuf;

use script::{Engine, Fault, Function, Moment, Party, Transformed};
use serde_json::{Value, json};

pub(crate) const MOMENT: Moment = Moment { now_ms: 1_700_000_000_123, seed: 7 };

/// The tenant on whose account functions run, where it does not matter.
pub(crate) const US: Party = Party(1);

pub(crate) fn engine(workers: usize) -> Engine {
    Engine::processes(PathBuf::from(env!("CARGO_BIN_EXE_script-worker")), Vec::new(), workers)
}

pub(crate) fn function(source: &str) -> Function {
    Function::new("a tenant", source).unwrap()
}

/// A request of which `data` is the body's.
pub(crate) fn request(data: &Value) -> String {
    let body = json!({"id": "evt_1", "type": "lead.created", "timestamp": "2026-01-02T03:04:05.000Z", "data": data});
    let mut request = json!({"id": "evt_1", "type": "lead.created", "timestamp": "2026-01-02T03:04:05.000Z", "method": "POST"});
    request["url"] = json!("https://receiver.example/hook");
    request["headers"] = json!({"x-mine": "1"});
    request["body"] = body;
    request.to_string()
}

pub(crate) async fn transform(engine: &Engine, source: &str) -> Result<Transformed, Fault> {
    engine.transform(US, &function(source), &request(&json!({"name": "Ada", "amount": 5})), MOMENT).await
}

pub(crate) async fn call(engine: &Engine, source: &str, arguments: &Value) -> Result<String, Fault> {
    engine.call(US, &function(source), &arguments.to_string(), MOMENT).await
}
