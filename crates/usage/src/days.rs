//! Where a day's blocks of calls stand. On PostgreSQL `request_blocks` is partitioned by day. SQLite has no partitions, so each day has a table
//! of its own there, `request_blocks_YYYYMMDD`: old days are dropped as a whole on both engines (`store::Store::partitions`). Who reads asks
//! [`tables`] where to look.

use kernel::{Result, Timestamp};
use store::{Dialect, Engine, Tx, Value};

use crate::blocks::COLUMNS;

const TABLE: &str = "request_blocks";
/// A day in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// The days that have a table of their own, the newest first.
const KNOWN: Dialect = Dialect {
    sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name > 'request_blocks_' AND name < 'request_blocks`' ORDER BY name DESC",
    postgres: "SELECT CAST('' AS TEXT) WHERE FALSE",
};

/// The first moment of the day of `at`.
pub(crate) fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY_MS) * DAY_MS
}

fn name(day: i64) -> String {
    format!("{TABLE}_{}", Timestamp::from_millis(day).to_string()[..10].replace('-', ""))
}

/// Adds blocks of one day; `values` are whole rows.
pub(crate) fn insert(tx: &mut Tx<'_>, day: i64, values: &[Value]) -> Result<()> {
    let table = match tx.engine() {
        Engine::Postgres => TABLE.to_owned(),
        Engine::Sqlite => {
            let table = name(day);
            make(tx, &table)?;
            table
        }
    };
    insert_into(tx, &table, values)
}

/// The same, where the table is known.
pub(crate) fn insert_into(tx: &mut Tx<'_>, table: &str, values: &[Value]) -> Result<()> {
    let into = format!("INSERT INTO {table} ({}) VALUES", COLUMNS.join(", "));
    tx.insert_rows(&into, COLUMNS.len(), values, "").map(drop)
}

/// SQLite's table of a day, as the migrations make the whole table on PostgreSQL.
fn make(tx: &mut Tx<'_>, table: &str) -> Result<()> {
    let form = |name: &&str| match *name {
        "id" | "tenant_id" => "TEXT",
        "packed" => "BYTEA",
        _ => "BIGINT",
    };
    let columns: Vec<String> = COLUMNS.iter().map(|name| format!("{name} {} NOT NULL", form(name))).collect();
    tx.exec(&format!("CREATE TABLE IF NOT EXISTS {table} ({})", columns.join(", ")), &[])?;
    tx.exec(&format!("CREATE INDEX IF NOT EXISTS {table}_by_tenant ON {table} (tenant_id, at, id)"), &[])?;
    tx.exec(&format!("CREATE INDEX IF NOT EXISTS {table}_loose ON {table} (at) WHERE is_loose = 1"), &[]).map(drop)
}

/// The tables that hold calls of this time: first the one that may hold calls of any day, then those of one day each, the newest first.
pub(crate) fn tables(tx: &mut Tx<'_>, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Vec<String>> {
    let (first, last) = (from.map(|at| name(day_of(at.millis()))), to.map(|at| name(day_of(at.millis()))));
    let days: Vec<String> = tx.query(KNOWN, &[], |row| row.get(0))?;
    let wanted = |day: &String| first.as_ref().is_none_or(|first| day >= first) && last.as_ref().is_none_or(|last| day <= last);
    Ok(std::iter::once(TABLE.to_owned()).chain(days.into_iter().filter(wanted)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_table_is_named_after_it() {
        let at = Timestamp::parse("2026-03-01T23:59:59.999Z").unwrap();
        assert_eq!(name(day_of(at.millis())), "request_blocks_20260301");
        assert_eq!(day_of(-1), -DAY_MS);
    }
}
