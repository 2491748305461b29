//! The server's API, as `listen` uses it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use kernel::{Error, EventId, EventType, Kind, Result, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;
use web::outbound::{Client, OutboundRequest, OutboundResponse};

use super::Options;
use crate::WebhookForm;

/// Beyond a poll's own wait.
const MARGIN: Duration = Duration::from_secs(15);
/// Largest answer.
const ANSWER: usize = 64 * 1024 * 1024;
/// Events of one poll.
const LIMIT: &str = "20";

/// Why there is no answer.
pub(super) enum Failure {
    /// The server does not want us: trying again is of no use.
    Refused(Error),
    /// It cannot be reached, or says that it cannot answer now.
    Away { why: String, after: Option<Duration> },
}

/// An event as poll answers it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) id: EventId,
    #[serde(rename = "type")]
    pub(super) event_type: EventType,
    pub(super) occurred_at: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) data: Box<RawValue>,
    pub(super) schema_version: Option<u32>,
    pub(super) cursor: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) data: Vec<Item>,
    pub(super) cursor: Option<String>,
}

pub(super) struct Remote {
    client: Client,
    base: Url,
    headers: HeaderMap,
    query: Vec<(&'static str, String)>,
}

impl Remote {
    pub(super) fn new(options: &Options, client: Client) -> Result<Self> {
        let base = client.verdict_on_syntax(&options.server).map_err(|refusal| refusal.into_error("/server"))?;
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).map_err(|_| Error::field(format!("/{name}"), "cannot be sent as a header"))?;
            headers.insert(name, value);
            Ok::<_, Error>(())
        };
        put(header::AUTHORIZATION.as_str(), &format!("Bearer {}", options.key.reveal()))?;
        if let Some(tenant) = &options.tenant {
            put("tradewind-tenant", tenant)?;
        }
        let mut query = vec![("consumer", options.consumer.clone()), ("limit", LIMIT.to_owned())];
        query.extend(options.events.clone().map(|events| ("eventTypes", events)));
        query.push(("start", if options.from_start { "earliest" } else { "latest" }.to_owned()));
        Ok(Self { client, base, headers, query })
    }

    /// How this product's deliveries look.
    pub(super) async fn form(&self) -> Result<WebhookForm, Failure> {
        self.get("/api/v1/webhook-form", &[], Duration::ZERO).await
    }

    /// What follows the cursor, which acknowledges what is before it.
    pub(super) async fn poll(&self, cursor: Option<&str>, wait_seconds: u64) -> Result<Answer, Failure> {
        let mut query = self.query.clone();
        query.push(("waitSeconds", wait_seconds.to_string()));
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        self.get("/api/v1/events/poll", &query, Duration::from_secs(wait_seconds)).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)], wait: Duration) -> Result<T, Failure> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let uri: Uri = web::outbound::to_uri(&url).map_err(|refusal| Failure::Refused(refusal.into_error("/server")))?;
        let request = OutboundRequest {
            method: Method::GET,
            uri,
            headers: self.headers.clone(),
            body: Bytes::new(),
            timeout: wait + MARGIN,
            response_cap: ANSWER,
            repeatable: false,
        };
        let answer = self.client.send(request).await.map_err(|error| Failure::Away { why: error.text, after: None })?;
        if answer.status.is_success() {
            let unreadable = |error: serde_json::Error| Failure::Away { why: format!("the answer cannot be read: {error}"), after: None };
            return serde_json::from_slice(&answer.body).map_err(unreadable);
        }
        Err(refusal(&answer))
    }
}

/// What an answer other than 2xx means.
fn refusal(answer: &OutboundResponse) -> Failure {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = problem["detail"].as_str().or_else(|| problem["message"].as_str()).unwrap_or("it gives no reason").to_owned();
    let why = format!("the server answered {}: {said}", answer.status.as_u16());
    let again = answer.status.is_server_error() || matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    if again {
        let after = answer.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        return Failure::Away { why, after: after.map(Duration::from_secs) };
    }
    let kind = match answer.status {
        StatusCode::UNAUTHORIZED => Kind::Unauthenticated,
        StatusCode::FORBIDDEN => Kind::Forbidden,
        StatusCode::NOT_FOUND => Kind::NotFound,
        _ => Kind::Invalid,
    };
    Failure::Refused(Error::new(kind, "server_refused", why))
}
