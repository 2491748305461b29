//! API keys.

use access::keys::{CreateKey, KeyStatus, RotateKey, UpdateKey, token};
use kernel::{IdRef, Kind, PageRequest, Scope};
use serde_json::json;
use web::Patch;

use crate::bed::{Bed, pointers};

fn input(value: serde_json::Value) -> CreateKey {
    let mut value = value;
    value["clientId"] = json!("cli_x");
    value["name"] = json!("key");
    serde_json::from_value(value).unwrap()
}

testkit::engines! {
    async fn keep_every_field_and_show_the_key_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let body = json!({
            "scopes": ["leads:read"], "environment": "staging", "expiresAt": "2099-01-01T00:00:00.000Z",
            "allowedIps": ["203.0.113.9/24", "::ffff:198.51.100.7", "2001:db8::/32"],
            "allowedEndpoints": ["GET /api/v1/leads*"], "rateLimitOverride": {"perMinute": 5, "burst": 2},
            "rotationFrequencyDays": 90, "notes": "for\nthe robot",
        });
        let made = bed.key_with(&tenant, client, input(body.clone())).await.unwrap();
        let shown = serde_json::to_value(&made).unwrap();
        for name in ["scopes", "environment", "expiresAt", "allowedEndpoints", "rateLimitOverride", "rotationFrequencyDays", "notes"] {
            assert_eq!(shown[name], body[name], "{name}");
        }
        assert_eq!(shown["allowedIps"], json!(["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"]), "in canonical form");
        assert_eq!((shown["status"].as_str(), shown["requestCount"].as_u64(), shown.get("secret")), (Some("active"), Some(0), None));
        let token = token::parse(&made.key).unwrap();
        assert_eq!(made.info.key_id, format!("ins_test_{}", token.key_id));
        assert_eq!(made.info.key_prefix, "ins_test");
        assert!(made.key.starts_with(&made.info.key_id) && made.info.mask.starts_with(&made.info.key_id));

        let read = bed.access.get_key(&bed.acting(&tenant), made.info.id).await.unwrap();
        assert_eq!(read, made.info);
        assert!(!serde_json::to_string(&read).unwrap().contains(&made.key[made.info.key_id.len() + 6..]), "no secret in a read");
        let secret = made.key.clone();
        let stored: Vec<u8> = bed.store
            .read(Scope::system("test"), |tx| tx.query_one("SELECT hash FROM api_keys", &[], |row| row.get(0)))
            .await
            .unwrap();
        assert_eq!(stored.len(), 32);
        assert!(!secret.as_bytes().windows(8).any(|part| stored.windows(8).any(|kept| kept == part)));
        assert_eq!(bed.audit_actions().await.last().unwrap(), "key.create");
    }

    async fn restrictions_reach_the_principal(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let body = json!({"allowedIps": ["203.0.113.0/24"], "allowedEndpoints": ["GET /api/v1/leads*"], "rateLimitOverride": 7});
        let made = bed.key_with(&tenant, client, input(body)).await.unwrap();
        let principal = bed.admitted(&made.key).await.unwrap();
        assert!(principal.ip_allowed("203.0.113.9".parse().unwrap()) && principal.ip_allowed("::ffff:203.0.113.9".parse().unwrap()));
        assert!(!principal.ip_allowed("203.0.114.9".parse().unwrap()) && !principal.ip_allowed("::1".parse().unwrap()));
        assert!(principal.endpoint_allowed("GET", "/api/v1/leads/7") && !principal.endpoint_allowed("POST", "/api/v1/leads"));
        assert!(principal.endpoint_allowed("GET", "/api/v1/leads/a%2Fb%20c"));
        for path in ["/api/v1/leads/../keys", "/api/v1/leads/%2e%2e/keys", "/api/v1/leads%2f..%2fkeys", "/api/v1/leads/..;x/keys", "/api/v1/leads%5c..%5ckeys"] {
            assert!(!principal.endpoint_allowed("GET", path), "{path}");
        }
        assert_eq!(principal.limits, Some(access::LimitOverride::PerMinute(7)));
        assert_eq!((principal.tier.as_deref(), principal.tenant, principal.client), (Some("standard"), Some(tenant.id), Some(client)));
        assert_eq!(&*principal.limit_id, made.info.id.to_string());
        let free = bed.admitted(&bed.key(&tenant, client).await.key).await.unwrap();
        assert!(free.ip_allowed("::1".parse().unwrap()) && free.endpoint_allowed("DELETE", "/x"));
    }

    async fn bad_values_are_placed(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, Some(&["leads:read"])).await.client.id;
        for (code, place, body) in [
            ("validation_failed", "/expiresAt", json!({"expiresAt": "2001-01-01T00:00:00Z"})),
            ("validation_failed", "/expiresInDays", json!({"expiresInDays": 0})),
            ("validation_failed", "/expiresInDays", json!({"expiresInDays": 5, "expiresAt": "2099-01-01T00:00:00Z"})),
            ("validation_failed", "/allowedIps/0", json!({"allowedIps": ["10.0.0.0/99"]})),
            ("validation_failed", "/allowedEndpoints/0", json!({"allowedEndpoints": ["leads"]})),
            ("validation_failed", "/allowedIps", json!({"allowedIps": vec!["::1"; 101]})),
            ("validation_failed", "/rateLimitOverride/perWeek", json!({"rateLimitOverride": {"perWeek": 1}})),
            ("validation_failed", "/rotationFrequencyDays", json!({"rotationFrequencyDays": 4_000_000})),
            ("validation_failed", "/notes", json!({"notes": "x".repeat(5000)})),
            ("unknown_scope", "/scopes/0", json!({"scopes": ["leads:fly"]})),
            ("scope_exceeds_client", "/scopes", json!({"scopes": ["leads:write"]})),
            ("scope_exceeds_client", "/scopes", json!({"scopes": ["leads:all"]})),
        ] {
            let error = bed.key_with(&tenant, client, input(body.clone())).await.unwrap_err();
            assert_eq!((error.kind(), error.code(), pointers(&error).as_slice()), (Kind::Invalid, code, [place].as_slice()), "{body}");
        }
        let mut named = CreateKey { client_id: "nonsense".into(), name: "k".into(), ..CreateKey::default() };
        assert_eq!(pointers(&bed.access.create_key(&bed.acting(&tenant), named.clone()).await.unwrap_err()), ["/clientId"]);
        named.client_id = client.to_string();
        named.name = "x".repeat(10_000);
        assert_eq!(pointers(&bed.access.create_key(&bed.acting(&tenant), named).await.unwrap_err()), ["/name"]);
        assert_eq!(bed.count("api_keys").await, 0);
    }

    async fn end_by_time_even_when_cached(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let made = bed.key_with(&tenant, client, input(json!({"expiresInDays": 1}))).await.unwrap();
        bed.admitted(&made.key).await.unwrap();
        bed.advance(86_399);
        assert!(bed.access.try_authenticate_cached(&made.key, None).unwrap().is_ok());
        bed.advance(1);
        assert_eq!(bed.access.try_authenticate_cached(&made.key, None).unwrap().unwrap_err().code(), "invalid_credential");
        assert_eq!(bed.access.get_key(&bed.acting(&tenant), made.info.id).await.unwrap().status, KeyStatus::Expired);
        let longer = UpdateKey { expires_at: Patch::Null, ..UpdateKey::default() };
        bed.access.update_key(&bed.acting(&tenant), made.info.id, longer).await.unwrap();
        bed.admitted(&made.key).await.unwrap();
    }

    async fn disable_enable_and_revoke_at_once(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let made = bed.key(&tenant, client).await;
        let id = made.info.id;
        bed.admitted(&made.key).await.unwrap();
        let enable = async |enabled| {
            let change = UpdateKey { enabled: Patch::Value(enabled), ..UpdateKey::default() };
            bed.access.update_key(&caller, id, change).await
        };
        assert_eq!(enable(false).await.unwrap().status, KeyStatus::Disabled);
        assert_eq!(bed.refused(&made.key).await, "invalid_credential");
        assert_eq!(enable(true).await.unwrap().status, KeyStatus::Active);
        bed.admitted(&made.key).await.unwrap();

        bed.access.revoke_key(&caller, None, id).await.unwrap();
        assert_eq!(bed.refused(&made.key).await, "invalid_credential");
        assert_eq!(enable(true).await.unwrap_err().code(), "key_revoked");
        bed.access.revoke_key(&caller, Some(IdRef::Id(client)), id).await.unwrap();
        let listed = bed.access.list_keys(&caller, IdRef::Id(client), PageRequest::default()).await.unwrap();
        assert_eq!((listed.data.len(), listed.data[0].status, listed.pagination.total), (1, KeyStatus::Revoked, Some(1)));
        let revocations = bed.audit_actions().await.iter().filter(|action| *action == "key.revoke").count();
        assert_eq!(revocations, 1, "revoking twice is the same as once");

        let other = bed.client(&tenant, None).await.client.id;
        let outcome = bed.access.revoke_key(&caller, Some(IdRef::Id(other)), bed.key(&tenant, client).await.info.id).await;
        assert_eq!(outcome.unwrap_err().kind(), Kind::NotFound, "the key of another client");
    }

    async fn rotate_with_and_without_grace(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let body = json!({"scopes": ["leads:read"], "allowedIps": ["::1"], "rateLimitOverride": 9, "expiresInDays": 30, "notes": "n"});
        let first = bed.key_with(&tenant, client, input(body)).await.unwrap();
        bed.admitted(&first.key).await.unwrap();
        let second = bed.access.rotate_key(&caller, first.info.id, RotateKey { grace_period_seconds: 60, ..RotateKey::default() }).await.unwrap();
        assert_ne!((second.info.id, &second.key), (first.info.id, &first.key));
        let (a, b) = (&first.info, &second.info);
        assert_eq!((&a.scopes, &a.allowed_ips, &a.rate_limit_override, a.expires_at), (&b.scopes, &b.allowed_ips, &b.rate_limit_override, b.expires_at));
        bed.admitted(&first.key).await.unwrap();
        bed.admitted(&second.key).await.unwrap();
        bed.advance(60);
        assert_eq!(bed.refused(&first.key).await, "invalid_credential");
        bed.admitted(&second.key).await.unwrap();

        let third = bed.access.rotate_key(&caller, second.info.id, RotateKey::default()).await.unwrap();
        assert_eq!(bed.refused(&second.key).await, "invalid_credential");
        bed.admitted(&third.key).await.unwrap();
        let rotate = async |id, grace_period_seconds| bed.access.rotate_key(&caller, id, RotateKey { grace_period_seconds, ..RotateKey::default() }).await.unwrap_err();
        assert_eq!(rotate(second.info.id, 0).await.code(), "key_revoked");
        assert_eq!(rotate(first.info.id, 0).await.code(), "key_rotated");
        assert_eq!(pointers(&rotate(third.info.id, u32::MAX).await), ["/gracePeriodSeconds"]);
        assert_eq!(bed.count("api_keys").await, 3);
    }

    async fn dual_authentication_needs_both_secrets(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let caller = bed.acting(&tenant);
        let client = bed.client(&tenant, None).await.client.id;
        let before = bed.key(&tenant, client).await;
        assert!(before.secret.is_none());
        bed.admitted(&before.key).await.unwrap();
        let dual = |on| access::clients::UpdateClient { dual_auth: Patch::Value(on), ..Default::default() };
        bed.access.update_client(&caller, IdRef::Id(client), dual(true)).await.unwrap();
        assert_eq!(bed.refused(&before.key).await, "invalid_credential", "a key without second secret");
        let made = bed.key(&tenant, client).await;
        let (secret, other) = (made.secret.clone().unwrap(), bed.key(&tenant, client).await.secret.unwrap());
        let outcome = async |secret: Option<&str>| bed.access.authenticate(&made.key, secret).await.map(drop).map_err(|e| e.code());
        for _ in 0..2 {
            assert_eq!(outcome(Some(&secret)).await, Ok(()));
            for wrong in [None, Some(""), Some(other.as_str()), Some(made.key.as_str())] {
                assert_eq!(outcome(wrong).await, Err("invalid_credential"));
            }
        }
        let rotated = bed.access.rotate_key(&caller, before.info.id, RotateKey::default()).await.unwrap();
        bed.access.authenticate(&rotated.key, rotated.secret.as_deref()).await.unwrap();
        bed.access.update_client(&caller, IdRef::Id(client), dual(false)).await.unwrap();
        bed.admitted(&made.key).await.unwrap();
    }

    async fn uses_are_counted_without_dropping_caches(bed: Bed) {
        let tenant = bed.tenant("Acme").await;
        let client = bed.client(&tenant, None).await.client.id;
        let made = bed.key(&tenant, client).await;
        let id = made.info.id;
        bed.admitted(&made.key).await.unwrap();
        let now = bed.ambient.now();
        for back in [0, 5, 3] {
            bed.access.touch(id, now.minus(std::time::Duration::from_secs(back)));
        }
        bed.access.flush().await.unwrap();
        bed.access.touch(id, now.minus(std::time::Duration::from_secs(60)));
        bed.access.touch(bed.ambient.id(), now);
        bed.access.flush().await.unwrap();
        bed.access.flush().await.unwrap();
        assert!(bed.access.try_authenticate_cached(&made.key, None).is_some(), "still cached");
        let read = bed.access.get_key(&bed.acting(&tenant), id).await.unwrap();
        assert_eq!((read.request_count, read.last_used_at), (4, Some(now)));
    }
}
