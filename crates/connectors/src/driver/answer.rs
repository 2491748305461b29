//! An answer, read.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use kernel::Timestamp;
use serde_json::Value;

use crate::Reply;

/// A vendor's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// The body as JSON; `null` where it is empty or none.
    pub json: Value,
    /// When it was read.
    pub at: Timestamp,
}

impl Answer {
    /// Reads it. A good answer to [`super::fetch`] stays as it is (`wants_json` is not set): whoever asked has a reader of its own, and a tree of
    /// a page with hundreds of records costs more than all the rest of it.
    pub(super) fn new(reply: Reply, at: Timestamp, wants_json: bool) -> Self {
        let json =
            if wants_json || !reply.status.is_success() { serde_json::from_slice(&reply.body).unwrap_or_default() } else { Value::Null };
        Self { status: reply.status, headers: reply.headers, body: reply.body, json, at }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A text inside of the JSON, by its pointer (RFC 6901): `/error/code`.
    pub fn text(&self, pointer: &str) -> Option<&str> {
        self.json.pointer(pointer)?.as_str()
    }

    /// Whether there is something in the body, and it is no JSON.
    pub fn is_garbled(&self) -> bool {
        self.json.is_null() && !self.body.trim_ascii().is_empty() && self.body.trim_ascii() != b"null"
    }

    /// What the body is, for people: its kind, never its content, if it is no JSON.
    pub(super) fn kind(&self) -> String {
        let media = self.header("content-type").unwrap_or("no media type");
        let media = media.split(';').next().unwrap_or_default().trim();
        format!("HTTP {} with {} bytes of {}", self.status.as_u16(), self.body.len(), super::bounded(media))
    }
}
