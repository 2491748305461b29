//! Every statement on `event_consumers`.

use kernel::{ClientId, Result, TenantId, Timestamp};
use store::{Dialect, Row, Tx};

use super::ConsumerView;
use crate::position::Position;

const ONE: &str = "WHERE tenant_id = ?1 AND owner = ?2 AND name = ?3";

/// Two polls of one consumer at once: the second waits for the first, so that no place is lost. SQLite has one writer.
const LOCK: Dialect = Dialect {
    sqlite: "SELECT seq, place FROM event_consumers WHERE tenant_id = ?1 AND owner = ?2 AND name = ?3",
    postgres: "SELECT seq, place FROM event_consumers WHERE tenant_id = ?1 AND owner = ?2 AND name = ?3 FOR UPDATE",
};

fn place(row: &Row<'_>) -> Result<Position> {
    Position::read(row.get(0)?, &row.get::<String>(1)?)
}

pub(super) fn find(tx: &mut Tx<'_>, tenant: TenantId, owner: &str, name: &str) -> Result<Option<Position>> {
    let sql = format!("SELECT seq, place FROM event_consumers {ONE}");
    tx.query_opt(&sql, &[tenant.into(), owner.into(), name.into()], place)
}

pub(super) fn lock(tx: &mut Tx<'_>, tenant: TenantId, owner: &str, name: &str) -> Result<Option<Position>> {
    tx.query_opt(LOCK, &[tenant.into(), owner.into(), name.into()], place)
}

pub(super) fn count(tx: &mut Tx<'_>, tenant: TenantId, owner: &str) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM event_consumers WHERE tenant_id = ?1 AND owner = ?2";
    tx.query_one(sql, &[tenant.into(), owner.into()], |row| row.get(0))
}

/// Whether it was not there.
pub(super) fn insert(tx: &mut Tx<'_>, tenant: TenantId, owner: &str, name: &str, place: &Position, now: Timestamp) -> Result<bool> {
    let sql = "INSERT INTO event_consumers (tenant_id, owner, name, seq, place, created_at, updated_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING";
    let params = [tenant.into(), owner.into(), name.into(), place.seq.into(), place.place().into(), now.into()];
    Ok(tx.exec(sql, &params)? == 1)
}

pub(super) fn advance(tx: &mut Tx<'_>, tenant: TenantId, owner: &str, name: &str, place: &Position, now: Timestamp) -> Result<()> {
    let sql = format!("UPDATE event_consumers SET seq = ?4, place = ?5, updated_at = ?6 {ONE}");
    tx.exec(&sql, &[tenant.into(), owner.into(), name.into(), place.seq.into(), place.place().into(), now.into()]).map(drop)
}

pub(super) fn list(tx: &mut Tx<'_>, tenant: TenantId, owner: &str) -> Result<Vec<ConsumerView>> {
    let sql = "SELECT seq, place, name, created_at, updated_at FROM event_consumers WHERE tenant_id = ?1 AND owner = ?2 ORDER BY name";
    tx.query(sql, &[tenant.into(), owner.into()], |row| {
        Ok(ConsumerView { name: row.get(2)?, cursor: place(row)?.encode(), created_at: row.get(3)?, updated_at: row.get(4)? })
    })
}

/// Whether it was there.
pub(super) fn delete(tx: &mut Tx<'_>, tenant: TenantId, owner: &str, name: &str) -> Result<bool> {
    let sql = format!("DELETE FROM event_consumers {ONE}");
    Ok(tx.exec(&sql, &[tenant.into(), owner.into(), name.into()])? == 1)
}

pub(crate) fn purge_tenant(tx: &mut Tx<'_>, tenant: TenantId) -> Result<()> {
    tx.exec("DELETE FROM event_consumers WHERE tenant_id = ?1", &[tenant.into()]).map(drop)
}

pub(crate) fn purge_client(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<()> {
    tx.exec("DELETE FROM event_consumers WHERE tenant_id = ?1 AND owner = ?2", &[tenant.into(), client.into()]).map(drop)
}
