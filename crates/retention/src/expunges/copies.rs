//! Copies of what a subject's events say that stand elsewhere.

use events::{Look, Looked, Path};
use kernel::{EventId, Result, TenantId};
use serde_json::Value;
use store::Tx;

use super::Selector;
use super::sql::Open;

/// Shorter texts and numbers turn up in anything.
const TELLING: usize = 4;

/// One look of a run, by whatever looks through the rows.
pub(super) fn look(tx: &mut Tx<'_>, run: &Open, forget: events::Forget, limit: u32) -> Result<Looked> {
    let nothing = |_: &Value| false;
    let silent = |_: &[u8]| false;
    let (after, dry_run) = (run.reached.1.as_str(), run.dry_run);
    match &run.selector {
        Selector::Path { path, value } => {
            let path = Path::parse(path, "/path")?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_wanted = |payload: &Value| path.is_in(payload, value);
            let is_mentioned = |bytes: &[u8]| text.len() >= TELLING && bytes.windows(text.len()).any(|some| some == text.as_bytes());
            forget(
                tx,
                run.tenant,
                &Look { after, limit, dry_run, key: None, event: None, is_wanted: &is_wanted, is_mentioned: &is_mentioned },
            )
        }
        Selector::OrderingKey { key } => {
            forget(tx, run.tenant, &Look { after, limit, dry_run, key: Some(key), event: None, is_wanted: &nothing, is_mentioned: &silent })
        }
        Selector::Event { id, .. } => {
            forget(tx, run.tenant, &Look { after, limit, dry_run, key: None, event: Some(id), is_wanted: &nothing, is_mentioned: &silent })
        }
    }
}

/// Publications that are kept apart.
pub(super) fn held(tx: &mut Tx<'_>, tenant: TenantId, look: &Look<'_>) -> Result<Looked> {
    let page = events::retention::held(tx, tenant, look.after, look.limit)?;
    let last = page.last().map(|event| event.id.to_string());
    let is_theirs = |event: &kernel::Event| {
        look.event == Some(&event.id)
            || (look.key.is_some() && event.ordering_key.as_deref() == look.key)
            || serde_json::from_slice(&event.data).is_ok_and(|payload| (look.is_wanted)(&payload))
    };
    let found: Vec<&EventId> = page.iter().filter(|event| is_theirs(event)).map(|event| &event.id).collect();
    for id in found.iter().filter(|_| !look.dry_run) {
        events::retention::forget_held(tx, tenant, id)?;
    }
    Ok(Looked { examined: page.len() as u64, found: found.len() as u64, last })
}
