//! People against real engines: the same bodies on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

mod attempts;
mod authenticator;
mod bed;
mod command_line;
mod external;
mod guarding;
mod hostile_passkeys;
mod invitations;
mod isolation;
mod links;
mod members;
mod own_account;
mod passkeys;
mod portal_sessions;
mod second_step;
mod sessions;
mod sign_in;
mod users;
