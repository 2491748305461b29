//! What is needed to get rid of data: whole days of tables that are kept by day, and the bytes that SQLite leaves behind.
//!
//! On PostgreSQL the days are partitions. SQLite has none; a feature may keep tables `<table>_YYYYMMDD` in the log file itself.

use std::path::Path;
use std::time::Duration;

use kernel::{Error, Result, Scope, Timestamp};

use crate::error::from_sqlite;
use crate::store::on_own_thread;
use crate::{Dialect, Engine, Store, Tx};

/// SQLite files up to this size are written anew by [`Store::scrub`]; that holds the writer for about a second.
const SMALL: u64 = 64 * 1024 * 1024;

const PARTITIONS: Dialect = Dialect {
    sqlite: "SELECT name FROM sqlite_master WHERE type = 'table' AND name > ?1 || '_' AND name < ?1 || '`' ORDER BY name",
    postgres: "SELECT c.relname FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent \
               JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN partitioned_tables t ON t.name = p.relname \
               WHERE p.relname = ?1 AND c.relname <> p.relname || '_default' ORDER BY c.relname",
};

/// Both turn it on; PostgreSQL has nothing to turn on.
const OVERWRITE: Dialect = Dialect { sqlite: "PRAGMA secure_delete = ON", postgres: "SELECT CAST(1 AS BIGINT)" };
const DO_NOT: Dialect = Dialect { sqlite: "PRAGMA secure_delete = OFF", postgres: "SELECT CAST(0 AS BIGINT)" };

/// One day of a partitioned table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    name: String,
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

impl Partition {
    fn read(table: &str, name: String) -> Option<Self> {
        let day = name.strip_prefix(table)?.strip_prefix('_').filter(|day| day.len() == 8)?;
        let text = format!("{}-{}-{}T00:00:00Z", day.get(..4)?, day.get(4..6)?, day.get(6..8)?);
        let from = Timestamp::parse(&text).ok()?;
        Some(Self { name, from, to: from.plus(Duration::from_hours(24)) })
    }
}

impl Store {
    /// The days that a table has, the oldest first. None for the rows outside of every day, and on SQLite none for a table whose feature does
    /// not keep days apart.
    pub async fn partitions(&self, table: &'static str) -> Result<Vec<Partition>> {
        let names =
            self.logs().read(Scope::system("store"), move |tx| tx.query(PARTITIONS, &[table.into()], |row| row.get::<String>(0))).await?;
        Ok(names.into_iter().filter_map(|name| Partition::read(table, name)).collect())
    }

    /// Drops one day. On PostgreSQL it waits a second at most for those who read it, then gives up: nobody is to wait behind it.
    ///
    /// Error: 503 when it is in use; it is to be tried again later.
    pub async fn drop_partition(&self, partition: &Partition) -> Result<()> {
        let name = partition.name.clone();
        if self.engine() == Engine::Sqlite {
            let drop = move |tx: &mut Tx<'_>| tx.exec(&format!("DROP TABLE IF EXISTS {name}"), &[]);
            return self.logs().write(Scope::system("store"), drop).await.map(|_| ());
        }
        self.as_owner(move |owner| owner.batch(&format!("SET lock_timeout = '1s'; DROP TABLE IF EXISTS {name}"))).await
    }

    /// Removes what SQLite's files still hold of erased rows: small files are written anew, of large ones the write-ahead log is emptied (their
    /// erased rows were overwritten when [`Tx::overwriting`] erased them). Nothing on PostgreSQL, where VACUUM does it.
    pub async fn scrub(&self) -> Result<()> {
        let Some(dir) = self.sqlite_directory() else { return Ok(()) };
        on_own_thread(move || ["tradewind.db", "tradewind-logs.db"].iter().try_for_each(|file| scrub(&dir.join(file)))).await
    }
}

fn scrub(path: &Path) -> Result<()> {
    let size = std::fs::metadata(path).map_err(Error::internal)?.len();
    let file = rusqlite::Connection::open(path).map_err(from_sqlite)?;
    file.busy_timeout(Duration::from_secs(10)).map_err(from_sqlite)?;
    if size <= SMALL {
        file.execute_batch("VACUUM").map_err(from_sqlite)?;
    }
    // Answers a row, and is content with less if somebody reads: the next one does the rest.
    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(from_sqlite)
}

impl Tx<'_> {
    /// Runs `function` so that SQLite overwrites what it deletes.
    pub fn overwriting<T>(&mut self, function: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.query(OVERWRITE, &[], |row| row.get::<i64>(0))?;
        let done = function(self)?;
        self.query(DO_NOT, &[], |row| row.get::<i64>(0))?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_tells_its_day() {
        let day = Partition::read("events", "events_20260301".into()).unwrap();
        assert_eq!((day.from.to_string(), day.to.to_string()), ("2026-03-01T00:00:00.000Z".into(), "2026-03-02T00:00:00.000Z".into()));
        assert_eq!(Partition::read("events", "events_default".into()), None);
        assert_eq!(Partition::read("events", "eventsx_20260301".into()), None);
    }
}
