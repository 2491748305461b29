//! `tradewind blueprint list / show NAME / check FILE`.

use anyhow::{Context as _, bail};

use super::answer;
use crate::cli::BlueprintCommand;

pub(super) fn run(command: BlueprintCommand) -> anyhow::Result<()> {
    match command {
        BlueprintCommand::List => {
            for (name, _) in ::blueprint::builtin() {
                answer(name);
            }
        }
        BlueprintCommand::Show { name } => {
            let found = ::blueprint::builtin().iter().find(|(known, _)| *known == name);
            let (_, text) = found.with_context(|| format!("there is no built-in blueprint {name:?}; see: tradewind blueprint list"))?;
            answer(text);
        }
        BlueprintCommand::Check { file } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            match ::blueprint::parse(&text, &file.display().to_string()) {
                Ok(found) => answer(&format!(
                    "{}: {} resource types, {} endpoints, {} events: no faults",
                    found.name,
                    found.resources.len(),
                    found.endpoints.len(),
                    found.events.len()
                )),
                Err(faults) => bail!("{faults}"),
            }
        }
    }
    Ok(())
}
