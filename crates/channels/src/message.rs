//! What is sent: the webhook's body and the webhook's headers, as a broker's message has them.

use blueprint::model::BodyForm;
use bytes::Bytes;
use dispatch::AttemptInput;
use dispatch::http::Body;
use http::{HeaderMap, HeaderName, HeaderValue};
use web::signature::sign_standard;

use crate::configuration::Secrets;

/// Writes bodies, in the form of the product's webhooks.
#[derive(Clone)]
pub(crate) struct Writer {
    body: Body,
    /// The same, but always with id and type inside: where a body stands without headers.
    complete: Body,
}

impl Writer {
    pub(crate) fn new(form: &BodyForm) -> Self {
        let complete = if matches!(form, BodyForm::DataOnly) { &BodyForm::Envelope } else { form };
        Self { body: Body::new(form), complete: Body::new(complete) }
    }

    /// The body as one line that says what it is.
    pub(crate) fn line(&self, input: &AttemptInput<'_>) -> Vec<u8> {
        let mut line = self.complete.write(input.event).to_vec();
        // JSON has line ends between its tokens only, never inside a string.
        line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        line.push(b'\n');
        line
    }

    /// The message of this attempt.
    pub(crate) fn message(&self, input: &AttemptInput<'_>, secrets: &Secrets) -> Message {
        let (event, at) = (input.event, input.now.seconds());
        let body = self.body.write(event);
        let id = event.id.as_str().to_owned();
        let event_type = event.event_type.as_str().to_owned();
        let mut headers =
            vec![("content-type", "application/json".to_owned()), ("webhook-id", id.clone()), ("webhook-type", event_type.clone())];
        headers.push(("webhook-timestamp", at.to_string()));
        let secrets = secrets.at(input.now);
        if !secrets.is_empty() {
            headers.push(("webhook-signature", sign_standard(&secrets, &id, at, &body)));
        }
        if input.seq > 0 {
            headers.push(("webhook-sequence", input.seq.to_string()));
        }
        Message { id, event_type, body, headers, at_seconds: at, ordering_key: event.ordering_key.clone() }
    }
}

/// One message.
pub(crate) struct Message {
    /// The event's id, the same on every attempt: what a receiver tells repetitions by.
    pub(crate) id: String,
    pub(crate) event_type: String,
    pub(crate) body: Bytes,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Unix seconds of this attempt.
    pub(crate) at_seconds: i64,
    pub(crate) ordering_key: Option<String>,
}

impl Message {
    /// The headers as the attempt log shows them.
    pub(crate) fn shown(&self) -> HeaderMap {
        let read = |(name, value): &(&'static str, String)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?));
        self.headers.iter().filter_map(read).collect()
    }
}
