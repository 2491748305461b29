//! `tradewind openapi`: the document that `/docs/openapi.json` serves. Nothing is written anywhere: the routes are described by a
//! system on an empty database in memory's stead, a temporary directory.

use kernel::Ambient;

use super::answer;
use assembly::settings::Resolved;
use assembly::system::System;

pub(super) async fn run(settings: &Resolved) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let settings = settings.clone().scratch(scratch.path());
    let system = System::build(&settings, Ambient::system(), None).await?;
    answer(&serde_json::to_string_pretty(&system.openapi())?);
    Ok(())
}
