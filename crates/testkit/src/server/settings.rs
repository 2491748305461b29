//! What a server is started with.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::Server;
use crate::{Engine, port};

const PORT_IS_FREE_WITHIN: std::time::Duration = std::time::Duration::from_secs(15);

/// The environment of a server and of the commands that act on the same data.
/// The caller's own `TRADEWIND_…` variables do not reach it.
#[derive(Clone, Debug)]
pub struct Settings {
    program: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    data_dir: PathBuf,
    listen: SocketAddr,
    admin_listen: SocketAddr,
}

impl Settings {
    /// On `engine`, on two free ports, as a developer's machine: plain `http://` receivers on loopback are allowed. Keep the engine
    /// for as long as the server runs.
    pub fn new(engine: &Engine) -> Self {
        let free = || SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        let mut settings =
            Self { program: None, variables: BTreeMap::new(), data_dir: engine.data_dir(), listen: free(), admin_listen: free() };
        if let Some(url) = engine.database_url() {
            settings.put("TRADEWIND_DATABASE_URL", &url);
        }
        settings.put("TRADEWIND_ENV", "development");
        settings.put("TRADEWIND_ALLOW_NETWORKS", "127.0.0.0/8");
        settings
    }

    /// Another server on the same database: its own ports and its own directory, which must hold the same master key
    /// (or set `TRADEWIND_MASTER_KEY` on both).
    #[must_use]
    pub fn second_node(&self, data_dir: PathBuf) -> Self {
        let free = || SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
        Self { data_dir, listen: free(), admin_listen: free(), ..self.clone() }
    }

    /// Sets a variable, such as `TRADEWIND_BLUEPRINT`.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.put(name, value);
        self
    }

    /// Removes a variable.
    #[must_use]
    pub fn unset(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Runs this program in place of the binary under test: an older release, for example.
    #[must_use]
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// The data directory.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.data_dir
    }

    /// Where it listens.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where its administration listener is.
    pub fn admin_listen(&self) -> SocketAddr {
        self.admin_listen
    }

    /// Starts the server and waits until it is ready. Panics with its standard error otherwise.
    pub fn start(self) -> Server {
        // Ports are chosen before they are listened on; meanwhile a connection of another test may have come out of one.
        let started = crate::wait::poll(PORT_IS_FREE_WITHIN, || match self.clone().try_start() {
            Err(why) if why.contains("Address already in use") => None,
            outcome => Some(outcome),
        });
        started.unwrap_or_else(|| self.try_start()).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Starts the server and waits until it is ready; the error has the exit status and the end of its standard error.
    pub fn try_start(self) -> Result<Server, String> {
        Server::start(self)
    }

    /// A command of the binary with this environment and no standard input.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program.clone().unwrap_or_else(binary));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TRADEWIND_")) {
            command.env_remove(name);
        }
        command.env("TRADEWIND_DATA_DIR", &self.data_dir);
        command.env("TRADEWIND_LISTEN", self.listen.to_string()).env("TRADEWIND_ADMIN_LISTEN", self.admin_listen.to_string());
        command.envs(&self.variables).args(arguments).current_dir(&self.data_dir).stdin(Stdio::null());
        command
    }

    /// Runs a command of the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.output().unwrap_or_else(|e| panic!("{}: {e}", command.get_program().display()))
    }

    /// Makes an operator's service key. Panics if that fails.
    pub fn service_key(&self) -> String {
        let output = self.run(&["service-key", "create", "--name", "test"]);
        assert!(output.status.success(), "service-key create: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a key is ASCII").trim().to_owned()
    }

    fn put(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }
}

/// The binary under test: `TRADEWIND_BIN`, or `tradewind` beside the running test in the target directory.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TRADEWIND_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the running program has a path");
    // …/debug/deps/it-0123456789abcdef → …/debug/tradewind
    let found = test.ancestors().skip(1).take(3).map(|dir| dir.join("tradewind")).find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("no tradewind binary near {}: run `cargo build -p tradewind`, or set TRADEWIND_BIN", test.display()))
}
