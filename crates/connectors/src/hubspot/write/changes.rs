//! Changes of records that are there.

use serde_json::{Value, json};

use super::super::rows::Wanted;
use super::super::{associations, get};
use super::batch::{self, Input, Said, Verb};
use super::{Item, Told, creates};
use crate::waves::waves;
use crate::{Fault, Outcome, Session, WriteAct};

/// Setting the same values twice sets them once.
const UPDATE: Verb = Verb { name: "update", repeatable: true };

fn id<'w>(item: &Item<'w>) -> &'w str {
    if let WriteAct::Update { id } = &item.1.act { id } else { "" }
}

pub(super) async fn run(session: &Session, object: &str, items: &[Item<'_>]) -> Told {
    let mut told: Vec<(usize, Outcome)> = Vec::with_capacity(items.len());
    let mut fault = None;
    for wave in waves(items.to_vec(), id) {
        let outcomes = if fault.is_none() { one_wave(session, object, &wave).await } else { Ok(Vec::new()) };
        match outcomes {
            Ok(outcomes) => told.extend(outcomes),
            Err(first) if told.is_empty() => return Err(first),
            Err(first) => fault = Some(first),
        }
        if let Some(fault) = &fault {
            told.extend(wave.iter().map(|(at, _)| (*at, Outcome::Failed(fault.clone()))));
        }
    }
    Ok(told)
}

async fn one_wave(session: &Session, object: &str, items: &[Item<'_>]) -> Told {
    let input = |item: &Item<'_>| Input {
        at: item.0,
        id: id(item).to_owned(),
        body: json!({"id": id(item), "properties": batch::properties(&item.1.fields)}),
    };
    let inputs: Vec<_> = items.iter().map(input).collect();
    let wanted = Wanted::new(items.iter().flat_map(|(_, write)| write.fields.keys()).map(String::as_str));
    let said = batch::run(session, object, UPDATE, &inputs, &wanted).await?;
    let mut told = Vec::with_capacity(items.len());
    let mut missing = Vec::new();
    for (at, said) in said {
        let Some(item) = items.iter().find(|item| item.0 == at) else { continue };
        match said {
            Said::Done(row) => {
                let record = creates::with_written(row.record, &item.1.fields);
                let is_itself = record.id == id(item);
                // An old id leads HubSpot to the survivor: that one has the values now, and whoever asked has to know where.
                told.push((at, if is_itself { Outcome::Updated(record) } else { Outcome::Gone { merged_into: Some(record.id) } }));
            }
            Said::Unknown(fault) => told.push((at, Outcome::Unknown(fault))),
            Said::Failed(Fault::NotFound { .. }) => missing.push((at, id(item).to_owned())),
            Said::Failed(fault) => told.push((at, Outcome::Failed(fault))),
        }
    }
    told.extend(looked_for(session, object, missing).await);
    associate(session, object, items, &mut told).await;
    Ok(told)
}

/// Records that are not there may live on in others.
async fn looked_for(session: &Session, object: &str, missing: Vec<(usize, String)>) -> Vec<(usize, Outcome)> {
    if missing.is_empty() {
        return Vec::new();
    }
    let ids: Vec<String> = missing.iter().map(|(_, id)| id.clone()).collect();
    let known = get::get(session, object, &ids, &[]).await.unwrap_or_default();
    let into = |id: &str| known.iter().find(|record| record.id == id).and_then(|record| record.merged_into.clone());
    missing.into_iter().map(|(at, id)| (at, Outcome::Gone { merged_into: into(&id) })).collect()
}

/// Sets the associations of the items whose properties were set.
async fn associate(session: &Session, object: &str, items: &[Item<'_>], told: &mut [(usize, Outcome)]) {
    let mut names: Vec<&String> =
        items.iter().flat_map(|(_, write)| write.fields.keys()).filter(|name| associations::target(name).is_some()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let is_good =
            |at: usize, told: &[(usize, Outcome)]| told.iter().any(|(own, outcome)| *own == at && matches!(outcome, Outcome::Updated(_)));
        let meant: Vec<(usize, String, &Value)> = items
            .iter()
            .filter(|item| is_good(item.0, told))
            .filter_map(|item| Some((item.0, id(item).to_owned(), item.1.fields.get(name)?)))
            .collect();
        for (at, id, value) in meant {
            if let Err(fault) = associations::change(session, object, name, &[(id, value)]).await
                && let Some((_, outcome)) = told.iter_mut().find(|(own, _)| *own == at)
            {
                *outcome = if matches!(fault, Fault::Lost { .. }) { Outcome::Unknown(fault) } else { Outcome::Failed(fault) };
            }
        }
    }
}
