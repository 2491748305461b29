//! Reading the blueprint again while the server runs: `docs/adr/0014-reloading-by-a-new-front.md`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::bail;
use blueprint::Blueprint;
use blueprint::model::{BodyForm, Resource, Webhooks};
use kernel::Timestamp;
use products::{How, Settled, Text, Ticket};
use switches::ReloadOutcome;

use crate::front::Front;
use crate::product;
use crate::system::System;

/// How long the front before is kept for the requests that it has.
const GRACE: Duration = Duration::from_secs(30);

/// What became of a reload: the outcome, and why.
pub struct Reload {
    /// Whether the new blueprint is served.
    pub outcome: ReloadOutcome,
    /// In words, with the reason.
    pub detail: String,
}

impl System {
    /// Reads the blueprint again. One that has faults, or breaks those who rely on the present one, is refused, and the present one stays.
    /// Not to be called by two at once.
    pub async fn reload(&self) -> Reload {
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
        let text = match Text::read(name) {
            Ok(text) => text,
            Err(error) => return refused(self.fall_in(format!("{name}: {error}"), &present).await),
        };
        let settled = match self.base.products.settle(text, How::Reload).await {
            Ok(settled) => settled,
            Err(error) => return refused(format!("{name}: {error:#}")),
        };
        let (next, ticket, said) = match settled {
            Settled::Same(next) => (next, None, format!("{name} says what it said")),
            Settled::Kept { blueprint, why } => (blueprint, None, format!("{name}: {why}")),
            Settled::Refused(why) => return refused(self.fall_in(format!("{name}: {why}"), &present).await),
            Settled::New(ticket) => (Arc::clone(ticket.blueprint()), Some(ticket), name.clone()),
        };
        // What the model says is what is served; its text may differ in comments.
        if format!("{next:?}") == format!("{:?}", present.blueprint) {
            return Reload { outcome: ReloadOutcome::Unchanged, detail: said };
        }
        match self.serve(next, ticket.as_ref(), &present).await {
            Ok(detail) => Reload { outcome: ReloadOutcome::Applied, detail: format!("{name}: {detail}") },
            Err(error) => refused(format!("{name}: {error:#}")),
        }
    }

    /// The file is refused, and yet another version than the served one may be in force: somebody went a step back while the file had faults.
    /// That version is served then. Answers what is to be said.
    async fn fall_in(&self, why: String, present: &Front) -> String {
        let next = match self.base.products.blueprint().await {
            Ok(Some(next)) if format!("{next:?}") != format!("{:?}", present.blueprint) => next,
            Ok(_) => return why,
            Err(error) => return format!("{why}; and what is in force could not be read: {error:#}"),
        };
        match self.serve(next, None, present).await {
            Ok(detail) => format!("{why}; the version that is in force is served now: {detail}"),
            Err(error) => format!("{why}; the version that is in force cannot be served either: {error:#}"),
        }
    }

    /// Serves another blueprint from the next request on; what is new is in force then.
    async fn serve(&self, next: Arc<Blueprint>, ticket: Option<&Ticket>, present: &Front) -> anyhow::Result<String> {
        if shape(&present.blueprint.webhooks) != shape(&next.webhooks) {
            bail!("[webhooks] has changed how deliveries look; restart the server to apply it");
        }
        let begun = self.base.ambient.now();
        let front = Arc::new(Front::build(&self.base, next, Some(present)).await?);
        if let Some(ticket) = ticket {
            self.base.products.record(ticket, How::Reload, &product::server_name()).await?;
        }
        let served = &front.blueprint;
        let detail = format!("{} endpoints, {} event types are served", served.endpoints.len(), served.events.len());
        let before = self.replace(Arc::clone(&front));
        tokio::spawn(retire(before, Arc::downgrade(&front), begun));
        Ok(detail)
    }
}

/// Lets a front go when its requests are done; what they wrote since the next one was begun is then found by the next one's filters too.
async fn retire(front: Arc<Front>, next: Weak<Front>, begun: Timestamp) {
    // Streams and polls would stay for hours; their readers come back to the new one.
    front.close_readers();
    tokio::time::sleep(GRACE).await;
    front.flush().await;
    let Some(next) = next.upgrade() else { return };
    for resource in next.blueprint.resources.iter().filter(|now| is_indexed_otherwise(&front.blueprint, now)) {
        match next.features.records.catch_up(&resource.name, begun).await {
            Ok(count) => tracing::debug!(resource = resource.name, count, "records that were written during the reload are indexed"),
            Err(error) => {
                tracing::warn!(
                    ?error,
                    resource = resource.name,
                    "records that were written during the reload may be missed by new filters"
                );
            }
        }
    }
}

/// Whether a record of this type is looked for by other members than under `before`.
fn is_indexed_otherwise(before: &Blueprint, now: &Resource) -> bool {
    let looked_for =
        |resource: &Resource| (resource.filters.clone(), resource.sort.clone(), resource.unique.clone(), resource.search.clone());
    before.resource(&now.name).is_some_and(|was| looked_for(was) != looked_for(now))
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
