//! The pages of the five products, replayed request by request against `tradewind serve --blueprint X`: each path, parameter, envelope, header
//! and error that a page names. One server a product and engine; each part of a page has a tenant of its own.
//!
//! What a page leaves to later work (OAuth, CRM and other vendors' integrations, the portal's pages) is listed at the top of its file.

mod call_coaching;
mod contractor_network;
mod helpdesk_reports;
mod insurance_leads;
mod school_tenants;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::Engine;
use testkit::http::{Client, Response};

use crate::world::{Tenant, World, text};

/// A part of a page and its name.
pub(crate) type Part<'a> = (&'static str, Pin<Box<dyn Future<Output = ()> + 'a>>);

/// Names a part and puts it aside.
pub(crate) fn part<'a>(name: &'static str, content: impl Future<Output = ()> + 'a) -> Part<'a> {
    (name, Box::pin(content))
}

/// Replays all parts at once. One that does not hold hides no other.
pub(crate) async fn replay(parts: Vec<Part<'_>>) {
    let count = parts.len();
    let run = parts.into_iter().map(|(name, content)| AssertUnwindSafe(content).catch_unwind().map(move |ended| (name, ended)));
    let broken: Vec<String> =
        join_all(run).await.into_iter().filter_map(|(name, ended)| Some(format!("{name}: {}", said(&ended.err()?)))).collect();
    assert!(broken.is_empty(), "{} of {count} parts of the page do not hold:\n\n{}", broken.len(), broken.join("\n\n"));
}

fn said(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_default()
}

/// A server under one of the built-in blueprints.
pub(crate) fn serve(engine: Engine, blueprint: &str) -> World {
    World::start(engine, |settings| settings.set("TRADEWIND_BLUEPRINT", blueprint).set("TRADEWIND_FAILED_AUTH_PER_MINUTE", "0"))
}

/// Whether an object has exactly these members.
#[track_caller]
pub(crate) fn assert_members(value: &Value, names: &[&str]) {
    let mut found: Vec<&str> = value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect();
    let mut names = names.to_vec();
    found.sort_unstable();
    names.sort_unstable();
    assert_eq!(found, names, "{value}");
}

/// Whether an object has at least these members.
#[track_caller]
pub(crate) fn assert_has(value: &Value, names: &[&str]) {
    let missing: Vec<&&str> = names.iter().filter(|name| value.get(**name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} are missing in {value}");
}

/// A native problem with this status whose `errors` point at this member.
#[track_caller]
pub(crate) fn assert_points(answer: &Response, status: u16, pointer: &str) {
    crate::world::assert_is_problem(pointer, answer);
    let problem = answer.json();
    let found = problem["errors"].as_array().into_iter().flatten().any(|error| error["pointer"] == pointer);
    assert!(answer.status == status && found, "{status} at {pointer}: {problem}");
}

/// A list in the native form: rows, and a pagination with these members.
#[track_caller]
pub(crate) fn native_rows(answer: &Response) -> Vec<Value> {
    let body = answer.json();
    assert_eq!(answer.status, 200, "{body}");
    assert_has(&body["pagination"], &["limit", "nextCursor"]);
    body["data"].as_array().unwrap_or_else(|| panic!("no rows in {body}")).clone()
}

/// A key of the tenant's client, with its second secret where the product asks for one.
pub(crate) async fn key_of(tenant: &Tenant, server: &Client, body: Value) -> (Client, Value) {
    let mut asked = json!({"clientId": tenant.client, "name": "Replay", "rateLimitOverride": {"requests": 1_000_000, "window": 1000}});
    for (name, value) in body.as_object().into_iter().flatten() {
        asked[name] = value.clone();
    }
    let made = tenant.host.post("/api/v1/api-keys", &asked).await.expect(201).json();
    let client = server.bearer(&text(&made["key"]));
    let client = match made["secret"].as_str() {
        Some(secret) => client.with("x-api-secret", secret),
        None => client,
    };
    (client, made)
}
