//! The HTTP channel: one signed request per attempt, through the guarded client.

mod body;
mod configuration;
mod prepared;
mod retry_after;

use std::time::Duration;

use blueprint::model::Webhooks;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kernel::{Error, Result, Timestamp};
use serde_json::Value;
use web::outbound::{Client, OutboundError, OutboundFault, OutboundRequest, OutboundResponse};
use web::signature::{sign_legacy, sign_standard};

use crate::channel::{AttemptError, AttemptInput, AttemptOutcome, AttemptReport, Channel, MAX_BODY, Prepared};
use body::Body;
use prepared::HttpTarget;

pub use configuration::{Auth, HttpConfig, MAX_HEADERS, SecretEntry};

/// The channel's name.
pub const NAME: &str = "http";

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const SEQUENCE: HeaderName = HeaderName::from_static("webhook-sequence");

/// Delivers by HTTP, in the form that a blueprint sets.
pub struct HttpChannel {
    client: Client,
    body: Body,
    form: Form,
}

/// The blueprint's own headers, beside the standard ones.
#[derive(Clone, Debug, Default)]
struct Form {
    id: Option<HeaderName>,
    event: Option<HeaderName>,
    timestamp: Option<HeaderName>,
    signature: Option<HeaderName>,
}

impl Form {
    fn new(webhooks: &Webhooks) -> Result<Self> {
        let name = |text: &Option<String>| -> Result<Option<HeaderName>> {
            let fault = |_| Error::invalid("invalid_blueprint", format!("{text:?} is not a header name."));
            text.as_ref().map(|text| text.parse().map_err(fault)).transpose()
        };
        Ok(Self {
            id: name(&webhooks.id_header)?,
            event: name(&webhooks.event_header)?,
            timestamp: name(&webhooks.timestamp_header)?,
            signature: name(&webhooks.signature_header)?,
        })
    }

    fn names(&self) -> impl Iterator<Item = &HeaderName> {
        [&self.id, &self.event, &self.timestamp, &self.signature].into_iter().flatten()
    }
}

impl HttpChannel {
    /// A channel over `client`, in the form of `webhooks`. Error: 422 when the blueprint's header names are none.
    pub fn new(client: Client, webhooks: &Webhooks) -> Result<Self> {
        Ok(Self { client, body: Body::new(&webhooks.body), form: Form::new(webhooks)? })
    }

    async fn check_config(&self, config: &Value) -> Result<Value> {
        let parsed = HttpConfig::read(config)?;
        let own: Vec<&HeaderName> = self.form.names().collect();
        parsed.check(&own)?;
        match self.client.verdict(&parsed.url).await {
            Ok(_) => {}
            // It is judged again before each connection.
            Err(refusal) if refusal.is_unresolvable() => {}
            Err(refusal) => return Err(refusal.into_error("/url")),
        }
        serde_json::to_value(&parsed).map_err(Error::internal)
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let Some(target) = input.prepared.get::<HttpTarget>() else {
            return AttemptReport::failure(AttemptOutcome::Refused("refused"), "refused", "not an HTTP destination", Duration::ZERO);
        };
        let body = self.body.write(input.event);
        let signed = self.headers(target, input, &body);
        let mut headers = target.headers.clone();
        headers.extend(signed.clone());
        let mut shown = target.shown.clone();
        shown.extend(signed);
        target.sign_body(&mut headers, &mut shown, &body);
        let (method, uri, timeout) = (target.method.clone(), target.uri.clone(), input.timeout);
        let request = OutboundRequest { method, uri, headers, body, timeout, response_cap: MAX_BODY };
        match self.client.send(request).await {
            Ok(answer) => answered(answer, shown, input.now),
            Err(error) => unanswered(error, shown),
        }
    }

    /// The headers of this attempt: Standard Webhooks', and the blueprint's.
    fn headers(&self, target: &HttpTarget, input: &AttemptInput<'_>, body: &[u8]) -> HeaderMap {
        let (event, at) = (input.event, input.now.seconds());
        let (secrets, texts) = target.secrets_at(input.now);
        let mut out = HeaderMap::with_capacity(8);
        let mut put = |name: &HeaderName, value: &str| {
            // Ids, numbers and base64 are always header values.
            if let Ok(value) = HeaderValue::from_str(value) {
                out.insert(name.clone(), value);
            }
        };
        let id = event.id.as_str();
        put(&ID, id);
        put(&TIMESTAMP, &at.to_string());
        if !secrets.is_empty() {
            put(&SIGNATURE, &sign_standard(&secrets, id, at, body));
        }
        if input.seq > 0 {
            put(&SEQUENCE, &input.seq.to_string());
        }
        if let Some(name) = &self.form.id {
            put(name, id);
        }
        if let Some(name) = &self.form.event {
            put(name, event.event_type.as_str());
        }
        if let Some(name) = &self.form.timestamp {
            put(name, &input.now.to_string());
        }
        if let (Some(name), false) = (&self.form.signature, texts.is_empty()) {
            put(name, &legacy(&texts, at, body));
        }
        out
    }
}

/// One `v1` per valid secret behind one `t`, the newest first, so that receivers which read only one find the current one.
fn legacy(secrets: &[&str], at: i64, body: &[u8]) -> String {
    let mut out = String::new();
    for secret in secrets {
        let one = sign_legacy(secret, at, body);
        match (out.is_empty(), one.split_once(',')) {
            (false, Some((_, signature))) => {
                out.push(',');
                out.push_str(signature);
            }
            _ => out = one,
        }
    }
    out
}

fn answered(answer: OutboundResponse, request_headers: HeaderMap, now: Timestamp) -> AttemptReport {
    let status = answer.status;
    let outcome = if status.is_success() {
        AttemptOutcome::Delivered
    } else if status == StatusCode::GONE {
        AttemptOutcome::Gone
    } else {
        let asked = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let after = asked.then(|| answer.headers.get(http::header::RETRY_AFTER)).flatten();
        AttemptOutcome::Retry { after: after.and_then(|value| retry_after::read(value.as_bytes(), now)) }
    };
    let error = (outcome != AttemptOutcome::Delivered)
        .then(|| AttemptError { kind: "status", text: format!("the receiver answered {}", status.as_u16()) });
    AttemptReport {
        outcome,
        status_code: Some(status.as_u16()),
        error,
        duration: answer.elapsed,
        request_headers,
        response_headers: answer.headers,
        response_body: answer.body,
    }
}

fn unanswered(error: OutboundError, request_headers: HeaderMap) -> AttemptReport {
    let kind = match &error.kind {
        // Our own policy may change, and names may get other addresses: it is tried again like any other failure.
        OutboundFault::Refused(_) => "refused",
        OutboundFault::Dns => "dns",
        OutboundFault::Connect => "connect",
        OutboundFault::Tls => "tls",
        OutboundFault::Timeout => "timeout",
        OutboundFault::Protocol => "protocol",
    };
    // The address is not told to partners: it would let them map the operator's names.
    let text = if kind == "refused" { "the URL leads to an address that is not allowed".to_owned() } else { error.text };
    let failed = AttemptReport::failure(AttemptOutcome::Retry { after: None }, kind, text, error.elapsed);
    AttemptReport { request_headers, ..failed }
}

impl Channel for HttpChannel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(self.check_config(config))
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        HttpTarget::new(&HttpConfig::read(config)?).map(Prepared::new)
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}
