//! What an account at a vendor may still be asked for.
//!
//! A vendor counts an account's calls in windows (so many in ten seconds, so many in a day). All our runs and servers share one row per window,
//! but not every call writes it: a server takes a part of the window in advance, a twentieth of it, and spends that from memory. What is left
//! of a part when the window ends is void. What the vendor says itself (its headers, its refusals) corrects the row when the next part is
//! taken, and stops this server at once.
//!
//! A window that is empty for moments is waited for; one that is empty for longer ends the call with [`connectors::Fault::Exhausted`], so that
//! the run parks instead of sleeping.

mod account;
mod sql;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use connectors::Allowance;
use kernel::TenantId;
use store::Store;

pub(crate) use account::Account;

/// Accounts that are kept in memory. Beyond it those that nobody uses are forgotten; their parts are void.
const MOST: usize = 10_000;

/// Whose budget.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) tenant: TenantId,
    pub(crate) connector: String,
    pub(crate) account: String,
}

/// The accounts that this server talks to.
pub(crate) struct Budgets {
    store: Store,
    accounts: Mutex<HashMap<Key, Arc<Account>>>,
}

impl Budgets {
    pub(crate) fn new(store: &Store) -> Arc<Self> {
        Arc::new(Self { store: store.clone(), accounts: Mutex::default() })
    }

    /// The account's budget; the same one for all of its sessions.
    pub(crate) fn of(&self, key: Key, allowances: &[Allowance]) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MOST {
            accounts.retain(|_, account| Arc::strong_count(account) > 1);
        }
        Arc::clone(accounts.entry(key.clone()).or_insert_with(|| Arc::new(Account::new(self.store.clone(), key, allowances))))
    }

    /// Forgets a tenant's accounts: their next sessions begin with what the rows say.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| key.tenant != tenant);
    }
}
