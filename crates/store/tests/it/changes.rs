//! Change notices reach this process before the answer, and other processes soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use store::Node;

use crate::bed::{Bed, add, scope};

testkit::engines! {
    async fn listeners_here_run_before_the_answer_and_others_soon(bed: Bed) {
        let other = bed.second().await.unwrap();
        let (here, there) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        for (store, seen) in [(&bed.store, &here), (&other, &there)] {
            let seen = Arc::clone(seen);
            store.on_change(Box::new(move |change| {
                if change.concerns("note") {
                    seen.store(true, Ordering::SeqCst);
                }
            }));
        }
        let tenant = bed.tenant();
        let write = |id| bed.store.write(scope(tenant), move |tx| { add(tx, tenant, id)?; tx.notify("note", id); Ok(()) });
        write(1).await.unwrap();
        assert!(here.load(Ordering::SeqCst), "before the answer");
        // The other process's LISTEN may not stand yet when the first notice is sent: send until one arrives.
        let next = Arc::new(std::sync::atomic::AtomicI64::new(2));
        testkit::wait::until("the notice in the other process", Duration::from_secs(10), || {
            let (id, there, store) = (next.fetch_add(1, Ordering::SeqCst), Arc::clone(&there), bed.store.clone());
            async move {
                store.write(scope(tenant), move |tx| { add(tx, tenant, id)?; tx.notify("note", id); Ok(()) }).await.unwrap();
                there.load(Ordering::SeqCst).then_some(())
            }
        }).await;
    }

    async fn nothing_happens_after_a_rollback(bed: Bed) {
        let seen = Arc::new(AtomicBool::new(false));
        let hook = Arc::clone(&seen);
        let tenant = bed.tenant();
        let failed: kernel::Result<()> = bed.store.write(scope(tenant), move |tx| {
            tx.after_commit(move || hook.store(true, Ordering::SeqCst));
            Err(kernel::Error::conflict("no", "no"))
        }).await;
        assert!(failed.is_err() && !seen.load(Ordering::SeqCst));
    }

    async fn a_silent_node_is_buried_and_told_so(bed: Bed) {
        let (old, new) = bed.store.write(kernel::Scope::system("test"), |tx| Ok((Node::register(tx)?, Node::register(tx)?))).await.unwrap();
        assert!(new.epoch > old.epoch);
        bed.advance(Duration::from_secs(30));
        let (alive, dead, back) = bed.store.write(kernel::Scope::system("test"), move |tx| {
            let alive = new.heartbeat(tx)?;
            let oldest = tx.now().minus(store::NODE_DEAD_AFTER);
            Ok((alive, new.bury(tx, oldest)?, old.heartbeat(tx)?))
        }).await.unwrap();
        assert_eq!((alive, dead, back), (true, vec![old.id], false));
    }
}
