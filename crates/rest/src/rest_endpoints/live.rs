//! Endpoints ready to answer, by tenant; and tenants by their slugs.
//!
//! The race that matters: an endpoint is made or deleted while a tenant's are being read. The reader takes the generation before it reads, and
//! what it read is kept only if the generation is still the same; a notice raises it. What was read before a change is never kept over it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use blueprint::Schema;
use kernel::{Error, Kind, Result, Scope, TenantId, TenantScope, Timestamp};
use store::Change;

use super::endpoint::Row;
use super::path::{self, Segment};
use super::{RestEndpoints, TOPIC, sql};

/// Most tenants, and most slugs, that are remembered.
const MOST: usize = 10_000;
/// How long it is remembered that a slug is nobody's.
const UNKNOWN_FOR: Duration = Duration::from_secs(10);

/// An endpoint that answers calls.
pub(super) struct Served {
    pub(super) row: Row,
    segments: Vec<Segment>,
    /// How calls are logged: `/api/v1/x/tickets/{id}`.
    pub(super) template: Arc<str>,
    schema: OnceLock<Option<Schema>>,
}

impl Served {
    fn new(row: Row) -> Result<Self> {
        let segments = path::parse(&row.definition.path).map_err(Error::internal)?;
        let template = format!("{}{}", super::OWN, row.path()).into();
        Ok(Self { row, segments, template, schema: OnceLock::new() })
    }

    /// How strangers' calls are logged: `/public/{tenant}/tickets/{id}`.
    pub(super) fn public_template(&self) -> Arc<str> {
        format!("{}{{tenant}}/{}", super::PUBLIC, self.row.path()).into()
    }

    /// What requests must satisfy. Compiled when it is first asked for: it takes milliseconds.
    pub(super) fn schema(&self) -> Option<&Schema> {
        // It compiled when the endpoint was made.
        self.schema.get_or_init(|| Schema::compile(self.row.definition.schema.as_ref()?).ok()).as_ref()
    }
}

/// What a request's path means.
pub(super) struct Called {
    pub(super) served: Arc<Served>,
    /// The text in the place of `{id}`.
    pub(super) id: Option<String>,
}

/// A tenant's endpoints, the most exact paths first.
#[derive(Default)]
pub(super) struct Table(Vec<Arc<Served>>);

impl Table {
    fn new(rows: Vec<Row>) -> Result<Self> {
        let mut list = rows.into_iter().map(|row| Served::new(row).map(Arc::new)).collect::<Result<Vec<_>>>()?;
        list.sort_by_key(|served| path::rank(&served.segments));
        Ok(Self(list))
    }

    pub(super) fn all(&self) -> &[Arc<Served>] {
        &self.0
    }

    /// The endpoint that a request means. Errors: 404; 405 where the path is there for other methods.
    pub(super) fn find(&self, method: &http::Method, path: &str, public: bool) -> Result<Called> {
        let method = if method == http::Method::HEAD { "GET" } else { method.as_str() };
        let mut other_method = false;
        for served in self.0.iter().filter(|served| !public || served.row.definition.public) {
            let Some(id) = path::matches(&served.segments, path) else { continue };
            if served.row.method.as_str() == method {
                return Ok(Called { served: Arc::clone(served), id });
            }
            other_method = true;
        }
        if other_method {
            return Err(Error::new(Kind::MethodNotAllowed, "method_not_allowed", "This path exists, but not for this method."));
        }
        Err(Error::new(
            Kind::NotFound,
            "not_found",
            "There is no endpoint at this path. Endpoints are made by POST /api/v1/rest-endpoints.",
        ))
    }
}

#[derive(Default)]
struct Known {
    tables: HashMap<TenantId, Arc<Table>>,
    slugs: HashMap<String, TenantId>,
    unknown: HashMap<String, Timestamp>,
    generation: u64,
}

/// What this node remembers.
#[derive(Default)]
pub(super) struct Live(RwLock<Known>);

impl Live {
    fn table(&self, tenant: TenantId) -> (Option<Arc<Table>>, u64) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        (known.tables.get(&tenant).cloned(), known.generation)
    }

    /// `Some(None)`: it is known to be nobody's.
    fn slug(&self, slug: &str, now: Timestamp) -> (Option<Option<TenantId>>, u64) {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.slugs.get(slug).map(|tenant| Some(*tenant));
        let found = found.or_else(|| known.unknown.get(slug).filter(|until| now < **until).map(|_| None));
        (found, known.generation)
    }

    fn keep(&self, since: u64, put: impl FnOnce(&mut Known)) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.generation == since {
            put(&mut known);
        }
    }

    /// Drops what `change` is about.
    pub(super) fn forget(&self, change: &Change) {
        let of_tenant = change.concerns(access::tenants::TOPIC);
        if !of_tenant && !change.concerns(TOPIC) {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.generation += 1;
        match change.key.parse::<TenantId>() {
            Ok(tenant) => {
                known.tables.remove(&tenant);
                known.slugs.retain(|_, held| *held != tenant);
            }
            // A notice that cannot be read is no reason to keep anything.
            Err(_) => {
                known.tables.clear();
                known.slugs.clear();
            }
        }
        if of_tenant {
            known.unknown.clear();
        }
    }
}

/// Puts an entry; a full map loses some other.
fn put<K: Eq + Hash + Clone, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= MOST
        && !map.contains_key(&key)
        && let Some(victim) = map.keys().next().cloned()
    {
        map.remove(&victim);
    }
    map.insert(key, value);
}

impl RestEndpoints {
    /// A tenant's endpoints.
    pub(super) async fn table(&self, tenant: TenantId) -> Result<Arc<Table>> {
        let (known, since) = self.live.table(tenant);
        if let Some(table) = known {
            return Ok(table);
        }
        let scope = TenantScope::system("rest-endpoints", tenant);
        let rows = self.store.read(&scope, move |tx| sql::all(tx, tenant)).await?;
        let table = Arc::new(Table::new(rows)?);
        self.live.keep(since, |known| put(&mut known.tables, tenant, Arc::clone(&table)));
        Ok(table)
    }

    /// The active tenant of this slug.
    pub(super) async fn tenant_of(&self, slug: &str) -> Result<Option<TenantId>> {
        let now = self.ambient.now();
        let (known, since) = self.live.slug(slug, now);
        if let Some(known) = known {
            return Ok(known);
        }
        let asked = slug.to_owned();
        let found = self.store.read(Scope::system("rest-endpoints"), move |tx| access::tenants::active_of_slug(tx, &asked)).await?;
        self.live.keep(since, |known| match found {
            Some(tenant) => put(&mut known.slugs, slug.to_owned(), tenant),
            None => put(&mut known.unknown, slug.to_owned(), now.plus(UNKNOWN_FOR)),
        });
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Ambient;

    fn notice(topic: &str, key: impl std::fmt::Display) -> Change {
        Change { topic: topic.to_owned(), key: key.to_string() }
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let (live, tenant) = (Live::default(), Ambient::system().id::<TenantId>());
        let keep = |since| live.keep(since, |known| put(&mut known.tables, tenant, Arc::default()));
        for change in [notice(TOPIC, tenant), notice("tenant", tenant), notice(Change::EVERYTHING, "")] {
            let since = live.table(tenant).1;
            keep(since);
            assert!(live.table(tenant).0.is_some());
            live.forget(&change);
            keep(since);
            assert!(live.table(tenant).0.is_none(), "{change:?}");
        }
        let since = live.table(tenant).1;
        live.forget(&notice("key", "key_x"));
        keep(since);
        live.forget(&notice(TOPIC, Ambient::system().id::<TenantId>()));
        assert!(live.table(tenant).0.is_some(), "others' changes are no news");
    }

    #[test]
    fn slugs_are_forgotten_with_their_tenant_and_memory_is_bounded() {
        let (live, at, ambient) = (Live::default(), Timestamp::from_millis(5_000), Ambient::system());
        let tenant: TenantId = ambient.id();
        live.keep(live.slug("acme", at).1, |known| put(&mut known.slugs, "acme".into(), tenant));
        live.keep(live.slug("nobody", at).1, |known| put(&mut known.unknown, "nobody".into(), at.plus(UNKNOWN_FOR)));
        assert_eq!((live.slug("acme", at).0, live.slug("nobody", at).0), (Some(Some(tenant)), Some(None)));
        assert_eq!(live.slug("nobody", at.plus(UNKNOWN_FOR)).0, None);
        live.forget(&notice("tenant", tenant));
        assert_eq!((live.slug("acme", at).0, live.slug("nobody", at).0), (None, None));
        for _ in 0..MOST + 50 {
            live.keep(live.slug("", at).1, |known| put(&mut known.tables, ambient.id(), Arc::default()));
        }
        assert_eq!(live.0.read().unwrap().tables.len(), MOST);
    }
}
