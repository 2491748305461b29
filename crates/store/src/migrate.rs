//! Migrations: one DDL text for both engines, run at start under a lock.
//!
//! A migration is plain SQL with statements ended by `;` at the end of a line. Comments before a `CREATE TABLE` say what the table is:
//!
//! * `-- tenant`: it has `tenant_id`; on PostgreSQL row-level security is enabled and forced.
//! * `-- clustered`: on SQLite the rows live in the primary key's own tree: for narrow tables that are found by it.
//! * `-- daily created_at`: on PostgreSQL it is partitioned by day over that column of milliseconds (which must be part of the primary key).
//!
//! On PostgreSQL every `TEXT` column sorts by bytes, as on SQLite.

use std::time::Duration;

use kernel::{Error, Result, Timestamp};

use crate::pg::{ROLE, Session};
use crate::sql::Engine;
use crate::sqlite::Sqlite;
use crate::tx::Tx;

/// In which of SQLite's two files a feature's tables live. PostgreSQL has one database for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// What must survive everything.
    State,
    /// Logs, which retention drops.
    Logs,
}

/// One step of a feature's schema. Steps are never changed once released; a new one is added.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The crate.
    pub feature: &'static str,
    /// 1, 2, … per feature.
    pub version: i64,
    /// Which file.
    pub home: Home,
    /// The statements.
    pub sql: &'static str,
}

/// Store's own tables.
pub(crate) const OWN: &[Migration] = &[
    Migration { feature: "store", version: 1, home: Home::State, sql: include_str!("../migrations/0001_store.sql") },
    Migration { feature: "store", version: 2, home: Home::State, sql: include_str!("../migrations/0002_audit.sql") },
    Migration { feature: "store", version: 3, home: Home::State, sql: include_str!("../migrations/0003_leases.sql") },
];

const BOOKS: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (feature TEXT NOT NULL, version BIGINT NOT NULL, checksum TEXT NOT NULL, \
                     applied_at BIGINT NOT NULL, PRIMARY KEY (feature, version))";
/// How many days ahead partitions are made.
const DAYS_AHEAD: i64 = 3;
const DAY_MS: i64 = 86_400_000;

/// A statement with what its comments say.
#[derive(Debug, PartialEq, Eq)]
struct Step<'a> {
    sql: &'a str,
    table: Option<&'a str>,
    tenant: bool,
    clustered: bool,
    daily: Option<&'a str>,
}

fn steps(text: &str) -> Vec<Step<'_>> {
    text.split(";\n").map(|raw| raw.trim().trim_end_matches(';')).filter(|raw| !raw.is_empty()).filter_map(step).collect()
}

fn step(raw: &str) -> Option<Step<'_>> {
    let mut rest = raw;
    let (mut tenant, mut clustered, mut daily) = (false, false, None);
    while let Some(comment) = rest.strip_prefix("--") {
        let (line, after) = comment.split_once('\n').unwrap_or((comment, ""));
        let line = line.trim();
        tenant |= line == "tenant";
        clustered |= line == "clustered";
        daily = line.strip_prefix("daily ").or(daily);
        rest = after.trim_start();
    }
    if rest.is_empty() {
        return None;
    }
    let table = rest.strip_prefix("CREATE TABLE ").and_then(|r| r.split_whitespace().next());
    Some(Step { sql: rest, table, tenant, clustered, daily })
}

/// The statements of one step as PostgreSQL wants them.
fn postgres_statements(step: &Step<'_>) -> Vec<String> {
    let mut sql = step.sql.to_owned();
    let Some(table) = step.table else { return vec![sql] };
    sql = sql.replace(" TEXT", " TEXT COLLATE \"C\"");
    let mut out = Vec::new();
    if let Some(column) = step.daily {
        sql.push_str(&format!(" PARTITION BY RANGE ({column})"));
        out.push(sql);
        out.push(format!("CREATE TABLE {table}_default PARTITION OF {table} DEFAULT"));
        out.push(format!("INSERT INTO partitioned_tables (name) VALUES ('{table}')"));
    } else {
        out.push(sql);
    }
    out.push(format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {ROLE}"));
    if step.tenant {
        out.push(format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"));
        out.push(format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"));
        let set = "current_setting('tradewind.tenant', true)";
        out.push(format!("CREATE POLICY tenant ON {table} USING (tenant_id = {set} OR {set} = '*')"));
    }
    out
}

fn checksum(sql: &str) -> String {
    blake3::hash(sql.as_bytes()).to_hex()[..32].to_owned()
}

/// Whether a migration is to be run; a changed text under an applied version is an error.
fn is_due(applied: Option<String>, migration: &Migration) -> Result<bool> {
    match applied {
        None => Ok(true),
        Some(sum) if sum == checksum(migration.sql) => Ok(false),
        Some(_) => Err(Error::conflict(
            "migration_changed",
            format!("Migration {} of {} differs from the one this database was made with.", migration.version, migration.feature),
        )),
    }
}

/// Brings one SQLite file up to date.
pub(crate) fn sqlite(file: &Sqlite, home: Home, features: &[Migration], now: Timestamp) -> Result<()> {
    let raw = file.raw();
    let run = |sql: &str| raw.execute_batch(sql).map_err(|e| Error::internal(format!("migration: {e}\n{sql}")));
    run("BEGIN IMMEDIATE")?;
    run(BOOKS)?;
    for migration in OWN.iter().chain(features).filter(|m| m.home == home) {
        let applied = raw
            .query_row(
                "SELECT checksum FROM schema_migrations WHERE feature = ?1 AND version = ?2",
                (migration.feature, migration.version),
                |r| r.get(0),
            )
            .map(Some)
            .or_else(|e| if e == rusqlite::Error::QueryReturnedNoRows { Ok(None) } else { Err(Error::internal(e)) })?;
        if !is_due(applied, migration)? {
            continue;
        }
        for step in steps(migration.sql) {
            run(&format!("{}{}", step.sql, if step.clustered { " WITHOUT ROWID" } else { "" }))?;
        }
        raw.execute(
            "INSERT INTO schema_migrations (feature, version, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
            (migration.feature, migration.version, checksum(migration.sql), now.millis()),
        )
        .map_err(Error::internal)?;
    }
    run("COMMIT")
}

/// Brings a PostgreSQL database up to date, as the URL's role.
pub(crate) fn postgres(owner: &mut Session, features: &[Migration], now: Timestamp) -> Result<()> {
    // Any number that nobody else is likely to use: two nodes that start together migrate one after the other.
    owner.batch("SELECT pg_advisory_lock(7317424081)")?;
    let outcome = postgres_locked(owner, features, now);
    let unlocked = owner.batch("SELECT pg_advisory_unlock(7317424081)");
    outcome.and(unlocked)
}

fn postgres_locked(owner: &mut Session, features: &[Migration], now: Timestamp) -> Result<()> {
    owner.batch(&format!(
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN CREATE ROLE {ROLE} NOLOGIN NOBYPASSRLS; END IF; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; GRANT {ROLE} TO CURRENT_USER"
    ))?;
    owner.batch(BOOKS)?;
    // Readiness compares them with the program's own.
    owner.batch(&format!("GRANT SELECT ON schema_migrations TO {ROLE}"))?;
    for migration in OWN.iter().chain(features) {
        let applied = owner
            .query(
                "SELECT checksum FROM schema_migrations WHERE feature = ?1 AND version = ?2",
                &[migration.feature.into(), migration.version.into()],
            )?
            .first()
            .map(|row| row.get::<_, String>(0));
        if !is_due(applied, migration)? {
            continue;
        }
        owner.batch("BEGIN")?;
        for step in steps(migration.sql) {
            for sql in postgres_statements(&step) {
                owner.batch(&sql).map_err(|e| Error::internal(format!("migration: {e:?}\n{sql}")))?;
            }
        }
        owner.execute(
            "INSERT INTO schema_migrations (feature, version, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)",
            &[migration.feature.into(), migration.version.into(), checksum(migration.sql).into(), now.into()],
        )?;
        owner.batch("COMMIT")?;
    }
    daily_partitions(owner, now)
}

/// Whether every step of `features` (on SQLite: those of the state's file) has been applied. A database that is further on is fine: a newer
/// server has brought it there.
pub fn is_migrated(tx: &mut Tx<'_>, features: &[Migration]) -> Result<bool> {
    let applied: Vec<(String, i64)> =
        tx.query("SELECT feature, version FROM schema_migrations", &[], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let whole = tx.engine() == Engine::Postgres;
    let mut wanted = OWN.iter().chain(features).filter(|step| whole || step.home == Home::State);
    Ok(wanted.all(|step| applied.iter().any(|(feature, version)| feature == step.feature && *version == step.version)))
}

/// Makes the partitions of today and the next days. Rows outside of them go to the default partition, so none is ever refused.
pub(crate) fn daily_partitions(owner: &mut Session, now: Timestamp) -> Result<()> {
    let tables: Vec<String> = owner.query("SELECT name FROM partitioned_tables", &[])?.iter().map(|row| row.get(0)).collect();
    let today = now.millis().div_euclid(DAY_MS);
    for table in tables {
        for day in today..=today + DAYS_AHEAD {
            let start = Timestamp::from_millis(day * DAY_MS);
            let end = start.plus(Duration::from_hours(24));
            let name = format!("{table}_{}", start.to_string()[..10].replace('-', ""));
            let exists = !owner.query("SELECT 1 FROM pg_class WHERE relname = ?1", &[name.as_str().into()])?.is_empty();
            if exists {
                continue;
            }
            let sql = format!("CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({}) TO ({})", start.millis(), end.millis());
            if let Err(error) = owner.batch(&sql) {
                // Rows of that day already stand in the default partition (the clock had jumped): they stay there.
                tracing::warn!(?error, name, "could not make a partition");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_comments_and_translates() {
        let text = "-- tenant\n-- daily at\nCREATE TABLE t (\n  tenant_id TEXT NOT NULL,\n  at BIGINT\n);\n\nCREATE INDEX i ON t (at);\n";
        let steps = steps(text);
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].table, steps[0].tenant, steps[0].daily), (Some("t"), true, Some("at")));
        let statements = postgres_statements(&steps[0]);
        assert!(statements[0].ends_with("PARTITION BY RANGE (at)") && statements[0].contains("TEXT COLLATE \"C\""));
        assert!(statements.iter().any(|s| s.contains("FORCE ROW LEVEL SECURITY")));
        assert_eq!(postgres_statements(&steps[1]), ["CREATE INDEX i ON t (at)"]);
    }
}
