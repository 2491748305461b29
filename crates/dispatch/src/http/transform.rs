//! The tenant's own function on the way out: what it is given, and what of its result is taken.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::id::TypedId as _;
use kernel::{Error, Event, Result};
use script::{Fault, FaultKind, Function, Moment, NewBody, Party, Transformed};
use serde_json::{Map, Value, json};

use super::configuration::{self, HttpConfig, MAX_HEADERS, MAX_VALUE};
use super::prepared::{HttpTarget, MASK, is_secret_header};
use crate::channel::{AttemptOutcome, AttemptReport};

/// What an attempt's log calls a transform's fault.
const KIND: &str = "transform";
use super::HttpChannel;

/// A request that is being made up.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    /// The same for the log, secrets masked.
    pub(super) shown: HeaderMap,
    pub(super) body: Bytes,
}

/// Why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The function said so.
    Cancelled,
    /// The function failed, or its result cannot be sent.
    Fault(Fault),
    /// It changed the address to one that is not allowed.
    Refused,
}

/// A function, and what it is shown of the webhook's settings.
pub(super) struct Transform {
    function: Function,
    url: String,
    /// Custom headers that are no secret, and the content type; names in lower case.
    open: Map<String, Value>,
    /// Whether `Authorization` is ours.
    takes_authorization: bool,
    /// The header of the receiver's own body signature.
    body_header: Option<HeaderName>,
}

impl Transform {
    /// The transform of a configuration, if it has one. The signing secret, which no other webhook has, keeps its engine apart.
    pub(super) fn of(config: &HttpConfig) -> std::result::Result<Option<Self>, Fault> {
        Self::owned(config, config.secrets.first().map_or("", |entry| entry.secret.as_str()))
    }

    /// The same, its engine kept for another owner.
    pub(super) fn owned(config: &HttpConfig, owner: &str) -> std::result::Result<Option<Self>, Fault> {
        let Some(source) = &config.transform else { return Ok(None) };
        let function = Function::new(owner, source)?;
        let mut open = Map::new();
        open.insert(CONTENT_TYPE.as_str().to_owned(), "application/json".into());
        for (name, value) in &config.headers {
            if !is_secret_header(name, value) {
                open.insert(name.to_ascii_lowercase(), value.as_str().into());
            }
        }
        let body_header = config.auth.body_header().and_then(|name| name.parse().ok());
        Ok(Some(Self { function, url: config.url.clone(), open, takes_authorization: config.auth.takes_authorization(), body_header }))
    }

    /// What the function is given. The body stands in it as it would be sent.
    fn input(&self, draft: &Draft, event: &Event) -> String {
        let head = json!({
            "id": event.id.as_str(),
            "type": event.event_type.as_str(),
            "timestamp": event.occurred_at.to_string(),
            "method": draft.method.as_str(),
            "url": self.url,
            "headers": self.open,
        });
        let mut text = head.to_string();
        text.pop();
        text.push_str(",\"body\":");
        text.push_str(std::str::from_utf8(&draft.body).unwrap_or("null"));
        text.push('}');
        text
    }

    fn headers(&self, given: &Map<String, Value>, own: &[&HeaderName], draft: &mut Draft) -> std::result::Result<(), Stop> {
        let kept = |name: &str| given.iter().any(|(other, value)| other.eq_ignore_ascii_case(name) && !value.is_null());
        for name in self.open.keys().filter(|name| *name != CONTENT_TYPE.as_str() && !kept(name)) {
            draft.headers.remove(name);
            draft.shown.remove(name);
        }
        if given.len() > MAX_HEADERS {
            return Err(fault(format!("headers has more than {MAX_HEADERS} entries")));
        }
        for (name, value) in given {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                Value::Array(_) | Value::Object(_) => return Err(fault(format!("the header {name} must be a text"))),
            };
            if self.open.get(&name.to_ascii_lowercase()).is_some_and(|old| *old == text) {
                continue;
            }
            let Ok(name) = name.parse::<HeaderName>() else { return Err(fault(format!("{name:?} is not a header name"))) };
            let ours = configuration::is_ours(&name, own, self.takes_authorization) || self.body_header.as_ref() == Some(&name);
            if name == HOST || (ours && name != CONTENT_TYPE) {
                return Err(fault(format!("the header {name} is set by us and cannot be changed")));
            }
            let value = HeaderValue::from_str(&text).ok().filter(|value| value.len() <= MAX_VALUE);
            let Some(value) = value else { return Err(fault(format!("the value of the header {name} cannot be sent"))) };
            let shown = if name == CONTENT_TYPE { value.clone() } else { MASK };
            draft.shown.insert(name.clone(), shown);
            draft.headers.insert(name, value);
        }
        Ok(())
    }
}

fn fault(message: String) -> Stop {
    Stop::Fault(Fault::new(FaultKind::Shape, message))
}

/// Chance that follows from the event: the same on every attempt (FNV-1a).
fn seed(event: &Event) -> u32 {
    event.id.as_str().bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Stop {
    /// As an attempt of which the receiver knows nothing. A fault follows the retry policy: a transform that is mended meanwhile serves what
    /// waits.
    pub(super) fn report(self, duration: Duration) -> AttemptReport {
        let retry = AttemptOutcome::Retry { after: None };
        match self {
            Self::Cancelled => {
                let skipped = AttemptReport::failure(AttemptOutcome::Skipped("cancelled"), KIND, "", duration);
                AttemptReport { error: None, ..skipped }
            }
            Self::Fault(found) => AttemptReport::failure(retry, KIND, found.to_string(), duration),
            Self::Refused => AttemptReport::failure(retry, KIND, "the url that the transform gave is not allowed", duration),
        }
    }
}

impl HttpChannel {
    /// Error: 422 `invalid_transform`, with the line.
    pub(super) async fn check_transform(&self, config: &HttpConfig) -> Result<()> {
        let refused = |found: &Fault| {
            if found.kind == FaultKind::Unavailable {
                return Error::unavailable("transforms_unavailable", "Transforms cannot be checked at the moment. Try again.");
            }
            Error::invalid("invalid_transform", format!("The transform cannot be used: {found}.")).at("/transform", found.to_string())
        };
        match Transform::of(config).map_err(|found| refused(&found))? {
            Some(transform) => self.scripts.check(&transform.function).await.map_err(|found| refused(&found)),
            None => Ok(()),
        }
    }

    /// The request for an event: the webhook's own, as its transform has changed it.
    pub(super) async fn draft(&self, target: &HttpTarget, event: &Event, within: Duration) -> std::result::Result<Draft, Stop> {
        let body = if target.is_thin { self.thin.write(event) } else { self.body.write(event) };
        let (method, uri) = (target.method.clone(), target.uri.clone());
        let draft = Draft { method, uri, headers: target.headers.clone(), shown: target.shown.clone(), body };
        match &target.transform {
            None => Ok(draft),
            // Apart: every attempt would carry its room otherwise.
            Some(transform) => Box::pin(self.shape(transform, event, draft, within)).await,
        }
    }

    async fn shape(&self, transform: &Transform, event: &Event, draft: Draft, within: Duration) -> std::result::Result<Draft, Stop> {
        let moment = Moment { now_ms: event.occurred_at.millis(), seed: seed(event) };
        let input = transform.input(&draft, event);
        let party = Party(event.tenant.uuid().as_u128());
        let run = self.scripts.transform(party, &transform.function, &input, moment);
        match tokio::time::timeout(within, run).await {
            Ok(Ok(done)) => self.take(transform, done, draft),
            Ok(Err(found)) => Err(Stop::Fault(found)),
            Err(_) => Err(fault("the transform had no turn within the webhook's time-out".to_owned())),
        }
    }

    fn take(&self, transform: &Transform, done: Transformed, mut draft: Draft) -> std::result::Result<Draft, Stop> {
        if done.cancel {
            return Err(Stop::Cancelled);
        }
        if let Some(method) = done.method {
            draft.method = match method.as_str() {
                "POST" => Method::POST,
                "PUT" => Method::PUT,
                "PATCH" => Method::PATCH,
                _ => return Err(fault("method must be POST, PUT or PATCH".to_owned())),
            };
        }
        if let Some(url) = done.url.filter(|url| *url != transform.url) {
            // The syntax here; where the name leads is judged when the connection is opened, as ever.
            let read = self.client.verdict_on_syntax(&url).map_err(|_| Stop::Refused)?;
            draft.uri = web::outbound::to_uri(&read).map_err(|_| Stop::Refused)?;
        }
        if let Some(headers) = &done.headers {
            let own: Vec<&HeaderName> = self.form.names().collect();
            transform.headers(headers, &own, &mut draft)?;
        }
        match done.body {
            NewBody::Unchanged => {}
            NewBody::Json(text) | NewBody::Text(text) => draft.body = text.into(),
        }
        Ok(draft)
    }
}
