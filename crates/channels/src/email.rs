//! E-mail: a message to a few people, by the operator's relay.

use std::collections::BTreeSet;
use std::time::Duration;
use web::html::escape;

use bytes::Bytes;
use dispatch::{AttemptInput, AttemptOutcome, AttemptReport, Channel, Prepared};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use kernel::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use web::mail::{Mail, MailFault, Mailer, is_address};

use crate::configuration;
use crate::fault::{Fault, delivered};
use crate::notice::{Notice, Tone};

/// Most recipients of one destination.
const MAX_TO: usize = 10;

/// The channel.
pub(crate) struct EmailChannel {
    mailer: Mailer,
    /// Where recipients may be; empty: anywhere.
    domains: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    to: Vec<String>,
}

struct Ready {
    to: Vec<String>,
}

impl EmailChannel {
    pub(crate) fn new(mailer: Mailer, domains: &[String]) -> Self {
        Self { mailer, domains: domains.iter().map(|domain| domain.trim_start_matches('@').to_ascii_lowercase()).collect() }
    }

    fn ready(&self, config: &Value) -> Result<Ready> {
        let (own, _) = configuration::read::<Config>(config)?;
        if own.to.is_empty() || own.to.len() > MAX_TO {
            return Err(Error::field("/to", format!("must have 1 to {MAX_TO} addresses")));
        }
        for (n, address) in own.to.iter().enumerate() {
            let place = format!("/to/{n}");
            if !is_address(address) {
                return Err(Error::field(place, "must be an address such as ops@example.com"));
            }
            let domain = address.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
            if !self.domains.is_empty() && !self.domains.contains(&domain) {
                return Err(Error::field(place, "is at a domain to which this server sends no e-mail; ask its operator"));
            }
        }
        Ok(Ready { to: own.to })
    }

    async fn send(&self, input: &AttemptInput<'_>) -> AttemptReport {
        let Some(ready) = input.prepared.get::<Ready>() else {
            return AttemptReport::failure(AttemptOutcome::Refused("refused"), "refused", "not an e-mail destination", Duration::ZERO);
        };
        let started = Instant::now();
        let mail = written(&Notice::of(input), input, &ready.to);
        match self.mailer.send(&mail, input.timeout).await {
            Ok(receipt) => delivered(HeaderMap::new(), receipt, started.elapsed()),
            Err(fault) => failed(fault, started.elapsed()),
        }
    }
}

fn failed(fault: MailFault, elapsed: Duration) -> AttemptReport {
    let MailFault { kind, text, is_final, status } = fault;
    let report = Fault { kind, text, broken: false, is_final }.report(HeaderMap::new(), elapsed);
    AttemptReport { status_code: status, response_body: Bytes::new(), ..report }
}

fn written(notice: &Notice, input: &AttemptInput<'_>, to: &[String]) -> Mail {
    let summary = if notice.summary.is_empty() { String::new() } else { format!("{}\n\n", notice.summary) };
    let lines: String = notice.lines.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let text = format!("{summary}{lines}\n--\n{}\nSent by webhook {}.\n", notice.foot, input.destination.id);
    Mail {
        to: to.to_vec(),
        subject: notice.title.clone(),
        text,
        html: html(notice, &input.destination.id.to_string()),
        // The same on every attempt; two destinations may send one event to one person.
        id: format!("{}.{}", input.event.id, input.destination.id),
        at: input.now,
    }
}

fn html(notice: &Notice, destination: &str) -> String {
    let color = match notice.tone {
        Tone::Critical => "#b42318",
        Tone::Warning => "#b54708",
        Tone::Good => "#067647",
        Tone::Plain => "#344054",
    };
    let row = |(name, value): &(String, String)| {
        format!("<tr><td style=\"padding:2px 12px 2px 0;color:#667085\">{}</td><td>{}</td></tr>", escape(name), escape(value))
    };
    format!(
        "<div style=\"font:14px/1.5 sans-serif;color:#101828\"><h3 style=\"margin:0 0 8px;color:{color}\">{}</h3><p>{}</p><table>{}</table>\
         <p style=\"color:#98a2b3;font-size:12px\">{}<br>Sent by webhook {}.</p></div>",
        escape(&notice.title),
        escape(&notice.summary),
        notice.lines.iter().map(row).collect::<String>(),
        escape(&notice.foot),
        escape(destination),
    )
}

impl Channel for EmailChannel {
    fn name(&self) -> &'static str {
        "email"
    }

    fn check<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async { self.ready(config).map(|_| config.clone()).map_err(configuration::placed) })
    }

    fn prepare(&self, config: &Value) -> Result<Prepared> {
        self.ready(config).map(Prepared::new).map_err(configuration::placed)
    }

    fn attempt<'a>(&'a self, input: &'a AttemptInput<'a>) -> BoxFuture<'a, AttemptReport> {
        Box::pin(self.send(input))
    }
}
