//! What these tests stand on: the features below this one, wired as the binary wires them.

use std::sync::Arc;
use std::time::Duration;

use access::Access;
use access::clients::ClientInput;
use access::tenants::CreateTenant;
use blueprint::Blueprint;
use dispatch::acceptances::Acceptances;
use dispatch::http::HttpChannel;
use dispatch::signing_keys::SigningKeys;
use dispatch::{Dispatch, DispatchLifecycle, Options};
use events::{Events, Publish, Published};
use kernel::{Ambient, Caller, ClientId, IdRef, Kind, Result, TenantId};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store};
use testkit::Engine;
use web::outbound::{Client, ClientConfig, UrlPolicy};
use webhooks::{OperationalEvents, Webhook, WebhookInput, Webhooks, WebhooksLifecycle};

/// No wait in these tests is longer.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Bed {
    pub(crate) ambient: Ambient,
    pub(crate) store: Store,
    pub(crate) access: Arc<Access>,
    pub(crate) events: Arc<Events>,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) tenant: TenantId,
    pub(crate) client: ClientId,
    /// Of another tenant.
    pub(crate) stranger: Caller,
    pub(crate) strange_client: ClientId,
    key: MasterKey,
    pub(crate) engine: Engine,
}

/// One node.
struct Node {
    store: Store,
    access: Arc<Access>,
    events: Arc<Events>,
    dispatch: Arc<Dispatch>,
    webhooks: Arc<Webhooks>,
}

async fn node(engine: &Engine, key: &MasterKey, exclusive: bool) -> Node {
    let ambient = Ambient::system();
    let database = engine.database_url().map_or_else(|| Database::Sqlite(engine.data_dir()), Database::Postgres);
    let migrations = [access::MIGRATIONS, events::MIGRATIONS, dispatch::MIGRATIONS, webhooks::MIGRATIONS].concat();
    let mut config = Config::new(database, key.clone(), ambient.clone(), migrations);
    config.exclusive = exclusive;
    let store = Store::open(config).await.unwrap();
    let blueprint: Arc<Blueprint> = Arc::new(blueprint::load("insurance-leads").unwrap());
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    let outbound = Client::new(ClientConfig::new(policy)).unwrap();
    let channel = HttpChannel::new(outbound.clone(), &blueprint.webhooks).unwrap();
    let channel = Arc::new(channel.with_signing(SigningKeys::new(&store), Acceptances::new(&store)));
    let dispatch = Dispatch::new(store.clone(), ambient.clone(), vec![channel], Options::default()).await.unwrap();
    let webhooks = Webhooks::new(store.clone(), ambient.clone(), Arc::clone(&blueprint), Arc::clone(&dispatch), outbound).await.unwrap();
    let exists: events::ClientExists = Arc::new(|tx, tenant, client| match access::clients::resolve(tx, tenant, &IdRef::Id(client)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    });
    let events = Events::new(store.clone(), ambient.clone(), &blueprint, exists).unwrap();
    events.set_planner(webhooks.clone());
    dispatch.set_observer(OperationalEvents::new(&events));
    let lifecycles: Vec<Arc<dyn store::Lifecycle>> =
        vec![events.clone(), Arc::new(WebhooksLifecycle(webhooks.clone())), DispatchLifecycle::new(store.clone())];
    let access = Access::new(store.clone(), ambient, blueprint, lifecycles).await.unwrap();
    dispatch.start().await.unwrap();
    Node { store, access, events, dispatch, webhooks }
}

impl testkit::Bed for Bed {
    async fn open(engine: Engine) -> Self {
        let ambient = Ambient::system();
        let key = MasterKey::generate(&ambient);
        let Node { store, access, events, dispatch, webhooks } = node(&engine, &key, true).await;
        let operator = Caller::system("test", None);
        let mut made = Vec::new();
        for name in ["Ours", "Theirs"] {
            let tenant = access.create_tenant(&operator, CreateTenant { name: name.into(), ..CreateTenant::default() }).await.unwrap().id;
            let input = ClientInput { name: name.into(), external_id: Some("app".into()), ..ClientInput::default() };
            let client = access.create_client(&Caller::system("test", Some(tenant)), input).await.unwrap().client.id;
            made.push((tenant, client));
        }
        let ((tenant, client), (other, strange_client)) = (made[0], made[1]);
        let stranger = Caller::system("test", Some(other));
        Self { ambient, store, access, events, dispatch, webhooks, tenant, client, stranger, strange_client, key, engine }
    }
}

impl Bed {
    /// Another server on the same database: its publishing and matching only.
    pub(crate) async fn second_node(&self) -> (Arc<Events>, Arc<Webhooks>, Arc<Dispatch>) {
        let node = node(&self.engine, &self.key, false).await;
        (node.events, node.webhooks, node.dispatch)
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller::system("test", Some(self.tenant))
    }

    pub(crate) async fn create(&self, body: Value) -> Result<Webhook> {
        self.webhooks.create(&self.caller(), IdRef::Id(self.client), input(body)).await
    }

    pub(crate) async fn publish(&self, event_type: &str, more: Value) -> Published {
        self.events.publish(&self.caller(), event(event_type, more)).await.unwrap()
    }

    /// The actions in the tenant's audit log, in order.
    pub(crate) async fn audited(&self) -> Vec<String> {
        let tenant = self.tenant;
        let sql = "SELECT action FROM audit_log WHERE tenant_id = ?1 ORDER BY seq";
        self.store.read(kernel::Scope::system("test"), move |tx| tx.query(sql, &[tenant.into()], |row| row.get(0))).await.unwrap()
    }
}

pub(crate) fn input(body: Value) -> WebhookInput {
    serde_json::from_value(body).unwrap()
}

/// An event with `more` over the usual members.
#[allow(clippy::needless_pass_by_value, reason = "callers write json!(…)")]
pub(crate) fn event(event_type: &str, more: Value) -> Publish {
    let mut body = json!({"type": event_type, "data": {"leadId": "1", "status": "WON"}});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    serde_json::from_str(&body.to_string()).unwrap()
}
