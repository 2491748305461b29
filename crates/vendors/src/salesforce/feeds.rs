//! What was deleted and what was changed within a span of at most 30 days, at most 15 days back.

use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{Org, Scene};
use super::{ids, records};
use crate::stand::Answer;
use crate::stand::text::parse_time;

const DAY_MS: i64 = 86_400_000;

/// The span that is asked for, in milliseconds.
fn span(scene: &Scene<'_>) -> Result<(i64, i64), Failure> {
    let wanted = |name: &str| {
        let text = scene.call.param(name).ok_or_else(|| Failure::new(400, "MISSING_ARGUMENT", format!("{name} is required")))?;
        parse_time(text).ok_or_else(|| Failure::new(400, "INVALID_REPLICATION_DATE", format!("{name} is no date: {text}")))
    };
    let (start, end) = (wanted("start")?, wanted("end")?);
    if end < start + 60_000 {
        return Err(Failure::new(400, "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate"));
    }
    if start < scene.change.at - 30 * DAY_MS {
        return Err(Failure::new(400, "INVALID_REPLICATION_DATE", "startDate before org replication enabled date"));
    }
    Ok((start, end))
}

pub(super) fn deleted(org: &Org, scene: &Scene<'_>, object: &str) -> Result<Answer, Failure> {
    let (start, end) = span(scene)?;
    let object = org.object(object)?;
    let earliest = scene.change.at - 15 * DAY_MS;
    if start < earliest {
        let message = format!("startDate is before the earliest date available: {}", records::time(earliest));
        return Err(Failure::new(400, "INVALID_REPLICATION_DATE", message));
    }
    let gone: Vec<_> = org
        .table(&object.name)
        .changed((start, 0)..(end, 0))
        .filter_map(|row| Some((row, row.gone?)))
        .map(|(row, gone)| json!({"id": ids::id(&object.prefix, row.id), "deletedDate": records::time(gone.at)}))
        .collect();
    Ok(Answer::json(
        200,
        &json!({"deletedRecords": gone, "earliestDateAvailable": records::time(earliest),
            "latestDateCovered": records::time(end.min(scene.change.at))}),
    ))
}

pub(super) fn updated(org: &Org, scene: &Scene<'_>, object: &str) -> Result<Answer, Failure> {
    let (start, end) = span(scene)?;
    let object = org.object(object)?;
    let changed = org.table(&object.name).changed((start, 0)..(end, 0)).filter(|row| row.gone.is_none());
    let changed: Value = changed.map(|row| ids::id(&object.prefix, row.id)).collect();
    Ok(Answer::json(200, &json!({"ids": changed, "latestDateCovered": records::time(end.min(scene.change.at))})))
}
