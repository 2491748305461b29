//! Every statement on `expunges`.

use kernel::{Error, ExpungeId, Result, TenantId, Timestamp};
use store::{Row, Tx};

use super::{Expunge, Phase, Progress, Selector, context};

const COLUMNS: &str = "id, kind, dry_run, state, examined, matched, deliveries, created_at, finished_at, held, calls, records";

fn read(row: &Row<'_>) -> Result<Expunge> {
    let state = if row.get::<String>(3)? == "done" { Progress::Done } else { Progress::Running };
    Ok(Expunge {
        id: row.get(0)?,
        kind: row.get(1)?,
        dry_run: row.get::<i64>(2)? != 0,
        state,
        examined: row.get(4)?,
        matched: row.get(5)?,
        deliveries: row.get(6)?,
        created_at: row.get(7)?,
        finished_at: row.get(8)?,
        quarantined_events: row.get(9)?,
        calls: row.get(10)?,
        records: row.get(11)?,
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, tenant: TenantId, selector: &Selector, dry_run: bool, with_records: bool) -> Result<Expunge> {
    let (id, now) = (tx.ambient().id::<ExpungeId>(), tx.now());
    let sealed = tx.sealer().seal(&context(id), &serde_json::to_vec(selector).map_err(Error::internal)?)?;
    // An event is found by its time; a subject may be in any.
    let from = if let Selector::Event { at, .. } = selector { *at } else { Timestamp::default() };
    let until = if let Selector::Event { at, .. } = selector { at.plus(std::time::Duration::from_millis(1)) } else { now };
    let until = until.max(now.plus(std::time::Duration::from_millis(1)));
    tx.exec(
        "INSERT INTO expunges (id, tenant_id, kind, dry_run, selector, state, reached_at, reached_id, until_at, examined, matched, deliveries, created_at, \
         with_records) VALUES (?1, ?2, ?3, ?4, ?5, 'running', ?6, '', ?7, 0, 0, 0, ?8, ?9)",
        &[
            id.into(),
            tenant.into(),
            selector.kind().into(),
            dry_run.into(),
            sealed.into(),
            from.into(),
            until.into(),
            now.into(),
            with_records.into(),
        ],
    )?;
    get(tx, tenant, id)?.ok_or_else(|| Error::internal("a new expunge cannot be found"))
}

pub(super) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: ExpungeId) -> Result<Option<Expunge>> {
    let sql = format!("SELECT {COLUMNS} FROM expunges WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// A run that is to go on.
pub(super) struct Open {
    pub(super) id: ExpungeId,
    pub(super) tenant: TenantId,
    pub(super) selector: Selector,
    pub(super) dry_run: bool,
    pub(super) reached: (Timestamp, String),
    pub(super) until: Timestamp,
    pub(super) phase: Phase,
    pub(super) with_records: bool,
}

/// Any tenant's oldest run that has not ended.
pub(super) fn next(tx: &mut Tx<'_>) -> Result<Option<Open>> {
    let sealer = tx.sealer().clone();
    let sql = "SELECT id, tenant_id, selector, dry_run, reached_at, reached_id, until_at, phase, with_records FROM expunges WHERE state = 'running' ORDER BY id LIMIT 1";
    tx.query_opt(sql, &[], |row| {
        let id: ExpungeId = row.get(0)?;
        let plain = sealer.open(&context(id), &row.get::<Vec<u8>>(2)?)?;
        let selector = serde_json::from_slice(&plain).map_err(Error::internal)?;
        let (dry_run, reached) = (row.get::<i64>(3)? != 0, (row.get(4)?, row.get(5)?));
        let name: String = row.get(7)?;
        let phase =
            Phase::ALL.into_iter().find(|phase| phase.name() == name).ok_or_else(|| Error::internal("an expunge is in no phase"))?;
        Ok(Open { id, tenant: row.get(1)?, selector, dry_run, reached, until: row.get(6)?, phase, with_records: row.get(8)? })
    })
}

/// Adds a page to a run that stood at `from`; false: somebody else did.
pub(super) fn advance(tx: &mut Tx<'_>, run: &Open, to: &(Timestamp, String), counts: [u64; 3]) -> Result<bool> {
    let [examined, matched, deliveries] = counts;
    let changed = tx.exec(
        "UPDATE expunges SET reached_at = ?3, reached_id = ?4, examined = examined + ?5, matched = matched + ?6, deliveries = deliveries + ?7 \
         WHERE tenant_id = ?1 AND id = ?2 AND reached_at = ?8 AND reached_id = ?9 AND state = 'running'",
        &[
            run.tenant.into(),
            run.id.into(),
            to.0.into(),
            to.1.as_str().into(),
            examined.into(),
            matched.into(),
            deliveries.into(),
            run.reached.0.into(),
            run.reached.1.as_str().into(),
        ],
    )?;
    Ok(changed == 1)
}

/// Adds a look at something else than events to a run that stood at `from`. `last`: how far it came; none: on to the next phase.
pub(super) fn look(tx: &mut Tx<'_>, run: &Open, last: Option<&str>, found: u64) -> Result<()> {
    let column = run.phase.name();
    let (phase, place) = last.map_or_else(|| (run.phase.next().name(), ""), |last| (column, last));
    let sql = format!(
        "UPDATE expunges SET phase = ?3, reached_id = ?4, {column} = {column} + ?5 \
         WHERE tenant_id = ?1 AND id = ?2 AND phase = ?6 AND reached_id = ?7 AND state = 'running'"
    );
    let reached = run.reached.1.as_str();
    tx.exec(&sql, &[run.tenant.into(), run.id.into(), phase.into(), place.into(), found.into(), column.into(), reached.into()]).map(drop)
}

/// Goes on to the next phase.
pub(super) fn turn(tx: &mut Tx<'_>, run: &Open) -> Result<()> {
    let sql = "UPDATE expunges SET phase = ?3, reached_id = '' WHERE tenant_id = ?1 AND id = ?2 AND phase = ?4 AND state = 'running'";
    tx.exec(sql, &[run.tenant.into(), run.id.into(), run.phase.next().name().into(), run.phase.name().into()]).map(drop)
}

/// Ends a run and forgets what it looked for; false: somebody else did.
pub(super) fn finish(tx: &mut Tx<'_>, run: &Open) -> Result<bool> {
    let now = tx.now();
    let sql =
        "UPDATE expunges SET state = 'done', selector = NULL, finished_at = ?3 WHERE tenant_id = ?1 AND id = ?2 AND state = 'running'";
    Ok(tx.exec(sql, &[run.tenant.into(), run.id.into(), now.into()])? == 1)
}

/// Deletes some of a tenant's runs that ended before `before`; answers how many.
pub(crate) fn delete_old(tx: &mut Tx<'_>, tenant: TenantId, before: Timestamp, limit: u32) -> Result<u64> {
    let sql = "DELETE FROM expunges WHERE tenant_id = ?1 AND id IN \
               (SELECT id FROM expunges WHERE tenant_id = ?1 AND state = 'done' AND finished_at < ?2 LIMIT ?3)";
    tx.exec(sql, &[tenant.into(), before.into(), limit.into()])
}
