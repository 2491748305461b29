//! The simulator: a seed makes tenants, subscriptions, receivers with bad manners, publications, changes, crashes and jumps of the clock; at the
//! end time passes until nothing is left to do, and then everything that was promised must hold ([`verdict`]).
//!
//! Everything is real but the receivers (a channel without sockets), the clock and chance. What happens, and how each receiver answers each
//! attempt, follows from the seed. What does not: the order in which the database's threads finish, which decides at which moment of an
//! engine's work the next act comes. A failing seed therefore fails again almost always, not always; repeat it with more runs of the same seed.
//!
//! * `cargo xtask prove simulation --seeds 2000`: many seeds, anew each time.
//! * `cargo xtask prove simulation --seed 17`: this one.

#![allow(clippy::disallowed_methods, reason = "which seeds to run is said by the environment: the test runner takes no arguments of ours")]
#![allow(clippy::print_stdout, reason = "how much was tried belongs to the result")]

mod acts;
mod calm;
mod chance;
mod expected;
mod faults;
mod outside;
mod verdict;
mod world;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use faults::Fault;
use futures_util::FutureExt as _;
use testkit::Engine;
use verdict::{Kind, Violation};
use world::World;

/// Worlds at once: they wait for the disk more than they work.
const AT_ONCE: usize = 4;

/// What became of a seed.
struct Outcome {
    violations: Vec<Violation>,
    climate: String,
    diary: Vec<String>,
    calls: usize,
}

async fn world(engine: Engine, seed: u64, fault: Option<Fault>) -> Outcome {
    let mut world = World::open(engine, seed, fault).await;
    let lived = AssertUnwindSafe(live(&mut world)).catch_unwind().await;
    let violations = lived.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        vec![Violation { kind: Kind::Stuck, text: format!("panicked: {}", text.unwrap_or_default()) }]
    });
    let climate = format!("{:?}", world.climate);
    Outcome { violations, climate, calls: world.outside.count(), diary: std::mem::take(&mut world.diary) }
}

async fn live(world: &mut World) -> Vec<Violation> {
    for _ in 0..world.rng.between(20, 70) {
        world.act().await;
    }
    let stuck = world.calm_down().await;
    let mut violations = verdict::judge(world).await;
    violations.extend(stuck.map(|text| Violation { kind: Kind::Stuck, text }));
    violations
}

/// One seed on a thread and a runtime of its own: tasks then take turns in a fixed order.
fn run(engine: Engine, seed: u64, fault: Option<Fault>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(world(engine, seed, fault))
}

fn report(seed: u64, engine: &str, outcome: &Outcome) -> String {
    let mut text = format!("seed {seed} on {engine}: {} violations; {}\n", outcome.violations.len(), outcome.climate);
    for violation in outcome.violations.iter().take(12) {
        let _ = writeln!(text, "  {violation}");
    }
    if std::env::var_os("TRADEWIND_SEED").is_some() {
        let _ = writeln!(text, "{}", outcome.diary.join("\n"));
    }
    let _ = writeln!(text, "once more, with a diary: cargo xtask prove simulation --seed {seed}");
    text
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// The seed that was asked for, or as many new ones as were asked for.
fn seeds(usually: u64) -> Vec<u64> {
    if let Some(seed) = setting("TRADEWIND_SEED") {
        return vec![seed; usize::try_from(setting("TRADEWIND_SEEDS").unwrap_or(1)).unwrap()];
    }
    let full = std::env::var_os("TRADEWIND_FULL").is_some();
    let first = u64::from(u32::from_str_radix(&testkit::unique("")[1..9], 16).unwrap());
    let count = setting("TRADEWIND_SEEDS").unwrap_or(if full { usually * 10 } else { usually });
    (first..first + count).collect()
}

fn all(name: &str, engine: fn() -> Engine, seeds: Vec<u64>) {
    let (count, waiting) = (seeds.len(), Mutex::new(VecDeque::from(seeds)));
    let (bad, calls) = (Mutex::new(Vec::new()), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = waiting.lock().unwrap().pop_front() else { return };
                    let outcome = run(engine(), seed, None);
                    *calls.lock().unwrap() += outcome.calls;
                    if !outcome.violations.is_empty() {
                        bad.lock().unwrap().push(report(seed, name, &outcome));
                    }
                }
            });
        }
    });
    let (bad, calls) = (bad.into_inner().unwrap(), calls.into_inner().unwrap());
    println!("{count} seeds on {name}, {calls} attempts, {} bad", bad.len());
    assert!(bad.is_empty(), "{} of {count} seeds are bad\n\n{}", bad.len(), bad.join("\n"));
    assert!(calls > count * 10, "only {calls} attempts: the simulator does next to nothing");
}

/// 45 seeds, never the same; ten times as many at full size.
#[test]
fn prove_simulation() {
    all("SQLite", Engine::sqlite, seeds(45));
}

/// Some on PostgreSQL, where making a database takes longer than living in it.
#[test]
fn prove_simulation_on_postgres() {
    all("PostgreSQL", Engine::postgres, seeds(5));
}

/// A simulator that finds nothing proves nothing: each way of breaking the engine is found, as what it is.
#[test]
fn every_fault_is_found() {
    std::thread::scope(|scope| {
        for faults in Fault::ALL.chunks(2) {
            scope.spawn(move || faults.iter().for_each(|fault| is_found(*fault)));
        }
    });
}

fn is_found(fault: Fault) {
    let mut seen = Vec::new();
    for seed in 1..=12 {
        let outcome = run(Engine::sqlite(), seed, Some(fault));
        if outcome.violations.iter().any(|violation| violation.kind == fault.found_as()) {
            return;
        }
        seen.extend(outcome.violations);
    }
    panic!("{fault:?} was not found as {:?}, but as: {seen:?}", fault.found_as());
}
