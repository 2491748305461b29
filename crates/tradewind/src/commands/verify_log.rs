//! `tradewind verify-log`: works on the data directory or database, with the server up or down.

use std::path::Path;

use anyhow::{bail, ensure};
use kernel::Ambient;

use super::answer;
use assembly::settings::Resolved;
use assembly::system::open_store;

pub(super) async fn run(settings: &Resolved, anchor: Option<&Path>) -> anyhow::Result<()> {
    ensure!(settings.has_database(), "there is no database in {}: is TRADEWIND_DATA_DIR right?", settings.data_dir.display());
    let store = open_store(settings, &Ambient::system(), false).await?;
    let verified = audit::verify(&store).await?;
    for fault in &verified.faults {
        answer(&fault.to_string());
    }
    if !verified.faults.is_empty() {
        // A fault without a chain is about all of them.
        let broken = verified.faults.iter().filter(|fault| !fault.chain.is_empty()).count();
        bail!("the audit log is not whole: {broken} of {} chains that are there are broken", verified.chains);
    }
    let gone = match anchor {
        Some(file) => audit::anchors::compare(&store, file).await?.unwrap_or_default(),
        None => Vec::new(),
    };
    for end in &gone {
        answer(&format!("{}: row {} is not there any more, or is not the one that the anchor tells of", end.chain, end.seq));
    }
    if !gone.is_empty() {
        bail!("the audit log is not the one that the anchor was written for: {} chains", gone.len());
    }
    answer(&format!("The audit log is whole: {} rows in {} chains.", verified.rows, verified.chains));
    if let Some(file) = anchor {
        let chains = audit::anchors::write(&store, file).await?;
        answer(&format!("{} has the ends of {chains} chains now: keep it where nobody who can write to the database can.", file.display()));
    }
    Ok(())
}
