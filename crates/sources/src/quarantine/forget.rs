//! Forgetting a subject in calls that are kept.

use events::{Look, Looked};
use kernel::{CallId, Result, TenantId};
use serde_json::Value;
use store::Tx;
use url::form_urlencoded::parse;

/// A call as it is looked at.
struct Kept {
    id: CallId,
    query: Option<String>,
    body: Vec<u8>,
    is_whole: bool,
}

impl Kept {
    /// Whether it is the subject's: by its payload, which events would have as their data; where that cannot be read as JSON, because the call was a form or
    /// was cut, by its text.
    fn is_theirs(&self, look: &Look<'_>) -> bool {
        let is_mentioned = |text: &[u8]| {
            (look.is_mentioned)(text)
                || parse(text).any(|(name, value)| (look.is_mentioned)(name.as_bytes()) || (look.is_mentioned)(value.as_bytes()))
        };
        let payload = if self.is_whole { serde_json::from_slice::<Value>(&self.body).ok() } else { None };
        let by_body = payload.map_or_else(|| is_mentioned(&self.body), |payload| (look.is_wanted)(&payload));
        by_body || self.query.as_ref().is_some_and(|query| is_mentioned(query.as_bytes()))
    }
}

/// Looks through a tenant's kept calls and deletes a subject's.
pub fn forget(tx: &mut Tx<'_>, tenant: TenantId, look: &Look<'_>) -> Result<Looked> {
    let sql = "SELECT id, query, body, body_bytes FROM quarantined_calls WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let read = |row: &store::Row<'_>| {
        let (body, length) = (row.get::<Vec<u8>>(2)?, row.get::<u64>(3)?);
        Ok(Kept { id: row.get(0)?, query: row.get(1)?, is_whole: body.len() as u64 == length, body })
    };
    let page = tx.query(sql, &[tenant.into(), look.after.into(), look.limit.into()], read)?;
    let mut looked = Looked { examined: page.len() as u64, found: 0, last: page.last().map(|call| call.id.to_string()) };
    for call in page.iter().filter(|call| call.is_theirs(look)) {
        looked.found += 1;
        if !look.dry_run {
            tx.exec("DELETE FROM quarantined_calls WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), call.id.into()])?;
        }
    }
    Ok(looked)
}
