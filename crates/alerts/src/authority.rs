//! On whose behalf alerts and rules are read and changed: a tenant's, or the operator's for all of them.

use kernel::{Caller, Permission, Result, Scope, TenantId};

/// What a caller may touch: one tenant's, or, by the operator who names no tenant, everything.
pub(crate) struct Reach {
    pub(crate) scope: Scope,
    pub(crate) tenant: Option<TenantId>,
}

/// Errors: 403 `insufficient_scope`, 422 `tenant_required`.
pub(crate) fn reach(caller: &Caller, permission: Permission) -> Result<Reach> {
    if caller.tenant().is_none()
        && let Ok(scope) = caller.operate()
    {
        return Ok(Reach { scope: scope.into(), tenant: None });
    }
    let scope = caller.allow(permission)?;
    let tenant = Some(scope.tenant());
    Ok(Reach { scope: scope.into(), tenant })
}
