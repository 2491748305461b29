//! Statements on `sync_hints`.

use kernel::Result;
use store::{Row, Tx, Value};

use super::{Of, Trouble, change_among};

/// A vendor's record that is worth a look.
#[derive(Clone, Debug)]
pub(crate) struct Hint {
    pub(crate) remote: String,
    pub(crate) version: i64,
    pub(crate) merged_into: Option<String>,
    pub(crate) attempts: i64,
}

/// Why a look is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Changed,
    Deleted,
    Merged,
}

impl Kind {
    fn text(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Deleted => "deleted",
            Self::Merged => "merged",
        }
    }
}

/// Adds hints; one that is there already is due now, and is looked at again if it is under way.
pub(crate) fn add<'a>(tx: &mut Tx<'_>, of: Of, hints: impl Iterator<Item = (&'a str, Kind, Option<&'a str>)>) -> Result<()> {
    let now = tx.now();
    let mut rows: Vec<Value> = Vec::new();
    for (remote, kind, merged) in hints {
        let merged = merged.map(str::to_owned);
        rows.extend([
            of.tenant.into(),
            of.sync.into(),
            remote.into(),
            1_i64.into(),
            kind.text().into(),
            merged.into(),
            now.into(),
            now.into(),
            0_i64.into(),
            0_i64.into(),
        ]);
    }
    let into = "INSERT INTO sync_hints (tenant_id, sync_id, remote_id, version, kind, merged_into, since, due_at, attempts, gone) VALUES";
    let again = "ON CONFLICT (tenant_id, sync_id, remote_id) DO UPDATE SET version = sync_hints.version + 1, due_at = excluded.due_at, \
                 kind = excluded.kind, merged_into = COALESCE(excluded.merged_into, sync_hints.merged_into), gone = 0";
    tx.insert_rows(into, 10, &rows, again).map(drop)
}

/// Those whose time has come. `gone`: those of which a look has shown that they are no longer there.
pub(crate) fn due(tx: &mut Tx<'_>, of: Of, gone: bool, limit: u32) -> Result<Vec<Hint>> {
    let now = tx.now();
    let sql = "SELECT remote_id, version, merged_into, attempts FROM sync_hints WHERE tenant_id = ?1 AND sync_id = ?2 AND gone = ?3 \
               AND due_at <= ?4 ORDER BY due_at, remote_id LIMIT ?5";
    let read = |row: &Row<'_>| Ok(Hint { remote: row.get(0)?, version: row.get(1)?, merged_into: row.get(2)?, attempts: row.get(3)? });
    tx.query(sql, &[of.tenant.into(), of.sync.into(), gone.into(), now.into(), limit.into()], read)
}

/// They are done, unless there was news since.
pub(crate) fn done(tx: &mut Tx<'_>, of: Of, hints: &[Hint]) -> Result<()> {
    let sql = "DELETE FROM sync_hints WHERE tenant_id = ?1 AND sync_id = ?2 AND remote_id = ?3 AND version = ?4";
    hints
        .iter()
        .try_for_each(|hint| tx.exec(sql, &[of.tenant.into(), of.sync.into(), hint.remote.as_str().into(), hint.version.into()]).map(drop))
}

/// A look has shown that it is not there.
pub(crate) fn found_gone(tx: &mut Tx<'_>, of: Of, hint: &Hint, merged_into: Option<&str>) -> Result<()> {
    let sql = "UPDATE sync_hints SET gone = 1, merged_into = COALESCE(?5, merged_into) WHERE tenant_id = ?1 AND sync_id = ?2 AND remote_id = ?3 \
               AND version = ?4";
    let merged = merged_into.map(str::to_owned);
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), hint.remote.as_str().into(), hint.version.into(), merged.into()]).map(drop)
}

/// It could not be stored here, and is tried again later. `attempts`: how often it was tried.
pub(crate) fn failed(tx: &mut Tx<'_>, of: Of, remote: &str, attempts: i64, trouble: &Trouble) -> Result<()> {
    let now = tx.now();
    let due = now.plus(trouble.wait(attempts));
    tx.exec(
        "INSERT INTO sync_hints (tenant_id, sync_id, remote_id, version, kind, since, due_at, attempts, gone, code, message, field) \
         VALUES (?1, ?2, ?3, 1, 'changed', ?4, ?5, 1, 0, ?6, ?7, ?8) ON CONFLICT (tenant_id, sync_id, remote_id) DO UPDATE \
         SET due_at = excluded.due_at, attempts = sync_hints.attempts + 1, code = excluded.code, message = excluded.message, field = excluded.field",
        &[
            of.tenant.into(),
            of.sync.into(),
            remote.into(),
            now.into(),
            due.into(),
            trouble.code.as_str().into(),
            trouble.message.as_str().into(),
            trouble.field.clone().into(),
        ],
    )
    .map(drop)
}

/// How many are verified to be gone there and are linked here.
pub(crate) fn count_gone(tx: &mut Tx<'_>, of: Of) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM sync_hints h WHERE h.tenant_id = ?1 AND h.sync_id = ?2 AND h.gone = 1 AND EXISTS (SELECT 1 FROM sync_links l \
               WHERE l.tenant_id = h.tenant_id AND l.sync_id = h.sync_id AND l.remote_id = h.remote_id AND l.unlinked = 0)";
    tx.query_one(sql, &[of.tenant.into(), of.sync.into()], |row| row.get(0))
}

/// Some of them, for people, with our records.
pub(crate) fn gone(tx: &mut Tx<'_>, of: Of, limit: u32) -> Result<Vec<(String, Option<kernel::RecordId>)>> {
    let sql = "SELECT h.remote_id, l.record_id FROM sync_hints h LEFT JOIN sync_links l ON l.tenant_id = h.tenant_id AND l.sync_id = h.sync_id \
               AND l.remote_id = h.remote_id WHERE h.tenant_id = ?1 AND h.sync_id = ?2 AND h.gone = 1 ORDER BY h.remote_id LIMIT ?3";
    tx.query(sql, &[of.tenant.into(), of.sync.into(), limit.into()], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Forgets those that are gone, and answers them.
pub(crate) fn drop_gone(tx: &mut Tx<'_>, of: Of) -> Result<Vec<String>> {
    let sql = "DELETE FROM sync_hints WHERE tenant_id = ?1 AND sync_id = ?2 AND gone = 1 RETURNING remote_id";
    tx.query(sql, &[of.tenant.into(), of.sync.into()], |row| row.get(0))
}

/// Makes them due now: all that failed, or these.
pub(crate) fn retry(tx: &mut Tx<'_>, of: Of, only: Option<&[String]>) -> Result<u64> {
    let now = tx.now();
    match only {
        None => tx.exec(
            "UPDATE sync_hints SET due_at = ?3 WHERE tenant_id = ?1 AND sync_id = ?2 AND code IS NOT NULL",
            &[of.tenant.into(), of.sync.into(), now.into()],
        ),
        Some(remotes) => {
            let head = "UPDATE sync_hints SET due_at = ?3 WHERE tenant_id = ?1 AND sync_id = ?2 AND remote_id IN";
            change_among(tx, of, head, &[now.into()], remotes.iter().cloned())
        }
    }
}

/// Forgets these.
pub(crate) fn forget(tx: &mut Tx<'_>, of: Of, remotes: impl Iterator<Item = String>) -> Result<u64> {
    change_among(tx, of, "DELETE FROM sync_hints WHERE tenant_id = ?1 AND sync_id = ?2 AND remote_id IN", &[], remotes)
}
