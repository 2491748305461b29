//! A transaction, as data access functions see it.

use std::fmt::Display;

use kernel::{Ambient, Result, Scope, Timestamp};
use serde::Serialize;
use serde_json::Value as Json;

use crate::change::Change;
use crate::row::Row;
use crate::sql::{Engine, Statement, placeholders};
use crate::value::Value;
use crate::{Sealer, audit, pg};

/// Work to do on this node once the transaction has been committed.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// Rows per statement when many are inserted on PostgreSQL: few sizes, so that few statements are prepared.
const CHUNKS: [usize; 4] = [256, 32, 8, 1];

pub(crate) enum Conn<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut pg::Session),
}

/// What a transaction has besides its connection.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) ambient: Ambient,
    pub(crate) sealer: Sealer,
}

/// One function's part of a transaction: a savepoint under a [`Scope`].
pub struct Tx<'a> {
    conn: Conn<'a>,
    scope: Scope,
    around: &'a Surroundings,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) changes: Vec<Change>,
}

#[allow(clippy::needless_pass_by_value, reason = "a statement is a reference or a copy, and callers write texts, not references to them")]
impl<'a> Tx<'a> {
    pub(crate) fn new(conn: Conn<'a>, scope: Scope, around: &'a Surroundings) -> Self {
        Self { conn, scope, around, hooks: Vec::new(), changes: Vec::new() }
    }

    /// Which engine runs; for tests that look at plans. Features use a [`crate::Dialect`] instead of asking.
    pub fn engine(&self) -> Engine {
        match self.conn {
            Conn::Sqlite(_) => Engine::Sqlite,
            Conn::Postgres(_) => Engine::Postgres,
        }
    }

    /// Under whose authority.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Time and chance.
    pub fn ambient(&self) -> &'a Ambient {
        &self.around.ambient
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.around.ambient.now()
    }

    /// Seals and opens secrets.
    pub fn sealer(&self) -> &'a Sealer {
        &self.around.sealer
    }

    /// Runs a statement; answers how many rows it changed.
    ///
    /// Errors: see [`crate::is_unique_violation`]; 503 `database_unavailable`; internal otherwise.
    pub fn exec(&mut self, sql: impl Statement, params: &[Value]) -> Result<u64> {
        let text = sql.text(self.engine());
        match &mut self.conn {
            Conn::Sqlite(conn) => {
                let mut statement = conn.prepare_cached(text).map_err(crate::error::from_sqlite)?;
                let changed = statement.execute(rusqlite::params_from_iter(params)).map_err(crate::error::from_sqlite)?;
                Ok(changed as u64)
            }
            Conn::Postgres(session) => session.execute(text, params),
        }
    }

    /// Runs a query and maps every row.
    pub fn query<T>(&mut self, sql: impl Statement, params: &[Value], mut map: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        let text = sql.text(self.engine());
        match &mut self.conn {
            Conn::Sqlite(conn) => {
                let mut statement = conn.prepare_cached(text).map_err(crate::error::from_sqlite)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params)).map_err(crate::error::from_sqlite)?;
                let mut out = Vec::new();
                while let Some(row) = rows.next().map_err(crate::error::from_sqlite)? {
                    out.push(map(&Row::Sqlite(row))?);
                }
                Ok(out)
            }
            Conn::Postgres(session) => session.query(text, params)?.iter().map(|row| map(&Row::Postgres(row))).collect(),
        }
    }

    /// The first row of a query, if there is one.
    pub fn query_opt<T>(&mut self, sql: impl Statement, params: &[Value], map: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Option<T>> {
        Ok(self.query(sql, params, map)?.into_iter().next())
    }

    /// The only row of a query that always has one (a count, a `RETURNING` of a row known to exist).
    pub fn query_one<T>(&mut self, sql: impl Statement, params: &[Value], map: impl FnMut(&Row<'_>) -> Result<T>) -> Result<T> {
        self.query_opt(sql, params, map)?.ok_or_else(|| kernel::Error::internal("a row that must exist does not"))
    }

    /// Inserts many rows: `into` is `INSERT INTO t (a, b) VALUES`, `suffix` what follows the rows (`ON CONFLICT DO NOTHING`), and `values` holds the
    /// rows one after another, `columns` each. One prepared statement per row on SQLite, where that is fastest; few multi-row statements
    /// on PostgreSQL. Answers how many rows were inserted.
    pub fn insert_rows(&mut self, into: &str, columns: usize, values: &[Value], suffix: &str) -> Result<u64> {
        debug_assert!(columns > 0 && values.len().is_multiple_of(columns), "whole rows only");
        if let Conn::Sqlite(conn) = &self.conn {
            let sql = format!("{into} {} {suffix}", placeholders(1, columns));
            let mut statement = conn.prepare_cached(&sql).map_err(crate::error::from_sqlite)?;
            let mut insert = |row| statement.execute(rusqlite::params_from_iter::<&[Value]>(row)).map_err(crate::error::from_sqlite);
            return values.chunks_exact(columns).try_fold(0, |sum, row| Ok(sum + insert(row)? as u64));
        }
        let mut inserted = 0;
        let mut rest = values;
        for size in CHUNKS {
            if rest.len() < size * columns {
                continue;
            }
            let sql = format!("{into} {} {suffix}", placeholders(size, columns));
            while rest.len() >= size * columns {
                let (chunk, more) = rest.split_at(size * columns);
                inserted += self.exec(&sql, chunk)?;
                rest = more;
            }
        }
        Ok(inserted)
    }

    /// Runs `function` in a savepoint of its own: if it fails, its statements, notices and hooks are undone, and the function around it goes on.
    /// For one of many things that have a fate each.
    ///
    /// Errors: the outer one, when the savepoint itself could not be made or undone; the inner one is the function's.
    pub fn attempt<T>(&mut self, function: impl FnOnce(&mut Self) -> Result<T>) -> Result<Result<T>> {
        let (hooks, changes) = (self.hooks.len(), self.changes.len());
        self.run("SAVEPOINT item")?;
        let outcome = function(self);
        if outcome.is_err() {
            self.run("ROLLBACK TO item")?;
            self.hooks.truncate(hooks);
            self.changes.truncate(changes);
        }
        self.run("RELEASE item")?;
        Ok(outcome)
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        match &mut self.conn {
            Conn::Sqlite(conn) => conn.prepare_cached(sql).and_then(|mut s| s.execute([])).map(drop).map_err(crate::error::from_sqlite),
            Conn::Postgres(session) => session.batch(sql),
        }
    }

    /// Appends to the audit log, in the chain of the scope's tenant (or the operator's): `action` is `client.update`, `target` the id.
    pub fn audit(&mut self, action: &str, target: impl Display) -> Result<()> {
        audit::append(self, action, &target.to_string(), &Json::Null)
    }

    /// The same with a detail. Never put a secret in it; members that are named like one are removed.
    pub fn audit_with(&mut self, action: &str, target: impl Display, detail: &Json) -> Result<()> {
        audit::append(self, action, &target.to_string(), detail)
    }

    /// The same for a change: those members of `before` and `after` (as they are shown) that differ are told, and nothing that is named like
    /// a secret. What is made has `()` before, what is removed `()` after.
    pub fn audit_change(&mut self, action: &str, target: impl Display, before: &impl Serialize, after: &impl Serialize) -> Result<()> {
        let detail = audit::change(before, after)?;
        audit::append(self, action, &target.to_string(), &detail)
    }

    /// After the commit, tells every node that `key` of `topic` changed.
    pub fn notify(&mut self, topic: &str, key: impl Display) {
        let change = Change { topic: topic.to_owned(), key: key.to_string() };
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    /// After the commit, runs `hook` on this node, before the caller has its answer. It must be quick.
    pub fn after_commit(&mut self, hook: impl FnOnce() + Send + 'static) {
        self.hooks.push(Box::new(hook));
    }
}
