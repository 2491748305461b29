//! What a good credential says about its holder.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use kernel::{Caller, ClientId, Credential, KeyId, PermissionSet, TenantId, Timestamp};
use serde_json::value::RawValue;

use super::{Attached, EndpointPattern};
use crate::MonthlyQuota;
use crate::access_tokens::TokenFacts;
use crate::keys::{Environment, LimitOverride};

/// The holder of a good credential.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The credential.
    pub credential: Credential,
    /// Its tenant; a service key may have none.
    pub tenant: Option<TenantId>,
    /// Its client; a service key has none.
    pub client: Option<ClientId>,
    /// The blueprint scopes held, with all that they imply, never more than the client's.
    pub scopes: Arc<[String]>,
    /// The permissions held.
    pub permissions: PermissionSet,
    /// The name of the tier whose limits bind it; none for service keys, which are not limited.
    pub tier: Option<Arc<str>>,
    /// Limits of its own, in place of the tier's or its client's.
    pub limits: Option<LimitOverride>,
    /// Limits of its client, in place of the tier's.
    pub client_limits: Option<LimitOverride>,
    /// What it may use up in a month.
    pub quota: Option<MonthlyQuota>,
    /// What all keys of its client may use up in a month, in place of the tier's quota.
    pub client_quota: Option<MonthlyQuota>,
    /// Addresses that it may be used from, in canonical form; empty: any.
    pub allowed_ips: Vec<IpNet>,
    /// Endpoints that it may call; empty: any.
    pub allowed_endpoints: Vec<EndpointPattern>,
    /// Origins whose pages may use it (CORS); empty: none.
    pub allowed_origins: Vec<String>,
    /// When it ends. Already checked by authentication.
    pub expires_at: Option<Timestamp>,
    /// What its limits are counted under: the id of its line as text, so that a rotated key goes on where the old one was.
    pub limit_id: Arc<str>,
    /// What it is for: `production`, `staging` or `development`; a service key is of production.
    pub environment: &'static str,
    /// The first key of its line: what its usage is counted under. None: not an API key.
    pub lineage: Option<KeyId>,
    /// Its name.
    pub name: Arc<str>,
    /// What may be shown of it: `<prefix>_<env>_<keyId>`; empty for a service key.
    pub shown_id: Arc<str>,
    /// The host's own data about the key; none where there is none.
    pub metadata: Option<Arc<RawValue>>,
    /// The host's id for its client.
    pub client_external_id: Option<Arc<str>>,
    /// What an access token says of itself; none for keys.
    pub token: Option<Arc<TokenFacts>>,
    /// What the gate worked out about it.
    pub attached: Attached,
}

impl Principal {
    /// The holder of `credential`, of no client and under no limit, who holds nothing yet.
    pub(crate) fn plain(credential: Credential, tenant: Option<TenantId>, name: &str) -> Self {
        Self {
            credential,
            tenant,
            client: None,
            scopes: Arc::from([]),
            permissions: PermissionSet::NONE,
            tier: None,
            limits: None,
            client_limits: None,
            quota: None,
            client_quota: None,
            allowed_ips: Vec::new(),
            allowed_endpoints: Vec::new(),
            allowed_origins: Vec::new(),
            expires_at: None,
            limit_id: Arc::from(""),
            environment: Environment::default().as_str(),
            lineage: None,
            name: Arc::from(name),
            shown_id: Arc::from(""),
            metadata: None,
            client_external_id: None,
            token: None,
            attached: Attached::default(),
        }
    }

    /// Whether it may be used from `ip`. An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) is the IPv4 address.
    pub fn ip_allowed(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.allowed_ips.is_empty() || self.allowed_ips.iter().any(|net| net.contains(&ip))
    }

    /// Whether it may call `method path`. A path that another reader may take for another one must be allowed however it is read.
    pub fn endpoint_allowed(&self, method: &str, path: &str) -> bool {
        let fits = |path: &str| self.allowed_endpoints.iter().any(|pattern| pattern.matches(method, path));
        self.allowed_endpoints.is_empty() || web::readings(path).is_some_and(|readings| readings.all(fits))
    }

    /// Whether pages of `origin` may use it.
    pub fn origin_allowed(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == origin)
    }

    /// Its id, if it is an API key.
    pub fn key(&self) -> Option<KeyId> {
        match &self.credential {
            Credential::Key { key, .. } => Some(*key),
            _ => None,
        }
    }

    /// The caller that operations take: for its own tenant.
    pub fn caller(&self) -> Caller {
        Caller::new(self.credential.clone(), self.tenant, Arc::clone(&self.scopes), self.permissions)
    }
}
