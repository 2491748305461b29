//! The audit chain: whole after concurrent writers, and broken by any hand that touches it.

use std::sync::Arc;

use kernel::{Caller, PageRequest, RequestInfo, Scope, TenantId};
use serde_json::json;
use store::audit::{AuditFault, AuditFaultKind, AuditFilter, Verified, list, verify_chains};
use store::{Store, verify_chain};

use crate::bed::{Bed, scope};

fn system() -> Scope {
    Scope::system("test")
}

async fn act(store: &Store, tenant: TenantId, count: i64) {
    let tasks: Vec<_> = (0..count)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.write(scope(tenant), move |tx| tx.audit("note.create", n)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

async fn verify(store: &Store) -> Verified {
    store.read(system(), verify_chains).await.unwrap()
}

async fn run(store: &Store, sql: String) -> u64 {
    store.write(system(), move |tx| tx.exec(&sql, &[])).await.unwrap()
}

testkit::engines! {
    async fn chains_are_whole_after_concurrent_writers(bed: Bed) {
        let tenant = bed.tenant();
        let second = bed.second().await.unwrap();
        tokio::join!(act(&bed.store, tenant, 50), act(&second, tenant, 50));
        bed.store.write(system(), |tx| tx.audit("note.create", "operator's")).await.unwrap();
        let chain = tenant.to_string();
        assert_eq!(bed.store.read(system(), move |tx| verify_chain(tx, &chain)).await.unwrap(), None);
        assert_eq!(verify(&bed.store).await, Verified { chains: 2, rows: 101, faults: Vec::new() });
    }

    /// Each hand is found, in the place where it was; each in a chain of its own.
    async fn every_touch_is_found(bed: Bed) {
        use AuditFaultKind::{Altered, Chains, End, Head, Missing};
        let set = |what: &str, seq: &str| format!("UPDATE audit_log SET {what} WHERE chain = 'CHAIN' AND seq {seq}");
        let delete = |seq: &str| format!("DELETE FROM audit_log WHERE chain = 'CHAIN' AND seq {seq}");
        let back = "UPDATE audit_heads SET seq = 5, hash = (SELECT hash FROM audit_log WHERE chain = 'CHAIN' AND seq = 5) WHERE chain = 'CHAIN'";
        let mut cases: Vec<(Vec<String>, i64, AuditFaultKind)> = [
            "target = 'x'", "action = 'x'", "actor = 'x'", "detail = '{}'", "at = at + 1", "ip = '127.0.0.1'", "user_agent = ''",
            "request_id = 'x'", "id = 'x'", "tenant_id = ''", "hash = (SELECT hash FROM audit_log WHERE chain = 'CHAIN' AND seq = 2)",
        ].iter().map(|what| (vec![set(what, "= 8")], 8, Altered)).collect();
        cases.extend([
            (vec![delete("= 7")], 7, Missing),
            (vec![delete("= 1")], 1, Missing),
            (vec![delete("<= 3")], 1, Missing),
            // Two rows change places.
            (vec![set("seq = 1000", "= 7"), set("seq = 7", "= 8"), set("seq = 8", "= 1000")], 7, Altered),
            // The last row becomes one before the first, or one after the end.
            (vec![set("seq = 0", "= 12")], 1, Missing),
            (vec![set("seq = 13", "= 12")], 12, Missing),
            // The end is gone, and then the head says so as well.
            (vec![delete("> 5")], 6, End),
            (vec![delete("> 5"), back.into()], 5, Head),
            (vec!["UPDATE audit_heads SET seal = NULL WHERE chain = 'CHAIN'".into()], 12, Head),
            (vec!["DELETE FROM audit_heads WHERE chain = 'CHAIN'".into()], 12, Head),
        ]);
        let mut faults = Vec::new();
        for (statements, seq, kind) in cases {
            let tenant = bed.tenant();
            let acts = move |tx: &mut store::Tx<'_>| (0..12).try_for_each(|n| tx.audit("note.create", n));
            bed.store.write(scope(tenant), acts).await.unwrap();
            let chain = tenant.to_string();
            let whole = chain.clone();
            assert_eq!(bed.store.read(system(), move |tx| verify_chain(tx, &whole)).await.unwrap(), None);
            for statement in &statements {
                assert!(run(&bed.store, statement.replace("CHAIN", &chain)).await > 0, "{statement}");
            }
            faults.push(AuditFault { chain: chain.clone(), seq, kind });
            let found = bed.store.read(system(), move |tx| verify_chain(tx, &chain)).await.unwrap();
            assert_eq!(found.as_ref(), faults.last(), "{statements:?}");
        }
        faults.sort_by(|a, b| a.chain.cmp(&b.chain));
        assert_eq!(verify(&bed.store).await.faults, faults);
        // A whole chain is gone without a trace of its own.
        let gone = faults.remove(0).chain;
        for table in ["audit_log", "audit_heads"] {
            run(&bed.store, format!("DELETE FROM {table} WHERE chain = '{gone}'")).await;
        }
        let last = verify(&bed.store).await.faults.pop();
        assert_eq!(last, Some(AuditFault { chain: String::new(), seq: i64::try_from(faults.len()).unwrap() + 1, kind: Chains }));
    }

    /// Everything is gone, rows, heads and root, and the installation goes on as if nothing had been: before and after its next acts, and its
    /// next start.
    async fn a_log_that_was_wiped_as_a_whole_is_found(bed: Bed) {
        let tenant = bed.tenant();
        assert_eq!(verify(&bed.store).await, Verified::default(), "a new installation is whole");
        act(&bed.store, tenant, 5).await;
        let anchors = bed.store.read(system(), store::audit::anchors).await.unwrap();
        let is_held = async |anchor: &store::audit::Anchor| {
            let anchor = anchor.clone();
            bed.store.read(system(), move |tx| store::audit::is_held(tx, &anchor)).await.unwrap()
        };
        act(&bed.store, tenant, 2).await;
        assert!(anchors.len() == 1 && anchors[0].seq == 5 && is_held(&anchors[0]).await, "{anchors:?}");
        for table in ["audit_log", "audit_heads", "audit_roots"] {
            run(&bed.store, format!("DELETE FROM {table}")).await;
        }
        let root = AuditFault { chain: String::new(), seq: 0, kind: AuditFaultKind::Root };
        assert_eq!(verify(&bed.store).await.faults, std::slice::from_ref(&root));
        act(&bed.store, tenant, 9).await;
        assert_eq!(verify(&bed.store).await.faults, std::slice::from_ref(&root));
        let restarted = bed.second().await.unwrap();
        act(&restarted, bed.tenant(), 1).await;
        assert_eq!(verify(&restarted).await.faults, std::slice::from_ref(&root));
        assert!(!is_held(&anchors[0]).await, "the fifth row is another one");
        // An empty root, or somebody else's, is none.
        run(&bed.store, "INSERT INTO audit_roots (name, sealed) SELECT 'chains', seal FROM audit_heads LIMIT 1".into()).await;
        assert_eq!(verify(&restarted).await.faults, [root]);
    }

    /// Who may write to the database but has no master key cannot write a chain anew either: the hashes are no secret, the head's seal is.
    async fn a_chain_written_anew_is_found(bed: Bed) {
        let (tenant, forger) = (bed.tenant(), bed.tenant());
        act(&bed.store, tenant, 5).await;
        act(&bed.store, forger, 5).await;
        run(&bed.store, format!("DELETE FROM audit_heads WHERE chain = '{tenant}'")).await;
        run(&bed.store, format!("UPDATE audit_heads SET chain = '{tenant}' WHERE chain = '{forger}'")).await;
        run(&bed.store, format!("DELETE FROM audit_log WHERE chain = '{tenant}'")).await;
        run(&bed.store, format!("UPDATE audit_log SET chain = '{tenant}', tenant_id = '{tenant}' WHERE chain = '{forger}'")).await;
        let found = verify(&bed.store).await.faults;
        assert_eq!(found.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [AuditFaultKind::Altered, AuditFaultKind::Chains]);
    }

    async fn an_act_says_who_what_and_from_where(bed: Bed) {
        let tenant = bed.tenant();
        let request = Arc::new(RequestInfo {
            id: bed.store.ambient().id(),
            ip: Some([192, 0, 2, 7].into()),
            user_agent: Some("curl/8".into()),
            slot: None,
        });
        let scope = Caller::system("test", Some(tenant)).in_request(Arc::clone(&request)).tenant_scope().unwrap();
        let (before, after) = (json!({"name": "a", "token": "t0p"}), json!({"name": "b", "token": "t1p"}));
        bed.store.write(scope, move |tx| tx.audit_change("note.update", "note_1", &before, &after)).await.unwrap();
        bed.advance(std::time::Duration::from_secs(1));
        bed.store.write(system(), |tx| tx.audit("note.create", "note_2")).await.unwrap();
        let rows = async |filter: AuditFilter| bed.store.read(system(), move |tx| list(tx, &filter, &PageRequest::default())).await.unwrap();
        let all = rows(AuditFilter::default()).await;
        assert_eq!(all.iter().map(|row| row.target.as_str()).collect::<Vec<_>>(), ["note_2", "note_1"]);
        let row = &all[1];
        let change = json!({"before": {"name": "a", "token": "[removed]"}, "after": {"name": "b", "token": "[removed]"}});
        assert_eq!((&row.detail, row.actor.as_str(), row.seq), (&change, "system:test", 1));
        assert_eq!((row.ip.as_deref(), row.user_agent.as_deref()), (Some("192.0.2.7"), Some("curl/8")));
        assert_eq!(row.request_id, Some(request.id.to_string()));
        for (filter, targets) in [
            (AuditFilter { tenant: Some(tenant), ..AuditFilter::default() }, vec!["note_1"]),
            (AuditFilter { is_operators: true, ..AuditFilter::default() }, vec!["note_2"]),
            (AuditFilter { action: Some("note.update".into()), ..AuditFilter::default() }, vec!["note_1"]),
            (AuditFilter { action: Some("note.*".into()), ..AuditFilter::default() }, vec!["note_2", "note_1"]),
            (AuditFilter { action: Some("key.*".into()), ..AuditFilter::default() }, vec![]),
            (AuditFilter { object: Some("note_2".into()), actor: Some("system:test".into()), ..AuditFilter::default() }, vec!["note_2"]),
            (AuditFilter { request: Some(request.id), ..AuditFilter::default() }, vec!["note_1"]),
            (AuditFilter { to: Some(row.at), ..AuditFilter::default() }, vec![]),
        ] {
            assert_eq!(rows(filter.clone()).await.iter().map(|row| row.target.clone()).collect::<Vec<_>>(), targets, "{filter:?}");
        }
    }
}
