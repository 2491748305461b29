//! Versions, feature flags, and what becomes of data that breaks its schema.

use std::sync::Arc;

use events::{EventFilter, MAX_HELD_BYTES, MAX_HELD_EVENTS, PublishBatch, Release};
use kernel::{Caller, Credential, Kind, PageRequest, Permission, PermissionSet, TenantId};
use serde_json::{Value, json};
use store::{Lifecycle, Subject};
use testkit::Engine;

use crate::bed::{Bed, input};

const BLUEPRINT: &str = r#"
name = "bakery"
default_tier = "basic"
product = { title = "Bakery" }
tiers = [{ name = "basic" }]
publishing = { on_schema_fault = "quarantine" }

[[events]]
name = "order.made"
version = 3
schema = { type = "object", required = ["orderId"], properties = { orderId = { type = "string" } }, additionalProperties = false }
example = { orderId = "1" }
[[events.versions]]
version = 1
schema = { type = "object", required = ["id"], properties = { id = { type = "integer" } } }
example = { id = 1 }
deprecated = { since = 2026-01-31, sunset = 2026-12-31, note = "Ids are texts now." }

[[events]]
name = "order.noted"
on_schema_fault = "warn"
schema = { type = "object", required = ["note"], properties = { note = { type = "string" } } }
example = { note = "" }

[[events]]
name = "order.checked"
on_schema_fault = "reject"
schema = { type = "object", required = ["note"] }
example = { note = "" }
deprecated = { since = "2026-01-31", replacement = "order.noted" }

[[events]]
name = "order.baked"
feature = "ovens"
schema = { type = "object" }
example = {}
"#;

struct Bakery(Bed);

impl testkit::Bed for Bakery {
    async fn open(engine: Engine) -> Self {
        let bed = Bed::with(engine, &blueprint::parse(BLUEPRINT, "bakery").unwrap()).await;
        let tenant = bed.tenant;
        bed.events.set_features(Arc::new(move |_, asked| Ok(if asked == tenant { vec!["ovens".to_owned()] } else { Vec::new() })));
        Self(bed)
    }
}

impl Bakery {
    async fn publish(&self, body: Value) -> kernel::Result<Value> {
        let answer = self.0.events.publish(&self.0.caller(), input(&body.to_string())).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    async fn event(&self, id: &str) -> kernel::Result<Value> {
        let event = self.0.events.get(&self.0.caller(), id.parse().unwrap()).await?;
        Ok(serde_json::to_value(event).unwrap())
    }

    async fn held(&self) -> Vec<Value> {
        let page = self.0.events.list_quarantined(&self.0.caller(), None, PageRequest::default()).await.unwrap();
        page.data.iter().map(|one| serde_json::to_value(one).unwrap()).collect()
    }

    async fn release(&self, id: &str, force: bool) -> kernel::Result<Value> {
        let answer = self.0.events.release_quarantined(&self.0.caller(), id.parse().unwrap(), Release { force }).await?;
        Ok(serde_json::to_value(answer).unwrap())
    }

    async fn view(&self, name: &str, version: Option<u32>) -> kernel::Result<Value> {
        let view = self.0.events.event_type(&self.0.caller(), name, version).await?;
        Ok(serde_json::to_value(view).unwrap())
    }

    /// What was planned, but for what tells of the quarantine.
    fn planned(&self) -> Vec<Arc<kernel::Event>> {
        let seen = self.0.planner.seen.lock().unwrap();
        seen.iter().filter(|event| !events::is_operational(event.event_type.as_str())).cloned().collect()
    }

    /// How much is said to be in quarantine.
    async fn fill(&self) -> Option<(i64, i64)> {
        let tenant = self.0.tenant;
        let sql = "SELECT events, bytes FROM quarantine_fill WHERE tenant_id = ?1";
        let read = move |tx: &mut store::Tx<'_>| tx.query_opt(sql, &[tenant.into()], |row| Ok((row.get(0)?, row.get(1)?)));
        self.0.store.read(kernel::Scope::system("test"), read).await.unwrap()
    }
}

fn bad(id: &str) -> Value {
    json!({"type": "order.made", "id": id, "data": {"orderId": 7}})
}

testkit::engines! {
    /// A publication says which version it has, or has the default one; each is checked by its own schema.
    async fn versions_are_checked_each_by_its_schema(bed: Bakery) {
        for (version, data, good) in [
            (None, json!({"orderId": "1"}), true),
            (Some(3), json!({"orderId": "1"}), true),
            (Some(1), json!({"id": 1}), true),
            (Some(1), json!({"orderId": "1"}), false),
            (None, json!({"id": 1}), false),
        ] {
            let mut body = json!({"type": "order.made", "data": data});
            if let Some(version) = version {
                body["schemaVersion"] = json!(version);
            }
            let answer = bed.publish(body).await.unwrap();
            assert_eq!(answer.get("quarantined").is_none(), good, "{version:?} {data} {answer}");
        }
        let chosen: Vec<Option<u32>> = bed.planned().iter().map(|event| event.schema_version).collect();
        assert_eq!(chosen, [None, Some(3), Some(1)]);
        let error = bed.publish(json!({"type": "order.made", "schemaVersion": 2, "data": {"orderId": "1"}})).await.unwrap_err();
        assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("unknown_schema_version", "/schemaVersion"));
        let page = bed.0.events.list(&bed.0.caller(), EventFilter { event_type: Some("order.made".into()), ..EventFilter::default() }, PageRequest::default()).await.unwrap();
        let mut listed: Vec<Option<u32>> = page.data.iter().map(|event| event.schema_version).collect();
        listed.sort_unstable();
        assert_eq!(listed, [None, Some(1), Some(3)]);
    }

    /// The catalogue shows versions and deprecations; the fields of before are where they were.
    async fn the_catalogue_shows_versions_and_deprecations(bed: Bakery) {
        let newest = bed.view("order.made", None).await.unwrap();
        assert_eq!((&newest["version"], &newest["defaultVersion"], &newest["schema"]["required"]), (&json!(3), &json!(3), &json!(["orderId"])));
        assert_eq!(newest["versions"], json!([{"version": 3, "deprecated": null},
            {"version": 1, "deprecated": {"since": "2026-01-31", "replacement": null, "sunset": "2026-12-31", "note": "Ids are texts now."}}]));
        assert_eq!((&newest["deprecated"], &newest["onSchemaFault"]), (&json!(null), &json!("quarantine")));
        let first = bed.view("order.made", Some(1)).await.unwrap();
        assert_eq!((&first["example"], &first["deprecated"]["since"]), (&json!({"id": 1}), &json!("2026-01-31")));
        assert_eq!(bed.view("order.made", Some(2)).await.unwrap_err().kind(), Kind::NotFound);
        let old = bed.view("order.checked", None).await.unwrap();
        assert_eq!((&old["deprecated"]["replacement"], &old["onSchemaFault"]), (&json!("order.noted"), &json!("reject")));
    }

    /// A type that asks for a feature exists for those who have it, and for nobody else.
    async fn a_type_with_a_flag_is_for_those_who_have_it(bed: Bakery) {
        let body = json!({"type": "order.baked", "data": {}});
        bed.publish(body.clone()).await.unwrap();
        let other = Caller::system("test", Some(bed.0.ambient.id::<TenantId>()));
        let error = bed.0.events.publish(&other, input(&body.to_string())).await.unwrap_err();
        assert_eq!(error.code(), "unknown_event_type");
        // What is close to a hidden name is not given away either.
        let typo = input(r#"{"type":"order.bakd","data":{}}"#);
        assert!(!bed.0.events.publish(&other, typo.clone()).await.unwrap_err().fields()[0].detail.contains("baked"));
        assert!(bed.0.events.publish(&bed.0.caller(), typo).await.unwrap_err().fields()[0].detail.contains("order.baked"));
        let batch: PublishBatch = serde_json::from_value(json!({"events": [body.clone(), {"type": "order.noted", "data": {"note": ""}}]})).unwrap();
        let answer = serde_json::to_value(bed.0.events.publish_batch(&other, batch).await.unwrap()).unwrap();
        assert_eq!((&answer["data"][0]["error"]["code"], &answer["data"][1]["type"]), (&json!("unknown_event_type"), &json!("order.noted")));
        assert_eq!(bed.0.events.event_type(&bed.0.caller(), "order.baked", None).await.unwrap().feature.as_deref(), Some("ovens"));
        assert_eq!(bed.0.events.event_type(&other, "order.baked", None).await.unwrap_err().kind(), Kind::NotFound);
        // A change of a record makes no event that its tenant does not have.
        let stranger = other.tenant().unwrap();
        for (tenant, stored) in [(bed.0.tenant, 1), (stranger, 0)] {
            let (events, ambient) = (bed.0.events.clone(), bed.0.ambient.clone());
            let emitted = bed.0.store.write(kernel::TenantScope::system("test", tenant), move |tx| {
                let now = ambient.now();
                let event = kernel::Event {
                    tenant, id: ambient.event_id(), event_type: "order.baked".parse()?, occurred_at: now, created_at: now,
                    data: bytes::Bytes::from_static(b"{}"), client: None, channels: Vec::new(), ordering_key: None, deliver_at: None,
                    schema_version: None,
                };
                events.emit(tx, vec![event])
            }).await.unwrap();
            assert_eq!(emitted.len(), stored);
        }
    }

    /// `warn`: accepted and delivered; the event shows what is wrong, and the same id gives the same answer.
    async fn a_warning_is_shown_on_the_event(bed: Bakery) {
        let body = json!({"type": "order.noted", "id": "w", "data": {"note": 1}});
        let answer = bed.publish(body.clone()).await.unwrap();
        assert_eq!(answer, json!({"id": "w", "type": "order.noted", "deliveries": 3, "warnings": 1}));
        assert_eq!(bed.publish(body).await.unwrap(), answer);
        assert_eq!(bed.event("w").await.unwrap()["warnings"], json!([{"pointer": "/data/note", "detail": "must be a string"}]));
        let good = bed.publish(json!({"type": "order.noted", "id": "g", "data": {"note": "x"}})).await.unwrap();
        assert_eq!((good.get("warnings"), &bed.event("g").await.unwrap()["warnings"]), (None, &json!([])));
        let batch: PublishBatch = serde_json::from_value(json!({"events": [{"type": "order.noted", "id": "b", "data": {}}]})).unwrap();
        bed.0.events.publish_batch(&bed.0.caller(), batch).await.unwrap();
        assert_eq!(bed.event("b").await.unwrap()["warnings"][0]["pointer"], "/data/note", "pointers begin at the event, not at its batch");
        assert_eq!(bed.planned().len(), 3);
    }

    /// `quarantine`: accepted, kept, not delivered; released by force or when the schema allows it, under its id.
    async fn what_breaks_its_schema_waits_and_is_released(bed: Bakery) {
        let answer = bed.publish(bad("q")).await.unwrap();
        assert_eq!(answer, json!({"id": "q", "type": "order.made", "deliveries": 0, "warnings": 1, "quarantined": true}));
        assert_eq!(bed.publish(bad("q")).await.unwrap(), answer, "the same id gives the same answer");
        assert_eq!((bed.planned().len(), bed.event("q").await.unwrap_err().kind()), (0, Kind::NotFound));
        let held = bed.held().await;
        assert_eq!((held.len(), &held[0]["id"], &held[0]["data"]), (1, &json!("q"), &json!({"orderId": 7})));
        assert_eq!(held[0]["problems"], json!([{"pointer": "/data/orderId", "detail": "must be a string"}]));
        assert_eq!(bed.fill().await, Some((1, 13)));
        let told: Vec<_> = bed.0.planner.seen.lock().unwrap().iter().map(|event| event.event_type.to_string()).collect();
        assert_eq!(told, ["event.quarantined"]);

        let error = bed.release("q", false).await.unwrap_err();
        assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("validation_failed", "/data/orderId"));
        assert_eq!(bed.held().await.len(), 1);
        assert_eq!(bed.release("q", true).await.unwrap(), json!({"id": "q", "type": "order.made", "deliveries": 3, "warnings": 1}));
        let planned = bed.planned();
        assert_eq!((planned.len(), planned[0].id.as_str(), &planned[0].data[..]), (1, "q", br#"{"orderId":7}"#.as_slice()));
        let event = bed.event("q").await.unwrap();
        assert_eq!((&event["warnings"][0]["pointer"], &event["occurredAt"]), (&json!("/data/orderId"), &held[0]["occurredAt"]));
        assert_eq!((bed.held().await.len(), bed.fill().await), (0, Some((0, 0))));
        assert_eq!(bed.release("q", true).await.unwrap_err().kind(), Kind::NotFound);
        let sql = "SELECT COUNT(*) FROM audit_log WHERE action = 'quarantined_event.release'";
        let audited: i64 = bed.0.store.read(kernel::Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
        assert_eq!(audited, 1);
        // Now it is an event: the id keeps its answer, whatever comes.
        assert_eq!(bed.publish(bad("q")).await.unwrap(), json!({"id": "q", "type": "order.made", "deliveries": 3, "warnings": 1}));
    }

    /// A mended publication under the same id is accepted; the one that waits then adds nothing.
    async fn a_mended_publication_takes_the_id(bed: Bakery) {
        bed.publish(bad("m")).await.unwrap();
        let mended = bed.publish(json!({"type": "order.made", "id": "m", "data": {"orderId": "7"}})).await.unwrap();
        assert_eq!((&mended["deliveries"], mended.get("quarantined")), (&json!(3), None));
        assert_eq!(bed.release("m", true).await.unwrap(), mended);
        assert_eq!((bed.planned().len(), &bed.event("m").await.unwrap()["data"]["orderId"]), (1, &json!("7")));
        // Discarded: nothing is left, and the id is free.
        bed.publish(bad("d")).await.unwrap();
        bed.0.events.discard_quarantined(&bed.0.caller(), "d".parse().unwrap()).await.unwrap();
        let again = bed.0.events.discard_quarantined(&bed.0.caller(), "d".parse().unwrap()).await;
        assert_eq!(again.unwrap_err().kind(), Kind::NotFound);
        assert_eq!((bed.held().await.len(), bed.fill().await), (0, Some((0, 0))));
        bed.publish(json!({"type": "order.made", "id": "d", "data": {"orderId": "8"}})).await.unwrap();
        assert_eq!(bed.planned().len(), 2);
    }

    /// In one batch: good ones, one that waits, one for an unknown client; each gets its answer.
    async fn a_batch_sorts_them(bed: Bakery) {
        let batch: PublishBatch = serde_json::from_value(json!({"events": [
            bad("x"),
            {"type": "order.made", "id": "y", "data": {"orderId": "1"}},
            {"type": "order.made", "id": "z", "clientId": bed.0.ambient.id::<kernel::ClientId>(), "data": {"orderId": 1}},
            bad("x"),
            bad("y"),
        ]})).unwrap();
        let answer = serde_json::to_value(bed.0.events.publish_batch(&bed.0.caller(), batch).await.unwrap()).unwrap();
        let rows = answer["data"].as_array().unwrap();
        assert_eq!((&rows[0]["quarantined"], &rows[1]["deliveries"]), (&json!(true), &json!(3)), "{answer}");
        assert_eq!(rows[2]["error"]["code"], "unknown_client");
        assert_eq!((&rows[3]["quarantined"], rows[4].get("quarantined"), &rows[4]["deliveries"]), (&json!(true), None, &json!(3)));
        assert_eq!((bed.held().await.len(), bed.fill().await.map(|(events, _)| events)), (1, Some(1)));
    }

    /// Who may not, and whose it is not, sees nothing and decides nothing.
    async fn the_quarantine_is_the_tenants(bed: Bakery) {
        bed.publish(bad("t")).await.unwrap();
        let other = Caller::system("test", Some(bed.0.ambient.id::<TenantId>()));
        let id = || "t".parse().unwrap();
        assert_eq!(bed.0.events.get_quarantined(&other, id()).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.0.events.release_quarantined(&other, id(), Release { force: true }).await.unwrap_err().kind(), Kind::NotFound);
        assert_eq!(bed.0.events.discard_quarantined(&other, id()).await.unwrap_err().kind(), Kind::NotFound);
        assert!(bed.0.events.list_quarantined(&other, None, PageRequest::default()).await.unwrap().data.is_empty());
        let credential = Credential::Key { key: bed.0.ambient.id(), client: bed.0.client };
        let reader = Caller::new(credential, Some(bed.0.tenant), Arc::from([]), [Permission::EventsRead].into_iter().collect::<PermissionSet>());
        bed.0.events.get_quarantined(&reader, id()).await.unwrap();
        assert_eq!(bed.0.events.release_quarantined(&reader, id(), Release { force: true }).await.unwrap_err().code(), "insufficient_scope");
        assert_eq!(bed.0.events.discard_quarantined(&reader, id()).await.unwrap_err().code(), "insufficient_scope");
        // Whoever is to be forgotten is forgotten here too.
        let (events, tenant) = (bed.0.events.clone(), bed.0.tenant);
        bed.publish(bad("u")).await.unwrap();
        let forget = move |tx: &mut store::Tx<'_>| {
            events.purge(tx, tenant, &Subject::Event("t".parse()?))?;
            Ok(())
        };
        bed.0.store.write(kernel::TenantScope::system("test", tenant), forget).await.unwrap();
        assert_eq!((bed.held().await.len(), bed.fill().await), (1, Some((1, 13))));
        let events = bed.0.events.clone();
        bed.0.store.write(kernel::TenantScope::system("test", tenant), move |tx| events.purge(tx, tenant, &Subject::Tenant)).await.unwrap();
        assert_eq!((bed.held().await.len(), bed.fill().await), (0, None));
    }

    /// What was mended goes all at once, by type and time; what still breaks its schema, or has no client any more, goes on waiting.
    async fn many_are_released_at_once(bed: Bakery) {
        for n in 0..130 {
            bed.publish(bad(&format!("m{n:03}"))).await.unwrap();
        }
        let release = async |body: serde_json::Value| {
            let input: events::ReleaseMany = serde_json::from_value(body).unwrap();
            let done = bed.0.events.release_many_quarantined(&bed.0.caller(), input).await.unwrap();
            (done.matched, done.released, done.kept)
        };
        assert_eq!(release(json!({"type": "order.lost", "force": true})).await, (0, 0, 0));
        assert_eq!(release(json!({"to": "2000-01-01T00:00:00Z", "force": true})).await, (0, 0, 0));
        assert_eq!(release(json!({"type": "order.made"})).await, (130, 0, 130), "they still break it");
        assert_eq!(release(json!({"force": true, "dryRun": true})).await, (130, 130, 0));
        assert_eq!((bed.fill().await.map(|(events, _)| events), bed.planned().len()), (Some(130), 0), "that only counted");
        assert_eq!(release(json!({"type": "order.made", "from": "2000-01-01T00:00:00Z", "force": true})).await, (130, 130, 0));
        assert_eq!((bed.held().await.len(), bed.planned().len(), bed.fill().await), (0, 130, Some((0, 0))));
        assert_eq!(release(json!({"force": true})).await, (0, 0, 0));
        let other = Caller::system("test", Some(bed.0.ambient.id::<TenantId>()));
        bed.publish(bad("ours")).await.unwrap();
        let all = events::ReleaseMany { force: true, ..events::ReleaseMany::default() };
        assert_eq!(bed.0.events.release_many_quarantined(&other, all).await.unwrap().matched, 0);
    }

    /// The quarantine has a bound, in number and in bytes; what it refuses leaves nothing behind.
    async fn the_quarantine_is_bounded(bed: Bakery) {
        bed.publish(bad("first")).await.unwrap();
        let set = |events: u64, bytes: u64| {
            let (store, tenant) = (bed.0.store.clone(), bed.0.tenant);
            async move {
                let sql = "UPDATE quarantine_fill SET events = ?2, bytes = ?3 WHERE tenant_id = ?1";
                let write = move |tx: &mut store::Tx<'_>| tx.exec(sql, &[tenant.into(), events.into(), bytes.into()]);
                store.write(kernel::Scope::system("test"), write).await.unwrap();
            }
        };
        for (events, bytes) in [(u64::from(MAX_HELD_EVENTS), 0), (1, MAX_HELD_BYTES)] {
            set(events, bytes).await;
            let error = bed.publish(bad("second")).await.unwrap_err();
            assert_eq!((error.code(), error.fields()[0].pointer.as_str()), ("quarantine_full", "/data/orderId"));
            assert_eq!(bed.publish(bad("first")).await.unwrap()["quarantined"], true, "what waits already still gets its answer");
        }
        set(u64::from(MAX_HELD_EVENTS) - 1, 0).await;
        bed.publish(bad("second")).await.unwrap();
        assert_eq!(bed.publish(bad("third")).await.unwrap_err().code(), "quarantine_full");
        assert_eq!(bed.held().await.len(), 2);
        // Many at once do not pass it together.
        set(u64::from(MAX_HELD_EVENTS) - 5, 0).await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..20 {
            let (events, caller) = (bed.0.events.clone(), bed.0.caller());
            tasks.spawn(async move { events.publish(&caller, input(&bad(&format!("c{n}")).to_string())).await.is_ok() });
        }
        assert_eq!(tasks.join_all().await.into_iter().filter(|held| *held).count(), 5);
        assert_eq!(bed.held().await.len(), 7);
    }

    /// The list goes on by its cursor and knows types.
    async fn the_list_has_pages(bed: Bakery) {
        for n in 0..7 {
            bed.publish(bad(&format!("p{n}"))).await.unwrap();
        }
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = PageRequest { limit: 3, cursor, ..PageRequest::default() };
            let answer = bed.0.events.list_quarantined(&bed.0.caller(), Some("order.made".into()), page).await.unwrap();
            seen.extend(answer.data.iter().map(|one| one.id.to_string()));
            let Some(next) = answer.pagination.next_cursor else { break };
            cursor = Some(kernel::Cursor::decode(&next).unwrap());
        }
        seen.sort();
        assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
        let none = bed.0.events.list_quarantined(&bed.0.caller(), Some("order.noted".into()), PageRequest::default()).await.unwrap();
        assert!(none.data.is_empty());
    }

    /// A member that occurs twice is refused whatever the type does with faults, with its place.
    async fn duplicate_members_are_refused(bed: Bakery) {
        for event_type in ["order.made", "order.noted", "order.checked", "order.baked"] {
            let body = format!(r#"{{"type":"{event_type}","data":{{"note":"","list":[{{"a":1,"\u0061":2}}]}}}}"#);
            let error = bed.0.events.publish(&bed.0.caller(), input(&body)).await.unwrap_err();
            let place = error.fields()[0].pointer.as_str();
            assert_eq!((error.code(), error.kind(), place), ("duplicate_member", Kind::Malformed, "/data/list/0/a"));
        }
        assert_eq!(bed.held().await.len(), 0);
    }
}
