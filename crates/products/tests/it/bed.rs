//! A store, a clock and small blueprints.

use std::sync::Arc;
use std::time::Duration;

use blueprint::Blueprint;
use kernel::time::ManualClock;
use kernel::{Ambient, Result, Scope, Timestamp};
use products::{How, Objection, Objector, Products, Settled, Text, Ticket, Version};
use store::{Config, Database, MasterKey, Store, Tx};
use testkit::Engine;

pub(crate) const NOON: &str = "2026-01-31T12:00:00.000Z";

pub(crate) struct Bed {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Store,
    pub(crate) products: Products,
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse(NOON).unwrap()));
        let ambient = Ambient::new(clock.clone(), Arc::new(kernel::chance::SystemEntropy));
        let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
        let config = Config::new(database, MasterKey::generate(&ambient), ambient, products::MIGRATIONS.to_vec());
        let store = Store::open(config).await.unwrap();
        let products = Products::new(store.clone(), [keeps_orders as Objector]);
        Self { engine, clock, store, products }
    }
}

/// As a feature with orders would.
fn keeps_orders(_: &mut Tx<'_>, old: &Blueprint, new: &Blueprint) -> Result<Vec<Objection>> {
    let gone = old.resource("order").is_some() && new.resource("order").is_none();
    Ok(gone
        .then(|| Objection {
            code: "resource_in_use",
            place: "resources[\"order\"]".to_owned(),
            reason: "there are 3 records of it".to_owned(),
            way_out: "delete them".to_owned(),
        })
        .into_iter()
        .collect())
}

/// A product with these resource types, each with a list under its name.
pub(crate) fn text(resources: &[&str]) -> Text {
    let mut text = String::from(
        "name = \"shop\"\ndefault_tier = \"basic\"\n[product]\ntitle = \"Shop\"\ndescription = \"\"\n[style]\nbase_path = \"/api/shop\"\n\
         [keys]\nprefix = \"sh\"\n[[tiers]]\nname = \"basic\"\nper_minute = 60\n[[scopes]]\nname = \"read\"\ndescription = \"Read\"\n",
    );
    for name in resources {
        text.push_str(&format!(
            "[[resources]]\nname = \"{name}\"\nplural = \"{name}s\"\nschema = {{ type = \"object\", properties = {{ title = {{ type = \"string\" }} }} }}\n\
             [[endpoints]]\nmethod = \"GET\"\npath = \"/{name}s\"\noperation = \"list\"\nresource = \"{name}\"\nscope = \"read\"\n"
        ));
    }
    Text::parse(&text, "shop.toml").unwrap_or_else(|faults| panic!("{faults}"))
}

/// The same with something said in other words.
pub(crate) fn reworded(text: &Text) -> Text {
    Text::parse(&format!("# the same\n{}", text.as_str()), "shop.toml").unwrap()
}

impl Bed {
    pub(crate) async fn settle(&self, text: &Text, how: How) -> Settled {
        self.products.settle(text.clone(), how).await.unwrap()
    }

    #[track_caller]
    pub(crate) fn ticket(settled: Settled) -> Ticket {
        match settled {
            Settled::New(ticket) => ticket,
            other => panic!("not new: {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn refusal(settled: Settled) -> String {
        match settled {
            Settled::Refused(why) => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Starts with a file.
    pub(crate) async fn apply(&self, text: &Text) -> Version {
        let ticket = Self::ticket(self.settle(text, How::Start).await);
        self.clock.advance(Duration::from_secs(60));
        self.products.record(&ticket, How::Start, "nod_1").await.unwrap()
    }

    /// Another server is alive.
    pub(crate) async fn other_server(&self) {
        self.store.write(Scope::system("test"), |tx| store::Node::register(tx).map(drop)).await.unwrap();
    }

    pub(crate) async fn audited(&self) -> Vec<(String, String)> {
        let read =
            |tx: &mut Tx<'_>| tx.query("SELECT action, target FROM audit_log ORDER BY id", &[], |row| Ok((row.get(0)?, row.get(1)?)));
        self.store.read(Scope::system("test"), read).await.unwrap()
    }
}
