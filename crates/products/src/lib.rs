//! The blueprint that is in force. A database remembers it, and every one before it, so that a changed file meets what is stored: additive
//! changes take effect at once, what live data contradict is refused with the reason and the way out, and one step back is possible.
//!
//! * [`Text`]: a blueprint file that was read, with its text.
//! * [`Products::settle`]: what a server that read such a file is to serve.
//! * [`Products::record`]: the file is in force from now on.
//! * [`Products::roll_back`]: the version before is in force again.
//! * [`Objection`], [`Objector`]: what features say about a change, from what they store. The binary wires them in an explicit list.
//!
//! Table: `blueprint_versions`. Change notices: topic `blueprint_version`, key the number.
//!
//! Invariants: one version is in force, the one with the highest number; two servers that apply at once do it one after the other; a version's
//! text rests sealed, since a file may hold headers for backends that are nobody else's business; what is refused has changed nothing.

mod judge;
mod objections;
mod record;
mod roll_back;
mod settle;
mod sql;
mod text;
mod versions;

use std::sync::Arc;

use store::{Home, Migration, Store};

pub use judge::{Judgement, Strictness};
pub use objections::{Objection, Objector};
pub use roll_back::RolledBack;
pub use settle::{Settled, Ticket};
pub use text::Text;
pub use versions::{How, Version};

/// This crate's tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { feature: "products", version: 1, home: Home::State, sql: include_str!("../migrations/0001_versions.sql") }];

/// The topic of change notices; the key is the number of the version that is in force.
pub const TOPIC: &str = "blueprint_version";

/// Most versions that are kept.
pub const MOST_VERSIONS: i64 = 200;

/// The versions of a database, and who has a say in a change.
#[derive(Clone)]
pub struct Products {
    store: Store,
    objectors: Arc<[Objector]>,
}

impl Products {
    /// Over the versions in `store`; each of `objectors` is asked about every change.
    pub fn new(store: Store, objectors: impl IntoIterator<Item = Objector>) -> Self {
        Self { store, objectors: objectors.into_iter().collect() }
    }
}
