//! `tradewind blueprint list / show NAME / check FILE [--against OLD] / versions / rollback`.

mod versions;

use std::sync::Arc;

use ::blueprint::{Blueprint, Finding, LoadError, Verdict, builtin, compare, load, text};
use anyhow::{Context as _, ensure};
use kernel::Ambient;
use products::{Judgement, Products, Strictness, Text};
use serde_json::json;

use super::answer;
use crate::cli::{BlueprintCommand, CheckFormat};
use crate::settings::Settings;
use assembly::product;
use assembly::settings::Resolved;
use assembly::system::open_store;

/// In place of a version to compare with: the one that is in force, and what is stored.
const APPLIED: &str = "applied";

pub(super) async fn run(settings: Settings, command: BlueprintCommand) -> anyhow::Result<()> {
    match command {
        BlueprintCommand::List => {
            for (name, _) in builtin() {
                answer(name);
            }
            Ok(())
        }
        BlueprintCommand::Schema => {
            answer(&serde_json::to_string_pretty(&::blueprint::editor_schema())?);
            Ok(())
        }
        BlueprintCommand::Show { name } => {
            answer(&text(&name)?);
            Ok(())
        }
        BlueprintCommand::Check { file, against: None, format } => check(&file, format),
        BlueprintCommand::Check { file, against: Some(old), format } if old == APPLIED => {
            check_applied(&settings.resolve()?, &file, format).await
        }
        BlueprintCommand::Check { file, against: Some(old), format } => {
            let judgement = Judgement { findings: compare(&load(&old)?, &load(&file)?), objections: Vec::new() };
            tell(&judgement, &file, &old, format)
        }
        BlueprintCommand::Versions { show, format } => versions::list(&settings.resolve()?, show, format).await,
        BlueprintCommand::Rollback { note, by } => versions::roll_back(&settings.resolve()?, note, &by).await,
    }
}

/// The versions in the database that is there.
async fn opened(settings: &Resolved) -> anyhow::Result<(store::Store, Products)> {
    ensure!(settings.has_database(), "there is no database in {}: is TRADEWIND_DATA_DIR right?", settings.data_dir.display());
    let store = open_store(settings, &Ambient::system(), false).await?;
    let products = product::products(&store);
    Ok((store, products))
}

fn check(file: &str, format: CheckFormat) -> anyhow::Result<()> {
    let found = load(file);
    if format == CheckFormat::Json {
        let faults = match &found {
            Ok(_) => Vec::new(),
            Err(LoadError::Faulty(faults)) => faults.list().to_vec(),
            Err(_) => return Ok(found.map(drop)?),
        };
        let fault = |fault: &::blueprint::Fault| json!({"place": fault.path, "line": fault.line, "column": fault.column, "message": fault.message, "suggestion": fault.suggestion});
        let faults: Vec<_> = faults.iter().map(fault).collect();
        answer(&serde_json::to_string_pretty(&json!({"valid": faults.is_empty(), "faults": faults}))?);
        ensure!(faults.is_empty(), "{file} has faults");
        return Ok(());
    }
    answer(&summary(&found?));
    Ok(())
}

fn summary(found: &Blueprint) -> String {
    let always = [(found.resources.len(), "resource type"), (found.endpoints.len(), "endpoint"), (found.events.len(), "event")];
    let perhaps = [(found.metrics.len(), "metric"), (found.jobs.len(), "job"), (found.upstreams.len(), "upstream")];
    let parts = always.into_iter().chain(perhaps.into_iter().filter(|(count, _)| *count > 0));
    let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}{}", if count == 1 { "" } else { "s" })).collect();
    format!("{}: {}: no faults", found.name, parts.join(", "))
}

/// The verdict that a start or a reload with this file would get.
async fn check_applied(settings: &Resolved, file: &str, format: CheckFormat) -> anyhow::Result<()> {
    let next = Text::read(file)?;
    let (_store, products) = opened(settings).await?;
    let (version, kept) = products.in_force().await?.context("no blueprint has been applied to this database")?;
    let present = Text::parse(&kept, "the version in force")?;
    let judgement = products.judge(&present.blueprint, &Arc::clone(&next.blueprint)).await?;
    tell(&judgement, file, &format!("version {} ({})", version.number, version.name), format)
}

fn tell(judgement: &Judgement, file: &str, old: &str, format: CheckFormat) -> anyhow::Result<()> {
    let breaking = judgement.breaking().count();
    let objections = &judgement.objections;
    match format {
        CheckFormat::Json => {
            let all = json!({
                "compatible": breaking == 0 && objections.is_empty(),
                "breaking": breaking,
                "findings": judgement.findings,
                "objections": objections,
            });
            answer(&serde_json::to_string_pretty(&all)?);
        }
        CheckFormat::Text => {
            objections.iter().for_each(|objection| answer(&format!("refused     {}  {objection}", objection.code)));
            judgement.findings.iter().for_each(|finding| answer(&line(finding)));
            if breaking == 0 && objections.is_empty() {
                answer(&format!("{file} breaks nothing for those who rely on {old}"));
            }
        }
    }
    if let Some(why) = judgement.refusal(Strictness::Data) {
        anyhow::bail!("{file} cannot take the place of {old}: {why}");
    }
    ensure!(breaking == 0, "{file} breaks {breaking} {} of {old}", if breaking == 1 { "promise" } else { "promises" });
    Ok(())
}

fn line(finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Breaking => "breaking  ",
        Verdict::Compatible => "compatible",
    };
    format!("{verdict}  {}  {}: {}", finding.code, finding.place, finding.message)
}
