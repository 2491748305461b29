//! A PostgreSQL server for tests, and a fresh database for each test.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::guarded::{Guarded, User, directory, find_program};
use crate::port;

#[cfg(feature = "harness")]
mod database;
#[cfg(feature = "harness")]
pub use database::{Database, fresh_database};

/// The environment variable with the administrator's URL of the run's server: `postgres://postgres@127.0.0.1:<port>/postgres`.
pub const VARIABLE: &str = "TRADEWIND_TEST_POSTGRES";

/// Long enough for initdb on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);

/// What happens to commits when the machine loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// They may be lost: for tests, which only ever kill our own processes.
    Lax,
    /// PostgreSQL's defaults: for measurements.
    Full,
}

/// A PostgreSQL that ends with its owner.
#[derive(Debug)]
pub struct Server {
    url: String,
    process: Guarded,
}

impl Server {
    /// Makes a cluster in a temporary directory and starts it. The error says what is missing or what the server said.
    pub fn start(durability: Durability) -> Result<Self, String> {
        let programs = programs().ok_or("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")?;
        let user = if rustix::process::geteuid().is_root() {
            let other = User::named("postgres").or_else(|| User::named("nobody"));
            Some(other.ok_or("PostgreSQL refuses to run as root, and there is no user postgres or nobody")?)
        } else {
            None
        };
        let mut why = String::new();
        for _ in 0..3 {
            match Self::start_on(&programs, user, port::free(), durability) {
                Ok(server) => return Ok(server),
                Err(error) => why = error,
            }
        }
        Err(format!("PostgreSQL did not start: {why}"))
    }

    fn start_on(programs: &std::path::Path, user: Option<User>, port: u16, durability: Durability) -> Result<Self, String> {
        let dir = directory("tradewind-postgres", user).map_err(|e| e.to_string())?;
        let process = Guarded::start(dir, &command(programs, port, durability), user);
        let mut process = process.map_err(|e| e.to_string())?;
        let status = process.dir().join("data/postmaster.pid");
        // The eighth line is the server's state; pg_ctl waits for the same word.
        process.wait_ready(START_LIMIT, || {
            std::fs::read_to_string(&status).is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
        })?;
        Ok(Self { url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), process })
    }

    /// The administrator's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it runs; the cluster is in `data`.
    pub fn dir(&self) -> &std::path::Path {
        self.process.dir()
    }
}

/// initdb, then the server in its place.
fn command(programs: &std::path::Path, port: u16, durability: Durability) -> Vec<String> {
    const START: &str = r#"bin=$1; shift
"$bin/initdb" -D data -A trust -U postgres -E UTF8 --locale=C --no-sync --no-instructions >initdb.log 2>&1 || { cat initdb.log; exit 1; }
exec "$bin/postgres" -D data "$@""#;
    let mut words = vec!["/bin/sh".into(), "-c".into(), START.into(), "start".into(), programs.display().to_string()];
    let mut set = |name: &str, value: &str| words.extend(["-c".to_owned(), format!("{name}={value}")]);
    set("listen_addresses", "127.0.0.1");
    set("port", &port.to_string());
    set("unix_socket_directories", "..");
    set("max_connections", "400");
    if durability == Durability::Lax {
        set("fsync", "off");
        set("synchronous_commit", "off");
        set("full_page_writes", "off");
    }
    words
}

/// The directory of `initdb` and `postgres`: in `PATH`, or Debian's place, the newest version first.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort_by_key(|dir| {
        let version = dir.parent().and_then(|v| v.file_name()).and_then(|v| v.to_str()).and_then(|v| v.parse::<u32>().ok());
        std::cmp::Reverse(version)
    });
    let postgres = find_program("postgres", &versions)?;
    let dir = postgres.parent()?;
    dir.join("initdb").is_file().then(|| dir.to_owned())
}

/// The administrator's URL of the run's server, or of this process's own, which is started when first asked for.
/// `None` if there is none and none can be started.
pub fn url() -> Option<String> {
    admin_url().ok()
}

fn admin_url() -> Result<String, String> {
    static OWN: OnceLock<Result<Server, String>> = OnceLock::new();
    if let Ok(url) = std::env::var(VARIABLE) {
        return Ok(url);
    }
    OWN.get_or_init(|| Server::start(Durability::Lax)).as_ref().map(|server| server.url().to_owned()).map_err(Clone::clone)
}
