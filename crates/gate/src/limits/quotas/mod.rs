//! Quotas: what may be used up between one refill and the next, by a key or by all keys of a client.
//!
//! Table `quota_uses`: one row for each subject and period. Counted in memory and written every second ([`write`]); the write answers with
//! what all nodes have used, so nodes know of each other within that second. After a crash at most the last second's requests of a node are
//! forgotten; an orderly stop forgets none. Rows are kept for 400 days.

mod book;
mod period;
mod sql;
mod write;

use std::sync::Arc;

use access::MonthlyQuota;
use kernel::{ClientId, Result, TenantId, Timestamp};
use store::{Subject, Tx};

pub(crate) use book::{Book, Taken};
pub(crate) use period::Period;

/// A quota that binds a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Its policy's name: `month` (its client's) or `key-month` (its own).
    pub(crate) name: &'static str,
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// What is counted: a client's id, or that of a key's line.
    pub(crate) subject: Arc<str>,
    /// The most in a period.
    pub(crate) limit: u64,
    /// The day of the month on which it is whole again.
    pub(crate) refill_day: u8,
}

impl Quota {
    /// Of a client: what all its keys together use.
    pub(crate) fn of_client(tenant: TenantId, client: ClientId, quota: MonthlyQuota) -> Self {
        Self { name: "month", tenant, subject: client.to_string().into(), limit: quota.limit, refill_day: quota.refill_day }
    }

    /// Of a key: what its line of keys uses.
    pub(crate) fn of_key(tenant: TenantId, line: Arc<str>, quota: MonthlyQuota) -> Self {
        Self { name: "key-month", tenant, subject: line, limit: quota.limit, refill_day: quota.refill_day }
    }
}

/// How a quota stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaUse {
    /// `month` (of the client) or `key-month` (of the key).
    pub policy: &'static str,
    /// The most in a period.
    pub limit: u64,
    /// What is left.
    pub remaining: u64,
    /// When it is whole again.
    pub resets_at: Timestamp,
}

/// What becomes of quotas when tenants and clients go.
pub struct Lifecycle;

impl store::Lifecycle for Lifecycle {
    fn purge(&self, tx: &mut Tx<'_>, tenant: TenantId, subject: &Subject) -> Result<()> {
        match subject {
            Subject::Tenant => sql::purge_tenant(tx, tenant),
            Subject::Client(client) => sql::purge_subject(tx, tenant, &client.to_string()),
            Subject::Event(_) => Ok(()),
        }
    }
}
