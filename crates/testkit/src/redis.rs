//! A Redis server for tests: in memory only, on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use crate::guarded::{Guarded, directory, find_program};
use crate::port;

/// The environment variable with the URL of the run's server.
pub const VARIABLE: &str = "TRADEWIND_TEST_REDIS";

/// Long enough for a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A Redis that ends with its owner.
#[derive(Debug)]
pub struct Server {
    url: String,
    process: Guarded,
}

impl Server {
    /// Starts one. The error says what is missing or what the server said.
    pub fn start() -> Result<Self, String> {
        let program = find_program("redis-server", &[]).ok_or("redis-server is not installed (Debian: apt-get install redis-server)")?;
        let mut why = String::new();
        for _ in 0..3 {
            match Self::start_on(&program.display().to_string(), port::free()) {
                Ok(server) => return Ok(server),
                Err(error) => why = error,
            }
        }
        Err(format!("Redis did not start: {why}"))
    }

    /// Starts one on a port of which another has just ended.
    pub fn start_at(port: u16) -> Result<Self, String> {
        let program = find_program("redis-server", &[]).ok_or("redis-server is not installed (Debian: apt-get install redis-server)")?;
        Self::start_on(&program.display().to_string(), port)
    }

    /// Starts one of the test's own with a second port for TLS, and gives that: `certificate` and `key` in PEM.
    pub fn start_with_tls(certificate: &str, key: &str) -> Result<(Self, u16), String> {
        let program = find_program("redis-server", &[]).ok_or("redis-server is not installed (Debian: apt-get install redis-server)")?;
        let dir = directory("tradewind-redis", None).map_err(|e| e.to_string())?;
        for (name, text) in [("tls.crt", certificate), ("tls.key", key)] {
            std::fs::write(dir.path().join(name), text).map_err(|e| e.to_string())?;
        }
        let tls = port::free();
        let more =
            format!("--tls-port {tls} --tls-cert-file tls.crt --tls-key-file tls.key --tls-ca-cert-file tls.crt --tls-auth-clients no");
        let more: Vec<&str> = more.split(' ').collect();
        Ok((Self::start_in(dir, &program.display().to_string(), port::free(), &more)?, tls))
    }

    fn start_on(program: &str, port: u16) -> Result<Self, String> {
        Self::start_in(directory("tradewind-redis", None).map_err(|e| e.to_string())?, program, port, &[])
    }

    fn start_in(dir: tempfile::TempDir, program: &str, port: u16, more: &[&str]) -> Result<Self, String> {
        let port_text = port.to_string();
        let arguments = [program, "--bind", "127.0.0.1", "--port", &port_text, "--save", "", "--appendonly", "no", "--dir", "."];
        let arguments: Vec<String> = arguments.iter().chain(more).map(|word| (*word).to_owned()).collect();
        let mut process = Guarded::start(dir, &arguments, None).map_err(|e| e.to_string())?;
        process.wait_ready(START_LIMIT, || answers(port))?;
        Ok(Self { url: format!("redis://127.0.0.1:{port}"), process })
    }

    /// `redis://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("the URL was made with one")
    }

    /// Where it runs.
    pub fn dir(&self) -> &std::path::Path {
        self.process.dir()
    }
}

fn answers(port: u16) -> bool {
    let ping = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"+PONG\r\n")
    };
    ping().unwrap_or(false)
}

/// The URL of the run's server, or of this process's own, which is started when first asked for. Tests share it: use keys of your own
/// ([`crate::unique`]). Panics if there is none and none can be started.
pub fn url() -> String {
    static OWN: OnceLock<Result<Server, String>> = OnceLock::new();
    if let Ok(url) = std::env::var(VARIABLE) {
        return url;
    }
    match OWN.get_or_init(Server::start) {
        Ok(server) => server.url().to_owned(),
        Err(why) => panic!("this test needs Redis. {why}"),
    }
}
