//! `cargo xtask prove`: the promises at full size.

use anyhow::Result;

use crate::{bench, test};

/// Proofs against the real server, by the load generator.
const WITH_BENCH: [&str; 9] = ["kill", "backlog", "fair", "hanging", "fan-out", "usage", "keys", "records", "jobs"];

/// One proof, or all without a name: those of the load generator, or the tests named `…prove_<name>…` with `TRADEWIND_FULL=1`, which makes them use the numbers of the promise in place of CI's.
pub(crate) fn run(name: &str, seeds: Option<u64>, seed: Option<u64>, rest: &[String]) -> Result<()> {
    for proof in WITH_BENCH.into_iter().filter(|proof| name.is_empty() || name == *proof) {
        let arguments = [&["prove".to_owned(), proof.to_owned()], rest].concat();
        bench::run(&arguments)?;
    }
    if WITH_BENCH.contains(&name) {
        return Ok(());
    }
    let mut run = test::Run::new("prove").release().set("TRADEWIND_FULL", "1").only(format!("prove_{}", name.replace('-', "_")));
    for (variable, value) in [("TRADEWIND_SEEDS", seeds), ("TRADEWIND_SEED", seed)] {
        if let Some(value) = value {
            run = run.set(variable, value.to_string());
        }
    }
    test::run(&run)
}
