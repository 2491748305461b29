//! Endpoints that the operator's own backends answer: a team keeps its backend and puts Tradewind in front.
//!
//! A call has passed the gate when it comes here: its credential is known, its scope was checked, its limits were counted, and it will be
//! logged. What remains is to carry it over: `calls` rewrites the head (hop-by-hop fields, addresses, the caller's signed identity),
//! chooses a target of the `upstreams`, and streams both bodies, of which nothing is copied. `web::outbound::backend` has the connections.
//!
//! Tables: none of its own; one installation secret, from which each upstream's signing secret follows. Events: none.
//!
//! Invariants:
//! * Where a call goes is decided by the blueprint alone; a caller can neither leave the path that the endpoint gives it nor change the host.
//! * A backend sees no identity that was not verified here, and no credential of the caller's unless the blueprint asks for it.
//! * A call is tried again only if nothing of an answer was seen, and nothing of it can have been done twice: it was not sent, or its method
//!   is idempotent.
//! * Memory is bounded: bodies are streamed, except where a schema asks for a whole one, which is bounded too.

mod calls;
mod identity;
mod routes;
mod upstreams;

use std::collections::HashMap;
use std::sync::Arc;

use blueprint::Blueprint;
use kernel::{Ambient, Result, Secret};
use store::Store;

pub use identity::signing_secret;
pub use upstreams::Upstream;

/// The name of the installation secret.
const SECRET: &str = "upstream identity";
/// Its length in bytes.
const SECRET_BYTES: usize = 32;

/// The secret from which every upstream's own follows; made at first use.
pub async fn installation_secret(store: &Store) -> Result<Secret<Vec<u8>>> {
    let ambient = store.ambient().clone();
    store.installation_secret(SECRET, move || ambient.bytes::<SECRET_BYTES>().to_vec()).await
}

/// The upstreams of a blueprint.
pub struct Upstreams {
    by_name: HashMap<String, Arc<Upstream>>,
    ambient: Ambient,
    /// `http` or `https`: how callers reach this server when no trusted proxy says so.
    scheme: &'static str,
}

impl Upstreams {
    /// The upstreams that `blueprint` declares, signing with what follows from `secret`. `scheme` is how callers reach this server.
    ///
    /// Errors: 422 `invalid_upstream` for an address or a file of authorities that cannot be used.
    pub fn new(blueprint: &Blueprint, secret: &Secret<Vec<u8>>, ambient: Ambient, scheme: &'static str) -> Result<Arc<Self>> {
        let one = |declared: &blueprint::model::Upstream| {
            let key = signing_secret(secret, &declared.name);
            Upstream::new(declared, &key, ambient.clone()).map(|upstream| (declared.name.clone(), Arc::new(upstream)))
        };
        let by_name = blueprint.upstreams.iter().map(one).collect::<Result<_>>()?;
        Ok(Arc::new(Self { by_name, ambient, scheme }))
    }

    /// Begins to ask targets whether they are well, and to close idle connections. Ends when these upstreams are dropped.
    pub fn start(&self) {
        for upstream in self.by_name.values() {
            upstreams::watch(upstream);
        }
    }

    /// Ends WebSockets: they would not end by themselves when the server stops. Their callers come back.
    pub fn close(&self) {
        for upstream in self.by_name.values() {
            upstream.closing.send_replace(true);
        }
    }

    /// The upstream of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Upstream>> {
        self.by_name.get(name)
    }
}
