//! Webhooks: what a client's receiver listens to, and what became of its deliveries.
//!
//! Purpose: a subscription says which events (patterns, channels, a filter) go to a destination; this crate keeps them, matches every
//! published event against them from memory, and shows the deliveries that `dispatch` made.
//!
//! Tables: `subscriptions`; a subscription's id is its destination's, where address, secrets and policy stand sealed. `replays`: runs that
//! repair many deliveries.
//!
//! Change notices: topic `subscription`, key the id.
//!
//! Invariants:
//! * Matching asks memory only. A change is in this node's index before its author has the answer, and in every other node's as soon as the
//!   notice arrives.
//! * A disabled webhook gets no delivery row; a paused one does, and they wait.
//! * The address of a webhook passes the one verdict about URLs when it is made, changed and tested, and at every attempt.
//! * A secret is in the answer that makes it and nowhere else.
//! * An event and a webhook have at most one delivery, however often it is repeated; a run's step commits with its place or not at all.

mod deliveries;
mod index;
mod lifecycle;
mod objections;
mod operational;
mod pattern;
mod planner;
mod refresh;
mod replays;
mod routes;
mod signing_keys;
mod stats;
mod subscriptions;
mod transforms;

use std::sync::{Arc, Weak};

use blueprint::Blueprint;
use dispatch::signing_keys::SigningKeys;
use dispatch::{Channel, Dispatch};
use kernel::{Ambient, Result};
use store::{Home, Migration, Store};
use tokio::sync::Notify;
use web::outbound::Client;

use index::Index;

pub use deliveries::{Cancelled, DeliveryQuery, DeliveryView, NeverAttempted, Undelivered};
pub use events::{Envelope, Filter, Pattern};
pub use lifecycle::WebhooksLifecycle;
pub use objections::objections;
pub use operational::OperationalEvents;
/// For retention: old runs.
pub use replays::delete_old as delete_old_replays;
pub use replays::{Kind, Missing, Progress, Recover, Replay, ReplayEvent, ReplayQuery, Replayed, Started};
pub use signing_keys::{KeySet, PublicJwk, WebhookKey, WebhookKeys};
pub use stats::{AcceptedSignature, Hour, Latency, Stats, StatsQuery};
pub use subscriptions::{
    AuthInput, Change, RetryConfig, RotateSecret, RotatedSecret, SigningSecret, TestResult, Webhook, WebhookInput, WebhookPatch,
    WebhookPath, WebhookSecrets,
};
pub use transforms::{Preview, PreviewEvent, PreviewFault, PreviewInput, PreviewRequest};

/// This feature's schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "webhooks", version: 1, home: Home::State, sql: include_str!("../migrations/0001_webhooks.sql") },
    Migration { feature: "webhooks", version: 2, home: Home::State, sql: include_str!("../migrations/0002_replays.sql") },
    Migration { feature: "webhooks", version: 3, home: Home::State, sql: include_str!("../migrations/0003_ordering.sql") },
];

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
    /// Its public part only.
    signing_keys: Arc<SigningKeys>,
    /// Wakes the task that takes runs on.
    run_now: Arc<Notify>,
    /// For functions that go to a store's thread.
    me: Weak<Self>,
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
        let (index, run_now) = (Index::default(), Arc::new(Notify::new()));
        let signing_keys = SigningKeys::new(&store);
        let webhooks = Arc::new_cyclic(|me| Self {
            store,
            ambient,
            blueprint,
            dispatch,
            channel,
            outbound,
            index,
            signing_keys,
            run_now,
            me: Weak::clone(me),
        });
        refresh::follow(&webhooks);
        webhooks.load_all().await?;
        replays::start(&webhooks);
        Ok(webhooks)
    }
}
