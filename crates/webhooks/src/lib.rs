//! Webhooks: what a client's receiver listens to, and what became of its deliveries.
//!
//! Purpose: a subscription says which events (patterns, channels, a filter) go to a destination; this crate keeps them, matches every
//! published event against them from memory, and shows the deliveries that `dispatch` made.
//!
//! Table: `subscriptions`; a subscription's id is its destination's, where address, secrets and policy stand sealed.
//!
//! Change notices: topic `subscription`, key the id.
//!
//! Invariants:
//! * Matching asks memory only. A change is in this node's index before its author has the answer, and in every other node's as soon as the
//!   notice arrives.
//! * A disabled webhook gets no delivery row; a paused one does, and they wait.
//! * The address of a webhook passes the one verdict about URLs when it is made, changed and tested, and at every attempt.
//! * A secret is in the answer that makes it and nowhere else.

mod deliveries;
mod filter;
mod index;
mod lifecycle;
mod pattern;
mod planner;
mod refresh;
mod routes;
mod subscriptions;

use std::sync::Arc;

use blueprint::Blueprint;
use dispatch::{Channel, Dispatch};
use kernel::{Ambient, Result};
use store::{Home, Migration, Store};
use web::outbound::Client;

use index::Index;

pub use deliveries::{DeliveryQuery, DeliveryView};
pub use filter::{Envelope, Filter};
pub use lifecycle::WebhooksLifecycle;
pub use pattern::Pattern;
pub use subscriptions::{
    AuthInput, Change, RetryConfig, RotateSecret, RotatedSecret, TestResult, Webhook, WebhookInput, WebhookPatch, WebhookPath,
};

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "webhooks", version: 1, home: Home::State, sql: include_str!("../migrations/0001_webhooks.sql") }];

/// The topic of change notices about subscriptions; the key is the id.
pub const TOPIC: &str = "subscription";

/// Subscriptions and views of deliveries.
pub struct Webhooks {
    store: Store,
    ambient: Ambient,
    blueprint: Arc<Blueprint>,
    dispatch: Arc<Dispatch>,
    channel: Arc<dyn Channel>,
    outbound: Client,
    index: Index,
}

impl Webhooks {
    /// Loads the matching index and follows changes; must be called on a tokio runtime. `dispatch` must have the HTTP channel. The binary
    /// then gives it to `events::Events::set_planner` and puts a [`WebhooksLifecycle`] among the lifecycles, beside dispatch's. `outbound` is the
    /// client that the channel uses.
    pub async fn new(
        store: Store,
        ambient: Ambient,
        blueprint: Arc<Blueprint>,
        dispatch: Arc<Dispatch>,
        outbound: Client,
    ) -> Result<Arc<Self>> {
        let channel = dispatch.channel(dispatch::http::NAME)?;
        let webhooks = Arc::new(Self { store, ambient, blueprint, dispatch, channel, outbound, index: Index::default() });
        refresh::follow(&webhooks);
        webhooks.load_all().await?;
        Ok(webhooks)
    }
}
