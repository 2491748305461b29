//! `tradewind serve` as a child process on loopback ports and a data directory of its own.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::clock;
use crate::process::{Guarded, free_port};
use crate::wire::{Wire, write_request};

/// What every run needs to know about its surroundings.
#[derive(Clone, Debug)]
pub struct Place {
    /// The server's binary.
    pub server: PathBuf,
    /// This crate's own binary, which also plays the references.
    pub tool: PathBuf,
    /// A PostgreSQL server with a role that may create databases; each run makes one and drops it. None: SQLite.
    pub postgres: Option<String>,
}

/// A data directory, its addresses and, while it runs, the process.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    directory: TempDir,
    address: SocketAddr,
    admin: SocketAddr,
    database: Option<Database>,
    process: Option<Guarded>,
    blueprint: String,
}

impl Server {
    /// Chooses ports, makes a temporary data directory (`TMPDIR` must be on a real disk, or durability costs nothing) and, on PostgreSQL,
    /// a database. Nothing runs yet.
    pub fn prepare(place: &Place) -> Result<Self> {
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let database = place.postgres.as_deref().map(Database::create).transpose()?;
        let directory = tempfile::Builder::new().prefix("tradewind-bench-").tempdir()?;
        let (address, admin) = (address(free_port()?), address(free_port()?));
        Ok(Self {
            binary: place.server.clone(),
            directory,
            address,
            admin,
            database,
            process: None,
            blueprint: "insurance-leads".to_owned(),
        })
    }

    /// Uses this blueprint from the next start on.
    pub fn set_blueprint(&mut self, text: &str) -> Result<()> {
        let file = self.directory.path().join("blueprint.toml");
        std::fs::write(&file, text)?;
        self.blueprint = file.display().to_string();
        Ok(())
    }

    /// Where it listens, running or not.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database, on PostgreSQL.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(Database::url)
    }

    /// Its data, for who prepares something beside it.
    pub(crate) fn data(&self, ambient: &kernel::Ambient) -> Result<(store::Database, store::MasterKey)> {
        let directory = self.directory.path().join("data");
        let master = store::MasterKey::load_or_create(&directory, ambient)?.0;
        let database =
            self.database_url().map_or_else(|| store::Database::Sqlite(directory), |url| store::Database::Postgres(url.to_owned()));
        Ok((database, master))
    }

    /// Its process id. Error: it does not run.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.process.as_ref().context("the server does not run")?.id())
    }

    /// Runs a command of the binary on the same data and returns what it printed, trimmed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command().args(arguments).stdin(Stdio::null()).output().context("running the server's binary")?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        anyhow::ensure!(output.status.success(), "tradewind {} failed ({}): {err}", arguments.join(" "), output.status);
        Ok(out.trim().to_owned())
    }

    /// Starts the process without waiting for it to answer. Its log goes to `server.log` in the data directory.
    pub fn start(&mut self) -> Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let mut command = self.command();
        command.arg("serve").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.process = Some(Guarded::spawn(&mut command)?);
        Ok(())
    }

    /// Waits until `GET path` is answered with 200, asking every millisecond. Error: the process ended, or `patience` did.
    pub async fn answers(&mut self, path: &str, bearer: Option<&str>, patience: Duration) -> Result<()> {
        let mut request = Vec::new();
        let bearer = bearer.map(|key| format!("Bearer {key}"));
        let headers: Vec<_> = bearer.as_deref().map(|value| ("authorization", value)).into_iter().collect();
        write_request(&mut request, "GET", path, &headers, None);
        let start = clock::now_ns();
        let mut last = "no connection".to_owned();
        while clock::since(start) < patience {
            match ask(self.address, &request).await {
                Ok(200) => return Ok(()),
                Ok(status) => last = format!("status {status}"),
                Err(error) => last = error.to_string(),
            }
            let process = self.process.as_mut().context("the server does not run")?;
            if let Some(status) = process.ended()? {
                bail!("the server ended with {status}: {}", self.log_tail());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!("GET {path}: {last} after {patience:?}; the log ends: {}", self.log_tail())
    }

    /// Starts it and waits until it is ready.
    pub async fn start_ready(&mut self) -> Result<()> {
        self.start()?;
        self.answers("/health/ready", None, Duration::from_secs(60)).await
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().context("the server does not run")?.kill()
    }

    /// SIGTERM; the server has 35 s to drain (it promises 30). Error: it did not end by itself, or not with success.
    pub async fn stop(&mut self) -> Result<()> {
        let status = self.process.take().context("the server does not run")?.terminate(Duration::from_secs(35)).await?;
        anyhow::ensure!(status.success(), "after SIGTERM the server ended with {status}: {}", self.log_tail());
        Ok(())
    }

    /// The end of the log, for messages.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(10).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("server.log")
    }

    fn command(&self) -> Command {
        let data: &Path = self.directory.path();
        let mut command = Command::new(&self.binary);
        command
            .current_dir(data)
            .env("TRADEWIND_LISTEN", self.address.to_string())
            .env("TRADEWIND_ADMIN_LISTEN", self.admin.to_string())
            .env("TRADEWIND_DATA_DIR", data.join("data"))
            .env("TRADEWIND_ENV", "development")
            .env("TRADEWIND_ALLOW_NETWORKS", "127.0.0.0/8")
            .env("TRADEWIND_BLUEPRINT", &self.blueprint);
        for unwanted in ["TRADEWIND_REDIS_URL", "TRADEWIND_MASTER_KEY", "TRADEWIND_PUBLIC_URL", "TRADEWIND_DATABASE_URL"] {
            command.env_remove(unwanted);
        }
        if let Some(database) = &self.database {
            command.env("TRADEWIND_DATABASE_URL", &database.url);
        }
        command
    }
}

async fn ask(to: SocketAddr, request: &[u8]) -> std::io::Result<u16> {
    Ok(Wire::connect(to).await?.exchange(request).await?.status)
}

/// A database of one run, made and dropped with the `psql` client.
#[derive(Debug)]
pub(crate) struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn create(server: &str) -> Result<Self> {
        let bytes: [u8; 8] = kernel::Ambient::system().bytes();
        let name = format!("tradewind_bench_{:016x}", u64::from_le_bytes(bytes));
        psql(server, &format!("CREATE DATABASE {name}"))?;
        Ok(Self { server: server.to_owned(), url: with_database(server, &name)?, name })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = psql(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)) {
            crate::progress::say(format!("could not drop the database {}: {error:#}", self.name));
        }
    }
}

pub(crate) fn psql(server: &str, statement: &str) -> Result<()> {
    let output = Command::new("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, "-d", server]).output();
    let output = output.context("running psql, which is needed to make a database for the run")?;
    anyhow::ensure!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// `postgres://user@host:port/one?x=y` with another database in place of `one`.
fn with_database(url: &str, name: &str) -> Result<String> {
    let (scheme, rest) = url.split_once("://").context("a PostgreSQL URL begins with postgres://")?;
    let (rest, query) = rest.split_once('?').map_or((rest, String::new()), |(rest, query)| (rest, format!("?{query}")));
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    Ok(format!("{scheme}://{authority}/{name}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server() {
        for (url, wanted) in [
            ("postgres://u:p@h:5432/one", "postgres://u:p@h:5432/two"),
            ("postgres://u@h", "postgres://u@h/two"),
            ("postgres://u@h/one?sslmode=disable", "postgres://u@h/two?sslmode=disable"),
        ] {
            assert_eq!(with_database(url, "two").unwrap(), wanted);
        }
        assert!(with_database("h:5432", "two").is_err());
    }

    #[tokio::test]
    async fn a_server_that_ends_at_once_is_an_error_with_its_log() {
        let place = Place { server: "/bin/false".into(), tool: PathBuf::new(), postgres: None };
        let mut server = Server::prepare(&place).unwrap();
        let error = server.start_ready().await.unwrap_err().to_string();
        assert!(error.contains("ended with"), "{error}");
    }
}
