//! The order in which readers see events.
//!
//! `created_at` is taken before the commit, so a reader that remembered the last `created_at` would skip whatever commits later with an earlier
//! one. Readers follow **groups** instead: a group is what one transaction accepted for one tenant, and its number, `seq`, is given inside
//! that transaction.
//!
//! * SQLite has one writer: numbers are given in the order of the commits. A number is the tenant's last one plus one, and at least the time in
//!   1/1024 ms, so that it does not go back when retention has removed the last one.
//! * PostgreSQL has many writers: the number is the transaction's id. Readers stop below the oldest transaction that still runs
//!   (`pg_snapshot_xmin`): everything below it has ended and is visible or never will be. Nobody waits for anybody; a long transaction
//!   holds readers back, it does not make them skip. Ids begin again when data is restored into another cluster, so `event_clock` has a
//!   number that is added to them ([`settle_clock`]).
//!
//! A group costs its publisher one row, whatever the number of its events.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use kernel::{Event, EventId, Result, TenantId, Timestamp};
use store::{Dialect, Statement as _, Tx, Value};

/// Groups per statement.
const CHUNKS: [usize; 3] = [32, 8, 1];
const DAY_MS: i64 = 86_400_000;

const INSERT: Dialect = Dialect {
    sqlite: "INSERT INTO event_groups (tenant_id, seq, event_id, created_at, first_at, last_at, events) \
             SELECT v.tenant_id, MAX(COALESCE((SELECT MAX(g.seq) FROM event_groups g WHERE g.tenant_id = v.tenant_id), 0) + 1, ?2 * 1024), \
             v.event_id, ?1, v.first_at, v.last_at, v.events FROM v WHERE true RETURNING tenant_id, seq",
    postgres: "INSERT INTO event_groups (tenant_id, seq, event_id, created_at, first_at, last_at, events) \
               SELECT v.tenant_id, CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT) + c.value, v.event_id, CAST(?1 AS BIGINT), v.first_at, \
               v.last_at, v.events FROM v CROSS JOIN event_clock c WHERE CAST(?2 AS BIGINT) > 0 ON CONFLICT (tenant_id, seq, event_id, created_at) DO UPDATE SET \
               first_at = LEAST(event_groups.first_at, EXCLUDED.first_at), last_at = GREATEST(event_groups.last_at, EXCLUDED.last_at), \
               events = event_groups.events + EXCLUDED.events RETURNING tenant_id, seq",
};

/// One group, before it has its number.
struct Fresh<'a> {
    event_id: &'a str,
    first_at: Timestamp,
    last_at: Timestamp,
    events: i64,
}

/// Opens the groups of events that this transaction accepts; answers their numbers by tenant.
pub(crate) fn open(tx: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<BTreeMap<TenantId, i64>> {
    let mut fresh: BTreeMap<TenantId, Fresh<'_>> = BTreeMap::new();
    for event in events {
        let at = event.created_at;
        let group = fresh.entry(event.tenant).or_insert(Fresh { event_id: "", first_at: at, last_at: at, events: 0 });
        group.first_at = group.first_at.min(at);
        group.last_at = group.last_at.max(at);
        group.events += 1;
    }
    insert(tx, &fresh.into_iter().collect::<Vec<_>>())
}

/// The topic of notices that an event is announced again; the key is the tenant.
pub(crate) const AGAIN: &str = "event_again";

/// Shows an event of the past to readers (poll, stream, `tradewind listen`) once more, in the transaction of its replay. `created_at`: when
/// it was accepted, which is part of its key.
pub fn announce_again(tx: &mut Tx<'_>, tenant: TenantId, id: &EventId, created_at: Timestamp) -> Result<()> {
    tx.notify(AGAIN, tenant);
    let group = Fresh { event_id: id.as_str(), first_at: created_at, last_at: created_at, events: 1 };
    insert(tx, &[(tenant, group)]).map(drop)
}

fn insert(tx: &mut Tx<'_>, groups: &[(TenantId, Fresh<'_>)]) -> Result<BTreeMap<TenantId, i64>> {
    let (now, tail) = (tx.now(), INSERT.text(tx.engine()));
    // The partition's day, so that a transaction that accepts events twice has one row for both.
    let day = now.millis() - now.millis().rem_euclid(DAY_MS);
    let (mut numbers, mut rest) = (BTreeMap::new(), groups);
    while let Some(size) = CHUNKS.into_iter().find(|size| *size <= rest.len()) {
        let (chunk, more) = rest.split_at(size);
        let mut params: Vec<Value> = vec![day.into(), now.into()];
        for (tenant, group) in chunk {
            params.extend([(*tenant).into(), group.event_id.into(), group.first_at.into(), group.last_at.into(), group.events.into()]);
        }
        let columns = [("tenant_id", "TEXT"), ("event_id", "TEXT"), ("first_at", "BIGINT"), ("last_at", "BIGINT"), ("events", "BIGINT")];
        let sql = format!("WITH {} {tail}", table("v", &columns, size, 2));
        numbers.extend(tx.query(&sql, &params, |row| Ok((row.get::<TenantId>(0)?, row.get::<i64>(1)?)))?);
        rest = more;
    }
    Ok(numbers)
}

/// `name (a, b) AS (VALUES (CAST(?2 AS TEXT), …), …)`: `rows` rows of parameters, the first one after `skip` others.
pub(crate) fn table(name: &str, columns: &[(&str, &str)], rows: usize, skip: usize) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let mut sql = format!("{name} ({}) AS (VALUES ", names.join(", "));
    let mut number = skip;
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for (at, (_, kind)) in columns.iter().enumerate() {
            number += 1;
            // Writing to a String cannot fail.
            let _ = write!(sql, "{}CAST(?{number} AS {kind})", if at == 0 { "" } else { ", " });
        }
        sql.push(')');
    }
    sql.push(')');
    sql
}

/// The cluster's own id, which a restore into another one changes.
const CLUSTER: Dialect = Dialect {
    sqlite: "SELECT cluster, cluster FROM event_clock WHERE id = 1",
    postgres: "SELECT c.cluster, CAST(s.system_identifier AS TEXT) FROM event_clock c CROSS JOIN pg_control_system() s WHERE c.id = 1",
};

const MOVE_CLOCK: Dialect = Dialect {
    sqlite: "UPDATE event_clock SET cluster = ?1 WHERE id = 1",
    postgres: "UPDATE event_clock SET cluster = ?1, value = GREATEST(value, (SELECT COALESCE(MAX(seq), 0) FROM (SELECT MAX(seq) AS seq \
               FROM event_groups UNION ALL SELECT MAX(seq) FROM event_consumers) known) + 1 \
               - CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)) WHERE id = 1",
};

/// Before the first group of a process: if the data has come from another cluster, whose transaction ids were higher, sees to it that new
/// groups get higher numbers than all before.
pub(crate) fn settle_clock(tx: &mut Tx<'_>) -> Result<()> {
    let (known, present) = tx.query_one(CLUSTER, &[], |row| Ok((row.get::<String>(0)?, row.get::<String>(1)?)))?;
    if known != present {
        tx.exec(MOVE_CLOCK, &[present.into()])?;
    }
    Ok(())
}
