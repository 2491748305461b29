//! What a role permits.

use std::fmt;
use std::str::FromStr;

use blueprint::Blueprint;
use kernel::{Error, Permission, PermissionSet};
use serde::{Deserialize, Serialize};

/// What a person may do in a tenant; each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// See everything but the audit log, change nothing.
    Viewer,
    /// Work with everything that an integration needs: clients, keys, webhooks, records, jobs, endpoints.
    Developer,
    /// See the audit log, and invite and remove people, but for owners.
    Admin,
    /// Everything, owners too.
    Owner,
}

/// Which of the operator's people somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    /// Sees what every tenant's viewer and auditor sees, changes nothing.
    Support,
    /// May do everything.
    Admin,
}

use Permission::{
    AlertsRead, AlertsWrite, AuditRead, ClientsRead, ClientsWrite, EndpointsRead, EndpointsWrite, EventsPublish, EventsRead,
    IntegrationsRead, IntegrationsWrite, JobsRead, JobsWork, JobsWrite, KeysRead, KeysWrite, MembersRead, OwnersWrite, RecordsRead,
    RecordsWrite, SyncsRead, SyncsWrite, UsageRead, WebhooksRead, WebhooksWrite,
};

const LOOK: [Permission; 12] = [
    ClientsRead,
    KeysRead,
    WebhooksRead,
    EventsRead,
    UsageRead,
    AlertsRead,
    RecordsRead,
    EndpointsRead,
    JobsRead,
    MembersRead,
    IntegrationsRead,
    SyncsRead,
];
const WORK: [Permission; 11] = [
    ClientsWrite,
    KeysWrite,
    WebhooksWrite,
    EventsPublish,
    AlertsWrite,
    RecordsWrite,
    EndpointsWrite,
    JobsWrite,
    JobsWork,
    IntegrationsWrite,
    SyncsWrite,
];

impl Role {
    /// All, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Developer, Self::Admin, Self::Owner];

    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// What it permits.
    pub fn permissions(self) -> PermissionSet {
        match self {
            Self::Viewer => LOOK.into_iter().collect(),
            Self::Developer => LOOK.into_iter().chain(WORK).collect(),
            Self::Admin => Permission::ALL.iter().copied().filter(|permission| *permission != OwnersWrite).collect(),
            Self::Owner => PermissionSet::all(),
        }
    }
}

impl OperatorRole {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// What it permits in every tenant.
    pub fn permissions(self) -> PermissionSet {
        match self {
            Self::Support => LOOK.into_iter().chain([AuditRead]).collect(),
            Self::Admin => PermissionSet::all(),
        }
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| Error::field("/role", "must be owner, admin, developer or viewer"))
    }
}

impl FromStr for OperatorRole {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = [Self::Support, Self::Admin].into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| Error::field("/operatorRole", "must be admin or support"))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The blueprint scopes that a person of this role holds: all of them, or, for a viewer, those that only let see. A scope lets more than see
/// if it, or one that it implies, opens an endpoint that is not a GET, changes records, starts jobs or grants a permission that no viewer has.
pub fn scopes_of(blueprint: &Blueprint, role: Role) -> Vec<String> {
    let all = blueprint.all_scopes();
    if role > Role::Viewer {
        return all;
    }
    let seen = Role::Viewer.permissions().union([AuditRead].into_iter().collect());
    let changes = |name: &str| {
        blueprint.scope(name).is_some_and(|scope| !scope.grants.iter().all(|permission| seen.holds(*permission)))
            || blueprint.endpoints.iter().any(|endpoint| endpoint.scope == name && endpoint.method != "GET")
            || blueprint.resources.iter().any(|resource| resource.scopes.write.as_deref() == Some(name))
            || blueprint.jobs.iter().any(|job| job.scope == name)
    };
    let only_reads = |name: &String| !blueprint.expand_scopes(std::slice::from_ref(name)).iter().any(|held| changes(held));
    all.into_iter().filter(only_reads).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_those_before_it_may() {
        for pair in Role::ALL.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].permissions().is_within(pair[1].permissions()), "{pair:?}");
            assert!(pair[0].permissions() != pair[1].permissions(), "{pair:?}");
        }
        assert!(!Role::Admin.permissions().holds(OwnersWrite) && Role::Admin.permissions().holds(AuditRead));
        assert!(OperatorRole::Support.permissions().is_within(Role::Admin.permissions()));
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        }
    }

    #[test]
    fn whoever_only_looks_writes_nothing() {
        for permission in Permission::ALL {
            let looks = Role::Viewer.permissions().holds(*permission) || OperatorRole::Support.permissions().holds(*permission);
            assert_eq!(looks, permission.name().ends_with(".read"), "{permission}");
        }
    }

    #[test]
    fn a_viewer_holds_the_scopes_that_only_read() {
        let blueprint = blueprint::load("insurance-leads").unwrap();
        let (viewer, developer) = (scopes_of(&blueprint, Role::Viewer), scopes_of(&blueprint, Role::Developer));
        assert!(viewer.iter().any(|scope| scope == "leads:read"), "{viewer:?}");
        assert!(!viewer.iter().any(|scope| scope == "leads:write"), "{viewer:?}");
        assert_eq!(developer, blueprint.all_scopes());
        for (name, _) in blueprint::builtin() {
            let blueprint = blueprint::load(name).unwrap();
            for scope in scopes_of(&blueprint, Role::Viewer) {
                assert!(!scope.contains("write") && !scope.contains("delete") && !scope.contains("create"), "{name}: {scope}");
            }
        }
    }
}
