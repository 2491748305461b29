//! Who asks for something that is for everybody, but shows those who are known what concerns them: the documentation.

use std::sync::Arc;

use access::Principal;
use http::header;
use http::request::Parts;
use kernel::{Caller, Result};
use web::{Endpoint, PeerAddress};

use crate::admit::Arrival;
use crate::guard::check_scope;
use crate::limits::Charge;
use crate::{Gate, singletons};

/// The holder of a good credential.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who it is, for the tenant that a service key may have named.
    pub caller: Caller,
    principal: Arc<Principal>,
}

impl Visitor {
    /// Whether the gate would let this caller through to `endpoint`: by scopes and permissions, and by the list of endpoints that a key may
    /// be bound to.
    pub fn may_call(&self, endpoint: &Endpoint) -> bool {
        check_scope(endpoint, &self.caller).is_ok() && self.principal.endpoint_allowed(endpoint.method.as_str(), &endpoint.path)
    }
}

impl Gate {
    /// Who sends a request to a route that the gate does not wrap. None: no credential was shown. A visit counts in the caller's limits; it
    /// is not logged.
    ///
    /// Errors: those of [`Gate::guard`] before the scope, but for the list of endpoints.
    pub async fn visitor(&self, parts: &Parts) -> Result<Option<Visitor>> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        singletons::check(&parts.headers)?;
        let ip = parts.extensions.get::<PeerAddress>().map(|peer| peer.0.to_canonical());
        let now = self.ambient.now();
        let arrival = Arrival { method: &parts.method, path: parts.uri.path(), asked: None, headers: &parts.headers, ip, now };
        let principal = self.authenticate(&arrival).await?;
        self.check_maintenance(&principal)?;
        self.check_address(&principal, &arrival)?;
        if let Some(refusal) = self.charge(&principal, 1, now).await?.as_ref().and_then(Charge::error) {
            return Err(refusal);
        }
        let caller = self.acting_for(&principal, &parts.headers).await?;
        Ok(Some(Visitor { caller, principal }))
    }
}
