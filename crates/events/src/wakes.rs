//! Waking readers when something was committed for their tenant, and counting them.
//!
//! This node's publications wake by a hook that runs after the commit. On PostgreSQL other nodes publish too: while somebody waits, one look
//! every half second at the waiting tenants' last groups finds what they did.
//!
//! A reader was admitted when it came, and may stay for minutes. When its key, client or tenant changes, its reading ends: the client comes
//! back, and is judged anew.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kernel::{Caller, Credential, Error, Kind, Result, Scope, TenantId};
use store::{Change, Store};
use tokio::sync::watch;

use crate::ahead;
use crate::groups::AGAIN;

/// How often other nodes' publications are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How a reader waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kindred {
    /// A poll that waits.
    Poll,
    /// A stream.
    Stream,
}

struct Seats {
    changed: watch::Sender<()>,
    polls: usize,
    streams: usize,
    holders: Vec<Arc<Holder>>,
}

/// Who sits there, as change notices name it.
struct Holder {
    names: Vec<(&'static str, String)>,
    kind: Kindred,
    /// Whether it must be judged anew.
    is_over: AtomicBool,
}

impl Holder {
    fn new(caller: &Caller, tenant: TenantId, kind: Kindred) -> Self {
        let mut names = vec![("tenant", tenant.to_string())];
        match caller.credential() {
            Credential::Key { key, .. } => names.push(("key", key.to_string())),
            Credential::ServiceKey { key, .. } => names.push(("service_key", key.to_string())),
            _ => {}
        }
        names.extend(caller.client().map(|client| ("client", client.to_string())));
        Self { names, kind, is_over: AtomicBool::new(false) }
    }
}

/// Who waits.
pub(crate) struct Wakes {
    tenants: Mutex<HashMap<TenantId, Seats>>,
    closing: watch::Sender<bool>,
    most: usize,
}

impl Wakes {
    /// At most `most` streams of a tenant, and as many polls that wait.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { tenants: Mutex::default(), closing: watch::Sender::new(false), most })
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<TenantId, Seats>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a seat. Errors: 429 `too_many_streams`, 503 `shutting_down`.
    pub(crate) fn sit(self: &Arc<Self>, caller: &Caller, tenant: TenantId, kind: Kindred) -> Result<Seat> {
        if *self.closing.borrow() {
            return Err(
                Error::unavailable("shutting_down", "The server is stopping. Try again shortly.").retry_after(Duration::from_secs(1))
            );
        }
        let mut tenants = self.seats();
        let seats =
            tenants.entry(tenant).or_insert_with(|| Seats { changed: watch::Sender::new(()), polls: 0, streams: 0, holders: Vec::new() });
        let taken = if kind == Kindred::Poll { &mut seats.polls } else { &mut seats.streams };
        if *taken >= self.most {
            let detail = format!("{} readers of this tenant wait already. Close one, or poll without waiting.", self.most);
            return Err(Error::new(Kind::RateLimited, "too_many_streams", detail).retry_after(Duration::from_secs(10)));
        }
        *taken += 1;
        let (changed, holder) = (seats.changed.subscribe(), Arc::new(Holder::new(caller, tenant, kind)));
        seats.holders.push(Arc::clone(&holder));
        Ok(Seat { wakes: Arc::clone(self), tenant, holder, changed, closing: self.closing.subscribe() })
    }

    /// Something was committed for these tenants.
    pub(crate) fn tell(&self, tenants: &[TenantId]) {
        let seats = self.seats();
        for tenant in tenants {
            if let Some(seats) = seats.get(tenant) {
                seats.changed.send_replace(());
            }
        }
    }

    /// Ends the reading of those whom a change concerns. After a notice that says nothing in particular every credential may have changed
    /// (polls end soon by themselves), and anything may have been committed.
    pub(crate) fn judge(&self, change: &Change) {
        if change.topic == AGAIN {
            // A notice that cannot be read wakes nobody; there is none.
            change.key.parse().iter().for_each(|tenant| self.tell(&[*tenant]));
            return;
        }
        let all = change.topic == Change::EVERYTHING;
        if !all && !matches!(change.topic.as_str(), "tenant" | "key" | "service_key" | "client") {
            return;
        }
        for seats in self.seats().values() {
            let named = |holder: &Holder| holder.names.iter().any(|(topic, name)| *topic == change.topic && *name == change.key);
            let mut wakes = all;
            for holder in seats.holders.iter().filter(|holder| if all { holder.kind == Kindred::Stream } else { named(holder) }) {
                holder.is_over.store(true, Ordering::SeqCst);
                wakes = true;
            }
            if wakes {
                seats.changed.send_replace(());
            }
        }
    }

    /// Ends every reader.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    fn waiting(&self) -> Vec<TenantId> {
        self.seats().keys().copied().collect()
    }
}

/// A reader's seat; given back when it is dropped.
pub(crate) struct Seat {
    wakes: Arc<Wakes>,
    tenant: TenantId,
    holder: Arc<Holder>,
    changed: watch::Receiver<()>,
    closing: watch::Receiver<bool>,
}

impl Seat {
    /// To be called before each look: what is committed after it wakes.
    pub(crate) fn look(&mut self) {
        self.changed.mark_unchanged();
    }

    /// Waits until something was committed, `limit` is over, or the server stops.
    pub(crate) async fn wait(&mut self, limit: Duration) {
        tokio::select! {
            // The sender lives in the seats as long as this one is taken.
            _ = self.changed.changed() => {}
            () = closed(&mut self.closing) => {}
            () = tokio::time::sleep(limit) => {}
        }
    }

    /// Whether the server stops, or the reader must be judged anew.
    pub(crate) fn is_over(&self) -> bool {
        *self.closing.borrow() || self.holder.is_over.load(Ordering::SeqCst)
    }

    /// Waits until the server stops.
    pub(crate) async fn closed(&self) {
        closed(&mut self.closing.clone()).await;
    }
}

async fn closed(closing: &mut watch::Receiver<bool>) {
    // A sender that is gone is a server that has stopped.
    let _ = closing.wait_for(|closing| *closing).await;
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut tenants = self.wakes.seats();
        let Some(seats) = tenants.get_mut(&self.tenant) else { return };
        let taken = if self.holder.kind == Kindred::Poll { &mut seats.polls } else { &mut seats.streams };
        *taken = taken.saturating_sub(1);
        seats.holders.retain(|holder| !Arc::ptr_eq(holder, &self.holder));
        if seats.polls + seats.streams == 0 {
            tenants.remove(&self.tenant);
        }
    }
}

/// Looks for what other nodes did, as long as the readers are there.
pub(crate) async fn look_around(wakes: Weak<Wakes>, store: Store) {
    let mut known: HashMap<TenantId, i64> = HashMap::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(wakes) = wakes.upgrade() else { return };
        let waiting = wakes.waiting();
        if waiting.is_empty() {
            known.clear();
            continue;
        }
        let asked = waiting.clone();
        let look = store.read(Scope::system("events"), move |tx| asked.into_iter().map(|tenant| ahead::last_group(tx, tenant)).collect());
        let found: Vec<i64> = match look.await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(?error, "could not look for other nodes' events");
                continue;
            }
        };
        let found: HashMap<TenantId, i64> = waiting.into_iter().zip(found).collect();
        let changed: Vec<TenantId> =
            found.iter().filter(|(tenant, last)| known.get(tenant) != Some(last)).map(|(tenant, _)| *tenant).collect();
        wakes.tell(&changed);
        known = found;
    }
}
