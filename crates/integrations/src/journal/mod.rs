//! The log of calls to vendors: held for a moment, written in groups, a bounded number per integration.

mod entry;
pub(crate) mod sql;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::{Ambient, Scope};
use store::Store;

pub(crate) use entry::Entry;

/// Entries that are held at most; beyond it the log has a gap, and the counts too.
const FULL: usize = 20_000;
/// How long entries gather.
const GROUP_TIME: Duration = Duration::from_secs(1);

/// Entries on their way into the database.
pub(crate) struct Journal {
    store: Store,
    ambient: Ambient,
    held: Mutex<Vec<Entry>>,
    /// Keeps calls of one millisecond in their order.
    next: AtomicU32,
    writing: tokio::sync::Mutex<()>,
}

impl Journal {
    pub(crate) fn new(store: &Store, ambient: &Ambient) -> Arc<Self> {
        Arc::new(Self {
            store: store.clone(),
            ambient: ambient.clone(),
            held: Mutex::default(),
            next: AtomicU32::new(0),
            writing: tokio::sync::Mutex::default(),
        })
    }

    /// An id that sorts by time, and by order within a millisecond.
    fn id(&self, entry: &Entry) -> String {
        let order = self.next.fetch_add(1, Ordering::Relaxed);
        let chance = u32::from_be_bytes(self.ambient.bytes());
        format!("{:012x}{order:08x}{chance:08x}", entry.at.millis().max(0))
    }

    /// Notes a call. Never waits; written a second later, together with what came meanwhile.
    pub(crate) fn note(self: &Arc<Self>, entry: Entry) {
        let first = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if held.len() >= FULL {
                return;
            }
            held.push(entry);
            held.len() == 1
        };
        if first {
            let journal = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(GROUP_TIME).await;
                journal.flush().await;
            });
        }
    }

    /// Writes what is held. A group that cannot be written is lost: it is a log.
    pub(crate) async fn flush(&self) {
        let _one = self.writing.lock().await;
        let entries = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        if entries.is_empty() {
            return;
        }
        let entries: Vec<(String, Entry)> = entries.into_iter().map(|entry| (self.id(&entry), entry)).collect();
        let written = self.store.write(Scope::system("integrations"), move |tx| sql::write(tx, &entries)).await;
        if let Err(error) = written {
            tracing::warn!(?error, "calls to vendors could not be logged");
        }
    }
}
