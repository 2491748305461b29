//! `tradewind upstream secret`: works on the data directory or database, with the server up or down.

use anyhow::ensure;
use kernel::Ambient;

use super::answer;
use crate::cli::UpstreamCommand;
use assembly::settings::Resolved;
use assembly::system::open_store;

pub(super) async fn run(settings: &Resolved, command: UpstreamCommand) -> anyhow::Result<()> {
    let UpstreamCommand::Secret { name } = command;
    let blueprint = blueprint::load(&settings.blueprint)?;
    let names: Vec<&str> = blueprint.upstreams.iter().map(|upstream| upstream.name.as_str()).collect();
    let known = if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
    ensure!(names.contains(&name.as_str()), "the blueprint {} has no upstream {name:?}: {known}", settings.blueprint);
    let store = open_store(settings, &Ambient::system(), false).await?;
    let installation = ::upstream::installation_secret(&store).await?;
    answer(::upstream::signing_secret(&installation, &name).reveal());
    Ok(())
}
