//! The audit chain: whole after concurrent writers, and broken by any hand that touches it.

use kernel::Scope;
use store::verify_chain;

use crate::bed::{Bed, scope};

testkit::engines! {
    async fn chains_are_whole_and_every_touch_is_found(bed: Bed) {
        let tenant = bed.tenant();
        let tasks: Vec<_> = (0..50).map(|n| {
            let store = bed.store.clone();
            tokio::spawn(async move { store.write(scope(tenant), move |tx| tx.audit("note.create", n)).await })
        }).collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let chain = tenant.to_string();
        let check = chain.clone();
        assert_eq!(bed.store.read(Scope::system("test"), move |tx| verify_chain(tx, &check)).await.unwrap(), None);

        for (sql, seq) in [
            ("UPDATE audit_log SET target = 'x' WHERE chain = ?1 AND seq = 20", 20),
            ("DELETE FROM audit_log WHERE chain = ?1 AND seq = 10", 10),
            ("DELETE FROM audit_log WHERE chain = ?1 AND seq > 5", 6),
        ] {
            let chain = chain.clone();
            let fault = bed.store.write(Scope::system("test"), move |tx| {
                tx.exec(sql, &[chain.as_str().into()])?;
                verify_chain(tx, &chain)
            }).await.unwrap();
            assert_eq!(fault.map(|fault| fault.seq), Some(seq));
        }
    }
}
