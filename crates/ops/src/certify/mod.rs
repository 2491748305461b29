//! `tradewind certify`: deliveries, good and forged, played against a receiver.
//!
//! Each check finds one kind of defect and has advice for it. Required checks are what at-least-once delivery and Standard Webhooks ask of
//! every receiver; the others are recommendations.

mod checks;
mod player;
mod report;

use std::time::Duration;

use kernel::{Ambient, Result};
use serde::Serialize;
use serde_json::value::RawValue;
use web::outbound::Client;
use web::signature::WebhookSecret;

use crate::{Imitation, WebhookForm};
use player::Player;

pub use report::Report;

/// What to certify.
#[derive(Clone, Debug)]
pub struct Options {
    /// The receiver.
    pub url: String,
    /// The secret that it verifies with.
    pub secret: WebhookSecret,
    /// How deliveries look.
    pub form: WebhookForm,
    /// The type of good deliveries.
    pub event_type: String,
    /// Their `data`.
    pub data: Box<RawValue>,
    /// How long an answer may take before a delivery counts as failed.
    pub timeout: Duration,
    /// From when on an answer is slow: near the time-out of many senders.
    pub slow: Duration,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The check.
    pub check: &'static str,
    /// What the receiver should do.
    pub title: &'static str,
    /// Whether a failure fails the receiver.
    pub required: bool,
    /// Whether it did.
    pub status: Status,
    /// What it answered.
    pub detail: String,
    /// What to do about a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
    /// How long the check took, in milliseconds.
    pub duration_ms: u64,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should.
    Passed,
    /// Otherwise.
    Failed,
    /// It was not made: the receiver cannot be reached, or takes no good delivery.
    Skipped,
}

/// Plays the suite, one check after another.
///
/// Error: 422 `url_refused` for an address that may not be used.
pub async fn run(options: &Options, ambient: &Ambient, client: &Client) -> Result<Report> {
    let url = client.verdict(&options.url).await.map_err(|refusal| refusal.into_error("/url"))?;
    let uri = web::outbound::to_uri(&url).map_err(|refusal| refusal.into_error("/url"))?;
    let player = Player::new(options, Imitation::new(options.form.clone()), ambient.clone(), client.clone(), uri);
    let mut findings = Vec::new();
    for check in checks::ALL {
        let begun = tokio::time::Instant::now();
        // What refuses everything, or is not there, refuses forgeries too: that says nothing.
        let pointless = findings.first().is_some_and(|first: &Finding| first.status != Status::Passed);
        let (status, detail) = if pointless {
            (Status::Skipped, "the good delivery was not taken".to_owned())
        } else {
            match (check.play)(&player).await {
                Ok(detail) => (Status::Passed, detail),
                Err(detail) => (Status::Failed, detail),
            }
        };
        findings.push(Finding {
            check: check.name,
            title: check.title,
            required: check.required,
            status,
            detail,
            advice: (status == Status::Failed).then_some(check.advice),
            duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
    Ok(Report { url: options.url.clone(), findings })
}
