//! Sealed values, the master key, row-level security.

use kernel::Scope;
use store::Engine;

use crate::bed::{Bed, add, count, scope};

testkit::engines! {
    async fn another_master_key_is_refused(bed: Bed) {
        assert_eq!(bed.with_other_key().await.err().unwrap().code(), "wrong_master_key");
        bed.second().await.unwrap();
    }

    async fn installation_secrets_are_made_once(bed: Bed) {
        let first = bed.store.installation_secret("pepper", || vec![1, 2, 3]).await.unwrap();
        let second = bed.second().await.unwrap().installation_secret("pepper", || vec![9]).await.unwrap();
        assert_eq!((first.reveal(), second.reveal()), (&vec![1, 2, 3], &vec![1, 2, 3]));
    }

    async fn on_postgresql_a_statement_without_a_tenant_sees_only_its_own(bed: Bed) {
        let (mine, other) = (bed.tenant(), bed.tenant());
        for tenant in [mine, other] {
            bed.store.write(scope(tenant), move |tx| add(tx, tenant, 1)).await.unwrap();
        }
        // `count` names no tenant on purpose: the policies alone must hold.
        let expected = if bed.store.engine() == Engine::Postgres { 1 } else { 2 };
        assert_eq!(bed.store.read(scope(mine), count).await.unwrap(), expected);
        assert_eq!(bed.store.read(Scope::system("test"), count).await.unwrap(), 2);
        let foreign = bed.store.write(scope(mine), move |tx| add(tx, other, 2)).await;
        assert_eq!(foreign.is_err(), bed.store.engine() == Engine::Postgres);
    }

    /// A reader's connection keeps its tenant until another one's function comes: whatever came between, each sees its own.
    async fn readers_see_the_tenant_that_asks(bed: Bed) {
        let tenants = [bed.tenant(), bed.tenant(), bed.tenant()];
        for (n, tenant) in tenants.into_iter().enumerate() {
            for value in 0..=n {
                bed.store.write(scope(tenant), move |tx| add(tx, tenant, i64::try_from(10 * n + value).unwrap())).await.unwrap();
            }
        }
        let is_postgres = bed.store.engine() == Engine::Postgres;
        for round in 0..40 {
            let (n, next) = (round % 3, (round + 1) % 3);
            if round % 4 == 1 {
                let faulty = bed.store.read(scope(tenants[next]), |tx| tx.query("SELECT nonsense FROM nowhere", &[], |_| Ok(()))).await;
                assert!(faulty.is_err());
            }
            if round % 5 == 2 {
                assert_eq!(bed.store.read(Scope::system("test"), count).await.unwrap(), 6);
            }
            let expected = if is_postgres { i64::try_from(n).unwrap() + 1 } else { 6 };
            let both = bed.store.read(scope(tenants[n]), |tx| Ok((count(tx)?, count(tx)?))).await.unwrap();
            assert_eq!(both, (expected, expected), "round {round}");
        }
        let mine = tenants[0];
        let written = bed.store.read(scope(mine), move |tx| add(tx, mine, 99)).await;
        assert!(written.is_err(), "what reads does not write");
        assert_eq!(bed.store.read(Scope::system("test"), count).await.unwrap(), 6);
    }
}
