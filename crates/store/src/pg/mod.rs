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
use crate::line::{Found, Line};
use crate::sql::to_postgres;
use crate::stop::{Stop, Watch};
use crate::tx::{Conn, Surroundings};
use crate::value::Value;
use crate::work::{Connection, run_group, run_read};

pub(crate) use listen::{CHANNEL, listen};

/// The role that every connection works as: no login, no bypass of row-level security.
pub(crate) const ROLE: &str = "tradewind_app";
/// Statements kept prepared per connection; past it the cache starts again.
const STATEMENTS: usize = 512;

/// How long a statement may take that has no limit of its own.
const LONGEST: Duration = Duration::from_mins(1);

/// A connection with its prepared statements.
pub(crate) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    /// What opens the next savepoint must close the last one first: one round trip instead of two.
    pending: &'static str,
    /// A reader's tenant and limit, which stay set from one function to the next: none until they are known.
    reads_as: Option<(String, Option<Duration>)>,
    /// What stops a reader.
    watch: Watch,
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
        Ok(Self { client, statements: HashMap::new(), pending: "", reads_as: None, watch: Watch::default() })
    }

    /// Connects and takes the application's role.
    pub(crate) fn connect(url: &str) -> Result<Self> {
        let mut session = Self::connect_as_owner(url)?;
        session.batch(&format!(
            "SET ROLE {ROLE}; SET jit = off; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'"
        ))?;
        Ok(session)
    }

    /// Connects as the application's role to read only. Every statement is a transaction of its own: at READ COMMITTED, which is what there is,
    /// one around several would show them nothing else, and would cost two round trips more.
    fn connect_to_read(url: &str) -> Result<Self> {
        let mut session = Self::connect(url)?;
        session.batch("SET default_transaction_read_only = on")?;
        Ok(session)
    }

    /// Sets what the policies compare with for what is read from now on, and how long a statement may take, unless they are set.
    fn read_as(&mut self, tenant: String, limit: Option<Duration>) -> Result<()> {
        let wanted = (tenant, limit);
        if self.reads_as.as_ref() == Some(&wanted) {
            return Ok(());
        }
        // Whatever becomes of the statement, the old values are not relied on again.
        self.reads_as = None;
        let (tenant, limit) = (&wanted.0, limit.unwrap_or(LONGEST).as_millis());
        self.batch(&format!("SET tradewind.tenant = '{tenant}'; SET statement_timeout = {limit}"))?;
        self.reads_as = Some(wanted);
        Ok(())
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
        self.watch.check()?;
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
    stop: Option<Stop>,
}

impl Postgres {
    pub(crate) fn new(url: Arc<str>, writes: bool) -> Self {
        Self { url, session: None, writes, stop: None }
    }

    fn session(&mut self) -> Result<&mut Session> {
        if self.session.as_ref().is_none_or(Session::is_closed) {
            self.session = None;
            let session = if self.writes { Session::connect(&self.url) } else { Session::connect_to_read(&self.url) };
            self.session = Some(session?);
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
        let pending = if self.writes { "BEGIN" } else { "" };
        self.session()?.pending = pending;
        Ok(())
    }

    fn enter(&mut self, scope: &Scope) -> Result<()> {
        let tenant = tenant_setting(scope);
        let writes = self.writes;
        let session = self.session.as_mut().ok_or_else(|| Error::internal("no session"))?;
        if !writes {
            session.read_as(tenant, self.stop.as_ref().and_then(Stop::limit))?;
            session.watch.set(self.stop.clone());
            return Ok(());
        }
        let pending = std::mem::take(&mut session.pending);
        let separator = if pending.is_empty() { "" } else { "; " };
        session.batch(&format!("{pending}{separator}SAVEPOINT work; SET LOCAL tradewind.tenant = '{tenant}'"))
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
        let Some(session) = self.session.as_mut().filter(|_| self.writes) else { return };
        if session.pending.starts_with("BEGIN") {
            session.pending = "";
        } else if session.batch("ROLLBACK").is_err() {
            self.session = None;
        }
    }

    fn watch(&mut self, stop: Option<Stop>) {
        self.stop = stop;
        if let Some(session) = self.session.as_ref().filter(|_| self.stop.is_none()) {
            session.watch.set(None);
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
            Found::Work(turn) => run_group(&mut postgres, turn, line, around, listeners),
            Found::Nothing => {}
            Found::Closed => break,
        }
    }
}

/// A reader thread's life.
pub(crate) fn reader_loop(mut postgres: Postgres, line: &Line, around: &Surroundings) {
    loop {
        match line.wait(Duration::from_secs(3600)) {
            Found::Work(turn) => run_read(&mut postgres, turn, line, around),
            Found::Nothing => {}
            Found::Closed => break,
        }
    }
}
