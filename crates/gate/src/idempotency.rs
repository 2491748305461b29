//! `Idempotency-Key`: the same key and the same request get the first answer again.
//!
//! An operation's answer is kept by `store` with its effect. What has no effect (a 404, a 422) is kept here, afterwards. A request whose
//! twin still runs on this node gets 409; across nodes the database makes the second wait for the first.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use kernel::{Caller, Error, RequestId, RequestSlot, Result, Scope};
use store::KeptAnswer;
use web::Endpoint;

use crate::Gate;

const KEY_HEADER: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Longest key in characters.
const MAX_KEY: usize = 255;
/// Largest answer that is kept, in bytes.
const MAX_KEPT: usize = 1024 * 1024;

/// Keys whose requests are running on this node.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<(String, String)>>>);

/// A running request's hold on its key.
pub(crate) struct Hold {
    running: InFlight,
    name: (String, String),
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

impl InFlight {
    fn hold(&self, slot: &RequestSlot) -> Result<Hold> {
        let name = (slot.owner.clone(), slot.key.clone());
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
            let text = "A request with this idempotency key is still running. Try again when it has ended.";
            return Err(Error::conflict("idempotency_key_busy", text).retry_after(std::time::Duration::from_secs(1)));
        }
        Ok(Hold { running: self.clone(), name })
    }
}

/// What a request with a key goes on with.
pub(crate) enum Entrance {
    /// Run it, with its slot.
    Run(Box<Request>, RequestSlot, Hold),
    /// It was answered before.
    Replay(Response),
}

/// The key of a request, if it sent one to an endpoint that honours it.
pub(crate) fn key(endpoint: &Endpoint, headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(KEY_HEADER).filter(|_| endpoint.idempotent) else { return Ok(None) };
    let fits = |text: &&str| (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    let text = value.to_str().ok().filter(fits);
    text.map(|text| Some(text.to_owned()))
        .ok_or_else(|| Error::malformed("invalid_idempotency_key", "An idempotency key has 1 to 255 printable ASCII characters."))
}

impl Gate {
    /// Reads the body, to know what the request says, and looks whether it was answered before.
    pub(crate) async fn enter(&self, endpoint: &Endpoint, caller: &Caller, key: String, request: Request) -> Result<Entrance> {
        let (parts, body) = request.into_parts();
        let bytes = web::read_body(body, endpoint.body_limit).await?;
        let mut hasher = blake3::Hasher::new();
        for part in [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), parts.uri.query().unwrap_or("").as_bytes(), &bytes] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        // A service key acts for many tenants: the same key for two of them is two keys.
        let owner = caller.tenant().map_or_else(|| caller.actor().to_string(), |tenant| format!("{}@{tenant}", caller.actor()));
        let slot = RequestSlot::new(key, owner, *hasher.finalize().as_bytes());
        let hold = self.in_flight.hold(&slot)?;
        if let Some(kept) = self.store.kept_answer(Scope::system("gate"), &slot).await? {
            return Ok(Entrance::Replay(replay(kept)));
        }
        Ok(Entrance::Run(Box::new(Request::from_parts(parts, Body::from(bytes))), slot, hold))
    }

    /// Marks a replayed answer; keeps a new one that no operation kept.
    pub(crate) async fn leave(&self, id: RequestId, slot: &RequestSlot, mut response: Response) -> Response {
        if slot.is_replayed() {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if slot.is_taken() && response.status().is_success() || !is_final(response.status()) {
            return response;
        }
        let (parts, body) = response.into_parts();
        let bytes = match http_body_util::Limited::new(body, MAX_KEPT).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) => {
                // The body is gone; what was done is done, and a repeat will be executed or replayed by its operation.
                tracing::warn!(%error, "an answer is too large to be kept for its idempotency key");
                return web::render(&Error::internal("answer too large to keep"), web::problem().as_ref(), id);
            }
        };
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let kept = KeptAnswer { status: parts.status.as_u16(), content_type, body: bytes.to_vec() };
        if let Err(error) = self.store.keep_answer(Scope::system("gate"), slot, kept).await {
            tracing::warn!(?error, "an answer could not be kept for its idempotency key");
        }
        Response::from_parts(parts, Body::from(bytes))
    }
}

/// Whether an answer says something lasting about the request itself. Who may do what, and whether there is room, can change.
fn is_final(status: StatusCode) -> bool {
    !status.is_server_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::CONFLICT
                | StatusCode::TOO_MANY_REQUESTS
        )
}

fn replay(kept: KeptAnswer) -> Response {
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    if let Ok(content_type) = HeaderValue::from_str(&kept.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
