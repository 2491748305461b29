//! A server process that cannot outlive its starter.
//!
//! Between us and the server stands a small shell. It holds the reading end of a pipe whose other end is ours; when we end, by whatever
//! death, the pipe closes and the shell interrupts the server, waits for it and removes its directory. The shell has a process group
//! of its own, so that Ctrl-C reaches only us.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::wait;

/// `$1` is the directory, `$2` the signal, the rest is the command. The signal (SIGINT, if nothing is said) is repeated because a command that first prepares (initdb) may miss the first one,
/// and gives way to SIGKILL after five seconds because a background job of the shell begins with SIGINT ignored.
const SHELL: &str = r#"
dir=$1; signal=$2; shift 2
exec 3<&0
"$@" 3<&- </dev/null & server=$!
( cat <&3 >/dev/null
  tries=0
  while kill -"$signal" "$server" 2>/dev/null; do
    tries=$((tries + 1)); [ "$tries" -lt 50 ] || kill -KILL "$server" 2>/dev/null
    sleep 0.1
  done ) & watch=$!
exec 3<&-
wait "$server"; code=$?
kill "$watch" 2>/dev/null
rm -rf "$dir"
exit "$code"
"#;

/// A user to run as, when we are root and the server refuses to be.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

impl User {
    /// The system's user of that name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        let list = std::fs::read_to_string("/etc/passwd").ok()?;
        let mut fields = list.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
        Some(Self { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }
}

/// A directory for a server in the system's temporary directory, owned by `user`.
pub fn directory(stem: &str, user: Option<User>) -> io::Result<tempfile::TempDir> {
    let dir = tempfile::Builder::new().prefix(&format!("{stem}-")).tempdir()?;
    if let Some(user) = user {
        std::os::unix::fs::chown(dir.path(), Some(user.uid), Some(user.gid))?;
    }
    Ok(dir)
}

/// A running server. Dropping it stops the server and removes the directory.
#[derive(Debug)]
pub struct Guarded {
    shell: Child,
    dir: PathBuf,
    log: PathBuf,
}

impl Guarded {
    /// Runs `command` (program and arguments) in `dir`, which belongs to the server from now on; output goes to `dir/log`.
    pub fn start(dir: tempfile::TempDir, command: &[String], user: Option<User>) -> io::Result<Self> {
        Self::start_ended_by("INT", dir, command, &[], user)
    }

    /// The same for a server that ends by another signal (`TERM`): a job of the shell begins with SIGINT ignored, and some leave it so.
    pub fn start_ended_by(
        signal: &str,
        dir: tempfile::TempDir,
        command: &[String],
        environment: &[(&str, String)],
        user: Option<User>,
    ) -> io::Result<Self> {
        let log = dir.path().join("log");
        let output = File::create(&log)?;
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", SHELL, "guard"]).arg(dir.path()).arg(signal).args(command).current_dir(dir.path()).process_group(0);
        shell.envs(environment.iter().map(|(name, value)| (*name, value)));
        shell.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output);
        if let Some(user) = user {
            shell.uid(user.uid).gid(user.gid);
        }
        let shell = shell.spawn()?;
        Ok(Self { shell, dir: dir.keep(), log })
    }

    /// The server's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Waits until `ready`. An error says why not, with the end of the server's output.
    pub fn wait_ready(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<(), String> {
        // The directory is removed when the server ends, so what it said is kept while it runs.
        let mut said = String::new();
        let outcome = wait::poll(limit, || {
            if ready() {
                return Some(Ok(()));
            }
            said = std::fs::read_to_string(&self.log).unwrap_or(std::mem::take(&mut said));
            match self.shell.try_wait() {
                Ok(None) => None,
                Ok(Some(status)) => Some(Err(format!("it ended at once ({status})"))),
                Err(error) => Some(Err(error.to_string())),
            }
        });
        let why = match outcome {
            Some(Ok(())) => return Ok(()),
            Some(Err(why)) => why,
            None => format!("it was not ready within {limit:?}"),
        };
        let tail: Vec<&str> = said.lines().rev().take(20).collect();
        Err(format!("{why}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n")))
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // The shell ends when the server has ended and its directory is gone. Nothing useful can be done if it cannot be waited for.
        let _ = self.shell.wait();
    }
}

/// Where `name` is: in `PATH`, or the newest match among `extra` directories.
pub fn find_program(name: &str, extra: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    extra.iter().cloned().chain(std::env::split_paths(&path)).map(|dir| dir.join(name)).find(|file| file.is_file())
}
