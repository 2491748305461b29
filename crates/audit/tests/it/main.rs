//! Reading the audit log on real engines.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::sync::Arc;

use audit::Audit;
use audit::entries::EntryFilter;
use kernel::{Ambient, Caller, Credential, Cursor, PageRequest, Permission, PermissionSet, Scope, TenantId, TenantScope};
use serde_json::json;
use store::{Config, Database, MasterKey, Store};

struct Bed {
    store: Store,
    audit: Arc<Audit>,
    ambient: Ambient,
    tenant: TenantId,
    _engine: testkit::Engine,
}

impl testkit::Bed for Bed {
    async fn open(engine: testkit::Engine) -> Self {
        let ambient = Ambient::system();
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), Vec::new())).await.unwrap();
        Self { audit: Audit::new(store.clone()), store, tenant: ambient.id(), ambient, _engine: engine }
    }
}

impl Bed {
    async fn acts(&self, tenant: TenantId, count: usize) {
        let scope = TenantScope::system("test", tenant);
        let acts = move |tx: &mut store::Tx<'_>| {
            (0..count).try_for_each(|n| tx.audit_change("note.update", format!("note_{n}"), &json!({"n": n}), &json!({"n": n + 1})))
        };
        self.store.write(scope, acts).await.unwrap();
    }

    fn key(&self, permissions: &[Permission]) -> Caller {
        let credential = Credential::Key { key: self.ambient.id(), client: self.ambient.id() };
        Caller::new(credential, Some(self.tenant), Arc::from([]), permissions.iter().copied().collect::<PermissionSet>())
    }
}

testkit::engines! {
    async fn a_tenant_sees_its_own_and_the_operator_all(bed: Bed) {
        let other: TenantId = bed.ambient.id();
        bed.acts(bed.tenant, 2).await;
        bed.acts(other, 3).await;
        bed.store.write(Scope::system("test"), |tx| tx.audit("tenant.create", "ten_x")).await.unwrap();
        let own = bed.audit.list(&bed.key(&[Permission::AuditRead]), EntryFilter::default(), PageRequest::default()).await.unwrap().data;
        assert_eq!(own.len(), 2);
        assert!(own.iter().all(|entry| entry.tenant_id == Some(bed.tenant.to_string())));
        let entry = &own[0];
        assert_eq!((entry.before.as_ref(), entry.after.as_ref()), (Some(&json!({"n": 1})), Some(&json!({"n": 2}))));
        assert_eq!((entry.object.as_str(), entry.object_type.as_str(), entry.actor_type.as_str()), ("note_1", "note", "system"));
        assert_eq!((entry.sequence, entry.hash.len(), entry.detail.as_ref()), (2, 64, None));
        let all = bed.audit.list(&Caller::system("test", None), EntryFilter::default(), PageRequest::default()).await.unwrap().data;
        assert_eq!(all.len(), 6);
        assert_eq!(all.iter().filter(|entry| entry.tenant_id.is_none()).map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["tenant.create"]);
        let refused = bed.audit.list(&bed.key(&[Permission::KeysRead]), EntryFilter::default(), PageRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), "insufficient_scope");
    }

    async fn pages_go_on_where_the_last_one_ended(bed: Bed) {
        bed.acts(bed.tenant, 57).await;
        let caller = bed.key(&[Permission::AuditRead]);
        let (mut seen, mut page) = (HashSet::new(), PageRequest { limit: 10, ..PageRequest::default() });
        loop {
            let part = bed.audit.list(&caller, EntryFilter::default(), page.clone()).await.unwrap();
            assert!(part.data.is_sorted_by(|a, b| a.sequence > b.sequence));
            seen.extend(part.data.iter().map(|entry| entry.sequence));
            // What is added meanwhile moves nothing.
            bed.acts(bed.tenant, 1).await;
            let Some(next) = part.pagination.next_cursor else { break };
            page.cursor = Some(Cursor::decode(&next).unwrap());
        }
        assert_eq!(seen, (1..=57).collect());
    }

    async fn verifying_says_what_was_looked_at(bed: Bed) {
        bed.acts(bed.tenant, 5).await;
        let verified = audit::verify(&bed.store).await.unwrap();
        assert_eq!((verified.chains, verified.rows, verified.faults.len()), (1, 5, 0));
        bed.store.write(Scope::system("test"), |tx| tx.exec("UPDATE audit_log SET target = 'x' WHERE seq = 3", &[])).await.unwrap();
        let fault = audit::verify(&bed.store).await.unwrap().faults.remove(0);
        assert_eq!(fault.to_string(), format!("{}: row 3 was altered, or is not the one that was written there", bed.tenant));
    }
}
