//! What people allowed an application that is gone. Its tenant's transaction, which removes it, does not reach the rows of other tenants; they
//! follow at once, each in a transaction of its tenant.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use kernel::{ClientId, Result, TenantId, TenantScope};
use serde_json::json;
use store::{Change, Tx};
use tokio::sync::Notify;

use super::sql;
use crate::{Oauth, codes, grants, system};

/// Most applications that wait; past it, all are looked through.
const MOST: usize = 1000;

/// Applications that were changed, and may be gone. At first everything is to be looked through: what a server could not finish that stopped.
#[derive(Default)]
pub(crate) struct Changed {
    waiting: Mutex<Waiting>,
    pub(crate) notified: Notify,
}

struct Waiting {
    all: bool,
    some: BTreeSet<ClientId>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { all: true, some: BTreeSet::new() }
    }
}

impl Changed {
    /// Notes what `change` is about: quick, from any thread.
    pub(crate) fn note(&self, change: &Change) {
        if !change.concerns("client") {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match change.key.parse::<ClientId>() {
            Ok(id) if waiting.some.len() < MOST => drop(waiting.some.insert(id)),
            _ => waiting.all = true,
        }
        self.notified.notify_one();
    }

    fn take(&self) -> Waiting {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *waiting, Waiting { all: false, some: BTreeSet::new() })
    }

    /// Everything is to be looked through again.
    fn again(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).all = true;
    }
}

impl Oauth {
    /// Ends what people allowed applications that are gone; how many consents. Errors: those of the store; then it is tried again.
    pub async fn end_orphans(&self) -> Result<u64> {
        let ended = self.try_end_orphans().await;
        if ended.is_err() {
            self.changed.again();
        }
        ended
    }

    async fn try_end_orphans(&self) -> Result<u64> {
        let Waiting { all, some } = self.changed.take();
        let some: Vec<ClientId> = some.into_iter().collect();
        let orphans = self.store.read(system(), move |tx| {
            if all {
                return sql::orphans(tx);
            }
            let mut found = Vec::new();
            for client in some {
                found.extend(sql::orphans_of(tx, client)?);
            }
            Ok(found)
        });
        let mut ended = 0;
        for (tenant, client) in orphans.await? {
            ended += self.store.write(TenantScope::system("oauth", tenant), move |tx| end(tx, tenant, client)).await?;
        }
        Ok(ended)
    }
}

/// Everything that a tenant's people allowed an application.
fn end(tx: &mut Tx<'_>, tenant: TenantId, client: ClientId) -> Result<u64> {
    codes::sql::purge(tx, tenant, Some(client))?;
    for grant in grants::sql::of_client(tx, tenant, client)? {
        access::access_tokens::revoke_of_grant(tx, grant)?;
    }
    grants::sql::purge(tx, tenant, Some(client))?;
    let gone = sql::remove_of(tx, tenant, client)?;
    for (id, user) in &gone {
        tx.audit_with("consent.end", id, &json!({"client": client, "user": user, "reason": "client_deleted"}))?;
    }
    Ok(gone.len() as u64)
}
