//! Who may come in: credential, allow-lists, limits, the tenant acted on, the scope.

use std::net::IpAddr;
use std::sync::Arc;

use access::Principal;
use http::{HeaderMap, Method, header};
use kernel::{Caller, Credential, Error, IdRef, Kind, Result, TenantId, Timestamp};
use web::Endpoint;

use crate::Gate;
use crate::limits::{Charge, strangers};
use crate::proofs::AskedAs;
use crate::timings::Phase;

pub(crate) const TENANT_HEADER: &str = "tradewind-tenant";
pub(crate) const SECRET_HEADER: &str = "x-api-secret";

/// What is known of a request while it is served: filled in as it passes, so that even a refused one is logged with what is known.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) principal: Option<Arc<Principal>>,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) charge: Option<Charge>,
    /// What it is logged as having cost: nothing until it is past the limits.
    pub(crate) units: u32,
    /// When the present phase began, where phases are measured.
    pub(crate) lap: Option<std::time::Instant>,
}

/// The parts of a request that admission looks at.
pub(crate) struct Arrival<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    /// What was asked for from outside, where a request stands for another one.
    pub(crate) asked: Option<&'a AskedAs>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) now: Timestamp,
}

impl Gate {
    /// Lets a request in, or says why not.
    pub(crate) async fn admit(&self, endpoint: &Endpoint, arrival: &Arrival<'_>, seen: &mut Seen) -> Result<Caller> {
        let principal = self.authenticate(arrival).await?;
        seen.tenant = principal.tenant;
        seen.principal = Some(Arc::clone(&principal));
        self.timings.lap(seen, Phase::Authenticate);
        self.check_maintenance(&principal)?;
        self.check_lists(&principal, arrival)?;
        self.check_audience(&principal, arrival.path)?;
        self.check_limits(&principal, endpoint, arrival, seen).await?;
        let caller = self.acting_for(&principal, arrival.headers).await?;
        seen.tenant = caller.tenant();
        self.timings.lap(seen, Phase::Limit);
        Ok(caller)
    }

    pub(crate) async fn authenticate(&self, arrival: &Arrival<'_>) -> Result<Arc<Principal>> {
        if let Some(answer) = self.person(arrival).await {
            return answer;
        }
        let (scheme, bearer) = shown(arrival.headers)?;
        let secret = arrival.headers.get(SECRET_HEADER).and_then(|value| value.to_str().ok());
        let answer = match self.access.try_authenticate_cached(bearer, secret) {
            Some(answer) => {
                self.timings.looked_up(true);
                answer
            }
            None => {
                self.timings.looked_up(false);
                // Whom this node knows is never held up; whom it has to look up waits for a turn, once too many failed from there.
                if let Some(ip) = arrival.ip {
                    self.counters.strangers.wait(ip, arrival.now).await?;
                }
                self.access.authenticate(bearer, secret).await
            }
        };
        let answer = match answer {
            Ok(principal) => self.check_proof(&principal, scheme, bearer, arrival).await.map(|()| principal),
            Err(error) => Err(error),
        };
        // To be asked for a nonce is no failure.
        let fails = |error: &Error| error.kind() == Kind::Unauthenticated && error.code() != "use_dpop_nonce";
        answer.map_err(|error| if fails(&error) { self.failed(arrival, error) } else { error })
    }

    /// Counts a failure against its address.
    pub(crate) fn failed(&self, arrival: &Arrival<'_>, error: Error) -> Error {
        arrival.ip.and_then(|ip| self.counters.strangers.failed(ip, arrival.now)).map_or(error, strangers::refusal)
    }

    /// Operators and host backends work on while partners are asked to come back later.
    pub(crate) fn check_maintenance(&self, principal: &Principal) -> Result<()> {
        let Some(switches) = self.switches.get().filter(|switches| switches.is_in_maintenance()) else { return Ok(()) };
        if matches!(principal.credential, Credential::ServiceKey { .. } | Credential::User { operator: true, .. }) {
            return Ok(());
        }
        metrics::counter!("tradewind_maintenance_refusals_total").increment(1);
        switches.maintenance().map_or(Ok(()), |maintenance| Err(maintenance.refusal()))
    }

    pub(crate) fn check_address(&self, principal: &Principal, arrival: &Arrival<'_>) -> Result<()> {
        let refused = !principal.allowed_ips.is_empty() && !arrival.ip.is_some_and(|ip| principal.ip_allowed(ip));
        if refused && !self.options.bypass_ip_allowlist {
            return Err(Error::forbidden("ip_not_allowed", "This key may not be used from your address."));
        }
        Ok(())
    }

    fn check_lists(&self, principal: &Principal, arrival: &Arrival<'_>) -> Result<()> {
        self.check_address(principal, arrival)?;
        if !principal.endpoint_allowed(arrival.method.as_str(), arrival.path) {
            return Err(Error::forbidden("endpoint_not_allowed", "This key may not call this endpoint."));
        }
        Ok(())
    }

    async fn check_limits(&self, principal: &Principal, endpoint: &Endpoint, arrival: &Arrival<'_>, seen: &mut Seen) -> Result<()> {
        let charge = self.charge(principal, u64::from(endpoint.cost), arrival.now).await?;
        let refusal = charge.as_ref().and_then(Charge::error);
        seen.charge = charge;
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        seen.units = endpoint.cost;
        Ok(())
    }

    /// The caller, for the tenant that a service key names in `Tradewind-Tenant`. A tenant's own credential may name only itself.
    pub(crate) async fn acting_for(&self, principal: &Principal, headers: &HeaderMap) -> Result<Caller> {
        let caller = principal.caller();
        let Some(named) = headers.get(TENANT_HEADER) else { return Ok(caller) };
        let no_such = || Error::not_found("tenant");
        let reference: IdRef<TenantId> = named.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(no_such)?;
        let tenant = self.access.tenant_ref(reference).await?;
        caller.acting_for(Some(tenant))
    }
}

/// How a credential is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RFC 6750: whoever has it may use it.
    Bearer,
    /// RFC 9449: with a proof.
    Dpop,
}

/// The credential that a request shows, and how.
pub(crate) fn shown(headers: &HeaderMap) -> Result<(Scheme, &str)> {
    let missing =
        || Error::unauthenticated("missing_credential", "API key required. Include \"Authorization: Bearer YOUR_API_KEY\" header.");
    let text = headers.get(header::AUTHORIZATION).ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    let (name, token) = text.split_once(' ').ok_or_else(missing)?;
    let scheme = match name {
        _ if name.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        _ if name.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(missing()),
    };
    let token = token.trim();
    if token.is_empty() { Err(missing()) } else { Ok((scheme, token)) }
}
