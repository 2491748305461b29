//! What knows a vendor: one trait, manifests for what a file can say, Rust for the rest.
//!
//! Purpose: a [`Connector`] reads and writes a vendor's objects: pages, changes since a cursor, one record, batches with a result each,
//! what was deleted, which fields there are, what a webhook says. It holds no state and no secret: everything leaves through a
//! [`Session`], which knows the account, spends its budget and renews its token.
//!
//! Tables, events: none.
//!
//! Invariants:
//! * A page's token and a cursor are texts that say everything: a run that was killed goes on from them, on another node too.
//! * A fault says what to do next ([`Fault`]): nobody above reads a vendor's status or message.
//! * A write says what became of each item. What may have happened is [`Outcome::Unknown`], never a success and never a refusal.

mod built_in;
mod contract;
mod direct;
pub mod driver;
mod hubspot;
pub mod manifest;
mod pipedrive;
mod salesforce;
mod times;
mod waves;
mod zoho;

pub use built_in::built_in;
pub use contract::*;
pub use direct::Direct;
pub use hubspot::HubSpot;
pub use pipedrive::Pipedrive;
pub use salesforce::Salesforce;
pub use zoho::Zoho;
