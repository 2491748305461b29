//! API clients.

use access::clients::{ClientFilter, ClientInput, ClientStatus, RotateClientSecret, UpdateClient};
use access::keys::CreateKey;
use kernel::{IdRef, Kind, PageRequest};
use serde_json::json;
use web::Patch;

use crate::bed::{Bed, blueprint, owned, pointers};

fn input(value: serde_json::Value) -> ClientInput {
    serde_json::from_value(value).unwrap()
}

testkit::engines! {
    async fn keep_every_field(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let body = json!({
            "name": "Ünïcode 🎈", "externalId": "crm/7".replace('/', "-"), "description": "two\nlines",
            "redirectUris": ["https://a.example/cb"], "website": "https://a.example", "logoUrl": "https://a.example/l.png",
            "contactEmail": "Ada@Example.com", "rateLimitTier": "premium", "webhookUrl": "https://a.example/hook",
            "scopes": ["leads:read"], "metadata": {"b": 1, "a": [null]}, "allowedOrigins": ["https://app.a.example"],
            "dualAuth": true, "confidential": true, "status": "active",
        });
        let made = bed.access.create_client(&bed.acting(&tenant), input(body.clone())).await.unwrap();
        let shown = serde_json::to_value(&made).unwrap();
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{name}");
        }
        assert!(shown["clientSecret"].as_str().unwrap().starts_with("inscs_"));
        let read = bed.access.get_client(&bed.acting(&tenant), IdRef::External("crm-7".into())).await.unwrap();
        assert_eq!(read, made.client);
        assert!(serde_json::to_value(&read).unwrap().get("clientSecret").is_none());
        assert!(bed.witness.told.lock().unwrap().contains(&format!("client {} https://a.example/hook", read.id)));
    }

    async fn put_replaces_and_patch_merges(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let body = json!({"name": "A", "externalId": "x", "description": "d", "status": "suspended", "scopes": [], "dualAuth": true,
            "rateLimitTier": "basic", "metadata": {"a": 1}});
        let made = bed.access.create_client(&caller, input(body)).await.unwrap().client;
        assert_eq!(made.scopes, [""; 0]);
        let id = IdRef::Id(made.id);

        let change: UpdateClient = serde_json::from_value(json!({"description": null, "name": "B", "metadata": {"b": 2}})).unwrap();
        let patched = bed.access.update_client(&caller, id.clone(), change).await.unwrap();
        assert_eq!((patched.name.as_str(), &patched.description, patched.rate_limit_tier.as_str()), ("B", &None, "basic"));
        assert_eq!(serde_json::Value::Object(patched.metadata), json!({"b": 2}));

        let replaced = bed.access.replace_client(&caller, id.clone(), input(json!({"name": "C"}))).await.unwrap();
        assert_eq!((replaced.external_id.as_deref(), replaced.status, replaced.dual_auth), (Some("x"), ClientStatus::Suspended, true));
        assert_eq!((replaced.scopes, replaced.rate_limit_tier.as_str()), (blueprint().all_scopes(), "standard"));
        assert!(replaced.metadata.is_empty());
        let null_name: UpdateClient = serde_json::from_value(json!({"name": null})).unwrap();
        assert_eq!(pointers(&bed.access.update_client(&caller, id.clone(), null_name).await.unwrap_err()), ["/name"]);

        bed.access.delete_client(&caller, id.clone()).await.unwrap();
        assert_eq!(bed.access.get_client(&caller, id.clone()).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.access.delete_client(&caller, id).await.unwrap_err().kind(), Kind::NotFound);
        let actions = bed.audit_actions().await;
        assert_eq!(actions[1..], ["client.create", "client.update", "client.replace", "client.delete"]);
    }

    async fn bad_values_are_placed_and_nothing_is_kept(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        for (place, body) in [
            ("/name", json!({"name": ""})),
            ("/name", json!({"name": "x".repeat(10_000)})),
            ("/name", json!({"name": "a\u{0}b"})),
            ("/description", json!({"name": "a", "description": "\u{0}"})),
            ("/externalId", json!({"name": "a", "externalId": "a b"})),
            ("/redirectUris/1", json!({"name": "a", "redirectUris": ["https://a.example", "javascript:alert(1)"]})),
            ("/website", json!({"name": "a", "website": "nope"})),
            ("/logoUrl", json!({"name": "a", "logoUrl": "file:///etc/passwd"})),
            ("/webhookUrl", json!({"name": "a", "webhookUrl": "gopher://a.example"})),
            ("/contactEmail", json!({"name": "a", "contactEmail": "ada"})),
            ("/rateLimitTier", json!({"name": "a", "rateLimitTier": "gold"})),
            ("/scopes/1", json!({"name": "a", "scopes": ["leads:read", "leads:fly"]})),
            ("/scopes/1", json!({"name": "a", "scopes": ["leads:read", "leads:read"]})),
            ("/allowedOrigins/0", json!({"name": "a", "allowedOrigins": ["*"]})),
            ("/metadata", json!({"name": "a", "metadata": {"x": "y".repeat(20_000)}})),
            ("/metadata", json!({"name": "a", "metadata": {"x": ["\u{0}"]}})),
            ("/tenantId", json!({"name": "a", "tenantId": "cli_x"})),
        ] {
            let error = bed.access.create_client(&bed.acting(&tenant), input(body.clone())).await.unwrap_err();
            assert_eq!((error.kind(), pointers(&error).as_slice()), (Kind::Invalid, [place].as_slice()), "{body}");
        }
        assert_eq!(bed.count("clients").await, 0);
    }

    async fn lists_filter_and_page(bed: Bed) {
        let (tenant, other) = (bed.tenant("Acme").await, bed.tenant("Other").await);
        let caller = bed.acting(&tenant);
        for (name, mail, tier, status) in [
            ("Lead robot", "ada@a.example", None, "active"),
            ("Quote robot", "bob@b.example", Some("basic"), "suspended"),
            ("ÄRGER", "ADA@a.example", Some("standard"), "active"),
        ] {
            let body = json!({"name": name, "contactEmail": mail, "rateLimitTier": tier, "status": status});
            bed.access.create_client(&caller, input(body)).await.unwrap();
            bed.advance(1);
        }
        bed.client(&other, None).await;
        let names = async |filter: serde_json::Value| {
            let filter: ClientFilter = serde_json::from_value(filter).unwrap();
            let page = bed.access.list_clients(&caller, filter, PageRequest::default()).await.unwrap();
            assert_eq!(page.pagination.total, Some(page.data.len() as u64));
            page.data.into_iter().map(|client| client.name).collect::<Vec<_>>()
        };
        assert_eq!(names(json!({})).await, ["ÄRGER", "Quote robot", "Lead robot"]);
        assert_eq!(names(json!({"status": "suspended"})).await, ["Quote robot"]);
        assert_eq!(names(json!({"rateLimitTier": "standard"})).await, ["ÄRGER", "Lead robot"], "the default tier counts");
        assert_eq!(names(json!({"contactEmail": "ada@A.example"})).await, ["ÄRGER", "Lead robot"]);
        assert_eq!(names(json!({"search": "ROBOT"})).await, ["Quote robot", "Lead robot"]);
        assert_eq!(names(json!({"search": "ärg"})).await, ["ÄRGER"]);
        assert_eq!(names(json!({"search": "b.example"})).await, ["Quote robot"]);
        assert_eq!(names(json!({"search": "_"})).await, [""; 0]);
        let first = bed.access.list_clients(&caller, ClientFilter::default(), PageRequest { limit: 2, ..PageRequest::default() }).await.unwrap();
        let next = PageRequest::parse(None, first.pagination.next_cursor.as_deref(), None, (20, 100), 0).unwrap();
        let rest = bed.access.list_clients(&caller, ClientFilter::default(), next).await.unwrap();
        assert_eq!((rest.data[0].name.as_str(), rest.data.len(), rest.pagination.next_cursor), ("Lead robot", 1, None));
    }

    async fn suspension_and_deletion_reach_its_keys_at_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let (key, sibling) = (bed.key(&tenant, client).await, bed.key(&tenant, bed.client(&tenant, None).await.client.id).await);
        bed.admitted(&key.key).await.unwrap();
        let set = async |status| {
            let change = UpdateClient { status: Patch::Value(status), ..UpdateClient::default() };
            bed.access.update_client(&bed.acting(&tenant), IdRef::Id(client), change).await.unwrap();
        };
        set(ClientStatus::Suspended).await;
        assert_eq!(bed.refused(&key.key).await, "client_suspended");
        let wrong = format!("{}{}", &key.key[..key.key.len() - 1], if key.key.ends_with('0') { '1' } else { '0' });
        assert_eq!(bed.refused(&wrong).await, "invalid_credential", "only who holds the key learns that its client is suspended");
        set(ClientStatus::Active).await;
        bed.admitted(&key.key).await.unwrap();
        bed.access.delete_client(&bed.acting(&tenant), IdRef::Id(client)).await.unwrap();
        assert_eq!(bed.refused(&key.key).await, "invalid_credential");
        bed.admitted(&sibling.key).await.unwrap();
        assert_eq!(bed.count("api_keys").await, 1);
        assert_eq!(bed.witness.told.lock().unwrap().last().unwrap(), &format!("purge {} Client({client})", tenant.id));
    }

    async fn narrowing_a_client_narrows_its_keys_at_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, Some(&["leads:all", "quotes:read", "webhooks:write"])).await.client.id;
        let all = bed.key(&tenant, client).await;
        let some = CreateKey { scopes: Some(owned(&["leads:read", "quotes:read"])), ..CreateKey::default() };
        let some = bed.key_with(&tenant, client, some).await.unwrap();
        let held = async |key: &str| bed.admitted(key).await.unwrap().scopes.to_vec();
        assert_eq!(held(&all.key).await, ["leads:read", "leads:write", "webhooks:write", "quotes:read", "leads:all"]);
        assert_eq!(held(&some.key).await, ["leads:read", "quotes:read"]);
        assert!(bed.admitted(&all.key).await.unwrap().permissions.holds(kernel::Permission::WebhooksWrite));
        let change = UpdateClient { scopes: Patch::Value(owned(&["quotes:read"])), ..UpdateClient::default() };
        bed.access.update_client(&bed.acting(&tenant), IdRef::Id(client), change).await.unwrap();
        assert_eq!(held(&all.key).await, ["quotes:read"]);
        assert_eq!(held(&some.key).await, ["quotes:read"]);
        assert_eq!(bed.access.get_key(&bed.acting(&tenant), some.info.id).await.unwrap().scopes, ["quotes:read"]);
        assert!(!bed.admitted(&all.key).await.unwrap().permissions.holds(kernel::Permission::WebhooksWrite));
    }

    async fn a_partner_grants_only_what_it_holds(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let rich = bed.client(&tenant, None).await.client.id;
        let rich_key = bed.key(&tenant, rich).await;
        let poor = bed.client(&tenant, Some(&["self:manage", "leads:read"])).await.client.id;
        let caller = bed.admitted(&bed.key(&tenant, poor).await.key).await.unwrap().caller();
        let access = &bed.access;
        let create = async |body| access.create_client(&caller, input(body)).await.map(|made| made.client).map_err(|e| e.code());
        assert_eq!(create(json!({"name": "n"})).await.unwrap_err(), "scope_exceeds_client", "absent means all");
        assert_eq!(create(json!({"name": "n", "scopes": ["leads:all"]})).await.unwrap_err(), "scope_exceeds_client");
        assert_eq!(create(json!({"name": "n", "scopes": [], "rateLimitTier": "enterprise"})).await.unwrap_err(), "operator_only");
        let made = create(json!({"name": "n", "scopes": ["leads:read"]})).await.unwrap();

        let widen = UpdateClient { scopes: Patch::Null, ..UpdateClient::default() };
        for target in [made.id, poor] {
            let outcome = access.update_client(&caller, IdRef::Id(target), widen.clone()).await;
            assert_eq!(outcome.unwrap_err().code(), "scope_exceeds_client");
        }
        // What holds more than the caller is out of its reach: a secret of it would be an escalation.
        assert_eq!(access.rotate_client_secret(&caller, IdRef::Id(rich), RotateClientSecret::default()).await.unwrap_err().code(), "scope_exceeds_client");
        let rotated = access.rotate_key(&caller, rich_key.info.id, access::keys::RotateKey::default()).await;
        assert_eq!(rotated.unwrap_err().code(), "scope_exceeds_client");
        let key = |client: kernel::ClientId, scopes: &[&str]| CreateKey {
            client_id: client.to_string(),
            name: "k".into(),
            scopes: Some(owned(scopes)),
            ..CreateKey::default()
        };
        assert_eq!(access.create_key(&caller, key(rich, &["quotes:read"])).await.unwrap_err().code(), "scope_exceeds_client");
        access.create_key(&caller, key(rich, &["leads:read"])).await.unwrap();
        let raised = CreateKey { rate_limit_override: Some(json!(100_000)), ..key(poor, &["leads:read"]) };
        assert_eq!(access.create_key(&caller, raised).await.unwrap_err().code(), "limit_exceeds_tier");
        bed.admitted(&rich_key.key).await.unwrap();
    }

    async fn secrets_rotate(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let made = bed.client(&tenant, None).await;
        let rotated = bed.access.rotate_client_secret(&caller, IdRef::Id(made.client.id), RotateClientSecret::default()).await.unwrap();
        assert!(rotated.client_secret.is_some() && rotated.client_secret != made.client_secret);
        let public = bed.access.create_client(&caller, input(json!({"name": "p", "confidential": false}))).await.unwrap();
        assert!(public.client_secret.is_none());
        let refused = bed.access.rotate_client_secret(&caller, IdRef::Id(public.client.id), RotateClientSecret::default()).await.unwrap_err();
        assert_eq!(refused.code(), "client_not_confidential");
    }

    async fn a_repeated_create_answers_the_same_and_makes_one(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = |fingerprint| bed.with_idempotency_key(&bed.acting(&tenant), "k-1", fingerprint);
        let create = async |caller: kernel::Caller| bed.access.create_client(&caller, input(json!({"name": "once"}))).await;
        let first = create(caller(1)).await.unwrap();
        let again = caller(1);
        let second = create(again.clone()).await.unwrap();
        assert_eq!(serde_json::to_value(&first).unwrap(), serde_json::to_value(&second).unwrap(), "the secret too");
        assert!(again.request().unwrap().slot.as_ref().unwrap().is_replayed());
        assert_eq!(create(caller(2)).await.unwrap_err().code(), "idempotency_key_reused");
        assert_eq!(bed.count("clients").await, 1);

        let key = |caller| bed.access.create_key(caller, CreateKey { client_id: first.client.id.to_string(), name: "k".into(), ..CreateKey::default() });
        let (one, two) = (bed.with_idempotency_key(&bed.acting(&tenant), "k-2", 1), bed.with_idempotency_key(&bed.acting(&tenant), "k-2", 1));
        let (one, two) = (key(&one).await.unwrap(), key(&two).await.unwrap());
        assert_eq!(one.key, two.key);
        bed.admitted(&two.key).await.unwrap();
        assert_eq!(bed.count("api_keys").await, 1);
    }

    async fn a_service_key_names_the_tenant_in_the_body(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let make = async |named: Option<&str>| {
            let body = ClientInput { name: "n".into(), tenant_id: named.map(Into::into), ..ClientInput::default() };
            bed.access.create_client(&bed.operator(), body).await
        };
        assert_eq!(make(None).await.unwrap_err().code(), "tenant_required");
        assert_eq!(make(Some(&tenant.id.to_string())).await.unwrap().client.tenant_id, tenant.id);
        assert_eq!(make(Some("ext:Acme-1")).await.unwrap().client.tenant_id, tenant.id);
        assert_eq!(make(Some("ext:nobody")).await.unwrap_err().kind(), Kind::NotFound);
        let ghost: kernel::TenantId = bed.ambient.id();
        let outcome = bed.access.create_client(&bed.operator().acting_for(Some(ghost)).unwrap(), input(json!({"name": "n"}))).await;
        assert_eq!(outcome.unwrap_err().kind(), Kind::NotFound, "no client without a tenant");
    }
}
