//! `tradewind asyncapi`: the document that `/docs/asyncapi.json` serves.

use rest::DocsConfig;

use super::answer;
use assembly::settings::Resolved;

pub(super) fn run(settings: &Resolved) -> anyhow::Result<()> {
    let blueprint = blueprint::load(&settings.blueprint)?;
    let config = DocsConfig { public_url: settings.public_url.clone(), version: env!("CARGO_PKG_VERSION").to_owned(), client: None };
    answer(&serde_json::to_string_pretty(&rest::asyncapi(&blueprint, &config))?);
    Ok(())
}
