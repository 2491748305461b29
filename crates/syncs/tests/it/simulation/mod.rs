//! Both sides edited at random, a vendor that fails, nodes that die anywhere, two of them: whatever happens, both sides come to the same, nothing is
//! made twice, no edit is lost without a word, and it ends.
//!
//! A seed decides everything that happens. In a failure, `TRADEWIND_SIM_SEED=n` plays one seed, `TRADEWIND_SIM_SEEDS=500` many, `cargo xtask prove
//! sync-simulation` 500 of each vendor.

mod checks;
mod world;

use testkit::Engine;

use crate::crm::Kind;
use world::World;

/// Seeds of one vendor on SQLite, and on PostgreSQL.
const SEEDS: (u64, u64) = (13, 2);

fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("TRADEWIND_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TRADEWIND_SIM_SEEDS").unwrap_or(usual),
    }
}

fn play(kind: Kind, postgres: bool) {
    let usual = if postgres { SEEDS.1 } else { SEEDS.0 };
    for seed in seeds(usual) {
        let engine = if postgres { Engine::postgres() } else { Engine::sqlite() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(engine, kind, seed).await;
            world.live().await;
            world.settle().await;
            checks::all(&world).await;
        });
    }
}

macro_rules! vendors {
    ($($name:ident => $kind:expr),+ $(,)?) => {$(
        mod $name {
            use super::*;

            #[test]
            fn sqlite() {
                play($kind, false);
            }

            #[test]
            fn postgres() {
                play($kind, true);
            }
        }
    )+};
}

vendors! {
    hubspot => Kind::HubSpot,
    salesforce => Kind::Salesforce,
}
