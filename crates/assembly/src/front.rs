//! What is made of the blueprint: every feature that reads it, and the routes of all of them. Replaced as a whole when the blueprint changes
//! (`docs/adr/0014-reloading-by-a-new-front.md`).

mod features;
mod routes;

use std::sync::Arc;

use axum::Router;
use blueprint::Blueprint;
use rest::Docs;
use webhooks::OperationalEvents;

use crate::system::Foundation;
use features::Features;

/// See the module.
pub struct Front {
    /// What it was made of.
    pub blueprint: Arc<Blueprint>,
    /// Everything that is served.
    pub router: Router,
    /// What documents it.
    pub docs: Arc<Docs>,
    /// What operational events of deliveries become.
    pub observer: Arc<OperationalEvents>,
    /// What it serves.
    pub features: Features,
}

impl Front {
    /// Builds every feature over `base`. `before` is the front that is served now, if there is one: counters of limits go on from it.
    pub async fn build(base: &Foundation, blueprint: Arc<Blueprint>, before: Option<&Self>) -> anyhow::Result<Self> {
        let features = Features::build(base, &blueprint, before.map(|before| &*before.features.gate)).await?;
        let (router, docs) = routes::assemble(base, &features, &blueprint)?;
        let observer = OperationalEvents::new(&features.events);
        Ok(Self { blueprint, router, docs, observer, features })
    }

    /// Ends streams of events and polls that wait: their readers come back.
    pub fn close_readers(&self) {
        self.features.events.close_readers();
        self.features.jobs.close();
        self.features.graphql.close();
        self.features.upstreams.close();
    }

    /// Leaves to other servers what one server does for all, before this one stops.
    pub async fn hand_over(&self) {
        self.features.jobs.drain(std::time::Duration::from_secs(5)).await;
        if let Err(error) = self.features.alerts.stop().await {
            tracing::warn!(?error, "another server looks for alerts only when the lease has run out");
        }
    }

    /// Writes what is only in memory. To be called when no request comes in any more.
    pub async fn flush(&self) {
        if let Err(error) = self.features.access.flush().await {
            tracing::warn!(?error, "the last uses of keys could not be written");
        }
        if let Err(error) = self.features.vault.flush().await {
            tracing::warn!(?error, "the last uses of tokens at vendors could not be written");
        }
    }
}
