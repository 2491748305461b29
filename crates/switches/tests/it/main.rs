//! The switches on both engines, with two nodes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::Arc;
use std::time::Duration;

use kernel::{Ambient, Scope};
use store::{Config, Database, MasterKey, Node, Store};
use switches::{ReloadOutcome, Switches, answers, ask_to_reload, switch_maintenance};
use testkit::{Engine, wait};

/// How long another node may take to notice.
const NOTICE: Duration = Duration::from_secs(1);

struct Bed {
    store: Store,
    key: MasterKey,
    engine: Engine,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let key = MasterKey::generate(&Ambient::system());
        let store = open(&engine, &key).await;
        Self { store, key, engine }
    }
}

async fn open(engine: &Engine, key: &MasterKey) -> Store {
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let mut config = Config::new(database, key.clone(), Ambient::system(), switches::MIGRATIONS.to_vec());
    config.exclusive = false;
    Store::open(config).await.unwrap()
}

testkit::engines! {
    async fn maintenance_reaches_every_node_and_survives_a_restart(bed: Bed) {
        let here = Switches::new(bed.store.clone()).await.unwrap();
        let there = Switches::new(open(&bed.engine, &bed.key).await).await.unwrap();
        assert!(!here.is_in_maintenance() && there.maintenance().is_none());
        // Before this connection stands notices may be missed: the first switch shows that it does.
        let on = switch_maintenance(&bed.store, Some((Duration::from_secs(90), Some("Back at noon.".into())))).await.unwrap().unwrap();
        wait::until("maintenance here", NOTICE, async || here.is_in_maintenance().then_some(())).await;
        wait::until("maintenance there", Duration::from_secs(10), async || there.is_in_maintenance().then_some(())).await;
        let refusal = there.maintenance().unwrap().refusal();
        assert_eq!((refusal.code(), refusal.wait(), refusal.detail()), ("maintenance", Some(Duration::from_secs(90)), "Back at noon."));
        let again = switch_maintenance(&bed.store, Some((Duration::from_secs(5), None))).await.unwrap().unwrap();
        assert_eq!((again.since, again.retry_after_seconds), (on.since, 5), "it has been on since then");
        assert!(again.refusal().detail().contains("maintained"));
        let restarted = Switches::new(open(&bed.engine, &bed.key).await).await.unwrap();
        assert!(restarted.is_in_maintenance());
        switch_maintenance(&bed.store, None).await.unwrap();
        for node in [&here, &there, &restarted] {
            wait::until("its end", NOTICE, async || (!node.is_in_maintenance()).then_some(())).await;
        }
        let acts = "SELECT action FROM audit_log ORDER BY seq";
        let acts: Vec<String> = bed.store.read(Scope::system("test"), move |tx| tx.query(acts, &[], |row| row.get(0))).await.unwrap();
        assert_eq!(acts, ["maintenance.on", "maintenance.on", "maintenance.off"]);
    }

    async fn what_cannot_be_said_is_refused(bed: Bed) {
        for (seconds, text) in [(0, None), (86_401, None), (60, Some("")), (60, Some("two\nlines"))] {
            let on = Some((Duration::from_secs(seconds), text.map(str::to_owned)));
            let error = switch_maintenance(&bed.store, on).await.unwrap_err();
            assert_eq!(error.code(), "validation_failed", "{seconds} {text:?}");
        }
        assert!(!Switches::new(bed.store.clone()).await.unwrap().is_in_maintenance());
    }

    async fn a_call_to_reload_is_heard_once_and_answered(bed: Bed) {
        let node = bed.store.write(Scope::system("test"), Node::register).await.unwrap();
        ask_to_reload(&bed.store).await.unwrap();
        let switches: Arc<Switches> = Switches::new(bed.store.clone()).await.unwrap();
        let mut calls = switches.calls();
        assert!(!calls.has_changed().unwrap(), "what was called before this server began is not new");
        let call = ask_to_reload(&bed.store).await.unwrap();
        assert_eq!((call.number, call.nodes.clone()), (2, vec![node.id]));
        tokio::time::timeout(Duration::from_secs(10), calls.changed()).await.unwrap().unwrap();
        assert_eq!(*calls.borrow_and_update(), 2);
        assert!(answers(&bed.store, 2).await.unwrap().is_empty());
        switches.answer(2, node.id, ReloadOutcome::Refused, "scope gone".into()).await.unwrap();
        switches.answer(2, node.id, ReloadOutcome::Applied, "later".into()).await.unwrap();
        let said = answers(&bed.store, 2).await.unwrap();
        assert_eq!(said.len(), 1, "the first answer counts");
        assert_eq!((said[0].node, said[0].outcome.as_str(), said[0].detail.as_str()), (node.id, "refused", "scope gone"));
    }

    async fn a_store_knows_whether_it_is_up_to_date(bed: Bed) {
        let further = store::Migration { feature: "later", version: 1, home: store::Home::State, sql: "CREATE TABLE later (a BIGINT);\n" };
        let check = |steps: Vec<store::Migration>| bed.store.read(Scope::system("test"), move |tx| store::is_migrated(tx, &steps));
        assert!(check(switches::MIGRATIONS.to_vec()).await.unwrap());
        assert!(!check(vec![further]).await.unwrap());
    }
}
