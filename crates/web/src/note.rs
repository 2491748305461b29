//! What the gate knows of a request that it has answered, for whoever writes the access log and the trace.

use std::net::IpAddr;
use std::sync::Arc;

use kernel::{ClientId, KeyId, RequestId, ServiceKeyId, TenantId};

/// In the extensions of a response of a route that stands for many: the one that was meant, as the request log names it.
#[derive(Clone, Debug)]
pub struct RouteTemplate(pub Arc<str>);

/// In the extensions of a response of a route without a credential: the tenant that it acted for, for the request log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActedFor(pub TenantId);

/// In the extensions of a response: the code of the error that it tells, whatever the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub &'static str);

/// In the extensions of a response, where somebody wants it. Holds no secret.
#[derive(Clone, Debug)]
pub struct RequestNote {
    /// The request's id, as the caller sees it.
    pub id: RequestId,
    /// The route's template: `/api/v1/leads/{id}`.
    pub endpoint: Arc<str>,
    /// The tenant acted for.
    pub tenant: Option<TenantId>,
    /// The API client.
    pub client: Option<ClientId>,
    /// The API key.
    pub key: Option<KeyId>,
    /// The service key.
    pub service_key: Option<ServiceKeyId>,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The code of the error that was answered.
    pub error: Option<&'static str>,
}
