//! Making, changing and deleting webhooks.

use std::sync::Arc;

use kernel::{Caller, Credential, IdRef, Kind, PageRequest, Permission};
use serde_json::{Value, json};
use webhooks::{Change, RotateSecret, WebhookPatch, WebhookPath};

use crate::bed::{Bed, input};

fn patch(body: Value) -> WebhookPatch {
    serde_json::from_value(body).unwrap()
}

fn full() -> Value {
    json!({
        "url": "http://127.0.0.1:9/hook", "events": ["lead.created", "quote.*"], "name": "CRM", "description": "d",
        "filter": {"data.status": "WON"}, "channels": ["eu"], "auth": {"type": "basic", "username": "u", "password": "p4ss"},
        "httpMethod": "PUT", "customHeaders": {"X-Plain": "1", "X-Api-Key": "s3cret"},
        "retryConfig": {"maxRetries": 2, "retryDelay": 1, "backoffMultiplier": 1.5, "timeout": 5},
        "rateLimitPerSecond": 10, "ordered": true, "enabled": true,
    })
}

testkit::engines! {
    /// A path makes a webhook ordered, goes with the order, and is checked like a filter's.
    async fn an_ordering_path_is_a_setting(bed: Bed) {
        let body = |more: serde_json::Value| {
            let mut body = json!({"url": "http://127.0.0.1:9/hook", "events": ["*"]});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let made = bed.create(body(json!({"orderingKeyPath": "data.customerId"}))).await.unwrap();
        assert_eq!((made.ordered, made.ordering_key_path.as_deref()), (true, Some("data.customerId")));
        let patch = async |change: serde_json::Value| {
            let patch: WebhookPatch = serde_json::from_value(change).unwrap();
            let done = bed.webhooks.update(&bed.caller(), made.id.into(), patch).await;
            done.map(|now| (now.ordered, now.ordering_key_path)).map_err(|error| error.fields()[0].pointer.clone())
        };
        let path = |text: &str| Some(text.to_owned());
        for (change, expected) in [
            (json!({"name": "x"}), Ok((true, path("data.customerId")))),
            (json!({"orderingKeyPath": null}), Ok((true, None))),
            (json!({"orderingKeyPath": "type"}), Ok((true, path("type")))),
            (json!({"ordered": false}), Ok((false, None))),
            (json!({"orderingKeyPath": "data.a.0"}), Ok((true, path("data.a.0")))),
            (json!({"ordered": false, "orderingKeyPath": "data.a"}), Err("/orderingKeyPath".to_owned())),
            (json!({"orderingKeyPath": "customerId"}), Err("/orderingKeyPath".to_owned())),
        ] {
            assert_eq!(patch(change.clone()).await, expected, "{change}");
        }
        let patched = async |change: Value| bed.webhooks.update(&bed.caller(), made.id.into(), serde_json::from_value(change).unwrap()).await;
        assert_eq!(patched(json!({"expiresAfterSeconds": 3600})).await.unwrap().expires_after_seconds, Some(3600));
        assert_eq!(patched(json!({"name": "y"})).await.unwrap().expires_after_seconds, Some(3600));
        for bad in [9, 2_592_001] {
            let refused = patched(json!({"expiresAfterSeconds": bad})).await.unwrap_err();
            assert_eq!(refused.fields()[0].pointer, "/expiresAfterSeconds");
        }
        assert_eq!(patched(json!({"expiresAfterSeconds": null})).await.unwrap().expires_after_seconds, None);
        let replaced = bed.webhooks.replace(&bed.caller(), made.id.into(), input(body(json!({"ordered": true})))).await.unwrap();
        assert_eq!((replaced.ordered, replaced.ordering_key_path), (true, None), "PUT replaces");
        let refused = bed.create(body(json!({"ordered": false, "orderingKeyPath": "data.a"}))).await.unwrap_err();
        assert_eq!((refused.code(), refused.fields()[0].pointer.as_str()), ("validation_failed", "/orderingKeyPath"));
    }

    /// Every field comes back, secrets do not, and the signing secret is in the first answer only.
    async fn what_is_made_is_read(bed: Bed) {
        let made = bed.create(full()).await.unwrap();
        assert!(made.secret.as_ref().unwrap().starts_with("whsec_"));
        let read = bed.webhooks.get(&bed.caller(), made.id.into()).await.unwrap();
        let view = serde_json::to_value(&read).unwrap();
        for name in ["url", "events", "name", "description", "filter", "channels", "httpMethod", "retryConfig", "rateLimitPerSecond", "ordered", "enabled"] {
            assert_eq!(view[name], full()[name], "{name}");
        }
        assert_eq!(view["auth"], json!({"type": "basic", "username": "u"}));
        assert_eq!(view["customHeaders"], json!({"X-Plain": "1", "X-Api-Key": "***"}));
        assert_eq!((&view["status"], &view["clientId"]), (&json!("enabled"), &json!(bed.client)));
        let text = view.to_string();
        assert!(!text.contains("p4ss") && !text.contains("s3cret") && !text.contains("whsec_"), "{text}");
        let policy = bed.store.read(kernel::TenantScope::system("test", bed.tenant), {
            let (tenant, id) = (bed.tenant, made.id);
            move |tx| dispatch::destinations::get(tx, tenant, id)
        });
        let policy = policy.await.unwrap().policy;
        assert_eq!((policy.schedule_ms, policy.timeout_ms, policy.rate_per_second, policy.ordered), (vec![1000, 1500], 5000, Some(10), true));
    }

    /// Without a retry configuration the blueprint's schedule holds.
    async fn the_blueprint_has_the_default_policy(bed: Bed) {
        let made = bed.create(json!({"url": "http://127.0.0.1:9/", "events": ["*"]})).await.unwrap();
        let tenant = bed.tenant;
        let found = bed.store.read(kernel::TenantScope::system("test", tenant), move |tx| dispatch::destinations::get(tx, tenant, made.id));
        let policy = found.await.unwrap().policy;
        assert_eq!((policy.schedule_ms, policy.timeout_ms), (vec![60_000, 120_000, 240_000], 30_000));
    }

    /// Each fault has its code and place, and makes nothing.
    async fn faults_name_their_place(bed: Bed) {
        for (change, code, pointer) in [
            (json!({"events": []}), "validation_failed", "/events"),
            (json!({"events": ["lead.nothing"]}), "unknown_event_type", "/events/0"),
            (json!({"events": ["lead.*", "lead*"]}), "validation_failed", "/events/1"),
            (json!({"url": "http://10.0.0.1/"}), "url_refused", "/url"),
            (json!({"url": "http://[::ffff:169.254.169.254]/"}), "url_refused", "/url"),
            (json!({"url": "ftp://127.0.0.1/"}), "url_refused", "/url"),
            (json!({"url": "nonsense"}), "url_refused", "/url"),
            (json!({"filter": {"status": 1}}), "validation_failed", "/filter/status"),
            (json!({"transform": "handler"}), "invalid_transform", "/transform"),
            (json!({"transform": "function handler(w) { return w + }"}), "invalid_transform", "/transform"),
            (json!({"transform": "x".repeat(64 * 1024 + 1)}), "invalid_transform", "/transform"),
            (json!({"customHeaders": {"X-Api-Key": "***"}}), "validation_failed", "/customHeaders/X-Api-Key"),
            (json!({"auth": {"type": "oauth2", "tokenUrl": "http://10.0.0.1/", "clientId": "a", "clientSecret": "b"}}), "url_refused", "/auth/tokenUrl"),
            (json!({"auth": {"type": "basic", "username": "a:b", "password": "c"}}), "validation_failed", "/auth/username"),
            (json!({"httpMethod": "GET"}), "validation_failed", "/httpMethod"),
            (json!({"customHeaders": {"Host": "x"}}), "validation_failed", "/customHeaders/Host"),
            (json!({"customHeaders": {"X-A": "a\nb"}}), "validation_failed", "/customHeaders/X-A"),
            (json!({"channels": vec!["c"; 11]}), "validation_failed", "/channels"),
            (json!({"rateLimitPerSecond": 0}), "validation_failed", "/rateLimitPerSecond"),
            (json!({"retryConfig": {"maxRetries": 21}}), "validation_failed", "/retryConfig/maxRetries"),
            (json!({"retryConfig": {"retryDelay": 0}}), "validation_failed", "/retryConfig/retryDelay"),
            (json!({"retryConfig": {"backoffMultiplier": 0.5}}), "validation_failed", "/retryConfig/backoffMultiplier"),
            (json!({"retryConfig": {"timeout": 61}}), "validation_failed", "/retryConfig/timeout"),
            (json!({"name": "n".repeat(201)}), "validation_failed", "/name"),
        ] {
            let mut body = json!({"url": "http://127.0.0.1:9/", "events": ["*"]});
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            let error = bed.create(body).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), (code, pointer), "{change} {error:?}");
        }
        let page = bed.webhooks.list(&bed.caller(), IdRef::Id(bed.client), PageRequest::default()).await.unwrap();
        assert_eq!(page.pagination.total, Some(0));
    }

    /// A name without an address is accepted, since it is judged again at every attempt; inbound types need no declaration.
    async fn what_may_come_later_is_accepted(bed: Bed) {
        bed.create(json!({"url": "https://no-such-host.invalid/", "events": ["inbound.github.push", "nothing.yet.*"]})).await.unwrap();
    }

    /// PATCH changes what it names, `null` empties, PUT sets everything anew; masked headers keep their values.
    async fn changes(bed: Bed) {
        let made = bed.create(full()).await.unwrap();
        let path = || WebhookPath::from(made.id);
        let change = patch(json!({"name": null, "filter": null, "events": ["*"], "enabled": false}));
        let patched = bed.webhooks.update(&bed.caller(), path(), change).await.unwrap();
        assert_eq!((patched.name, patched.filter, patched.events.len(), patched.enabled), (None, None, 1, false));
        assert_eq!((patched.description.as_deref(), patched.url.as_deref()), (Some("d"), Some("http://127.0.0.1:9/hook")));
        assert_eq!(patched.secret, None);
        let error = bed.webhooks.update(&bed.caller(), path(), patch(json!({"url": "http://192.168.0.1/"}))).await.unwrap_err();
        assert_eq!(error.code(), "url_refused");
        let body = json!({"url": "http://127.0.0.1:10/", "events": ["lead.created"], "customHeaders": {"X-Api-Key": "***", "X-Plain": "***"}});
        let replaced = bed.webhooks.replace(&bed.caller(), path(), input(body)).await.unwrap();
        assert_eq!((replaced.http_method.as_str(), replaced.ordered, replaced.enabled), ("POST", false, false));
        assert_eq!(replaced.auth, json!({"type": "none"}));
        let (tenant, id) = (bed.tenant, made.id);
        let found = bed.store.read(kernel::TenantScope::system("test", tenant), move |tx| dispatch::destinations::get(tx, tenant, id));
        let config = found.await.unwrap().config;
        assert_eq!(config["headers"], json!({"X-Api-Key": "s3cret", "X-Plain": "***"}));
        assert_eq!(config["secrets"][0]["secret"], json!(made.secret), "the secret stays");
    }

    /// Enabled, paused and disabled, and what is refused.
    async fn states(bed: Bed) {
        let made = bed.create(full()).await.unwrap();
        for (change, expected) in [
            (Change::Pause, Ok("paused")),
            (Change::Resume, Ok("enabled")),
            (Change::Disable, Ok("disabled")),
            (Change::Disable, Ok("disabled")),
            (Change::Pause, Err("webhook_disabled")),
            (Change::Resume, Err("webhook_disabled")),
            (Change::Enable, Ok("enabled")),
        ] {
            let outcome = bed.webhooks.set_state(&bed.caller(), made.id.into(), change).await;
            let state = outcome.as_ref().map(|webhook| webhook.status.as_str()).map_err(kernel::Error::code);
            assert_eq!(state, expected, "{change:?}");
        }
    }

    /// Another tenant's webhook and client are not there, in either form of path; neither is another client's webhook below this client.
    async fn others_do_not_see_it(bed: Bed) {
        let made = bed.create(full()).await.unwrap();
        let (caller, id) = (&bed.stranger, made.id);
        let below = |client: &str| WebhookPath { client: Some(client.parse().unwrap()), id };
        for path in [id.into(), below("ext:app"), below(&bed.client.to_string()), below(&bed.strange_client.to_string())] {
            let path: WebhookPath = path;
            let kinds = [
                bed.webhooks.get(caller, path.clone()).await.unwrap_err().kind(),
                bed.webhooks.update(caller, path.clone(), patch(json!({"name": "x"}))).await.unwrap_err().kind(),
                bed.webhooks.replace(caller, path.clone(), input(full())).await.unwrap_err().kind(),
                bed.webhooks.rotate_secret(caller, path.clone(), RotateSecret::default()).await.unwrap_err().kind(),
                bed.webhooks.set_state(caller, path.clone(), Change::Disable).await.unwrap_err().kind(),
                bed.webhooks.test(caller, path.clone()).await.unwrap_err().kind(),
                bed.webhooks.deliveries(caller, Some(path.clone()), Default::default(), PageRequest::default()).await.unwrap_err().kind(),
                bed.webhooks.delete(caller, path).await.unwrap_err().kind(),
            ];
            assert_eq!(kinds, [Kind::NotFound; 8]);
        }
        assert_eq!(bed.webhooks.create(caller, IdRef::Id(bed.client), input(full())).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.webhooks.list(caller, IdRef::Id(bed.client), PageRequest::default()).await.unwrap_err().kind(), Kind::NotFound);
        let ours = bed.webhooks.get(&bed.caller(), below("ext:app")).await.unwrap();
        assert_eq!((ours.id, ours.enabled), (id, true));
    }

    /// Reading needs `webhooks.read`, everything else `webhooks.write`.
    async fn permissions(bed: Bed) {
        let made = bed.create(full()).await.unwrap();
        let key = |permission: Permission| {
            let credential = Credential::Key { key: bed.ambient.id(), client: bed.client };
            Caller::new(credential, Some(bed.tenant), Arc::from([]), [permission].into_iter().collect())
        };
        let (reader, writer) = (key(Permission::WebhooksRead), key(Permission::WebhooksWrite));
        let path = || WebhookPath::from(made.id);
        bed.webhooks.get(&reader, path()).await.unwrap();
        bed.webhooks.update(&writer, path(), patch(json!({"name": "x"}))).await.unwrap();
        let codes = [
            bed.webhooks.get(&writer, path()).await.unwrap_err().code(),
            bed.webhooks.list(&writer, IdRef::Id(bed.client), PageRequest::default()).await.unwrap_err().code(),
            bed.webhooks.undelivered(&writer, Default::default(), PageRequest::default()).await.unwrap_err().code(),
            bed.webhooks.create(&reader, IdRef::Id(bed.client), input(full())).await.unwrap_err().code(),
            bed.webhooks.update(&reader, path(), patch(json!({}))).await.unwrap_err().code(),
            bed.webhooks.rotate_secret(&reader, path(), RotateSecret::default()).await.unwrap_err().code(),
            bed.webhooks.set_state(&reader, path(), Change::Disable).await.unwrap_err().code(),
            bed.webhooks.test(&reader, path()).await.unwrap_err().code(),
            bed.webhooks.retry(&reader, bed.ambient.id()).await.unwrap_err().code(),
            bed.webhooks.delete(&reader, path()).await.unwrap_err().code(),
        ];
        assert_eq!(codes, ["insufficient_scope"; 10]);
    }

    /// Lists page by cursor; the limit per client holds; deleting makes room; all of it is audited.
    async fn lists_limits_and_deletion(bed: Bed) {
        let body = json!({"url": "http://127.0.0.1:9/", "events": ["*"]});
        let mut ids = Vec::new();
        for _ in 0..100 {
            ids.push(bed.create(body.clone()).await.unwrap().id);
        }
        assert_eq!(bed.create(body.clone()).await.unwrap_err().code(), "too_many_webhooks");
        let (mut seen, mut page) = (Vec::new(), PageRequest { limit: 30, ..PageRequest::default() });
        loop {
            let answer = bed.webhooks.list(&bed.caller(), "ext:app".parse().unwrap(), page.clone()).await.unwrap();
            assert_eq!(answer.pagination.total, Some(100));
            seen.extend(answer.data.iter().map(|webhook| webhook.id));
            let Some(next) = answer.pagination.next_cursor else { break };
            page.cursor = Some(kernel::Cursor::decode(&next).unwrap());
        }
        ids.sort_by_key(|id| std::cmp::Reverse(*id));
        assert_eq!(seen, ids);
        bed.webhooks.delete(&bed.caller(), ids[0].into()).await.unwrap();
        assert_eq!(bed.webhooks.get(&bed.caller(), ids[0].into()).await.unwrap_err().kind(), Kind::NotFound);
        bed.create(body).await.unwrap();
        let audited = bed.audited().await;
        assert_eq!(audited.iter().filter(|action| *action == "subscription.create").count(), 101);
        assert_eq!(audited.iter().filter(|action| *action == "subscription.delete").count(), 1);
    }
}
