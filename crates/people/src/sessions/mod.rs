//! Sessions: who is signed in where.
//!
//! The browser holds a token of 256 random bits; we hold its keyed hash. Looking one up is answered from memory (`cache`): a notice
//! about the session or its person drops it there. A session ends when it is revoked, when nobody used it for a while (`idle`), and
//! `absolute` after it began, whatever happens. Its token is new after every proof that adds to what it may do.

mod cache;
mod list;
mod lookup;
mod person;
mod revoke;
pub(crate) mod sql;

use std::sync::Arc;

use access::people::{Membership, OperatorRole, Role};
use kernel::{Caller, Credential, Error, PermissionSet, RequestInfo, Result, Secret, SessionId, TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::tokens::{Kind, Minted};
use crate::{People, RoleScopes, Visit};

pub use person::PeopleSessions;

pub(crate) use cache::Cache;
pub(crate) use list::{SessionList, handle as list};
pub(crate) use revoke::{handle as revoke, handle_others as revoke_others};

/// Topic of change notices, by session id.
pub const TOPIC: &str = "session";

/// How somebody proved who they are. Those that `amr` values exist for say so (RFC 8176).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A password.
    Password,
    /// A code of an authenticator.
    Totp,
    /// A code kept for when the authenticator is lost.
    RecoveryCode,
    /// A passkey, which asked for a fingerprint, face or PIN.
    Passkey,
    /// A link by mail.
    MagicLink,
    /// The word of a host's backend.
    Host,
    /// Another OpenID provider.
    External,
    /// The link of the first start.
    SetUp,
}

impl Method {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey => "passkey",
            Self::MagicLink => "magic_link",
            Self::Host => "host",
            Self::External => "external",
            Self::SetUp => "set_up",
        }
    }

    /// Its name in an id token's `amr` (RFC 8176); none: it has none there.
    pub fn amr(self) -> Option<&'static str> {
        match self {
            Self::Password => Some("pwd"),
            Self::Totp | Self::RecoveryCode => Some("otp"),
            Self::Passkey => Some("hwk"),
            Self::MagicLink | Self::Host | Self::External | Self::SetUp => None,
        }
    }

    pub(crate) fn read(text: &str) -> Vec<Self> {
        const ALL: [Method; 8] = [
            Method::Password,
            Method::Totp,
            Method::RecoveryCode,
            Method::Passkey,
            Method::MagicLink,
            Method::Host,
            Method::External,
            Method::SetUp,
        ];
        text.split(' ').filter_map(|name| ALL.into_iter().find(|method| method.as_str() == name)).collect()
    }

    pub(crate) fn write(methods: &[Self]) -> String {
        methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// What they are called; may be empty.
    pub name: String,
    /// The language that they read.
    pub language: Option<String>,
    /// Which of the operator's people they are.
    pub operator: Option<OperatorRole>,
    /// Their tenants, by name. In a session that a host began, that one only, in the role that the host named.
    pub memberships: Arc<[Membership]>,
    /// The only tenant of a session that a host began: such a one changes nothing about how the person signs in.
    pub bound_tenant: Option<TenantId>,
    /// How they proved who they are.
    pub methods: Vec<Method>,
    /// When they did last.
    pub proven_at: Timestamp,
    /// When the session began.
    pub created_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they have an authenticator.
    pub has_totp: bool,
    /// Whether they have a passkey.
    pub has_passkey: bool,
    /// The issuers of the other providers at which they are known.
    pub issuers: Vec<String>,
    pub(crate) csrf: String,
    pub(crate) scopes: RoleScopes,
}

impl SignedIn {
    /// What every form and every writing call of this session repeats.
    pub fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Whether this is it, in constant time.
    pub fn is_csrf(&self, shown: &str) -> bool {
        self.csrf.as_bytes().ct_eq(shown.as_bytes()).into()
    }

    /// What they may do in a tenant as a member of it; none: they are none.
    pub fn role_in(&self, tenant: TenantId) -> Option<Role> {
        self.memberships.iter().find(|place| place.tenant_id == tenant).map(|place| place.role)
    }

    /// The caller that operations take. `tenant`: the tenant acted for; none: the person's own things, and the operator's acts.
    ///
    /// Error: 404 for a tenant that the person is not in.
    pub fn caller(&self, tenant: Option<TenantId>, request: Arc<RequestInfo>) -> Result<Caller> {
        let (permissions, scopes) = self.standing(tenant)?;
        Ok(Caller::new(self.credential(), tenant, scopes, permissions).in_request(request))
    }

    pub(crate) fn credential(&self) -> Credential {
        let (operator, session) = (self.operator.is_some(), self.session);
        Credential::User { user: self.user, operator, session, proven_at: self.proven_at }
    }

    pub(crate) fn standing(&self, tenant: Option<TenantId>) -> Result<(PermissionSet, Arc<[String]>)> {
        let operator = self.operator.map(|role| (role.permissions(), role == OperatorRole::Admin));
        let member = match tenant {
            None => None,
            Some(tenant) => self.role_in(tenant).map(|role| (role.permissions(), role > Role::Viewer)),
        };
        let (permissions, works) = match (operator, member, tenant) {
            (None, None, Some(_)) => return Err(Error::not_found("tenant")),
            (None, None, None) => (PermissionSet::NONE, false),
            (Some(one), None, _) | (None, Some(one), _) => one,
            (Some((a, works_a)), Some((b, works_b)), _) => (a.union(b), works_a || works_b),
        };
        let none_at_all = permissions == PermissionSet::NONE;
        let scopes = if none_at_all { Arc::from([]) } else { self.scopes.of(if works { Role::Owner } else { Role::Viewer }) };
        Ok((permissions, scopes))
    }
}

/// A session that has just begun, or whose token is new.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// For the cookie, this once.
    pub token: Secret<String>,
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// `ses_…`
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub is_current: bool,
    /// How the person proved who they are.
    pub methods: Vec<Method>,
    /// The only tenant that it is for, of a session that a host began.
    pub tenant_id: Option<TenantId>,
    /// From where it began.
    pub ip: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was used last, to about a minute.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// A session that is about to begin.
pub(crate) struct Draft {
    pub(crate) id: SessionId,
    pub(crate) user: UserId,
    pub(crate) hash: [u8; 32],
    pub(crate) bound: Option<(TenantId, Role)>,
    pub(crate) methods: Vec<Method>,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    /// When the proof was shown: now, or earlier at another provider.
    pub(crate) proven_at: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl People {
    /// A session to be put into the database, and what its browser gets.
    pub(crate) fn draft(&self, user: UserId, methods: Vec<Method>, bound: Option<(TenantId, Role)>, visit: &Visit) -> (Draft, NewSession) {
        let Minted { token, hash } = self.hasher.mint(Kind::Session, &self.ambient);
        let (id, created_at) = (self.ambient.id(), self.ambient.now());
        let expires_at = created_at.plus(self.config.absolute);
        let (ip, user_agent) = (visit.ip.map(|ip| ip.to_string()), visit.user_agent.as_deref().map(str::to_owned));
        let draft = Draft { id, user, hash, bound, methods, ip, user_agent, proven_at: created_at, created_at, expires_at };
        (draft, NewSession { token, session: id, user, expires_at })
    }
}
