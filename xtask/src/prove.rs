//! `cargo xtask prove`: the promises at full size.

use anyhow::Result;

use crate::test;

/// Runs the tests named `…prove_<name>…` with `TRADEWIND_FULL=1`, which makes them use the numbers of the promise in place of CI's.
pub(crate) fn run(name: &str) -> Result<()> {
    test::run(&test::Run::new("prove").release().set("TRADEWIND_FULL", "1").only(format!("prove_{name}")))
}
