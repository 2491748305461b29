//! Signals, on both engines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use kernel::chance::SystemEntropy;
use kernel::time::ManualClock;
use kernel::{Ambient, Scope, TenantId, Timestamp};
use signals::{Kind, Signals, Total};
use store::{Config, Database, MasterKey, Store};

struct Bed {
    store: Store,
    clock: Arc<ManualClock>,
    ambient: Ambient,
    _engine: testkit::Engine,
}

impl testkit::Bed for Bed {
    async fn open(engine: testkit::Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse("2026-03-01T10:00:20Z").unwrap()));
        let ambient = Ambient::new(Arc::<ManualClock>::clone(&clock), Arc::new(SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let config = Config::new(database, MasterKey::generate(&ambient), ambient.clone(), signals::MIGRATIONS.to_vec());
        Self { store: Store::open(config).await.unwrap(), clock, ambient, _engine: engine }
    }
}

impl Bed {
    async fn totals(&self, kind: Kind, back: Duration, least: u64) -> Vec<Total> {
        let since = self.ambient.now().minus(back);
        self.store.read(Scope::system("test"), move |tx| signals::totals(tx, kind, since, least, 10)).await.unwrap()
    }
}

fn short(totals: &[Total]) -> Vec<(Option<TenantId>, &str, u64, &str)> {
    totals.iter().map(|one| (one.tenant, one.subject.as_str(), one.count, one.detail.as_str())).collect()
}

const TEN: Duration = Duration::from_mins(10);

testkit::engines! {
    /// Two nodes count into the same rows; a window sees its own minutes only; kinds and tenants are apart.
    async fn counts_of_nodes_and_minutes_add_up(bed: Bed) {
        let (one, other) = (Signals::new(&bed.store), Signals::new(&bed.store));
        let tenant: TenantId = bed.ambient.id();
        for _ in 0..3 {
            one.note(Kind::FailedKey, Some(tenant), "key_1", "wrong secret");
            other.note(Kind::FailedKey, Some(tenant), "key_1", "wrong secret");
        }
        one.note(Kind::FailedKey, None, "key_1", "");
        one.note(Kind::RateLimited, Some(tenant), "key_1", "minute");
        one.flush().await.unwrap();
        other.flush().await.unwrap();
        one.flush().await.unwrap();
        assert_eq!(short(&bed.totals(Kind::FailedKey, TEN, 2).await), [(Some(tenant), "key_1", 6, "wrong secret")]);
        assert_eq!(bed.totals(Kind::FailedKey, TEN, 1).await.len(), 2);
        bed.clock.advance(Duration::from_mins(9));
        bed.store
            .write(Scope::system("test"), move |tx| signals::report(tx, Kind::FailedKey, Some(tenant), "key_1", 5, "expired"))
            .await
            .unwrap();
        let found = bed.totals(Kind::FailedKey, TEN, 2).await;
        assert_eq!((found[0].count, found[0].last_at), (11, bed.ambient.now()));
        bed.clock.advance(Duration::from_mins(2));
        assert_eq!(short(&bed.totals(Kind::FailedKey, TEN, 2).await), [(Some(tenant), "key_1", 5, "expired")]);
    }

    async fn old_rows_go_in_steps_and_a_tenants_with_it(bed: Bed) {
        let signals = Signals::new(&bed.store);
        let (ours, theirs): (TenantId, TenantId) = (bed.ambient.id(), bed.ambient.id());
        for n in 0..5 {
            signals.note(Kind::IntegrationError, Some(ours), format!("src_{n}"), "");
        }
        bed.clock.advance(Duration::from_mins(1));
        signals.note(Kind::IntegrationError, Some(theirs), "src_x", "");
        signals.flush().await.unwrap();
        let before = bed.ambient.now().minus(Duration::from_secs(30));
        let forget = || bed.store.write(Scope::system("test"), move |tx| signals::forget(tx, before, 2));
        assert_eq!((forget().await.unwrap(), forget().await.unwrap()), (2, 2));
        assert_eq!(bed.totals(Kind::IntegrationError, TEN, 1).await.len(), 2);
        bed.store.write(Scope::system("test"), move |tx| signals::purge(tx, theirs)).await.unwrap();
        let left = bed.totals(Kind::IntegrationError, TEN, 1).await;
        assert_eq!(left.iter().map(|one| one.tenant).collect::<Vec<_>>(), [Some(ours)]);
        assert_eq!((forget().await.unwrap(), forget().await.unwrap()), (1, 0));
    }
}
