//! Sources that were called lately, opened and compiled; and ids that were found to be nobody's.
//!
//! The race that matters: a source is changed while it is being read. The reader takes the generation before it reads, and what it read is
//! kept only if the generation is still the same; a notice raises it. What was read before a change is therefore never kept over it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use events::{Filter, Pattern};
use kernel::{Result, Scope, SourceId, TenantId, Timestamp};
use store::Change;

use crate::providers::{Provider, Template};
use crate::sources::{ResponseForm, Row, Secrets, SourceSettings, sql};
use crate::{Sources, TOPIC};

/// Most sources, and most unknown ids, that are remembered.
const MOST: usize = 10_000;
/// How long an unknown id is remembered: a vendor that goes on calling a deleted source costs no look-up a call.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);

/// A source, ready to take calls. No secret shows in its `Debug`.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) id: SourceId,
    pub(crate) tenant: TenantId,
    pub(crate) provider: Provider,
    /// Whether it is enabled and its tenant active.
    pub(crate) is_open: bool,
    pub(crate) settings: SourceSettings,
    pub(crate) template: Option<Template>,
    pub(crate) secrets: Secrets,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) filter: Option<Filter>,
    pub(crate) response: Option<ResponseForm>,
}

impl Loaded {
    /// From a row and its opened secrets.
    pub(crate) fn of(tenant: TenantId, row: Row, secrets: Secrets, tenant_is_active: bool) -> Result<Self> {
        Ok(Self {
            id: row.id,
            tenant,
            provider: row.provider,
            is_open: row.enabled && tenant_is_active,
            template: row.settings.template.as_deref().map(Template::parse).transpose()?,
            settings: row.settings,
            secrets,
            patterns: row.events.iter().filter_map(|text| Pattern::parse(text)).collect(),
            filter: row.filter.as_ref().map(Filter::parse).transpose()?,
            response: row.response,
        })
    }
}

#[derive(Default)]
struct Known {
    sources: HashMap<SourceId, Arc<Loaded>>,
    unknown: HashMap<SourceId, Timestamp>,
    generation: u64,
}

/// The cache.
#[derive(Default)]
pub(crate) struct Cache(RwLock<Known>);

impl Cache {
    /// What is known of an id: `Some(None)` when it is known to be nobody's.
    pub(crate) fn get(&self, id: SourceId, now: Timestamp) -> Option<Option<Arc<Loaded>>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = known.sources.get(&id) {
            return Some(Some(Arc::clone(source)));
        }
        known.unknown.get(&id).filter(|until| now < **until).map(|_| None)
    }

    fn generation(&self) -> u64 {
        self.0.read().unwrap_or_else(PoisonError::into_inner).generation
    }

    fn put(&self, since: u64, id: SourceId, found: Option<Arc<Loaded>>, now: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation != since {
            return;
        }
        match found {
            Some(source) => {
                make_room(&mut known.sources);
                known.sources.insert(id, source);
            }
            None => {
                make_room(&mut known.unknown);
                known.unknown.insert(id, now.plus(UNKNOWN_FOR));
            }
        }
    }

    /// Drops what `change` is about.
    pub(crate) fn forget(&self, change: &Change) {
        if !change.concerns(TOPIC) && !change.concerns(access::tenants::TOPIC) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        if let (true, Ok(id)) = (change.topic == TOPIC, change.key.parse::<SourceId>()) {
            known.sources.remove(&id);
            known.unknown.remove(&id);
        } else if let (true, Ok(tenant)) = (change.topic == access::tenants::TOPIC, change.key.parse::<TenantId>()) {
            known.sources.retain(|_, source| source.tenant != tenant);
        } else {
            known.sources.clear();
            known.unknown.clear();
        }
    }
}

/// A full map loses some entry.
fn make_room<T>(map: &mut HashMap<SourceId, T>) {
    if map.len() >= MOST
        && let Some(victim) = map.keys().next().copied()
    {
        map.remove(&victim);
    }
}

impl Sources {
    /// Reads a source, and keeps what was found.
    pub(crate) async fn look_up(&self, id: SourceId) -> Result<Option<Arc<Loaded>>> {
        let since = self.cache.generation();
        // Which tenant it is follows from the row, so this is the system's reading.
        let found = self
            .store
            .read(Scope::system("sources"), move |tx| {
                let Some((tenant, row)) = sql::find(tx, id)? else { return Ok(None) };
                let secrets = sql::secrets(tx, tenant, id)?;
                let is_active = access::tenants::is_active(tx, tenant)?;
                Loaded::of(tenant, row, secrets, is_active).map(Some)
            })
            .await?
            .map(Arc::new);
        self.cache.put(since, id, found.clone(), self.ambient.now());
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{Ambient, SourceId, Timestamp};
    use store::Change;

    use super::{Cache, MOST, UNKNOWN_FOR};

    fn change(topic: &str, key: &str) -> Change {
        Change { topic: topic.to_owned(), key: key.to_owned() }
    }

    #[test]
    fn an_unknown_id_is_remembered_for_a_while_and_until_it_is_made() {
        let (cache, at) = (Cache::default(), Timestamp::from_millis(5_000));
        let id: SourceId = Ambient::system().id();
        assert!(cache.get(id, at).is_none());
        cache.put(cache.generation(), id, None, at);
        assert!(cache.get(id, at).is_some_and(|found| found.is_none()));
        assert!(cache.get(id, at.plus(UNKNOWN_FOR)).is_none());
        cache.forget(&change("source", &id.to_string()));
        assert!(cache.get(id, at).is_none());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let (cache, at) = (Cache::default(), Timestamp::from_millis(5_000));
        let id: SourceId = Ambient::system().id();
        for notice in [change("source", &id.to_string()), change("tenant", "ten_x"), change(Change::EVERYTHING, "")] {
            let since = cache.generation();
            cache.forget(&notice);
            cache.put(since, id, None, at);
            assert!(cache.get(id, at).is_none(), "{notice:?}");
        }
        let since = cache.generation();
        cache.forget(&change("subscription", "wh_x"));
        cache.put(since, id, None, at.plus(Duration::from_secs(1)));
        assert!(cache.get(id, at).is_some(), "other things' changes are no news");
    }

    #[test]
    fn memory_is_bounded() {
        let (cache, ambient, at) = (Cache::default(), Ambient::system(), Timestamp::from_millis(5_000));
        for _ in 0..MOST + 100 {
            cache.put(cache.generation(), ambient.id(), None, at);
        }
        assert_eq!(cache.0.read().unwrap().unknown.len(), MOST);
    }
}
