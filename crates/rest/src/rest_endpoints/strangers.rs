//! The door for those who show no credential: to whom they come, whether they may, and how their calls are logged.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse as _, Response};
use kernel::{Caller, Error, Result, TenantId};
use web::{ActedFor, Failure, PeerAddress};

use super::{PUBLIC, RestEndpoints};

/// Who acts, for the audit log.
pub(super) const PART: &str = "public-endpoint";

/// In the extensions of a request that came without a credential, below a tenant's slug.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stranger;

/// Who came.
pub(super) struct Entered {
    /// The tenant of the path, if there is one.
    pub(super) tenant: Option<TenantId>,
    /// It again, if the stranger may go on.
    pub(super) admitted: Result<TenantId>,
}

/// What a response carries for the request log.
pub(super) fn marked(tenant: TenantId) -> http::Extensions {
    let mut extensions = http::Extensions::new();
    extensions.insert(ActedFor(tenant));
    extensions
}

/// Where somebody wants to go, and from where.
pub(super) struct Visit {
    slug: String,
    remote: IpAddr,
}

impl Visit {
    pub(super) fn of(request: &Request) -> Self {
        let whole = request.uri().path().strip_prefix(PUBLIC).unwrap_or_default();
        let slug = whole.split_once('/').map_or(whole, |(slug, _)| slug).to_owned();
        let remote = request.extensions().get::<PeerAddress>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
        Self { slug, remote }
    }
}

impl RestEndpoints {
    /// Whose public endpoints are asked for. Refusals: 404, for a slug that is nobody's; 429 `rate_limited`; 503 `maintenance`.
    pub(super) async fn enter(&self, Visit { slug, remote }: Visit) -> Entered {
        if let Some(maintenance) = self.switches.get().and_then(|switches| switches.maintenance()) {
            return Entered { tenant: None, admitted: Err(maintenance.refusal()) };
        }
        let tenant = match self.tenant_of(&slug).await {
            Ok(tenant) => tenant,
            Err(error) => return Entered { tenant: None, admitted: Err(error) },
        };
        let counted = self.bounds.count(tenant, remote, self.ambient.now());
        Entered { tenant, admitted: counted.and_then(|()| tenant.ok_or_else(|| Error::not_found("public endpoint"))) }
    }
}

/// A handler of an endpoint with a credential, for those who have none: it is called as the tenant of the path.
#[derive(Clone)]
pub(crate) struct ForStrangers<H> {
    pub(crate) handler: H,
    pub(crate) door: Arc<RestEndpoints>,
}

impl<H, T, S> Handler<T, S> for ForStrangers<H>
where
    H: Handler<T, S>,
    T: 'static,
    S: Send + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, mut request: Request, state: S) -> Self::Future {
        Box::pin(async move {
            let Entered { tenant, admitted } = self.door.enter(Visit::of(&request)).await;
            let mut response = match admitted {
                Ok(tenant) => {
                    request.extensions_mut().insert(Stranger);
                    request.extensions_mut().insert(Caller::system(PART, Some(tenant)));
                    self.handler.call(request, state).await
                }
                Err(refusal) => Failure(refusal).into_response(),
            };
            response.extensions_mut().extend(tenant.map(marked).unwrap_or_default());
            response
        })
    }
}
