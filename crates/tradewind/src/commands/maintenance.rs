//! `tradewind maintenance on / off / status`: works on the data directory or database, with the server up or down.

use std::time::Duration;

use anyhow::ensure;
use kernel::Ambient;
use switches::{Maintenance, Switches};

use super::answer;
use crate::cli::MaintenanceCommand;
use assembly::settings::Resolved;
use assembly::system::open_store;

pub(super) async fn run(settings: &Resolved, command: MaintenanceCommand) -> anyhow::Result<()> {
    ensure!(settings.has_database(), "there is no database in {}: is TRADEWIND_DATA_DIR right?", settings.data_dir.display());
    let store = open_store(settings, &Ambient::system(), false).await?;
    let present = match command {
        MaintenanceCommand::On { retry_after, message } => {
            switches::switch_maintenance(&store, Some((Duration::from_secs(retry_after), message))).await?
        }
        MaintenanceCommand::Off => switches::switch_maintenance(&store, None).await?,
        MaintenanceCommand::Status => Switches::new(store).await?.maintenance().map(|on| Maintenance::clone(&on)),
    };
    answer(&line(present.as_ref()));
    Ok(())
}

fn line(present: Option<&Maintenance>) -> String {
    present.map_or_else(
        || "Maintenance is off.".to_owned(),
        |on| format!("Maintenance is on since {}: partners are answered 503, Retry-After: {}.", on.since, on.retry_after_seconds),
    )
}
