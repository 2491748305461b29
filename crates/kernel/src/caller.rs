//! Who is asking, and the authority that follows from it.
//!
//! An operation begins with `caller.allow(Permission::…)?`. What it gets back, a [`TenantScope`], is the only thing that opens a
//! tenant's transaction in `store`, so no front door can forget to authorize. [`Caller::operate`] does the same for the operator.
//! Background work uses [`Scope::system`].

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::id::{ClientId, KeyId, RequestId, ServiceKeyId, SessionId, TenantId, UserId};
use crate::permission::{Permission, PermissionSet};
use crate::time::Timestamp;

/// How long a proof of who somebody is opens what [`Caller::require_fresh`] guards.
pub const FRESH_FOR: Duration = Duration::from_mins(10);

/// The credential that was presented and found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An API key of a client.
    Key {
        /// The key.
        key: KeyId,
        /// Its client.
        client: ClientId,
    },
    /// An access token that we issued to a client, perhaps for a person.
    OAuthToken {
        /// The client.
        client: ClientId,
        /// The person who consented, if there is one.
        user: Option<UserId>,
    },
    /// A service key: the operator's, for a host backend.
    ServiceKey {
        /// The key.
        key: ServiceKeyId,
        /// The only tenant that it may act for; none means any tenant, and the operator's own acts.
        bound: Option<TenantId>,
    },
    /// A signed-in person.
    User {
        /// The person.
        user: UserId,
        /// Whether the person is one of the operator's.
        operator: bool,
        /// The session.
        session: SessionId,
        /// When the person last proved who they are.
        proven_at: Timestamp,
    },
    /// Tradewind itself.
    System {
        /// Which part, for the audit log.
        part: &'static str,
    },
}

/// Who did something, as the audit log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An API key.
    Key(KeyId),
    /// An OAuth client.
    Client(ClientId),
    /// A service key.
    ServiceKey(ServiceKeyId),
    /// A person.
    User(UserId),
    /// Tradewind itself.
    System(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "{id}"),
            Self::Client(id) => write!(f, "{id}"),
            Self::ServiceKey(id) => write!(f, "{id}"),
            Self::User(id) => write!(f, "{id}"),
            Self::System(part) => write!(f, "system:{part}"),
        }
    }
}

/// An idempotency key of a request, to be answered once. `store` fills it in the transaction of the effect.
#[derive(Debug)]
pub struct RequestSlot {
    /// The key that the caller chose.
    pub key: String,
    /// The credential that it belongs to ([`Actor`] as text): two credentials never share keys.
    pub owner: String,
    /// Hash of method, path, query and body.
    pub fingerprint: [u8; 32],
    taken: AtomicBool,
    replayed: AtomicBool,
}

impl RequestSlot {
    /// An open slot.
    pub fn new(key: String, owner: String, fingerprint: [u8; 32]) -> Self {
        Self { key, owner, fingerprint, taken: AtomicBool::new(false), replayed: AtomicBool::new(false) }
    }

    /// Claims the slot for one write: true for the first who asks.
    pub fn take(&self) -> bool {
        !self.taken.swap(true, Ordering::SeqCst)
    }

    /// Whether an operation stored (or replayed) its answer here.
    pub fn is_taken(&self) -> bool {
        self.taken.load(Ordering::SeqCst)
    }

    /// Says that the answer came from an earlier execution.
    pub fn mark_replayed(&self) {
        self.replayed.store(true, Ordering::SeqCst);
    }

    /// Whether the answer came from an earlier execution.
    pub fn is_replayed(&self) -> bool {
        self.replayed.load(Ordering::SeqCst)
    }
}

/// The request behind a call.
#[derive(Debug)]
pub struct RequestInfo {
    /// Its id, in every answer and log line.
    pub id: RequestId,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// What the client calls itself (`User-Agent`), for the audit log.
    pub user_agent: Option<Arc<str>>,
    /// The idempotency slot, if the caller sent a key.
    pub slot: Option<RequestSlot>,
}

/// Who is asking. Built by `gate` (and `portal`) from a good credential; every operation takes one.
#[derive(Clone, Debug)]
pub struct Caller {
    credential: Credential,
    tenant: Option<TenantId>,
    scopes: Arc<[String]>,
    permissions: PermissionSet,
    request: Option<Arc<RequestInfo>>,
}

impl Caller {
    /// A caller. `tenant` is the tenant acted on, `scopes` the blueprint scopes held, with all that they imply.
    pub fn new(credential: Credential, tenant: Option<TenantId>, scopes: Arc<[String]>, permissions: PermissionSet) -> Self {
        Self { credential, tenant, scopes, permissions, request: None }
    }

    /// Tradewind itself, acting for a tenant or for the operator.
    pub fn system(part: &'static str, tenant: Option<TenantId>) -> Self {
        Self::new(Credential::System { part }, tenant, Arc::from([]), PermissionSet::all())
    }

    /// The same caller in a request.
    #[must_use]
    pub fn in_request(mut self, request: Arc<RequestInfo>) -> Self {
        self.request = Some(request);
        self
    }

    /// The credential.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The tenant acted on, if one is named.
    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant
    }

    /// The client whose credential this is.
    pub fn client(&self) -> Option<ClientId> {
        match &self.credential {
            Credential::Key { client, .. } | Credential::OAuthToken { client, .. } => Some(*client),
            _ => None,
        }
    }

    /// The signed-in person, with the session, if it is one.
    pub fn person(&self) -> Option<(UserId, SessionId)> {
        match &self.credential {
            Credential::User { user, session, .. } => Some((*user, *session)),
            _ => None,
        }
    }

    /// A signed-in person's authority over what is their own: who they are, how they sign in, their sessions. Such rows belong to no tenant.
    ///
    /// Error: 403 `people_only`.
    pub fn myself(&self) -> Result<(UserId, SessionId, Scope)> {
        let Some((user, session)) = self.person() else {
            return Err(Error::forbidden("people_only", "Only a signed-in person may do this, not a key."));
        };
        Ok((user, session, Scope { authority: Authority::System, actor: self.actor(), request: self.request.clone(), is_asked_for: false }))
    }

    /// For acts that somebody who finds a browser open must not do: whether the signed-in person proved who they are within [`FRESH_FOR`].
    /// Other credentials are proven by every request. Error: 403 `reauthentication_required`.
    pub fn require_fresh(&self, now: Timestamp) -> Result<()> {
        match &self.credential {
            Credential::User { proven_at, .. } if now.since(*proven_at) > FRESH_FOR => {
                let detail = "This needs a fresh proof that it is you. Confirm with your password, passkey or code, and try again.";
                Err(Error::forbidden("reauthentication_required", detail))
            }
            _ => Ok(()),
        }
    }

    /// The blueprint scopes held.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The permissions held.
    pub fn permissions(&self) -> PermissionSet {
        self.permissions
    }

    /// The request, if this call came by one.
    pub fn request(&self) -> Option<&Arc<RequestInfo>> {
        self.request.as_ref()
    }

    /// Whether blueprint scopes bind this caller. Whoever holds every permission is above them: service keys that were not narrowed, the
    /// operator's people, the system.
    pub fn is_bound_by_scopes(&self) -> bool {
        match self.credential {
            Credential::Key { .. } | Credential::OAuthToken { .. } => true,
            Credential::ServiceKey { .. } | Credential::User { .. } => self.permissions != PermissionSet::all(),
            Credential::System { .. } => false,
        }
    }

    /// Who acts, for the audit log.
    pub fn actor(&self) -> Actor {
        match &self.credential {
            Credential::Key { key, .. } => Actor::Key(*key),
            Credential::OAuthToken { user: Some(user), .. } | Credential::User { user, .. } => Actor::User(*user),
            Credential::OAuthToken { client, user: None } => Actor::Client(*client),
            Credential::ServiceKey { key, .. } => Actor::ServiceKey(*key),
            Credential::System { part } => Actor::System(part),
        }
    }

    /// Authority over the caller's tenant, if it holds `permission`.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `tenant_required` for a service key that names no tenant.
    pub fn allow(&self, permission: Permission) -> Result<TenantScope> {
        self.require(permission)?;
        self.tenant_scope()
    }

    /// Only the question whether it holds `permission`. Error: 403 `insufficient_scope`.
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.holds(permission) {
            return Ok(());
        }
        let detail = format!("This needs a scope that grants {permission}, which this credential does not hold.");
        Err(Error::forbidden("insufficient_scope", detail))
    }

    /// Authority over the caller's tenant, if it holds the blueprint scope `scope`. An empty scope asks for any valid credential.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `tenant_required`.
    pub fn allow_scope(&self, scope: &str) -> Result<TenantScope> {
        self.require_scope(scope)?;
        self.tenant_scope()
    }

    /// Only the question whether it holds the blueprint scope `scope`. Error: 403 `insufficient_scope`.
    pub fn require_scope(&self, scope: &str) -> Result<()> {
        if !self.is_bound_by_scopes() || scope.is_empty() || self.scopes.iter().any(|held| held == scope) {
            return Ok(());
        }
        Err(Error::forbidden("insufficient_scope", format!("Insufficient permissions. Required scope: {scope}")))
    }

    /// Authority over the tenant whatever the scopes: for what any valid credential may see.
    ///
    /// Errors: 422 `tenant_required`.
    pub fn tenant_scope(&self) -> Result<TenantScope> {
        let tenant = self.tenant.ok_or_else(|| {
            Error::invalid("tenant_required", "A service key must say which tenant it acts for: send Tradewind-Tenant: ten_…")
        })?;
        let held = Held { scopes: self.is_bound_by_scopes().then(|| Arc::clone(&self.scopes)), permissions: self.permissions };
        Ok(TenantScope { tenant, actor: self.actor(), request: self.request.clone(), held })
    }

    /// The operator's authority.
    ///
    /// Errors: 403 `operator_only`.
    pub fn operate(&self) -> Result<OperatorScope> {
        let operator = match self.credential {
            Credential::ServiceKey { bound, .. } => bound.is_none() && self.permissions == PermissionSet::all(),
            // Those of the operator's people who only look on hold less than everything.
            Credential::User { operator, .. } => operator && self.permissions == PermissionSet::all(),
            Credential::System { .. } => true,
            Credential::Key { .. } | Credential::OAuthToken { .. } => false,
        };
        if !operator {
            return Err(Error::forbidden("operator_only", "Only the operator may do this, with a service key that is bound to no tenant."));
        }
        Ok(OperatorScope { actor: self.actor(), request: self.request.clone() })
    }

    /// The same caller acting for `tenant`, named in a body. A credential of one tenant cannot name another: 404, as for a tenant that
    /// does not exist. Error beside it: 422 `tenant_mismatch` when the request names one tenant already.
    pub fn acting_for(&self, tenant: Option<TenantId>) -> Result<Self> {
        let Some(named) = tenant else { return Ok(self.clone()) };
        let fixed = match &self.credential {
            Credential::ServiceKey { bound, .. } => *bound,
            Credential::System { .. } | Credential::User { operator: true, .. } => None,
            // A person who acts for no tenant is a member of none here.
            Credential::User { .. } if self.tenant.is_none() => return Err(Error::not_found("tenant")),
            _ => self.tenant,
        };
        if fixed.is_some_and(|own| own != named) {
            return Err(Error::not_found("tenant"));
        }
        if self.tenant.is_some_and(|own| own != named) {
            let detail = "Tradewind-Tenant names one tenant and the body another. Name the same in both, or only one.";
            return Err(Error::invalid("tenant_mismatch", detail).at("/tenantId", "is not the tenant of Tradewind-Tenant"));
        }
        Ok(Self { tenant: Some(named), ..self.clone() })
    }
}

/// Authority over one tenant: obtained from [`Caller::allow`] and its siblings, or by the system for its own work.
#[derive(Clone, Debug)]
pub struct TenantScope {
    tenant: TenantId,
    actor: Actor,
    request: Option<Arc<RequestInfo>>,
    held: Held,
}

/// What whoever obtained an authority may do beside.
#[derive(Clone, Debug)]
struct Held {
    /// The blueprint scopes; none: it is above them.
    scopes: Option<Arc<[String]>>,
    permissions: PermissionSet,
}

impl TenantScope {
    /// The system's own authority over a tenant.
    pub fn system(part: &'static str, tenant: TenantId) -> Self {
        let held = Held { scopes: None, permissions: PermissionSet::all() };
        Self { tenant, actor: Actor::System(part), request: None, held }
    }

    /// The same for somebody who holds nothing: a stranger, for whom an endpoint is open.
    #[must_use]
    pub fn holding_nothing(mut self) -> Self {
        self.held = Held { scopes: Some(Arc::from([])), permissions: PermissionSet::NONE };
        self
    }

    /// Whether whoever acts holds a blueprint scope, or is above them.
    pub fn holds(&self, scope: &str) -> bool {
        self.held.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|held| held == scope))
    }

    /// Whether whoever acts holds a permission.
    pub fn permits(&self, permission: Permission) -> bool {
        self.held.permissions.holds(permission)
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Who owns the idempotency keys of whoever acts: it, for this tenant. A service key acts for many tenants, and the same key for two of
    /// them is two keys.
    pub fn key_owner(&self) -> String {
        format!("{}@{}", self.actor, self.tenant)
    }

    /// The same with an idempotency slot of its own: for one of several transactions that a request is made of.
    #[must_use]
    pub fn with_slot(&self, slot: RequestSlot) -> Self {
        let request = self.request.as_ref().map(|request| {
            let RequestInfo { id, ip, user_agent, .. } = &**request;
            Arc::new(RequestInfo { id: *id, ip: *ip, user_agent: user_agent.clone(), slot: Some(slot) })
        });
        Self { request, ..self.clone() }
    }

    /// Whether the answer of its slot came from an earlier execution.
    pub fn is_replayed(&self) -> bool {
        self.request.as_ref().and_then(|request| request.slot.as_ref()).is_some_and(RequestSlot::is_replayed)
    }

    /// Whether the request carries an idempotency key whose slot nobody has taken: then its effect and its answer must be one transaction.
    pub fn has_slot(&self) -> bool {
        self.request.as_ref().and_then(|request| request.slot.as_ref()).is_some_and(|slot| !slot.is_taken())
    }
}

/// The operator's authority: from [`Caller::operate`].
#[derive(Clone, Debug)]
pub struct OperatorScope {
    actor: Actor,
    request: Option<Arc<RequestInfo>>,
}

/// What a transaction may touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// One tenant's rows.
    Tenant(TenantId),
    /// The operator's acts, across tenants.
    Operator,
    /// Background work, across tenants.
    System,
}

/// What `store` wants to open a transaction: authority, actor, request.
#[derive(Clone, Debug)]
pub struct Scope {
    authority: Authority,
    actor: Actor,
    request: Option<Arc<RequestInfo>>,
    is_asked_for: bool,
}

impl Scope {
    /// Background work of `part` (the dispatcher, the log writers, start-up).
    pub fn system(part: &'static str) -> Self {
        Self { authority: Authority::System, actor: Actor::System(part), request: None, is_asked_for: false }
    }

    /// What somebody does who has just proven to be `user`: begin a session, set a password.
    pub fn person(user: UserId, request: Arc<RequestInfo>) -> Self {
        Self { authority: Authority::System, actor: Actor::User(user), request: Some(request), is_asked_for: false }
    }

    /// What may be touched.
    pub fn authority(&self) -> Authority {
        self.authority
    }

    /// The tenant, if it is one tenant's.
    pub fn tenant(&self) -> Option<TenantId> {
        match self.authority {
            Authority::Tenant(tenant) => Some(tenant),
            Authority::Operator | Authority::System => None,
        }
    }

    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The request, if there is one.
    pub fn request(&self) -> Option<&RequestInfo> {
        self.request.as_deref()
    }

    /// Whether somebody outside asked for this in a tenant's name: such reads have a time limit.
    pub fn is_asked_for(&self) -> bool {
        self.is_asked_for
    }
}

impl From<TenantScope> for Scope {
    fn from(scope: TenantScope) -> Self {
        // Strangers hold nothing; what they ask for is no work of the server's own.
        let is_asked_for = scope.request.is_some() || scope.held.permissions == PermissionSet::NONE;
        Self { authority: Authority::Tenant(scope.tenant), actor: scope.actor, request: scope.request, is_asked_for }
    }
}

impl From<&TenantScope> for Scope {
    fn from(scope: &TenantScope) -> Self {
        scope.clone().into()
    }
}

impl From<OperatorScope> for Scope {
    fn from(scope: OperatorScope) -> Self {
        Self { authority: Authority::Operator, actor: scope.actor, request: scope.request, is_asked_for: false }
    }
}

impl From<&OperatorScope> for Scope {
    fn from(scope: &OperatorScope) -> Self {
        scope.clone().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Ambient;

    fn key_caller(scopes: &[&str], permissions: PermissionSet) -> Caller {
        let ambient = Ambient::system();
        let credential = Credential::Key { key: ambient.id(), client: ambient.id() };
        Caller::new(credential, Some(ambient.id()), scopes.iter().map(|s| (*s).to_owned()).collect(), permissions)
    }

    #[test]
    fn a_key_does_only_what_it_holds() {
        let caller = key_caller(&["leads:read"], [Permission::WebhooksRead].into_iter().collect());
        assert!(caller.allow(Permission::WebhooksRead).is_ok());
        assert_eq!(caller.allow(Permission::WebhooksWrite).unwrap_err().code(), "insufficient_scope");
        assert!(caller.allow_scope("leads:read").is_ok());
        assert!(caller.allow_scope("leads:write").unwrap_err().detail().ends_with("Required scope: leads:write"));
        assert_eq!(caller.operate().unwrap_err().code(), "operator_only");
    }

    #[test]
    fn a_tenants_credential_cannot_name_another_tenant() {
        let caller = key_caller(&[], PermissionSet::NONE);
        let other: TenantId = Ambient::system().id();
        assert_eq!(caller.acting_for(Some(other)).unwrap_err().kind(), crate::Kind::NotFound);
        assert!(caller.acting_for(caller.tenant()).is_ok());
    }

    #[test]
    fn a_person_names_no_tenant_but_the_one_acted_for_and_proves_anew_what_is_dangerous() {
        let ambient = Ambient::system();
        let (own, other): (TenantId, TenantId) = (ambient.id(), ambient.id());
        let proven_at = ambient.now();
        let person = |operator, tenant, permissions| {
            let credential = Credential::User { user: ambient.id(), operator, session: ambient.id(), proven_at };
            Caller::new(credential, tenant, Arc::from([]), permissions)
        };
        let member = person(false, Some(own), PermissionSet::all());
        assert!(member.acting_for(Some(other)).is_err() && member.acting_for(Some(own)).is_ok() && member.operate().is_err());
        let nobody = person(false, None, PermissionSet::NONE);
        assert!(nobody.acting_for(Some(other)).is_err() && nobody.tenant_scope().is_err());
        let operator = person(true, None, PermissionSet::all());
        assert!(operator.operate().is_ok() && operator.acting_for(Some(other)).is_ok());
        let support = person(true, None, [Permission::KeysRead].into_iter().collect());
        assert!(support.operate().is_err() && support.acting_for(Some(other)).unwrap().allow(Permission::KeysRead).is_ok());
        assert!(member.require_fresh(proven_at.plus(FRESH_FOR)).is_ok());
        let late = proven_at.plus(FRESH_FOR + Duration::from_millis(1));
        assert_eq!(member.require_fresh(late).unwrap_err().code(), "reauthentication_required");
        assert!(key_caller(&[], PermissionSet::NONE).require_fresh(late).is_ok());
    }

    #[test]
    fn a_service_key_names_its_tenant_and_a_bound_one_only_its_own() {
        let ambient = Ambient::system();
        let (own, other): (TenantId, TenantId) = (ambient.id(), ambient.id());
        let free = Caller::new(Credential::ServiceKey { key: ambient.id(), bound: None }, None, Arc::from([]), PermissionSet::all());
        assert_eq!(free.allow(Permission::KeysRead).unwrap_err().code(), "tenant_required");
        assert_eq!(free.acting_for(Some(other)).unwrap().tenant(), Some(other));
        assert!(free.operate().is_ok());
        let bound =
            Caller::new(Credential::ServiceKey { key: ambient.id(), bound: Some(own) }, Some(own), Arc::from([]), PermissionSet::all());
        assert!(bound.acting_for(Some(other)).is_err());
        assert!(bound.allow_scope("leads:read").is_ok());
        let narrow = [Permission::EventsPublish].into_iter().collect();
        let narrow = Caller::new(Credential::ServiceKey { key: ambient.id(), bound: Some(own) }, Some(own), Arc::from([]), narrow);
        assert!(narrow.allow_scope("leads:read").is_err(), "a narrowed key does only what it was narrowed to");
        assert!(bound.operate().is_err());
    }
}
