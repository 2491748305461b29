//! People, as those see them who need not know how somebody signs in: who there is, in which tenants, in which role, and what that permits.
//! What they do (sign in, invite, leave) is in the crate `people`, which writes the two tables; these are plain functions over a transaction.

mod roles;
mod sessions;
mod sql;

use kernel::{TenantId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

pub use roles::{OperatorRole, Role, scopes_of};
pub use sessions::{PersonRequest, Sessions};
pub use sql::{membership, memberships_of, role_of, user, user_by_email, user_columns, user_from};

/// Topic of change notices, by user id: the person's name, status, role or memberships changed, or the person is gone.
pub const USER_TOPIC: &str = crate::access_tokens::MEMBER_TOPIC;

/// Whether a person may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// They may.
    Active,
    /// They may not, and nothing acts for them.
    Suspended,
}

impl UserStatus {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    pub(crate) fn read(text: &str) -> Self {
        if text == "active" { Self::Active } else { Self::Suspended }
    }
}

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// `usr_…`
    pub id: UserId,
    /// The address by which they sign in: lower case, unique.
    pub email: String,
    /// Whether somebody has proven to read what is sent there.
    pub email_verified: bool,
    /// What they are called; may be empty.
    pub name: String,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// Which of the operator's people they are; none: a tenant's.
    pub operator_role: Option<OperatorRole>,
    /// The language that they read, as a BCP 47 tag; none: what their browser says.
    pub language: Option<String>,
    /// When they were made known.
    pub created_at: Timestamp,
    /// When that was last changed.
    pub updated_at: Timestamp,
}

/// A person's place in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Its name.
    pub tenant_name: String,
    /// The person.
    pub user_id: UserId,
    /// What they may do there.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}
