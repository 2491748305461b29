//! The servers that the tests need: found, installed where that is possible, started for one run.

use std::process::Command;

use anyhow::{Result, anyhow, bail};
use testkit::{nats, postgres, rabbitmq, redis};

use crate::shell;

/// One PostgreSQL and one Redis. They stop when this is dropped, and also when this process dies (see `testkit::guarded`).
pub(crate) struct Servers {
    postgres: Option<postgres::Server>,
    redis: Option<redis::Server>,
}

impl Servers {
    /// Starts what the environment does not name already.
    pub(crate) fn start() -> Result<Self> {
        let postgres = match std::env::var_os(postgres::VARIABLE) {
            Some(_) => None,
            None => Some(with_install(&["postgresql"], || postgres::Server::start(postgres::Durability::Lax))?),
        };
        let redis = match std::env::var_os(redis::VARIABLE) {
            Some(_) => None,
            None => Some(with_install(&["redis-server"], redis::Server::start)?),
        };
        // Tests of the channels start these themselves, each its own.
        with_install(&[nats::PACKAGE], nats::installed)?;
        with_install(&[rabbitmq::PACKAGE], rabbitmq::installed)?;
        Ok(Self { postgres, redis })
    }

    /// Tells `command` where they are.
    pub(crate) fn announce(&self, command: &mut Command) {
        if let Some(server) = &self.postgres {
            command.env(postgres::VARIABLE, server.url());
        }
        if let Some(server) = &self.redis {
            command.env(redis::VARIABLE, server.url());
        }
    }
}

/// Starts; when that fails because the programs are not there, installs `packages` and tries again.
fn with_install<T>(packages: &[&str], start: impl Fn() -> Result<T, String>) -> Result<T> {
    let why = match start() {
        Ok(server) => return Ok(server),
        Err(why) if why.contains("not installed") => why,
        Err(why) => bail!(why),
    };
    if !can_install() {
        bail!("the tests need {0}. {why}. As root on Debian this task installs it by itself.", packages.join(" and "));
    }
    println!("installing {}", packages.join(" "));
    install(packages)?;
    start().map_err(|why| anyhow!(why))
}

/// Whether packages can be installed here: as root on Debian.
pub(crate) fn can_install() -> bool {
    is_root() && shell::succeeds(Command::new("apt-get").arg("--version"))
}

/// Installs Debian packages.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let mut wanted = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    wanted.extend(packages);
    if shell::run(&mut apt_get(&wanted)).is_err() {
        // The lists may be absent (a container) or old.
        shell::run(&mut apt_get(&["update", "--quiet"]))?;
        shell::run(&mut apt_get(&wanted))?;
    }
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    // RUNLEVEL=1 keeps the packages from starting a server of their own.
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1").stdin(std::process::Stdio::null());
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
