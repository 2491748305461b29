//! Making deliveries, and spoiling them.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::{Ambient, Event, TenantId, Timestamp};
use web::outbound::{Client, OutboundRequest};
use web::signature::WebhookSecret;

use super::Options;
use crate::Imitation;

/// How much of an answer is read.
const ANSWER: usize = 16 * 1024;

pub(super) struct Player {
    options: Options,
    imitation: Imitation,
    ambient: Ambient,
    client: Client,
    uri: Uri,
    tenant: TenantId,
}

/// One delivery, before it is sent.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) id: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A delivery to be made.
pub(super) struct Draft<'a> {
    player: &'a Player,
    id: Option<String>,
    event_type: String,
    data: Bytes,
    at: Timestamp,
    happened: Timestamp,
    secrets: Vec<WebhookSecret>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Status(u16, Duration),
    Nothing(String),
}

impl Answer {
    /// What it was, in words.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Status(status, took) => format!("{status} in {} ms", took.as_millis()),
            Self::Nothing(why) => format!("no answer: {why}"),
        }
    }

    /// Whether it was taken.
    pub(super) fn is_taken(&self) -> bool {
        matches!(self, Self::Status(200..=299, _))
    }

    /// Whether it was refused as a forgery should be.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Status(400..=499, _))
    }
}

impl Player {
    pub(super) fn new(options: &Options, imitation: Imitation, ambient: Ambient, client: Client, uri: Uri) -> Self {
        Self { options: options.clone(), imitation, tenant: ambient.id(), ambient, client, uri }
    }

    /// A good delivery of a new event, unless it is changed.
    pub(super) fn draft(&self) -> Draft<'_> {
        let now = self.ambient.now();
        Draft {
            player: self,
            id: None,
            event_type: self.options.event_type.clone(),
            data: Bytes::copy_from_slice(self.options.data.get().as_bytes()),
            at: now,
            happened: now,
            secrets: vec![self.options.secret.clone()],
        }
    }

    /// Somebody else's secret.
    pub(super) fn stranger(&self) -> WebhookSecret {
        WebhookSecret::generate(&self.ambient)
    }

    /// The right one.
    pub(super) fn secret(&self) -> WebhookSecret {
        self.options.secret.clone()
    }

    /// From when on an answer is slow.
    pub(super) fn slow(&self) -> Duration {
        self.options.slow
    }

    /// The header of the older signature, if the product sends one.
    pub(super) fn signature_header(&self) -> Option<&str> {
        self.imitation.signature_header()
    }

    pub(super) async fn send(&self, delivery: &Delivery) -> Answer {
        let request = OutboundRequest {
            method: Method::POST,
            uri: self.uri.clone(),
            headers: delivery.headers.clone(),
            body: delivery.body.clone(),
            timeout: self.options.timeout,
            response_cap: ANSWER,
            repeatable: false,
        };
        match self.client.send(request).await {
            Ok(answer) => Answer::Status(answer.status.as_u16(), answer.elapsed),
            Err(error) => Answer::Nothing(error.text),
        }
    }
}

impl Draft<'_> {
    /// Under this id.
    pub(super) fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Of this type.
    pub(super) fn event_type(mut self, event_type: &str) -> Self {
        event_type.clone_into(&mut self.event_type);
        self
    }

    /// With this `data`.
    pub(super) fn data(mut self, data: impl Into<Bytes>) -> Self {
        self.data = data.into();
        self
    }

    /// The `data` as it is so far.
    pub(super) fn present(&self) -> &[u8] {
        &self.data
    }

    /// Signed at another time.
    pub(super) fn signed(mut self, change: impl FnOnce(Timestamp) -> Timestamp) -> Self {
        self.at = change(self.at);
        self
    }

    /// Happened so long ago.
    pub(super) fn happened_before(mut self, ago: Duration) -> Self {
        self.happened = self.happened.minus(ago);
        self
    }

    /// Signed with these.
    pub(super) fn secrets(mut self, secrets: Vec<WebhookSecret>) -> Self {
        self.secrets = secrets;
        self
    }

    pub(super) fn make(self) -> Delivery {
        let id = self.id.clone().unwrap_or_else(|| self.player.ambient.event_id().to_string());
        let ambient_id = self.player.ambient.event_id();
        let event = Event {
            tenant: self.player.tenant,
            id: id.parse().unwrap_or(ambient_id),
            // Types of checks are written in this crate; the caller's was read from a blueprint.
            event_type: self.event_type.parse().unwrap_or_else(|_| "test.webhook".parse().expect("it is two words and a dot")),
            occurred_at: self.happened,
            created_at: self.happened,
            data: self.data,
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: None,
        };
        let body = self.player.imitation.body(&event);
        let headers = self.player.imitation.headers(&id, event.event_type.as_str(), &body, &self.secrets, self.at);
        Delivery { id, headers, body }
    }
}

impl Delivery {
    /// Without this header.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With another value of this header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        // Values of checks are printable ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// A header's value.
    pub(super) fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    /// With a member that somebody put into the body.
    pub(super) fn tampered(mut self) -> Self {
        self.body = match self.body.strip_prefix(b"{") {
            Some(rest) => [br#"{"tampered":true,"#, rest].concat(),
            None => [&self.body[..], b" "].concat(),
        }
        .into();
        self
    }
}
