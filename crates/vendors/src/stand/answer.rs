//! One answer, before it is sent.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use super::text;
use crate::faults::RetryAfter;

/// How the answer reaches the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Whole,
    /// The connection ends after half of the body.
    Half,
    /// The connection ends before the first byte.
    Never,
}

/// What a double says.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether it arrives.
    pub ending: Ending,
    /// How long it is held back, by the machine's clock.
    pub delay: Duration,
}

impl Answer {
    /// A body of a media type. A status that is none becomes 500.
    pub fn raw(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::empty(status);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        answer.body = body.into();
        answer
    }

    /// A JSON body.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json;charset=UTF-8", body.to_string())
    }

    /// No body.
    pub fn empty(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: Bytes::new(), ending: Ending::Whole, delay: Duration::ZERO }
    }

    /// 302 to a URL.
    pub fn redirect(url: &str) -> Self {
        let mut answer = Self::empty(302);
        if let Ok(url) = url.parse() {
            answer.headers.insert(LOCATION, url);
        }
        answer
    }

    /// With a header field. A value that no field may have is left out.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// With `Retry-After`, where it is told.
    #[must_use]
    pub fn retry(self, retry: RetryAfter, now: i64) -> Self {
        match retry {
            RetryAfter::Silent => self,
            RetryAfter::Seconds(seconds) => self.with("retry-after", &seconds.to_string()),
            RetryAfter::Date(seconds) => {
                let at = now.saturating_add(i64::try_from(seconds).unwrap_or(0).saturating_mul(1000));
                self.with("retry-after", &text::http_date(at))
            }
        }
    }

    /// The body as JSON, `null` if it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
