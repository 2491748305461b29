//! `tradewind blueprint list / show NAME / check FILE [--against OLD]`.

use ::blueprint::{Blueprint, Finding, LoadError, Verdict, builtin, compare, load, text};
use serde_json::json;

use super::answer;
use crate::cli::{BlueprintCommand, CheckFormat};

pub(super) fn run(command: BlueprintCommand) -> anyhow::Result<()> {
    match command {
        BlueprintCommand::List => {
            for (name, _) in builtin() {
                answer(name);
            }
            Ok(())
        }
        BlueprintCommand::Show { name } => {
            answer(&text(&name)?);
            Ok(())
        }
        BlueprintCommand::Check { file, against: None, format } => check(&file, format),
        BlueprintCommand::Check { file, against: Some(old), format } => check_against(&file, &old, format),
    }
}

fn check(file: &str, format: CheckFormat) -> anyhow::Result<()> {
    let found = load(file);
    if format == CheckFormat::Json {
        let faults = match &found {
            Ok(_) => Vec::new(),
            Err(LoadError::Faulty(faults)) => faults.list().to_vec(),
            Err(_) => return Ok(found.map(drop)?),
        };
        let fault = |fault: &::blueprint::Fault| json!({"place": fault.path, "line": fault.line, "message": fault.message, "suggestion": fault.suggestion});
        let faults: Vec<_> = faults.iter().map(fault).collect();
        answer(&serde_json::to_string_pretty(&json!({"valid": faults.is_empty(), "faults": faults}))?);
        anyhow::ensure!(faults.is_empty(), "{file} has faults");
        return Ok(());
    }
    answer(&summary(&found?));
    Ok(())
}

fn summary(found: &Blueprint) -> String {
    format!(
        "{}: {} resource types, {} endpoints, {} events: no faults",
        found.name,
        found.resources.len(),
        found.endpoints.len(),
        found.events.len()
    )
}

fn check_against(file: &str, old: &str, format: CheckFormat) -> anyhow::Result<()> {
    let findings = compare(&load(old)?, &load(file)?);
    let breaking = findings.iter().filter(|finding| finding.verdict == Verdict::Breaking).count();
    match format {
        CheckFormat::Json => {
            let all = json!({"compatible": breaking == 0, "breaking": breaking, "findings": findings});
            answer(&serde_json::to_string_pretty(&all)?);
        }
        CheckFormat::Text => {
            findings.iter().for_each(|finding| answer(&line(finding)));
            if breaking == 0 {
                answer(&format!("{file} breaks nothing for those who rely on {old}"));
            }
        }
    }
    anyhow::ensure!(breaking == 0, "{file} breaks {breaking} {} of {old}", if breaking == 1 { "promise" } else { "promises" });
    Ok(())
}

fn line(finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Breaking => "breaking  ",
        Verdict::Compatible => "compatible",
    };
    format!("{verdict}  {}  {}: {}", finding.code, finding.place, finding.message)
}
