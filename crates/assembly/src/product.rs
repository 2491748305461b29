//! Which blueprint a server serves: its file's, once what is stored does not contradict it.

use std::sync::Arc;

use anyhow::bail;
use blueprint::Blueprint;
use products::{How, Objector, Products, Settled, Text, Ticket};
use store::Store;

/// How often a start looks again when another server applied something else at the same time.
const ATTEMPTS: usize = 5;

/// The versions in `store`, and every feature that has a say in a change.
pub fn products(store: &Store) -> Products {
    let objectors: [Objector; 6] =
        [access::objections, records::objections, webhooks::objections, jobs::objections, rest::objections, graphql::objections];
    Products::new(store.clone(), objectors)
}

/// Puts the file into force, or says why not, and answers what is to be served. `server` names this one to those who read the versions.
pub async fn at_start(products: &Products, text: &Text, server: &str) -> anyhow::Result<Arc<Blueprint>> {
    for _ in 0..ATTEMPTS {
        let ticket = match products.settle(text.clone(), How::Start).await? {
            Settled::Same(blueprint) => return Ok(blueprint),
            Settled::Kept { blueprint, why } => {
                tracing::warn!("{why}");
                return Ok(blueprint);
            }
            Settled::Refused(why) => bail!("the blueprint {} cannot be applied: {why}", text.blueprint.name),
            Settled::New(ticket) => ticket,
        };
        match products.record(&ticket, How::Start, server).await {
            Ok(version) => {
                tracing::info!(version = version.number, blueprint = %version.name, "the blueprint is applied");
                warn_of_breaks(&ticket);
                return Ok(Arc::clone(ticket.blueprint()));
            }
            Err(error) if error.code() == "blueprint_changed_meanwhile" => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("other servers apply other blueprints all the time: give every server the same file")
}

/// A start may break promises; nobody shall say that it did so silently.
fn warn_of_breaks(ticket: &Ticket) {
    for finding in ticket.judgement.breaking() {
        tracing::warn!(
            code = finding.code,
            "the new blueprint breaks those who rely on the one before: {}: {}",
            finding.place,
            finding.message
        );
    }
}

/// This machine and process, as the versions name it.
pub fn server_name() -> String {
    let name = rustix::system::uname();
    format!("{} (process {})", name.nodename().to_string_lossy(), std::process::id())
}
