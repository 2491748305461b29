//! Who may do what with which jobs: whoever holds a permission, with all; whoever holds a type's scope, with those of the type.

use kernel::{Caller, Permission, Result};

use crate::Jobs;
use crate::catalogue::Kind;

/// Whether the caller may start and cancel jobs of this type. Error: 403 `insufficient_scope`.
pub(crate) fn start(caller: &Caller, kind: &Kind) -> Result<()> {
    either(caller, Permission::JobsWrite, &kind.declared.scope)
}

/// Whether the caller may see them. Error: 403 `insufficient_scope`.
pub(crate) fn read(caller: &Caller, kind: &Kind) -> Result<()> {
    either(caller, Permission::JobsRead, &kind.declared.read_scope)
}

fn either(caller: &Caller, permission: Permission, scope: &str) -> Result<()> {
    if caller.permissions().holds(permission) {
        return Ok(());
    }
    if scope.is_empty() { caller.require(permission) } else { caller.require_scope(scope) }
}

impl Jobs {
    /// The types whose jobs the caller may see; none: all, those that are no longer declared among them. Error: 403, where there is no such type.
    pub(crate) fn readable(&self, caller: &Caller) -> Result<Option<Vec<String>>> {
        if caller.permissions().holds(Permission::JobsRead) {
            return Ok(None);
        }
        let seen: Vec<String> = self.catalogue.all().filter(|kind| read(caller, kind).is_ok()).map(|kind| kind.name().to_owned()).collect();
        if seen.is_empty() { caller.require(Permission::JobsRead).map(|()| None) } else { Ok(Some(seen)) }
    }
}
