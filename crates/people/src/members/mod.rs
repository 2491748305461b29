//! Who is in a tenant, and as what.
//!
//! Nobody grants or takes what they lack: who may not `owners.write` leaves owners alone, and a role is given only by whoever has all
//! that it permits. A tenant keeps an owner, unless the operator says otherwise.

pub(crate) mod add;
mod get;
mod list;
mod remove;
mod update;

use access::people::{Role, User, UserStatus};
use kernel::{Caller, Permission, Result, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use crate::errors;

pub use add::AddMember;
pub use update::UpdateMember;

pub(crate) use add::handle as add;
pub(crate) use get::handle as get;
pub(crate) use list::handle as list;
pub(crate) use remove::handle as remove;
pub(crate) use update::handle as update;

/// A member of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The person: `usr_…`
    pub user_id: UserId,
    /// Their address.
    pub email: String,
    /// What they are called; may be empty.
    pub name: String,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// What they may do.
    pub role: Role,
    /// Since when they are a member.
    pub created_at: Timestamp,
}

impl From<(User, Role, Timestamp)> for Member {
    fn from((user, role, created_at): (User, Role, Timestamp)) -> Self {
        Self { user_id: user.id, email: user.email, name: user.name, status: user.status, role, created_at }
    }
}

/// Whether the caller may give this role, or take it from somebody. Error: 422 `role_exceeds_own`.
pub(crate) fn may_hand(caller: &Caller, role: Role) -> Result<()> {
    let holds_it = role.permissions().is_within(caller.permissions());
    if holds_it && (role != Role::Owner || caller.permissions().holds(Permission::OwnersWrite)) {
        return Ok(());
    }
    Err(errors::role_exceeds_own())
}
