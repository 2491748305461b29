//! Inbound webhooks: addresses that vendors call, the proof that it was them, and the events that follow.
//!
//! Purpose: a source is an address, `/in/{sourceId}`, of one tenant. A call to it is verified on its raw bytes as its provider signs; a good one
//! becomes the event `inbound.<provider>.<type>`, which fans out like any other; a bad one is refused, and kept in a small quarantine.
//!
//! Tables: `sources`, `quarantined_calls`.
//!
//! Events: `inbound.*`, which exist without a declaration; `source.rejected` (operational).
//!
//! Change notices: topic `source`, key the id.
//!
//! Invariants:
//! * Nothing of a call is believed before it is verified; every comparison with a secret takes constant time.
//! * A call is answered with 2xx after its events are committed, and a repeated one adds nothing: the event's id is made of the provider's.
//! * A secret is in the answer that makes it and nowhere else: not in an event, not in the quarantine, not in a log.
//! * What a stranger can write is bounded: few rows a minute, few rows in all, small ones; nothing for an address that does not exist.

mod bounds;
mod cache;
mod calls;
mod lifecycle;
mod providers;
mod quarantine;
mod rejection;
mod routes;
mod sources;

use std::sync::Arc;

use events::Events;
use kernel::{Ambient, SourceId};
use store::{Home, Migration, Store};

use bounds::Bounds;
use cache::Cache;

pub use calls::Outcome;
pub use providers::{Algorithm, Provider, Refusal};
pub use quarantine::{QuarantinedCall, forget};
pub use sources::{
    DataForm, Deduplicate, Encoding, ResponseForm, RotateSourceSecret, RotatedSourceSecret, SecretEncoding, SignatureVersion, Source,
    SourceInput, SourcePatch, SourceSettings,
};

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "sources", version: 1, home: Home::State, sql: include_str!("../migrations/0001_sources.sql") }];

/// The topic of change notices about sources; the key is the id.
pub const TOPIC: &str = "source";

/// Sources, their calls and their quarantine.
pub struct Sources {
    store: Store,
    ambient: Ambient,
    events: Arc<Events>,
    /// Where vendors reach us, without a slash at the end.
    public_url: String,
    cache: Cache,
    bounds: Bounds,
}

impl Sources {
    /// Follows changes from now on. `public_url` is the address under which vendors reach this server. The binary puts it among the lifecycles.
    pub fn new(store: Store, ambient: Ambient, events: Arc<Events>, public_url: &str) -> Arc<Self> {
        let sources = Arc::new(Self {
            store,
            ambient,
            events,
            public_url: public_url.trim_end_matches('/').to_owned(),
            cache: Cache::default(),
            bounds: Bounds::default(),
        });
        let weak = Arc::downgrade(&sources);
        sources.store.on_change(Box::new(move |change| {
            if let Some(sources) = weak.upgrade() {
                sources.cache.forget(change);
            }
        }));
        sources
    }

    /// The address that a vendor is given.
    pub(crate) fn url(&self, id: SourceId) -> String {
        format!("{}/in/{id}", self.public_url)
    }
}
