//! People who sign in: how they prove who they are, their sessions, their places in tenants, invitations.
//!
//! * Tables: `sign_in_methods`, `recovery_codes`, `passkeys`, `identities`, `sessions`, `pending_sign_ins`, `ceremonies`, `one_time_links`,
//!   `invitations`, `sign_in_failures`; it also writes `users` and `memberships`, which `access` reads for everybody.
//! * Change notices: `session` (by session id) and `member` (by user id).
//! * [`sign_in`]: password, second step, links, passkeys; [`external`]: other OpenID providers. `webauthn`: what passkeys must say. [`sessions`]: from a cookie to a [`SignedIn`], in memory. `guard`: attempts are
//!   limited by address and by account.
//! * [`me`], [`members`], [`invitations`], [`users`], [`portal_sessions`]: one file per operation.
//!
//! Invariants: a token is stored as a keyed hash only and shown once; a session's token is new whenever what it may do grows; a session
//! that was revoked is refused on this node as soon as that is committed, and on other nodes as soon as the notice arrives; whether
//! somebody has an account is told to nobody, neither by answer nor by time; no password exists that nobody chose.

mod background;
mod ceremonies;
mod config;
pub mod cookie;
mod errors;
pub mod external;
mod guard;
pub mod identities;
pub mod invitations;
mod lifecycle;
mod links;
mod mails;
pub mod me;
pub mod members;
pub mod passkeys;
mod passwords;
pub mod paths;
pub mod portal_sessions;
mod routes;
mod rules;
pub mod sessions;
pub mod sign_in;
mod tokens;
mod totp;
pub mod users;
mod visit;
mod webauthn;

use std::sync::Arc;

use access::people::{Role, scopes_of};
use blueprint::Blueprint;
use kernel::{Ambient, Result};
use store::{Home, Lifecycle, Migration, Store};

pub use config::{Config, Cost};
pub use lifecycle::PeopleLifecycle;
pub use links::{Link, Purpose};
pub use sessions::{Method, NewSession, SessionInfo, SignedIn};
pub use sign_in::{Accept, Outcome, PasskeyProof, Pending, Proof, SecondFactor, SetUp};
pub use totp::TotpEnrolment;
pub use visit::Visit;
pub use webauthn::RelyingParty;

/// The schema of this feature.
pub const MIGRATIONS: &[Migration] = &[
    Migration { feature: "people", version: 1, home: Home::State, sql: include_str!("../migrations/0001_people.sql") },
    Migration { feature: "people", version: 2, home: Home::State, sql: include_str!("../migrations/0002_passkeys.sql") },
];

/// The feature. One per front, shared.
pub struct People {
    store: Store,
    ambient: Ambient,
    config: Config,
    lifecycles: Vec<Arc<dyn Lifecycle>>,
    scopes: RoleScopes,
    hasher: tokens::Hasher,
    passwords: passwords::Passwords,
    guard: guard::Guard,
    cache: sessions::Cache,
    providers: Vec<external::Provider>,
}

/// The blueprint scopes of each role, and the tier whose limits bind people.
#[derive(Clone, Debug)]
pub(crate) struct RoleScopes {
    pub(crate) tier: Arc<str>,
    pub(crate) looking: Arc<[String]>,
    pub(crate) all: Arc<[String]>,
}

impl RoleScopes {
    fn new(blueprint: &Blueprint) -> Self {
        let (looking, all) = (scopes_of(blueprint, Role::Viewer).into(), scopes_of(blueprint, Role::Owner).into());
        Self { tier: blueprint.default_tier.as_str().into(), looking, all }
    }

    pub(crate) fn of(&self, role: Role) -> Arc<[String]> {
        Arc::clone(if role == Role::Viewer { &self.looking } else { &self.all })
    }
}

impl People {
    /// Loads (or makes) the key under which tokens are hashed, listens for changes, and lets go of what is over now and then. `lifecycles` are
    /// told when a person leaves a tenant, in the same transaction. Needs a tokio runtime.
    pub async fn new(
        store: Store,
        ambient: Ambient,
        blueprint: &Blueprint,
        config: Config,
        lifecycles: Vec<Arc<dyn Lifecycle>>,
    ) -> Result<Arc<Self>> {
        // Without a client for what is outside nobody can be asked: then there are none.
        let providers = config
            .outbound
            .iter()
            .flat_map(|client| config.providers.iter().map(|provider| external::Provider::new(provider.clone(), client.clone())));
        let people = Arc::new(Self {
            providers: providers.collect(),
            hasher: tokens::Hasher::load(&store).await?,
            passwords: passwords::Passwords::new(config.cost, &ambient)?,
            scopes: RoleScopes::new(blueprint),
            guard: guard::Guard::default(),
            cache: sessions::Cache::default(),
            store,
            ambient,
            config,
            lifecycles,
        });
        people.listen();
        tokio::spawn(background::let_go_regularly(Arc::downgrade(&people)));
        Ok(people)
    }

    /// Every route of this feature.
    pub fn routes(self: &Arc<Self>) -> web::Api {
        routes::routes(self)
    }

    /// Whether e-mails can be sent: without that, links by mail are not offered.
    pub fn can_mail(&self) -> bool {
        self.config.mailer.is_some()
    }

    /// The product's name, as people read it.
    pub fn product(&self) -> &str {
        &self.config.product
    }

    fn listen(self: &Arc<Self>) {
        let weak = Arc::downgrade(self);
        self.store.on_change(Box::new(move |change| {
            if let Some(people) = weak.upgrade() {
                people.cache.forget(change);
            }
        }));
    }

    /// An address of ours with a token in it.
    pub(crate) fn link(&self, path: &str, token: &str) -> String {
        config::link(&self.config.public_url, path, token)
    }
}
