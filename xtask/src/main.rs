//! The project's tasks: `cargo xtask --help`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]
#![allow(clippy::disallowed_methods, reason = "a development tool reads its environment; nothing here ships")]

mod bench;
mod ci;
mod links;
mod prove;
mod runtimes;
mod servers;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must hold before a change lands: format, lints, tidy, build, tests, documentation.
    Ci,
    /// All tests, on SQLite, PostgreSQL and Redis; the servers are started and stopped here.
    Test {
        /// Passed to the test runner: names, `-p <crate>`, `-E <expression>`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// The rules of the code base that no compiler knows.
    Tidy {
        /// Also show what is only advice.
        #[arg(long)]
        advice: bool,
    },
    /// Builds the release binaries and runs the load generator with these arguments.
    Bench {
        /// Passed to `bench`: see `cargo xtask bench --help`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// A promise at full size: the release build of every test whose name contains `prove_<name>`, with `TRADEWIND_FULL=1`.
    Prove {
        /// Which promise; all without it.
        name: Option<String>,
        /// How many seeds the simulator tries.
        #[arg(long)]
        seeds: Option<u64>,
        /// Only this seed of the simulator, with a diary of what happened.
        #[arg(long)]
        seed: Option<u64>,
        /// For `kill` and `backlog`: passed to `bench prove`.
        #[arg(last = true)]
        rest: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Ci => ci::run(),
        Task::Test { rest } => test::run(&test::Run::new("default").arguments(rest)),
        Task::Tidy { advice } => tidy::run(advice),
        Task::Bench { rest } => bench::run(&rest),
        Task::Prove { name, seeds, seed, rest } => prove::run(name.as_deref().unwrap_or_default(), seeds, seed, &rest),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
