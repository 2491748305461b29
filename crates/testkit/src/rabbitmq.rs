//! A RabbitMQ for tests, on loopback. It is ready after some six seconds, so let one test do much with it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use crate::guarded::{Guarded, directory, find_program};
use crate::port;

/// The Debian package.
pub const PACKAGE: &str = "rabbitmq-server";
/// Long enough for a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);

/// A RabbitMQ that ends with its owner. User and password are `guest`.
#[derive(Debug)]
pub struct Server {
    port: u16,
    _process: Guarded,
}

/// Whether the program is there. The error says what to install.
pub fn installed() -> Result<PathBuf, String> {
    // Not the one in /usr/sbin, which changes user and directory.
    let inner = PathBuf::from("/usr/lib/rabbitmq/bin");
    find_program("rabbitmq-server", &[inner]).ok_or_else(|| format!("{PACKAGE} is not installed (Debian: apt-get install {PACKAGE})"))
}

impl Server {
    /// Starts one. The error says what is missing or what the server said.
    pub fn start() -> Result<Self, String> {
        let program = installed()?;
        let mut why = String::new();
        for _ in 0..3 {
            match Self::start_on(&program.display().to_string(), port::free(), port::free()) {
                Ok(server) => return Ok(server),
                Err(error) => why = error,
            }
        }
        Err(format!("RabbitMQ did not start: {why}"))
    }

    fn start_on(program: &str, port: u16, distribution: u16) -> Result<Self, String> {
        let dir = directory("tradewind-rabbitmq", None).map_err(|e| e.to_string())?;
        let path = |name: &str| dir.path().join(name).display().to_string();
        let settings = format!("listeners.tcp.1 = 127.0.0.1:{port}\ndistribution.listener.interface = 127.0.0.1\n");
        std::fs::write(dir.path().join("rabbitmq.conf"), settings).map_err(|e| e.to_string())?;
        let environment = [
            ("HOME", path("")),
            ("RABBITMQ_NODENAME", format!("{}@localhost", crate::unique("test"))),
            ("RABBITMQ_CONFIG_FILE", path("rabbitmq.conf")),
            ("RABBITMQ_MNESIA_BASE", path("data")),
            ("RABBITMQ_LOG_BASE", path("logs")),
            ("RABBITMQ_LOGS", "-".to_owned()),
            ("RABBITMQ_PID_FILE", path("pid")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", path("plugins")),
            ("RABBITMQ_DIST_PORT", distribution.to_string()),
            // Without the daemon that maps node names: it would outlive the test.
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", format!("-start_epmd false -erl_epmd_port {distribution}")),
            // The script then becomes the server, so that a signal reaches it.
            ("NOTIFY_SOCKET", path("nobody")),
        ];
        let process = Guarded::start_ended_by("TERM", dir, &[program.to_owned()], &environment, None);
        let mut process = process.map_err(|e| e.to_string())?;
        process.wait_ready(START_LIMIT, || speaks(port))?;
        Ok(Self { port, _process: process })
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// Whether it answers the protocol's header with a method frame.
fn speaks(port: u16) -> bool {
    let greet = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"AMQP\0\0\x09\x01")?;
        let mut answer = [0; 1];
        stream.read_exact(&mut answer)?;
        Ok(answer == [1])
    };
    greet().unwrap_or(false)
}
