//! Who is to get an event.

use std::sync::Arc;

use kernel::{DestinationId, Event, Result};
use store::Tx;

/// Decides who gets events, and enqueues their deliveries. Implemented above this crate, wired by the binary.
pub trait Planner: Send + Sync {
    /// Called inside the publishing transaction, once for all new events of it and before their rows are inserted. Answers one [`Planned`]
    /// an event, in order. The scope may be the system's: events of several tenants come together.
    fn plan(&self, tx: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>>;
}

/// What follows from one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Delivery rows that were made.
    pub deliveries: u32,
    /// Destinations that listen to this event but whose filter turned it away.
    pub filtered: Vec<DestinationId>,
}
