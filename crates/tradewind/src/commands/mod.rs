//! One file per command.

mod asyncapi;
mod blueprint;
mod certify;
mod connector;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod job_secret;
mod listen;
mod maintenance;
mod migrate;
mod openapi;
mod postman;
mod reload;
mod serve;
mod service_key;
mod upstream;
mod user;
mod verify_log;

use tracing::instrument::WithSubscriber as _;

use crate::cli::{Cli, Command};
use crate::logging::Socket;

/// Runs the command that was asked for.
pub(crate) async fn run(cli: Cli, logging: &Socket) -> anyhow::Result<()> {
    match cli.command {
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(cli.settings, args).await,
        Command::Serve => serve::run(&cli.settings.resolve()?, logging).await,
        Command::ServiceKey(command) => service_key::run(&cli.settings.resolve()?, command).await,
        Command::User(command) => user::run(&cli.settings.resolve()?, command).await,
        Command::Maintenance(command) => maintenance::run(&cli.settings.resolve()?, command).await,
        Command::Upstream(command) => upstream::run(&cli.settings.resolve()?, command).await,
        Command::JobSecret { name } => job_secret::run(&cli.settings.resolve()?, &name).await,
        Command::Reload => reload::run(&cli.settings.resolve()?).await,
        Command::Migrate => migrate::run(&cli.settings.resolve()?).await,
        Command::VerifyLog(args) => verify_log::run(&cli.settings.resolve()?, args.anchor.as_deref()).await,
        Command::Doctor(args) => doctor::run(&cli.settings.resolve()?, args).await,
        Command::Blueprint(command) => blueprint::run(cli.settings, command).await,
        Command::Connector(command) => connector::run(command).await,
        Command::Asyncapi => asyncapi::run(&cli.settings.resolve()?),
        Command::Openapi => quietly(openapi::run(&cli.settings.resolve()?)).await,
        Command::Postman => quietly(postman::run(&cli.settings.resolve()?)).await,
        Command::Listen(args) => listen::run(args).await,
        Command::Certify(args) => certify::run(&cli.settings.resolve()?, args).await,
        // Served before anything else is started: see `main`.
        Command::ScriptWorker => Ok(()),
    }
}

/// Runs what builds a system on a database that nobody sees: what it would log of it is not so.
async fn quietly<T>(work: impl Future<Output = T>) -> T {
    work.with_subscriber(tracing::subscriber::NoSubscriber::default()).await
}

/// Writes what a command was asked for to standard output.
/// Whoever reads it may stop reading (`| head`): that is no failure.
fn answer(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}
