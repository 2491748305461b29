//! What the tests stand on: the channels alone, and the channels under a dispatcher that tries again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use channels::Options;
use dispatch::destinations::{self, NewDestination};
use dispatch::{AttemptInput, AttemptReport, Channel, Destination, Dispatch, NewDelivery, Policy, State};
use events::{Events, Planned, Planner};
use kernel::{Ambient, ClientId, DestinationId, Event, Result, Scope, TenantId};
use serde_json::{Value, json};
use store::{Config, Database, MasterKey, Store, Tx};
use testkit::{Bed as _, Engine};
use web::outbound::{Client, ClientConfig, UrlPolicy};
use web::signature::WebhookSecret;

/// Long enough for a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A client that may reach loopback, in development.
pub(crate) fn client() -> Client {
    let policy = UrlPolicy { allow_http: true, allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    Client::new(ClientConfig::new(policy)).unwrap()
}

pub(crate) fn all(client: &Client) -> Vec<Arc<dyn Channel>> {
    let blueprint = blueprint::load("insurance-leads").unwrap();
    channels::all(client, &Ambient::system(), &blueprint.webhooks, Options::default())
}

/// One channel and one destination of it.
pub(crate) struct One {
    pub(crate) ambient: Ambient,
    pub(crate) secret: WebhookSecret,
    channel: Arc<dyn Channel>,
    destination: Destination,
    prepared: dispatch::Prepared,
    numbers: AtomicU64,
}

/// What stands in `destinations`.
pub(crate) fn config(destination: &Value, secret: &WebhookSecret) -> Value {
    json!({"url": "", "secrets": [{"secret": secret.text().reveal()}], "destination": destination})
}

impl One {
    /// Checked, prepared, ready.
    pub(crate) async fn new(destination: Value) -> Self {
        Self::over(&client(), destination).await.unwrap()
    }

    pub(crate) async fn over(client: &Client, destination: Value) -> Result<Self> {
        let name = destination["type"].as_str().unwrap().to_owned();
        let channel = all(client).into_iter().find(|channel| channel.name() == name).unwrap();
        Self::by_channel(channel, destination).await
    }

    pub(crate) async fn by_channel(channel: Arc<dyn Channel>, destination: Value) -> Result<Self> {
        let ambient = Ambient::system();
        let secret = WebhookSecret::generate(&ambient);
        let name = channel.name().to_owned();
        let config = channel.check(&config(&destination, &secret)).await?;
        let prepared = channel.prepare(&config)?;
        let now = ambient.now();
        let destination = Destination {
            id: ambient.id(),
            tenant: ambient.id(),
            client: ambient.id(),
            channel: name,
            config,
            policy: Policy::default(),
            state: State::Enabled,
            state_reason: None,
            failing_since: None,
            created_at: now,
            updated_at: now,
        };
        Ok(Self { ambient, secret, channel, destination, prepared, numbers: AtomicU64::new(1) })
    }

    /// The same destination as it is stored, carried by a channel over another client.
    pub(crate) fn by(&self, client: &Client) -> Self {
        let name = self.channel.name();
        let channel = all(client).into_iter().find(|channel| channel.name() == name).unwrap();
        let prepared = channel.prepare(&self.destination.config).unwrap();
        let (ambient, secret, destination) = (self.ambient.clone(), self.secret.clone(), self.destination.clone());
        Self { ambient, secret, channel, destination, prepared, numbers: AtomicU64::new(1) }
    }

    pub(crate) fn id(&self) -> DestinationId {
        self.destination.id
    }

    pub(crate) fn event(&self, id: &str, data: &str) -> Event {
        event(&self.ambient, self.destination.tenant, id, data)
    }

    /// One attempt.
    pub(crate) async fn attempt(&self, event: Event) -> AttemptReport {
        self.attempt_within(event, Duration::from_secs(20)).await
    }

    pub(crate) async fn attempt_within(&self, event: Event, timeout: Duration) -> AttemptReport {
        let event = Arc::new(event);
        let seq = i64::try_from(self.numbers.fetch_add(1, Ordering::SeqCst)).unwrap();
        let input = AttemptInput {
            destination: &self.destination,
            prepared: &self.prepared,
            event: &event,
            delivery: self.ambient.id(),
            seq,
            number: 1,
            now: self.ambient.now(),
            timeout,
            trace: None,
        };
        self.channel.attempt(&input).await
    }
}

pub(crate) fn event(ambient: &Ambient, tenant: TenantId, id: &str, data: &str) -> Event {
    let now = ambient.now();
    Event {
        tenant,
        id: id.parse().unwrap(),
        event_type: "lead.created".parse().unwrap(),
        occurred_at: now,
        created_at: now,
        data: Bytes::from(data.to_owned()),
        client: None,
        channels: Vec::new(),
        ordering_key: None,
        deliver_at: None,
        schema_version: None,
    }
}

/// The kind of a failure that is tried again.
pub(crate) fn failed(report: &AttemptReport) -> &'static str {
    assert!(matches!(report.outcome, dispatch::AttemptOutcome::Retry { .. }), "{report:?}");
    report.error.as_ref().unwrap().kind
}

/// A dispatcher over a destination: what is published is tried until it arrives.
pub(crate) struct World {
    pub(crate) ambient: Ambient,
    pub(crate) tenant: TenantId,
    store: Store,
    events: Arc<Events>,
    _dispatch: Arc<Dispatch>,
    _engine: Engine,
}

struct Everything {
    dispatch: Arc<Dispatch>,
    destination: Mutex<Option<DestinationId>>,
}

impl Planner for Everything {
    fn plan(&self, tx: &mut Tx<'_>, events: &[Arc<Event>]) -> Result<Vec<Planned>> {
        let destination = self.destination.lock().unwrap().unwrap();
        let items: Vec<NewDelivery> = events.iter().map(|event| NewDelivery::new(Arc::clone(event), destination)).collect();
        self.dispatch.enqueue(tx, &items)?;
        Ok(events.iter().map(|_| Planned { deliveries: 1, filtered: Vec::new() }).collect())
    }
}

impl World {
    /// Retries are quick and many; the breaker looks again soon.
    pub(crate) async fn new(destination: Value, ordered: bool) -> Self {
        let engine = Engine::open(Engine::sqlite()).await;
        let ambient = Ambient::system();
        let migrations = [events::MIGRATIONS, dispatch::MIGRATIONS].concat();
        let database = Database::Sqlite(engine.data_dir());
        let store = Store::open(Config::new(database, MasterKey::generate(&ambient), ambient.clone(), migrations)).await.unwrap();
        let blueprint = blueprint::load("insurance-leads").unwrap();
        let events = Events::new(store.clone(), ambient.clone(), &blueprint, Arc::new(|_, _, _| Ok(true))).unwrap();
        let options = dispatch::Options {
            breaker_first: Duration::from_millis(200),
            breaker_longest: Duration::from_millis(200),
            ..dispatch::Options::default()
        };
        let dispatch = Dispatch::new(store.clone(), ambient.clone(), all(&client()), options).await.unwrap();
        let planner = Arc::new(Everything { dispatch: Arc::clone(&dispatch), destination: Mutex::default() });
        events.set_planner(Arc::<Everything>::clone(&planner));
        dispatch.start().await.unwrap();
        let (tenant, owner): (TenantId, ClientId) = (ambient.id(), ambient.id());
        let id: DestinationId = ambient.id();
        let channel = destination["type"].as_str().unwrap().to_owned();
        let config = config(&destination, &WebhookSecret::generate(&ambient));
        let policy = Policy { schedule_ms: vec![200; 100], timeout_ms: 2000, ordered, ..Policy::default() };
        let new = NewDestination { id, tenant, client: owner, channel, config, policy };
        store.write(Scope::system("test"), move |tx| destinations::create(tx, new)).await.unwrap();
        *planner.destination.lock().unwrap() = Some(id);
        Self { ambient, tenant, store, events, _dispatch: dispatch, _engine: engine }
    }

    /// Publishes events with these ids, in this order.
    pub(crate) async fn publish(&self, ids: impl Iterator<Item = String>) {
        let all: Vec<Event> = ids.map(|id| event(&self.ambient, self.tenant, &id, "{\"n\":1}")).collect();
        let events = Arc::clone(&self.events);
        self.store.write(Scope::system("test"), move |tx| events.emit(tx, all)).await.unwrap();
    }

    pub(crate) async fn delivered(&self, count: i64) {
        let sql = "SELECT COUNT(*) FROM deliveries WHERE status = 'delivered'";
        let look = || async {
            let found: i64 = self.store.read(Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
            (found == count).then_some(())
        };
        testkit::wait::until(&format!("{count} deliveries"), LIMIT, look).await;
    }

    /// Waits until some attempt has failed.
    pub(crate) async fn failed_once(&self) {
        let sql = "SELECT COUNT(*) FROM queue WHERE attempt_count > 0";
        let look = || async {
            let found: i64 = self.store.read(Scope::system("test"), move |tx| tx.query_one(sql, &[], |row| row.get(0))).await.unwrap();
            (found > 0).then_some(())
        };
        testkit::wait::until("a failed attempt", LIMIT, look).await;
    }
}

/// `a-0`, `a-1`, …
pub(crate) fn ids(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n:03}")).collect()
}

/// That a message is the webhook: body, id, type, signature.
pub(crate) fn assert_is_webhook(one: &One, id: &str, body: &[u8], header: impl Fn(&str) -> Option<String>) {
    let header = |name: &str| header(name).unwrap_or_else(|| panic!("no {name}"));
    let parsed: Value = serde_json::from_slice(body).unwrap();
    assert_eq!((parsed["id"].as_str(), parsed["eventType"].as_str()), (Some(id), Some("lead.created")));
    assert_eq!(
        (header("webhook-id").as_str(), header("webhook-type").as_str(), header("webhook-sequence").as_str()),
        (id, "lead.created", "1")
    );
    let (at, signature, now) = (header("webhook-timestamp"), header("webhook-signature"), one.ambient.now().seconds());
    web::signature::verify_standard(std::slice::from_ref(&one.secret), id, &at, &signature, body, now, 300).unwrap();
}
