//! Opening a database and handing functions to its threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use kernel::{Ambient, Error, RequestSlot, Result, Scope, Secret};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::change::{Listener, Listeners};
use crate::line::Line;
use crate::lock::DirectoryLock;
use crate::migrate::{self, Home, Migration};
use crate::pg;
use crate::seal::{MasterKey, Sealer};
use crate::slot::{self, KeptAnswer};
use crate::sql::Engine;
use crate::sqlite::{self, Durability, Sqlite};
use crate::stop::Asking;
use crate::tx::{Surroundings, Tx};
use crate::work::Typed;

/// Functions that may wait for a thread before callers are told that the server is overloaded.
const QUEUE: usize = 20_000;
/// How long what a tenant's caller reads may take.
const READ_LIMIT: Duration = Duration::from_secs(2);
/// So much longer may a read take that looks at many rows by its nature, and one of logs.
const PATIENCE: u32 = 5;

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Database {
    /// Two SQLite files in this directory, which must exist: `tradewind.db` and `tradewind-logs.db`.
    Sqlite(PathBuf),
    /// A PostgreSQL database by its URL. The URL's role migrates and creates the role `tradewind_app`.
    Postgres(String),
}

/// How to open a store.
#[derive(Clone)]
pub struct Config {
    /// Where the data is.
    pub database: Database,
    /// What sealed values are sealed under.
    pub master_key: MasterKey,
    /// Time and chance.
    pub ambient: Ambient,
    /// Every feature's migrations, in the order of their levels.
    pub migrations: Vec<Migration>,
    /// Read-only connections.
    pub readers: usize,
    /// Writing connections (SQLite always has one).
    pub writers: usize,
    /// Whether this process serves: it then holds the SQLite directory's lock. The command line does not.
    pub exclusive: bool,
    /// How long a read may take that somebody outside asked for in a tenant's name; five times as long where it reads logs or
    /// adds up many records. Nothing bounds the operator's and the server's own.
    pub read_limit: Duration,
}

impl Config {
    /// With the usual sizes.
    pub fn new(database: Database, master_key: MasterKey, ambient: Ambient, migrations: Vec<Migration>) -> Self {
        Self { database, master_key, ambient, migrations, readers: 3, writers: 4, exclusive: true, read_limit: READ_LIMIT }
    }
}

/// One queue and the threads behind it.
struct Lane {
    line: Arc<Line>,
    waiting: Arc<AtomicUsize>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.line.close();
    }
}

impl Lane {
    fn new(threads: usize) -> Self {
        Self { line: Arc::new(Line::new(threads)), waiting: Arc::default() }
    }

    async fn run<T, F>(&self, scope: Scope, limit: Option<Duration>, function: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let _place = Place::take(&self.waiting)?;
        let asking = Asking(Arc::default());
        let (work, answer) = Typed::new(scope, Arc::clone(&asking.0), limit, function);
        let stopping = || Error::unavailable("shutting_down", "The server is stopping. Try again shortly.");
        if !self.line.push(work) {
            return Err(stopping());
        }
        answer.await.map_err(|_| stopping())?
    }
}

/// A place in the queue, given back however the caller ends.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(waiting: &Arc<AtomicUsize>) -> Result<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= QUEUE {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::unavailable("overloaded", "Too much is waiting for the database. Try again shortly.")
                .retry_after(Duration::from_secs(1)));
        }
        Ok(Self(Arc::clone(waiting)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Lanes {
    writes: Lane,
    reads: Lane,
}

struct Inner {
    state: Lanes,
    /// None where logs share the state's lanes.
    logs: Option<Lanes>,
    engine: Engine,
    read_limit: Duration,
    around: Surroundings,
    listeners: Listeners,
    listening: Option<tokio::task::JoinHandle<()>>,
    postgres_url: Option<Arc<str>>,
    sqlite_directory: Option<PathBuf>,
    _lock: Option<DirectoryLock>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = &self.listening {
            task.abort();
        }
    }
}

/// A handle to an open store. Cheap to clone; the threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    logs: bool,
    is_patient: bool,
}

impl Store {
    /// Opens, migrates and starts the threads. Needs a tokio runtime on PostgreSQL, for change notices.
    ///
    /// Errors: 409 `data_directory_in_use`, 409 `migration_changed`, 422 `wrong_master_key`, 422 `invalid_database_url`, 503 `database_unavailable`.
    pub async fn open(config: Config) -> Result<Self> {
        let (send, receive) = tokio::sync::oneshot::channel();
        // Opening talks to files and sockets, and the PostgreSQL driver must not run on a runtime's thread.
        let handle = tokio::runtime::Handle::current();
        std::thread::Builder::new()
            .name("store-open".into())
            .spawn(move || {
                let _ = send.send(open(&config, &handle));
            })
            .map_err(Error::internal)?;
        receive.await.map_err(|_| Error::internal("opening the store ended without an answer"))?
    }

    /// The same store for request and attempt logs.
    #[must_use]
    pub fn logs(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), logs: true, is_patient: true }
    }

    /// The same store for reads that look at many rows by their nature, within bounds of their own: they may take five times as long.
    #[must_use]
    pub fn patient(&self) -> Self {
        Self { is_patient: true, ..self.clone() }
    }

    fn lanes(&self) -> &Lanes {
        self.inner.logs.as_ref().filter(|_| self.logs).unwrap_or(&self.inner.state)
    }

    /// Runs `function` on a read-only connection, seeing one state of the data. Given up when the future is dropped.
    ///
    /// Errors: 422 `query_too_slow` past [`Config::read_limit`]; the function's own.
    pub async fn read<T, F>(&self, scope: impl Into<Scope>, function: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let scope = scope.into();
        let limit = self.inner.read_limit * if self.is_patient { PATIENCE } else { 1 };
        let limit = scope.is_asked_for().then_some(limit);
        self.lanes().reads.run(scope, limit, function).await
    }

    /// Runs `function` in a group-committed transaction; answers after the commit. An error undoes this function alone. A function must
    /// pass on every error of a statement: PostgreSQL refuses everything after one until the savepoint is undone.
    pub async fn write<T, F>(&self, scope: impl Into<Scope>, function: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.lanes().writes.run(scope.into(), None, function).await
    }

    /// [`Store::write`] for operations that front doors call: if the request carries an idempotency key, the answer is kept with the
    /// effect, and a repeated request gets it again. Only the first `answer` of a request is kept, so an operation has one.
    ///
    /// Errors: 422 `idempotency_key_reused`, 409 `idempotency_key_busy`, and the function's own.
    pub async fn answer<T, F>(&self, scope: impl Into<Scope>, function: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        self.write(scope, move |tx| slot::once(tx, function)).await
    }

    /// What a front door kept for this idempotency key. Error: 422 `idempotency_key_reused`.
    pub async fn kept_answer(&self, scope: impl Into<Scope>, slot: &RequestSlot) -> Result<Option<KeptAnswer>> {
        let slot = RequestSlot::new(slot.key.clone(), slot.owner.clone(), slot.fingerprint);
        self.read(scope, move |tx| slot::kept_answer(tx, &slot)).await
    }

    /// Keeps a finished response without effect, for a front door.
    pub async fn keep_answer(&self, scope: impl Into<Scope>, slot: &RequestSlot, answer: KeptAnswer) -> Result<()> {
        let slot = RequestSlot::new(slot.key.clone(), slot.owner.clone(), slot.fingerprint);
        self.write(scope, move |tx| slot::keep_answer(tx, &slot, &answer)).await
    }

    /// Calls `listener` with every change notice, of this and of other nodes.
    pub fn on_change(&self, listener: Listener) {
        self.inner.listeners.add(listener);
    }

    /// Seals and opens secrets.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.around.sealer
    }

    /// Time and chance.
    pub fn ambient(&self) -> &Ambient {
        &self.inner.around.ambient
    }

    /// The engine behind it.
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// A secret of the whole installation by name: made by `make` at first use, sealed, the same for every node and for ever.
    pub async fn installation_secret(
        &self,
        name: &'static str,
        make: impl FnOnce() -> Vec<u8> + Send + 'static,
    ) -> Result<Secret<Vec<u8>>> {
        self.write(Scope::system("store"), move |tx| {
            let context = format!("installation_secrets.sealed:{name}");
            let sealed = tx.sealer().seal(&context, &make())?;
            tx.exec(
                "INSERT INTO installation_secrets (name, sealed) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
                &[name.into(), sealed.into()],
            )?;
            let kept: Vec<u8> =
                tx.query_one("SELECT sealed FROM installation_secrets WHERE name = ?1", &[name.into()], |row| row.get(0))?;
            tx.sealer().open(&context, &kept).map(Secret::new)
        })
        .await
    }

    /// Regular upkeep: forgets old idempotency keys and makes the coming days' partitions. Called about hourly.
    pub async fn upkeep(&self) -> Result<()> {
        self.write(Scope::system("store"), slot::expire).await?;
        let now = self.ambient().now();
        self.as_owner(move |owner| migrate::daily_partitions(owner, now)).await
    }

    /// Runs `job` as the URL's role, on a connection and a thread of its own. Nothing on SQLite.
    pub(crate) async fn as_owner(&self, job: impl FnOnce(&mut pg::Session) -> Result<()> + Send + 'static) -> Result<()> {
        let Some(url) = self.inner.postgres_url.clone() else { return Ok(()) };
        on_own_thread(move || pg::Session::connect_as_owner(&url).and_then(|mut owner| job(&mut owner))).await
    }

    /// The directory of the SQLite files.
    pub(crate) fn sqlite_directory(&self) -> Option<PathBuf> {
        self.inner.sqlite_directory.clone()
    }
}

/// Upkeep talks to files and sockets without a runtime.
pub(crate) async fn on_own_thread(job: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name("store-upkeep".into()).spawn(job).map_err(Error::internal)?;
    tokio::task::spawn_blocking(move || thread.join()).await.map_err(Error::internal)?.map_err(|_| Error::internal("upkeep panicked"))?
}

fn open(config: &Config, runtime: &tokio::runtime::Handle) -> Result<Store> {
    let around = Surroundings { ambient: config.ambient.clone(), sealer: Sealer::new(&config.master_key, config.ambient.clone()) };
    let listeners = Listeners::default();
    let inner = match &config.database {
        Database::Sqlite(dir) => open_sqlite(config, dir, around, listeners)?,
        Database::Postgres(url) => open_postgres(config, &Arc::from(url.as_str()), around, listeners, runtime)?,
    };
    let store = Store { inner: Arc::new(inner), logs: false, is_patient: false };
    runtime.block_on(load_data_key(&store))?;
    Ok(store)
}

/// Loads every data key, making the first one on a new database, together with the root of the audit log.
async fn load_data_key(store: &Store) -> Result<()> {
    let sealer = store.sealer().clone();
    store
        .write(Scope::system("store"), move |tx| {
            let fresh = sealer.new_data_key()?;
            let now = tx.now();
            let is_new = tx.exec(
                "INSERT INTO data_keys (id, wrapped, created_at) SELECT 1, ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM data_keys) ON CONFLICT (id) DO NOTHING",
                &[fresh.into(), now.into()],
            )?;
            let mut is_rooted = false;
            for (id, wrapped) in
                tx.query("SELECT id, wrapped FROM data_keys ORDER BY id", &[], |row| Ok((row.get::<u64>(0)?, row.get::<Vec<u8>>(1)?)))?
            {
                is_rooted |= sealer.add_data_key(id, &wrapped)?;
            }
            // An installation that was made without a root gets one; of any other, the root that is not there was taken away.
            if is_new > 0 || !is_rooted {
                crate::audit::plant(tx)?;
            }
            Ok(())
        })
        .await
}

fn open_sqlite(config: &Config, dir: &Path, around: Surroundings, listeners: Listeners) -> Result<Inner> {
    let lock = if config.exclusive { Some(DirectoryLock::acquire(dir)?) } else { None };
    let mut lanes = Vec::new();
    for (file, home, durability) in [("tradewind.db", Home::State, Durability::Full), ("tradewind-logs.db", Home::Logs, Durability::Normal)]
    {
        let path = dir.join(file);
        let writer = Sqlite::open_writer(&path, durability)?;
        migrate::sqlite(&writer, home, &config.migrations, config.ambient.now())?;
        let writes = Lane::new(1);
        let (line, a, l) = (Arc::clone(&writes.line), around.clone(), listeners.clone());
        start(format!("{file} writer"), move || sqlite::writer_loop(writer, &line, &a, &l))?;
        let reads = Lane::new(config.readers);
        for n in 0..config.readers {
            let (reader, line, a) = (Sqlite::open_reader(&path)?, Arc::clone(&reads.line), around.clone());
            start(format!("{file} reader {n}"), move || sqlite::reader_loop(reader, &line, &a))?;
        }
        lanes.push(Lanes { writes, reads });
    }
    let (logs, state) = (lanes.pop(), lanes.pop());
    let state = state.ok_or_else(|| Error::internal("no state lanes"))?;
    let sqlite_directory = Some(dir.to_owned());
    let read_limit = config.read_limit;
    let (engine, listening, postgres_url) = (Engine::Sqlite, None, None);
    Ok(Inner { state, logs, engine, read_limit, around, listeners, listening, postgres_url, sqlite_directory, _lock: lock })
}

fn open_postgres(
    config: &Config,
    url: &Arc<str>,
    around: Surroundings,
    listeners: Listeners,
    runtime: &tokio::runtime::Handle,
) -> Result<Inner> {
    let mut owner = pg::Session::connect_as_owner(url)?;
    migrate::postgres(&mut owner, &config.migrations, config.ambient.now())?;
    drop(owner);
    let writes = Lane::new(config.writers);
    for n in 0..config.writers {
        let (session, line, a, l) = (pg::Postgres::new(Arc::clone(url), true), Arc::clone(&writes.line), around.clone(), listeners.clone());
        start(format!("postgres writer {n}"), move || pg::writer_loop(session, &line, &a, &l))?;
    }
    let reads = Lane::new(config.readers);
    for n in 0..config.readers {
        let (session, line, a) = (pg::Postgres::new(Arc::clone(url), false), Arc::clone(&reads.line), around.clone());
        start(format!("postgres reader {n}"), move || pg::reader_loop(session, &line, &a))?;
    }
    let listening = Some(runtime.spawn(pg::listen(Arc::clone(url), listeners.clone())));
    let (state, logs) = (Lanes { writes, reads }, None);
    let postgres_url = Some(Arc::clone(url));
    let (engine, read_limit, sqlite_directory) = (Engine::Postgres, config.read_limit, None);
    Ok(Inner { state, logs, engine, read_limit, around, listeners, listening, postgres_url, sqlite_directory, _lock: None })
}

fn start(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name).spawn(run).map_err(Error::internal)
}
