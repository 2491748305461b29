//! Both sides edited at random, a vendor that fails, nodes that die anywhere, two of them: whatever happens, both sides come to the same, nothing is
//! made twice, no edit is lost without a word, and it ends.
//!
//! A seed decides what happens: the vendor, the policy, every edit, fault and death. `cargo xtask prove sync-simulation` plays 500 seeds, and with
//! `--seed n` that one.

mod checks;
mod world;

use std::collections::VecDeque;
use std::sync::Mutex;

use testkit::Engine;

use crate::crm::Kind;
use world::World;

/// Worlds at a time: one a core of a small machine.
const AT_ONCE: usize = 2;

/// The vendors take turns.
fn kind(seed: u64) -> Kind {
    [Kind::HubSpot, Kind::Salesforce, Kind::Pipedrive, Kind::Zoho][usize::try_from(seed % 4).unwrap()]
}

#[allow(clippy::disallowed_methods, reason = "a proof is told its size by the environment")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// The seed that was asked for, or as many new ones as were asked for.
fn seeds(usually: u64) -> VecDeque<u64> {
    if let Some(seed) = setting("TRADEWIND_SEED") {
        return VecDeque::from([seed]);
    }
    let first = u64::from(u32::from_str_radix(&testkit::unique("")[1..9], 16).unwrap());
    let count = setting("TRADEWIND_SEEDS").unwrap_or(if setting("TRADEWIND_FULL").is_some() { usually * 10 } else { usually });
    (first..first + count).collect()
}

/// A whole life: it ends well, or panics with the seed in its text.
fn play(engine: Engine, seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(engine, kind(seed), seed).await;
        world.live().await;
        world.settle().await;
        checks::all(&world).await;
    });
}

fn all(engine: fn() -> Engine, seeds: VecDeque<u64>) {
    let (count, waiting, bad) = (seeds.len(), Mutex::new(seeds), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(seed) = waiting.lock().unwrap().pop_front() else { return };
                    if std::thread::spawn(move || play(engine(), seed)).join().is_err() {
                        bad.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let bad = bad.into_inner().unwrap();
    assert!(
        bad.is_empty(),
        "{} of {count} seeds are bad: {bad:?}; once more: cargo xtask prove sync-simulation --seed {}",
        bad.len(),
        bad[0]
    );
}

/// 46 seeds, never the same; ten times as many at full size.
#[test]
fn prove_sync_simulation() {
    all(Engine::sqlite, seeds(46));
}

/// Some on PostgreSQL, where making a database takes longer than living in it.
#[test]
fn prove_sync_simulation_on_postgres() {
    all(Engine::postgres, seeds(4));
}
