//! Keeping the matching index as the database is: at start, and whenever a notice says that something changed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dispatch::State;
use kernel::{DestinationId, Error, Result, Scope};
use store::Change;
use tokio::sync::mpsc;

use crate::index::Listener;
use crate::subscriptions::sql;
use crate::{TOPIC, Webhooks};

/// Wait before the database is asked again after it did not answer.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// How often a read is repeated because something changed meanwhile, before a pause.
const TRIES: usize = 10;

fn busy() -> Error {
    Error::unavailable("busy", "Subscriptions change faster than they can be read.")
}

enum Notice {
    One(DestinationId),
    Everything,
}

/// Listens to notices. A listener must not wait for the store, so a task does the reading, one notice after another.
pub(crate) fn follow(webhooks: &Arc<Webhooks>) {
    let (notices, waiting) = mpsc::unbounded_channel();
    tokio::spawn(read_again(Arc::downgrade(webhooks), waiting));
    webhooks.store.on_change(Box::new(move |change| {
        let notice = if change.topic == Change::EVERYTHING {
            Notice::Everything
        } else if change.topic == TOPIC || change.topic == dispatch::destinations::TOPIC {
            let Ok(id) = change.key.parse() else { return };
            Notice::One(id)
        } else {
            return;
        };
        // Closed only when the feature is gone.
        let _ = notices.send(notice);
    }));
}

async fn read_again(webhooks: Weak<Webhooks>, mut waiting: mpsc::UnboundedReceiver<Notice>) {
    while let Some(notice) = waiting.recv().await {
        loop {
            let Some(webhooks) = webhooks.upgrade() else { return };
            let outcome = match notice {
                Notice::One(id) => webhooks.load_one(id).await,
                Notice::Everything => webhooks.load_all().await,
            };
            let Err(error) = outcome else { break };
            tracing::warn!(?error, "subscriptions could not be read again; trying once more");
            drop(webhooks);
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

impl Webhooks {
    /// Reads every subscription that is not disabled.
    pub(crate) async fn load_all(&self) -> Result<()> {
        for _ in 0..TRIES {
            let generation = self.index.generation();
            let all = self.store.read(Scope::system("webhooks"), sql::listeners).await?;
            if self.index.replace_if(generation, all) {
                return Ok(());
            }
        }
        Err(busy())
    }

    /// Reads one subscription. Its destination may have been disabled without us, by a receiver's 410: that is noted here.
    async fn load_one(&self, id: DestinationId) -> Result<()> {
        for _ in 0..TRIES {
            let generation = self.index.generation();
            let found = self.store.read(Scope::system("webhooks"), move |tx| {
                let Some((tenant, row)) = sql::find(tx, id)? else { return Ok(None) };
                let state = dispatch::destinations::get_all(tx, tenant, &[id])?.pop().map(|destination| destination.state);
                Ok(Some((tenant, row, state)))
            });
            let Some((tenant, row, state)) = found.await? else {
                self.index.forget(id);
                return Ok(());
            };
            let truth = state.unwrap_or(State::Disabled);
            if truth != row.state {
                self.store.write(Scope::system("webhooks"), move |tx| sql::set_state(tx, tenant, id, truth).map(|_| ())).await?;
            }
            let listener = (truth != State::Disabled).then(|| Listener::of(&row)).transpose()?;
            if self.index.put_if(generation, tenant, id, listener) {
                return Ok(());
            }
        }
        Err(busy())
    }
}
