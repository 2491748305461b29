//! The authorization server: OAuth 2.1 for partners' applications.
//!
//! API clients are the OAuth clients. A person of a tenant allows an application what it asks for (the page is `portal`'s), and it gets a code,
//! for the code tokens, and with them it passes the gate as with a key. Issued access tokens live in `access` (`access_tokens`), since the gate
//! checks them; the protocol, and all that is not a credential yet, is here.
//!
//! * Tables: `oauth_clients`, `oauth_requests`, `oauth_codes`, `oauth_consents`, `oauth_grants`, `oauth_spent_tokens`, `oauth_devices`,
//!   `oauth_used_tokens`.
//! * Change notices: `oauth_client` (by client id).
//! * [`clients`]: who an application is and how it proves it. [`requests`]: from `/oauth/authorize` to a code. [`tokens`]: `/oauth/token`,
//!   introspection, revocation. [`grants`]: what an authorization turned into. [`consents`]: what people allowed. `metadata`: RFC 8414, 9728.
//! * Beyond the core (`extensions`): signed tokens (`jwt_tokens`, `jwks`), who signed in (`openid`), tokens bound to keys (`dpop`), clients
//!   that sign (`assertions`) or register themselves ([`registrations`]), [`device`]s, `exchange` of tokens.
//!
//! Invariants:
//! * Nothing is sent to an address that the client did not register, letter by letter.
//! * A code is redeemed once; shown again, it ends what came of it. The same holds for refresh tokens (RFC 9700 §2.2.2, §4.14).
//! * A token never opens more than the client may, than was asked for, and than whoever consented may; another tenant's data only by a person
//!   of that tenant.
//! * What is issued is committed before it is answered; secrets are stored as keyed hashes.

mod assertions;
pub mod clients;
mod codes;
mod config;
pub mod consents;
pub mod device;
mod dpop;
mod errors;
mod exchange;
mod extensions;
mod form;
pub mod grant_types;
pub mod grants;
mod jwks;
mod jwt_tokens;
mod lifecycle;
mod metadata;
mod openid;
pub mod registrations;
pub mod requests;
mod resources;
mod routes;
pub mod scope;
mod sweep;
pub mod tokens;
mod used_tokens;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use access::Access;
use access::dpop::Dpop;
use access::signing_keys::SigningKeys;
use blueprint::Blueprint;
use kernel::{Ambient, Scope, Secret};
use store::{Home, Migration, Store};
use tokio::sync::OnceCell;
use web::Windows;
use web::outbound::Client;

pub use config::{Config, TokenFormat};

/// The schema of this feature.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "oauth", version: 1, home: Home::State, sql: include_str!("../migrations/0001_oauth.sql") },
    Migration { feature: "oauth", version: 2, home: Home::State, sql: include_str!("../migrations/0002_extensions.sql") },
];

/// The feature. One per front, shared.
pub struct Oauth {
    store: Store,
    ambient: Ambient,
    blueprint: Arc<Blueprint>,
    access: Arc<Access>,
    config: Config,
    clients: clients::Cache,
    /// Applications that were changed, and may be gone.
    changed: consents::Changed,
    /// Failed authentications of clients, by network.
    failures: Windows<IpAddr>,
    /// Requests of strangers that are stored, by network.
    strangers: Windows<IpAddr>,
    /// What signs tokens.
    keys: Arc<SigningKeys>,
    /// How proofs of keys are checked; none: no token is bound to one.
    dpop: OnceLock<Arc<Dpop>>,
    /// The keys that clients publish; none: they are not fetched.
    remote_keys: OnceLock<assertions::RemoteKeys>,
    /// Registrations of strangers, by network.
    registering: Windows<IpAddr>,
    /// Codes of devices that nobody has, by network.
    typed_codes: Windows<IpAddr>,
    /// What codes of devices are hashed with.
    user_codes: OnceCell<Secret<Vec<u8>>>,
}

fn system() -> Scope {
    Scope::system("oauth")
}

impl Oauth {
    /// Follows changes of clients from now on. The binary puts it among the lifecycles of `access`.
    pub fn new(store: Store, ambient: Ambient, blueprint: Arc<Blueprint>, access: Arc<Access>, config: Config) -> Arc<Self> {
        let keys = SigningKeys::new(&store, config.signing_algorithm);
        let oauth = Arc::new(Self {
            store,
            ambient,
            blueprint,
            access,
            config,
            clients: clients::Cache::default(),
            changed: consents::Changed::default(),
            failures: Windows::default(),
            strangers: Windows::default(),
            keys,
            dpop: OnceLock::new(),
            remote_keys: OnceLock::new(),
            registering: Windows::default(),
            typed_codes: Windows::default(),
            user_codes: OnceCell::new(),
        });
        let weak = Arc::downgrade(&oauth);
        oauth.store.on_change(Box::new(move |change| {
            if let Some(oauth) = weak.upgrade() {
                oauth.clients.forget(change);
                oauth.changed.note(change);
            }
        }));
        oauth
    }

    /// Fetches keys that clients publish (`jwks_uri`) by this client. Once, at wiring; a second call changes nothing.
    pub fn fetch_with(&self, client: Client) {
        let _ = self.remote_keys.set(assertions::RemoteKeys::new(client));
    }

    /// How it was set up.
    pub fn config(&self) -> &Config {
        &self.config
    }
}
