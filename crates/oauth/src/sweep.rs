//! What is over goes: requests, codes, grants, access tokens. Every server does it: the statements do no harm to each other.

use std::sync::Arc;
use std::time::Duration;

use kernel::Result;

use crate::{Oauth, codes, device, grants, requests, system, used_tokens};

/// Most rows of a kind in one step, so that the writer is not held long.
const STEP: u32 = 500;
/// How long what is over is kept: so that clocks that differ do not matter, and a code that is shown late is still known.
const KEPT: Duration = Duration::from_secs(600);

impl Oauth {
    /// Sweeps that often, for as long as anybody holds it; what was allowed to applications goes as soon as they do. Must be called on a tokio
    /// runtime.
    pub fn start(self: &Arc<Self>, every: Duration) {
        let oauth = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(every);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                // The notice keeps nobody alive longer than a sweep.
                let Some(held) = oauth.upgrade() else { return };
                let is_time = tokio::select! {
                    _ = ticks.tick() => true,
                    () = held.changed.notified.notified() => false,
                };
                let ended = held.end_orphans().await.map(drop);
                let swept = if is_time { held.sweep().await } else { Ok(()) };
                for error in [ended, swept].into_iter().filter_map(Result::err) {
                    tracing::warn!(?error, "what is over of OAuth could not be removed; it is tried again");
                }
            }
        });
    }

    /// Removes what is over. Errors: those of the store.
    pub async fn sweep(&self) -> Result<()> {
        let before = self.ambient.now().minus(KEPT);
        loop {
            let more = self.store.write(system(), move |tx| {
                let tokens = access::access_tokens::lapse(tx, before)?;
                let rows = [
                    requests::sql::sweep(tx, before, STEP)?,
                    codes::sql::sweep(tx, before, STEP)?,
                    grants::sql::sweep(tx, before, STEP)?,
                    device::sql::sweep(tx, before, STEP)?,
                    used_tokens::sweep(tx, before, STEP)?,
                ];
                Ok(tokens || rows.contains(&u64::from(STEP)))
            });
            if !more.await? {
                return Ok(());
            }
        }
    }
}
