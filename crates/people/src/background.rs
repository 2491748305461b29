//! Letting go of what is over: sessions, links, sign-ins that nobody finished, failures that are forgiven. Every node does it: a second time
//! changes nothing.

use std::sync::Weak;
use std::time::Duration;

use kernel::{Result, Scope};

use crate::{People, ceremonies, guard, links, sessions, sign_in};

const EVERY: Duration = Duration::from_mins(30);

pub(crate) async fn let_go_regularly(people: Weak<People>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(people) = people.upgrade() else { return };
        if let Err(error) = people.let_go().await {
            tracing::warn!(?error, "sessions and links that are over stay a while longer");
        }
    }
}

impl People {
    /// Forgets what is over; how many rows.
    pub async fn let_go(&self) -> Result<u64> {
        let idle = self.config.idle;
        self.store
            .write(Scope::system("people"), move |tx| {
                let now = tx.now();
                let forgiven = "DELETE FROM sign_in_failures WHERE last_at <= ?1";
                Ok(sessions::sql::expire(tx, now.minus(idle))?
                    + links::sql::expire(tx)?
                    + sign_in::expire(tx)?
                    + ceremonies::expire(tx)?
                    + tx.exec(forgiven, &[now.minus(guard::FORGOTTEN_AFTER).into()])?)
            })
            .await
    }
}
