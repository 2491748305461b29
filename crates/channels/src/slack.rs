//! Slack: a message to a channel, by the address that Slack gave for it (an incoming webhook), which is a secret.

use std::time::Duration;

use bytes::Bytes;
use dispatch::{AttemptError, AttemptInput, AttemptOutcome, AttemptReport, Channel, MAX_BODY, Prepared};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Uri};
use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use web::outbound::{Client, OutboundRequest, OutboundResponse};

use crate::configuration;
use crate::fault::{Fault, cut};
use crate::notice::{Notice, Tone};

/// Longest wait that Slack may ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The channel.
pub(crate) struct SlackChannel {
    client: Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    incoming_webhook_url: String,
}

struct Ready {
    uri: Uri,
}

impl SlackChannel {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    fn read(config: &Value) -> Result<(url::Url, Ready)> {
        let (own, _) = configuration::read::<Config>(config)?;
        // No fault repeats the address: whoever has it can write to the channel.
        let fault = || Error::field("/incomingWebhookUrl", "must be the address that Slack gave: https://hooks.slack.com/services/…");
        let url = url::Url::parse(&own.incoming_webhook_url).map_err(|_| fault())?;
        let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none();
        if !plain {
            return Err(fault());
        }
        let uri = web::outbound::to_uri(&url).map_err(|refusal| refusal.into_error("/incomingWebhookUrl"))?;
        Ok((url, Ready { uri }))
    }

    async fn check_config(&self, config: &Value) -> Result<Value> {
        let (url, _) = Self::read(config)?;
        crate::address::check_url(&self.client, url.as_str(), "incomingWebhookUrl").await?;
        Ok(config.clone())
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let Some(ready) = input.prepared.get::<Ready>() else {
            return AttemptReport::failure(AttemptOutcome::Refused("refused"), "refused", "not a Slack destination", Duration::ZERO);
        };
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let request = OutboundRequest {
            method: Method::POST,
            uri: ready.uri.clone(),
            headers: headers.clone(),
            body: Bytes::from(body(&Notice::of(input)).to_string()),
            timeout: input.timeout,
            response_cap: MAX_BODY,
            repeatable: true,
        };
        match self.client.send(request).await {
            Ok(answer) => report(answer, headers),
            Err(error) => Fault::from(error).report(headers, Duration::ZERO),
        }
    }
}

fn report(answer: OutboundResponse, request_headers: HeaderMap) -> AttemptReport {
    let status = answer.status.as_u16();
    let said = cut(String::from_utf8_lossy(&answer.body).into_owned());
    let after = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
    let (outcome, kind) = match status {
        200..=299 => (AttemptOutcome::Delivered, ""),
        // The address was taken back, or the channel archived: nothing will ever arrive there again.
        410 => (AttemptOutcome::Gone, "missing"),
        404 if said == "no_service" || said == "no_team" => (AttemptOutcome::Gone, "missing"),
        400 => (AttemptOutcome::Refused("rejected"), "rejected"),
        _ => (AttemptOutcome::Retry { after: after.map(|wait| wait.min(LONGEST_WAIT)) }, "status"),
    };
    let error = (!kind.is_empty()).then(|| AttemptError { kind, text: format!("Slack answered {status}: {said}") });
    AttemptReport {
        outcome,
        status_code: Some(status),
        error,
        duration: answer.elapsed,
        request_headers,
        response_headers: answer.headers,
        response_body: answer.body,
    }
}

/// Slack's limits are 150 characters for a header, 3000 for a text, ten fields of 2000; a notice stays below them, also when escaped.
fn body(notice: &Notice) -> Value {
    let mark = match notice.tone {
        Tone::Critical => ":red_circle: ",
        Tone::Warning => ":warning: ",
        Tone::Good => ":large_green_circle: ",
        Tone::Plain => "",
    };
    let title = format!("{mark}{}", notice.title);
    let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": cut_to(&title, 150), "emoji": true}})];
    if !notice.summary.is_empty() {
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": escaped(&notice.summary)}}));
    }
    if !notice.lines.is_empty() {
        let field =
            |(name, value): &(String, String)| json!({"type": "mrkdwn", "text": format!("*{}*\n{}", escaped(name), escaped(value))});
        blocks.push(json!({"type": "section", "fields": notice.lines.iter().map(field).collect::<Vec<_>>()}));
    }
    blocks.push(json!({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(&notice.foot)}]}));
    // What a notification on a telephone shows.
    let text = if notice.summary.is_empty() { title } else { format!("{title}: {}", notice.summary) };
    json!({"text": escaped(&text), "blocks": blocks})
}

fn cut_to(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The three characters that mean something in Slack's text: nobody is notified by what a partner wrote (`<!channel>`).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl Channel for SlackChannel {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async { self.check_config(config).await.map_err(configuration::placed) })
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        Self::read(config).map(|(_, ready)| Prepared::new(ready)).map_err(configuration::placed)
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_notifies_nobody_by_what_it_quotes() {
        let notice = Notice {
            tone: Tone::Warning,
            title: "t".repeat(140),
            summary: "<!channel> & <https://evil.example|click>".to_owned(),
            lines: vec![("a<b".to_owned(), "c>d".to_owned())],
            foot: "evt_1".to_owned(),
        };
        let body = body(&notice);
        assert!(!body.to_string().contains("<!channel>") && !body.to_string().contains("<https"), "{body}");
        assert_eq!(body["blocks"][2]["fields"][0]["text"], "*a&lt;b*\nc&gt;d");
        assert_eq!(body["blocks"][0]["text"]["text"].as_str().unwrap().chars().count(), 150);
    }
}
