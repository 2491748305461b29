//! Answers as server-sent events, in the distinct connections mode of graphql-sse: `next` for each answer, then `complete`.
//!
//! A piece is made when the connection takes it: nothing waits in memory for a slow reader.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use serde_json::Value;

use super::media::Media;
use crate::failure::Failure;
use crate::operate::{Flow, refusal};

/// A comment is sent after so much silence.
const HEARTBEAT: Duration = Duration::from_secs(12);

enum Next {
    Flowing(Box<Flow>),
    Complete,
    Ended,
}

/// A subscription.
pub(super) fn flow(flow: Box<Flow>) -> Response {
    let pieces = stream::unfold(Next::Flowing(flow), |next| async move {
        let (piece, next) = match next {
            Next::Flowing(flow) => piece(flow).await,
            Next::Complete => (complete().to_owned(), Next::Ended),
            Next::Ended => return None,
        };
        Some((Ok::<Bytes, Infallible>(piece.into()), next))
    });
    // The answer begins at once, so that a client knows that it is subscribed.
    let begin = stream::iter([Ok::<Bytes, Infallible>(Bytes::from_static(b":\n\n"))]);
    response(Body::from_stream(futures_util::StreamExt::chain(begin, pieces)))
}

async fn piece(mut flow: Box<Flow>) -> (String, Next) {
    match tokio::time::timeout(HEARTBEAT, flow.next()).await {
        Err(_) => (":\n\n".to_owned(), Next::Flowing(flow)),
        Ok(Ok(Some(value))) => (next(&value), Next::Flowing(flow)),
        Ok(Ok(None)) => (complete().to_owned(), Next::Ended),
        Ok(Err(error)) => (next(&refusal(&[Failure::of(&error)])), Next::Complete),
    }
}

/// A single answer as a stream.
pub(super) fn single(value: &Value) -> Response {
    response(Body::from(format!("{}{}", next(value), complete())))
}

fn next(value: &Value) -> String {
    format!("event: next\ndata: {value}\n\n")
}

fn complete() -> &'static str {
    "event: complete\ndata:\n\n"
}

fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    for (name, value) in [(header::CONTENT_TYPE, Media::Events.content_type()), (header::CACHE_CONTROL, "no-store")] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // Proxies that buffer answers would hold events back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
