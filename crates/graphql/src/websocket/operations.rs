//! An operation of a socket: a request of its own through the gate, and what becomes of it.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt as _;
use web::PeerAddress;

use super::messages;
use crate::failure::Failure;
use crate::http::{Direct, Flowing};
use crate::routes::Doors;

/// Headers that say who asks; the payload of `connection_init` may have them too, whatever the case.
const WHO: [&str; 3] = ["authorization", "x-api-secret", "tradewind-tenant"];

/// What every request of a socket has.
#[derive(Clone)]
pub(super) struct Origin {
    headers: HeaderMap,
    peer: Option<PeerAddress>,
}

impl Origin {
    /// From the request that asked for the socket.
    pub(super) fn new(parts: &Parts) -> Self {
        let mut headers = HeaderMap::new();
        let names = WHO.iter().copied().chain([header::USER_AGENT.as_str()]);
        for name in names {
            if let Some(value) = parts.headers.get(name) {
                headers.insert(HeaderName::from_bytes(name.as_bytes()).expect("these are names of headers"), value.clone());
            }
        }
        Self { headers, peer: parts.extensions.get::<PeerAddress>().copied() }
    }

    /// Takes what `connection_init` says of who asks, in its payload or in `headers` there.
    pub(super) fn told(&mut self, payload: &Map<String, Value>) {
        let inside = payload.get("headers").and_then(Value::as_object);
        for (name, value) in payload.iter().chain(inside.into_iter().flatten()) {
            let name = name.to_ascii_lowercase();
            let (true, Some(text)) = (WHO.contains(&name.as_str()), value.as_str()) else { continue };
            // A token alone is what it is.
            let bare = name == "authorization" && !text.trim().contains(' ');
            let text = if bare { format!("Bearer {}", text.trim()) } else { text.to_owned() };
            if let (Ok(name), Ok(mut value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&text)) {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
        }
    }

    fn request(&self, method: Method, path: &str, body: Body) -> Request {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path of ours");
        request.headers_mut().extend(self.headers.clone());
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        request
    }
}

/// Whether the credential is good.
pub(super) async fn is_welcome(doors: &Doors, origin: &Origin) -> bool {
    let request = origin.request(Method::GET, doors.path, Body::empty());
    match doors.connect.clone().oneshot(request).await {
        Ok(response) => response.status().is_success(),
        Err(never) => match never {},
    }
}

/// What an operation says.
pub(super) struct Said {
    /// Whose it is: the client's id for the operation, and ours, since ids come again.
    pub(super) id: String,
    /// Ours.
    pub(super) number: u64,
    /// The message.
    pub(super) text: String,
    /// Whether it is the last.
    pub(super) is_last: bool,
}

/// An operation's voice.
pub(super) struct Voice {
    /// The client's id for it.
    pub(super) id: String,
    /// Ours.
    pub(super) number: u64,
    /// The socket.
    pub(super) out: mpsc::Sender<Said>,
}

impl Voice {
    /// False: the socket has gone.
    async fn say(&self, text: String, is_last: bool) -> bool {
        self.out.send(Said { id: self.id.clone(), number: self.number, text, is_last }).await.is_ok()
    }
}

/// Runs an operation and sends what becomes of it.
pub(super) async fn run(doors: Doors, origin: Origin, params: Value, voice: Voice) {
    let id = voice.id.clone();
    let mut request = origin.request(Method::POST, doors.path, Body::from(params.to_string()));
    request.extensions_mut().insert(Direct);
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/graphql-response+json"));
    let mut response = match doors.post.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let flow = response.extensions_mut().remove::<Flowing>();
    let flow = flow.and_then(|flowing| flowing.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take());
    let last = match flow {
        None => single(&voice, response).await,
        Some(mut flow) => loop {
            match flow.next().await {
                Ok(Some(value)) => {
                    if !voice.say(messages::next(&id, &value), false).await {
                        return;
                    }
                }
                Ok(None) => break messages::complete(&id),
                Err(error) => break messages::error(&id, &json!([Failure::of(&error).json()])),
            }
        },
    };
    // The socket may have gone.
    let _ = voice.say(last, true).await;
}

/// A single answer. The message that ends the operation.
async fn single(voice: &Voice, response: Response) -> String {
    let id = &voice.id;
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match value.get("errors").filter(|_| value.get("data").is_none()) {
        Some(errors) if errors.is_array() && value.get("code").is_none() => messages::error(id, errors),
        // The gate refused: a problem.
        _ if !status.is_success() => {
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
            messages::error(id, &json!([{"message": text("detail"), "extensions": {"code": text("code")}}]))
        }
        _ => {
            // The socket may have gone; then the end is not sent either.
            let _ = voice.say(messages::next(id, &value), false).await;
            messages::complete(id)
        }
    }
}
