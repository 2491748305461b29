//! The data plane's front. Every route but the public ones is wrapped by [`Gate::guard`]; a request then passes, in this order:
//!
//! 1. `admit`: credential (with its proof, where the token is bound to a key: `proofs`) → allow-lists (address, endpoint) → limits (all windows at once) → the tenant named by a service key;
//! 2. `idempotency`: a repeated request gets the first answer again;
//! 3. the scope that the endpoint needs;
//! 4. the operation itself, which obtains its authority anew from the [`kernel::Caller`] that it is given;
//! 5. on the way out: errors in the endpoint's form, rate limit fields, a row in the request log.
//!
//! Table: `quota_uses`. Invariants: a refused request reaches no operation; a request is counted once; every answer to a known
//! credential carries the rate limit fields; the request log never delays an answer (unless it is 100,000 rows behind).

mod admit;
mod audience;
mod challenge;
mod cors;
mod guard;
mod idempotency;
mod limits;
mod people;
mod proofs;
mod quota_uses;
mod rate_headers;
mod routes;
mod singletons;
mod timings;
mod verify;
mod visitor;
mod whoami;

use std::sync::{Arc, OnceLock};

use access::{Access, Principal};
use axum::routing::MethodRouter;
use blueprint::model::ResetFormat;
use kernel::{Ambient, Timestamp};
use store::{Home, Migration, Store};
use switches::Switches;
use usage::Usage;
use web::Endpoint;

pub use guard::check_scope;
pub use proofs::AskedAs;
pub use quota_uses::{QuotaStanding, QuotaUses};
pub use timings::{BOUNDS_US, Phase, PhaseTimes, Timings};
pub use verify::{Code, Left, Verified, VerifyKey};
pub use visitor::Visitor;
pub use web::PeerAddress;
pub use whoami::{LimitState, WhoAmI};

pub use limits::{
    Bucket, Charge, CounterOptions, Counters, Decision, Limiter, Limits, Nearest, QuotaLifecycle, QuotaUse, SharedState, Window,
};

/// The schema of this feature.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "gate", version: 1, home: Home::State, sql: include_str!("../migrations/0001_quotas.sql") }];

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
    counters: Arc<Counters>,
    in_flight: Arc<idempotency::InFlight>,
    timings: Arc<Timings>,
    options: Options,
    switches: OnceLock<Arc<Switches>>,
    /// Whether somebody wants a [`web::RequestNote`] with every answer.
    notes: OnceLock<()>,
    /// How proofs of bound tokens are checked.
    dpop: OnceLock<Arc<access::dpop::Dpop>>,
    /// Who is signed in.
    people: OnceLock<Arc<dyn access::people::Sessions>>,
    /// The public address, where it is told which authorization server is trusted.
    announced: OnceLock<String>,
}

impl Gate {
    /// A gate in front of `access`, logging to `usage`.
    /// It counts in this process, in counters of its own.
    pub fn new(store: Store, ambient: Ambient, access: Arc<Access>, usage: Arc<Usage>, options: Options) -> Arc<Self> {
        let counters = Counters::start(&store, ambient.clone(), &CounterOptions::default());
        let counters = counters.expect("without a Redis URL nothing can be wrong with it");
        Self::counting(store, ambient, access, usage, counters, options)
    }

    /// The same with the counters that the process has.
    pub fn counting(
        store: Store,
        ambient: Ambient,
        access: Arc<Access>,
        usage: Arc<Usage>,
        counters: Arc<Counters>,
        options: Options,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            ambient,
            access,
            usage,
            counters,
            in_flight: Arc::default(),
            timings: Arc::default(),
            options,
            switches: OnceLock::new(),
            notes: OnceLock::new(),
            dpop: OnceLock::new(),
            people: OnceLock::new(),
            announced: OnceLock::new(),
        })
    }

    /// A gate in front of another `access` that goes on counting where this one stands: the blueprint was read again.
    pub fn over(&self, access: Arc<Access>, options: Options) -> Arc<Self> {
        Arc::new(Self {
            store: self.store.clone(),
            ambient: self.ambient.clone(),
            access,
            usage: Arc::clone(&self.usage),
            counters: Arc::clone(&self.counters),
            in_flight: Arc::clone(&self.in_flight),
            timings: Arc::clone(&self.timings),
            options,
            switches: self.switches.clone(),
            notes: self.notes.clone(),
            dpop: self.dpop.clone(),
            // Of another blueprint, roles may mean other scopes: told anew.
            people: OnceLock::new(),
            announced: self.announced.clone(),
        })
    }

    /// Heeds what the operator switches: maintenance. Once, at wiring; a second call changes nothing.
    pub fn heed(&self, switches: Arc<Switches>) {
        let _ = self.switches.set(switches);
    }

    /// Puts a [`web::RequestNote`] into the extensions of every answer, for the access log and traces. Once, at wiring.
    pub fn take_notes(&self) {
        let _ = self.notes.set(());
    }

    /// The counters of limits.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Decides about a use of `cost` by `principal` at `now`, and counts it if it is admitted; a cost of 0 only looks. None: nothing limits
    /// it. Errors: those of the store.
    pub async fn charge(&self, principal: &Principal, cost: u64, now: Timestamp) -> kernel::Result<Option<Charge>> {
        self.counters.charge(principal, &self.access.tiers(), cost, now).await
    }

    /// What was measured.
    pub fn timings(&self) -> &Arc<Timings> {
        &self.timings
    }

    /// The routes that the gate itself serves: verification for hosts, and `whoami`.
    pub fn routes(self: &Arc<Self>) -> web::Api {
        routes::routes(self)
    }

    /// Wraps one route. Give it to [`web::Api::into_router`].
    pub fn guard(self: &Arc<Self>, endpoint: Arc<Endpoint>, route: MethodRouter) -> MethodRouter {
        guard::wrap(Arc::clone(self), endpoint, route)
    }
}
