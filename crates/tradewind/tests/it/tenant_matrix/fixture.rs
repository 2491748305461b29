//! Tenant A with one of everything, and those who are not A.

use serde_json::{Map, Value, json};
use testkit::http::Client;
use testkit::receiver::{Answer, Receiver};

use super::cases::{Named, Thing};
use super::product::Product;
use crate::world::{Tenant, World, text};

/// A's named reader.
const CONSUMER: &str = "matrix-reader";

pub(super) struct Fixture {
    pub(super) product: Product,
    pub(super) a: Tenant,
    key: String,
    webhook: String,
    event: String,
    expunge: String,
    delivery: String,
    replay: String,
    source: String,
    integration: String,
    sync: String,
    sync_run: String,
    connector: String,
    call: String,
    oauth_token: String,
    oauth_connection: String,
    alert: String,
    rest_endpoint: String,
    job: String,
    schedule: String,
    member: String,
    invitation: String,
    /// Id in paths by resource type.
    records: Map<String, Value>,
    /// B's own client, for paths that name a client and something of it.
    client_b: String,
    pub(super) anyone: Client,
    /// A's own key, without a scope.
    pub(super) scopeless: Client,
    pub(super) partner_b: Client,
    pub(super) host_b: Client,
    pub(super) bound_b: Client,
    _receiver: Receiver,
}

impl Fixture {
    pub(super) async fn make(world: &World) -> Self {
        let product = Product::of(world).await;
        let (a, b) = (world.tenant("Tenant A").await, world.tenant("Tenant B").await);
        // B has data too, so that its lists are not empty.
        b.webhook("http://127.0.0.1:9/", &[product.quiet]).await;
        // Before A listens, so that nothing is on its way while A's state is compared.
        let records = product.records(&a).await;
        let (job, schedule) = product.jobs(&a).await;
        let receiver = Receiver::start();
        receiver.answer(Answer::status(500));
        let hook = json!({"url": receiver.url("/a"), "events": [product.event.0], "retryConfig": {"maxRetries": 0}});
        let webhook = a.webhook_with(hook).await.id;
        let event = text(&a.publish(product.event.0, &json!({product.event.1: "1"})).await["id"]);
        let delivery = text(&a.delivery(&event, |row| row["status"] == "failed").await["id"]);
        a.host.get(&format!("/api/v1/events/poll?consumer={CONSUMER}")).await.assert_status(200);
        let count = json!({"path": format!("data.{}", product.event.1), "value": "1", "dryRun": true});
        let expunge = text(&a.host.post("/api/v1/expunges", &count).await.expect(202).json()["id"]);
        a.host.put("/api/v1/alert-rules/integration_errors", &json!({"threshold": 1})).await.assert_status(200);
        let (source, call) = make_source(&a, &world.server.client()).await;
        let (oauth_token, oauth_connection) = hold_token(&a).await;
        let (integration, connector) = make_integration(&a).await;
        let (sync, sync_run) = make_sync(&a, &integration, product.record).await;
        let alert = opened_alert(&a).await;
        let replay = ended_replay(&a).await;
        let own = json!({"path": "own", "method": "GET", "operation": {"type": "list", "resource": product.record}});
        let rest_endpoint = text(&a.host.post("/api/v1/rest-endpoints", &own).await.expect(201).json()["id"]);
        let person = |email: &str| json!({"email": email, "role": "viewer"});
        let member = text(&a.host.post("/api/v1/members", &person("member@example.com")).await.expect(201).json()["userId"]);
        let invitation = text(&a.host.post("/api/v1/invitations", &person("invited@example.com")).await.expect(201).json()["id"]);
        let output = world.server.settings().run(&["service-key", "create", "--name", "bound", "--tenant", &b.id]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let bound = String::from_utf8(output.stdout).unwrap();
        Self {
            product,
            job,
            schedule,
            member,
            invitation,
            key: a.key().await.id,
            webhook,
            event,
            expunge,
            delivery,
            replay,
            source,
            integration,
            sync,
            sync_run,
            connector,
            call,
            oauth_token,
            oauth_connection,
            alert,
            rest_endpoint,
            records,
            client_b: b.client.clone(),
            anyone: world.server.client(),
            scopeless: a.key_scoped(&[]).await.http,
            partner_b: b.key().await.http,
            host_b: b.host.clone(),
            bound_b: world.server.client().bearer(bound.trim()),
            a,
            _receiver: receiver,
        }
    }

    fn id(&self, thing: Thing) -> String {
        match thing {
            Thing::Tenant => self.a.id.clone(),
            Thing::Client => self.a.client.clone(),
            Thing::Key => self.key.clone(),
            Thing::Webhook => self.webhook.clone(),
            Thing::Event => self.event.clone(),
            Thing::Expunge => self.expunge.clone(),
            Thing::Delivery => self.delivery.clone(),
            Thing::Replay => self.replay.clone(),
            Thing::Source => self.source.clone(),
            Thing::Integration => self.integration.clone(),
            Thing::Sync => self.sync.clone(),
            Thing::SyncRun => self.sync_run.clone(),
            // Nobody has one: a conflict takes two sides. Nobody is told anything of it.
            Thing::Conflict => "cfl_01k2x3v7m8e1r9q0s5t6w7y8za".to_owned(),
            Thing::Connector => self.connector.clone(),
            Thing::Call => self.call.clone(),
            Thing::OauthToken => self.oauth_token.clone(),
            Thing::OauthConnection => self.oauth_connection.clone(),
            Thing::Alert => self.alert.clone(),
            Thing::RestEndpoint => self.rest_endpoint.clone(),
            Thing::Job => self.job.clone(),
            Thing::JobSchedule => self.schedule.clone(),
            Thing::Member => self.member.clone(),
            Thing::Invitation => self.invitation.clone(),
            Thing::MainType => self.product.record.to_owned(),
            Thing::MainEvent => self.product.event.0.to_owned(),
            Thing::Main => self.id(Thing::Record(self.product.record)),
            Thing::Consumer => CONSUMER.to_owned(),
            Thing::Record(name) => match &self.records[name] {
                Value::String(id) => id.clone(),
                number => number.to_string(),
            },
            Thing::Shared(name) => name.to_owned(),
        }
    }

    /// A's ids.
    pub(super) fn owned(&self, named: &Named) -> Vec<String> {
        let Named::Path(things) = named else { return Vec::new() };
        things.iter().map(|thing| self.id(*thing)).collect()
    }

    /// Ids of the same form that never existed.
    pub(super) fn never(&self, named: &Named) -> Vec<String> {
        let Named::Path(things) = named else { return Vec::new() };
        things.iter().map(|thing| self.never_id(*thing)).collect()
    }

    fn never_id(&self, thing: Thing) -> String {
        let id = self.id(thing);
        match thing {
            Thing::Shared(_) | Thing::MainType | Thing::MainEvent => id,
            _ if id.parse::<i64>().is_ok() => "987654321".to_owned(),
            // Another last character: as well-formed, and nobody's.
            _ => {
                let last = if id.ends_with('0') { '1' } else { '0' };
                format!("{}{last}", &id[..id.len() - 1])
            }
        }
    }

    /// What a stranger may try: pairs of A's ids and of as many that never existed; where a path names a client and a thing of it, also
    /// with the stranger's own client. Empty for paths that name nothing of a tenant's.
    pub(super) fn strangers(&self, named: &Named) -> Vec<(Vec<String>, Vec<String>)> {
        let Named::Path(things) = named else { return Vec::new() };
        if things.iter().all(|thing| matches!(thing, Thing::Shared(_) | Thing::MainType | Thing::MainEvent)) {
            return Vec::new();
        }
        let (theirs, never) = (self.owned(named), self.never(named));
        let mut out = vec![(theirs.clone(), never.clone())];
        if things.len() == 2 && things[0] == Thing::Client {
            out.push((vec![self.client_b.clone(), theirs[1].clone()], vec![self.client_b.clone(), never[1].clone()]));
        }
        out
    }

    /// Which of A's ids stands in `text`.
    pub(super) fn leaked(&self, text: &str) -> Option<String> {
        let things = [
            Thing::Client,
            Thing::Key,
            Thing::Webhook,
            Thing::Event,
            Thing::Delivery,
            Thing::Replay,
            Thing::Source,
            Thing::Integration,
            Thing::Sync,
            Thing::SyncRun,
            Thing::Connector,
            Thing::Call,
            Thing::Alert,
            Thing::Job,
            Thing::JobSchedule,
            Thing::Member,
            Thing::Invitation,
        ]
        .map(|thing| self.id(thing));
        let records = self.records.values().filter_map(Value::as_str).map(str::to_owned);
        things.into_iter().chain([self.a.id.clone()]).chain(records).find(|id| text.contains(id.as_str()))
    }

    /// Everything of A that a stranger might have changed.
    pub(super) async fn snapshot(&self) -> Value {
        let client = format!("/api/v1/api-clients/{}", self.a.client);
        let mut paths = vec![
            client.clone(),
            format!("{client}/api-keys"),
            format!("{client}/webhooks"),
            format!("/api/v1/events/{}", self.event),
            format!("/api/v1/deliveries/{}", self.delivery),
            format!("/api/v1/sources/{}", self.source),
            format!("/api/v1/sources/{}/quarantine/{}", self.source, self.call),
            format!("/api/v1/oauth-tokens/{}", self.oauth_token),
            format!("/api/v1/oauth-connections/{}", self.oauth_connection),
            format!("/api/v1/integrations/{}", self.integration),
            format!("/api/v1/connectors/{}", self.connector),
            format!("/api/v1/sync-configs/{}", self.sync),
            format!("/api/v1/sync-runs/{}", self.sync_run),
            format!("/api/v1/alerts/{}", self.alert),
            "/api/v1/alert-rules".to_owned(),
            "/api/v1/events".to_owned(),
            "/api/v1/deliveries".to_owned(),
            format!("/api/v1/replays/{}", self.replay),
            "/api/v1/replays".to_owned(),
            "/api/v1/rest-endpoints".to_owned(),
            "/api/v1/members".to_owned(),
            "/api/v1/invitations".to_owned(),
        ];
        if self.product.has_jobs {
            paths.extend([format!("/api/v1/jobs/{}", self.job), format!("/api/v1/job-schedules/{}", self.schedule)]);
        }
        paths.extend(self.records.keys().map(|name| format!("/api/v1/records/{name}")));
        let mut seen = Map::new();
        for path in paths {
            let mut body = self.a.host.get(&path).await.expect(200).json();
            forget_uses(&mut body);
            seen.insert(path, body);
        }
        Value::Object(seen)
    }
}

/// Counters of use move with A's own refused calls.
fn forget_uses(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !matches!(name.as_str(), "lastUsedAt" | "requestCount"));
            members.values_mut().for_each(forget_uses);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_uses),
        _ => {}
    }
}

/// A source, and a call that it refused.
async fn make_source(a: &Tenant, anyone: &Client) -> (String, String) {
    let source = text(&a.host.post("/api/v1/sources", &json!({"provider": "github", "secret": "s"})).await.expect(201).json()["id"]);
    anyone.post(&format!("/in/{source}"), &json!({"zen": "forged"})).await.assert_status(401);
    let list = a.host.get(&format!("/api/v1/sources/{source}/quarantine")).await.expect(200).json();
    (source, text(&list["data"][0]["id"]))
}

/// An integration that reaches nobody, and a connector that a file describes.
async fn make_integration(a: &Tenant) -> (String, String) {
    let body = json!({"connector": "hubspot", "config": {"baseUrl": "http://127.0.0.1:9"}, "credentials": {"accessToken": "t"}});
    let integration = text(&a.host.post("/api/v1/integrations", &body).await.expect(201).json()["id"]);
    let manifest = include_str!("../../../../../examples/acme-crm/connector.toml");
    let connector = text(&a.host.post("/api/v1/connectors", &json!({ "manifest": manifest })).await.expect(201).json()["id"]);
    (integration, connector)
}

/// A sync that runs when somebody asks, and a run of it, which reaches nobody and is over.
async fn make_sync(a: &Tenant, integration: &str, resource: &str) -> (String, String) {
    let mapping = json!([{"localField": "name", "remoteField": "firstname"}]);
    let body = json!({"integrationId": integration, "resourceType": resource, "object": "contacts", "direction": "pull", "fieldMappings": mapping});
    let sync = text(&a.host.post("/api/v1/sync-configs", &body).await.expect(201).json()["id"]);
    let run = text(&a.host.post(&format!("/api/v1/sync-configs/{sync}/run"), &json!({"dryRun": true})).await.expect(202).json()["id"]);
    let tried = || async {
        let status = text(&a.host.get(&format!("/api/v1/sync-runs/{run}")).await.expect(200).json()["status"]);
        (!matches!(status.as_str(), "queued" | "running")).then_some(status)
    };
    if testkit::wait::until("a run that was tried", crate::world::SOON, tried).await == "parked" {
        a.host.post(&format!("/api/v1/sync-runs/{run}/cancel"), &json!({})).await.assert_status(200);
    }
    (sync, run)
}

/// A token at a vendor that the host had already, and a connection that nobody ended.
async fn hold_token(a: &Tenant) -> (String, String) {
    let token = json!({"provider": "slack", "accessToken": "xoxb-matrix"});
    let connection = json!({"provider": "slack", "clientId": "c", "clientSecret": "s"});
    let (token, connection) =
        (a.host.post("/api/v1/oauth-tokens", &token).await, a.host.post("/api/v1/oauth-connections", &connection).await);
    (text(&token.expect(201).json()["id"]), text(&connection.expect(201).json()["id"]))
}

/// The alert about the call that was refused: one is enough for A.
async fn opened_alert(a: &Tenant) -> String {
    let look = || async {
        let list = a.host.get("/api/v1/alerts").await.expect(200).json();
        list["data"].get(0).map(|alert| text(&alert["id"]))
    };
    testkit::wait::until("an alert", crate::world::SOON, look).await
}

/// A run that had nothing to do and has ended, so that it does not change any more.
async fn ended_replay(a: &Tenant) -> String {
    let run = a.host.post("/api/v1/deliveries/retry", &json!({"eventType": "nothing.of-the-kind"})).await.expect(202).json();
    let id = text(&run["id"]);
    let path = format!("/api/v1/replays/{id}");
    let ended = || async { (a.host.get(&path).await.expect(200).json()["status"] == "done").then_some(()) };
    testkit::wait::until("the run to end", crate::world::SOON, ended).await;
    id
}
