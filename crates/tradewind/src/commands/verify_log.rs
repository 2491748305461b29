//! `tradewind verify-log`: works on the data directory or database, with the server up or down.

use anyhow::{bail, ensure};
use kernel::Ambient;

use super::answer;
use crate::settings::Resolved;
use crate::system::open_store;

pub(super) async fn run(settings: &Resolved) -> anyhow::Result<()> {
    ensure!(settings.has_database(), "there is no database in {}: is TRADEWIND_DATA_DIR right?", settings.data_dir.display());
    let store = open_store(settings, &Ambient::system(), false).await?;
    let verified = audit::verify(&store).await?;
    for fault in &verified.faults {
        answer(&fault.to_string());
    }
    if !verified.faults.is_empty() {
        bail!("the audit log is not whole: {} of {} chains", verified.faults.len(), verified.chains);
    }
    answer(&format!("The audit log is whole: {} rows in {} chains.", verified.rows, verified.chains));
    Ok(())
}
