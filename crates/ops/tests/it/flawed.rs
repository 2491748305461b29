//! A receiver that does everything right but for one flaw.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use web::signature::{WebhookSecret, sign_standard, verify_standard};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// It verifies nothing.
    TakesEverything,
    /// It looks at no timestamp.
    AnyTime,
    /// It refuses old timestamps only.
    AnyFuture,
    /// Without a signature it takes the delivery for an internal one.
    NoSignatureIsFine,
    /// It takes the id for the signed text from the body.
    IdOfTheBody,
    /// It fails on what it cannot decode.
    FailsOnGarbage,
    /// It compares as many characters as there are.
    ComparesPrefixes,
    /// It looks at the last signature only.
    LastSignatureOnly,
    /// It knows no version but its own.
    OneVersionOnly,
    /// It parses the body and writes it again before it verifies.
    WritesAgain,
    /// It refuses an id that it has seen.
    RefusesRepeats,
    /// It refuses what is older than the newest that it has seen.
    RefusesOlder,
    /// It refuses types that it does not know.
    KnownTypesOnly,
    /// It refuses members that it does not know.
    KnownMembersOnly,
    /// It takes so many bytes.
    Limit(usize),
    /// It serves one request at a time and turns the others away.
    OneAtATime,
    /// It works before it answers.
    Slow,
    /// It is not there.
    Absent,
}

struct Receiver {
    flaw: Flaw,
    secret: WebhookSecret,
    seen: Mutex<HashSet<String>>,
    newest: Mutex<String>,
    busy: tokio::sync::Mutex<()>,
}

/// Starts one; its URL. It ends with the runtime.
pub(crate) async fn start(flaw: Flaw, secret: &WebhookSecret) -> String {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    if flaw == Flaw::Absent {
        return url;
    }
    let (seen, newest, busy) = (Mutex::default(), Mutex::default(), tokio::sync::Mutex::default());
    let receiver = Arc::new(Receiver { flaw, secret: secret.clone(), seen, newest, busy });
    let limit = if let Flaw::Limit(bytes) = flaw { bytes } else { 4 << 20 };
    let router = Router::new().route("/webhooks", post(take)).layer(axum::extract::DefaultBodyLimit::max(limit)).with_state(receiver);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn take(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let _alone = match receiver.flaw {
        Flaw::OneAtATime => match receiver.busy.try_lock() {
            Ok(alone) => {
                // tidy: condition: a receiver that takes its time is what is tested
                tokio::time::sleep(Duration::from_millis(30)).await;
                Some(alone)
            }
            Err(_) => return StatusCode::SERVICE_UNAVAILABLE,
        },
        Flaw::Slow => {
            // tidy: condition: a receiver that takes its time is what is tested
            tokio::time::sleep(Duration::from_millis(120)).await;
            None
        }
        _ => None,
    };
    match receiver.judge(&headers, &body) {
        Ok(()) => receiver.process(&headers, &body),
        Err(status) => status,
    }
}

impl Receiver {
    fn judge(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), StatusCode> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let (mut id, at, mut signatures) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
        let now = kernel::Ambient::system().now().seconds();
        let mut body = body.to_vec();
        let mut tolerance = (now, 300);
        match self.flaw {
            Flaw::TakesEverything => return Ok(()),
            Flaw::AnyTime => tolerance = (at.parse().unwrap_or(0), 300),
            Flaw::AnyFuture => tolerance = (now.max(at.parse().unwrap_or(0)), 300),
            Flaw::NoSignatureIsFine if !headers.contains_key("webhook-signature") => return Ok(()),
            Flaw::IdOfTheBody if !id.is_empty() => id = parsed(&body)["id"].as_str().unwrap_or_default().to_owned(),
            Flaw::LastSignatureOnly => signatures = signatures.rsplit(' ').next().unwrap_or_default().to_owned(),
            Flaw::OneVersionOnly if signatures.split(' ').any(|entry| !entry.starts_with("v1,")) => return Err(StatusCode::BAD_REQUEST),
            Flaw::FailsOnGarbage => {
                use base64::Engine as _;
                let texts = signatures.split(' ').filter_map(|entry| entry.strip_prefix("v1,"));
                if texts.into_iter().any(|text| base64::engine::general_purpose::STANDARD.decode(text).is_err()) {
                    return Err(StatusCode::INTERNAL_SERVER_ERROR);
                }
            }
            Flaw::WritesAgain => body = parsed(&body).to_string().into_bytes(),
            Flaw::ComparesPrefixes if !id.is_empty() && signatures == "v1," => {
                let expected = sign_standard(std::slice::from_ref(&self.secret), &id, now, &body);
                return if expected.starts_with(&signatures) { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) };
            }
            _ => {}
        }
        let secrets = std::slice::from_ref(&self.secret);
        verify_standard(secrets, &id, &at, &signatures, &body, tolerance.0, tolerance.1).map_err(|_| StatusCode::UNAUTHORIZED)
    }

    fn process(&self, headers: &HeaderMap, body: &[u8]) -> StatusCode {
        let event = parsed(body);
        let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let is_new = self.seen.lock().unwrap().insert(id);
        let time = event["timestamp"].as_str().unwrap_or_default().to_owned();
        let mut newest = self.newest.lock().unwrap();
        let is_older = time < *newest;
        *newest = newest.clone().max(time);
        let known_members = event["data"].as_object().is_some_and(|data| data.keys().all(|name| name == "message" || name == "at"));
        let refused = match self.flaw {
            Flaw::RefusesRepeats => !is_new,
            Flaw::RefusesOlder => is_older,
            Flaw::KnownTypesOnly => event["type"] != "lead.created",
            Flaw::KnownMembersOnly => !known_members,
            _ => false,
        };
        if refused { StatusCode::CONFLICT } else { StatusCode::NO_CONTENT }
    }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
