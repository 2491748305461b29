//! SQS: one message per event, through the JSON protocol. A FIFO queue groups by the ordering key and drops repetitions by the event's id.

use std::time::Duration;

use bytes::Bytes;
use dispatch::{AttemptInput, AttemptOutcome, AttemptReport, Channel, Prepared};
use futures_util::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use kernel::{DestinationId, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use web::outbound::Client;

use crate::address::check_url;
use crate::aws::{Identity, Request, kind_of, plain_url};
use crate::configuration::{self, Secrets};
use crate::fault::{Fault, answered};
use crate::message::{Message, Writer};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const SEND: HeaderValue = HeaderValue::from_static("AmazonSQS.SendMessage");
const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
/// Longest message group in characters.
const MAX_GROUP: usize = 128;

/// The channel.
pub(crate) struct SqsChannel {
    client: Client,
    writer: Writer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    queue_url: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    session_token: Option<String>,
}

struct Ready {
    queue_url: String,
    /// The service behind the queue's URL.
    uri: Uri,
    is_fifo: bool,
    identity: Identity,
    secrets: Secrets,
}

impl SqsChannel {
    pub(crate) fn new(client: Client, writer: Writer) -> Self {
        Self { client, writer }
    }

    fn ready(config: &Value) -> Result<Ready> {
        let (own, secrets) = configuration::read::<Config>(config)?;
        let mut url = plain_url("queueUrl", &own.queue_url)?;
        let is_fifo = url.path().ends_with(".fifo");
        url.set_path("/");
        let uri = web::outbound::to_uri(&url).map_err(|refusal| refusal.into_error("/queueUrl"))?;
        let identity = Identity::new("sqs", &own.region, &own.access_key_id, &own.secret_access_key, own.session_token.as_ref())?;
        Ok(Ready { queue_url: own.queue_url, uri, is_fifo, identity, secrets })
    }

    async fn check_config(&self, config: &Value) -> Result<Value> {
        let ready = Self::ready(config)?;
        check_url(&self.client, &ready.queue_url, "queueUrl").await?;
        Ok(config.clone())
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let Some(ready) = input.prepared.get::<Ready>() else {
            return AttemptReport::failure(AttemptOutcome::Refused("refused"), "refused", "not an SQS destination", Duration::ZERO);
        };
        let message = self.writer.message(input, &ready.secrets);
        let body = Bytes::from(request_body(ready, &message, input.destination.id).to_string());
        let headers = HeaderMap::from_iter([(TARGET, SEND), (CONTENT_TYPE, JSON)]);
        let request = Request { method: Method::POST, uri: &ready.uri, headers, body, now: input.now, timeout: input.timeout };
        match ready.identity.send(&self.client, request).await {
            Ok(answer) => answered(answer, message.shown(), refusal),
            Err(error) => Fault::from(error).report(message.shown(), Duration::ZERO),
        }
    }
}

fn request_body(ready: &Ready, message: &Message, destination: DestinationId) -> Value {
    // Ten attributes at most; ours are six.
    let attribute = |(name, value): &(&'static str, String)| ((*name).to_owned(), json!({"DataType": "String", "StringValue": value}));
    let attributes: Map<String, Value> = message.headers.iter().map(attribute).collect();
    let mut body = json!({
        "QueueUrl": ready.queue_url,
        "MessageBody": String::from_utf8_lossy(&message.body),
        "MessageAttributes": attributes,
    });
    if ready.is_fifo {
        body["MessageGroupId"] = json!(group(message.ordering_key.as_deref(), destination));
        body["MessageDeduplicationId"] = json!(message.id);
    }
    body
}

/// The ordering key, if SQS can take it, else its hash; without a key all events of the destination are one group.
fn group(ordering_key: Option<&str>, destination: DestinationId) -> String {
    let Some(key) = ordering_key else { return destination.to_string() };
    let fits = !key.is_empty() && key.len() <= MAX_GROUP && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { key.to_owned() } else { blake3::hash(key.as_bytes()).to_hex().to_string() }
}

fn refusal(status: u16, body: &[u8]) -> Fault {
    #[derive(Deserialize, Default)]
    struct Said {
        #[serde(rename = "__type", default)]
        code: String,
        /// The service writes it so or so, others both.
        #[serde(default)]
        message: String,
        #[serde(rename = "Message", default)]
        capital: String,
    }
    let mut said: Said = serde_json::from_slice(body).unwrap_or_default();
    if said.message.is_empty() {
        said.message = std::mem::take(&mut said.capital);
    }
    let code = said.code.rsplit(['#', '.']).next().unwrap_or_default();
    let text = format!("SQS answered {status} {code}: {}", said.message);
    match code {
        "InvalidMessageContents" => Fault { is_final: true, ..Fault::rejected("rejected", text) },
        "InvalidParameterValue" | "InvalidParameterValueException" if said.message.contains("must be shorter than") => {
            Fault::too_large(text)
        }
        "QueueDoesNotExist" | "NonExistentQueue" => Fault::rejected("missing", text),
        "InvalidClientTokenId" | "UnrecognizedClientException" | "SignatureDoesNotMatch" | "AccessDenied" | "AccessDeniedException" => {
            Fault::rejected("credentials", text)
        }
        _ => Fault::rejected(kind_of(status), text),
    }
}

impl Channel for SqsChannel {
    fn name(&self) -> &'static str {
        "sqs"
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async { self.check_config(config).await.map_err(configuration::placed) })
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        Self::ready(config).map(Prepared::new).map_err(configuration::placed)
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Ambient;

    #[test]
    fn groups_are_what_sqs_takes() {
        let id: DestinationId = Ambient::system().id();
        assert_eq!(group(Some("customer-7"), id), "customer-7");
        assert_eq!(group(None, id), id.to_string());
        for odd in ["a b", "ü", "", &"x".repeat(129)] {
            assert_eq!(group(Some(odd), id).len(), 64, "{odd}");
        }
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status, body: &str| {
            let fault = refusal(status, body.as_bytes());
            (fault.kind, fault.is_final)
        };
        assert_eq!(kind(400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}"#), ("missing", false));
        assert_eq!(kind(400, r#"{"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"no"}"#), ("rejected", true));
        assert_eq!(kind(403, r#"{"__type":"InvalidClientTokenId","message":"no"}"#), ("credentials", false));
        assert_eq!(
            kind(
                400,
                r#"{"__type":"x#InvalidParameterValue","message":"One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."}"#
            ),
            ("too_large", true)
        );
        assert_eq!(kind(400, r#"{"message":"no","Message":"no","__type":"QueueDoesNotExist"}"#), ("missing", false));
        assert_eq!(kind(503, "<html>"), ("status", false));
    }
}
