//! Who may come in: credential, allow-lists, limits, the tenant acted on, the scope.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use access::Principal;
use http::{HeaderMap, Method, header};
use kernel::{Caller, Error, IdRef, Kind, Result, TenantId, Timestamp};
use web::Endpoint;

use crate::Gate;
use crate::limits::{Decision, Limits};

const TENANT_HEADER: &str = "tradewind-tenant";
const SECRET_HEADER: &str = "x-api-secret";

/// What is known of a request while it is served: filled in as it passes, so that even a refused one is logged with what is known.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) limited: Option<(Arc<Limits>, Decision)>,
}

/// The parts of a request that admission looks at.
pub(crate) struct Arrival<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) now: Timestamp,
}

impl Gate {
    /// Lets a request in, or says why not.
    pub(crate) async fn admit(&self, endpoint: &Endpoint, arrival: &Arrival<'_>, seen: &mut Seen) -> Result<Caller> {
        let principal = self.authenticate(arrival.headers).await?;
        seen.tenant = principal.tenant;
        seen.principal = Some(Arc::clone(&principal));
        self.check_lists(&principal, arrival)?;
        self.check_limits(&principal, endpoint, arrival, seen)?;
        let caller = self.acting_for(&principal, arrival.headers).await?;
        seen.tenant = caller.tenant();
        Ok(caller)
    }

    async fn authenticate(&self, headers: &HeaderMap) -> Result<Arc<Principal>> {
        let bearer = bearer(headers)?;
        let secret = headers.get(SECRET_HEADER).and_then(|value| value.to_str().ok());
        match self.access.try_authenticate_cached(bearer, secret) {
            Some(answer) => answer,
            None => self.access.authenticate(bearer, secret).await,
        }
    }

    fn check_lists(&self, principal: &Principal, arrival: &Arrival<'_>) -> Result<()> {
        let refused = !principal.allowed_ips.is_empty() && !arrival.ip.is_some_and(|ip| principal.ip_allowed(ip));
        if refused && !self.options.bypass_ip_allowlist {
            return Err(Error::forbidden("ip_not_allowed", "This key may not be used from your address."));
        }
        if !principal.endpoint_allowed(arrival.method.as_str(), arrival.path) {
            return Err(Error::forbidden("endpoint_not_allowed", "This key may not call this endpoint."));
        }
        Ok(())
    }

    fn check_limits(&self, principal: &Arc<Principal>, endpoint: &Endpoint, arrival: &Arrival<'_>, seen: &mut Seen) -> Result<()> {
        let Some(tier) = &principal.tier else { return Ok(()) };
        let Some(limits) = self.limits.of(tier, principal, &self.access.tiers()) else { return Ok(()) };
        let now = u64::try_from(arrival.now.millis()).unwrap_or(0);
        let decision = self.limiter.decide(&principal.limit_id, &limits, now, u64::from(endpoint.cost));
        let refused = decision.refused;
        seen.limited = Some((limits, decision));
        match refused {
            None => Ok(()),
            Some((policy, wait)) => {
                metrics::counter!("tradewind_rate_limited", "policy" => policy).increment(1);
                let text = format!("Too many requests: the limit per {policy} is reached. Try again when Retry-After says.");
                Err(Error::new(Kind::RateLimited, "rate_limited", text).retry_after(Duration::from_millis(wait)))
            }
        }
    }

    /// The caller, for the tenant that a service key names in `Tradewind-Tenant`. A tenant's own credential may name only itself.
    async fn acting_for(&self, principal: &Principal, headers: &HeaderMap) -> Result<Caller> {
        let caller = principal.caller();
        let Some(named) = headers.get(TENANT_HEADER) else { return Ok(caller) };
        let no_such = || Error::not_found("tenant");
        let reference: IdRef<TenantId> = named.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(no_such)?;
        let tenant = self.access.tenant_ref(reference).await?;
        caller.acting_for(Some(tenant))
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str> {
    let missing =
        || Error::unauthenticated("missing_credential", "API key required. Include \"Authorization: Bearer YOUR_API_KEY\" header.");
    let text = headers.get(header::AUTHORIZATION).ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(missing());
    }
    Ok(token.trim())
}
