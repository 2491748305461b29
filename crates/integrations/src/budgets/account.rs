//! An account's windows on this server.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use connectors::{Allowance, BudgetNews, Fault};
use kernel::{Ambient, TenantScope, Timestamp};
use store::Store;

use super::Key;
use super::sql::{self, Part};
use super::window::Window;

/// Longest that one call waits for a window.
const PATIENCE: Duration = Duration::from_secs(15);
/// A vendor's word is newer than the row for so long.
const FRESH: Duration = Duration::from_secs(5);

/// The budget of an account.
pub(crate) struct Account {
    store: Store,
    key: Key,
    windows: Mutex<Vec<Window>>,
    /// Whoever finds nothing in memory asks the row, one at a time.
    asking: tokio::sync::Mutex<()>,
}

impl Account {
    pub(super) fn new(store: Store, key: Key, allowances: &[Allowance]) -> Self {
        Self { store, key, windows: Mutex::new(allowances.iter().map(Window::new).collect()), asking: tokio::sync::Mutex::default() }
    }

    /// Spends `cost` of every window, or waits a moment for it.
    ///
    /// Errors: [`Fault::Exhausted`], [`Fault::Unavailable`] when the row cannot be asked.
    pub(crate) async fn take(&self, cost: u32, ambient: &Ambient) -> Result<(), Fault> {
        let cost = u64::from(cost.max(1));
        let mut waited = Duration::ZERO;
        loop {
            if self.spend(cost, ambient.now()) {
                return Ok(());
            }
            let Some(until) = self.refill(cost, ambient).await? else { continue };
            let pause = until.since(ambient.now()).max(Duration::from_millis(10));
            waited = waited.saturating_add(pause);
            if waited > PATIENCE {
                return Err(Fault::Exhausted { until });
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// What the vendor said.
    pub(crate) fn told(&self, news: &BudgetNews, now: Timestamp) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let at = windows.iter().position(|window| window.name == news.window).unwrap_or_else(|| {
            windows.push(Window::unknown(news.window));
            windows.len() - 1
        });
        windows[at].hear(news, now);
    }

    /// All windows or none.
    fn spend(&self, cost: u64, now: Timestamp) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let all = windows.iter().all(|window| window.has(cost, now));
        if all {
            windows.iter_mut().for_each(|window| window.spend(cost));
        }
        all
    }

    /// Takes parts where they are wanted. `Some`: there is nothing until then.
    async fn refill(&self, cost: u64, ambient: &Ambient) -> Result<Option<Timestamp>, Fault> {
        let _one = self.asking.lock().await;
        let now = ambient.now();
        let wanting = {
            let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(until) = windows.iter().filter(|window| window.closed_until > now).map(|window| window.closed_until).max() {
                return Ok(Some(until));
            }
            windows.iter().filter(|window| !window.has(cost, now)).cloned().collect::<Vec<Window>>()
        };
        let mut empty_until = None;
        for window in wanting {
            if cost > window.allowed {
                let message = format!("one call costs {cost}, and the account's {} budget is {}", window.name, window.allowed);
                return Err(Fault::Refused { code: "over_budget".to_owned(), message, field: None });
            }
            match self.part(&window, cost, now).await? {
                Part::Taken(part, ends) => self.credit(&window.name, part, ends),
                Part::Empty(until) => empty_until = empty_until.max(Some(until)),
            }
        }
        Ok(empty_until)
    }

    async fn part(&self, window: &Window, cost: u64, now: Timestamp) -> Result<Part, Fault> {
        let (key, window) = (self.key.clone(), window.clone());
        let scope = TenantScope::system("budgets", key.tenant);
        let is_news = window.told.is_some_and(|told| told.remaining >= cost && now.since(told.at) <= FRESH);
        let taken = self.store.write(scope, move |tx| {
            let part = sql::take(tx, &key, &window, cost)?;
            if matches!(part, Part::Empty(_)) && is_news {
                sql::believe(tx, &key, &window)?;
                return sql::take(tx, &key, &window, cost);
            }
            Ok(part)
        });
        taken.await.map_err(|error| {
            tracing::warn!(?error, "an account's budget could not be read");
            Fault::Unavailable { message: "our own database does not answer".to_owned() }
        })
    }

    fn credit(&self, name: &str, part: u64, ends: Timestamp) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = windows.iter_mut().find(|window| window.name == name) {
            window.left = if window.ends == ends { window.left + part } else { part };
            (window.ends, window.told) = (ends, None);
        }
    }
}
