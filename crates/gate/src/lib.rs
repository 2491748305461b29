//! The data plane's front. Every route but the public ones is wrapped by [`Gate::guard`]; a request then passes, in this order:
//!
//! 1. `admit`: credential → allow-lists (address, endpoint) → limits (all windows at once) → the tenant named by a service key;
//! 2. `idempotency`: a repeated request gets the first answer again;
//! 3. the scope that the endpoint needs;
//! 4. the operation itself, which obtains its authority anew from the [`kernel::Caller`] that it is given;
//! 5. on the way out: errors in the endpoint's form, rate limit fields, a row in the request log.
//!
//! Tables: none of its own. Invariants: a refused request reaches no operation; a request is counted once; every answer to a known
//! credential carries the rate limit fields; the request log never delays an answer (unless it is 100,000 rows behind).

mod admit;
mod guard;
mod idempotency;
mod limits;
mod rate_headers;
mod singletons;

use std::sync::Arc;

use access::Access;
use axum::routing::MethodRouter;
use blueprint::model::ResetFormat;
use kernel::Ambient;
use store::Store;
use usage::Usage;
use web::Endpoint;

pub use web::PeerAddress;

pub use limits::{Bucket, Decision, Limiter, Limits, Window};

/// What the gate is told at start.
#[derive(Clone, Debug)]
pub struct Options {
    /// How `X-RateLimit-Reset` is written.
    pub reset: ResetFormat,
    /// Development only: addresses are not compared with allow-lists.
    pub bypass_ip_allowlist: bool,
}

/// The gate.
pub struct Gate {
    store: Store,
    ambient: Ambient,
    access: Arc<Access>,
    usage: Arc<Usage>,
    limits: limits::Known,
    limiter: Limiter,
    in_flight: idempotency::InFlight,
    options: Options,
}

impl Gate {
    /// A gate in front of `access`, logging to `usage`.
    pub fn new(store: Store, ambient: Ambient, access: Arc<Access>, usage: Arc<Usage>, options: Options) -> Arc<Self> {
        Arc::new(Self {
            store,
            ambient,
            access,
            usage,
            limits: limits::Known::default(),
            limiter: Limiter::default(),
            in_flight: idempotency::InFlight::default(),
            options,
        })
    }

    /// Wraps one route. Give it to [`web::Api::into_router`].
    pub fn guard(self: &Arc<Self>, endpoint: Arc<Endpoint>, route: MethodRouter) -> MethodRouter {
        guard::wrap(Arc::clone(self), endpoint, route)
    }
}
