//! Forwarding to the local receiver.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::{Ambient, Event, Result, TenantId, Timestamp};
use tokio::sync::watch;
use web::outbound::{Client, OutboundRequest};
use web::signature::{WebhookSecret, sign_standard};

use super::files::{self, Recording};
use super::remote::Item;
use super::show::{Line, Outcome};
use super::{Options, pause};
use crate::Imitation;
use crate::form::older;

/// How much of the receiver's answer is read.
const ANSWER: usize = 16 * 1024;

pub(super) struct Forwarder {
    options: Options,
    ambient: Ambient,
    client: Client,
    imitation: Imitation,
    uri: Uri,
    /// Whose events they are does not matter here, but an event has an owner.
    tenant: TenantId,
}

impl Forwarder {
    pub(super) fn new(options: &Options, ambient: Ambient, client: Client, imitation: Imitation) -> Result<Self> {
        let refused = |refusal: web::outbound::Refusal| refusal.into_error("/forward");
        let url = client.verdict_on_syntax(&options.forward).map_err(refused)?;
        let uri = web::outbound::to_uri(&url).map_err(refused)?;
        Ok(Self { options: options.clone(), tenant: ambient.id(), ambient, client, imitation, uri })
    }

    /// Forwards until it is answered 2xx, or once if failures are not to be tried again. False: told to stop before that.
    pub(super) async fn deliver(&self, item: &Item, say: &(dyn Fn(Line) + Sync), stop: &watch::Receiver<bool>) -> Result<bool> {
        let event = self.event(item);
        let body = self.imitation.body(&event);
        let (id, event_type) = (event.id.as_str(), event.event_type.as_str());
        for attempt in 0.. {
            let now = self.ambient.now();
            let headers = self.imitation.headers(id, event_type, &body, std::slice::from_ref(&self.options.secret), now);
            if let Some(dir) = self.options.record.as_deref().filter(|_| attempt == 0) {
                files::write(dir, &Recording::new(id, event_type, now, &headers, &body))?;
            }
            let (outcome, took) = self.send(headers, body.clone()).await;
            let again = (!outcome.is_good() && self.options.retry).then(|| self.options.wait_before(attempt));
            let good = outcome.is_good();
            say(Line::Forwarded { at: now, event_type: event_type.to_owned(), id: id.to_owned(), outcome, took, again });
            match again {
                _ if good => return Ok(true),
                None => return Ok(true),
                Some(wait) => {
                    if pause(wait, stop).await {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    /// Sends a recorded delivery with its own headers, timestamped and signed anew. Whether it was answered 2xx.
    pub(super) async fn send_again(&self, recording: &Recording, say: &(dyn Fn(Line) + Sync)) -> Result<bool> {
        let now = self.ambient.now();
        let body = Bytes::from(recording.body.clone());
        let headers = signed_anew(recording, &self.options.secret, now);
        let (outcome, took) = self.send(headers, body).await;
        let good = outcome.is_good();
        let (event_type, id) = (recording.event_type.clone(), recording.id.clone());
        say(Line::Forwarded { at: now, event_type, id, outcome, took, again: None });
        Ok(good)
    }

    async fn send(&self, headers: HeaderMap, body: Bytes) -> (Outcome, Duration) {
        let (uri, timeout) = (self.uri.clone(), self.options.timeout);
        match self
            .client
            .send(OutboundRequest { method: Method::POST, uri, headers, body, timeout, response_cap: ANSWER, repeatable: true })
            .await
        {
            Ok(answer) => (Outcome::Answered(answer.status.as_u16()), answer.elapsed),
            Err(error) => (Outcome::Silent(error.text), error.elapsed),
        }
    }

    fn event(&self, item: &Item) -> Event {
        Event {
            tenant: self.tenant,
            id: item.id.clone(),
            event_type: item.event_type.clone(),
            occurred_at: item.occurred_at,
            created_at: item.created_at,
            data: Bytes::copy_from_slice(item.data.get().as_bytes()),
            client: None,
            channels: Vec::new(),
            ordering_key: None,
            deliver_at: None,
            schema_version: item.schema_version,
        }
    }
}

/// The recorded headers with the time and the signatures of now. A header whose value has the older signature's form is signed too.
fn signed_anew(recording: &Recording, secret: &WebhookSecret, now: Timestamp) -> HeaderMap {
    let (at, recorded_at) = (now.seconds(), recording.forwarded_at.to_string());
    let secrets = std::slice::from_ref(secret);
    let mut headers = HeaderMap::new();
    for (name, value) in &recording.headers {
        let value = match name.as_str() {
            "webhook-timestamp" => at.to_string(),
            "webhook-signature" => sign_standard(secrets, &recording.id, at, recording.body.as_bytes()),
            _ if *value == recorded_at => now.to_string(),
            _ if value.starts_with("t=") && value.contains(",v1=") => older(secrets, at, recording.body.as_bytes()),
            _ => value.clone(),
        };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            headers.append(name, value);
        }
    }
    headers
}
