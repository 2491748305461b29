//! The documentation against the running server: nothing that is served is undocumented, and everything that is handed out runs as it stands.

mod clients;
mod collection;
mod page;
mod per_credential;
mod samples;
mod schemathesis;

use crate::world::World;

/// A server with this blueprint, on SQLite.
fn serving(blueprint: &str) -> World {
    World::start(testkit::Engine::sqlite(), |settings| settings.set("TRADEWIND_BLUEPRINT", blueprint).set("TRADEWIND_ALERT_INTERVAL", "1"))
}
