//! Everybody who may sign in, as the operator sees them.

mod create;
mod delete;
mod get;
mod list;
pub(crate) mod methods;
mod reset_link;
mod sessions;
pub(crate) mod sql;
mod update;

pub use access::people::{OperatorRole, User, UserStatus};
pub use create::{CreateUser, create as create_on_command_line};
pub use list::UserFilter;
pub use reset_link::{ResetLink, of_email as reset_link_on_command_line};
pub use update::UpdateUser;

pub(crate) use create::handle as create;
pub(crate) use delete::handle as delete;
pub(crate) use get::{MembershipList, handle as get, handle_memberships as memberships};
pub(crate) use list::handle as list;
pub(crate) use reset_link::handle as reset_link;
pub(crate) use sessions::{UserSessions, handle_end as end_sessions, handle_list as sessions};
pub(crate) use update::handle as update;
