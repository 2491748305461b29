//! What can happen, drawn by the seed.

use std::time::Duration;

use events::Publish;
use kernel::time::Clock as _;
use kernel::{DestinationId, EventId, IdRef, Kind, Scope, Timestamp};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use webhooks::{Change, WebhookInput};

use super::expected::{Blocked, CHANNELS, KEYS, PATHS, Publication, Standing, Subscription, TYPES, Wish};
use super::faults::Fault;
use super::outside::Manner;
use super::world::World;

#[derive(Clone, Copy, Debug)]
enum Act {
    Publish,
    Burst,
    Again,
    Subscribe,
    Edit,
    Switch,
    Delete,
    Retry,
    Wait,
    GoBack,
    Settle,
    Crash,
    CrashWhilePublishing,
    Restart,
}

impl World {
    /// One act.
    pub(super) async fn act(&mut self) {
        let crashes = self.climate.crashes;
        let act = self.rng.weighted(&[
            (24, Act::Publish),
            (14, Act::Burst),
            (3, Act::Again),
            (if self.expected.living().len() < 3 { 30 } else { 6 }, Act::Subscribe),
            (4, Act::Edit),
            (10, Act::Switch),
            (2, Act::Delete),
            (5, Act::Retry),
            (18, Act::Wait),
            (if self.climate.back > 0 { 4 } else { 0 }, Act::GoBack),
            (8, Act::Settle),
            (crashes / 2, Act::Crash),
            (crashes - crashes / 2, Act::CrashWhilePublishing),
            (u64::from(crashes > 0), Act::Restart),
        ]);
        self.diary.push(format!("{} {act:?}", self.clock.now()));
        match act {
            Act::Publish => self.publish(1).await,
            Act::Burst => {
                let count = self.rng.between(2, 20);
                self.publish(count).await;
            }
            Act::Again => self.publish_again().await,
            Act::Subscribe => self.subscribe().await,
            Act::Edit => self.edit().await,
            Act::Switch => self.switch().await,
            Act::Delete => self.delete().await,
            Act::Retry => self.retry().await,
            Act::Wait => {
                let ms = self.rng.between(1, self.climate.step);
                self.clock.advance(Duration::from_millis(ms));
                self.ring();
            }
            Act::GoBack => {
                let ms = self.rng.between(1, self.climate.back);
                self.clock.set(self.clock.now().minus(Duration::from_millis(ms)));
                self.ring();
            }
            Act::Settle => self.settle().await,
            Act::Crash => self.crash(0).await,
            Act::CrashWhilePublishing => {
                let count = self.rng.between(1, 30);
                self.crash(count).await;
            }
            Act::Restart => self.restart().await,
        }
        self.measure();
    }

    fn event(&mut self) -> Publication {
        let tenant = usize::try_from(self.rng.below(self.expected.tenants.len() as u64)).unwrap();
        let number = self.expected.events.len();
        let key = if self.rng.percent(60) { self.rng.pick(&KEYS).map(str::to_owned) } else { None };
        let delay = (key.is_none() && self.rng.percent(10)).then(|| self.rng.between(1, 60_000));
        let mut event = Publication {
            id: format!("e{number}").parse().unwrap(),
            tenant,
            client: self.rng.percent(15).then(|| usize::try_from(self.rng.below(2)).unwrap()),
            event_type: self.rng.pick(&TYPES).unwrap().to_owned(),
            channels: if self.rng.percent(25) { self.rng.pick(&CHANNELS).into_iter().map(str::to_owned).collect() } else { Vec::new() },
            key,
            n: self.rng.below(10),
            status: if self.rng.percent(50) { "WON" } else { "LOST" }.to_owned(),
            delay,
            wanted: std::collections::BTreeMap::new(),
            answered: None,
        };
        event.wanted = self.expected.wanted(&event, |id| self.outside.has_left(id));
        event
    }

    fn body(&self, event: &Publication) -> Publish {
        let tenant = &self.expected.tenants[event.tenant];
        let data = json!({"leadId": "1", "policyId": "1", "status": event.status, "n": event.n, "owner": tenant.id});
        let mut body = json!({"type": event.event_type, "id": event.id, "data": data, "channels": event.channels});
        if let Some(client) = event.client {
            body["clientId"] = json!(tenant.clients[client]);
        }
        if let Some(key) = &event.key {
            body["orderingKey"] = json!(key);
        }
        if let Some(delay) = event.delay {
            body["deliverAt"] = json!(self.clock.now().plus(Duration::from_millis(delay)));
        }
        serde_json::from_str(&body.to_string()).unwrap()
    }

    /// Events at once. Which of two with one ordering key is the first, their sequence numbers say.
    async fn publish(&mut self, count: u64) {
        let first = self.expected.events.len();
        for _ in 0..count {
            let event = self.event();
            self.expected.events.push(event);
        }
        let one = |event: &Publication| {
            let (body, caller, events) = (self.body(event), self.caller(event.tenant), self.life().events.clone());
            async move { events.publish(&caller, body).await.unwrap().deliveries }
        };
        let answers = futures_util::future::join_all(self.expected.events[first..].iter().map(one)).await;
        for (event, deliveries) in self.expected.events[first..].iter_mut().zip(answers) {
            event.answered = Some(deliveries);
        }
        if self.fault == Some(Fault::Lose) {
            let lose = "DELETE FROM queue WHERE id IN (SELECT id FROM queue ORDER BY id LIMIT 1)";
            self.store.write(Scope::system("test"), move |tx| tx.exec(lose, &[])).await.unwrap();
        }
    }

    /// An id that was published before: the first answer again, and nothing new.
    async fn publish_again(&mut self) {
        let known: Vec<usize> = (0..self.expected.events.len()).filter(|at| self.expected.events[*at].answered.is_some()).collect();
        let Some(at) = self.rng.pick(&known) else { return };
        let event = self.expected.events[at].clone();
        let answer = self.life().events.publish(&self.caller(event.tenant), self.body(&event)).await.unwrap();
        assert_eq!(Some(answer.deliveries), event.answered, "the first answer of {}", event.id);
    }

    async fn subscribe(&mut self) {
        let tenant = usize::try_from(self.rng.below(self.expected.tenants.len() as u64)).unwrap();
        let (client, wish) = (usize::try_from(self.rng.below(2)).unwrap(), Wish::random(&mut self.rng));
        let ordered = self.rng.percent(self.climate.ordered);
        let path = if ordered && self.rng.percent(50) { self.rng.pick(&PATHS) } else { None };
        let is_ordered = ordered && self.fault != Some(Fault::Disorder);
        let rate = self.rng.percent(20).then(|| self.rng.between(1, 50));
        let retries = json!({"maxRetries": self.rng.below(6), "retryDelay": self.rng.between(1, 20), "backoffMultiplier": self.rng.between(1, 3), "timeout": 50});
        let body = json!({
            "url": "http://192.0.2.1/", "events": wish.patterns, "channels": wish.channels, "filter": wish.filter(), "retryConfig": retries,
            "rateLimitPerSecond": rate, "ordered": is_ordered, "orderingKeyPath": path.filter(|_| is_ordered),
        });
        let input: WebhookInput = serde_json::from_value(body).unwrap();
        let of = IdRef::Id(self.expected.tenants[tenant].clients[client]);
        let made = self.life().webhooks.create(&self.caller(tenant), of, input).await.unwrap();
        let manner = self.manner();
        self.diary.push(format!("  {} is {manner:?}, ordered {ordered} {path:?}, {wish:?}", made.id));
        self.outside.open(made.id, self.expected.tenants[tenant].id, manner);
        let standing = Standing::Enabled;
        self.expected.subscriptions.push(Subscription { id: made.id, tenant, client, wish, ordered, path, standing, blocked: Vec::new() });
    }

    fn manner(&mut self) -> Manner {
        if !self.rng.percent(self.climate.bad) {
            return Manner::Healthy;
        }
        let (percent, seconds) = (self.rng.between(5, 95), self.rng.between(1, 30));
        self.rng.weighted(&[
            (4, Manner::Failing(percent)),
            (3, Manner::Flapping(i64::try_from(seconds).unwrap() * 1000)),
            (3, Manner::Slow(seconds * 200)),
            (2, Manner::Hanging(percent)),
            (2, Manner::Busy(percent, seconds)),
            (2, Manner::Poisoned(4)),
            (1, Manner::Leaving(20)),
            (2, Manner::Dead),
        ])
    }

    fn any(&mut self) -> Option<usize> {
        let living = self.expected.living();
        self.rng.pick(&living)
    }

    /// Another wish. What was published before keeps its deliveries.
    async fn edit(&mut self) {
        let Some(at) = self.any() else { return };
        let (wish, one) = (Wish::random(&mut self.rng), self.expected.subscriptions[at].clone());
        let patch = json!({"events": wish.patterns, "channels": wish.channels, "filter": wish.filter()});
        let patch = serde_json::from_value(patch).unwrap();
        let done = self.life().webhooks.update(&self.caller(one.tenant), one.id.into(), patch).await;
        done.unwrap();
        self.expected.subscriptions[at].wish = wish;
    }

    async fn switch(&mut self) {
        let Some(at) = self.any() else { return };
        let standing = self.expected.subscriptions[at].standing;
        let change = match standing {
            Standing::Enabled => self.rng.pick(&[Change::Disable, Change::Pause]).unwrap(),
            Standing::Paused => self.rng.pick(&[Change::Resume, Change::Resume, Change::Disable]).unwrap(),
            Standing::Disabled | Standing::Deleted => Change::Enable,
        };
        self.set(at, change).await;
    }

    /// Changes a webhook's state, and remembers since when and until when nothing may be attempted.
    pub(super) async fn set(&mut self, at: usize, change: Change) {
        let one = self.expected.subscriptions[at].clone();
        let mut standing = match change {
            Change::Enable | Change::Resume => Standing::Enabled,
            Change::Disable => Standing::Disabled,
            Change::Pause => Standing::Paused,
        };
        if standing == Standing::Enabled
            && let Some(open) = self.expected.subscriptions[at].blocked.last_mut()
        {
            open.to = open.to.min(self.outside.mark());
        }
        if !(self.fault == Some(Fault::Deaf) && change == Change::Disable) {
            let done = self.life().webhooks.set_state(&self.caller(one.tenant), one.id.into(), change).await;
            match done {
                Ok(_) => {}
                Err(error) if error.code() == "webhook_disabled" && self.has_left(at) => standing = Standing::Disabled,
                Err(error) => panic!("{change:?}: {error:?}"),
            }
        }
        self.diary.push(format!("  {} {change:?}", one.id));
        if standing != Standing::Enabled && one.standing == Standing::Enabled {
            self.close(at).await;
        }
        self.expected.subscriptions[at].standing = standing;
    }

    /// From now on nothing is attempted. What had begun when the answer came reaches the channel first.
    async fn close(&mut self, at: usize) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let from = self.outside.mark();
        self.expected.subscriptions[at].blocked.push(Blocked { from, to: u64::MAX });
    }

    async fn delete(&mut self) {
        let Some(at) = self.any() else { return };
        let one = self.expected.subscriptions[at].clone();
        self.life().webhooks.delete(&self.caller(one.tenant), one.id.into()).await.unwrap();
        self.diary.push(format!("  {}", one.id));
        if one.standing == Standing::Enabled {
            self.close(at).await;
        }
        self.expected.subscriptions[at].standing = Standing::Deleted;
        self.expected.deleted(at);
    }

    /// Somebody has a delivery repeated.
    async fn retry(&mut self) {
        let sql = "SELECT id, destination_id, event_id FROM deliveries UNION ALL SELECT id, destination_id, event_id FROM queue";
        let read = |row: &store::Row<'_>| Ok((row.get::<kernel::DeliveryId>(0)?, row.get::<DestinationId>(1)?, row.get::<EventId>(2)?));
        let mut all = self.store.read(Scope::system("test"), move |tx| tx.query(sql, &[], read)).await.unwrap();
        all.sort();
        let lot = self.rng.next();
        let Some((delivery, destination, event)) = all.get(usize::try_from(lot % all.len().max(1) as u64).unwrap()).cloned() else {
            return;
        };
        let at = self.expected.number_of(destination).unwrap();
        // Before it is asked for: a repetition may be refused and have begun to matter all the same.
        self.expected.retried.insert((destination, event));
        let caller = self.caller(self.expected.subscriptions[at].tenant);
        match self.life().webhooks.retry(&caller, delivery).await {
            Ok(_) => {}
            Err(error) if error.code() == "webhook_disabled" => {
                let standing = self.expected.subscriptions[at].standing;
                assert!(
                    matches!(standing, Standing::Disabled | Standing::Deleted) || self.has_left(at),
                    "refused for a webhook that is {standing:?}"
                );
            }
            // It was deleted with its webhook meanwhile.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// The node goes down without a word, perhaps while `count` publishers wait for their answers.
    async fn crash(&mut self, count: u64) {
        let mut waiting = JoinSet::new();
        let first = self.expected.events.len();
        for _ in 0..count {
            let event = self.event();
            let (body, caller, events) = (self.body(&event), self.caller(event.tenant), self.life().events.clone());
            let at = self.expected.events.len();
            waiting.spawn(async move { (at, events.publish(&caller, body).await.ok()) });
            self.expected.events.push(event);
        }
        let answers = self.rng.below(count + 1);
        let mut answered = 0;
        while answered < answers
            && let Some(done) = waiting.join_next().await
        {
            let (at, answer) = done.unwrap();
            self.expected.events[at].answered = answer.map(|answer| answer.deliveries);
            answered += 1;
        }
        waiting.shutdown().await;
        // Whoever had no answer does not know, and neither do we, what it was planned for.
        for event in self.expected.events[first..].iter_mut().filter(|event| event.answered.is_none()) {
            event.wanted.values_mut().for_each(|certain| *certain = false);
        }
        self.lossy = true;
        self.end().await;
        self.begin().await;
    }

    /// An orderly stop and a new start. What hangs is given up.
    async fn restart(&mut self) {
        let (sleeping, _) = self.outside.sleeping();
        self.lossy |= sleeping > 0;
        let deadline = if sleeping > 0 { Duration::from_millis(20) } else { Duration::from_secs(10) };
        self.life().dispatch.drain(deadline).await;
        self.end().await;
        self.begin().await;
    }

    /// Now, by the injected clock.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the JSON of a call says about its owner.
    pub(super) fn owner(data: &[u8]) -> Option<String> {
        serde_json::from_slice::<Value>(data).ok()?.get("owner")?.as_str().map(str::to_owned)
    }
}
