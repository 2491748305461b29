//! The checks, in the order in which the gate makes them for a call to us.

use std::sync::Arc;

use access::{Principal, Standing};
use kernel::{Caller, Credential, Result, Timestamp};

use super::answer::{Code, Left};
use super::input::Asked;
use crate::Gate;

/// What was found.
pub(super) struct Verdict {
    pub(super) code: Code,
    /// The code under which a refusal is logged.
    pub(super) error_code: Option<&'static str>,
    /// The key's holder; none: the caller does not get to know of it.
    pub(super) principal: Option<Arc<Principal>>,
    pub(super) left: Option<Left>,
}

const NOT_FOUND: Verdict = Verdict { code: Code::NotFound, error_code: None, principal: None, left: None };

impl Gate {
    pub(super) async fn judge(&self, caller: &Caller, asked: &Asked, now: Timestamp) -> Result<Verdict> {
        let (key, secret) = (asked.key.as_str(), asked.secret.as_deref());
        let found = match self.access.try_examine_cached(key, secret) {
            Some(known) => known,
            None => self.access.examine(key, secret).await?,
        };
        let Some(found) = found.filter(|found| is_visible(caller, &found.principal)) else { return Ok(NOT_FOUND) };
        if found.standing == Standing::Revoked {
            return Ok(NOT_FOUND);
        }
        let refused = standing(found.standing).or_else(|| self.lists(&found.principal, asked)).or_else(|| scopes(&found.principal, asked));
        if let Some((code, error_code)) = refused {
            return Ok(Verdict { code, error_code: Some(error_code), principal: Some(found.principal), left: None });
        }
        self.count_use(found.principal, asked.cost, now).await
    }

    fn lists(&self, principal: &Principal, asked: &Asked) -> Option<(Code, &'static str)> {
        let from_afar = !principal.allowed_ips.is_empty() && !asked.ip.is_some_and(|ip| principal.ip_allowed(ip));
        if from_afar && !self.options.bypass_ip_allowlist {
            return Some((Code::Forbidden, "ip_not_allowed"));
        }
        // Without a method only patterns for any method fit, and without a path none.
        let method = asked.method.as_deref().unwrap_or_default();
        let fits = principal.endpoint_allowed(method, asked.path.as_deref().unwrap_or_default());
        (!fits).then_some((Code::Forbidden, "endpoint_not_allowed"))
    }
}

/// A tenant's own credential learns of its own keys only; a service key of the tenant's that it names or is bound to, or of all.
fn is_visible(caller: &Caller, principal: &Principal) -> bool {
    let is_key = matches!(principal.credential, Credential::Key { .. });
    is_key && caller.tenant().is_none_or(|tenant| principal.tenant == Some(tenant))
}

fn standing(standing: Standing) -> Option<(Code, &'static str)> {
    match standing {
        Standing::Good => None,
        Standing::Disabled | Standing::Revoked => Some((Code::Disabled, "invalid_credential")),
        Standing::Expired => Some((Code::Expired, "invalid_credential")),
        Standing::ClientSuspended => Some((Code::Disabled, "client_suspended")),
        Standing::TenantSuspended => Some((Code::Disabled, "tenant_suspended")),
    }
}

fn scopes(principal: &Principal, asked: &Asked) -> Option<(Code, &'static str)> {
    let holds = |wanted: &String| principal.scopes.iter().any(|held| held == wanted);
    (!asked.scopes.iter().all(holds)).then_some((Code::InsufficientPermissions, "insufficient_scope"))
}

impl Gate {
    /// The last check: limits and quotas, which count the use if there is room.
    async fn count_use(&self, principal: Arc<Principal>, cost: u32, now: Timestamp) -> Result<Verdict> {
        let charge = self.charge(&principal, u64::from(cost), now).await?;
        let Some(charge) = charge else {
            return Ok(Verdict { code: Code::Valid, error_code: None, principal: Some(principal), left: None });
        };
        let refusal = charge.refusal(u64::from(cost));
        let (code, error_code) = match &refusal {
            None => (Code::Valid, None),
            Some((told, _)) if charge.is_quota(told.policy) => (Code::UsageExceeded, Some("quota_exceeded")),
            Some(_) => (Code::RateLimited, Some("rate_limited")),
        };
        let (told, wait) = refusal.unwrap_or_else(|| (charge.nearest(), None));
        let left = Left {
            limit: told.limit,
            remaining: told.remaining,
            reset: told.resets_at,
            policy: told.policy,
            retry_after: wait.map(|wait| wait.div_ceil(1000)),
        };
        Ok(Verdict { code, error_code, principal: Some(principal), left: Some(left) })
    }
}
