//! Reading the blueprint again while the server runs: `docs/adr/0014-reloading-by-a-new-front.md`.

use std::sync::Arc;
use std::time::Duration;

use blueprint::model::{BodyForm, Webhooks};
use blueprint::{Blueprint, Verdict};
use switches::ReloadOutcome;

use crate::front::Front;
use crate::system::System;

/// How long the front before is kept for the requests that it has.
const GRACE: Duration = Duration::from_secs(30);
/// Most reasons that are named.
const MOST_REASONS: usize = 5;

/// What became of a reload: the outcome, and why.
pub(crate) struct Reload {
    pub(crate) outcome: ReloadOutcome,
    pub(crate) detail: String,
}

impl System {
    /// Reads the blueprint again. One that has faults, or breaks those who rely on the present one, is refused, and the present one stays.
    /// Not to be called by two at once.
    pub(crate) async fn reload(&self) -> Reload {
        let reload = self.try_reload().await;
        metrics::counter!("tradewind_reloads_total", "outcome" => reload.outcome.name()).increment(1);
        match reload.outcome {
            ReloadOutcome::Refused => tracing::error!("the blueprint was not reloaded: {}", reload.detail),
            _ => tracing::info!("reload: {}", reload.detail),
        }
        reload
    }

    async fn try_reload(&self) -> Reload {
        let present = self.front();
        let name = &self.base.settings.blueprint;
        let refused = |detail: String| Reload { outcome: ReloadOutcome::Refused, detail };
        let next = match blueprint::load(name) {
            Ok(next) => Arc::new(next),
            Err(error) => return refused(format!("{name}: {error}")),
        };
        // What the model says is what is served; its text may differ in comments.
        if format!("{next:?}") == format!("{:?}", present.blueprint) {
            return Reload { outcome: ReloadOutcome::Unchanged, detail: format!("{name} says what it said") };
        }
        if let Some(why) = obstacle(&present.blueprint, &next) {
            return refused(format!("{name}: {why}"));
        }
        match Front::build(&self.base, next, Some(&present)).await {
            Ok(front) => {
                let front = Arc::new(front);
                let detail = format!(
                    "{name}: {} endpoints, {} event types are served",
                    front.blueprint.endpoints.len(),
                    front.blueprint.events.len()
                );
                tokio::spawn(retire(self.replace(front)));
                Reload { outcome: ReloadOutcome::Applied, detail }
            }
            Err(error) => refused(format!("{name}: {error:#}")),
        }
    }
}

/// Lets a front go when its requests are done.
async fn retire(front: Arc<Front>) {
    // Streams and polls would stay for hours; their readers come back to the new one.
    front.close_readers();
    tokio::time::sleep(GRACE).await;
    front.flush().await;
}

/// Why `next` cannot take the place of `present` while partners rely on it.
fn obstacle(present: &Blueprint, next: &Blueprint) -> Option<String> {
    if shape(&present.webhooks) != shape(&next.webhooks) {
        return Some("[webhooks] has changed how deliveries look; restart the server to apply it".to_owned());
    }
    let findings = blueprint::compare(present, next);
    let breaking: Vec<String> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Breaking)
        .map(|finding| format!("{}: {}", finding.place, finding.message))
        .collect();
    if breaking.is_empty() {
        return None;
    }
    let shown = breaking[..breaking.len().min(MOST_REASONS)].join("; ");
    let more = if breaking.len() > MOST_REASONS { format!("; and {} more", breaking.len() - MOST_REASONS) } else { String::new() };
    Some(format!("it breaks those who rely on the present one ({shown}{more}); restart the server to apply it all the same"))
}

/// What the channels were made of.
fn shape(webhooks: &Webhooks) -> impl PartialEq + use<> {
    let body = match &webhooks.body {
        BodyForm::Envelope => "envelope".to_owned(),
        BodyForm::DataOnly => "data-only".to_owned(),
        form @ BodyForm::Legacy { .. } => format!("{form:?}"),
    };
    let headers = [&webhooks.id_header, &webhooks.event_header, &webhooks.timestamp_header, &webhooks.signature_header].map(Clone::clone);
    (body, headers)
}
