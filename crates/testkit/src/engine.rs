//! One test body, both databases.

use tempfile::TempDir;

use crate::postgres::{Database, fresh_database};

/// A fresh place to store things, for one test. Keep it until the test is over: dropping it removes what it holds.
#[derive(Debug)]
pub enum Engine {
    /// SQLite files in a directory.
    Sqlite(TempDir),
    /// A database on the run's PostgreSQL, and a directory for what is a file even then (the master key).
    Postgres(TempDir, Database),
}

impl Engine {
    /// A fresh directory.
    pub fn sqlite() -> Self {
        Self::Sqlite(directory())
    }

    /// A fresh database.
    pub fn postgres() -> Self {
        Self::Postgres(directory(), fresh_database())
    }

    /// The database's URL (an ordinary role that owns it), or `None` for SQLite in [`Engine::data_dir`].
    pub fn database_url(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_, database) => Some(database.url()),
        }
    }

    /// The data directory.
    pub fn data_dir(&self) -> std::path::PathBuf {
        match self {
            Self::Sqlite(dir) | Self::Postgres(dir, _) => dir.path().to_owned(),
        }
    }

    /// The PostgreSQL database, if it is one.
    pub fn database(&self) -> Option<&Database> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(_, database) => Some(database),
        }
    }
}

fn directory() -> TempDir {
    tempfile::Builder::new().prefix("tradewind-test-").tempdir().expect("the temporary directory is writable")
}

/// What a crate's tests stand on: built from an [`Engine`], which it keeps.
pub trait Bed: Sized {
    /// Opens everything on `engine`.
    fn open(engine: Engine) -> impl Future<Output = Self>;
}

impl Bed for Engine {
    async fn open(engine: Engine) -> Self {
        engine
    }
}

/// Runs `body` on a bed over `engine`, on a multi-threaded runtime. For [`engines!`](crate::engines).
pub fn run<B: Bed, F: Future<Output = ()>>(engine: Engine, body: impl FnOnce(B) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads can be started");
    runtime.block_on(async {
        let bed = B::open(engine).await;
        body(bed).await;
    });
}

/// Declares tests that run on both engines: `name::sqlite` and `name::postgres`. The type of the argument is a [`Bed`]
/// ([`Engine`] itself is one).
///
/// ```no_run
/// use testkit::Engine;
///
/// testkit::engines! {
///     /// A new database is empty.
///     async fn starts_empty(engine: Engine) {
///         assert_eq!(std::fs::read_dir(engine.data_dir()).unwrap().count(), 0);
///     }
/// }
/// ```
#[macro_export]
macro_rules! engines {
    ($($(#[$meta:meta])* async fn $name:ident($($arg:ident)+ : $bed:ty $(,)?) $body:block)+) => {$(
        $(#[$meta])*
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "the body sees what is around the macro")]
            use super::*;

            async fn body($($arg)+ : $bed) $body

            #[test]
            fn sqlite() {
                $crate::engine::run($crate::Engine::sqlite(), body);
            }

            #[test]
            fn postgres() {
                $crate::engine::run($crate::Engine::postgres(), body);
            }
        }
    )+};
}
