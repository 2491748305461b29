//! Every statement on `subscriptions`.

use dispatch::State;
use kernel::{ClientId, DestinationId, Error, Result, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Tx, Value};

use super::Row;
use crate::index::Listener;

const COLUMNS: &str =
    "id, client_id, name, description, events, channels, filter, retry_config, state, created_at, updated_at, tenant_id, ordering_path";

fn read(row: &store::Row<'_>) -> Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        client: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        events: parse(&row.get::<String>(4)?)?,
        channels: parse(&row.get::<String>(5)?)?,
        filter: row.get(6)?,
        retry_config: row.get::<Option<String>>(7)?.map(|text| parse(&text)).transpose()?,
        state: state(&row.get::<String>(8)?)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
        ordering_path: row.get(12)?,
    })
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(Error::internal)
}

fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    serde_json::to_string(value).map(Value::Text).map_err(Error::internal)
}

fn state(text: &str) -> Result<State> {
    let all = [State::Enabled, State::Paused, State::Disabled];
    all.into_iter().find(|state| state.as_str() == text).ok_or_else(|| Error::internal(format!("unknown subscription state {text:?}")))
}

fn changeable(row: &Row) -> Result<[Value; 8]> {
    Ok([
        row.name.clone().into(),
        row.description.clone().into(),
        json(&row.events)?,
        json(&row.channels)?,
        row.filter.as_ref().into(),
        row.retry_config.as_ref().map(json).transpose()?.into(),
        row.updated_at.into(),
        row.ordering_path.clone().into(),
    ])
}

pub(crate) fn insert(tx: &mut Tx<'_>, tenant: TenantId, row: &Row) -> Result<()> {
    let mut values: Vec<Value> = vec![tenant.into(), row.id.into()];
    values.extend(changeable(row)?);
    values.extend([row.client.into(), row.state.as_str().into(), row.created_at.into()]);
    tx.exec(
        "INSERT INTO subscriptions (tenant_id, id, name, description, events, channels, filter, retry_config, updated_at, ordering_path, client_id, state, \
         created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &values,
    )?;
    Ok(())
}

pub(crate) fn update(tx: &mut Tx<'_>, tenant: TenantId, row: &Row) -> Result<()> {
    let mut values: Vec<Value> = vec![tenant.into(), row.id.into()];
    values.extend(changeable(row)?);
    tx.exec(
        "UPDATE subscriptions SET name = ?3, description = ?4, events = ?5, channels = ?6, filter = ?7, retry_config = ?8, updated_at = ?9, \
         ordering_path = ?10 WHERE tenant_id = ?1 AND id = ?2",
        &values,
    )?;
    Ok(())
}

/// Notes the destination's state; answers how many rows that changed.
pub(crate) fn set_state(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId, state: State) -> Result<u64> {
    tx.exec(
        "UPDATE subscriptions SET state = ?3 WHERE tenant_id = ?1 AND id = ?2 AND state <> ?3",
        &[tenant.into(), id.into(), state.as_str().into()],
    )
}

pub(crate) fn get(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId) -> Result<Option<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE tenant_id = ?1 AND id = ?2");
    tx.query_opt(&sql, &[tenant.into(), id.into()], read)
}

/// Any tenant's, with its tenant: for the index, which holds all of them.
pub(crate) fn find(tx: &mut Tx<'_>, id: DestinationId) -> Result<Option<(TenantId, Row)>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE id = ?1");
    tx.query_opt(&sql, &[id.into()], |row| Ok((row.get(11)?, read(row)?)))
}

/// Every tenant's that are not disabled: for the index.
pub(crate) fn listeners(tx: &mut Tx<'_>) -> Result<Vec<(TenantId, Listener)>> {
    let sql = format!("SELECT {COLUMNS} FROM subscriptions WHERE state <> 'disabled'");
    tx.query(&sql, &[], |row| Ok((row.get(11)?, Listener::of(&read(row)?)?)))
}

/// The newest first, after `before`.
pub(crate) fn list(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId, before: &str, limit: u32, offset: u64) -> Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM subscriptions WHERE tenant_id = ?1 AND client_id = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4 OFFSET ?5"
    );
    tx.query(&sql, &[tenant.into(), client.into(), before.into(), limit.into(), offset.into()], read)
}

pub(crate) fn count(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<u64> {
    let sql = "SELECT COUNT(*) FROM subscriptions WHERE tenant_id = ?1 AND client_id = ?2";
    tx.query_one(sql, &[tenant.into(), client.into()], |row| row.get(0))
}

/// The ids of a client's subscriptions, or of a whole tenant's.
pub(crate) fn ids(tx: &mut Tx<'_>, tenant: TenantId, client: Option<ClientId>) -> Result<Vec<DestinationId>> {
    let sql = "SELECT id FROM subscriptions WHERE tenant_id = ?1 AND (CAST(?2 AS TEXT) IS NULL OR client_id = ?2)";
    tx.query(sql, &[tenant.into(), client.into()], |row| row.get(0))
}

pub(crate) fn delete(tx: &mut Tx<'_>, tenant: TenantId, id: DestinationId) -> Result<u64> {
    tx.exec("DELETE FROM subscriptions WHERE tenant_id = ?1 AND id = ?2", &[tenant.into(), id.into()])
}
