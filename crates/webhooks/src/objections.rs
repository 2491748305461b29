//! What webhooks have against a changed blueprint: they listen to an event type that is gone.

use blueprint::Blueprint;
use kernel::{Error, Result};
use products::Objection;
use store::Tx;

/// Event types that webhooks name exactly, and that `new` knows neither by this name nor as another's alias. Patterns (`lead.*`) need not match
/// anything.
pub fn objections(tx: &mut Tx<'_>, old: &Blueprint, new: &Blueprint) -> Result<Vec<Objection>> {
    let known =
        |name: &str| new.events.iter().any(|event| event.name.as_str() == name || event.aliases.iter().any(|alias| alias.as_str() == name));
    let gone: Vec<&str> = old.events.iter().map(|event| event.name.as_str()).filter(|name| !known(name)).collect();
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    // There are few different lists, however many webhooks have them.
    let sql = "SELECT events, COUNT(*) FROM subscriptions GROUP BY events";
    let lists = tx.query(sql, &[], |row| Ok((row.get::<String>(0)?, row.get::<u64>(1)?)))?;
    let lists: Vec<(Vec<String>, u64)> =
        lists.into_iter().map(|(text, rows)| Ok((serde_json::from_str(&text).map_err(Error::internal)?, rows))).collect::<Result<_>>()?;
    let count = |name: &str| lists.iter().filter(|(names, _)| names.iter().any(|one| one == name)).map(|(_, rows)| rows).sum::<u64>();
    let in_use = gone.into_iter().map(|name| (name, count(name))).filter(|(_, webhooks)| *webhooks > 0);
    Ok(in_use
        .map(|(name, webhooks)| Objection {
            code: "event_in_use",
            place: format!("events[{name:?}]"),
            reason: format!(
                "the event type is gone, and {webhooks} {} for it by name",
                if webhooks == 1 { "webhook asks" } else { "webhooks ask" }
            ),
            way_out: "change their events first (PATCH /api/v1/webhooks/{id}), or leave the type in the file, perhaps deprecated"
                .to_owned(),
        })
        .collect())
}
