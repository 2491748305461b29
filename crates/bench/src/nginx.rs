//! The proxy's reference: Debian's nginx, which checks a key by `map`, limits by `limit_req`, writes an access log and keeps its
//! connections to the backend.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::clock;
use crate::process::{Guarded, free_port};

/// The path that is passed on.
pub const PATH: &str = "/shop/bare";

/// A running nginx; its workers end with this value.
#[derive(Debug)]
pub struct Nginx {
    process: Guarded,
    /// Where it listens.
    pub address: SocketAddr,
    directory: TempDir,
}

impl Nginx {
    /// Starts nginx with as many workers as there are processors, for calls with `key` that go to `path` of `backend`.
    pub fn start(key: &str, backend: SocketAddr, path: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tradewind-nginx-").tempdir()?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        std::fs::write(directory.path().join("nginx.conf"), configuration(directory.path(), workers, address, key, backend, path))?;
        let mut command = invocation(directory.path());
        let process = Guarded::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
            .context("nginx is missing: apt-get install nginx-light")?;
        let mut nginx = Self { process, address, directory };
        nginx.wait()?;
        Ok(nginx)
    }

    fn wait(&mut self) -> Result<()> {
        let start = clock::now_ns();
        while clock::since(start) < Duration::from_secs(5) {
            ensure!(self.process.ended()?.is_none(), "nginx ended: {}", self.errors());
            #[allow(clippy::disallowed_methods, reason = "loopback: whether it listens yet")]
            if std::net::TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
        }
        anyhow::bail!("nginx does not listen: {}", self.errors())
    }

    fn errors(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers; killed, it would leave them behind.
        let stopped = invocation(self.directory.path()).args(["-s", "stop"]).stderr(Stdio::null()).status();
        let start = clock::now_ns();
        while stopped.is_ok() && clock::since(start) < Duration::from_secs(5) && matches!(self.process.ended(), Ok(None)) {
            std::thread::yield_now();
        }
    }
}

fn invocation(directory: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(directory).arg("-c").arg(directory.join("nginx.conf"));
    command
}

/// What the gate does as well: who (map), how often (`limit_req`, far above what comes), a log row for each call, addresses passed on.
fn configuration(directory: &Path, workers: usize, address: SocketAddr, key: &str, backend: SocketAddr, path: &str) -> String {
    let dir = directory.display();
    format!(
        r#"daemon off;
worker_processes {workers};
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    access_log {dir}/access.log combined buffer=64k flush=1s;
    keepalive_requests 100000000;
    map_hash_bucket_size 256;
    map $http_authorization $client {{
        default "";
        "Bearer {key}" "bench";
    }}
    limit_req_zone $client zone=clients:10m rate=1000000r/s;
    upstream backend {{
        server {backend};
        keepalive 256;
        keepalive_requests 100000000;
    }}
    server {{
        listen {address} backlog=4096;
        location = {PATH} {{
            if ($client = "") {{ return 401; }}
            limit_req zone=clients burst=100000 nodelay;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "";
            proxy_set_header Tradewind-Client $client;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $host;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_pass http://backend{path};
        }}
    }}
}}
"#
    )
}
