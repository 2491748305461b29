//! `tradewind blueprint versions` and `rollback`: the versions that were applied, and one step back.

use products::{Products, Version};
use serde_json::json;

use super::{answer, line, opened};
use crate::cli::CheckFormat;
use crate::commands::reload;
use assembly::settings::Resolved;

pub(super) async fn list(settings: &Resolved, show: Option<i64>, format: CheckFormat) -> anyhow::Result<()> {
    let (_store, products) = opened(settings).await?;
    if let Some(number) = show {
        answer(&products.text(number).await?);
        return Ok(());
    }
    let versions = products.versions().await?;
    match format {
        CheckFormat::Json => answer(&serde_json::to_string_pretty(&json!({ "data": versions }))?),
        CheckFormat::Text => versions.iter().for_each(|version| answer(&row(version))),
    }
    Ok(())
}

/// `3  2026-01-31T12:00:00.000Z  rollback  shop  2f1c09ab…  by ada, restores version 1: too early`
fn row(version: &Version) -> String {
    let Version { number, name, hash, how, applied_by, applied_at, note, restores, .. } = version;
    let restores = restores.map_or_else(String::new, |one| format!(", restores version {one}"));
    let note = note.as_ref().map_or_else(String::new, |note| format!(": {note}"));
    format!("{number}  {applied_at}  {:<8}  {name}  {}  by {applied_by}{restores}{note}", how.as_str(), &hash[..hash.len().min(8)])
}

pub(super) async fn roll_back(settings: &Resolved, note: Option<String>, by: &str) -> anyhow::Result<()> {
    if let Some(note) = &note {
        kernel::text::line("/note", note, 1, kernel::text::MAX_NAME)?;
    }
    let (store, products): (_, Products) = opened(settings).await?;
    let done = products.roll_back(by, note).await?;
    done.judgement.findings.iter().for_each(|finding| answer(&line(finding)));
    answer(&row(&done.version));
    let servers = reload::call(&store).await?;
    if servers == 0 {
        answer("No server runs on this database; the next start serves this version.");
    }
    Ok(())
}
