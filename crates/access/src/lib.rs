//! Who may do what: tenants, API clients, API keys, service keys, tiers, and the check of every credential.
//!
//! * Tables: `tenants`, `users`, `memberships`, `clients`, `api_keys`, `access_tokens`, `service_keys`, `tier_overrides`,
//!   `jwt_keys`.
//! * Events: `api_key.*` (operational).
//! * Change notices: `tenant`, `client`, `key`, `key_import`, `service_key` (by id), `tier` (by name), `access_token` (by key id),
//!   `oauth_grant` (by id), `member` (by user id).
//! * [`credentials`]: from a bearer token to a [`Principal`]: the hot path of every request.
//! * [`leaks`]: what is done when a key is found where others can read it.
//! * [`jose`], [`signing_keys`], [`dpop`]: signed tokens, the keys that sign ours, and proofs that a caller holds a key.
//! * [`tenants`], [`clients`], [`keys`], [`service_keys`], [`rate_limits`], [`scopes`]: one file per operation.
//!
//! Invariants: a secret is stored as `HMAC-SHA-256(pepper, secret)` only and compared in constant time; a key never has more than its client;
//! nobody grants what they lack; a credential that was revoked is refused on this node as soon as the revocation is committed, and on
//! other nodes as soon as the notice arrives; an unknown key id is never cached.

pub mod access_tokens;
mod background;
pub mod clients;
pub mod credentials;
pub mod dpop;
mod errors;
pub mod jose;
pub mod keys;
pub mod leaks;
mod monthly_quota;
mod objections;
mod origins;
pub mod people;
pub mod rate_limits;
mod routes;
mod rules;
pub mod scopes;
pub mod service_keys;
pub mod signing_keys;
pub mod tenants;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use blueprint::Blueprint;
use kernel::{Ambient, Error, KeyId, Result, Scope, Timestamp};
use signals::Signals;
use store::{Lifecycle, Migration, Store, Subject, Tx};
use tokio::sync::Notify;

pub use credentials::{EndpointPattern, Examined, Principal, Standing};
pub use keys::{Environment, LimitOverride};
pub use monthly_quota::MonthlyQuota;
pub use objections::objections;
pub use rate_limits::Tiers;

use credentials::{Cache, Pepper, Touches};

/// The schema of this feature.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "access", version: 1, home: store::Home::State, sql: include_str!("../migrations/0001_access.sql") },
    Migration { feature: "access", version: 2, home: store::Home::State, sql: include_str!("../migrations/0002_keys.sql") },
    Migration { feature: "access", version: 3, home: store::Home::State, sql: include_str!("../migrations/0003_limits.sql") },
    Migration { feature: "access", version: 4, home: store::Home::State, sql: include_str!("../migrations/0004_ending.sql") },
    Migration { feature: "access", version: 5, home: store::Home::State, sql: include_str!("../migrations/0005_leases.sql") },
    Migration { feature: "access", version: 6, home: store::Home::State, sql: include_str!("../migrations/0006_operator_locks.sql") },
    Migration { feature: "access", version: 7, home: store::Home::State, sql: include_str!("../migrations/0007_access_tokens.sql") },
    Migration { feature: "access", version: 8, home: store::Home::State, sql: include_str!("../migrations/0008_people.sql") },
    Migration { feature: "access", version: 9, home: store::Home::State, sql: include_str!("../migrations/0009_jwt_keys.sql") },
];

/// The feature. One per process, shared.
pub struct Access {
    store: Store,
    ambient: Ambient,
    blueprint: Arc<Blueprint>,
    lifecycles: Vec<Arc<dyn Lifecycle>>,
    pepper: Pepper,
    cache: Cache,
    tenants: tenants::References,
    tiers: ArcSwap<Tiers>,
    tiers_changed: Arc<Notify>,
    origins: origins::Origins,
    touches: Touches,
    /// Whether keys of other systems were ever taken over: only then is a text that is no token of ours looked up.
    imports: AtomicBool,
    reporter: keys::report::Reporter,
    leaks: leaks::Setup,
    signals: OnceLock<Arc<Signals>>,
}

impl Access {
    /// Loads (or makes) the pepper, loads the tiers, listens for changes and starts the task that writes key uses. `lifecycles` are told of
    /// tenants and clients that come and go, in this order, in the same transaction. Needs a tokio runtime.
    ///
    /// Errors: 422 `reserved_key_prefix` when the blueprint's key prefix is that of service keys; those of the store.
    pub async fn new(store: Store, ambient: Ambient, blueprint: Arc<Blueprint>, lifecycles: Vec<Arc<dyn Lifecycle>>) -> Result<Arc<Self>> {
        let prefix = &blueprint.keys.prefix;
        if keys::token::is_reserved(prefix) {
            let detail = format!("The key prefix {prefix} belongs to service keys or OAuth tokens; give the blueprint another one.");
            return Err(Error::invalid("reserved_key_prefix", detail));
        }
        let pepper = Pepper::load(&store).await?;
        let access = Arc::new(Self {
            tiers: ArcSwap::from_pointee(Tiers::new(&blueprint, &[])),
            store,
            ambient,
            blueprint,
            lifecycles,
            pepper,
            cache: Cache::default(),
            tenants: tenants::References::default(),
            tiers_changed: Arc::default(),
            origins: origins::Origins::default(),
            touches: Touches::default(),
            imports: AtomicBool::new(false),
            reporter: keys::report::Reporter::default(),
            leaks: leaks::Setup::default(),
            signals: OnceLock::new(),
        });
        access.listen();
        access.reload().await?;
        access.reload_origins().await?;
        tokio::spawn(background::flush_regularly(Arc::downgrade(&access)));
        tokio::spawn(background::follow_tiers(Arc::downgrade(&access), Arc::clone(&access.tiers_changed)));
        tokio::spawn(background::follow_origins(Arc::downgrade(&access), access.origins.changed()));
        Ok(access)
    }

    /// Every route of this feature.
    pub fn routes(self: &Arc<Self>) -> web::Api {
        routes::routes(self)
    }

    /// The tiers as they are now: the blueprint's with the operator's changes.
    pub fn tiers(&self) -> Arc<Tiers> {
        self.tiers.load_full()
    }

    /// Notes a use of `key` at `at`. Only memory is touched; the row follows within seconds, without a change notice.
    pub fn touch(&self, key: KeyId, at: Timestamp) {
        self.touches.note(key, at);
    }

    /// Writes the uses collected so far. Called regularly, and once more when the server drains. On an error they are kept for the next time.
    pub async fn flush(&self) -> Result<()> {
        self.touches.flush(&self.store).await
    }

    /// Drops from every cache what a change notice is about. Weak, so that the store does not keep the feature alive.
    fn listen(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        self.store.on_change(Box::new(move |change| {
            let Some(access) = weak.upgrade() else { return };
            access.cache.forget(change);
            access.tenants.forget(change);
            if change.topic == keys::IMPORT_TOPIC {
                access.imports.store(true, Ordering::Relaxed);
            }
            if change.concerns(rate_limits::TOPIC) {
                access.tiers_changed.notify_one();
            }
            if change.concerns(clients::TOPIC) || change.concerns(tenants::TOPIC) {
                access.origins.changed().notify_one();
            }
        }));
    }

    /// What is kept of tables as a whole: the tiers, and whether there are imported keys.
    async fn reload(&self) -> Result<()> {
        let read = self.store.read(Scope::system("access"), |tx| Ok((rate_limits::sql::all(tx)?, credentials::has_imports(tx)?)));
        let (overrides, imports) = read.await?;
        if imports {
            self.imports.store(true, Ordering::Relaxed);
        }
        self.tiers.store(Arc::new(Tiers::new(&self.blueprint, &overrides)));
        Ok(())
    }

    /// Tells the other features that something goes, before its rows here do.
    fn purge_elsewhere(&self, tx: &mut Tx<'_>, tenant: kernel::TenantId, subject: &Subject) -> Result<()> {
        self.lifecycles.iter().try_for_each(|lifecycle| lifecycle.purge(tx, tenant, subject))
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.tiers_changed.notify_one();
        self.origins.changed().notify_one();
    }
}
