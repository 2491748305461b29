//! What a good credential says about its holder.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use kernel::{Caller, ClientId, Credential, PermissionSet, TenantId, Timestamp};

use super::EndpointPattern;
use crate::keys::LimitOverride;

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
    /// Limits of its own, in place of the tier's.
    pub limits: Option<LimitOverride>,
    /// Addresses that it may be used from, in canonical form; empty: any.
    pub allowed_ips: Vec<IpNet>,
    /// Endpoints that it may call; empty: any.
    pub allowed_endpoints: Vec<EndpointPattern>,
    /// Origins whose pages may use it (CORS); empty: none.
    pub allowed_origins: Vec<String>,
    /// When it ends. Already checked by authentication.
    pub expires_at: Option<Timestamp>,
    /// What its limits are counted under: its id as text.
    pub limit_id: Arc<str>,
}

impl Principal {
    /// Whether it may be used from `ip`. An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) is the IPv4 address.
    pub fn ip_allowed(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.allowed_ips.is_empty() || self.allowed_ips.iter().any(|net| net.contains(&ip))
    }

    /// Whether it may call `method path`.
    pub fn endpoint_allowed(&self, method: &str, path: &str) -> bool {
        self.allowed_endpoints.is_empty() || self.allowed_endpoints.iter().any(|pattern| pattern.matches(method, path))
    }

    /// Whether pages of `origin` may use it.
    pub fn origin_allowed(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == origin)
    }

    /// The caller that operations take: for its own tenant.
    pub fn caller(&self) -> Caller {
        Caller::new(self.credential.clone(), self.tenant, Arc::clone(&self.scopes), self.permissions)
    }
}
