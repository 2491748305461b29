//! The binary `tradewind`: command line, configuration, wiring. No logic lives here.

mod cli;
mod commands;
mod logging;
mod settings;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::read();
    if matches!(cli.command, cli::Command::ScriptWorker) {
        return script::work();
    }
    let logging = logging::start();
    // Installing fails only if something was installed before, and nothing was.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = runtime.block_on(commands::run(cli, &logging));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

#[allow(clippy::print_stderr, reason = "the last word of a command that failed")]
fn failed(error: &anyhow::Error) -> ExitCode {
    // An error of ours is written for people; what caused it is for whoever looks closer.
    match error.downcast_ref::<kernel::Error>() {
        Some(ours) => {
            eprintln!("error: {}", ours.detail());
            let mut source = std::error::Error::source(ours);
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
        }
        None => eprintln!("error: {error:#}"),
    }
    ExitCode::from(1)
}
