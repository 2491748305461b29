//! The real `tradewind serve` as a process: killed, terminated and restarted on the same data and the same ports.

mod settings;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait;
pub use settings::{Settings, binary};

/// Long enough for migrations on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The server promises to drain within 30 s.
const STOP_LIMIT: Duration = Duration::from_secs(45);

/// A running (or killed) server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    child: Option<Child>,
    log: PathBuf,
}

impl Server {
    /// Starts with `settings` and waits until `GET /health/ready` answers 200. The error has the exit status and the end of standard error.
    pub(crate) fn start(settings: Settings) -> Result<Self, String> {
        let log = settings.data_dir().join(format!("{}.log", crate::unique("stderr")));
        let mut server = Self { settings, child: None, log };
        server.try_restart()?;
        Ok(server)
    }

    /// Starts it again after [`Server::kill9`] or [`Server::terminate`]: same data, same ports. Panics if it does not become ready.
    pub fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|why| panic!("{why}"));
    }

    /// As [`Server::restart`], with an error in place of the panic.
    pub fn try_restart(&mut self) -> Result<(), String> {
        self.kill9();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&self.log).map_err(|e| e.to_string())?;
        let mut command = self.settings.command(&["serve"]);
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        self.child = Some(child.map_err(|e| format!("{}: {e}", command.get_program().display()))?);
        self.wait_ready(START_LIMIT)
    }

    fn wait_ready(&mut self, limit: Duration) -> Result<(), String> {
        let address = self.address();
        let child = self.child.as_mut().expect("it was just started");
        let ended = wait::poll(limit, || match child.try_wait() {
            Ok(Some(status)) => Some(Err(format!("the server ended: {status}"))),
            Ok(None) => is_ready(address).then_some(Ok(())),
            Err(error) => Some(Err(error.to_string())),
        });
        let outcome = ended.unwrap_or_else(|| Err(format!("the server was not ready within {limit:?}")));
        outcome.map_err(|why| {
            self.kill9();
            format!("{why}\n{}", self.stderr_tail(40))
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.settings.listen()
    }

    /// `http://127.0.0.1:<port>`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The administration listener (`/metrics`), as `http://127.0.0.1:<port>`.
    pub fn admin_base(&self) -> String {
        format!("http://{}", self.settings.admin_listen())
    }

    /// A client for it, without credentials.
    pub fn client(&self) -> crate::http::Client {
        crate::http::Client::new(self.base())
    }

    /// What it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its process id. Panics when it does not run.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// SIGKILL, and waits until it is gone. Nothing to do if it does not run.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Killing fails only when it has ended already; waiting then gives its status.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM, and waits until it has drained and ended. Panics if it does not run or takes longer than it promises.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let child = self.child.as_mut().expect("it was just signalled");
        let ended = wait::poll(STOP_LIMIT, || child.try_wait().transpose());
        let status = ended.unwrap_or_else(|| panic!("the server did not end within {STOP_LIMIT:?} of SIGTERM\n{}", self.stderr_tail(40)));
        self.child = None;
        status.expect("our own child can be waited for")
    }

    /// Sends a signal. Panics when it does not run.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id is a positive i32");
        kill_process(pid, signal).expect("our own child can be signalled");
    }

    /// Everything it wrote to standard error so far, over all its restarts.
    pub fn stderr(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn stderr_tail(&self, lines: usize) -> String {
        let text = self.stderr();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Makes an operator's service key on the command line, while the server runs or not.
    pub fn service_key(&self) -> String {
        self.settings.service_key()
    }

    /// Resident memory in bytes, from /proc. Panics when it does not run.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.pid().to_string()).join("status")).expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells the resident set");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("it is a number of kB");
        kib * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What the server said is often the only explanation of the failed test.
            let mut out = std::io::stderr().lock();
            let _ = writeln!(out, "--- the server's standard error ends with\n{}\n---", self.stderr_tail(40));
        }
        self.kill9();
    }
}

/// One `GET /health/ready` over a connection of its own.
fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let limit = Some(Duration::from_secs(2));
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(limit)?;
        stream.set_write_timeout(limit)?;
        // In one piece, and read to the end: the server sees an ordinary client.
        stream.write_all(format!("GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.take(64 * 1024).read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
