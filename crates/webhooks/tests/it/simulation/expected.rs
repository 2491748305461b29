//! What ought to happen: subscriptions and events as the simulator knows them, and who is to get what, computed without the product's matcher.

use std::collections::{BTreeMap, HashSet};

use kernel::{ClientId, DestinationId, EventId, TenantId};
use serde_json::{Value, json};

use super::chance::Rng;

pub(super) const TYPES: [&str; 4] = ["lead.created", "lead.updated", "policy.created", "policy.cancelled"];
pub(super) const CHANNELS: [&str; 3] = ["eu", "us", "apac"];
/// Where ordered webhooks may look for keys: a text, a number, nothing.
pub(super) const PATHS: [&str; 3] = ["data.status", "data.n", "data.missing"];
pub(super) const KEYS: [&str; 4] = ["k1", "k2", "k3", "k4"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Enabled,
    Paused,
    Disabled,
    Deleted,
}

/// A time in which nothing may be attempted: from the answer that said so to the request that ended it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocked {
    pub(super) from: u64,
    pub(super) to: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) id: DestinationId,
    pub(super) tenant: usize,
    pub(super) client: usize,
    pub(super) wish: Wish,
    pub(super) ordered: bool,
    /// Where in events the ordering key is, if not beside the data.
    pub(super) path: Option<&'static str>,
    pub(super) standing: Standing,
    pub(super) blocked: Vec<Blocked>,
}

/// What a subscription listens to.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    pub(super) patterns: Vec<String>,
    pub(super) channels: Vec<String>,
    pub(super) at_least: Option<u64>,
    pub(super) status: Option<String>,
}

impl Wish {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let patterns = match rng.below(4) {
            0 | 1 => vec!["*".to_owned()],
            2 => vec![if rng.percent(50) { "lead.*" } else { "policy.*" }.to_owned()],
            _ => TYPES.iter().filter(|_| rng.percent(60)).map(|name| (*name).to_owned()).collect(),
        };
        let patterns = if patterns.is_empty() { vec![TYPES[0].to_owned()] } else { patterns };
        let channels = if rng.percent(70) { Vec::new() } else { rng.pick(&CHANNELS).into_iter().map(str::to_owned).collect() };
        let at_least = rng.percent(25).then(|| rng.below(8));
        let status = rng.percent(15).then(|| if rng.percent(50) { "WON" } else { "LOST" }.to_owned());
        Self { patterns, channels, at_least, status }
    }

    pub(super) fn filter(&self) -> Value {
        let mut filter = serde_json::Map::new();
        if let Some(least) = self.at_least {
            filter.insert("data.n".into(), json!({"$gte": least}));
        }
        if let Some(status) = &self.status {
            filter.insert("data.status".into(), json!(status));
        }
        if filter.is_empty() { Value::Null } else { Value::Object(filter) }
    }

    fn wants(&self, event: &Publication) -> bool {
        let by_type = self.patterns.iter().any(|pattern| {
            let family = pattern.strip_suffix('*').unwrap_or("\0");
            pattern == "*" || *pattern == event.event_type || event.event_type.starts_with(family)
        });
        let by_channel =
            self.channels.is_empty() || event.channels.is_empty() || self.channels.iter().any(|name| event.channels.contains(name));
        let by_data =
            self.at_least.is_none_or(|least| event.n >= least) && self.status.as_ref().is_none_or(|status| *status == event.status);
        by_type && by_channel && by_data
    }
}

/// An event that was published.
#[derive(Clone, Debug)]
pub(super) struct Publication {
    pub(super) id: EventId,
    pub(super) tenant: usize,
    pub(super) client: Option<usize>,
    pub(super) event_type: String,
    pub(super) channels: Vec<String>,
    pub(super) key: Option<String>,
    pub(super) n: u64,
    pub(super) status: String,
    /// Milliseconds from now.
    pub(super) delay: Option<u64>,
    /// Who is to get it, by number; true: certainly.
    pub(super) wanted: BTreeMap<usize, bool>,
    /// Whether its publisher has an answer, and how many deliveries it named.
    pub(super) answered: Option<u32>,
}

impl Publication {
    /// Its ordering key for a webhook that looks for it there; none where nobody wants an order.
    pub(super) fn key_at(&self, path: Option<&str>) -> Option<String> {
        match path {
            None => self.key.clone(),
            Some("data.status") => Some(self.status.clone()),
            Some("data.n") => Some(self.n.to_string()),
            Some(_) => Some(String::new()),
        }
    }
}

/// A tenant with its clients.
#[derive(Clone, Debug)]
pub(super) struct Tenant {
    pub(super) id: TenantId,
    pub(super) clients: Vec<ClientId>,
}

#[derive(Default)]
pub(super) struct Expected {
    pub(super) tenants: Vec<Tenant>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) events: Vec<Publication>,
    /// Pairs that somebody had repeated.
    pub(super) retried: HashSet<(DestinationId, EventId)>,
}

impl Expected {
    /// Those that exist, by number.
    pub(super) fn living(&self) -> Vec<usize> {
        let lives = |at: &usize| self.subscriptions[*at].standing != Standing::Deleted;
        (0..self.subscriptions.len()).filter(lives).collect()
    }

    /// Who is to get this event if it is published now. `left`: a receiver said 410, and its webhook is or soon will be disabled.
    pub(super) fn wanted(&self, event: &Publication, left: impl Fn(DestinationId) -> bool) -> BTreeMap<usize, bool> {
        let listens = |at: &usize| {
            let one = &self.subscriptions[*at];
            one.tenant == event.tenant
                && matches!(one.standing, Standing::Enabled | Standing::Paused)
                && event.client.is_none_or(|client| client == one.client)
                && one.wish.wants(event)
        };
        self.living().into_iter().filter(listens).map(|at| (at, !left(self.subscriptions[at].id))).collect()
    }

    /// A webhook is deleted: what was pending for it has no end.
    pub(super) fn deleted(&mut self, at: usize) {
        for event in &mut self.events {
            if let Some(certain) = event.wanted.get_mut(&at) {
                *certain = false;
            }
        }
    }

    pub(super) fn number_of(&self, id: DestinationId) -> Option<usize> {
        self.subscriptions.iter().position(|one| one.id == id)
    }
}
