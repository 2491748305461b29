//! The authorization server of every double: codes, PKCE, access tokens that end, refresh tokens that rotate. How a vendor differs is
//! data ([`Policy`]); how it writes its answers is in the vendor's folder.
//!
//! Whoever signs in agrees at once, as the user that [`Grants::user`] says, unless [`Grants::deny`] is set.

mod authorize;
mod token;

use std::collections::HashMap;

use kernel::Ambient;

use crate::stand::text;

pub use authorize::Refused;

/// Whether the code must be bound to a verifier (RFC 7636).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    /// Without a challenge there is no code.
    Required,
    /// A challenge that is sent is checked.
    Optional,
}

/// How a vendor's tokens live.
#[derive(Clone, Debug)]
pub struct Policy {
    /// An access token ends after so many milliseconds; never by itself, if none.
    pub access_life_ms: Option<i64>,
    /// A refresh token that nobody used for so many milliseconds is dead.
    pub refresh_idle_ms: Option<i64>,
    /// Each refresh gives a new refresh token and ends the old one; an old one that is used again ends the whole grant.
    pub rotates: bool,
    /// Whether PKCE is asked for.
    pub pkce: Pkce,
    /// At most so many refreshes of one refresh token within so many milliseconds.
    pub refreshes: Option<(usize, i64)>,
    /// A user has at most so many refresh tokens at an app; one more ends the oldest.
    pub max_grants: Option<usize>,
    /// How access tokens begin.
    pub access_prefix: String,
    /// How refresh tokens begin.
    pub refresh_prefix: String,
    /// A refresh token is given only where `access_type=offline` was asked for.
    pub needs_offline: bool,
}

/// An app that may connect.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Where codes may be sent. Empty: to any loopback address.
    pub redirect_uris: Vec<String>,
    /// What it may ask for, and gets where it asks for nothing.
    pub scopes: Vec<String>,
}

/// What a user has allowed an app.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The app.
    pub client_id: String,
    /// The user.
    pub user: u64,
    /// What was allowed.
    pub scopes: Vec<String>,
    /// Whether it is over.
    pub is_dead: bool,
    refreshed: Vec<i64>,
    offline: bool,
}

#[derive(Clone, Debug)]
struct Code {
    grant: usize,
    redirect_uri: String,
    challenge: Option<String>,
    expires_at: i64,
}

#[derive(Clone, Debug)]
struct Access {
    grant: usize,
    expires_at: Option<i64>,
}

#[derive(Clone, Debug)]
struct Refresh {
    grant: usize,
    is_current: bool,
    used_at: i64,
}

/// Tokens that were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// The refresh token: the first, or the new one where they rotate.
    pub refresh_token: Option<String>,
    /// Seconds until the access token ends, where it does.
    pub expires_in: Option<i64>,
    /// What they are good for.
    pub scopes: Vec<String>,
    /// Whose they are.
    pub user: u64,
}

/// Why there is no token (RFC 6749 §5.2, in our words; each vendor has its own).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Unknown app or wrong secret.
    Client,
    /// The code or refresh token is unknown, used, too old or another app's.
    Grant,
    /// The code's redirect URI is another one.
    RedirectUri,
    /// The verifier does not fit the challenge.
    Verifier,
    /// The grant type is none that is known.
    GrantType,
    /// Too many refreshes.
    TooMany,
}

/// The grants of one double.
#[derive(Debug)]
pub struct Grants {
    /// How tokens live.
    pub policy: Policy,
    /// The apps.
    pub apps: Vec<App>,
    /// Who signs in next.
    pub user: u64,
    /// Whether the next user says no.
    pub deny: bool,
    /// What the next user takes out of what is asked for.
    pub withheld: Vec<String>,
    grants: Vec<Grant>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
}

impl Grants {
    /// For one app.
    pub fn new(policy: Policy, app: App, user: u64) -> Self {
        let (codes, access, refresh) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { policy, apps: vec![app], user, deny: false, withheld: Vec::new(), grants: Vec::new(), codes, access, refresh }
    }

    /// The grant behind an access token that is good at `now`.
    pub fn check(&self, access_token: &str, now: i64) -> Option<&Grant> {
        let access = self.access.get(access_token)?;
        let alive = access.expires_at.is_none_or(|at| now < at);
        self.grants.get(access.grant).filter(|grant| alive && !grant.is_dead)
    }

    /// Milliseconds at which an access token ends; `Some(None)` if it does not by itself.
    pub fn expiry(&self, access_token: &str) -> Option<Option<i64>> {
        self.access.get(access_token).map(|access| access.expires_at)
    }

    /// The grant behind a refresh token that could be used at `now`.
    pub fn check_refresh(&self, refresh_token: &str, now: i64) -> Option<&Grant> {
        let refresh = self.refresh.get(refresh_token).filter(|refresh| refresh.is_current)?;
        let fresh = self.policy.refresh_idle_ms.is_none_or(|idle| now - refresh.used_at < idle);
        self.grants.get(refresh.grant).filter(|grant| fresh && !grant.is_dead)
    }

    /// Ends one access token; its refresh token stays good.
    pub fn expire(&mut self, access_token: &str) {
        self.access.remove(access_token);
    }

    /// Ends all access tokens; refresh tokens stay good.
    pub fn expire_all(&mut self) {
        self.access.clear();
    }

    /// The user takes everything back. How many grants were alive.
    pub fn withdraw(&mut self, user: u64) -> usize {
        let theirs = self.grants.iter_mut().filter(|grant| grant.user == user && !grant.is_dead);
        theirs.map(|grant| grant.is_dead = true).count()
    }

    /// The user takes one scope back.
    pub fn withdraw_scope(&mut self, user: u64, scope: &str) {
        self.grants.iter_mut().filter(|grant| grant.user == user).for_each(|grant| grant.scopes.retain(|one| one != scope));
    }

    /// Grants that are not over.
    pub fn alive(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| !grant.is_dead)
    }

    /// Ends what belongs to a token, of either kind, and the grant with it. Whether the token was known.
    pub fn revoke(&mut self, token: &str) -> bool {
        let grant = self.refresh.get(token).map(|one| one.grant).or_else(|| self.access.get(token).map(|one| one.grant));
        grant.and_then(|at| self.grants.get_mut(at)).map(|grant| grant.is_dead = true).is_some()
    }

    /// Forgets a refresh token and nothing else: access tokens live on (as at HubSpot).
    pub fn forget_refresh(&mut self, token: &str) -> bool {
        self.refresh.remove(token).is_some()
    }

    /// Tokens without the dance, for tests and hand trials: the first app, the user that is signed in, all scopes.
    pub fn issue(&mut self, ambient: &Ambient) -> Issued {
        let app = &self.apps[0];
        let (client_id, scopes) = (app.client_id.clone(), app.scopes.clone());
        let grant = self.grant(client_id, scopes, true);
        self.tokens(grant, ambient)
    }

    fn grant(&mut self, client_id: String, scopes: Vec<String>, offline: bool) -> usize {
        self.grants.push(Grant { client_id, user: self.user, scopes, is_dead: false, refreshed: Vec::new(), offline });
        self.grants.len() - 1
    }

    /// A fresh pair for a grant; the oldest refresh tokens beyond the bound end.
    fn tokens(&mut self, grant: usize, ambient: &Ambient) -> Issued {
        let mut issued = self.access_for(grant, ambient);
        if self.grants[grant].offline {
            let token = format!("{}{}", self.policy.refresh_prefix, text::hex(&ambient.bytes::<24>()));
            self.refresh.insert(token.clone(), Refresh { grant, is_current: true, used_at: ambient.now().millis() });
            issued.refresh_token = Some(token);
            self.evict(grant);
        }
        issued
    }

    fn access_for(&mut self, grant: usize, ambient: &Ambient) -> Issued {
        let now = ambient.now().millis();
        let access_token = format!("{}{}", self.policy.access_prefix, text::hex(&ambient.bytes::<32>()));
        let expires_at = self.policy.access_life_ms.map(|life| now + life);
        self.access.insert(access_token.clone(), Access { grant, expires_at });
        let expires_in = self.policy.access_life_ms.map(|life| life / 1000);
        let Grant { scopes, user, .. } = self.grants[grant].clone();
        Issued { access_token, refresh_token: None, expires_in, scopes, user }
    }

    /// Where a user has more refresh tokens at the app than may be, the oldest end.
    fn evict(&mut self, newest: usize) {
        let Some(max) = self.policy.max_grants else { return };
        let Grant { client_id, user, .. } = self.grants[newest].clone();
        let mut theirs: Vec<_> = (0..self.grants.len())
            .filter(|at| {
                let grant = &self.grants[*at];
                grant.client_id == client_id && grant.user == user && !grant.is_dead && grant.offline
            })
            .collect();
        while theirs.len() > max {
            let oldest = theirs.remove(0);
            self.grants[oldest].is_dead = true;
        }
    }
}
