//! `cargo xtask ci`: the steps in order, the first failure ends it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{links, shell, test, tidy};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("format", || shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))),
    ("lints", lints),
    ("tidy", || tidy::run(false)),
    ("build", || test::build_binary(false).map(drop)),
    ("tests", || test::run(&test::Run::new("ci"))),
    ("documentation", documentation),
    ("links", links::run),
];

/// Runs every step and prints how long each took.
pub(crate) fn run() -> Result<()> {
    let start = Instant::now();
    for (name, step) in STEPS {
        println!("── {name}");
        let begun = Instant::now();
        let outcome = step();
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("── {name}: {verdict} in {}", show(begun.elapsed()));
        outcome.with_context(|| format!("step {name}"))?;
    }
    println!("── all steps: ok in {}", show(start.elapsed()));
    Ok(())
}

fn lints() -> Result<()> {
    shell::run(&mut shell::cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

fn documentation() -> Result<()> {
    shell::run(shell::cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))
}

fn show(time: Duration) -> String {
    format!("{}:{:02} min", time.as_secs() / 60, time.as_secs() % 60)
}
