//! What the gate is told of a request that carries a session's cookie.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use access::Principal;
use access::people::{PersonRequest, Sessions};
use http::HeaderMap;
use kernel::Result;

use crate::{People, cookie, errors};

/// The gate's view of [`People`].
pub struct PeopleSessions(pub Arc<People>);

impl Sessions for PeopleSessions {
    fn token<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        cookie::token(headers)
    }

    fn csrf<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers.get(cookie::CSRF_HEADER).and_then(|value| value.to_str().ok())
    }

    fn person<'a>(&'a self, request: PersonRequest<'a>) -> Pin<Box<dyn Future<Output = Result<Arc<Principal>>> + Send + 'a>> {
        Box::pin(async move {
            let signed_in = self.0.lookup(request.token).await?.ok_or_else(errors::session_over)?;
            if !request.is_safe && !request.csrf.is_some_and(|shown| signed_in.is_csrf(shown)) {
                return Err(errors::csrf_token(request.csrf.is_some_and(|shown| !shown.is_empty())));
            }
            // Somebody who is in one tenant only need not name it.
            let only = || signed_in.memberships.first().filter(|_| signed_in.memberships.len() == 1 && signed_in.operator.is_none());
            let tenant = request.tenant.or_else(|| only().map(|place| place.tenant_id));
            let (permissions, scopes) = signed_in.standing(tenant)?;
            let name = if signed_in.name.is_empty() { &signed_in.email } else { &signed_in.name };
            let tier = Arc::clone(&signed_in.scopes.tier);
            Ok(Arc::new(Principal::person(signed_in.credential(), tenant, scopes, permissions, name, tier)))
        })
    }
}
