//! Open connections: one per destination's configuration, bounded in number, closed when idle.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kernel::DestinationId;
use tokio::time::Instant;

use crate::Options;
use crate::fault::Fault;

/// A destination and the hash of its configuration.
pub(crate) type Key = (DestinationId, [u8; 32]);

/// The connections of one kind of broker.
pub(crate) struct Pool<C> {
    slots: Mutex<HashMap<Key, Arc<Slot<C>>>>,
    options: Options,
}

struct Slot<C> {
    /// Locked while connecting: whoever comes meanwhile waits for that connection.
    place: tokio::sync::Mutex<Place<C>>,
    /// How often connecting has ended.
    ended: AtomicU64,
    used: Mutex<Instant>,
}

struct Place<C> {
    open: Option<Arc<C>>,
    /// How the last connecting failed.
    fault: Option<Fault>,
}

/// A connection out of the pool.
pub(crate) struct Lent<C> {
    pub(crate) connection: Arc<C>,
    /// Whether it was opened for this caller, not found open.
    pub(crate) is_new: bool,
}

impl<C: Send + Sync + 'static> Pool<C> {
    /// An empty pool that looks for idle connections. Must be called on a tokio runtime.
    pub(crate) fn new(options: Options) -> Arc<Self> {
        let pool = Arc::new(Self { slots: Mutex::default(), options });
        tokio::spawn(look_after(Arc::downgrade(&pool), options.idle / 4));
        pool
    }

    /// The open connection of this configuration, or the one that `connect` opens. Those that come while it fails share its fault: a dead
    /// broker costs them one time-out, not one each in a row.
    pub(crate) async fn get(&self, key: Key, connect: impl AsyncFnOnce() -> Result<C, Fault>) -> Result<Lent<C>, Fault> {
        let slot = self.slot(key);
        let before = slot.ended.load(Ordering::SeqCst);
        let mut place = slot.place.lock().await;
        if let Some(connection) = &place.open {
            return Ok(Lent { connection: Arc::clone(connection), is_new: false });
        }
        if let Some(fault) = place.fault.as_ref().filter(|_| slot.ended.load(Ordering::SeqCst) != before) {
            return Err(fault.clone());
        }
        let opened = connect().await;
        slot.ended.fetch_add(1, Ordering::SeqCst);
        match opened {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *place = Place { open: Some(Arc::clone(&connection)), fault: None };
                Ok(Lent { connection, is_new: true })
            }
            Err(fault) => {
                place.fault = Some(fault.clone());
                Err(fault)
            }
        }
    }

    /// Takes a connection that broke out of the pool, if it still is there.
    pub(crate) async fn forget(&self, key: Key, broken: &Arc<C>) {
        let slot = lock(&self.slots).get(&key).cloned();
        if let Some(slot) = slot {
            let mut place = slot.place.lock().await;
            if place.open.as_ref().is_some_and(|open| Arc::ptr_eq(open, broken)) {
                place.open = None;
            }
        }
    }

    fn slot(&self, key: Key) -> Arc<Slot<C>> {
        let mut slots = lock(&self.slots);
        // A changed configuration has another hash: the old connection is of no more use.
        slots.retain(|other, _| other.0 != key.0 || *other == key);
        if !slots.contains_key(&key) && slots.len() >= self.options.max_connections {
            let oldest = slots.iter().min_by_key(|(_, slot)| *lock(&slot.used)).map(|(key, _)| *key);
            // Attempts under way keep theirs until they end.
            oldest.and_then(|oldest| slots.remove(&oldest));
        }
        let fresh = || {
            let place = tokio::sync::Mutex::new(Place { open: None, fault: None });
            Arc::new(Slot { place, ended: AtomicU64::new(0), used: Mutex::new(Instant::now()) })
        };
        let slot = slots.entry(key).or_insert_with(fresh);
        *lock(&slot.used) = Instant::now();
        Arc::clone(slot)
    }

    fn close_idle(&self, now: Instant) {
        let idle = |slot: &Arc<Slot<C>>| {
            let unused = Arc::strong_count(slot) == 1 && now.saturating_duration_since(*lock(&slot.used)) >= self.options.idle;
            unused && slot.place.try_lock().is_ok_and(|place| place.open.as_ref().is_none_or(|open| Arc::strong_count(open) == 1))
        };
        lock(&self.slots).retain(|_, slot| !idle(slot));
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        lock(&self.slots).len()
    }
}

async fn look_after<C: Send + Sync + 'static>(pool: Weak<Pool<C>>, every: Duration) {
    loop {
        tokio::time::sleep(every.max(Duration::from_millis(10))).await;
        let Some(pool) = pool.upgrade() else { return };
        pool.close_idle(Instant::now());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Ambient;

    fn options(max_connections: usize, idle: Duration) -> Options {
        Options { max_connections, idle }
    }

    fn key(n: u8) -> Key {
        (Ambient::system().id(), [n; 32])
    }

    #[tokio::test]
    async fn one_connection_is_shared_and_replaced_when_broken() {
        let pool = Pool::new(options(10, Duration::from_secs(60)));
        let one = key(1);
        let first = pool.get(one, async || Ok(1)).await.unwrap();
        let second = pool.get(one, async || panic!("there is one")).await.unwrap();
        assert!(first.is_new && !second.is_new && Arc::ptr_eq(&first.connection, &second.connection));
        pool.forget(one, &first.connection).await;
        let third = pool.get(one, async || Ok(2)).await.unwrap();
        assert!(third.is_new && *third.connection == 2);
        // Forgetting an older one does not harm the present one.
        pool.forget(one, &first.connection).await;
        assert!(!pool.get(one, async || Ok(3)).await.unwrap().is_new);
    }

    #[tokio::test]
    async fn those_who_wait_share_a_fault_and_later_ones_try_anew() {
        let pool: Arc<Pool<u8>> = Pool::new(options(10, Duration::from_secs(60)));
        let one = key(1);
        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let failing = pool.get(one, async || {
            gate.await.unwrap();
            Err(Fault::broken("connect", "down"))
        });
        let waiting = pool.get(one, async || panic!("it shares the fault"));
        let open = async { go.send(()).unwrap() };
        let (first, second, ()) = tokio::join!(failing, waiting, open);
        assert_eq!((first.err().unwrap().kind, second.err().unwrap().kind), ("connect", "connect"));
        assert!(pool.get(one, async || Ok(1)).await.is_ok());
    }

    #[tokio::test]
    async fn the_number_is_bounded_and_idle_ones_are_closed() {
        let pool = Pool::new(options(2, Duration::from_secs(8)));
        for n in 1..=5 {
            pool.get(key(n), async || Ok(n)).await.unwrap();
        }
        assert_eq!(pool.len(), 2);
        let later = || Instant::now() + Duration::from_secs(9);
        pool.close_idle(Instant::now());
        assert_eq!(pool.len(), 2);
        pool.close_idle(later());
        assert_eq!(pool.len(), 0);
        // One that is in use is not closed.
        let lent = pool.get(key(9), async || Ok(9)).await.unwrap();
        pool.close_idle(later());
        assert_eq!((pool.len(), *lent.connection), (1, 9));
    }

    #[tokio::test]
    async fn a_changed_configuration_closes_the_old_connection() {
        let pool = Pool::new(options(10, Duration::from_secs(60)));
        let (id, _) = key(1);
        let old = pool.get((id, [1; 32]), async || Ok(1)).await.unwrap().connection;
        pool.get((id, [2; 32]), async || Ok(2)).await.unwrap();
        assert_eq!((pool.len(), Arc::strong_count(&old)), (1, 1));
    }
}
