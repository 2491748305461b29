//! Who may do what to the records of a resource type: whoever may do it by REST.
//!
//! A way leads there by the permission of the generic routes, by the scopes that the resource type names for them, or by a declared endpoint
//! that does the same to any record. A credential that holds the key to one of them may go that way, with what it may write there.

use blueprint::Blueprint;
use blueprint::model::{Operation, Resource};
use kernel::{Caller, Result, TenantScope};
use records::{ResourceType, Touch};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// See records.
    Read,
    /// Make one.
    Create,
    /// Change one.
    Update,
    /// Delete one.
    Delete,
}

/// A way to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    /// Whoever holds it may go this way; empty: any valid credential.
    scope: String,
    /// The members that may be written by it; none: those that the resource type leaves open.
    writable: Option<Vec<String>>,
}

/// The ways to a resource type beside those of the generic routes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    read: Vec<Way>,
    create: Vec<Way>,
    update: Vec<Way>,
    delete: Vec<Way>,
}

/// An authority, and the members that it may write; none: all but those that the server or the operator sets.
pub(crate) struct Granted {
    /// The authority.
    pub(crate) scope: TenantScope,
    /// What it may write.
    pub(crate) writable: Option<Vec<String>>,
}

impl Reach {
    /// The ways that a blueprint leaves to `resource`.
    pub(crate) fn of(blueprint: &Blueprint, resource: &Resource) -> Self {
        let ways = |act: Act| declared(blueprint, resource, act).collect();
        Self { read: ways(Act::Read), create: ways(Act::Create), update: ways(Act::Update), delete: ways(Act::Delete) }
    }

    /// The authority to do `act` to records of `kind`, if the caller may.
    ///
    /// Errors: 403 `insufficient_scope`, 422 `tenant_required`.
    pub(crate) fn allow(&self, kind: &ResourceType, caller: &Caller, act: Act) -> Result<Granted> {
        let (ways, touch) = match act {
            Act::Read => (&self.read, Touch::Read),
            Act::Create => (&self.create, Touch::Write),
            Act::Update => (&self.update, Touch::Write),
            Act::Delete => (&self.delete, Touch::Delete),
        };
        let refused = match kind.authority(caller, touch) {
            Ok(scope) => return Ok(Granted { scope, writable: None }),
            Err(refused) => refused,
        };
        if let Some(way) = ways.iter().find(|way| caller.require_scope(&way.scope).is_ok()) {
            return Ok(Granted { scope: caller.tenant_scope()?, writable: way.writable.clone() });
        }
        // A scope that would do is of more use to a partner than the name of a permission.
        let scope = ways.iter().map(|way| way.scope.as_str()).next().or(kind.needs(touch).1);
        Err(scope.and_then(|scope| caller.require_scope(scope).err()).unwrap_or(refused))
    }
}

/// The declared endpoints that do `act` to any record of the resource type. One that is public, that sees the children of one parent only, or
/// that reads one member only, opens no more than it says, and so nothing here.
fn declared<'a>(blueprint: &'a Blueprint, resource: &'a Resource, act: Act) -> impl Iterator<Item = Way> + 'a {
    let does = move |operation: Operation| match act {
        Act::Read => matches!(operation, Operation::List | Operation::Get),
        Act::Create => operation == Operation::Create,
        Act::Update => matches!(operation, Operation::Update | Operation::Replace),
        Act::Delete => operation == Operation::Delete,
    };
    let endpoints = blueprint.endpoints.iter().filter(move |endpoint| {
        let whole = endpoint.parent.is_none() && endpoint.member.is_none() && endpoint.set.is_empty() && endpoint.answer.is_none();
        // An act that takes nothing says what it does, not what may be written.
        let act_alone = act == Act::Update && endpoint.writable.as_ref().is_some_and(Vec::is_empty);
        endpoint.resource == resource.name && does(endpoint.operation) && !endpoint.public && whole && !act_alone
    });
    endpoints.map(|endpoint| Way { scope: endpoint.scope.clone(), writable: endpoint.writable.clone() })
}
