//! What an attacker or a careless program sends: each gets the documented problem, nothing is half-written, and the server goes on.

mod bodies;
mod hostile_urls;
mod lists;
mod property;
mod wire;

use serde_json::Value;
use testkit::http::Response;

use crate::world::{Tenant, World, assert_is_problem, rows};

/// How many things of each kind a tenant has.
async fn counts(tenant: &Tenant) -> Vec<(String, usize)> {
    let client = format!("/api/v1/api-clients/{}", tenant.client);
    let mut out = Vec::new();
    for path in [
        "/api/v1/api-clients",
        &format!("{client}/api-keys"),
        &format!("{client}/webhooks"),
        "/api/v1/leads",
        "/api/v1/events",
        "/api/v1/deliveries",
    ] {
        let list = tenant.host.get(&format!("{path}?limit=100")).await.expect(200).json();
        out.push((path.to_owned(), rows(&list).len()));
    }
    out
}

/// The problem with this status and code, in its documented form.
#[track_caller]
fn assert_refused(what: &str, answer: &Response, status: u16, code: &str) {
    let found = assert_is_problem(what, answer);
    assert_eq!((answer.status.as_u16(), found.as_str()), (status, code), "{what}: {}", answer.text());
}

/// The pointers of a 422.
fn pointers(answer: &Response) -> Vec<String> {
    let problem = answer.json();
    let list = problem["errors"].as_array().cloned().unwrap_or_default();
    list.iter().map(|error| error["pointer"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A 422 that points at `pointer`.
#[track_caller]
fn assert_points(what: &str, answer: &Response, code: &str, pointer: &str) {
    assert_refused(what, answer, 422, code);
    assert!(pointers(answer).iter().any(|at| at == pointer), "{what}: no {pointer} in {}", answer.text());
}

async fn still_serves(world: &World, tenant: &Tenant) {
    world.server.client().get("/health/ready").await.assert_status(200);
    tenant.host.get("/api/v1/leads").await.assert_status(200);
}

/// The routes that take a body, and a good one.
fn writes(tenant: &Tenant) -> Vec<(String, Value)> {
    use serde_json::json;
    vec![
        ("/api/v1/tenants".into(), json!({"name": "Another"})),
        ("/api/v1/api-clients".into(), json!({"name": "Another"})),
        ("/api/v1/api-keys".into(), json!({"clientId": tenant.client, "name": "Another"})),
        (format!("/api/v1/api-clients/{}/webhooks", tenant.client), json!({"url": "http://127.0.0.1:9/", "events": ["*"]})),
        ("/api/v1/events".into(), json!({"type": "lead.created", "data": {"leadId": "1"}})),
        ("/api/v1/events/batch".into(), json!({"events": [{"type": "lead.created", "data": {"leadId": "1"}}]})),
        ("/api/v1/leads".into(), crate::world::lead("Ada")),
        ("/api/v1/records/lead".into(), crate::world::lead("Ada")),
    ]
}
