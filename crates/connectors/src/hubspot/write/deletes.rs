//! Deletions. HubSpot archives: a person can restore the record for 90 days.

use serde_json::json;

use super::super::dialect::Speech;
use super::super::settings::Settings;
use super::super::{get, objects};
use super::{Item, Told};
use crate::{Call, Fault, Outcome, Session, WriteAct, driver};

pub(super) async fn run(session: &Session, object: &str, items: &[Item<'_>]) -> Told {
    let settings = Settings::of(session)?;
    let mut told = Vec::with_capacity(items.len());
    for part in items.chunks(objects::BATCH) {
        match archive(session, &settings, object, part).await {
            Ok(outcomes) => told.extend(outcomes),
            Err(fault @ Fault::Lost { .. }) => told.extend(part.iter().map(|(at, _)| (*at, Outcome::Unknown(fault.clone())))),
            Err(fault) if told.is_empty() => return Err(fault),
            Err(fault) => told.extend(part.iter().map(|(at, _)| (*at, Outcome::Failed(fault.clone())))),
        }
    }
    Ok(told)
}

async fn archive(session: &Session, settings: &Settings<'_>, object: &str, part: &[Item<'_>]) -> Told {
    let id = |item: &Item<'_>| if let WriteAct::Delete { id } = &item.1.act { id.clone() } else { String::new() };
    let ids: Vec<String> = part.iter().map(id).collect();
    // The id of a record that was merged means the survivor, which nobody wants to lose.
    let known = get::get(session, object, &ids, &[]).await?;
    let merged = |id: &str| known.iter().find(|record| record.id == id).and_then(|record| record.merged_into.clone());
    let mut inputs: Vec<_> = known.iter().filter(|record| record.merged_into.is_none()).map(|record| json!({"id": record.id})).collect();
    inputs.dedup();
    if !inputs.is_empty() {
        let call = Call::post(settings.objects(object, &["batch", "archive"])?, json!({"inputs": inputs})).repeatable(true);
        driver::ask(session, &Speech::of(settings), call).await?;
    }
    let outcome = |(item, id): (&Item<'_>, &String)| match merged(id) {
        Some(into) => (item.0, Outcome::Gone { merged_into: Some(into) }),
        None => (item.0, Outcome::Deleted),
    };
    Ok(part.iter().zip(&ids).map(outcome).collect())
}
