//! Child processes and what the kernel says about them (Linux: `/proc`).

use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kernel::Ambient;

use crate::clock;

/// A child that is killed and reaped when dropped, so that no run leaves a process behind.
#[derive(Debug)]
pub struct Guarded(Child);

impl Guarded {
    /// Starts it.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        Ok(Self(command.spawn().with_context(|| format!("starting {:?}", command.get_program()))?))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The child itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// `kill -9`, and waits until the kernel has taken it away.
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// SIGTERM, then waits for at most `patience`. Error: it did not end in time (it is killed then).
    pub async fn terminate(&mut self, patience: Duration) -> Result<ExitStatus> {
        let pid = self.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().context("running kill")?;
        anyhow::ensure!(sent.success(), "kill -TERM {pid} failed");
        let start = clock::now_ns();
        while clock::since(start) < patience {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.kill()?;
        bail!("process {pid} did not end within {patience:?} of SIGTERM")
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Resident memory of a process, in bytes.
pub fn resident(pid: u32) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).context("reading the process's memory")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a process without VmRSS has ended")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS in kB")?;
    Ok(kilobytes * 1024)
}

/// Memory of a process that is its own and no file's, in bytes.
pub fn anonymous(pid: u32) -> Result<u64> {
    status_kilobytes(pid, "RssAnon:").map(|kilobytes| kilobytes * 1024)
}

fn status_kilobytes(pid: u32, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).context("reading the process's memory")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("a process without {name} has ended"))?;
    line.trim().trim_end_matches("kB").trim().parse().with_context(|| format!("{name} in kB"))
}

/// Processor time that a process has used, user and system.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("reading the process's times")?;
    // The command's name, in parentheses, may hold anything; the fields after it are numbers. utime and stime are fields 14 and 15.
    let after = text.rsplit_once(')').context("a name in parentheses")?.1;
    let ticks: u64 = after.split_ascii_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    // USER_HZ is 100 on every Linux that this runs on.
    Ok(Duration::from_millis(ticks * 10))
}

/// A port of 127.0.0.1 that is free now. It lies below the kernel's range for outgoing connections, so that a server which is
/// restarted on it does not find it taken by one of the thousands of connections that these runs make.
pub fn free_port() -> Result<u16> {
    let ambient = Ambient::system();
    for _ in 0..200 {
        let port = u16::try_from(12_000 + ambient.below(20_000)).expect("below 32,000");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port found in 200 tries")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_numbers() {
        let pid = std::process::id();
        assert!(resident(pid).unwrap() > 100_000);
        assert!(processor_time(pid).unwrap() < Duration::from_secs(3600));
        assert!(free_port().unwrap() >= 12_000);
    }

    #[tokio::test]
    async fn terminates_and_kills() {
        let mut child = Guarded::spawn(Command::new("sleep").arg("100")).unwrap();
        assert!(child.ended().unwrap().is_none());
        assert!(!child.terminate(Duration::from_secs(5)).await.unwrap().success());
        let mut child = Guarded::spawn(Command::new("sleep").arg("100")).unwrap();
        let pid = child.id();
        child.kill().unwrap();
        assert!(resident(pid).is_err());
    }
}
