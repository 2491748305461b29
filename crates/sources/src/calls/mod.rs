//! Calls to a source's address: taking them in, reading what they say, answering.

mod accept;
mod answer;
mod content;
mod interpret;
mod receive;

use bytes::Bytes;
use http::{HeaderMap, Method, header};

pub use accept::Outcome;
pub(crate) use accept::emit_anyway;
pub(crate) use content::Content;
pub(crate) use interpret::{Reading, interpret};
pub(crate) use receive::handle;

/// Largest body of a call: what fits into an event.
pub(crate) const MAX_BODY: usize = events::MAX_DATA;

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// As it came, without the question mark.
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// A header's value, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type of the body, in lower case, without parameters.
    pub(crate) fn media_type(&self) -> String {
        let text = self.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the body is a form.
    pub(crate) fn is_form(&self) -> bool {
        self.media_type() == "application/x-www-form-urlencoded"
    }

    /// The first value of a query parameter.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref()?.as_bytes();
        url::form_urlencoded::parse(query).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }
}
