//! A stand-in for the server, for the tests of the harness itself: the few routes that the harness calls, an append-only file, and
//! deliveries without retries. Under the name `forgetful` it answers 202 before anything is kept and delivers late, as a server would
//! that breaks its promise; the proofs must notice. It measures nothing and is never measured against.

use std::fs::{File, OpenOptions};
use std::io::{Write, stdout};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bench::wire::{Wire, write_request};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

struct Double {
    forgetful: bool,
    events: Mutex<Kept>,
    webhooks: Mutex<Kept>,
    sending: Semaphore,
}

/// Lines of JSON in memory and, unless forgotten, in a file.
struct Kept {
    lines: Vec<Value>,
    file: Option<File>,
}

impl Kept {
    fn open(path: &Path, forgetful: bool) -> Result<Self> {
        let old = std::fs::read_to_string(path).unwrap_or_default();
        // A kill may have cut the last line short; it was never answered.
        let lines = old.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let file = if forgetful { None } else { Some(OpenOptions::new().create(true).append(true).open(path)?) };
        if let (Some(mut file), true) = (file.as_ref(), !old.is_empty() && !old.ends_with('\n')) {
            file.write_all(b"\n")?;
        }
        Ok(Self { lines, file })
    }

    fn add(&mut self, line: &Value) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(format!("{line}\n").as_bytes())?;
        }
        self.lines.push(line.clone());
        Ok(())
    }
}

#[allow(clippy::disallowed_methods, reason = "it takes the few settings of the server that it knows")]
#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args();
    let name = PathBuf::from(arguments.next().context("a name")?);
    if arguments.next().as_deref() == Some("service-key") {
        writeln!(stdout(), "tw_live_double")?;
        return Ok(());
    }
    let data = PathBuf::from(std::env::var("TRADEWIND_DATA_DIR").context("TRADEWIND_DATA_DIR")?);
    let listen: SocketAddr = std::env::var("TRADEWIND_LISTEN").context("TRADEWIND_LISTEN")?.parse()?;
    std::fs::create_dir_all(&data)?;
    let forgetful = name.file_name().is_some_and(|name| name == "forgetful");
    let events = Mutex::new(Kept::open(&data.join("events"), forgetful)?);
    let webhooks = Mutex::new(Kept::open(&data.join("webhooks"), false)?);
    let double = Arc::new(Double { forgetful, events, webhooks, sending: Semaphore::new(64) });
    let again = double.events.lock().expect("not poisoned").lines.clone();
    again.into_iter().for_each(|event| deliver(&double, event));
    axum::serve(tokio::net::TcpListener::bind(listen).await?, routes(double)).with_graceful_shutdown(asked_to_stop()).await?;
    Ok(())
}

async fn asked_to_stop() {
    let mut signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals can be watched");
    signal.recv().await;
}

fn routes(double: Arc<Double>) -> Router {
    let created = |id: &'static str| post(move || std::future::ready((StatusCode::CREATED, Json(json!({"id": id, "key": "tw_live_key"})))));
    Router::new()
        .route("/health/ready", get(|| std::future::ready("ready")))
        .route("/api/v1/tenants", created("ten_double"))
        .route("/api/v1/api-clients", created("cli_double"))
        .route("/api/v1/api-keys", created("key_double"))
        .route("/api/v1/rate-limits", get(|| std::future::ready(Json(json!({"data": {"basic": {"requestsPerMinute": 60}}})))))
        .route("/api/v1/rate-limits/enterprise", put(|| std::future::ready(Json(json!({})))))
        .route("/api/v1/api-clients/{id}/webhooks", post(subscribe))
        .route("/api/v1/events", post(publish))
        .route("/api/v1/events/batch", post(publish_batch))
        .with_state(double)
}

async fn subscribe(State(double): State<Arc<Double>>, Json(webhook): Json<Value>) -> (StatusCode, Json<Value>) {
    double.webhooks.lock().expect("not poisoned").add(&webhook).expect("the file can be written");
    (StatusCode::CREATED, Json(json!({"id": "wh_double", "secret": "whsec_AAAA"})))
}

async fn publish(State(double): State<Arc<Double>>, Json(event): Json<Value>) -> (StatusCode, Json<Value>) {
    (StatusCode::ACCEPTED, Json(accept(&double, event)))
}

async fn publish_batch(State(double): State<Arc<Double>>, Json(mut batch): Json<Value>) -> (StatusCode, Json<Value>) {
    let events: Vec<Value> = serde_json::from_value(batch["events"].take()).expect("the harness sends a list");
    let data: Vec<Value> = events.into_iter().map(|event| accept(&double, event)).collect();
    (StatusCode::ACCEPTED, Json(json!({ "data": data })))
}

fn accept(double: &Arc<Double>, event: Value) -> Value {
    let answer = json!({"id": event["id"]});
    double.events.lock().expect("not poisoned").add(&event).expect("the file can be written");
    deliver(double, event);
    answer
}

/// Delivers once to every webhook that wants it; a receiver that does not answer is forgotten after a second.
fn deliver(double: &Arc<Double>, event: Value) {
    let wants =
        |webhook: &Value| webhook["events"].as_array().is_some_and(|names| names.contains(&event["type"]) || names.contains(&json!("*")));
    let webhooks: Vec<Value> =
        double.webhooks.lock().expect("not poisoned").lines.iter().filter(|webhook| wants(webhook)).cloned().collect();
    let double = double.clone();
    tokio::spawn(async move {
        if double.forgetful {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for webhook in webhooks {
            let _permit = double.sending.acquire().await;
            let _ = tokio::time::timeout(Duration::from_secs(1), send(&webhook, &event)).await;
        }
    });
}

async fn send(webhook: &Value, event: &Value) -> Result<()> {
    let url = webhook["url"].as_str().and_then(|url| url.strip_prefix("http://")).context("an http:// URL")?;
    let (address, path) = url.split_once('/').context("a path")?;
    let mut request = Vec::new();
    let id = event["id"].as_str().context("an id")?;
    write_request(&mut request, "POST", &format!("/{path}"), &[("webhook-id", id)], Some(event.to_string().as_bytes()));
    Wire::connect(address.parse()?).await?.exchange(&request).await?;
    Ok(())
}
