//! SQLite: one writer thread per file, several read-only connections. WAL, `synchronous=FULL` for state: a commit that was answered is on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Error, Result, Scope};
use rusqlite::{Connection as Raw, OpenFlags};

use crate::change::{Change, Listeners};
use crate::error::from_sqlite;
use crate::line::{Found, Line};
use crate::stop::{Stop, Watch};
use crate::tx::{Conn, Surroundings};
use crate::work::{Connection, run_group, run_read};

/// How often the idle writer looks whether another process changed the file.
const WATCH_EVERY: Duration = Duration::from_millis(150);
/// Statements kept prepared per connection.
const STATEMENTS: usize = 256;

/// How many steps of its machine SQLite makes between two looks at whether to stop: below a millisecond's worth.
const STEPS: i32 = 2000;

/// How durable a commit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Every commit is flushed to the disk.
    Full,
    /// A power cut may lose the last commits, never the file: for logs that can be rebuilt.
    Normal,
}

pub(crate) struct Sqlite {
    raw: Raw,
    /// Whether `begin` takes the write lock.
    writes: bool,
    watch: Watch,
}

impl Sqlite {
    pub(crate) fn open_writer(path: &Path, durability: Durability) -> Result<Self> {
        let raw = Raw::open(path).map_err(|e| Error::internal(format!("{}: {e}", path.display())))?;
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        prepare(&raw, &format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 4000;"))?;
        Ok(Self { raw, writes: true, watch: Watch::default() })
    }

    pub(crate) fn open_reader(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut raw = Raw::open_with_flags(path, flags).map_err(|e| Error::internal(format!("{}: {e}", path.display())))?;
        prepare(&raw, "PRAGMA query_only = ON;")?;
        let watch = Watch::default();
        let looked_at = watch.clone();
        raw.progress_handler(STEPS, Some(move || looked_at.is_due())).map_err(from_sqlite)?;
        Ok(Self { raw, writes: false, watch })
    }

    pub(crate) fn raw(&self) -> &Raw {
        &self.raw
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.raw.prepare_cached(sql).and_then(|mut s| s.execute([])).map(drop).map_err(from_sqlite)
    }

    /// A number that changes when another connection commits.
    fn data_version(&self) -> i64 {
        self.raw.prepare_cached("PRAGMA data_version").and_then(|mut s| s.query_row([], |row| row.get(0))).unwrap_or(-1)
    }
}

fn prepare(raw: &Raw, pragmas: &str) -> Result<()> {
    raw.set_prepared_statement_cache_capacity(STATEMENTS);
    raw.busy_timeout(Duration::from_secs(10)).map_err(from_sqlite)?;
    let shared = "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000; PRAGMA mmap_size = 67108864;";
    raw.execute_batch(&format!("{pragmas} {shared}")).map_err(from_sqlite)
}

impl Connection for Sqlite {
    const GROUP_MAX: usize = 512;

    fn begin(&mut self) -> Result<()> {
        self.run(if self.writes { "BEGIN IMMEDIATE" } else { "BEGIN" })
    }

    fn enter(&mut self, _: &Scope) -> Result<()> {
        if self.writes { self.run("SAVEPOINT work") } else { Ok(()) }
    }

    fn leave(&mut self, keep: bool) -> Result<()> {
        if !keep {
            self.run("ROLLBACK TO work")?;
        }
        self.run("RELEASE work")
    }

    fn commit(&mut self, _: &[Change]) -> Result<()> {
        self.run("COMMIT")
    }

    fn abandon(&mut self) {
        if !self.raw.is_autocommit()
            && let Err(error) = self.run("ROLLBACK")
        {
            tracing::error!(?error, "could not roll back");
        }
    }

    fn watch(&mut self, stop: Option<Stop>) {
        self.watch.set(stop);
    }

    fn conn(&mut self) -> Conn<'_> {
        Conn::Sqlite(&self.raw)
    }
}

/// The writer thread's life: groups while there is work; when idle, a look at what other processes did.
pub(crate) fn writer_loop(mut sqlite: Sqlite, line: &Line, around: &Surroundings, listeners: &Listeners) {
    let mut seen = sqlite.data_version();
    loop {
        let waited = line.wait(WATCH_EVERY);
        let version = sqlite.data_version();
        if version != seen {
            seen = version;
            listeners.tell(&[Change::everything()]);
        }
        match waited {
            Found::Work(turn) => run_group(&mut sqlite, turn, line, around, listeners),
            Found::Nothing => {}
            Found::Closed => break,
        }
    }
    // A last tidy-up, so that the next start finds a short log. It is no matter if a reader is in the way.
    let _ = sqlite.raw.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(PASSIVE);");
}

/// A reader thread's life.
pub(crate) fn reader_loop(mut sqlite: Sqlite, line: &Arc<Line>, around: &Surroundings) {
    loop {
        match line.wait(Duration::from_secs(3600)) {
            Found::Work(turn) => run_read(&mut sqlite, turn, line, around),
            Found::Nothing => {}
            Found::Closed => break,
        }
    }
}
