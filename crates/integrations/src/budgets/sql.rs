//! Every statement on `integration_budgets`.

use kernel::{Result, Timestamp};
use store::{Tx, Value};

use super::Key;
use super::window::Window;

/// What came of asking for a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// So much, until then.
    Taken(u64, Timestamp),
    /// Nothing until then.
    Empty(Timestamp),
}

fn key(of: &Key, window: &Window, more: &[Value]) -> Vec<Value> {
    let mut values: Vec<Value> =
        vec![of.tenant.into(), of.connector.as_str().into(), of.account.as_str().into(), window.name.as_str().into()];
    values.extend_from_slice(more);
    values
}

/// Takes a part of the window, with what the vendor said. Each step is one statement that holds by itself, so that servers that do this at the
/// same moment add up.
pub(super) fn take(tx: &mut Tx<'_>, of: &Key, window: &Window, cost: u64) -> Result<Part> {
    const WHERE: &str = "tenant_id = ?1 AND connector = ?2 AND account = ?3 AND span = ?4";
    let now = tx.now();
    let ends = Timestamp::from_millis(now.millis() + window.length_ms);
    tx.exec(
        "INSERT INTO integration_budgets (tenant_id, connector, account, span, allowed, used, resets_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6) \
         ON CONFLICT (tenant_id, connector, account, span) DO NOTHING",
        &key(of, window, &[window.allowed.into(), ends.into()]),
    )?;
    let over = format!("UPDATE integration_budgets SET used = 0, resets_at = ?5 WHERE {WHERE} AND resets_at <= ?6");
    tx.exec(&over, &key(of, window, &[ends.into(), now.into()]))?;
    if let (Some(told), Some(used)) = (window.heard(now), window.used_at_least(now)) {
        let sql = format!(
            "UPDATE integration_budgets SET allowed = ?5, used = CASE WHEN used < ?6 THEN ?6 ELSE used END, \
             resets_at = COALESCE(CAST(?7 AS BIGINT), resets_at) WHERE {WHERE}"
        );
        let resets = told.resets.filter(|resets| *resets > now);
        tx.exec(&sql, &key(of, window, &[window.allowed.into(), used.into(), resets.into()]))?;
    }
    for part in [window.part(cost), cost] {
        let sql = format!("UPDATE integration_budgets SET used = used + ?5 WHERE {WHERE} AND used + ?5 <= allowed RETURNING resets_at");
        if let Some(ends) = tx.query_opt(&sql, &key(of, window, &[part.into()]), |row| row.get(0))? {
            return Ok(Part::Taken(part, ends));
        }
    }
    let sql = format!("SELECT resets_at FROM integration_budgets WHERE {WHERE}");
    tx.query_one(&sql, &key(of, window, &[]), |row| row.get(0)).map(Part::Empty)
}

/// The vendor says that there is more than the row does: its window began anew earlier than ours.
pub(super) fn believe(tx: &mut Tx<'_>, of: &Key, window: &Window) -> Result<()> {
    let now = tx.now();
    let Some(used) = window.used_at_least(now) else { return Ok(()) };
    let sql =
        "UPDATE integration_budgets SET used = ?5 WHERE tenant_id = ?1 AND connector = ?2 AND account = ?3 AND span = ?4 AND used > ?5";
    tx.exec(sql, &key(of, window, &[used.into()])).map(drop)
}
