//! `tradewind migrate`: opening the store brings it up to date.

use kernel::Ambient;

use super::answer;
use assembly::settings::Resolved;
use assembly::system;

pub(super) async fn run(settings: &Resolved) -> anyhow::Result<()> {
    system::open_store(settings, &Ambient::system(), false).await?;
    answer("The database is up to date.");
    Ok(())
}
