//! How the gate asks who is signed in. The crate `people` answers; it stands beside the gate, so they meet here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use kernel::{Credential, PermissionSet, Result, TenantId};

use crate::Principal;

impl Principal {
    /// A signed-in person. `tier`: whose limits bind them, all their sessions together, in whatever tenant.
    pub fn person(
        credential: Credential,
        tenant: Option<TenantId>,
        scopes: Arc<[String]>,
        permissions: PermissionSet,
        name: &str,
        tier: Arc<str>,
    ) -> Self {
        let limit_id = match &credential {
            Credential::User { user, .. } => Arc::from(user.to_string()),
            _ => Arc::from(""),
        };
        Self { scopes, permissions, tier: Some(tier), limit_id, ..Self::plain(credential, tenant, name) }
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
    /// Errors: 401 `session_over`, 403 `csrf_token_missing`, 403 `csrf_token_wrong`, 404 for a tenant that the person is not in.
    fn person<'a>(&'a self, request: PersonRequest<'a>) -> Pin<Box<dyn Future<Output = Result<Arc<Principal>>> + Send + 'a>>;
}
