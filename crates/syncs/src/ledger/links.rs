//! Statements on `sync_links`.

use std::collections::HashMap;

use kernel::{RecordId, Result, Timestamp};
use serde_json::{Map, Value as Json};
use store::{Row, Tx, Value};

use super::{Of, among, change_among};

/// Our record and the vendor's that belong together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) record: RecordId,
    pub(crate) remote: String,
    /// Our values when both agreed; a field that never was is absent.
    pub(crate) agreed_local: Map<String, Json>,
    /// The vendor's, in its own words.
    pub(crate) agreed_remote: Map<String, Json>,
    /// When the vendor last changed it, as far as we know.
    pub(crate) remote_at: Option<Timestamp>,
    /// Our record's revision when it was last looked at.
    pub(crate) revision: i64,
    /// Who wrote last: `local` (we wrote to the vendor) or `remote`.
    pub(crate) writer: &'static str,
    /// When we last wrote to the vendor.
    pub(crate) wrote_at: Option<Timestamp>,
    /// The number of the last full run that met it.
    pub(crate) seen: i64,
    /// They were together and go their own ways.
    pub(crate) unlinked: bool,
}

const COLUMNS: &str = "record_id, remote_id, agreed_local, agreed_remote, remote_at, revision, writer, wrote_at, seen, unlinked";

fn read(row: &Row<'_>) -> Result<Link> {
    let map = |index| -> Result<Map<String, Json>> { serde_json::from_str(&row.get::<String>(index)?).map_err(kernel::Error::internal) };
    Ok(Link {
        record: row.get(0)?,
        remote: row.get(1)?,
        agreed_local: map(2)?,
        agreed_remote: map(3)?,
        remote_at: row.get(4)?,
        revision: row.get(5)?,
        writer: if row.get::<String>(6)? == "local" { "local" } else { "remote" },
        wrote_at: row.get(7)?,
        seen: row.get(8)?,
        unlinked: row.get(9)?,
    })
}

/// Those of these vendor's records that are linked.
pub(crate) fn by_remote(tx: &mut Tx<'_>, of: Of, ids: impl Iterator<Item = String>) -> Result<HashMap<String, Link>> {
    let head = format!("SELECT {COLUMNS} FROM sync_links WHERE tenant_id = ?1 AND sync_id = ?2 AND remote_id IN");
    Ok(among(tx, of, &head, ids, read)?.into_iter().map(|link| (link.remote.clone(), link)).collect())
}

/// Those of these records of ours that are linked.
pub(crate) fn by_record(tx: &mut Tx<'_>, of: Of, ids: impl Iterator<Item = RecordId>) -> Result<HashMap<RecordId, Link>> {
    let head = format!("SELECT {COLUMNS} FROM sync_links WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id IN");
    Ok(among(tx, of, &head, ids.map(|id| id.to_string()), read)?.into_iter().map(|link| (link.record, link)).collect())
}

/// Stores links, new and changed ones.
pub(crate) fn put(tx: &mut Tx<'_>, of: Of, links: &[Link]) -> Result<()> {
    let text = |map: &Map<String, Json>| serde_json::to_string(map).map_err(kernel::Error::internal);
    let mut rows: Vec<Value> = Vec::with_capacity(links.len() * 12);
    for link in links {
        rows.extend([
            of.tenant.into(),
            of.sync.into(),
            link.record.into(),
            link.remote.as_str().into(),
            text(&link.agreed_local)?.into(),
            text(&link.agreed_remote)?.into(),
            link.remote_at.into(),
            link.revision.into(),
            link.writer.into(),
            link.wrote_at.into(),
            link.seen.into(),
            link.unlinked.into(),
        ]);
    }
    let into = "INSERT INTO sync_links (tenant_id, sync_id, record_id, remote_id, agreed_local, agreed_remote, remote_at, revision, writer, \
                wrote_at, seen, unlinked) VALUES";
    let update = "ON CONFLICT (tenant_id, sync_id, record_id) DO UPDATE SET remote_id = excluded.remote_id, agreed_local = excluded.agreed_local, \
                  agreed_remote = excluded.agreed_remote, remote_at = excluded.remote_at, revision = excluded.revision, writer = excluded.writer, \
                  wrote_at = excluded.wrote_at, seen = excluded.seen, unlinked = excluded.unlinked";
    tx.insert_rows(into, 12, &rows, update).map(drop)
}

/// Says that a full run has met them.
pub(crate) fn mark_seen(tx: &mut Tx<'_>, of: Of, run: i64, remotes: impl Iterator<Item = String>) -> Result<()> {
    let head = "UPDATE sync_links SET seen = ?3 WHERE tenant_id = ?1 AND sync_id = ?2 AND remote_id IN";
    change_among(tx, of, head, &[run.into()], remotes).map(drop)
}

/// Forgets links.
pub(crate) fn delete(tx: &mut Tx<'_>, of: Of, records: impl Iterator<Item = RecordId>) -> Result<()> {
    let head = "DELETE FROM sync_links WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id IN";
    change_among(tx, of, head, &[], records.map(|id| id.to_string())).map(drop)
}

/// Lets the two go their own ways.
pub(crate) fn unlink(tx: &mut Tx<'_>, of: Of, record: RecordId) -> Result<()> {
    let sql = "UPDATE sync_links SET unlinked = 1 WHERE tenant_id = ?1 AND sync_id = ?2 AND record_id = ?3";
    tx.exec(sql, &[of.tenant.into(), of.sync.into(), record.into()]).map(drop)
}

/// How many are together.
pub(crate) fn count(tx: &mut Tx<'_>, of: Of) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM sync_links WHERE tenant_id = ?1 AND sync_id = ?2 AND unlinked = 0";
    tx.query_one(sql, &[of.tenant.into(), of.sync.into()], |row| row.get(0))
}

/// The vendor's records that are linked.
pub(crate) fn remotes(tx: &mut Tx<'_>, of: Of) -> Result<Vec<String>> {
    let sql = "SELECT remote_id FROM sync_links WHERE tenant_id = ?1 AND sync_id = ?2 AND unlinked = 0 ORDER BY remote_id";
    tx.query(sql, &[of.tenant.into(), of.sync.into()], |row| row.get(0))
}

/// Those that a full run has not met become hints: a look will tell. Answers how many.
pub(crate) fn hint_unseen(tx: &mut Tx<'_>, of: Of, run: i64) -> Result<u64> {
    let now = tx.now();
    tx.exec(
        "INSERT INTO sync_hints (tenant_id, sync_id, remote_id, version, kind, since, due_at, attempts, gone) \
         SELECT tenant_id, sync_id, remote_id, 1, 'missing', CAST(?4 AS BIGINT), CAST(?4 AS BIGINT), 0, 0 FROM sync_links \
         WHERE tenant_id = ?1 AND sync_id = ?2 AND seen < ?3 AND unlinked = 0 \
         ON CONFLICT (tenant_id, sync_id, remote_id) DO NOTHING",
        &[of.tenant.into(), of.sync.into(), run.into(), now.into()],
    )
}
