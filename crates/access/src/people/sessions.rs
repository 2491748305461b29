//! How the gate asks who is signed in. The crate `people` answers; it stands beside the gate, so they meet here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use kernel::{Credential, PermissionSet, Result, TenantId};

use crate::Principal;
use crate::credentials::Attached;

impl Principal {
    /// A signed-in person, whom no tier limits.
    pub fn person(credential: Credential, tenant: Option<TenantId>, scopes: Arc<[String]>, permissions: PermissionSet, name: &str) -> Self {
        Self {
            credential,
            tenant,
            client: None,
            scopes,
            permissions,
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
            environment: "production",
            lineage: None,
            name: Arc::from(name),
            shown_id: Arc::from(""),
            metadata: None,
            client_external_id: None,
            token: None,
            attached: Attached::default(),
        }
    }
}

/// What a request with a session's cookie says of itself.
#[derive(Clone, Copy, Debug)]
pub struct PersonRequest<'a> {
    /// The session's token.
    pub token: &'a str,
    /// Whether it changes nothing (GET, HEAD): then it needs no token against forgery.
    pub is_safe: bool,
    /// The token against forgery that it carries.
    pub csrf: Option<&'a str>,
    /// The tenant that it names; none: the only one that the person is in, if there is one only.
    pub tenant: Option<TenantId>,
}

/// Who is signed in.
pub trait Sessions: Send + Sync {
    /// The token of a session in the request's cookies, if there is one.
    fn token<'a>(&self, headers: &'a http::HeaderMap) -> Option<&'a str>;

    /// The token against forgery in a request's headers, if there is one.
    fn csrf<'a>(&self, headers: &'a http::HeaderMap) -> Option<&'a str>;

    /// The person whose session it is.
    ///
    /// Errors: 401 `session_over`, 403 `csrf_token_missing`, 404 for a tenant that the person is not in.
    fn person<'a>(&'a self, request: PersonRequest<'a>) -> Pin<Box<dyn Future<Output = Result<Arc<Principal>>> + Send + 'a>>;
}
