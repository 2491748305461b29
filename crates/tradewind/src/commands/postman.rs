//! `tradewind postman`: the collection that `/docs/postman.json` serves. As with `openapi`, nothing is written anywhere.

use kernel::Ambient;

use super::answer;
use assembly::settings::Resolved;
use assembly::system::System;

pub(super) async fn run(settings: &Resolved) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let settings = settings.clone().scratch(scratch.path());
    let system = System::build(&settings, Ambient::system(), None).await?;
    answer(&serde_json::to_string_pretty(&system.front().docs.postman())?);
    Ok(())
}
