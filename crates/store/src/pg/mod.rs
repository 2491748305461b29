//! PostgreSQL: a few writer and reader threads, each with its own connection, working as the role `tradewind_app`, which row-level
//! security binds.

mod listen;
mod tls;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Authority, Error, Result, Scope};
use postgres::{Client, NoTls, Statement};

use crate::change::{Change, Listeners};
use crate::error::{away, from_postgres};
use crate::sql::to_postgres;
use crate::tx::{Conn, Surroundings};
use crate::value::Value;
use crate::work::{Connection, Found, Line, run_group, run_read};

pub(crate) use listen::{CHANNEL, listen};

/// The role that every connection works as: no login, no bypass of row-level security.
pub(crate) const ROLE: &str = "tradewind_app";
/// Statements kept prepared per connection; past it the cache starts again.
const STATEMENTS: usize = 512;

/// A connection with its prepared statements.
pub(crate) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    /// What opens the next savepoint must close the last one first: one round trip instead of two.
    pending: &'static str,
}

impl Session {
    /// Connects as the URL's role, for migrations.
    pub(crate) fn connect_as_owner(url: &str) -> Result<Self> {
        let target = tls::read(url)?;
        let mut config = postgres::Config::from(target.config);
        if config.get_application_name().is_none() {
            config.application_name("tradewind");
        }
        config.connect_timeout(Duration::from_secs(5));
        let client = match target.tls {
            None => config.connect(NoTls),
            Some(tls) => config.connect(tls),
        };
        let client = client.map_err(away)?;
        Ok(Self { client, statements: HashMap::new(), pending: "" })
    }

    /// Connects and takes the application's role.
    pub(crate) fn connect(url: &str) -> Result<Self> {
        let mut session = Self::connect_as_owner(url)?;
        session.batch(&format!("SET ROLE {ROLE}; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'"))?;
        Ok(session)
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).map_err(from_postgres)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    fn prepared(&mut self, text: &str) -> Result<Statement> {
        if let Some(statement) = self.statements.get(text) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(&to_postgres(text)).map_err(from_postgres)?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(text.to_owned(), statement.clone());
        Ok(statement)
    }

    pub(crate) fn execute(&mut self, text: &str, params: &[Value]) -> Result<u64> {
        let statement = self.prepared(text)?;
        self.client.execute(&statement, &by_reference(params)).map_err(from_postgres)
    }

    pub(crate) fn query(&mut self, text: &str, params: &[Value]) -> Result<Vec<postgres::Row>> {
        let statement = self.prepared(text)?;
        self.client.query(&statement, &by_reference(params)).map_err(from_postgres)
    }
}

fn by_reference(params: &[Value]) -> Vec<&(dyn postgres::types::ToSql + Sync)> {
    params.iter().map(|p| p as _).collect()
}

/// A session that connects again when it was lost.
pub(crate) struct Postgres {
    url: Arc<str>,
    session: Option<Session>,
    writes: bool,
}

impl Postgres {
    pub(crate) fn new(url: Arc<str>, writes: bool) -> Self {
        Self { url, session: None, writes }
    }

    fn session(&mut self) -> Result<&mut Session> {
        if self.session.as_ref().is_none_or(Session::is_closed) {
            self.session = None;
            self.session = Some(Session::connect(&self.url)?);
        }
        self.session.as_mut().ok_or_else(|| Error::internal("no session"))
    }
}

/// The value that the policies compare with: a tenant's id, or `*` for work across tenants.
fn tenant_setting(scope: &Scope) -> String {
    match scope.authority() {
        Authority::Tenant(tenant) => tenant.to_string(),
        Authority::Operator | Authority::System => "*".to_owned(),
    }
}

impl Connection for Postgres {
    /// One: several writers work at once here, and functions that share a transaction would hold each other's row locks in whatever order they
    /// came, which ends in deadlocks. PostgreSQL groups the commits of concurrent transactions by itself, and hot paths use a [`crate::Batcher`].
    const GROUP_MAX: usize = 1;

    fn begin(&mut self) -> Result<()> {
        let begin = if self.writes { "BEGIN" } else { "BEGIN READ ONLY" };
        let session = self.session()?;
        session.pending = begin;
        Ok(())
    }

    fn enter(&mut self, scope: &Scope) -> Result<()> {
        let tenant = tenant_setting(scope);
        let savepoint = if self.writes { "SAVEPOINT work; " } else { "" };
        let session = self.session.as_mut().ok_or_else(|| Error::internal("no session"))?;
        let pending = std::mem::take(&mut session.pending);
        let separator = if pending.is_empty() { "" } else { "; " };
        session.batch(&format!("{pending}{separator}{savepoint}SET LOCAL tradewind.tenant = '{tenant}'"))
    }

    fn leave(&mut self, keep: bool) -> Result<()> {
        let session = self.session.as_mut().ok_or_else(|| Error::internal("no session"))?;
        if keep {
            session.pending = "RELEASE work";
            return Ok(());
        }
        session.batch("ROLLBACK TO work; RELEASE work")
    }

    fn commit(&mut self, changes: &[Change]) -> Result<()> {
        let session = self.session.as_mut().ok_or_else(|| Error::internal("no session"))?;
        let pending = std::mem::take(&mut session.pending);
        for change in changes {
            let text = format!("{}:{}", change.topic, change.key);
            session.execute("SELECT pg_notify(?1, ?2)", &[CHANNEL.into(), text.into()])?;
        }
        let separator = if pending.is_empty() { "" } else { "; " };
        session.batch(&format!("{pending}{separator}COMMIT"))
    }

    fn abandon(&mut self) {
        let Some(session) = self.session.as_mut() else { return };
        if session.pending.starts_with("BEGIN") {
            session.pending = "";
        } else if session.batch("ROLLBACK").is_err() {
            self.session = None;
        }
    }

    fn conn(&mut self) -> Conn<'_> {
        Conn::Postgres(self.session.as_mut().expect("enter has succeeded, so there is a session"))
    }
}

/// A writer thread's life.
pub(crate) fn writer_loop(mut postgres: Postgres, line: &Line, around: &Surroundings, listeners: &Listeners) {
    loop {
        match line.wait(Duration::from_secs(3600)) {
            Found::Work(work) => run_group(&mut postgres, work, line, around, listeners),
            Found::Nothing => {}
            Found::Closed => break,
        }
    }
}

/// A reader thread's life.
pub(crate) fn reader_loop(mut postgres: Postgres, line: &Line, around: &Surroundings) {
    loop {
        match line.wait(Duration::from_secs(3600)) {
            Found::Work(work) => run_read(&mut postgres, work, around),
            Found::Nothing => {}
            Found::Closed => break,
        }
    }
}
