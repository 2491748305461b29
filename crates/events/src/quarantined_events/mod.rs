//! Publications that break the schema of their type, where the type keeps such apart: they wait until somebody releases or discards them.
//!
//! They are no events yet. Nobody gets them, and their ids are not taken: a publication that is mended may come under the same id and is
//! accepted; the one that waits then adds nothing when it is released. What waits is bounded per tenant, in number and in bytes.

pub(crate) mod discard;
pub(crate) mod get;
mod hold;
pub(crate) mod list;
pub(crate) mod release;
pub(crate) mod release_many;
mod sql;
mod view;

pub use release::Release;
pub use release_many::{ReleaseMany, ReleasedMany};
pub use view::QuarantinedEventView;

pub(crate) use hold::hold;
pub(crate) use sql::{forget, held_after, purge_one, purge_tenant};

/// Most publications that wait, per tenant.
pub const MAX_HELD_EVENTS: u32 = 1000;
/// Most bytes of their `data`, per tenant: 64 MiB.
pub const MAX_HELD_BYTES: u64 = 64 * 1024 * 1024;
