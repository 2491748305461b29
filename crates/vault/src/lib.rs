//! The token vault: tokens that we hold at vendors, so that nobody else has to.
//!
//! Purpose: a person connects a vendor ([`NewOauthConnection`], the vendor's page, the callback) or a host hands in what it has
//! ([`NewOauthToken`]); carriers of calls ask for a credential that is good ([`Vault::held`]) and say when the vendor did not take it
//! ([`Vault::renew`]). How vendors differ is data (`providers/list.toml`).
//!
//! Tables: `oauth_apps`, `oauth_tokens`, `oauth_token_uses`, `oauth_connections`.
//!
//! Events: `oauth_token.connected`, `.degraded`, `.recovered`, `.reauth_required`, `.revoked` (operational).
//!
//! Change notices: topic `oauth_token`, key the id.
//!
//! # The states of a token
//!
//! ```text
//! active ──a renewal fails──► degraded ──a renewal works──► active
//!    └──────────┬─────────────────┘
//!     the vendor says that the grant is over ──► reauth_required ──somebody connects again──► active
//!    any of them ──somebody disconnects──► revoked (and the vendor is asked to end it)
//! ```
//!
//! Invariants:
//! * A token leaves the server towards its vendor only: not in an answer, an event, the audit log or a log. What is stored is sealed with tenant
//!   and row as associated data.
//! * At most one renewal of a token is under way over all servers, and its result is stored before anybody uses it (`holding`).
//! * A grant is over only when the vendor says so definitely, and nobody else has renewed it meanwhile.
//! * A callback is good once, for ten minutes, in the browser that began (`connections`).
//! * The operator's client secrets go to the vendor's own addresses, or to where the operator says.

mod apps;
mod connections;
mod exchange;
mod holding;
mod keeper;
mod lifecycle;
mod providers;
mod report;
mod routes;
mod tokens;

use std::sync::{Arc, OnceLock};

use events::Events;
use kernel::{Ambient, NodeId, Result, TenantId};
use store::{Home, Migration, Store, Tx};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use web::outbound::Client;

use holding::{Cache, Locks, Uses};

pub use apps::{OauthApp, OauthProvider, OauthProviders};
pub use connections::{ConnectionStatus, NewOauthConnection, OauthConnection};
pub use holding::{Held, is_of_api};
pub use providers::{ClientAuthentication, ProviderDefinition};
pub use tokens::{NewOauthToken, OauthToken, OauthTokenFilter, OauthTokenUse, Reconnect, Revocation, Status};

/// This feature's schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "vault", version: 1, home: Home::State, sql: include_str!("../migrations/0001_vault.sql") }];

/// The topic of change notices about tokens; the key is the id.
pub const TOPIC: &str = "oauth_token";

/// Our name in the audit log.
pub(crate) const PART: &str = "vault";

/// A member of a tenant's settings. Tenants belong to `access`.
pub type TenantSetting = Arc<dyn Fn(&mut Tx<'_>, TenantId, &str) -> Result<Option<serde_json::Value>> + Send + Sync>;

/// What the vault stands on.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Time and chance.
    pub ambient: Ambient,
    /// Who is told of states that change.
    pub events: Arc<Events>,
    /// The guarded client by which vendors are asked.
    pub outbound: Client,
    /// The address under which browsers reach this server, without a slash at the end.
    pub public_url: String,
    /// This server, in leases.
    pub holder: NodeId,
}

/// Tokens at vendors, and how they are had. The binary puts it among the lifecycles.
pub struct Vault {
    store: Store,
    ambient: Ambient,
    events: Arc<Events>,
    outbound: Client,
    public_url: String,
    holder: NodeId,
    cache: Cache,
    locks: Locks,
    uses: Uses,
    /// Some token changed, here or on another server.
    changed: Notify,
    /// Exchanges that are under way.
    tasks: TaskTracker,
    tenant_settings: OnceLock<TenantSetting>,
    started: OnceLock<()>,
}

impl Vault {
    /// Follows changes from now on; nothing happens by itself before [`Vault::start`].
    pub fn new(parts: Parts) -> Arc<Self> {
        let vault = Arc::new(Self {
            store: parts.store,
            ambient: parts.ambient,
            events: parts.events,
            outbound: parts.outbound,
            public_url: parts.public_url.trim_end_matches('/').to_owned(),
            holder: parts.holder,
            cache: Cache::default(),
            locks: Locks::default(),
            uses: Uses::default(),
            changed: Notify::new(),
            tasks: TaskTracker::new(),
            tenant_settings: OnceLock::new(),
            started: OnceLock::new(),
        });
        let weak = Arc::downgrade(&vault);
        vault.store.on_change(Box::new(move |change| {
            if let Some(vault) = weak.upgrade()
                && vault.cache.forget(change)
            {
                vault.changed.notify_waiters();
            }
        }));
        vault
    }

    /// Sets where settings of tenants are read: which addresses their people may be sent back to. Once, at wiring; without it only this
    /// server's own.
    pub fn set_tenant_settings(&self, settings: TenantSetting) {
        let _ = self.tenant_settings.set(settings);
    }

    /// Where vendors send people back to: the address to register with an app.
    pub fn redirect_uri(&self) -> String {
        format!("{}/oauth/callback", self.public_url)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }
}
