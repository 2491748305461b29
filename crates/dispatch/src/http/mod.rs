//! The HTTP channel: one signed request per attempt, through the guarded client.

mod body;
mod configuration;
mod echoes;
mod prepared;
mod rehearse;
mod retry_after;
mod signing;
mod thin;
mod tokens;
mod transform;

use std::sync::Arc;
use std::time::Duration;

use blueprint::model::Webhooks;
use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kernel::{Error, Event, Result, Timestamp};
use script::Engine as Scripts;
use serde_json::Value;
use tokio::time::Instant;
use web::outbound::{Client, OutboundError, OutboundFault, OutboundRequest, OutboundResponse};

use crate::acceptances::{self, Acceptances};
use crate::channel::{AttemptError, AttemptInput, AttemptOutcome, AttemptReport, Channel, MAX_BODY, Prepared};
pub use body::Body;
use prepared::{HttpTarget, MASK};
use signing::Signers;
use thin::Thin;
use tokens::{Grant, NoToken, Tokens};
use transform::Draft;

use crate::rehearsal::Rehearsal;
use crate::signing_keys::SigningKeys;

pub use configuration::{Auth, ClientAuthentication, Content, HttpConfig, MAX_HEADERS, SecretEntry, SignatureForm};
pub use prepared::is_secret_header;

/// The channel's name.
pub const NAME: &str = "http";

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// W3C Trace Context.
const TRACE: HeaderName = HeaderName::from_static("traceparent");
const SEQUENCE: HeaderName = HeaderName::from_static("webhook-sequence");

/// Delivers by HTTP, in the form that a blueprint sets.
pub struct HttpChannel {
    client: Client,
    body: Body,
    thin: Thin,
    form: Form,
    scripts: Scripts,
    tokens: Tokens,
    keys: Option<Arc<SigningKeys>>,
    acceptances: Option<Arc<Acceptances>>,
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
    /// A channel over `client`, in the form of `webhooks`. Transforms run on a thread of this process until [`HttpChannel::with_scripts`] says
    /// otherwise. Error: 422 when the blueprint's header names are none.
    pub fn new(client: Client, webhooks: &Webhooks) -> Result<Self> {
        Ok(Self {
            client,
            body: Body::new(&webhooks.body),
            thin: Thin::new(&webhooks.body, ""),
            form: Form::new(webhooks)?,
            scripts: Scripts::threads(1),
            tokens: Tokens::default(),
            keys: None,
            acceptances: None,
        })
    }

    /// The same with what webhooks need that ask for asymmetric signatures, and with a count of which signatures receivers accept.
    #[must_use]
    pub fn with_signing(self, keys: Arc<SigningKeys>, acceptances: Arc<Acceptances>) -> Self {
        Self { keys: Some(keys), acceptances: Some(acceptances), ..self }
    }

    /// The same with another home for transforms: the product's own processes.
    #[must_use]
    pub fn with_scripts(self, scripts: Scripts) -> Self {
        Self { scripts, ..self }
    }

    /// The same with the server's public address, which thin bodies name.
    #[must_use]
    pub fn with_public_url(self, webhooks: &Webhooks, public_url: &str) -> Self {
        Self { thin: Thin::new(&webhooks.body, public_url), ..self }
    }

    async fn check_config(&self, config: &Value) -> Result<Value> {
        let parsed = HttpConfig::read(config)?;
        self.check_target(&parsed).await?;
        self.check_transform(&parsed).await?;
        serde_json::to_value(&parsed).map_err(Error::internal)
    }

    /// Everything but the transform.
    async fn check_target(&self, parsed: &HttpConfig) -> Result<()> {
        let own: Vec<&HeaderName> = self.form.names().collect();
        parsed.check(&own)?;
        self.check_url(&parsed.url, "/url").await?;
        if let Auth::Oauth2 { token_url, .. } = &parsed.auth {
            self.check_url(token_url, "/auth/tokenUrl").await?;
        }
        Ok(())
    }

    async fn check_url(&self, url: &str, place: &str) -> Result<()> {
        match self.client.verdict(url).await {
            Err(refusal) if !refusal.is_unresolvable() => Err(refusal.into_error(place)),
            // A name without an address is judged again before each connection.
            _ => Ok(()),
        }
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let Some(target) = input.prepared.get::<HttpTarget>() else {
            return AttemptReport::failure(AttemptOutcome::Refused("refused"), "refused", "not an HTTP destination", Duration::ZERO);
        };
        let started = Instant::now();
        let Draft { method, uri, mut headers, mut shown, body } = match self.draft(target, input.event, input.timeout).await {
            Ok(draft) => draft,
            Err(stop) => return stop.report(started.elapsed()),
        };
        let timeout = input.timeout.saturating_sub(started.elapsed());
        let signers = match Signers::of(self, target, input).await {
            Ok(signers) => signers,
            Err(error) => {
                tracing::error!(?error, destination = %input.destination.id, "a delivery cannot be signed");
                let retry = AttemptOutcome::Retry { after: None };
                return AttemptReport::failure(retry, "signing", "the key that signs could not be had", Duration::ZERO);
            }
        };
        signers.headers(&self.form, input, &body, |name, value| {
            shown.insert(name.clone(), value.clone());
            headers.insert(name.clone(), value);
        });
        target.sign_body(&mut headers, &mut shown, &body);
        // What the webhook itself says of it stands.
        if let Some(trace) = input.trace.and_then(|text| HeaderValue::from_str(text).ok()).filter(|_| !headers.contains_key(TRACE)) {
            shown.insert(TRACE, trace.clone());
            headers.insert(TRACE, trace);
        }
        let request = OutboundRequest { method, uri, headers, body, timeout, response_cap: MAX_BODY, repeatable: true };
        let started = Instant::now();
        match self.exchange(target, input, request).await {
            Ok(answer) => {
                self.note(&signers, input, &answer);
                if target.grant.is_some() {
                    shown.insert(AUTHORIZATION, MASK);
                }
                answered(OutboundResponse { elapsed: started.elapsed(), ..answer }, shown, input.now)
            }
            Err(Fault::NoToken(why)) => {
                AttemptReport::failure(AttemptOutcome::Retry { after: None }, why.kind, why.text, started.elapsed())
            }
            Err(Fault::Unanswered(error)) => unanswered(OutboundError { elapsed: started.elapsed(), ..error }, shown),
        }
    }

    /// The request and its answer. Where the receiver wants an access token it gets one; a token that it refuses is fetched anew, once.
    async fn exchange(&self, target: &HttpTarget, input: &AttemptInput<'_>, request: OutboundRequest) -> Result<OutboundResponse, Fault> {
        let own = target.tls.as_ref().map(|tls| self.client.with_tls(tls)).transpose().map_err(|error| {
            // It was checked when it was stored.
            let text = format!("the webhook's TLS settings cannot be used: {error}");
            Fault::Unanswered(OutboundError { kind: OutboundFault::Tls, text, elapsed: Duration::ZERO })
        })?;
        let client = own.as_ref().unwrap_or(&self.client);
        let Some(grant) = &target.grant else {
            let mut answer = client.send(request).await.map_err(Fault::Unanswered)?;
            target.echoes.hide_in(&mut answer, None);
            return Ok(answer);
        };
        // Apart: every attempt would carry its room otherwise.
        Box::pin(self.exchange_with_token(client, target, grant, input, request)).await
    }

    async fn exchange_with_token(
        &self,
        client: &Client,
        target: &HttpTarget,
        grant: &Grant,
        input: &AttemptInput<'_>,
        request: OutboundRequest,
    ) -> Result<OutboundResponse, Fault> {
        let (tenant, deadline) = (input.destination.tenant, Instant::now() + request.timeout);
        let mut renewed = false;
        loop {
            let token = self.tokens.get(client, grant, tenant, input.now, deadline).await.map_err(Fault::NoToken)?;
            let mut request = request.clone();
            request.timeout = deadline.saturating_duration_since(Instant::now());
            if let Some(value) = tokens::bearer(&token) {
                request.headers.insert(AUTHORIZATION, value);
            }
            let mut answer = client.send(request).await.map_err(Fault::Unanswered)?;
            target.echoes.hide_in(&mut answer, Some(&token));
            if answer.status != StatusCode::UNAUTHORIZED || renewed {
                return Ok(answer);
            }
            self.tokens.discard(grant, tenant, &token).await;
            renewed = true;
        }
    }

    /// Counts which signature the receiver says that it verified.
    fn note(&self, signers: &Signers, input: &AttemptInput<'_>, answer: &OutboundResponse) {
        if let (Some(acceptances), Some(said)) = (&self.acceptances, answer.headers.get(acceptances::HEADER))
            && answer.status.is_success()
        {
            acceptances.note(input.destination.tenant, input.destination.id, said.as_bytes(), &signers.kids(), input.now);
        }
    }
}

/// Why there was no answer.
enum Fault {
    NoToken(NoToken),
    Unanswered(OutboundError),
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
        OutboundFault::Proxy => "proxy",
        // What one webhook presents says nothing about the host to others.
        OutboundFault::ClientCertificate => "auth",
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

    fn rehearse<'a>(&'a self, config: &'a Value, event: &'a Arc<Event>) -> BoxFuture<'a, Result<Rehearsal>> {
        Box::pin(self.made_up(config, event))
    }

    fn host(&self, prepared: &Prepared) -> Option<String> {
        let uri = &prepared.get::<HttpTarget>()?.uri;
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        Some(format!("{}:{port}", uri.host()?.to_ascii_lowercase()))
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}
