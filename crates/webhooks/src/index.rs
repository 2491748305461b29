//! Who listens to what, in memory: every subscription that is not disabled, by tenant.
//!
//! Publishing asks it once an event, so it is made for reading: a tenant's index is immutable and shared; a change makes a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use dispatch::NewDelivery;
use events::{Envelope, Filter, Path, Pattern};
use kernel::{ClientId, DestinationId, Error, Event, Result, TenantId};

use crate::subscriptions::Row;

/// What planning must know of a subscription.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) id: DestinationId,
    pub(crate) client: ClientId,
    pub(crate) patterns: Vec<Pattern>,
    /// Empty: all.
    pub(crate) channels: Vec<String>,
    pub(crate) filter: Option<Filter>,
    /// What its order goes by, if not by the events' own keys.
    pub(crate) order: Option<Path>,
}

impl Listener {
    /// As a row says.
    pub(crate) fn of(row: &Row) -> Result<Self> {
        let broken = |what: &str| Error::internal(format!("subscription {}: {what} cannot be read", row.id));
        Ok(Self {
            id: row.id,
            client: row.client,
            patterns: row.events.iter().map(|text| Pattern::parse(text)).collect::<Option<_>>().ok_or_else(|| broken("events"))?,
            channels: row.channels.clone(),
            filter: row.filter.as_ref().map(Filter::parse).transpose().map_err(|_| broken("filter"))?,
            order: row.ordering_path.as_ref().map(|path| Path::parse(path, "")).transpose().map_err(|_| broken("ordering_path"))?,
        })
    }

    /// Whether it would get this event.
    pub(crate) fn takes(&self, event: &Event) -> bool {
        let event_type = event.event_type.as_str();
        let means = |pattern: &Pattern| pattern.matches(event_type) && (*pattern != Pattern::All || !events::is_operational(event_type));
        self.patterns.iter().any(means)
            && self.is_addressed(event)
            && self.filter.as_ref().is_none_or(|filter| filter.accepts(&Envelope::new(event)))
    }

    /// The delivery of an event that it takes.
    pub(crate) fn delivery(&self, event: Arc<Event>) -> NewDelivery {
        let ordering_key = self.order.as_ref().map(|path| path.key(&Envelope::new(&event)));
        NewDelivery { event, destination: self.id, ordering_key }
    }

    /// Whether an event's client and channels concern it.
    fn is_addressed(&self, event: &Event) -> bool {
        let channel = || event.channels.iter().any(|channel| self.channels.contains(channel));
        event.client.is_none_or(|client| client == self.client) && (self.channels.is_empty() || event.channels.is_empty() || channel())
    }
}

/// One tenant's listeners.
#[derive(Debug, Default)]
pub(crate) struct TenantIndex {
    listeners: Vec<Arc<Listener>>,
    exact: HashMap<String, Vec<usize>>,
    below: Vec<(String, usize)>,
    all: Vec<usize>,
}

/// Who gets an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: DestinationId,
    /// What its order goes by, if not by the event's own key.
    pub(crate) ordering_key: Option<String>,
}

/// Who gets an event, and who would but for a filter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) filtered: Vec<DestinationId>,
}

impl TenantIndex {
    fn new(mut listeners: Vec<Arc<Listener>>) -> Self {
        listeners.sort_by_key(|listener| listener.id);
        let mut index = Self::default();
        for (at, listener) in listeners.iter().enumerate() {
            if listener.patterns.contains(&Pattern::All) {
                index.all.push(at);
            }
            // Those that listen to everything may name operational events as well, which `*` does not mean.
            for pattern in &listener.patterns {
                match pattern {
                    Pattern::Exact(event_type) => index.exact.entry(event_type.to_string()).or_default().push(at),
                    Pattern::Below(words) => index.below.push((words.clone(), at)),
                    Pattern::All => {}
                }
            }
        }
        index.listeners = listeners;
        index
    }

    /// One of them.
    pub(crate) fn get(&self, id: DestinationId) -> Option<&Listener> {
        self.listeners.binary_search_by_key(&id, |listener| listener.id).ok().map(|at| &*self.listeners[at])
    }

    /// Who gets `event`. In the order of the ids, each once.
    pub(crate) fn matches(&self, event: &Event) -> Matches {
        let event_type = event.event_type.as_str();
        let mut candidates = if events::is_operational(event_type) { Vec::new() } else { self.all.clone() };
        candidates.extend(self.exact.get(event_type).into_iter().flatten());
        candidates.extend(self.below.iter().filter(|(words, _)| event_type.starts_with(words.as_str())).map(|(_, at)| at));
        candidates.sort_unstable();
        candidates.dedup();
        let envelope = Envelope::new(event);
        let mut matches = Matches::default();
        for listener in candidates.into_iter().map(|at| &self.listeners[at]).filter(|listener| listener.is_addressed(event)) {
            if listener.filter.as_ref().is_none_or(|filter| filter.accepts(&envelope)) {
                let ordering_key = listener.order.as_ref().map(|path| path.key(&envelope));
                matches.wanted.push(Wanted { id: listener.id, ordering_key });
            } else {
                matches.filtered.push(listener.id);
            }
        }
        matches
    }
}

/// All tenants' listeners.
#[derive(Debug, Default)]
pub(crate) struct Index {
    tenants: RwLock<HashMap<TenantId, Arc<TenantIndex>>>,
    /// Counts changes: what was read from the database before a change must not be put over it.
    generation: AtomicU64,
}

impl Index {
    pub(crate) fn of(&self, tenant: TenantId) -> Option<Arc<TenantIndex>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&tenant).cloned()
    }

    /// To be read before the database is.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Puts one subscription in place of what was there; `None` takes it out.
    pub(crate) fn put(&self, tenant: TenantId, id: DestinationId, listener: Option<Listener>) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::SeqCst);
        put_into(&mut tenants, tenant, id, listener);
    }

    /// The same, unless anything changed since `generation`; false then.
    pub(crate) fn put_if(&self, generation: u64, tenant: TenantId, id: DestinationId, listener: Option<Listener>) -> bool {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let current = self.generation() == generation;
        if current {
            put_into(&mut tenants, tenant, id, listener);
        }
        current
    }

    /// Takes out a subscription that is in the database no more.
    pub(crate) fn forget(&self, id: DestinationId) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let holder = tenants.iter().find(|(_, index)| index.listeners.iter().any(|listener| listener.id == id)).map(|(tenant, _)| *tenant);
        if let Some(tenant) = holder {
            self.generation.fetch_add(1, Ordering::SeqCst);
            put_into(&mut tenants, tenant, id, None);
        }
    }

    /// Replaces everything, unless anything changed since `generation`; false then.
    pub(crate) fn replace_if(&self, generation: u64, all: Vec<(TenantId, Listener)>) -> bool {
        let mut groups: HashMap<TenantId, Vec<Arc<Listener>>> = HashMap::new();
        for (tenant, listener) in all {
            groups.entry(tenant).or_default().push(Arc::new(listener));
        }
        let made = groups.into_iter().map(|(tenant, listeners)| (tenant, Arc::new(TenantIndex::new(listeners)))).collect();
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let current = self.generation() == generation;
        if current {
            *tenants = made;
        }
        current
    }
}

fn put_into(tenants: &mut HashMap<TenantId, Arc<TenantIndex>>, tenant: TenantId, id: DestinationId, listener: Option<Listener>) {
    let others = tenants.get(&tenant).map(|index| index.listeners.as_slice()).unwrap_or_default();
    let mut listeners: Vec<_> = others.iter().filter(|other| other.id != id).cloned().collect();
    listeners.extend(listener.map(Arc::new));
    if listeners.is_empty() {
        tenants.remove(&tenant);
    } else {
        tenants.insert(tenant, Arc::new(TenantIndex::new(listeners)));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use events::{Filter, Pattern};
    use kernel::{Ambient, ClientId, DestinationId, Event};
    use serde_json::json;

    use super::{Index, Listener};

    struct World {
        ambient: Ambient,
        index: Index,
        tenant: kernel::TenantId,
        ours: ClientId,
        theirs: ClientId,
    }

    impl World {
        fn new() -> Self {
            let ambient = Ambient::system();
            Self { tenant: ambient.id(), ours: ambient.id(), theirs: ambient.id(), index: Index::default(), ambient }
        }

        fn listen(&self, client: ClientId, patterns: &[&str], channels: &[&str], filter: Option<serde_json::Value>) -> DestinationId {
            let id = self.ambient.id();
            let listener = Listener {
                id,
                client,
                patterns: patterns.iter().map(|p| Pattern::parse(p).unwrap()).collect(),
                channels: channels.iter().map(|c| (*c).to_owned()).collect(),
                filter: filter.map(|f| Filter::parse(&f).unwrap()),
                order: None,
            };
            self.index.put(self.tenant, id, Some(listener));
            id
        }

        fn event(&self, event_type: &str, client: Option<ClientId>, channels: &[&str]) -> Event {
            Event {
                tenant: self.tenant,
                id: self.ambient.event_id(),
                event_type: event_type.parse().unwrap(),
                occurred_at: self.ambient.now(),
                created_at: self.ambient.now(),
                data: Bytes::from_static(br#"{"status":"WON"}"#),
                client,
                channels: channels.iter().map(|c| (*c).to_owned()).collect(),
                ordering_key: None,
                deliver_at: None,
                schema_version: None,
            }
        }

        fn wanted(&self, event: &Event) -> Vec<DestinationId> {
            self.index.of(event.tenant).map(|index| index.matches(event).wanted).unwrap_or_default().into_iter().map(|one| one.id).collect()
        }
    }

    #[test]
    fn matching_table() {
        let world = World::new();
        let exact = world.listen(world.ours, &["lead.created", "lead.*"], &[], None);
        let all = world.listen(world.theirs, &["*"], &[], None);
        let eu = world.listen(world.ours, &["*"], &["eu", "vip"], None);
        let won = world.listen(world.ours, &["lead.updated"], &[], Some(json!({"data.status": "WON"})));
        let lost = world.listen(world.ours, &["lead.updated"], &[], Some(json!({"data.status": "LOST"})));
        for (event, expected) in [
            (world.event("lead.created", None, &[]), vec![exact, all, eu]),
            (world.event("lead.updated", None, &[]), vec![exact, all, eu, won]),
            (world.event("quote.sent", None, &[]), vec![all, eu]),
            (world.event("quote.sent", Some(world.ours), &[]), vec![eu]),
            (world.event("quote.sent", None, &["us"]), vec![all]),
            (world.event("quote.sent", None, &["us", "vip"]), vec![all, eu]),
            (world.event("lead.created", Some(world.theirs), &["us"]), vec![all]),
        ] {
            let mut expected = expected;
            expected.sort();
            assert_eq!(world.wanted(&event), expected, "{event:?}");
        }
        let matches = world.index.of(world.tenant).unwrap().matches(&world.event("lead.updated", None, &[]));
        assert_eq!(matches.filtered, [lost]);
        let elsewhere = Event { tenant: world.ambient.id(), ..world.event("lead.created", None, &[]) };
        assert!(world.wanted(&elsewhere).is_empty());
    }

    #[test]
    fn changes_take_the_place_of_what_was_there() {
        let world = World::new();
        let one = world.listen(world.ours, &["*"], &[], None);
        let two = world.listen(world.theirs, &["*"], &[], None);
        let event = world.event("a.b", None, &[]);
        let seen = world.index.generation();
        world.index.put(world.tenant, one, None);
        assert_eq!(world.wanted(&event), [two]);
        assert!(!world.index.put_if(seen, world.tenant, two, None), "what was read before a change is refused");
        assert!(!world.index.replace_if(seen, Vec::new()));
        assert_eq!(world.wanted(&event), [two]);
        world.index.forget(world.ambient.id());
        assert_eq!(world.wanted(&event), [two]);
        world.index.forget(two);
        assert!(world.index.of(world.tenant).is_none());
    }
}
