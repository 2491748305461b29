//! Who may do what with the records of a type: by the permissions for all types, or by the scopes that the type declares for itself.

use kernel::{Caller, FieldError, Permission, Result, TenantScope};
use serde_json::{Map, Value};

use crate::Records;
use crate::document::pointer;
use crate::resource_type::ResourceType;

/// What is to be done with records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// See them.
    Read,
    /// Create and change them.
    Write,
    /// Delete them.
    Delete,
}

impl Records {
    /// The scopes that open some resource type, each once.
    pub fn scopes(&self, touch: Touch) -> Vec<String> {
        let mut scopes: Vec<String> = self.types().filter_map(|kind| kind.needs(touch).1.map(str::to_owned)).collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }
}

impl ResourceType {
    /// Authority over the caller's records of this type: for whoever holds `records.read` or `records.write`, or the scope that the type
    /// declares. To be asked by every front door that is not itself a declared endpoint (which has a scope of its own).
    ///
    /// Errors: 403 `insufficient_scope`, 422 `tenant_required`.
    pub fn authority(&self, caller: &Caller, touch: Touch) -> Result<TenantScope> {
        let (permission, scope) = self.needs(touch);
        match scope {
            Some(scope) if caller.require(permission).is_err() => caller.allow_scope(scope),
            _ => caller.allow(permission),
        }
    }

    /// The permission and the scope, one of which is needed.
    pub fn needs(&self, touch: Touch) -> (Permission, Option<&str>) {
        let scopes = &self.resource().scopes;
        match touch {
            Touch::Read => (Permission::RecordsRead, scopes.read.as_deref()),
            Touch::Write => (Permission::RecordsWrite, scopes.write.as_deref()),
            Touch::Delete => (Permission::RecordsWrite, scopes.delete.as_deref()),
        }
    }

    /// Refuses what a partner may not set by the generic routes: members that are the operator's to set. A service key may.
    ///
    /// Error: 422 `validation_failed`.
    pub fn check_sent(&self, caller: &Caller, sent: &Map<String, Value>) -> Result<()> {
        let theirs = self.set_by_operator(caller);
        let faults = sent
            .keys()
            .filter(|name| theirs.contains(*name))
            .map(|name| FieldError { pointer: pointer(name), detail: "is set by the server".to_owned() });
        crate::document::refuse(faults.collect())
    }

    /// Members that this caller does not set by the generic routes, because they are the operator's to set.
    pub fn set_by_operator(&self, caller: &Caller) -> Vec<String> {
        if caller.is_bound_by_scopes() { self.resource().server_set.clone() } else { Vec::new() }
    }
}
