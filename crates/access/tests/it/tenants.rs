//! Tenants.

use std::sync::atomic::Ordering;

use access::tenants::{CreateTenant, TenantFilter, TenantStatus, UpdateTenant};
use kernel::{IdRef, Kind, PageRequest};
use web::Patch;

use crate::bed::{Bed, pointers};

testkit::engines! {
    async fn live_and_are_named_by_either_id(bed: Bed) {
        let (access, operator) = (&bed.access, bed.operator());
        let tenant = bed.tenant("Acme & Co").await;
        assert_eq!((tenant.slug.as_str(), tenant.status), ("acme-co", TenantStatus::Active));
        let reference = IdRef::External(tenant.external_id.clone().unwrap());
        assert_eq!(access.get_tenant(&operator, reference.clone()).await.unwrap(), tenant);
        assert_eq!(access.tenant_ref(reference.clone()).await.unwrap(), tenant.id);

        bed.advance(5);
        let change = UpdateTenant { name: Patch::Value("Beta".into()), external_id: Patch::Null, ..UpdateTenant::default() };
        let changed = access.update_tenant(&operator, reference.clone(), change).await.unwrap();
        assert_eq!((changed.name.as_str(), &changed.external_id, changed.slug.as_str()), ("Beta", &None, "acme-co"));
        assert!(changed.updated_at > tenant.updated_at && changed.created_at == tenant.created_at);
        assert_eq!(access.tenant_ref(reference).await.unwrap_err().kind(), Kind::NotFound, "the old external id is forgotten at once");
        assert_eq!(access.get_tenant(&operator, IdRef::Id(tenant.id)).await.unwrap(), changed);

        access.delete_tenant(&operator, IdRef::Id(tenant.id)).await.unwrap();
        assert_eq!(access.get_tenant(&operator, IdRef::Id(tenant.id)).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(access.tenant_ref(IdRef::Id(tenant.id)).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.audit_actions().await, ["tenant.create", "tenant.update", "tenant.delete"]);
    }

    async fn slugs_and_external_ids_are_unique(bed: Bed) {
        let first = bed.tenant("Acme").await;
        let input = |slug: Option<&str>, external: Option<&str>| CreateTenant {
            name: "Acme".into(),
            slug: slug.map(Into::into),
            external_id: external.map(Into::into),
            ..CreateTenant::default()
        };
        let create = async |input| bed.access.create_tenant(&bed.operator(), input).await;
        assert_eq!(create(input(Some("acme"), None)).await.unwrap_err().code(), "slug_taken");
        assert_eq!(create(input(None, Some("Acme-1"))).await.unwrap_err().code(), "external_id_taken");
        let second = create(input(None, None)).await.unwrap();
        assert!(second.slug.starts_with("acme-") && second.slug != first.slug, "a slug that nobody chose gives way");
        for (bad, place) in [(input(Some("A b"), None), "/slug"), (input(None, Some("a b")), "/externalId")] {
            assert_eq!(pointers(&create(bad).await.unwrap_err()), [place]);
        }
        let long = CreateTenant { name: "x".repeat(10_000), ..CreateTenant::default() };
        assert_eq!(pointers(&create(long).await.unwrap_err()), ["/name"]);
        assert_eq!(bed.count("tenants").await, 2);
    }

    /// Nobody chose the slug: whoever comes second gets another, however close behind. Who chose it, or an external id, is told.
    async fn tenants_of_one_name_at_the_same_moment(bed: Bed) {
        let made = |external: Option<&'static str>, slug: Option<&'static str>| {
            let input = CreateTenant { name: "Acme".into(), external_id: external.map(Into::into), slug: slug.map(Into::into), ..CreateTenant::default() };
            let (access, operator) = (bed.access.clone(), bed.operator());
            tokio::spawn(async move { access.create_tenant(&operator, input).await })
        };
        let all: Vec<_> = (0..8).map(|_| made(None, None)).collect();
        let mut slugs = Vec::new();
        for one in all {
            slugs.push(one.await.unwrap().unwrap().slug);
        }
        slugs.sort();
        slugs.dedup();
        assert_eq!((slugs.len(), slugs[0].as_str()), (8, "acme"), "{slugs:?}");
        for (external, slug, code) in [(Some("one"), None, "external_id_taken"), (None, Some("own"), "slug_taken")] {
            let mut codes = Vec::new();
            for one in [made(external, slug), made(external, slug), made(external, slug)] {
                codes.push(one.await.unwrap().map_or_else(|error| error.code(), |_| "made"));
            }
            codes.sort_unstable();
            let mut wanted = [code, code, "made"];
            wanted.sort_unstable();
            assert_eq!(codes, wanted);
        }
    }

    async fn lists_search_and_page(bed: Bed) {
        for name in ["Alpha", "Beta", "Alphabet", "100% pure"] {
            bed.tenant(name).await;
            bed.advance(1);
        }
        let list = async |search: Option<&str>, page: PageRequest| {
            let filter = TenantFilter { search: search.map(Into::into), status: None };
            let page = bed.access.list_tenants(&bed.operator(), filter, page).await.unwrap();
            (page.data.iter().map(|tenant| tenant.name.clone()).collect::<Vec<_>>(), page.pagination)
        };
        assert_eq!(list(Some("ALPHA"), PageRequest::default()).await.0, ["Alphabet", "Alpha"]);
        assert_eq!(list(Some("100%"), PageRequest::default()).await.0, ["100% pure"]);
        assert_eq!(list(Some("%"), PageRequest::default()).await.0, ["100% pure"], "a wildcard is a plain character");
        let (first, pagination) = list(None, PageRequest { limit: 3, ..PageRequest::default() }).await;
        assert_eq!((first.as_slice(), pagination.total), (["100% pure", "Alphabet", "Beta"].map(String::from).as_slice(), Some(4)));
        let next = PageRequest::parse(Some("3"), pagination.next_cursor.as_deref(), None, (20, 100), 0).unwrap();
        let (rest, pagination) = list(None, next).await;
        assert_eq!((rest, pagination.next_cursor), (vec!["Alpha".to_owned()], None));
        assert_eq!(list(None, PageRequest { limit: 3, page: Some(2), ..PageRequest::default() }).await.0, ["Alpha"]);
    }

    async fn only_the_operator_acts_on_them(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let key = bed.key(&tenant, client).await;
        let partner = bed.admitted(&key.key).await.unwrap().caller();
        let own = IdRef::Id(tenant.id);
        assert_eq!(bed.access.get_tenant(&partner, own.clone()).await.unwrap_err().code(), "operator_only");
        assert_eq!(bed.access.delete_tenant(&partner, own.clone()).await.unwrap_err().code(), "operator_only");
        assert_eq!(bed.access.update_tenant(&partner, own, UpdateTenant::default()).await.unwrap_err().code(), "operator_only");
        assert_eq!(bed.access.create_tenant(&partner, CreateTenant::default()).await.unwrap_err().code(), "operator_only");
        let listed = bed.access.list_tenants(&partner, TenantFilter::default(), PageRequest::default()).await;
        assert_eq!(listed.unwrap_err().code(), "operator_only");
    }

    async fn suspension_refuses_every_credential_at_once(bed: Bed) {
        let (tenant, other) = (bed.tenant("Acme").await, bed.tenant("Other").await);
        let key = bed.key(&tenant, bed.client(&tenant, None).await.client.id).await;
        let others = bed.key(&other, bed.client(&other, None).await.client.id).await;
        bed.admitted(&key.key).await.unwrap();
        let set = async |status| {
            let change = UpdateTenant { status: Patch::Value(status), ..UpdateTenant::default() };
            bed.access.update_tenant(&bed.operator(), IdRef::Id(tenant.id), change).await.unwrap();
        };
        set(TenantStatus::Suspended).await;
        assert_eq!(bed.refused(&key.key).await, "tenant_suspended");
        bed.admitted(&others.key).await.unwrap();
        set(TenantStatus::Active).await;
        bed.admitted(&key.key).await.unwrap();
    }

    async fn everything_goes_with_a_tenant_or_nothing_does(bed: Bed) {
        let (tenant, other) = (bed.tenant("Acme").await, bed.tenant("Other").await);
        let client = bed.client(&tenant, None).await.client.id;
        let key = bed.key(&tenant, client).await;
        let kept = bed.key(&other, bed.client(&other, None).await.client.id).await;
        bed.admitted(&key.key).await.unwrap();
        bed.witness.refuse.store(true, Ordering::SeqCst);
        let refused = bed.access.delete_tenant(&bed.operator(), IdRef::Id(tenant.id)).await.unwrap_err();
        assert_eq!(refused.code(), "witness_refuses");
        bed.admitted(&key.key).await.unwrap();
        bed.witness.refuse.store(false, Ordering::SeqCst);
        bed.access.delete_tenant(&bed.operator(), IdRef::Id(tenant.id)).await.unwrap();
        assert_eq!(bed.refused(&key.key).await, "invalid_credential");
        bed.admitted(&kept.key).await.unwrap();
        assert_eq!((bed.count("clients").await, bed.count("api_keys").await), (1, 1));
        let told = bed.witness.told.lock().unwrap();
        assert!(told.contains(&format!("tenant {} Acme", tenant.id)));
        assert_eq!(told.last().unwrap(), &format!("purge {} Tenant", tenant.id));
    }
}
