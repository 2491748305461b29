//! What may be asked for. A blueprint's scopes grant permissions to partners; service keys and the system hold them all.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

macro_rules! permissions {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal ),+ $(,)?) => {
        /// One thing that an operation may require.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Permission { $( $(#[$doc])* $variant ),+ }

        impl Permission {
            /// Every permission, in declaration order.
            pub const ALL: &'static [Permission] = &[ $( Permission::$variant ),+ ];

            /// Its name, as a blueprint writes it.
            pub fn name(self) -> &'static str {
                match self { $( Permission::$variant => $name ),+ }
            }
        }

        impl FromStr for Permission {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                match text {
                    $( $name => Ok(Permission::$variant), )+
                    _ => Err(Error::invalid("unknown_permission", format!("There is no permission {text:?}."))),
                }
            }
        }
    };
}

permissions! {
    /// See API clients.
    ClientsRead = "clients.read",
    /// Create, change and delete API clients.
    ClientsWrite = "clients.write",
    /// See API keys (never their secrets).
    KeysRead = "keys.read",
    /// Create, change and revoke API keys.
    KeysWrite = "keys.write",
    /// See webhooks and their deliveries.
    WebhooksRead = "webhooks.read",
    /// Create, change, test and delete webhooks; retry deliveries.
    WebhooksWrite = "webhooks.write",
    /// See events.
    EventsRead = "events.read",
    /// Publish events.
    EventsPublish = "events.publish",
    /// Erase what events say.
    EventsErase = "events.erase",
    /// See usage and request logs.
    UsageRead = "usage.read",
    /// See alerts and their rules.
    AlertsRead = "alerts.read",
    /// Acknowledge, resolve and mute alerts; change their rules.
    AlertsWrite = "alerts.write",
    /// See the audit log.
    AuditRead = "audit.read",
    /// Read records of every resource type by the generic routes.
    RecordsRead = "records.read",
    /// Write records of every resource type by the generic routes.
    RecordsWrite = "records.write",
    /// See the REST endpoints that the tenant declared.
    EndpointsRead = "endpoints.read",
    /// Declare REST endpoints for the tenant, and delete them.
    EndpointsWrite = "endpoints.write",
    /// See jobs of every type.
    JobsRead = "jobs.read",
    /// Start and cancel jobs of every type; keep schedules.
    JobsWrite = "jobs.write",
    /// See integrations, the tokens behind them (never their secrets), and the catalogue of connectors.
    IntegrationsRead = "integrations.read",
    /// Connect vendors, change, test and end integrations; hand tokens in.
    IntegrationsWrite = "integrations.write",
    /// See syncs, their runs and conflicts.
    SyncsRead = "syncs.read",
    /// Configure syncs, run them, decide conflicts.
    SyncsWrite = "syncs.write",
    /// Do the work: lease jobs, tell their progress, complete them.
    JobsWork = "jobs.work",
    /// See who the members of the tenant are, and who is invited.
    MembersRead = "members.read",
    /// Invite people, change their roles, remove them.
    MembersWrite = "members.write",
    /// The same for owners.
    OwnersWrite = "owners.write",
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PermissionSet(u64);

impl PermissionSet {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// Everything.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether it holds `permission`.
    pub fn holds(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u8) != 0
    }

    /// Adds one.
    pub fn insert(&mut self, permission: Permission) {
        self.0 |= 1 << permission as u8;
    }

    /// Both together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in `self` is in `other`.
    pub fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<T: IntoIterator<Item = Permission>>(iter: T) -> Self {
        let mut set = Self::NONE;
        for permission in iter {
            set.insert(permission);
        }
        set
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_fit_the_set() {
        assert!(Permission::ALL.len() <= 64);
        for permission in Permission::ALL {
            assert_eq!(permission.name().parse::<Permission>().unwrap(), *permission);
            assert!(PermissionSet::all().holds(*permission));
            assert!(!PermissionSet::NONE.holds(*permission));
        }
    }
}
