//! SQS and S3 for tests: moto, which checks signatures, in a Python environment of its own beside the build.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::guarded::{Guarded, directory};
use crate::port;

/// What is installed, with the library that tests read back with.
const PACKAGES: &[&str] = &["moto[server,s3,sqs]~=5.2", "boto3"];
/// Long enough for a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A moto server that ends with its owner.
#[derive(Debug)]
pub struct Server {
    port: u16,
    python: PathBuf,
    _process: Guarded,
}

impl Server {
    /// Starts one whose environment is kept below `base` (`env!("CARGO_TARGET_TMPDIR")`). After `open_calls` calls, every one must be signed
    /// with a key that was made in these.
    pub fn start(base: &Path, open_calls: u32) -> Result<Self, String> {
        let python = environment(base)?;
        let mut why = String::new();
        for _ in 0..3 {
            match Self::start_on(python.clone(), port::free(), open_calls) {
                Ok(server) => return Ok(server),
                Err(error) => why = error,
            }
        }
        Err(format!("moto did not start: {why}"))
    }

    fn start_on(python: PathBuf, port: u16, open_calls: u32) -> Result<Self, String> {
        let dir = directory("tradewind-moto", None).map_err(|e| e.to_string())?;
        let command = [&python.display().to_string(), "-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()].map(String::from);
        let environment = [("INITIAL_NO_AUTH_ACTION_COUNT", open_calls.to_string())];
        let mut process = Guarded::start_ended_by("TERM", dir, &command, &environment, None).map_err(|e| e.to_string())?;
        process.wait_ready(START_LIMIT, || TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok())?;
        Ok(Self { port, python, _process: process })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Runs a Python program with boto3 and gives what it prints. Panics if it fails.
    pub fn python(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.python);
        command.args(["-c", program, &self.url()]).args(arguments).env("AWS_DEFAULT_REGION", "eu-central-1");
        run(&mut command).unwrap_or_else(|why| panic!("{why}"))
    }
}

/// The environment's interpreter, installed once: other processes wait, and an installation that broke off is begun anew.
fn environment(base: &Path) -> Result<PathBuf, String> {
    let dir = base.join("moto");
    let text = |error: std::io::Error| format!("{}: {error}", dir.display());
    std::fs::create_dir_all(base).map_err(text)?;
    let lock = File::create(base.join("moto.lock")).map_err(text)?;
    lock.lock().map_err(text)?;
    let (done, python) = (dir.join("installed"), dir.join("bin/python"));
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&dir);
        let hint = |why: String| format!("moto is not installed and could not be (Debian: apt-get install python3-venv): {why}");
        run(Command::new("python3").args(["-m", "venv"]).arg(&dir)).map_err(hint)?;
        let mut pip = Command::new(&python);
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES)).map_err(hint)?;
        std::fs::write(done, "").map_err(text)?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|why| format!("{}: {why}", command.get_program().display()))?;
    let said = || format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("{}: {}\n{}", command.get_program().display(), output.status, said()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
