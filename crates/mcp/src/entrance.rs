//! What arrives at `/mcp`: messages of JSON-RPC 2.0, one a request.
//!
//! The gate counts a request once. So a call of a tool goes straight to the endpoint that it means, which the gate guards; whatever else
//! comes, also what cannot be read, goes through a route of its own behind the gate.

use std::sync::{Arc, Weak};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kernel::{Error, Kind};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;
use web::{Endpoint, Failure, Json, read_body};

use crate::server::{self, Slot};
use crate::{MAX_MESSAGE, Mcp};

pub(crate) const PATH: &str = "/mcp";

/// The codes of JSON-RPC 2.0 §5.1.
const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;

pub(crate) fn endpoint() -> Endpoint {
    let message = json!({
        "type": "object",
        "required": ["jsonrpc", "method"],
        "properties": {"jsonrpc": {"const": "2.0"}, "id": {"type": ["string", "integer"]}, "method": {"type": "string"}, "params": {"type": "object"}},
    });
    let answer = json!({
        "type": "object",
        "properties": {"jsonrpc": {"const": "2.0"}, "id": {"type": ["string", "integer", "null"]}, "result": {"type": "object"}, "error": {"type": "object"}},
    });
    Endpoint::post(PATH, "mcp.message")
        .tag("MCP")
        .summary("The endpoints that the credential may use, as tools for agents: Model Context Protocol, streamable HTTP without sessions.")
        .describe("One message of JSON-RPC a request. A call of a tool counts in limits and in the request log as the endpoint that it calls; any other message as this one.")
        .query(&[("tags", "Only tools of these groups of the documentation, by name, with commas between them")])
        .idempotent(false)
        .body_limit(MAX_MESSAGE)
        .body_schema(message)
        .answers_schema(200, answer.clone())
        // What is no message is told in the protocol's form.
        .answers_schema(400, answer)
        .answers_empty(202)
}

pub(crate) async fn enter(State(mcp): State<Arc<Mcp>>, request: Request) -> web::Result<Response> {
    let (mut parts, body) = request.into_parts();
    let bytes = read_body(body, MAX_MESSAGE).await?;
    let stranger = check_origin(&mcp, &parts.headers).await?;
    let prepared = match read(&bytes) {
        Ok(Message::Call { tool, arguments }) if !stranger => mcp.prepare(&tool, &arguments, &parts.headers).await,
        _ => None,
    };
    match prepared {
        Some(prepared) => {
            let slot = Slot::with(prepared);
            parts.extensions.insert(Arc::clone(&slot));
            let answer = speak(&mcp, parts, bytes).await;
            Ok(slot.finish(answer))
        }
        None => {
            let router = mcp.guarded.get().cloned().ok_or_else(|| Error::internal("the entrance of agents was not built"))?;
            let Ok(answer) = router.oneshot(Request::from_parts(parts, Body::from(bytes))).await;
            Ok(answer)
        }
    }
}

/// The same behind the gate: what calls no tool.
pub(crate) async fn guarded(State(mcp): State<Weak<Mcp>>, request: Request) -> Response {
    let gone = || Failure(Error::unavailable("overloaded", "The server is being replaced. Try again.")).into_response();
    let Some(mcp) = mcp.upgrade() else { return gone() };
    let (parts, body) = request.into_parts();
    match read_body(body, MAX_MESSAGE).await {
        Err(error) => Failure(error).into_response(),
        Ok(bytes) => match read(&bytes) {
            Err((code, text)) => fault(code, &text),
            Ok(_) => speak(&mcp, parts, bytes).await,
        },
    }
}

/// A message, as far as it matters here.
enum Message {
    Call { tool: String, arguments: Map<String, Value> },
    Other,
}

/// Error: a code of JSON-RPC, and what is wrong.
fn read(bytes: &[u8]) -> Result<Message, (i32, String)> {
    let message: Value = serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        (PARSE_ERROR, format!("The body is not JSON, or nests too deeply, at {place}."))
    })?;
    let Value::Object(mut message) = message else {
        let batch = "Send one message a request: batches are not part of the protocol since 2025-06-18.";
        let text = if message.is_array() { batch } else { "A message is an object." };
        return Err((INVALID_REQUEST, text.to_owned()));
    };
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err((INVALID_REQUEST, "A message has the member \"jsonrpc\": \"2.0\".".to_owned()));
    }
    let is_call = message.get("method").and_then(Value::as_str) == Some("tools/call") && message.contains_key("id");
    let Some(Value::Object(params)) = message.get_mut("params").filter(|_| is_call) else { return Ok(Message::Other) };
    let arguments = match params.remove("arguments") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(arguments)) => arguments,
        Some(_) => return Ok(Message::Other),
    };
    match params.remove("name") {
        Some(Value::String(tool)) => Ok(Message::Call { tool, arguments }),
        _ => Ok(Message::Other),
    }
}

/// Pages may call from the server's own origin and from those of the client (the protocol wants this against DNS rebinding). Answers
/// whether a page calls whose credential is not known: the gate will say so.
async fn check_origin(mcp: &Mcp, headers: &HeaderMap) -> Result<bool, Failure> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(false) };
    let refused = || Error::forbidden("origin_not_allowed", "Pages of this origin may not call. Add it to the client's allowedOrigins.");
    let origin = origin.to_str().map_err(|_| refused())?;
    if origin == mcp.origin {
        return Ok(false);
    }
    match mcp.principal(headers).await {
        Ok(principal) if principal.origin_allowed(origin) => Ok(false),
        Ok(_) => Err(refused().into()),
        Err(error) if error.kind() == Kind::Unauthenticated => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Gives a message to the protocol's own library.
async fn speak(mcp: &Arc<Mcp>, mut parts: Parts, bytes: Bytes) -> Response {
    let json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    if !parts.headers.get(header::CONTENT_TYPE).is_some_and(json) {
        let error = Error::new(Kind::UnsupportedMedia, "unsupported_media_type", "Send the message as application/json.");
        return Failure(error).into_response();
    }
    // The answer is JSON for whoever asks: a client that says less about what it takes is served too.
    parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    // Our limit holds, not the library's look at a length that was true before.
    parts.headers.remove(header::TRANSFER_ENCODING);
    let answer = server::service(mcp).handle(http::Request::from_parts(parts, http_body_util::Full::new(bytes))).await;
    let (parts, body) = answer.into_parts();
    let is_json = parts.headers.get(header::CONTENT_TYPE).is_some_and(json);
    if parts.status.is_client_error() && !is_json {
        return fault(INVALID_REQUEST, "This is no message of the protocol: its method, its id or its parameters do not fit.");
    }
    Response::from_parts(parts, Body::new(body))
}

fn fault(code: i32, text: &str) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": text}});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a", "arguments": {"x": 1}}});
        assert!(matches!(read(call.to_string().as_bytes()), Ok(Message::Call { tool, arguments }) if tool == "a" && arguments["x"] == 1));
        for other in [
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
            json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "a"}}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 7}}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a", "arguments": []}}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": 7}),
        ] {
            assert!(matches!(read(other.to_string().as_bytes()), Ok(Message::Other)), "{other}");
        }
    }

    #[test]
    fn what_is_no_message_has_a_code() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for (text, code) in [
            ("", PARSE_ERROR),
            ("{", PARSE_ERROR),
            (deep.as_str(), PARSE_ERROR),
            ("[]", INVALID_REQUEST),
            ("7", INVALID_REQUEST),
            ("{}", INVALID_REQUEST),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, INVALID_REQUEST),
        ] {
            assert_eq!(read(text.as_bytes()).err().map(|fault| fault.0), Some(code), "{text:.20}");
        }
    }
}
