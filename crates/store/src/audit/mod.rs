//! The audit log: one hash chain per tenant and one for the operator, appended in the transaction of the act itself.
//!
//! * Each row's hash covers the row and the hash before it: a row that was altered, inserted, moved or removed breaks the chain.
//! * The head of a chain, with the number and the hash of its last row, is sealed under the data key: who can write to the database but
//!   does not hold the master key can neither make the end of a chain disappear nor write a chain anew.
//! * The number of chains is sealed in the same way, so that a whole chain cannot disappear either. This root is made with the installation
//!   and never again, so that the whole log cannot disappear with it.
//!
//! What no seal can tell is an earlier state of the whole database: an [`Anchor`] that is kept elsewhere can.
//!
//! [`verify_chain`] and [`verify_chains`] find what is wrong, and where.

mod anchor;
mod append;
mod detail;
mod entry;
mod list;
mod verify;

pub use anchor::{Anchor, anchors, is_held};
pub(crate) use append::{append, plant};
pub(crate) use detail::{change, without_secrets};
pub use list::{AuditFilter, AuditRow, list};
pub use verify::{AuditFault, AuditFaultKind, Verified, verify_chain, verify_chains};

/// The operator's chain; a tenant's chain is named by its id.
pub const OPERATOR_CHAIN: &str = "operator";
