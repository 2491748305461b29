//! A NATS server with JetStream for tests, on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::guarded::{Guarded, directory, find_program};
use crate::port;

/// The Debian package.
pub const PACKAGE: &str = "nats-server";
/// Long enough for a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A NATS server that ends with its owner.
#[derive(Debug)]
pub struct Server {
    port: u16,
    _process: Guarded,
}

/// Whether the program is there. The error says what to install.
pub fn installed() -> Result<std::path::PathBuf, String> {
    find_program("nats-server", &["/usr/sbin".into()])
        .ok_or_else(|| format!("{PACKAGE} is not installed (Debian: apt-get install {PACKAGE})"))
}

impl Server {
    /// Starts one with JetStream. `settings` are more lines of its configuration file (`authorization { … }`).
    pub fn start(settings: &str) -> Result<Self, String> {
        let program = installed()?;
        let mut why = String::new();
        for _ in 0..3 {
            match Self::start_on(&program.display().to_string(), port::free(), settings) {
                Ok(server) => return Ok(server),
                Err(error) => why = error,
            }
        }
        Err(format!("NATS did not start: {why}"))
    }

    fn start_on(program: &str, port: u16, settings: &str) -> Result<Self, String> {
        let dir = directory("tradewind-nats", None).map_err(|e| e.to_string())?;
        let file = format!("host: 127.0.0.1\nport: {port}\njetstream {{ store_dir: \"{}\" }}\n{settings}\n", dir.path().display());
        std::fs::write(dir.path().join("nats.conf"), file).map_err(|e| e.to_string())?;
        let mut process = Guarded::start(dir, &[program, "-c", "nats.conf"].map(String::from), None).map_err(|e| e.to_string())?;
        process.wait_ready(START_LIMIT, || introduces_itself(port))?;
        Ok(Self { port, _process: process })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn introduces_itself(port: u16) -> bool {
    let hear = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        stream.flush()?;
        Ok(&answer == b"INFO ")
    };
    hear().unwrap_or(false)
}
